// SPDX-License-Identifier: GPL-3.0-or-later
// Instances and jobs as they were written (store.h).
#include "state/store_inside.h"

// The rows of a SELECT one after another.
struct rows {
    struct store *s;
    const struct table *t;
    sqlite3_stmt *st; // NULL: it failed, err says how
    burst_error_t err;
};

static char *select_sql(const struct table *t, const char *tail)
{
    struct strbuf b;

    strbuf_init(&b, 16384);
    strbuf_adds(&b, "SELECT ");
    for (size_t i = 0; i < t->n; i++)
        strbuf_addf(&b, "%s\"%s\"", i ? "," : "", t->column[i].name);
    strbuf_addf(&b, " FROM %s %s", t->name, tail);
    char *sql = strbuf_take(&b);
    strbuf_free(&b);
    return sql;
}

static void rows_begin(struct rows *r, struct store *s, const struct table *t, const char *tail)
{
    char *sql = select_sql(t, tail);

    *r = (struct rows){.s = s, .t = t};
    if (store_prepare(s, sql, &r->st, &r->err) < 0)
        r->st = NULL;
    free(sql);
}

// The next one, a heap object of the caller; NULL at the end and after an error.
static void *rows_next(struct rows *r)
{
    int rc = r->st ? sqlite3_step(r->st) : SQLITE_DONE;

    if (rc == SQLITE_ROW) {
        void *row = r->t->create();
        if (store_fetch(r->st, r->t, row) == 0)
            return row;
        // Going on without it would leave a rented instance to nobody.
        errprintf(&r->err, "journal: %s %s is in a state that this burstd does not know",
                  r->t->name, (const char *)row);
        r->t->destroy(row);
    } else if (rc == SQLITE_DONE) {
        return NULL;
    } else {
        store_fail(r->s, r->t->name, &r->err);
    }
    sqlite3_finalize(r->st);
    r->st = NULL;
    return NULL;
}

static int rows_end(struct rows *r, burst_error_t *errp)
{
    if (!r->st)
        return errprintf(errp, "%s", r->err.text);
    sqlite3_finalize(r->st);
    return 0;
}

static int each_instance(struct store *s, const char *tail,
                         void (*cb)(void *arg, struct instance *i), void *arg, burst_error_t *errp)
{
    struct rows r;
    struct instance *i;

    rows_begin(&r, s, &store_instances, tail);
    while ((i = rows_next(&r)))
        cb(arg, i);
    return rows_end(&r, errp);
}

static int each_job(struct store *s, const char *tail, void (*cb)(void *arg, struct bjob *j),
                    void *arg, burst_error_t *errp)
{
    struct rows r;
    struct bjob *j;

    rows_begin(&r, s, &store_jobs, tail);
    while ((j = rows_next(&r)))
        cb(arg, j);
    return rows_end(&r, errp);
}

int store_load(struct store *s, void (*instance)(void *arg, struct instance *i),
               void (*job)(void *arg, struct bjob *j), void *arg, burst_error_t *errp)
{
    if (each_instance(s, "WHERE NOT (" INSTANCE_ENDED ")", instance, arg, errp) < 0)
        return -1;
    return each_job(s, "WHERE NOT (" JOB_ENDED ") OR comment_due", job, arg, errp);
}

struct instance *store_find_instance(struct store *s, const char *id)
{
    struct instance *i = NULL;
    struct rows r;

    rows_begin(&r, s, &store_instances, "WHERE id = ?");
    if (r.st) {
        sqlite3_bind_text(r.st, 1, id, -1, SQLITE_TRANSIENT);
        i = rows_next(&r);
    }
    rows_end(&r, NULL);
    return i;
}

// Takes a key ("123", "123_4") or the job id that an array task got when it started.
struct bjob *store_find_job(struct store *s, const char *key)
{
    bool number = *key && strspn(key, "0123456789") == strlen(key) && strlen(key) < 11;
    struct bjob *j = NULL;
    struct rows r;

    rows_begin(&r, s, &store_jobs, "WHERE key = ?1 OR job_id = ?2 ORDER BY key = ?1 DESC LIMIT 1");
    if (r.st) {
        sqlite3_bind_text(r.st, 1, key, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(r.st, 2, number ? strtoll(key, NULL, 10) : -1);
        j = rows_next(&r);
    }
    rows_end(&r, NULL);
    return j;
}

int store_recent(struct store *s, int limit, void (*instance)(void *arg, struct instance *i),
                 void (*job)(void *arg, struct bjob *j), void *arg)
{
    char tail[96];

    snprintf(tail, sizeof(tail), "WHERE " INSTANCE_ENDED " ORDER BY since DESC LIMIT %d", limit);
    if (instance && each_instance(s, tail, instance, arg, NULL) < 0)
        return -1;
    snprintf(tail, sizeof(tail), "WHERE " JOB_ENDED " ORDER BY since DESC LIMIT %d", limit);
    return job ? each_job(s, tail, job, arg, NULL) : 0;
}
