// SPDX-License-Identifier: GPL-3.0-or-later
// Charges and their sums (store.h).
#include "state/store_inside.h"

// An interval that ends at ?1 was before it, a charge of that moment was not.
#define SINCE "t1 >= ?1 AND (t1 > ?1 OR t0 = t1)"

static struct spend *find_spend(struct store *s, const char *cloud)
{
    for (unsigned k = 0; k < s->n_spend; k++)
        if (strcmp(s->spend[k].cloud, cloud) == 0)
            return &s->spend[k];
    return NULL;
}

// False: there are too many clouds.
static bool add_spend(struct store *s, const char *cloud, money_t amount)
{
    struct spend *c = find_spend(s, cloud);

    if (!c) {
        if (s->n_spend == SPEND_CACHED || strlen(cloud) >= sizeof(c->cloud))
            return false;
        c = &s->spend[s->n_spend++];
        snprintf(c->cloud, sizeof(c->cloud), "%s", cloud);
        c->sum = 0;
    }
    c->sum += amount;
    s->spend_all += amount;
    return true;
}

static void count_spend(struct store *s, const struct charge *c)
{
    bool since = c->to > s->spend_from || (c->to == s->spend_from && c->from == c->to);

    if (s->spend_known && since)
        s->spend_known = add_spend(s, c->cloud ? c->cloud : "", c->amount);
}

static void bind_charge(sqlite3_stmt *st, const struct charge *c)
{
    const char *text[] = {c->instance,
                          c->job,
                          c->cloud,
                          c->partition,
                          c->user,
                          c->account,
                          c->spot ? "spot" : "on-demand",
                          c->kind};

    for (int i = 0; i < (int)COUNT(text); i++)
        sqlite3_bind_text(st, i + 1, text[i] ? text[i] : "", -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(st, 9, c->from);
    sqlite3_bind_int64(st, 10, c->to);
    sqlite3_bind_int64(st, 11, c->amount);
}

int store_put_charge(struct store *s, const struct charge *c, burst_error_t *errp)
{
    sqlite3_stmt *st = s->put_charge;

    bind_charge(st, c);
    if (store_step(s, st, "write of a charge", errp) < 0) {
        s->spend_known = false;
        return -1;
    }
    count_spend(s, c);
    return 0;
}

// A sum that cannot be read must not look like money that was not spent: caps are then reached.
// *st is prepared once, and kept.
static money_t sum(struct store *s, sqlite3_stmt **st, const char *sql, int64_t from,
                   const char *text)
{
    money_t total = STORE_SPEND_UNKNOWN;
    burst_error_t err;

    if (!*st && store_prepare(s, sql, st, &err) < 0) {
        log_error("%s", err.text);
        return total;
    }
    sqlite3_bind_int64(*st, 1, from);
    sqlite3_bind_text(*st, 2, text, -1, SQLITE_TRANSIENT);
    if (sqlite3_step(*st) == SQLITE_ROW)
        total = sqlite3_column_int64(*st, 0);
    else
        log_error("journal: read of charges: %s", sqlite3_errmsg(s->db));
    sqlite3_reset(*st);
    return total;
}

// The sums of all clouds at once. False when they cannot be read or are too many.
static bool know_spend(struct store *s, int64_t from)
{
    sqlite3_stmt *st;
    int rc;

    if (s->spend_known && s->spend_from == from)
        return true;
    s->spend_known = false;
    s->n_spend = 0;
    s->spend_all = 0;
    if (store_prepare(s, "SELECT cloud, SUM(uusd) FROM charge WHERE " SINCE " GROUP BY cloud", &st,
                      NULL) < 0)
        return false;
    sqlite3_bind_int64(st, 1, from);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        if (!add_spend(s, (const char *)sqlite3_column_text(st, 0), sqlite3_column_int64(st, 1)))
            break;
    sqlite3_finalize(st);
    s->spend_from = from;
    return s->spend_known = rc == SQLITE_DONE;
}

money_t store_spend_since(struct store *s, int64_t from, const char *cloud)
{
    if (know_spend(s, from)) {
        const struct spend *c = cloud ? find_spend(s, cloud) : NULL;
        return !cloud ? s->spend_all : c ? c->sum : 0;
    }
    sqlite3_stmt *st = NULL;
    money_t total =
        cloud ? sum(s, &st, "SELECT SUM(uusd) FROM charge WHERE " SINCE " AND cloud = ?2", from,
                    cloud)
              : sum(s, &st, "SELECT SUM(uusd) FROM charge WHERE " SINCE " AND ?2 = ''", from, "");
    sqlite3_finalize(st);
    return total;
}

money_t store_job_cost(struct store *s, const char *job, int64_t since)
{
    return sum(s, &s->job_cost, "SELECT SUM(uusd) FROM charge WHERE t1 >= ?1 AND job = ?2", since,
               job);
}

money_t store_instance_cost(struct store *s, const char *instance)
{
    return sum(s, &s->instance_cost,
               "SELECT SUM(uusd) FROM charge WHERE t1 >= ?1 AND instance = ?2", INT64_MIN,
               instance);
}

// ---- burst cost

static const char *cost_column(const char *by)
{
    static const char *const keys[] = {"cloud", "partition", "user", "account", "job", "market"};

    for (size_t i = 0; i < COUNT(keys); i++)
        if (strcmp(by, keys[i]) == 0)
            return keys[i];
    return NULL;
}

bool store_cost_key(const char *by)
{
    return cost_column(by) != NULL;
}

int64_t store_charges_until(struct store *s)
{
    sqlite3_stmt *st;
    int64_t seq = 0;

    // Charges are never deleted, so their numbers only grow.
    if (store_prepare(s, "SELECT MAX(seq) FROM charge", &st, NULL) < 0)
        return 0;
    if (sqlite3_step(st) == SQLITE_ROW)
        seq = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return seq;
}

// Puts what is in no journal yet beside it, in a table of the connection.
static int put_more(struct store *s, const struct cost_query *q)
{
    sqlite3_stmt *st;
    int rc = 0;

    if (store_run(s,
                  "CREATE TEMP TABLE IF NOT EXISTS running (instance TEXT, job TEXT, cloud TEXT,"
                  " partition TEXT, user TEXT, account TEXT, market TEXT, kind TEXT, t0 INTEGER,"
                  " t1 INTEGER, uusd INTEGER); DELETE FROM running",
                  NULL) < 0 ||
        store_prepare(s, "INSERT INTO running VALUES (?,?,?,?,?,?,?,?,?,?,?)", &st, NULL) < 0)
        return -1;
    for (size_t k = 0; k < q->n_more && rc == 0; k++) {
        bind_charge(st, &q->more[k]);
        rc = store_step(s, st, "sum of what runs", NULL);
    }
    sqlite3_finalize(st);
    return rc;
}

static char *cost_sql(const char *key, bool more)
{
#define OF_TABLE(t, and_)                                                                          \
    "SELECT * FROM (SELECT instance, job, cloud, partition, user, account, market, kind, t0, t1,"  \
    " uusd FROM " t " WHERE " SINCE " AND t0 < ?2 AND (?3 = '' OR user = ?3)" and_ ")"
    return xasprintf(
        "SELECT %s, COUNT(DISTINCT NULLIF(instance, '')), SUM(CASE WHEN kind != 'transfer' THEN"
        " t1-t0 END), SUM(CASE WHEN kind = 'busy' THEN uusd ELSE 0 END),"
        " SUM(CASE WHEN kind NOT IN ('busy','transfer') THEN uusd ELSE 0 END),"
        " SUM(CASE WHEN kind = 'transfer' THEN uusd ELSE 0 END), SUM(uusd)"
        " FROM (%s%s) GROUP BY %s ORDER BY 7 DESC",
        key, OF_TABLE("charge", " AND seq <= ?4"),
        more ? " UNION ALL " OF_TABLE("temp.running", "") : "", key);
#undef OF_TABLE
}

cJSON *store_cost_rows(struct store *s, const struct cost_query *q)
{
    static const char *const names[] = {"nodes",         "seconds",       "busy_uusd",
                                        "overhead_uusd", "transfer_uusd", "total_uusd"};
    const char *key = cost_column(q->by);
    sqlite3_stmt *st;
    int rc;

    if (!key || (q->n_more && put_more(s, q) < 0))
        return NULL;
    char *sql = cost_sql(key, q->n_more > 0);
    rc = store_prepare(s, sql, &st, NULL);
    free(sql);
    if (rc < 0)
        return NULL;
    sqlite3_bind_int64(st, 1, q->start);
    sqlite3_bind_int64(st, 2, q->end);
    sqlite3_bind_text(st, 3, q->user ? q->user : "", -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(st, 4, q->until);
    cJSON *rows = cJSON_CreateArray();
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        cJSON *row = cJSON_CreateObject();
        json_add_str(row, "key", (const char *)sqlite3_column_text(st, 0));
        for (int i = 0; i < (int)COUNT(names); i++)
            json_add_i64(row, names[i], sqlite3_column_int64(st, i + 1));
        cJSON_AddItemToArray(rows, row);
    }
    sqlite3_finalize(st);
    if (rc == SQLITE_DONE)
        return rows;
    cJSON_Delete(rows);
    return NULL;
}

cJSON *store_cost(struct store *s, const char *by, int64_t start, int64_t end, const char *user)
{
    const struct cost_query q = {
        .by = by, .start = start, .end = end, .user = user, .until = INT64_MAX};

    return store_cost_rows(s, &q);
}
