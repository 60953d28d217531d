// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/request.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "libburst/json.h"
#include "ssh/stage_paths.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define MAX_HOSTS 4096
#define MAX_GROUPS 1024

static const char *const op_names[] = {
    [SSH_OP_PREPARE] = "prepare",       [SSH_OP_JOIN] = "join",
    [SSH_OP_STAGE_IN] = "stage_in",     [SSH_OP_STAGE_OUT] = "stage_out",
    [SSH_OP_CHECK] = "run_agent_check", [SSH_OP_POWEROFF] = "poweroff",
    [SSH_OP_SIGNAL] = "signal_job",
};

int ssh_op_kind(const char *name)
{
    for (size_t i = 0; name && i < sizeof(op_names) / sizeof(op_names[0]); i++)
        if (strcmp(op_names[i], name) == 0)
            return (int)i;
    return -1;
}

// 1 to max characters, all of the set, not beginning with '-'.
static bool word(const char *s, const char *set, size_t max)
{
    size_t len = s ? strlen(s) : 0;

    return len > 0 && len <= max && s[0] != '-' && strspn(s, set) == len;
}

static bool host_name(const char *s)
{
    return word(s, LETTERS DIGITS ".-_", 253);
}

static bool ip_address(const char *s)
{
    unsigned char buf[sizeof(struct in6_addr)];

    return s && (inet_pton(AF_INET, s, buf) == 1 || inet_pton(AF_INET6, s, buf) == 1);
}

static int check_hosts(const cJSON *hosts, burst_error_t *errp)
{
    const cJSON *h;

    if (!hosts)
        return 0;
    if (!cJSON_IsArray(hosts) || cJSON_GetArraySize(hosts) > MAX_HOSTS)
        return errprintf(errp, "hosts: an array of at most %d {\"address\",\"names\"}", MAX_HOSTS);
    cJSON_ArrayForEach(h, hosts)
    {
        const char *address = json_str(h, "address", NULL);
        const cJSON *names = cJSON_GetObjectItemCaseSensitive(h, "names"), *n;
        if (!ip_address(address))
            return errprintf(errp, "hosts: address \"%.64s\" is not an IP address",
                             address ? address : "");
        if (cJSON_IsString(names) && word(names->valuestring, LETTERS DIGITS ".-_ ", 1024))
            continue;
        if (!cJSON_IsArray(names) || cJSON_GetArraySize(names) < 1)
            return errprintf(errp, "hosts: names of %s: host names are needed", address);
        cJSON_ArrayForEach(n, names)
        {
            if (!cJSON_IsString(n) || !host_name(n->valuestring))
                return errprintf(errp, "hosts: \"%.64s\" is not a host name",
                                 cJSON_IsString(n) ? n->valuestring : "");
        }
    }
    return 0;
}

#define AGENT_LONGEST_S (INT64_C(8) * 86400)

static int check_agent(const cJSON *agent, burst_error_t *errp)
{
    static const char *const forms[] = {"aws", "gcp", "azure", "local", "none"};
    const char *form = json_str(agent, "metadata", "none");
    int64_t deadman = json_i64(agent, "deadman_s", 1800);
    bool known = false;

    if (!agent || cJSON_IsNull(agent))
        return 0;
    if (!word(json_str(agent, "controller", NULL), LETTERS DIGITS ".:[]-", 280))
        return errprintf(errp, "agent: controller must be HOST:PORT");
    if (!word(json_str(agent, "instance", NULL), LETTERS DIGITS "._:/-", 250))
        return errprintf(errp, "agent: instance has characters that no instance id has");
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        known = known || strcmp(form, forms[i]) == 0;
    if (!known)
        return errprintf(errp, "agent: metadata \"%.32s\": it is aws, gcp, azure, local or none",
                         form);
    if (deadman < 0 || deadman > 7 * 86400)
        return errprintf(errp, "agent: deadman_s lies between 0 (off) and a week");
    int64_t longest = json_i64(agent, "deadman_max_s", AGENT_LONGEST_S);
    if (longest < deadman || longest > INT64_C(100) * 366 * 86400)
        return errprintf(errp, "agent: deadman_max_s is not less than deadman_s");
    return 0;
}

static int check_prepare(const cJSON *j, burst_error_t *errp)
{
    const char *key = json_str(j, "munge_key_file", NULL);
    const char *dir = json_str(j, "slurm_conf_dir", NULL);

    if (!key || key[0] != '/')
        return errprintf(errp, "munge_key_file: an absolute path is needed");
    if (!dir || dir[0] != '/')
        return errprintf(errp, "slurm_conf_dir: an absolute path is needed");
    if (check_hosts(cJSON_GetObjectItemCaseSensitive(j, "hosts"), errp) < 0)
        return -1;
    return check_agent(cJSON_GetObjectItemCaseSensitive(j, "agent"), errp);
}

static int check_join(const cJSON *j, burst_error_t *errp)
{
    const char *node = json_str(j, "node_name", NULL);

    if (!word(node, LETTERS DIGITS "-_.", 63))
        return errprintf(errp, "node_name: \"%.64s\" is not a node name", node ? node : "");
    return check_hosts(cJSON_GetObjectItemCaseSensitive(j, "hosts"), errp);
}

static int check_exclude(const cJSON *exclude, burst_error_t *errp)
{
    const cJSON *e;

    if (!exclude)
        return 0;
    if (!cJSON_IsArray(exclude) || cJSON_GetArraySize(exclude) > STAGE_MAX_PATHS)
        return errprintf(errp, "exclude: an array of at most %d patterns", STAGE_MAX_PATHS);
    cJSON_ArrayForEach(e, exclude)
    {
        if (!cJSON_IsString(e) || !e->valuestring[0] || stage_has_control(e->valuestring))
            return errprintf(errp, "exclude: patterns are strings without control characters");
    }
    return 0;
}

static int check_stage(const cJSON *j, burst_error_t *errp)
{
    const cJSON *groups = cJSON_GetObjectItemCaseSensitive(j, "groups"), *g;
    const char *home = json_str(j, "home", NULL);
    struct stage_paths *paths;
    int rc = -1;

    if (!word(json_str(j, "user", NULL), LETTERS DIGITS "._@+$-", 64))
        return errprintf(errp, "user: \"%.64s\" cannot be a user's name on a node",
                         json_str(j, "user", ""));
    if (json_i64(j, "job_id", 0) < 1)
        return errprintf(errp, "job_id: a positive number is needed");
    if (json_str(j, "mark", NULL) && !word(json_str(j, "mark", NULL), DIGITS "_", 40))
        return errprintf(errp, "mark: digits and _ only");
    if (json_i64(j, "uid", 0) < 1 || json_i64(j, "uid", 0) > UINT32_MAX - 1 ||
        json_i64(j, "gid", 0) < 1 || json_i64(j, "gid", 0) > UINT32_MAX - 1)
        return errprintf(errp, "uid, gid: those of an ordinary user are needed");
    if (!home || home[0] != '/' || !home[1] || stage_has_control(home) || strpbrk(home, "*?[\\:"))
        return errprintf(errp, "home: \"%.128s\" cannot be a home directory", home ? home : "");
    if (groups && (!cJSON_IsArray(groups) || cJSON_GetArraySize(groups) > MAX_GROUPS))
        return errprintf(errp, "groups: an array of at most %d {\"gid\",\"name\"}", MAX_GROUPS);
    cJSON_ArrayForEach(g, groups)
    {
        if (!word(json_str(g, "name", NULL), LETTERS DIGITS "._@+$-", 64) ||
            json_i64(g, "gid", -1) < 0)
            return errprintf(errp, "groups: \"%.64s\" cannot be a group on a node",
                             json_str(g, "name", ""));
    }
    paths = stage_paths_create(cJSON_GetObjectItemCaseSensitive(j, "paths"), home, errp);
    if (!paths)
        return -1;
    if (stage_paths_count(paths) > 0 && json_str(j, "stage_socket", "")[0] != '/')
        errprintf(errp, "stage_socket: the path of burst-stagerd's socket is needed");
    else if (json_i64(j, "max_bytes", 0) < 0)
        errprintf(errp, "max_bytes: not negative");
    else if (json_i64(j, "wait_job_s", 0) < 0 || json_i64(j, "wait_job_s", 0) > 3600)
        errprintf(errp, "wait_job_s: seconds between 0 and 3600");
    else
        rc = check_exclude(cJSON_GetObjectItemCaseSensitive(j, "exclude"), errp);
    stage_paths_destroy(paths);
    return rc;
}

static int check_seconds(const cJSON *j, const char *key, int64_t dflt, int64_t *out,
                         burst_error_t *errp)
{
    *out = json_i64(j, key, dflt);
    if (*out < 1 || *out > 3600)
        return errprintf(errp, "%s: seconds between 1 and 3600", key);
    return 0;
}

static int check_connection(struct ssh_request *r, burst_error_t *errp)
{
    const cJSON *j = r->json;
    int64_t port = json_i64(j, "port", 22);

    r->address = json_str(j, "address", NULL);
    r->user = json_str(j, "ssh_user", "root");
    r->key_file = json_str(j, "key_file", NULL);
    r->host_key = json_str(j, "host_key", NULL);
    r->port = (int)port;
    r->conf_on_node = json_str(j, "slurm_conf_on_node", NULL);
    if (!ip_address(r->address) && !host_name(r->address))
        return errprintf(errp, "address: \"%.64s\" is not an address",
                         r->address ? r->address : "");
    if (port < 1 || port > 65535)
        return errprintf(errp, "port: between 1 and 65535");
    if (!word(r->user, LETTERS DIGITS "._-", 64))
        return errprintf(errp, "ssh_user: \"%.64s\" is not a login name", r->user);
    if (!r->key_file || r->key_file[0] != '/')
        return errprintf(errp, "key_file: the absolute path of the private key is needed");
    if (r->conf_on_node &&
        !(r->conf_on_node[0] == '/' && word(r->conf_on_node, LETTERS DIGITS "/._-", 1024)))
        return errprintf(errp, "slurm_conf_on_node: an absolute path without blanks is needed");
    if (check_seconds(j, "timeout_s", 120, &r->timeout_s, errp) < 0 ||
        check_seconds(j, "auth_timeout_s", 20, &r->auth_timeout_s, errp) < 0 ||
        check_seconds(j, "command_s", 60, &r->command_s, errp) < 0 ||
        check_seconds(j, "idle_s", 600, &r->idle_s, errp) < 0)
        return -1;
    return 0;
}

int ssh_request_parse(const cJSON *json, struct ssh_request *out, burst_error_t *errp)
{
    int kind = ssh_op_kind(json_str(json, "op", NULL));
    struct ssh_request r = {.json = json};

    if (kind < 0)
        return errprintf(errp,
                         "op: \"%.32s\": it is prepare, join, stage_in, stage_out, "
                         "run_agent_check, poweroff or signal_job",
                         json_str(json, "op", ""));
    r.op = (enum ssh_op_kind)kind;
    if (check_connection(&r, errp) < 0)
        return -1;
    if (r.op == SSH_OP_PREPARE && check_prepare(json, errp) < 0)
        return -1;
    if (r.op == SSH_OP_JOIN && check_join(json, errp) < 0)
        return -1;
    if ((r.op == SSH_OP_STAGE_IN || r.op == SSH_OP_STAGE_OUT) && check_stage(json, errp) < 0)
        return -1;
    if (r.op == SSH_OP_SIGNAL &&
        (json_i64(json, "job_id", 0) < 1 || json_i64(json, "signal", 0) < 1 ||
         json_i64(json, "signal", 0) > 31))
        return errprintf(errp, "signal_job: job_id and a signal from 1 to 31 are needed");
    if (r.op != SSH_OP_STAGE_IN && r.op != SSH_OP_STAGE_OUT &&
        cJSON_GetObjectItemCaseSensitive(json, "user"))
        return errprintf(errp, "user: only stage_in and stage_out have a (job's) user; the login "
                               "on the node is ssh_user");
    *out = r;
    return 0;
}

// ---- parameter lines

static int line(struct strbuf *out, const char *key, const char *value, burst_error_t *errp)
{
    // Checked before, field by field; this is the wall behind it.
    if (stage_has_control(value))
        return errprintf(errp, "%s: control characters", key);
    if (strbuf_addf(out, "%s %s\n", key, value) < 0)
        return errprintf(errp, "%s: the parameters are too long", key);
    return 0;
}

static int line_i64(struct strbuf *out, const char *key, int64_t value, burst_error_t *errp)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRId64, value);
    return line(out, key, text, errp);
}

static int host_lines(const cJSON *hosts, struct strbuf *out, burst_error_t *errp)
{
    const cJSON *h, *n;

    cJSON_ArrayForEach(h, hosts)
    {
        const cJSON *names = cJSON_GetObjectItemCaseSensitive(h, "names");
        strbuf_addf(out, "host %s", json_str(h, "address", ""));
        if (cJSON_IsString(names))
            strbuf_addf(out, " %s", names->valuestring);
        else
            cJSON_ArrayForEach(n, names) strbuf_addf(out, " %s", n->valuestring);
        if (strbuf_adds(out, "\n") < 0)
            return errprintf(errp, "hosts: too many");
    }
    return 0;
}

static int conf_line(const struct ssh_request *req, struct strbuf *out, burst_error_t *errp)
{
    return req->conf_on_node ? line(out, "conf_dir", req->conf_on_node, errp) : 0;
}

static int prepare_lines(const struct ssh_request *req, const struct ssh_slurm_user *su,
                         struct strbuf *out, burst_error_t *errp)
{
    const cJSON *agent = cJSON_GetObjectItemCaseSensitive(req->json, "agent");

    if (conf_line(req, out, errp) < 0 ||
        host_lines(cJSON_GetObjectItemCaseSensitive(req->json, "hosts"), out, errp) < 0)
        return -1;
    if (su && strbuf_addf(out, "slurm_user %s %u %u\n", su->name, su->uid, su->gid) < 0)
        return errprintf(errp, "the parameters are too long");
    if (!cJSON_IsObject(agent))
        return 0;
    if (line(out, "instance", json_str(agent, "instance", ""), errp) < 0 ||
        line(out, "controller", json_str(agent, "controller", ""), errp) < 0 ||
        line(out, "metadata", json_str(agent, "metadata", "none"), errp) < 0)
        return -1;
    if (line_i64(out, "deadman_s", json_i64(agent, "deadman_s", 1800), errp) < 0)
        return -1;
    return line_i64(out, "deadman_max_s", json_i64(agent, "deadman_max_s", AGENT_LONGEST_S), errp);
}

static int signal_lines(const struct ssh_request *req, struct strbuf *out, burst_error_t *errp)
{
    if (line_i64(out, "job", json_i64(req->json, "job_id", 0), errp) < 0)
        return -1;
    return line_i64(out, "signal", json_i64(req->json, "signal", 0), errp);
}

static int join_lines(const struct ssh_request *req, struct strbuf *out, burst_error_t *errp)
{
    if (conf_line(req, out, errp) < 0 ||
        line(out, "node_name", json_str(req->json, "node_name", ""), errp) < 0 ||
        line(out, "boot", json_bool(req->json, "boot", true) ? "1" : "0", errp) < 0 ||
        (json_bool(req->json, "again", false) && line(out, "again", "1", errp) < 0))
        return -1;
    return host_lines(cJSON_GetObjectItemCaseSensitive(req->json, "hosts"), out, errp);
}

// What burst-stagerd wants made on the node: "own DIR", "shared DIR" or "new DIR".
static int place_line(const char *place, const char *home, struct strbuf *out, burst_error_t *errp)
{
    static const char *const kinds[] = {"own", "shared", "new"};
    size_t len = strcspn(place, " ");
    cJSON *one = cJSON_CreateArray();
    struct stage_paths *p = NULL;
    int rc = -1;

    for (size_t k = 0; k < 3; k++) {
        if (strlen(kinds[k]) != len || strncmp(place, kinds[k], len) != 0 || !place[len])
            continue;
        cJSON_AddItemToArray(one, cJSON_CreateString(place + len + 1));
        p = stage_paths_create(one, home, NULL);
        if (p)
            rc = stage_paths_system(p, 0) ? 0 : line(out, kinds[k], stage_paths_get(p, 0), errp);
        break;
    }
    if (rc < 0 && !p)
        errprintf(errp, "places: \"%.200s\" is none", stage_has_control(place) ? "" : place);
    stage_paths_destroy(p);
    cJSON_Delete(one);
    return rc;
}

static int path_lines(const struct ssh_request *req, const cJSON *places, struct strbuf *out,
                      burst_error_t *errp)
{
    const char *home = json_str(req->json, "home", "");
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(req->json, "paths"), *e;
    struct stage_paths *p = stage_paths_create(array, home, errp);
    int rc = p ? 0 : -1;

    if (req->op == SSH_OP_STAGE_IN) {
        cJSON_ArrayForEach(e, places)
        {
            if (rc == 0)
                rc = place_line(cJSON_IsString(e) ? e->valuestring : "", home, out, errp);
        }
    } else {
        for (size_t i = 0; rc == 0 && i < stage_paths_count(p); i++)
            if (!stage_paths_system(p, i))
                rc = line(out, "path", stage_paths_get(p, i), errp);
    }
    stage_paths_destroy(p);
    return rc;
}

static int stage_lines(const struct ssh_request *req, const cJSON *places, bool archive,
                       struct strbuf *out, burst_error_t *errp)
{
    const cJSON *j = req->json, *e;

    if (line_i64(out, "job", json_i64(j, "job_id", 0), errp) < 0 ||
        (json_str(j, "mark", NULL) && line(out, "mark", json_str(j, "mark", ""), errp) < 0) ||
        line(out, "user", json_str(j, "user", ""), errp) < 0 ||
        line_i64(out, "uid", json_i64(j, "uid", 0), errp) < 0 ||
        line_i64(out, "gid", json_i64(j, "gid", 0), errp) < 0 ||
        line(out, "home", json_str(j, "home", ""), errp) < 0 ||
        path_lines(req, places, out, errp) < 0)
        return -1;
    if (req->op == SSH_OP_STAGE_IN) {
        cJSON_ArrayForEach(e, cJSON_GetObjectItemCaseSensitive(j, "groups"))
        {
            if (strbuf_addf(out, "group %" PRId64 " %s\n", json_i64(e, "gid", 0),
                            json_str(e, "name", "")) < 0)
                return errprintf(errp, "groups: too many");
        }
        return line(out, "archive", archive ? "1" : "0", errp);
    }
    cJSON_ArrayForEach(e, cJSON_GetObjectItemCaseSensitive(j, "exclude"))
    {
        if (line(out, "exclude", e->valuestring, errp) < 0)
            return -1;
    }
    return line_i64(out, "wait", json_i64(j, "wait_job_s", 0), errp);
}

int ssh_request_params(const struct ssh_request *req, const struct ssh_slurm_user *slurm_user,
                       const cJSON *places, bool archive, struct strbuf *out, burst_error_t *errp)
{
    int rc = 0;

    if (req->op == SSH_OP_PREPARE)
        rc = prepare_lines(req, slurm_user, out, errp);
    else if (req->op == SSH_OP_JOIN)
        rc = join_lines(req, out, errp);
    else if (req->op == SSH_OP_SIGNAL)
        rc = signal_lines(req, out, errp);
    else if (req->op == SSH_OP_STAGE_IN || req->op == SSH_OP_STAGE_OUT)
        rc = stage_lines(req, places, archive, out, errp);
    if (rc < 0)
        return -1;
    if (strbuf_adds(out, "end\n") < 0)
        return errprintf(errp, "the parameters are too long");
    return 0;
}
