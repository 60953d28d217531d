// SPDX-License-Identifier: GPL-3.0-or-later
#include "localcloud/conf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

#define MAX_FILE (256u << 10)
#define MAX_TOKEN 512
#define MAX_CLOUDS 32
#define MAX_RANGE 4096 // addresses

static int known_keys(const cJSON *o, const char *const keys[], burst_error_t *errp)
{
    for (const cJSON *v = o->child; v; v = v->next) {
        size_t i = 0;
        while (keys[i] && strcmp(keys[i], v->string) != 0)
            i++;
        if (!keys[i])
            return errprintf(errp, "unknown key \"%.40s\"", v->string);
    }
    return 0;
}

static const char *need_str(const cJSON *o, const char *key, burst_error_t *errp)
{
    const char *v = json_str(o, key, NULL);

    if (!v || !*v) {
        errprintf(errp, "%s: a text is needed here", key);
        return NULL;
    }
    return v;
}

// A whole number from min to max; missing = dflt.
static int get_number(const cJSON *o, const char *key, int64_t dflt, int64_t min, int64_t max,
                      int64_t *out, burst_error_t *errp)
{
    *out = dflt;
    if (!cJSON_GetObjectItemCaseSensitive(o, key))
        return 0;
    *out = json_i64(o, key, INT64_MIN);
    if (*out < min || *out > max)
        return errprintf(errp, "%s: a whole number from %lld to %lld is needed here", key,
                         (long long)min, (long long)max);
    return 0;
}

static int parse_ipv4(const char *key, const char *text, uint32_t *out, burst_error_t *errp)
{
    struct in_addr a;

    if (inet_pton(AF_INET, text, &a) != 1)
        return errprintf(errp, "%s: \"%.40s\" is not an IPv4 address", key, text);
    *out = ntohl(a.s_addr);
    return 0;
}

static int parse_listen(struct conf *c, const char *text, burst_error_t *errp)
{
    const char *colon = strrchr(text, ':');
    uint32_t ip;
    char *end;

    if (!colon || colon[1] < '0' || colon[1] > '9')
        return errprintf(errp, "listen: \"%.60s\" is not ADDRESS:PORT", text);
    errno = 0;
    long port = strtol(colon + 1, &end, 10);
    if (errno || *end || port > 65535)
        return errprintf(errp, "listen: \"%.60s\": a port is a number from 0 to 65535", text);
    c->listen_host = xasprintf("%.*s", (int)(colon - text), text);
    c->listen_port = (uint16_t)port;
    return parse_ipv4("listen", c->listen_host, &ip, errp);
}

static int parse_range(struct conf *c, const char *text, burst_error_t *errp)
{
    const char *dash = strchr(text, '-');

    if (!dash)
        return errprintf(errp,
                         "address_range: \"%.60s\" is not FIRST-LAST, such as "
                         "10.88.1.1-10.88.1.250",
                         text);
    char *first = xasprintf("%.*s", (int)(dash - text), text);
    int rc = parse_ipv4("address_range", first, &c->range_first, errp);
    free(first);
    if (rc < 0 || parse_ipv4("address_range", dash + 1, &c->range_last, errp) < 0)
        return -1;
    if (c->range_last < c->range_first || c->range_last - c->range_first >= MAX_RANGE)
        return errprintf(errp, "address_range: \"%.60s\" must hold 1 to %d addresses", text,
                         MAX_RANGE);
    return 0;
}

static int read_token(const cJSON *o, const char *key, char **token, size_t *len,
                      burst_error_t *errp)
{
    const char *path = need_str(o, key, errp);

    if (!path || fs_read_secret(path, MAX_TOKEN, token, len, errp) < 0)
        return errprefix(errp, "%s", key);
    while (*len > 0 && strchr(" \t\r\n", (*token)[*len - 1]))
        (*token)[--*len] = '\0';
    if (*len < 8 || strlen(*token) != *len)
        return errprintf(errp, "%s: %s: a token is one line of at least 8 characters", key, path);
    return 0;
}

static int parse_cloud(const cJSON *o, struct conf_cloud *c, burst_error_t *errp)
{
    static const char *const keys[] = {"name", "token_file", "catalog", "quota_nodes", NULL};
    const char *name, *catalog;

    if (!cJSON_IsObject(o))
        return errprintf(errp, "a cloud is an object with name, token_file and catalog");
    if (known_keys(o, keys, errp) < 0 || !(name = need_str(o, "name", errp)) ||
        !(catalog = need_str(o, "catalog", errp)))
        return -1;
    size_t len = strlen(name);
    if (len > CONF_NAME_MAX || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
        return errprintf(errp, "name: \"%.60s\": 1 to %d of a-z, 0-9 and -", name, CONF_NAME_MAX);
    memcpy(c->name, name, len + 1);
    c->catalog = xstrdup(catalog);
    if (get_number(o, "quota_nodes", -1, 0, 100000, &c->quota_nodes, errp) < 0)
        return -1;
    return read_token(o, "token_file", &c->token, &c->token_len, errp);
}

static int parse_clouds(const cJSON *list, struct conf *c, burst_error_t *errp)
{
    int n = cJSON_GetArraySize(list), i = 0;
    const cJSON *o;

    if (!cJSON_IsArray(list) || n < 1 || n > MAX_CLOUDS)
        return errprintf(errp, "clouds: a list of 1 to %d clouds is needed here", MAX_CLOUDS);
    c->clouds = xcalloc((size_t)n, sizeof(*c->clouds));
    c->n_clouds = (size_t)n;
    cJSON_ArrayForEach(o, list)
    {
        if (parse_cloud(o, &c->clouds[i], errp) < 0)
            return errprefix(errp, "clouds[%d]", i);
        for (int j = 0; j < i; j++)
            if (strcmp(c->clouds[i].name, c->clouds[j].name) == 0)
                return errprintf(errp, "clouds[%d]: the name %s is there twice", i,
                                 c->clouds[i].name);
        i++;
    }
    return 0;
}

static int parse_network(const cJSON *o, struct conf *c, burst_error_t *errp)
{
    const char *bridge = need_str(o, "bridge", errp), *range, *gateway;
    int64_t prefix;

    if (!bridge || !(range = need_str(o, "address_range", errp)) ||
        get_number(o, "prefix", 16, 8, 30, &prefix, errp) < 0 || parse_range(c, range, errp) < 0)
        return -1;
    if (strlen(bridge) >= IFNAMSIZ)
        return errprintf(errp, "bridge: \"%.40s\" is too long for a link's name", bridge);
    c->bridge = xstrdup(bridge);
    c->prefix = (unsigned)prefix;
    uint32_t mask = ~UINT32_C(0) << (32 - c->prefix);
    if ((c->range_first & mask) != (c->range_last & mask))
        return errprintf(errp, "address_range: both ends must lie in one /%u network", c->prefix);
    gateway = json_str(o, "gateway", "");
    if (*gateway && parse_ipv4("gateway", gateway, &c->gateway, errp) < 0)
        return -1;
    if (c->gateway >= c->range_first && c->gateway <= c->range_last)
        return errprintf(errp, "gateway: %s lies inside address_range", gateway);
    return 0;
}

static int parse(const cJSON *o, struct conf *c, burst_error_t *errp)
{
    static const char *const keys[] = {"listen", "state_dir", "bridge",           "address_range",
                                       "prefix", "gateway",   "admin_token_file", "disk_mib",
                                       "clouds", NULL};
    const char *listen, *state_dir;

    if (!cJSON_IsObject(o))
        return errprintf(errp, "the configuration is one JSON object");
    if (known_keys(o, keys, errp) < 0 || !(listen = need_str(o, "listen", errp)) ||
        !(state_dir = need_str(o, "state_dir", errp)) || parse_listen(c, listen, errp) < 0)
        return -1;
    if (*state_dir != '/')
        return errprintf(errp, "state_dir: \"%.60s\" must be an absolute path", state_dir);
    c->state_dir = xstrdup(state_dir);
    if (parse_network(o, c, errp) < 0 ||
        get_number(o, "disk_mib", 4096, 64, 1 << 20, &c->disk_mib, errp) < 0 ||
        read_token(o, "admin_token_file", &c->admin_token, &c->admin_token_len, errp) < 0)
        return -1;
    return parse_clouds(cJSON_GetObjectItemCaseSensitive(o, "clouds"), c, errp);
}

struct conf *conf_parse(const char *name, const char *text, size_t len, burst_error_t *errp)
{
    struct conf *c = NULL;
    cJSON *o = json_parse(text, len, errp);

    if (o) {
        c = xmalloc(sizeof(*c));
        if (parse(o, c, errp) < 0) {
            conf_free(c);
            c = NULL;
        }
    }
    cJSON_Delete(o);
    if (!c)
        errprefix(errp, "%s", name);
    return c;
}

struct conf *conf_load(const char *path, burst_error_t *errp)
{
    char *text;
    size_t len;

    if (fs_read(path, MAX_FILE, &text, &len, errp) < 0)
        return NULL;
    struct conf *c = conf_parse(path, text, len, errp);
    free(text);
    return c;
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_clouds; i++) {
        fs_wipe(c->clouds[i].token, c->clouds[i].token_len);
        free(c->clouds[i].catalog);
    }
    free(c->clouds);
    fs_wipe(c->admin_token, c->admin_token_len);
    free(c->listen_host);
    free(c->state_dir);
    free(c->bridge);
    free(c);
}
