// SPDX-License-Identifier: GPL-3.0-or-later
#include "localcloud/instance.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

#define MAX_FILE (64u << 10)

static const char *const state_names[] = {"pending", "running", "shutting-down", "terminated"};

const char *instance_state_name(enum instance_state s)
{
    return state_names[s];
}

struct instance *instance_create(void)
{
    return xmalloc(sizeof(struct instance));
}

void instance_destroy(struct instance *i)
{
    if (!i)
        return;
    cJSON_Delete(i->tags);
    free(i->cloud);
    free(i->host_key);
    free(i->instance_type);
    free(i->region);
    free(i->zone);
    free(i->reason);
    free(i->token);
    free(i->params);
    free(i->ssh_key);
    free(i);
}

void instance_set_address(struct instance *i, uint32_t address)
{
    struct in_addr a = {htonl(address)};

    i->address = address;
    inet_ntop(AF_INET, &a, i->address_text, sizeof(i->address_text));
}

static void add_time(cJSON *o, const char *key, int64_t epoch)
{
    if (epoch)
        json_add_i64(o, key, epoch);
    else
        cJSON_AddNullToObject(o, key);
}

cJSON *instance_json(const struct instance *i)
{
    cJSON *o = cJSON_CreateObject();
    char price[MONEY_TEXT_MAX];

    json_add_str(o, "id", i->id);
    json_add_str(o, "state", state_names[i->state]);
    json_add_str(o, "address", i->address_text);
    json_add_str(o, "host_key", i->host_key);
    json_add_str(o, "instance_type", i->instance_type);
    json_add_str(o, "region", i->region);
    json_add_str(o, "zone", i->zone);
    json_add_str(o, "market", i->spot ? "spot" : "on-demand");
    json_add_str(o, "price_usd_per_hour", money_format(i->price, price));
    json_add_i64(o, "launched_at", i->launched_at);
    add_time(o, "ended_at", i->ended_at);
    cJSON_AddItemToObject(o, "tags",
                          i->tags ? cJSON_Duplicate(i->tags, true) : cJSON_CreateObject());
    json_add_str(o, "reason", i->reason);
    json_add_str(o, "token", i->token);
    add_time(o, "notice_at", i->notice_at);
    return o;
}

int64_t instance_seconds(const struct instance *i, int64_t now)
{
    int64_t s = (i->ended_at ? i->ended_at : now) - i->launched_at;

    return s > 0 ? s : 0; // the clock may have been set back
}

money_t instance_cost(const struct instance *i, int64_t now)
{
    return money_for_seconds(i->price, instance_seconds(i, now));
}

char *instance_print(const struct instance *i)
{
    cJSON *o = instance_json(i), *m;

    json_add_str(o, "cloud", i->cloud);
    json_add_money(o, "price_uusd", i->price);
    json_add_i64(o, "die_at_ms", i->die_at_ms);
    json_add_str(o, "params", i->params);
    json_add_i64(o, "count", i->count);
    json_add_i64(o, "accelerators", i->accelerators);
    cJSON_AddBoolToObject(o, "committed", i->committed);
    cJSON_AddBoolToObject(o, "cut", i->cut);
    m = cJSON_AddObjectToObject(o, "machine");
    json_add_i64(m, "pid", i->machine.pid);
    json_add_i64(m, "start_ticks", (int64_t)i->machine.start_ticks);
    json_add_str(m, "boot_id", i->machine.boot_id);
    char *text = cJSON_Print(o);
    cJSON_Delete(o);
    return text;
}

static int parse_state(const cJSON *o, struct instance *i)
{
    const char *name = json_str(o, "state", "");

    for (i->state = 0; i->state <= INSTANCE_TERMINATED; i->state++)
        if (strcmp(name, state_names[i->state]) == 0)
            return 0;
    return -1;
}

static int parse_machine(const cJSON *o, struct machine_identity *m)
{
    int64_t pid = json_i64(o, "pid", -1), ticks = json_i64(o, "start_ticks", -1);

    if (pid < 0 || pid > INT32_MAX || ticks < 0)
        return -1;
    m->pid = (int)pid;
    m->start_ticks = (uint64_t)ticks;
    return snprintf(m->boot_id, sizeof(m->boot_id), "%s", json_str(o, "boot_id", "")) <
                   (int)sizeof(m->boot_id)
               ? 0
               : -1;
}

// The name of the first key that is missing or wrong, or NULL.
static const char *parse_fields(const cJSON *o, struct instance *i)
{
    struct in_addr a;
    const char *id = json_str(o, "id", "");
    int64_t count = json_i64(o, "count", -1), accelerators = json_i64(o, "accelerators", -1);

    if (!*id || strlen(id) > INSTANCE_ID_MAX || strchr(id, '/'))
        return "id";
    memcpy(i->id, id, strlen(id) + 1);
    if (parse_state(o, i) < 0)
        return "state";
    if (inet_pton(AF_INET, json_str(o, "address", ""), &a) != 1)
        return "address";
    instance_set_address(i, ntohl(a.s_addr));
    i->cloud = xstrdup(json_str(o, "cloud", NULL));
    i->host_key = xstrdup(json_str(o, "host_key", NULL));
    i->instance_type = xstrdup(json_str(o, "instance_type", NULL));
    i->region = xstrdup(json_str(o, "region", NULL));
    i->zone = xstrdup(json_str(o, "zone", NULL));
    i->reason = xstrdup(json_str(o, "reason", NULL));
    i->token = xstrdup(json_str(o, "token", NULL));
    i->params = xstrdup(json_str(o, "params", NULL));
    if (!i->cloud || !i->instance_type || !i->region || !i->zone)
        return "cloud, instance_type, region or zone";
    if (!i->token || !i->params)
        return "token or params";
    i->spot = strcmp(json_str(o, "market", ""), "spot") == 0;
    i->price = json_money(o, "price_uusd");
    if (i->price == MONEY_UNKNOWN || i->price < 0)
        return "price_uusd";
    i->launched_at = json_i64(o, "launched_at", 0);
    if (i->launched_at <= 0)
        return "launched_at";
    i->ended_at = json_i64(o, "ended_at", 0);
    i->notice_at = json_i64(o, "notice_at", 0);
    i->die_at_ms = json_i64(o, "die_at_ms", 0);
    i->committed = json_bool(o, "committed", false);
    i->cut = json_bool(o, "cut", false);
    if (count < 1 || count > 10000 || accelerators < 0 || accelerators > 10000)
        return "count or accelerators";
    i->count = (unsigned)count;
    i->accelerators = (unsigned)accelerators;
    const cJSON *tags = cJSON_GetObjectItemCaseSensitive(o, "tags");
    if (!cJSON_IsObject(tags))
        return "tags";
    i->tags = cJSON_Duplicate(tags, true);
    return parse_machine(cJSON_GetObjectItemCaseSensitive(o, "machine"), &i->machine) < 0
               ? "machine"
               : NULL;
}

struct instance *instance_parse(const char *text, size_t len, burst_error_t *errp)
{
    cJSON *o = json_parse(text, len, errp);
    struct instance *i = instance_create();
    const char *wrong = NULL;

    if (o && (wrong = parse_fields(o, i)))
        errprintf(errp, "%s: missing or not what belongs there", wrong);
    if (!o || wrong) {
        instance_destroy(i);
        i = NULL;
    }
    cJSON_Delete(o);
    return i;
}

int instance_save(const struct instance *i, const char *dir, burst_error_t *errp)
{
    char *path = xasprintf("%s/%s.json", dir, i->id);
    char *text = instance_print(i);
    int rc = fs_write_atomic(path, text, strlen(text), 0600, errp);

    free(text);
    free(path);
    return rc;
}

struct instance *instance_load(const char *path, burst_error_t *errp)
{
    char *text;
    size_t len;

    if (fs_read(path, MAX_FILE, &text, &len, errp) < 0)
        return NULL;
    struct instance *i = instance_parse(text, len, errp);
    free(text);
    if (!i)
        errprefix(errp, "%s", path);
    return i;
}

int instance_unlink(const struct instance *i, const char *dir)
{
    char *path = xasprintf("%s/%s.json", dir, i->id);
    int rc = unlink(path);

    free(path);
    return rc;
}
