// SPDX-License-Identifier: GPL-3.0-or-later
// See limits.h.
#include "slurm/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/log.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

#define CHAIN_MAX 16 // accounts above a user; a circle of them would have no end

// Belongs to cJSON: the rows stay as they came, these find them.
struct found {
    char key[200];
    const cJSON *row;
    UT_hash_handle hh;
};

struct limits {
    cJSON *msg; // the latest, NULL = none
    struct found *assocs, *qos, *users;
    bool told; // that they cannot be read
};

static const cJSON *find(const struct found *in, const char *key)
{
    struct found *f, *head = (struct found *)in; // HASH_FIND changes nothing

    HASH_FIND_STR(head, key, f);
    return f ? f->row : NULL;
}

static void enter(struct found **in, const cJSON *row, const char *key)
{
    struct found *f;

    HASH_FIND_STR(*in, key, f);
    if (f)
        return;
    f = xmalloc(sizeof(*f));
    snprintf(f->key, sizeof(f->key), "%s", key);
    f->row = row;
    HASH_ADD_STR(*in, key, f);
}

static void clear(struct found **in)
{
    struct found *f, *next;

    HASH_ITER(hh, *in, f, next)
    {
        HASH_DEL(*in, f);
        free(f);
    }
}

static void forget(struct limits *l)
{
    clear(&l->assocs);
    clear(&l->qos);
    clear(&l->users);
    cJSON_Delete(l->msg);
    l->msg = NULL;
}

struct limits *limits_create(void)
{
    return xmalloc(sizeof(struct limits));
}

void limits_destroy(struct limits *l)
{
    if (!l)
        return;
    forget(l);
    free(l);
}

// ---- the rows; an association is found by its number and by who it is for

static void id_key(char key[200], int64_t id)
{
    snprintf(key, 200, "#%lld", (long long)id);
}

static void assoc_key(char key[200], const char *account, const char *user, const char *partition)
{
    snprintf(key, 200, "%.60s/%.60s/%.60s", account, user, partition);
}

static void enter_assoc(struct limits *l, const cJSON *row)
{
    char key[200];

    id_key(key, json_i64(row, "id", 0));
    enter(&l->assocs, row, key);
    assoc_key(key, json_str(row, "account", ""), json_str(row, "user", ""),
              json_str(row, "partition", ""));
    enter(&l->assocs, row, key);
}

void limits_take(struct limits *l, const cJSON *msg)
{
    const char *error = json_str(msg, "error", NULL);
    const cJSON *v;

    forget(l);
    if (error && !l->told)
        log_warn("Slurm's limits of users, accounts and QOS cannot be read (%s): they are learned "
                 "from what Slurm does not start",
                 error);
    l->told = error != NULL;
    l->msg = cJSON_Duplicate(msg, true);
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(l->msg, "users"))
    {
        if (cJSON_IsString(v))
            enter(&l->users, v, v->valuestring);
    }
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(l->msg, "assocs")) enter_assoc(l, v);
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(l->msg, "qos"))
        enter(&l->qos, v, json_str(v, "name", ""));
}

bool limits_cover(const struct limits *l, const char *user)
{
    return find(l->users, user);
}

bool limits_any(const struct limits *l)
{
    return l->assocs || l->qos;
}

// ---- texts of TRES

double limit_amount(const char *tres, const char *name, size_t len)
{
    for (const char *p = tres; *p; p += *p == ',') {
        size_t part = strcspn(p, ",");
        if (part > len && strncmp(p, name, len) == 0 && p[len] == '=') {
            char *end;
            double v = strtod(p + len + 1, &end);
            bool memory = len == 3 && strncmp(name, "mem", 3) == 0;
            return v * (!memory       ? 1
                        : *end == 'K' ? 1.0 / 1024
                        : *end == 'G' ? 1024
                        : *end == 'T' ? 1024 * 1024
                        : *end == 'P' ? 1024.0 * 1024 * 1024
                                      : 1);
        }
        p += part;
    }
    return 0;
}

static bool names(const char *tres, const char *name, size_t len)
{
    for (const char *p = tres; *p; p += *p == ',') {
        if (strncmp(p, name, len) == 0 && p[len] == '=')
            return true;
        p += strcspn(p, ",");
    }
    return false;
}

// What `said` does not name already, which names it then, too.
static void rest_of(const char *tres, char said[LIMIT_TEXT * 2], char out[LIMIT_TEXT])
{
    *out = '\0';
    for (const char *p = tres; *p; p += *p == ',') {
        size_t part = strcspn(p, ","), len = strcspn(p, "=");
        if (len < part && !names(said, p, len) && strlen(out) + part + 2 < LIMIT_TEXT &&
            strlen(said) + part + 2 < (size_t)LIMIT_TEXT * 2) {
            sprintf(out + strlen(out), "%s%.*s", *out ? "," : "", (int)part, p);
        }
        p += part;
    }
}

static void say(char said[LIMIT_TEXT * 2], const char *tres)
{
    if (tres[0] && strlen(said) + strlen(tres) + 2 < (size_t)LIMIT_TEXT * 2)
        sprintf(said + strlen(said), "%s%s", *said ? "," : "", tres);
}

// ---- which hold

// What a QOS has said is said: of each kind.
struct said {
    bool grp_jobs, max_jobs;
    char grp_tres[LIMIT_TEXT * 2], user_tres[LIMIT_TEXT * 2], account_tres[LIMIT_TEXT * 2];
};

struct sum {
    struct limit_scope *out;
    size_t n;
    struct said said;
};

static void add(struct sum *s, const struct limit_scope *c)
{
    if (s->n < LIMIT_SCOPES && (c->jobs != LIMIT_NONE || c->tres[0]))
        s->out[s->n++] = *c;
}

static uint32_t count_of(const cJSON *row, const char *key, bool *said)
{
    int64_t n = json_i64(row, key, -1);

    if (n < 0 || (said && *said))
        return LIMIT_NONE;
    if (said)
        *said = true;
    return n < LIMIT_NONE ? (uint32_t)n : LIMIT_NONE;
}

static void qos_says(struct sum *s, const cJSON *q, const struct limited *job)
{
    struct limit_scope grp = {.jobs_name = "GrpJobs", .tres_name = "GrpTRES"};
    struct limit_scope user = {.jobs_name = "MaxJobsPerUser", .tres_name = "MaxTRESPerUser"};
    struct limit_scope acct = {.jobs_name = "MaxJobsPerAccount", .tres_name = "MaxTRESPerAccount"};
    const char *name = json_str(q, "name", "");
    bool max = s->said.max_jobs;

    snprintf(grp.key, sizeof(grp.key), "qos %.60s", name);
    snprintf(grp.who, sizeof(grp.who), "QOS %.60s", name);
    snprintf(user.key, sizeof(user.key), "qos %.60s user %.60s", name, job->user);
    snprintf(user.who, sizeof(user.who), "QOS %.60s (user %.60s)", name, job->user);
    snprintf(acct.key, sizeof(acct.key), "qos %.60s account %.60s", name, job->account);
    snprintf(acct.who, sizeof(acct.who), "QOS %.60s (account %.60s)", name, job->account);
    grp.jobs = count_of(q, "grp_jobs", &s->said.grp_jobs);
    user.jobs = max ? LIMIT_NONE : count_of(q, "max_jobs_pu", NULL);
    acct.jobs = max ? LIMIT_NONE : count_of(q, "max_jobs_pa", NULL);
    s->said.max_jobs = max || user.jobs != LIMIT_NONE || acct.jobs != LIMIT_NONE;
    rest_of(json_str(q, "grp_tres", ""), s->said.grp_tres, grp.tres);
    rest_of(json_str(q, "max_tres_pu", ""), s->said.user_tres, user.tres);
    rest_of(json_str(q, "max_tres_pa", ""), s->said.account_tres, acct.tres);
    say(s->said.grp_tres, grp.tres);
    say(s->said.user_tres, user.tres);
    say(s->said.account_tres, acct.tres);
    add(s, &grp);
    add(s, &user);
    add(s, &acct);
}

static void assoc_says(struct sum *s, const cJSON *a)
{
    struct limit_scope grp = {.jobs_name = "GrpJobs", .tres_name = "GrpTRES"};
    struct limit_scope max = {.jobs_name = "MaxJobs", .tres_name = ""};
    const char *user = json_str(a, "user", ""), *account = json_str(a, "account", "");
    long long id = (long long)json_i64(a, "id", 0);

    snprintf(grp.key, sizeof(grp.key), "assoc %lld", id);
    snprintf(max.key, sizeof(max.key), "user's assoc %lld", id);
    if (user[0])
        snprintf(grp.who, sizeof(grp.who), "user %.60s in account %.60s", user, account);
    else
        snprintf(grp.who, sizeof(grp.who), "account %.60s", account);
    memcpy(max.who, grp.who, sizeof(max.who));
    grp.jobs = s->said.grp_jobs ? LIMIT_NONE : count_of(a, "grp_jobs", NULL);
    max.jobs = s->said.max_jobs ? LIMIT_NONE : count_of(a, "max_jobs", NULL);
    rest_of(json_str(a, "grp_tres", ""), s->said.grp_tres, grp.tres);
    add(s, &max);
    add(s, &grp);
}

static const cJSON *assoc_of(const struct limits *l, const struct limited *job)
{
    char key[200];

    assoc_key(key, job->account, job->user, job->partition);
    const cJSON *a = find(l->assocs, key);
    if (a)
        return a;
    assoc_key(key, job->account, job->user, "");
    a = find(l->assocs, key);
    if (a)
        return a;
    assoc_key(key, job->account, "", ""); // a user who was not asked for counts for his account
    return find(l->assocs, key);
}

size_t limits_of(const struct limits *l, const struct limited *job,
                 struct limit_scope out[LIMIT_SCOPES])
{
    const cJSON *parts = cJSON_GetObjectItemCaseSensitive(l->msg, "partition_qos");
    const cJSON *own = find(l->qos, job->qos);
    const cJSON *first = find(l->qos, json_str(parts, job->partition, "")), *second = own;
    struct sum s = {.out = out};
    char key[200];

    if (own && json_bool(own, "over_partition", false)) {
        second = first;
        first = own;
    }
    if (first)
        qos_says(&s, first, job);
    if (second && second != first)
        qos_says(&s, second, job);
    const cJSON *a = assoc_of(l, job);
    for (int k = 0; a && k < CHAIN_MAX; k++) {
        assoc_says(&s, a);
        id_key(key, json_i64(a, "parent", 0));
        a = find(l->assocs, key);
    }
    return s.n;
}
