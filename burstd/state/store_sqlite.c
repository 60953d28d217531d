// SPDX-License-Identifier: GPL-3.0-or-later
// The journal in an SQLite file: its layout, transactions, and the writes of instances and jobs.
// Failure policy: a failed write is reported and changes nothing; a file that is not ours or is
// damaged stops burstd at its start, before it acts.
#include "state/store_inside.h"

int store_fail(struct store *s, const char *what, burst_error_t *errp)
{
    return errprintf(errp, "journal: %s: %s", what, sqlite3_errmsg(s->db));
}

int store_run(struct store *s, const char *sql, burst_error_t *errp)
{
    char *msg = NULL;

    if (sqlite3_exec(s->db, sql, NULL, NULL, &msg) == SQLITE_OK)
        return 0;
    errprintf(errp, "journal: %s", msg ? msg : "out of memory");
    sqlite3_free(msg);
    return -1;
}

int store_prepare(struct store *s, const char *sql, sqlite3_stmt **out, burst_error_t *errp)
{
    return sqlite3_prepare_v2(s->db, sql, -1, out, NULL) == SQLITE_OK ? 0
                                                                      : store_fail(s, sql, errp);
}

// SQLITE_NOTADB, SQLITE_CORRUPT: other words than for a file that is only busy.
static int damaged(const char *path, const char *what, burst_error_t *errp)
{
    return errprintf(
        errp,
        "%s is damaged (%s). burstd has changed nothing. Restore a backup of it; or move "
        "it away: burstd then starts with an empty journal, leaves alone what it finds "
        "at the clouds, and says so in `burst status`",
        path, what);
}

static int open_failed(struct store *s, const char *path, burst_error_t *errp)
{
    int rc = sqlite3_errcode(s->db) & 0xff;
    char what[256];

    snprintf(what, sizeof(what), "%s", sqlite3_errmsg(s->db));
    if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
        return damaged(path, what, errp);
    return errprefix(errp, rc == SQLITE_BUSY ? "%s (is another burstd running?)" : "%s", path);
}

// Finds what would be met in the middle of the work otherwise. Reads the whole file: a second for
// some hundred megabytes.
static int check_pages(struct store *s, const char *path, burst_error_t *errp)
{
    sqlite3_stmt *st;
    int rc = 0;

    if (store_prepare(s, "PRAGMA quick_check(1)", &st, errp) < 0)
        return open_failed(s, path, errp);
    int step = sqlite3_step(st);
    const char *said = step == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
    if (step != SQLITE_ROW)
        rc = damaged(path, sqlite3_errmsg(s->db), errp);
    else if (!said || strcmp(said, "ok") != 0)
        rc = damaged(path, said ? said : "no memory", errp);
    sqlite3_finalize(st);
    return rc;
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
    s->fresh = version == 0;
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
        // What ended, by when: the latest are shown, the oldest forgotten.
        "CREATE INDEX IF NOT EXISTS job_ended ON job (since) WHERE " JOB_ENDED ";"
        "CREATE INDEX IF NOT EXISTS instance_ended ON instance (since) WHERE " INSTANCE_ENDED ";"
        "PRAGMA user_version = 2;";

    if (store_create_table(s, &store_instances, errp) < 0 ||
        store_create_table(s, &store_jobs, errp) < 0 ||
        store_add_columns(s, &store_instances, errp) < 0 ||
        store_add_columns(s, &store_jobs, errp) < 0)
        return -1;
    return store_run(s, sql, errp);
}

static int prepare_all(struct store *s, burst_error_t *errp)
{
    if (store_prepare_put(s, &store_instances, &s->put_instance, errp) < 0 ||
        store_prepare_put(s, &store_jobs, &s->put_job, errp) < 0 ||
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

    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, STORE_VFS) !=
        SQLITE_OK) {
        errprintf(errp, "%s: %s", path, sqlite3_errmsg(s->db));
        goto error;
    }
    sqlite3_busy_timeout(s->db, 1000);
    // A second burstd on the same journal must fail at its start, not at its first write: the first
    // lock that STORE_VFS takes is kept until the end. What is not in the file itself yet is in
    // FILE-wal, which people forget in a backup: little.
    if (store_run(s,
                  "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=64;"
                  "BEGIN EXCLUSIVE; COMMIT;",
                  errp) < 0) {
        open_failed(s, path, errp);
        goto error;
    }
    if (check_pages(s, path, errp) < 0 || check_version(s, path, errp) < 0 ||
        create_schema(s, errp) < 0 || prepare_all(s, errp) < 0 ||
        store_run(s, "PRAGMA wal_checkpoint(TRUNCATE)", errp) < 0)
        goto error;
    return s;
error:
    store_close(s);
    return NULL;
}

bool store_fresh(const struct store *s)
{
    return s->fresh;
}

struct store *store_open_view(const char *path, burst_error_t *errp)
{
    struct store *s = xmalloc(sizeof(*s));

    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE, STORE_VFS) != SQLITE_OK) {
        errprintf(errp, "%s: %s", path, sqlite3_errmsg(s->db));
        store_close(s);
        return NULL;
    }
    sqlite3_busy_timeout(s->db, 1000);
    // What is summed up beside the journal's rows lies in memory (store_cost_rows()).
    if (store_run(s, "PRAGMA temp_store=MEMORY", errp) < 0) {
        store_close(s);
        return NULL;
    }
    return s;
}

static int on_progress(void *arg)
{
    const struct store *view = arg;

    return view->stop(view->stop_arg);
}

void store_view_stop(struct store *view, bool (*stop)(void *arg), void *arg)
{
    view->stop = stop;
    view->stop_arg = arg;
    sqlite3_progress_handler(view->db, STOP_STEPS, stop ? on_progress : NULL, view);
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
    sqlite3_finalize(s->job_cost);
    sqlite3_finalize(s->instance_cost);
    sqlite3_close(s->db);
    free(s);
}

int store_begin(struct store *s, burst_error_t *errp)
{
    if (store_run(s, "BEGIN IMMEDIATE", errp) < 0)
        return -1;
    s->in_transaction = true;
    return 0;
}

int store_commit(struct store *s, burst_error_t *errp)
{
    if (store_run(s, "COMMIT", errp) == 0) {
        s->in_transaction = false;
        return 0;
    }
    store_rollback(s);
    return -1;
}

void store_rollback(struct store *s)
{
    s->spend_known = false;
    s->rollbacks++;
    if (s->in_transaction)
        store_run(s, "ROLLBACK", NULL);
    s->in_transaction = false;
}

unsigned store_rollbacks(const struct store *s)
{
    return s->rollbacks;
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
    store_bind(s->put_instance, &store_instances, i);
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
    store_bind(s->put_job, &store_jobs, j);
    return store_step(s, s->put_job, "write of a job", errp);
}
