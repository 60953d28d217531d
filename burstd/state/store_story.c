// SPDX-License-Identifier: GPL-3.0-or-later
// The stories of jobs, rows of a key and an object, and what is forgotten (store.h).
#include "state/store_inside.h"

void store_prune(struct store *s, int64_t before)
{
    // Of what is only added to, the first rows are the oldest ones; the others have an index of
    // what ended.
    static const char *const what[] = {
        "DELETE FROM story WHERE seq IN (SELECT seq FROM story ORDER BY seq LIMIT 300) AND"
        " time < ?1",
        "DELETE FROM journal WHERE seq IN (SELECT seq FROM journal ORDER BY seq LIMIT 300) AND"
        " time < ?1",
        "DELETE FROM job WHERE key IN (SELECT key FROM job WHERE since < ?1 AND " JOB_ENDED
        " ORDER BY since LIMIT 50)",
        "DELETE FROM instance WHERE id IN (SELECT id FROM instance WHERE since < ?1 AND"
        " " INSTANCE_ENDED " ORDER BY since LIMIT 50)",
    };

    for (size_t k = 0; k < COUNT(what); k++) {
        sqlite3_stmt *st;
        burst_error_t err;
        if (store_prepare(s, what[k], &st, &err) < 0) {
            log_warn("%s", err.text);
            continue;
        }
        sqlite3_bind_int64(st, 1, before);
        if (sqlite3_step(st) != SQLITE_DONE)
            log_warn("journal: old rows stay: %s", sqlite3_errmsg(s->db));
        sqlite3_finalize(st);
    }
}

static int add_story(struct store *s, const char *job, const char *kind, const char *body)
{
    burst_error_t err;

    sqlite3_bind_int64(s->story, 1, clock_now_s());
    sqlite3_bind_text(s->story, 2, job, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s->story, 3, kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(s->story, 4, body, -1, SQLITE_TRANSIENT);
    if (store_step(s, s->story, "write of a job's story", &err) < 0) {
        // Explains, decides nothing: going on without it is right.
        log_rarely(LOG_LEVEL_WARN, "%s", err.text);
        return -1;
    }
    return 0;
}

int store_add_event(struct store *s, const char *job, const char *text)
{
    cJSON *j = cJSON_CreateObject();

    json_add_str(j, "text", text);
    char *line = json_line(j);
    int rc = add_story(s, job, "event", line);
    free(line);
    cJSON_Delete(j);
    return rc;
}

int store_add_decision(struct store *s, const char *job, const cJSON *decision)
{
    char *line = json_line(decision);
    int rc = add_story(s, job, "decision", line);

    free(line);
    return rc;
}

int store_add_attempt(struct store *s, const char *job, const cJSON *attempt)
{
    char *line = json_line(attempt);
    int rc = add_story(s, job, "attempt", line);

    free(line);
    return rc;
}

cJSON *store_story(struct store *s, const char *job, const char *kind, int limit)
{
    cJSON *out = cJSON_CreateArray();
    sqlite3_stmt *st;

    if (store_prepare(s,
                      "SELECT time, body FROM (SELECT seq, time, body FROM story WHERE job = ? AND"
                      " kind = ? ORDER BY seq DESC LIMIT ?) ORDER BY seq",
                      &st, NULL) < 0)
        return out;
    sqlite3_bind_text(st, 1, job, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(st, 2, kind, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(st, 3, limit);
    while (sqlite3_step(st) == SQLITE_ROW) {
        const char *body = (const char *)sqlite3_column_text(st, 1);
        cJSON *j = body ? cJSON_Parse(body) : NULL;
        if (!j)
            continue;
        json_add_i64(j, "time", sqlite3_column_int64(st, 0));
        cJSON_AddItemToArray(out, j);
    }
    sqlite3_finalize(st);
    return out;
}

// Rows that are a key and a JSON object; the tables differ in name only.
static int put_row(struct store *s, const char *table, const char *key, const cJSON *row,
                   burst_error_t *errp)
{
    char *line = row ? json_line(row) : NULL, sql[128], what[64];
    sqlite3_stmt *st;

    snprintf(sql, sizeof(sql),
             row ? "INSERT OR REPLACE INTO %s (place, row) VALUES (?,?)"
                 : "DELETE FROM %s WHERE place = ?",
             table);
    snprintf(what, sizeof(what), "write of table %s", table);
    int rc = store_prepare(s, sql, &st, errp);
    if (rc == 0) {
        sqlite3_bind_text(st, 1, key, -1, SQLITE_TRANSIENT);
        if (row)
            sqlite3_bind_text(st, 2, line, -1, SQLITE_TRANSIENT);
        rc = store_step(s, st, what, errp);
        sqlite3_finalize(st);
    }
    free(line);
    return rc;
}

static int load_rows(struct store *s, const char *table, void (*cb)(void *arg, const cJSON *row),
                     void *arg, burst_error_t *errp)
{
    char sql[128], what[64];
    sqlite3_stmt *st;
    int rc;

    snprintf(sql, sizeof(sql), "SELECT row FROM %s ORDER BY rowid", table);
    snprintf(what, sizeof(what), "read of table %s", table);
    if (store_prepare(s, sql, &st, errp) < 0)
        return -1;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(st, 0);
        cJSON *row = text ? cJSON_Parse(text) : NULL;
        cb(arg, row);
        cJSON_Delete(row);
    }
    if (rc != SQLITE_DONE)
        store_fail(s, what, errp);
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

int store_put_observed(struct store *s, const char *place, const cJSON *row, burst_error_t *errp)
{
    return put_row(s, "observed", place, row, errp);
}

int store_load_observed(struct store *s, void (*cb)(void *arg, const cJSON *row), void *arg,
                        burst_error_t *errp)
{
    return load_rows(s, "observed", cb, arg, errp);
}

int store_put_bound(struct store *s, const char *key, const cJSON *row, burst_error_t *errp)
{
    return put_row(s, "bound", key, row, errp);
}

int store_load_bounds(struct store *s, void (*cb)(void *arg, const cJSON *row), void *arg,
                      burst_error_t *errp)
{
    return load_rows(s, "bound", cb, arg, errp);
}
