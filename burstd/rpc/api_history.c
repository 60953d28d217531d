// SPDX-License-Identifier: GPL-3.0-or-later
// See api_history.h.
#include "rpc/api_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/ledger.h"
#include "rpc/asked.h"
#include "state/store.h"

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
