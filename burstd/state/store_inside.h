// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of the journal in SQLite, for store_*.c only.
#ifndef BURST_STORE_INSIDE_H
#define BURST_STORE_INSIDE_H

#include "state/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define SCHEMA_VERSION 2
// One process has the journal, over several connections: locks and the index of the log that its
// connections share without a file beside it.
#define STORE_VFS "unix-excl"
#define STOP_STEPS 1000 // of SQLite's machine, a few dozen microseconds
#define JOB_ENDED "state IN ('done','local','refused')"
#define INSTANCE_ENDED "state = 'gone'"
#define SPEND_CACHED 66 // clouds; of more each sum is read from the table

enum type { TEXT, POINTER /* to a text */, INT, UINT, U32, BOOL, STATE_I, STATE_J };

struct column {
    const char *name;
    enum type type;
    size_t offset, size;
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct store {
    sqlite3 *db;
    sqlite3_stmt *put_instance, *put_job, *put_charge, *journal, *story, *old_state;
    sqlite3_stmt *job_cost, *instance_cost; // made when first asked for
    bool in_transaction;
    bool fresh; // the file was made by this process
    unsigned rollbacks;
    bool (*stop)(void *arg); // of a view
    void *stop_arg;
    // Sums for the caps, of all charges since spend_from: asked for each job and cloud of a plan.
    struct spend {
        char cloud[33];
        money_t sum;
    } spend[SPEND_CACHED];
    unsigned n_spend;
    int64_t spend_from;
    money_t spend_all;
    bool spend_known;
};

// The tables whose rows are structs. The first column is the key, a text at the struct's start.
struct table {
    const char *name; // also what a row is called in messages
    const struct column *column;
    size_t n; // columns
    void *(*create)(void);
    void (*destroy)(void *row);
};

extern const struct table store_instances, store_jobs; // struct instance, struct bjob

// Those with errp return 0, or -1 with errp filled ("journal: ..."); errp may be NULL.

// Always -1; SQLite's message of its last call that failed, after what was attempted.
int store_fail(struct store *s, const char *what, burst_error_t *errp);
// One or several statements that give no rows.
int store_run(struct store *s, const char *sql, burst_error_t *errp);
// *out is the caller's (sqlite3_finalize), NULL after an error.
int store_prepare(struct store *s, const char *sql, sqlite3_stmt **out, burst_error_t *errp);
// Runs a statement that writes, and resets it for its next use; `what` is for the message.
int store_step(struct store *s, sqlite3_stmt *st, const char *what, burst_error_t *errp);

// Makes the table if there is none.
int store_create_table(struct store *s, const struct table *t, burst_error_t *errp);
// A journal that an older burstd wrote lacks what this one has learned to remember: '' and 0.
int store_add_columns(struct store *s, const struct table *t, burst_error_t *errp);
// INSERT OR REPLACE of a whole row; *out as from store_prepare().
int store_prepare_put(struct store *s, const struct table *t, sqlite3_stmt **out,
                      burst_error_t *errp);
// Binds a row (a struct of the table's kind) to such a statement.
void store_bind(sqlite3_stmt *st, const struct table *t, const void *row);
// Fills a row of t->create() from a SELECT that names the columns in the order of the table. -1,
// and no message: it has a state that this burstd does not know.
int store_fetch(sqlite3_stmt *st, const struct table *t, void *row);

#endif
