// SPDX-License-Identifier: GPL-3.0-or-later
// See api_listing.h. A list is of many moments: what ends while it is made is told as ended, or not
// at all; nothing is told twice.
#include "rpc/api_listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"
#include "money/ledger.h"
#include "rpc/api_rows.h"
#include "rpc/asked.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/store.h"

#define RECENT 200           // ended jobs and instances shown with --all
#define PART 64              // rows in a turn of the loop: about a millisecond
#define LIST_MAX (64u << 20) // what the client takes
#define KEY_MAX 48

struct old {
    struct bjob *j; // one of the two
    struct instance *i;
    money_t cost;
};

struct listing {
    struct asked asked; // first
    bool jobs;          // else nodes
    bool all;
    bool failed;          // only instances that did
    char only[KEY_MAX];   // one job; "" = all
    char (*key)[KEY_MAX]; // of what lived when it began
    size_t n, at;
    struct strbuf text;    // of this part
    struct rpc_part *part; // those before
    size_t n_parts, bytes;
    bool empty; // no row yet
    struct old old[RECENT];
    size_t n_old;
};

static void forget(struct asked *a)
{
    struct listing *l = (struct listing *)a;

    for (size_t k = 0; k < l->n_old; k++) {
        bjob_destroy(l->old[k].j);
        free(l->old[k].i);
    }
    for (size_t k = 0; k < l->n_parts; k++)
        free(l->part[k].text);
    free(l->part);
    strbuf_free(&l->text);
    free(l->key);
    free(l);
}

static struct listing *begin(struct burstd *b, struct rpc_request *req, bool jobs, size_t room)
{
    struct listing *l = xmalloc(sizeof(*l));

    asked_begin(&l->asked, b, req, forget);
    l->jobs = jobs;
    l->failed = !jobs && json_bool(rpc_params(req), "failed", false);
    l->all = l->failed || json_bool(rpc_params(req), "all", false);
    l->key = xcalloc(room + 1, sizeof(*l->key));
    strbuf_init(&l->text, LIST_MAX);
    strbuf_adds(&l->text, "[");
    l->empty = true;
    return l;
}

static void add_key(struct listing *l, const char *key)
{
    snprintf(l->key[l->n++], KEY_MAX, "%s", key);
}

static void add_row(struct listing *l, cJSON *row)
{
    char *line = json_line(row);

    if (!l->empty)
        strbuf_adds(&l->text, ",");
    l->empty = false;
    strbuf_adds(&l->text, line);
    free(line);
    cJSON_Delete(row);
}

static void end_part(struct listing *l)
{
    if (l->text.len == 0)
        return;
    l->part = xrealloc(l->part, (l->n_parts + 1) * sizeof(*l->part));
    size_t len = l->text.len;
    l->bytes += len;
    l->part[l->n_parts++] = (struct rpc_part){strbuf_take(&l->text), len};
}

static void finish(struct listing *l)
{
    strbuf_adds(&l->text, "]");
    end_part(l);
    if (l->bytes > LIST_MAX) {
        rpc_fail(l->asked.req, "internal", "the list is longer than an answer may be");
    } else {
        rpc_reply_parts(l->asked.req, l->part, l->n_parts);
        l->n_parts = 0;
    }
    forget(&l->asked);
}

// ---- what ended

static void take_job(void *arg, struct bjob *j)
{
    struct listing *l = arg;

    if (l->n_old < RECENT)
        l->old[l->n_old++].j = j;
    else
        bjob_destroy(j);
}

static void take_instance(void *arg, struct instance *i)
{
    struct listing *l = arg;

    if (l->n_old < RECENT)
        l->old[l->n_old++].i = i;
    else
        free(i);
}

static void read_old(struct store *view, void *arg)
{
    struct listing *l = arg;
    struct bjob *j = l->only[0] ? store_find_job(view, l->only) : NULL;

    if (j)
        take_job(l, j);
    else if (!l->only[0])
        store_recent(view, RECENT, l->jobs ? NULL : take_instance, l->jobs ? take_job : NULL, l);
    for (size_t k = 0; k < l->n_old; k++) {
        struct old *o = &l->old[k];
        o->cost =
            o->j ? store_job_cost(view, o->j->key, o->j->met) : store_instance_cost(view, o->i->id);
    }
}

static void old_read(void *arg, const char *error)
{
    struct listing *l = arg;
    struct burstd *b = l->asked.b;

    if (asked_failed(&l->asked, error))
        return;
    for (size_t k = 0; k < l->n_old; k++) {
        const struct old *o = &l->old[k];
        if (o->j && rpc_may_see(l->asked.req, o->j->uid) && !jobs_find(b->jobs, o->j->key))
            add_row(l, row_of_job(o->j, o->cost));
        if (o->i && (!l->failed || o->i->failure.cls) && !instances_find(b->instances, o->i->id))
            add_row(l, row_of_instance(b, l->asked.req, o->i, o->cost));
    }
    finish(l);
}

static const struct reader_ops old_ops = {read_old, old_read, asked_drop};

// ---- what lives

static void add_live(struct listing *l, const char *key)
{
    struct burstd *b = l->asked.b;
    struct bjob *j = l->jobs ? jobs_find(b->jobs, key) : NULL;
    struct instance *i = l->jobs ? NULL : instances_find(b->instances, key);

    // Whose number was given to somebody else meanwhile is not his to see.
    if (j && rpc_may_see(l->asked.req, j->uid))
        add_row(l, row_of_job(j, ledger_job_cost(b, j)));
    if (i && (!l->failed || i->failure.cls))
        add_row(l, row_of_instance(b, l->asked.req, i, ledger_instance_cost(b, i)));
}

static void go_on(void *arg, struct rpc_request *req)
{
    struct listing *l = arg;

    for (size_t k = 0; k < PART && l->at < l->n; k++)
        add_live(l, l->key[l->at++]);
    end_part(l);
    if (l->at < l->n)
        rpc_go_on_later(req, go_on, l);
    else if (l->only[0] ? l->n == 0 : l->all)
        asked_read(&l->asked, &old_ops);
    else
        finish(l);
}

void listing_jobs(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    const char *only = json_str(rpc_params(req), "job", NULL);
    struct listing *l = begin(b, req, true, jobs_count(b->jobs));

    if (only) {
        struct bjob *j = jobs_find(b->jobs, only);
        snprintf(l->only, sizeof(l->only), "%s", only);
        if (j && rpc_may_see(req, j->uid))
            add_key(l, j->key);
    } else {
        bool sees_all = rpc_is_operator(req);
        JOBS_EACH(b->jobs, j)
        if (sees_all || j->uid == rpc_uid(req))
            add_key(l, j->key);
    }
    rpc_go_on_later(req, go_on, l);
}

void listing_nodes(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    struct listing *l = begin(b, req, false, instances_count(b->instances));

    INSTANCES_EACH(b->instances, i)
    add_key(l, i->id);
    rpc_go_on_later(req, go_on, l);
}
