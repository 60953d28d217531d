// SPDX-License-Identifier: GPL-3.0-or-later
// See api_history.h.
#include "rpc/api_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/ledger.h"
#include "rpc/api_rows.h"
#include "rpc/asked.h"
#include "state/jobs.h"
#include "state/store.h"

// ---- why

struct why {
    struct asked asked; // first
    char *key;          // as it was asked for; the job's own when it lives
    cJSON *row;         // of a job that lives
    struct bjob *old;   // of one that ended
    money_t old_cost;
    cJSON *decisions, *attempts, *events;
};

static void forget_why(struct asked *a)
{
    struct why *w = (struct why *)a;

    free(w->key);
    cJSON_Delete(w->row);
    cJSON_Delete(w->decisions);
    cJSON_Delete(w->attempts);
    cJSON_Delete(w->events);
    bjob_destroy(w->old);
    free(w);
}

static void read_why(struct store *view, void *arg)
{
    struct why *w = arg;

    if (!w->row && !(w->old = store_find_job(view, w->key)))
        return;
    const char *key = w->row ? w->key : w->old->key;
    if (w->old)
        w->old_cost = store_job_cost(view, key, w->old->met);
    w->decisions = store_story(view, key, "decision", 50);
    w->attempts = store_story(view, key, "attempt", 100);
    w->events = store_story(view, key, "event", 200);
}

static void refuse_why(struct rpc_request *req, const char *key, bool known)
{
    rpc_fail(req, known ? "denied" : "not_found",
             known ? "job %s belongs to somebody else"
                   : "burstd knows no job %s: it bears no mark of "
                     "the submit plugin (not eligible, --burst=never, or submitted before burstd "
                     "was installed)",
             key);
}

static void why_read(void *arg, const char *error)
{
    struct why *w = arg;
    cJSON *o;

    if (asked_failed(&w->asked, error))
        return;
    if (!w->row && (!w->old || !rpc_may_see(w->asked.req, w->old->uid))) {
        refuse_why(w->asked.req, w->key, w->old != NULL);
        forget_why(&w->asked);
        return;
    }
    o = cJSON_CreateObject();
    cJSON_AddItemToObject(o, "job", w->row ? w->row : row_of_job(w->old, w->old_cost));
    cJSON_AddItemToObject(o, "decisions", w->decisions);
    cJSON_AddItemToObject(o, "attempts", w->attempts);
    cJSON_AddItemToObject(o, "events", w->events);
    w->row = w->decisions = w->attempts = w->events = NULL;
    rpc_reply(w->asked.req, o);
    forget_why(&w->asked);
}

static const struct reader_ops why_ops = {read_why, why_read, asked_drop};

void history_why(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    const char *key = json_str(rpc_params(req), "job", "");
    struct bjob *j = jobs_find(b->jobs, key);

    if (!j && strspn(key, "0123456789") == strlen(key) && *key)
        j = jobs_by_id(b->jobs, (uint32_t)strtoul(key, NULL, 10));
    if (j && !rpc_may_see(req, j->uid)) {
        refuse_why(req, key, true);
        return;
    }
    struct why *w = xmalloc(sizeof(*w));
    asked_begin(&w->asked, b, req, forget_why);
    w->key = xstrdup(j ? j->key : key);
    w->row = j ? row_of_job(j, ledger_job_cost(b, j)) : NULL;
    asked_read(&w->asked, &why_ops);
}

// ---- cost

// A charge of what runs, with its own texts: the instance may change while the journal is read.
struct running {
    char instance[48], job[40], cloud[33], partition[64], user[64], account[64];
};

struct cost {
    struct asked asked; // first
    char *by, *user;
    struct cost_query query;
    struct charge *more; // query.more
    struct running **texts;
    size_t n, room;
    char *json; // the answer; NULL: it could not be read
    size_t len;
};

static void forget_cost(struct asked *a)
{
    struct cost *c = (struct cost *)a;

    for (size_t k = 0; k < c->n; k++)
        free(c->texts[k]);
    free(c->texts);
    free(c->more);
    free(c->by);
    free(c->user);
    free(c->json);
    free(c);
}

static void add_running(void *arg, const struct charge *charge)
{
    struct cost *c = arg;
    struct running *t = xmalloc(sizeof(*t));

    if (c->n == c->room) {
        c->room = c->room ? 2 * c->room : 64;
        c->more = xrealloc(c->more, c->room * sizeof(*c->more));
        c->texts = xrealloc(c->texts, c->room * sizeof(*c->texts));
    }
    snprintf(t->instance, sizeof(t->instance), "%s", charge->instance);
    snprintf(t->job, sizeof(t->job), "%s", charge->job);
    snprintf(t->cloud, sizeof(t->cloud), "%s", charge->cloud);
    snprintf(t->partition, sizeof(t->partition), "%s", charge->partition);
    snprintf(t->user, sizeof(t->user), "%s", charge->user);
    snprintf(t->account, sizeof(t->account), "%s", charge->account);
    c->more[c->n] = *charge; // its kind is a constant
    c->more[c->n].instance = t->instance;
    c->more[c->n].job = t->job;
    c->more[c->n].cloud = t->cloud;
    c->more[c->n].partition = t->partition;
    c->more[c->n].user = t->user;
    c->more[c->n].account = t->account;
    c->texts[c->n++] = t;
}

static void read_cost(struct store *view, void *arg)
{
    struct cost *c = arg;
    cJSON *rows = store_cost_rows(view, &c->query), *o, *row;
    money_t total = 0;

    if (!rows)
        return;
    o = cJSON_CreateObject();
    cJSON_ArrayForEach(row, rows) total += json_i64(row, "total_uusd", 0);
    cJSON_AddItemToObject(o, "rows", rows);
    json_add_money(o, "total_uusd", total);
    c->json = json_line(o); // thousands of rows: not on the loop
    c->len = strlen(c->json);
    cJSON_Delete(o);
}

static void cost_read(void *arg, const char *error)
{
    struct cost *c = arg;

    if (asked_failed(&c->asked, error))
        return;
    if (c->json)
        rpc_reply_text(c->asked.req, c->json, c->len);
    else
        rpc_fail(c->asked.req, "internal", "the charges in the journal cannot be read");
    c->json = NULL;
    forget_cost(&c->asked);
}

static const struct reader_ops cost_ops = {read_cost, cost_read, asked_drop};

void history_cost(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    const cJSON *p = rpc_params(req);
    const char *by = json_str(p, "by", "cloud");
    const char *user = rpc_is_operator(req) ? NULL : rpc_user(req);

    if (!store_cost_key(by)) {
        rpc_fail(req, "invalid",
                 "cannot sum by \"%s\": cloud, partition, user, account, job or market", by);
        return;
    }
    if (user && !*user)
        user = "\x01"; // an account without a name owns no charge
    struct cost *c = xmalloc(sizeof(*c));
    asked_begin(&c->asked, b, req, forget_cost);
    c->by = xstrdup(by);
    c->user = user ? xstrdup(user) : NULL;
    // What runs is charged in the journal when its state changes: until then it is added here, and
    // what is charged while the journal is read is left out there.
    ledger_running(b, add_running, c);
    c->query = (struct cost_query){.by = c->by,
                                   .start = json_i64(p, "start", 0),
                                   .end = json_i64(p, "end", INT64_C(1) << 40),
                                   .user = c->user,
                                   .until = store_charges_until(b->store),
                                   .more = c->more,
                                   .n_more = c->n};
    asked_read(&c->asked, &cost_ops);
}
