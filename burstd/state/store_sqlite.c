// SPDX-License-Identifier: GPL-3.0-or-later
// The journal in an SQLite file. Columns are bound and read through two small tables (one per
// struct), so that a field is named in one place. Failure policy: a failed write is reported and
// changes nothing; a file that is not ours or is damaged stops burstd at its start, before it acts.
#include "state/store_inside.h"

// The tables whose rows are structs. The first column is the key, a text at the struct's start.
struct table {
    const char *name; // also what a row is called in messages
    const struct column *column;
    size_t n; // columns
    void *(*create)(void);
    void (*destroy)(void *row);
};

static void *new_instance(void)
{
    return xmalloc(sizeof(struct instance));
}

// The rows of a SELECT one after another.
struct rows {
    struct store *s;
    const struct table *t;
    sqlite3_stmt *st; // NULL: it failed, err says how
    burst_error_t err;
};

static void *new_job(void)
{
    return bjob_create();
}

static void free_job(void *row)
{
    bjob_destroy(row);
}

static const struct table instance_table = {"instance", instance_columns, COUNT(instance_columns),
                                            new_instance, free};
static const struct table job_table = {"job", job_columns, COUNT(job_columns), new_job, free_job};

int store_fail(struct store *s, const char *what, burst_error_t *errp)
{
    return errprintf(errp, "journal: %s: %s", what, sqlite3_errmsg(s->db));
}

static int run(struct store *s, const char *sql, burst_error_t *errp)
{
    char *msg = NULL;

    if (sqlite3_exec(s->db, sql, NULL, NULL, &msg) == SQLITE_OK)
        return 0;
    errprintf(errp, "journal: %s", msg ? msg : "out of memory");
    sqlite3_free(msg);
    return -1;
}

static const char *sql_type(enum type t)
{
    return t == TEXT || t == POINTER || t == STATE_I || t == STATE_J ? "TEXT" : "INTEGER";
}

static int create_table(struct store *s, const struct table *t, burst_error_t *errp)
{
    struct strbuf b;

    strbuf_init(&b, 16384);
    strbuf_addf(&b, "CREATE TABLE IF NOT EXISTS %s (", t->name);
    for (size_t i = 0; i < t->n; i++)
        strbuf_addf(&b, "%s\"%s\" %s NOT NULL%s", i ? "," : "", t->column[i].name,
                    sql_type(t->column[i].type), i ? "" : " PRIMARY KEY");
    strbuf_adds(&b, ")");
    int rc = run(s, b.data, errp);
    strbuf_free(&b);
    return rc;
}

static bool has_column(struct store *s, const char *table, const char *name)
{
    return sqlite3_table_column_metadata(s->db, NULL, table, name, NULL, NULL, NULL, NULL, NULL) ==
           SQLITE_OK;
}

// A journal that an older burstd wrote lacks what this one has learned to remember.
static int add_columns(struct store *s, const struct table *t, burst_error_t *errp)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct column *c = &t->column[i];
        char sql[192];
        if (has_column(s, t->name, c->name))
            continue;
        const char *type = sql_type(c->type);
        snprintf(sql, sizeof(sql), "ALTER TABLE %s ADD COLUMN \"%s\" %s NOT NULL DEFAULT %s",
                 t->name, c->name, type, *type == 'T' ? "''" : "0");
        if (run(s, sql, errp) < 0)
            return -1;
    }
    return 0;
}

static int prepare_put(struct store *s, const struct table *t, sqlite3_stmt **out,
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

static void bind(sqlite3_stmt *st, const struct table *t, const void *row)
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

// Fills a row from a SELECT that names the columns in the order of the table.
static int fetch(sqlite3_stmt *st, const struct table *t, void *row)
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

int store_prepare(struct store *s, const char *sql, sqlite3_stmt **out, burst_error_t *errp)
{
    return sqlite3_prepare_v2(s->db, sql, -1, out, NULL) == SQLITE_OK ? 0
                                                                      : store_fail(s, sql, errp);
}

static int check_version(struct store *s, const char *path, burst_error_t *errp)
{
    sqlite3_stmt *st;
    int version = 0;

    if (store_prepare(s, "PRAGMA user_version", &st, errp) < 0)
        return -1;
    if (sqlite3_step(st) == SQLITE_ROW)
        version = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    if (version > SCHEMA_VERSION)
        return errprintf(errp,
                         "%s was written by a newer burstd (layout %d, this one knows %d): "
                         "install that release again",
                         path, version, SCHEMA_VERSION);
    return 0;
}

static int create_schema(struct store *s, burst_error_t *errp)
{
    const char *sql =
        "CREATE TABLE IF NOT EXISTS journal (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
        " instance TEXT NOT NULL, state TEXT NOT NULL, note TEXT NOT NULL);"
        "CREATE TABLE IF NOT EXISTS charge (seq INTEGER PRIMARY KEY, instance TEXT NOT NULL,"
        " job TEXT NOT NULL, cloud TEXT NOT NULL, partition TEXT NOT NULL, user TEXT NOT NULL,"
        " account TEXT NOT NULL, market TEXT NOT NULL, kind TEXT NOT NULL,"
        " t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, uusd INTEGER NOT NULL);"
        "CREATE INDEX IF NOT EXISTS charge_time ON charge (t1);"
        "CREATE INDEX IF NOT EXISTS charge_job ON charge (job);"
        "CREATE INDEX IF NOT EXISTS charge_instance ON charge (instance);"
        "CREATE TABLE IF NOT EXISTS story (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
        " job TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);"
        "CREATE INDEX IF NOT EXISTS story_job ON story (job, kind);"
        "CREATE TABLE IF NOT EXISTS observed (place TEXT NOT NULL PRIMARY KEY,"
        " row TEXT NOT NULL);"
        "CREATE TABLE IF NOT EXISTS bound (place TEXT NOT NULL PRIMARY KEY, row TEXT NOT NULL);"
        "DROP TABLE IF EXISTS blocked;" // of an older burstd: what it knew is an hour old at most
        "CREATE INDEX IF NOT EXISTS job_by_id ON job (job_id);"
        "PRAGMA user_version = 2;";

    if (create_table(s, &instance_table, errp) < 0 || create_table(s, &job_table, errp) < 0 ||
        add_columns(s, &instance_table, errp) < 0 || add_columns(s, &job_table, errp) < 0)
        return -1;
    return run(s, sql, errp);
}

static int prepare_all(struct store *s, burst_error_t *errp)
{
    if (prepare_put(s, &instance_table, &s->put_instance, errp) < 0 ||
        prepare_put(s, &job_table, &s->put_job, errp) < 0 ||
        store_prepare(s, "SELECT state FROM instance WHERE id = ?", &s->old_state, errp) < 0 ||
        store_prepare(s, "INSERT INTO journal (time, instance, state, note) VALUES (?,?,?,?)",
                      &s->journal, errp) < 0 ||
        store_prepare(s, "INSERT INTO story (time, job, kind, body) VALUES (?,?,?,?)", &s->story,
                      errp) < 0 ||
        store_prepare(
            s,
            "INSERT INTO charge (instance, job, cloud, partition, user, account, market, kind,"
            " t0, t1, uusd) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            &s->put_charge, errp) < 0)
        return -1;
    return 0;
}

struct store *store_open(const char *path, burst_error_t *errp)
{
    struct store *s = xmalloc(sizeof(*s));

    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK) {
        errprintf(errp, "%s: %s", path, sqlite3_errmsg(s->db));
        goto error;
    }
    sqlite3_busy_timeout(s->db, 1000);
    // EXCLUSIVE: a second burstd on the same journal must fail at its start, not at its first
    // write.
    if (run(s,
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "BEGIN EXCLUSIVE; COMMIT;",
            errp) < 0) {
        errprefix(errp, "%s (is another burstd running?)", path);
        goto error;
    }
    if (check_version(s, path, errp) < 0 || create_schema(s, errp) < 0 || prepare_all(s, errp) < 0)
        goto error;
    return s;
error:
    store_close(s);
    return NULL;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    sqlite3_finalize(s->put_instance);
    sqlite3_finalize(s->put_job);
    sqlite3_finalize(s->put_charge);
    sqlite3_finalize(s->journal);
    sqlite3_finalize(s->story);
    sqlite3_finalize(s->old_state);
    sqlite3_close(s->db);
    free(s);
}

int store_begin(struct store *s, burst_error_t *errp)
{
    if (run(s, "BEGIN IMMEDIATE", errp) < 0)
        return -1;
    s->in_transaction = true;
    return 0;
}

int store_commit(struct store *s, burst_error_t *errp)
{
    if (run(s, "COMMIT", errp) == 0) {
        s->in_transaction = false;
        return 0;
    }
    store_rollback(s);
    return -1;
}

void store_rollback(struct store *s)
{
    s->spend_known = false;
    if (s->in_transaction)
        run(s, "ROLLBACK", NULL);
    s->in_transaction = false;
}

int store_step(struct store *s, sqlite3_stmt *st, const char *what, burst_error_t *errp)
{
    int rc = sqlite3_step(st);

    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        store_fail(s, what, errp);
    sqlite3_reset(st);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : -1;
}

static bool state_changed(struct store *s, const struct instance *i)
{
    bool changed = true;

    sqlite3_bind_text(s->old_state, 1, i->id, -1, SQLITE_TRANSIENT);
    if (sqlite3_step(s->old_state) == SQLITE_ROW)
        changed = strcmp((const char *)sqlite3_column_text(s->old_state, 0),
                         inst_state_name(i->state)) != 0;
    sqlite3_reset(s->old_state);
    return changed;
}

int store_put_instance(struct store *s, const struct instance *i, burst_error_t *errp)
{
    bool own = !s->in_transaction;
    bool changed = state_changed(s, i);

    if (own && changed && store_begin(s, errp) < 0)
        return -1;
    bind(s->put_instance, &instance_table, i);
    int rc = store_step(s, s->put_instance, "write of an instance", errp);
    if (rc == 0 && changed) {
        sqlite3_bind_int64(s->journal, 1, clock_now_s());
        sqlite3_bind_text(s->journal, 2, i->id, -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(s->journal, 3, inst_state_name(i->state), -1, SQLITE_STATIC);
        sqlite3_bind_text(s->journal, 4, i->reason, -1, SQLITE_TRANSIENT);
        rc = store_step(s, s->journal, "write of a state", errp);
    }
    if (own && changed) {
        if (rc == 0)
            return store_commit(s, errp);
        store_rollback(s);
    }
    return rc;
}

int store_put_job(struct store *s, const struct bjob *j, burst_error_t *errp)
{
    bind(s->put_job, &job_table, j);
    return store_step(s, s->put_job, "write of a job", errp);
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
        if (fetch(r->st, r->t, row) == 0)
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

    rows_begin(&r, s, &instance_table, tail);
    while ((i = rows_next(&r)))
        cb(arg, i);
    return rows_end(&r, errp);
}

static int each_job(struct store *s, const char *tail, void (*cb)(void *arg, struct bjob *j),
                    void *arg, burst_error_t *errp)
{
    struct rows r;
    struct bjob *j;

    rows_begin(&r, s, &job_table, tail);
    while ((j = rows_next(&r)))
        cb(arg, j);
    return rows_end(&r, errp);
}

int store_load(struct store *s, void (*instance)(void *arg, struct instance *i),
               void (*job)(void *arg, struct bjob *j), void *arg, burst_error_t *errp)
{
    if (each_instance(s, "WHERE state != 'gone'", instance, arg, errp) < 0)
        return -1;
    return each_job(s, "WHERE state NOT IN ('done','local','refused') OR comment_due", job, arg,
                    errp);
}

struct instance *store_find_instance(struct store *s, const char *id)
{
    struct instance *i = NULL;
    struct rows r;

    rows_begin(&r, s, &instance_table, "WHERE id = ?");
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

    rows_begin(&r, s, &job_table, "WHERE key = ?1 OR job_id = ?2 ORDER BY key = ?1 DESC LIMIT 1");
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

    snprintf(tail, sizeof(tail), "WHERE state = 'gone' ORDER BY since DESC LIMIT %d", limit);
    if (instance && each_instance(s, tail, instance, arg, NULL) < 0)
        return -1;
    snprintf(tail, sizeof(tail),
             "WHERE state IN ('done','local','refused') ORDER BY since DESC LIMIT %d", limit);
    return job ? each_job(s, tail, job, arg, NULL) : 0;
}
