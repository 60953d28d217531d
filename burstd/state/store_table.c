// SPDX-License-Identifier: GPL-3.0-or-later
// Columns are made, bound and read through two small tables (one per struct), so that a field is
// named in one place (store_inside.h).
#include "state/store_inside.h"

#define COL(s, n, t)                                                                               \
    {                                                                                              \
#n, t, offsetof(struct s, n), sizeof(((struct s *)0)->n)                                   \
    }
#define I(n, t) COL(instance, n, t)
#define J(n, t) COL(bjob, n, t)
#define FAILED(n, t)                                                                               \
    {                                                                                              \
        "failed_" #n, t, offsetof(struct instance, failure.n),                                     \
            sizeof(((struct instance *)0)->failure.n)                                              \
    }

static const struct column instance_columns[] = {
    I(id, TEXT),         I(group, TEXT),         I(job, TEXT),        I(cloud, TEXT),
    I(region, TEXT),     I(zone, TEXT),          I(itype, TEXT),      I(shape, TEXT),
    I(partition, TEXT),  I(spot, BOOL),          I(price, INT),       I(state, STATE_I),
    I(flags, UINT),      I(cloud_id, TEXT),      I(address, TEXT),    I(host_key, TEXT),
    I(node, TEXT),       I(created, INT),        I(launched, INT),    I(ended, INT),
    I(since, INT),       I(idle_since, INT),     I(notice_at, INT),   I(charged_to, INT),
    I(reason, TEXT),     I(boot_failures, UINT), I(observed_to, INT), FAILED(cls, UINT),
    FAILED(scope, UINT), FAILED(job, TEXT),      FAILED(why, TEXT),   I(served, U32),
};
// One a line, so that a later one changes no other:
// clang-format off
static const struct column job_columns[] = {
    J(key, TEXT),
    J(job_id, U32),
    J(uid, U32),
    J(gid, U32),
    J(name, TEXT),
    J(user, TEXT),
    J(account, TEXT),
    J(origin, TEXT),
    J(mark, POINTER),
    J(state, STATE_J),
    J(group, TEXT),
    J(cloud, TEXT),
    J(region, TEXT),
    J(zone, TEXT),
    J(itype, TEXT),
    J(shape, TEXT),
    J(partition, TEXT),
    J(spot, BOOL),
    J(nodes, UINT),
    J(node_names, POINTER),
    J(submit, INT),
    J(since, INT),
    J(placed_at, INT),
    J(started, INT),
    J(ended, INT),
    J(restarts, U32),
    J(placed_restarts, U32),
    J(price, INT),
    J(settled, INT),
    J(reserved, INT),
    J(history, POINTER),
    J(reason, TEXT),
    J(stage, POINTER),
    J(limit_s, INT),
    J(transfer, INT),
    J(egress, INT),
    J(deadline, INT),
    J(our_hold, BOOL),
    J(requeue_wanted, BOOL),
    J(missing, UINT),
    J(comment_due, BOOL),
    J(met, INT),
    J(submit_restarts, U32),
    J(kept, UINT),
};
// clang-format on

static void *new_instance(void)
{
    return xmalloc(sizeof(struct instance));
}

static void *new_job(void)
{
    return bjob_create();
}

static void free_job(void *row)
{
    bjob_destroy(row);
}

const struct table store_instances = {"instance", instance_columns, COUNT(instance_columns),
                                      new_instance, free};
const struct table store_jobs = {"job", job_columns, COUNT(job_columns), new_job, free_job};

static const char *sql_type(enum type t)
{
    return t == TEXT || t == POINTER || t == STATE_I || t == STATE_J ? "TEXT" : "INTEGER";
}

int store_create_table(struct store *s, const struct table *t, burst_error_t *errp)
{
    struct strbuf b;

    strbuf_init(&b, 16384);
    strbuf_addf(&b, "CREATE TABLE IF NOT EXISTS %s (", t->name);
    for (size_t i = 0; i < t->n; i++)
        strbuf_addf(&b, "%s\"%s\" %s NOT NULL%s", i ? "," : "", t->column[i].name,
                    sql_type(t->column[i].type), i ? "" : " PRIMARY KEY");
    strbuf_adds(&b, ")");
    int rc = store_run(s, b.data, errp);
    strbuf_free(&b);
    return rc;
}

static bool has_column(struct store *s, const char *table, const char *name)
{
    return sqlite3_table_column_metadata(s->db, NULL, table, name, NULL, NULL, NULL, NULL, NULL) ==
           SQLITE_OK;
}

int store_add_columns(struct store *s, const struct table *t, burst_error_t *errp)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct column *c = &t->column[i];
        char sql[192];
        if (has_column(s, t->name, c->name))
            continue;
        const char *type = sql_type(c->type);
        snprintf(sql, sizeof(sql), "ALTER TABLE %s ADD COLUMN \"%s\" %s NOT NULL DEFAULT %s",
                 t->name, c->name, type, *type == 'T' ? "''" : "0");
        if (store_run(s, sql, errp) < 0)
            return -1;
    }
    return 0;
}

int store_prepare_put(struct store *s, const struct table *t, sqlite3_stmt **out,
                      burst_error_t *errp)
{
    struct strbuf b;

    strbuf_init(&b, 16384);
    strbuf_addf(&b, "INSERT OR REPLACE INTO %s (", t->name);
    for (size_t i = 0; i < t->n; i++)
        strbuf_addf(&b, "%s\"%s\"", i ? "," : "", t->column[i].name);
    strbuf_adds(&b, ") VALUES (");
    for (size_t i = 0; i < t->n; i++)
        strbuf_adds(&b, i ? ",?" : "?");
    strbuf_adds(&b, ")");
    int rc = sqlite3_prepare_v2(s->db, b.data, -1, out, NULL);
    strbuf_free(&b);
    return rc == SQLITE_OK ? 0 : store_fail(s, t->name, errp);
}

void store_bind(sqlite3_stmt *st, const struct table *t, const void *row)
{
    const struct column *c = t->column;

    for (size_t i = 0; i < t->n; i++) {
        const char *p = (const char *)row + c[i].offset;
        int at = (int)i + 1;
        switch (c[i].type) {
        case TEXT:
            sqlite3_bind_text(st, at, p, -1, SQLITE_TRANSIENT);
            break;
        case POINTER:
            sqlite3_bind_text(st, at, *(const char *const *)p, -1, SQLITE_TRANSIENT);
            break;
        case INT:
            sqlite3_bind_int64(st, at, *(const int64_t *)p);
            break;
        case UINT:
            sqlite3_bind_int64(st, at, *(const unsigned *)p);
            break;
        case U32:
            sqlite3_bind_int64(st, at, *(const uint32_t *)p);
            break;
        case BOOL:
            sqlite3_bind_int(st, at, *(const bool *)p);
            break;
        case STATE_I:
            sqlite3_bind_text(st, at, inst_state_name(*(const enum inst_state *)p), -1,
                              SQLITE_STATIC);
            break;
        case STATE_J:
            sqlite3_bind_text(st, at, job_state_name(*(const enum job_state *)p), -1,
                              SQLITE_STATIC);
            break;
        }
    }
}

int store_fetch(sqlite3_stmt *st, const struct table *t, void *row)
{
    const struct column *c = t->column;

    for (size_t i = 0; i < t->n; i++) {
        char *p = (char *)row + c[i].offset;
        const char *text = (const char *)sqlite3_column_text(st, (int)i);
        int64_t v = sqlite3_column_int64(st, (int)i);
        switch (c[i].type) {
        case TEXT:
            snprintf(p, c[i].size, "%s", text ? text : "");
            break;
        case POINTER:
            bjob_set((const char **)p, text ? text : "");
            break;
        case INT:
            *(int64_t *)p = v;
            break;
        case UINT:
            *(unsigned *)p = (unsigned)v;
            break;
        case U32:
            *(uint32_t *)p = (uint32_t)v;
            break;
        case BOOL:
            *(bool *)p = v != 0;
            break;
        case STATE_I:
            if (inst_state_parse(text, (enum inst_state *)p) < 0)
                return -1;
            break;
        case STATE_J:
            if (job_state_parse(text, (enum job_state *)p) < 0)
                return -1;
            break;
        }
    }
    return 0;
}
