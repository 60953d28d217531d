// SPDX-License-Identifier: GPL-3.0-or-later
// From burstd's tables to the optimizer's request (burst-plan(1)): one task for each job that wants
// capacity, with the shapes that it fits, idle nodes and staying here as alternatives, its data,
// and the caps as limits. Reads tables, changes nothing.
#ifndef BURST_PLAN_REQUEST_H
#define BURST_PLAN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "base/burstd.h"
#include "job/fit.h"
#include "node/idle.h"
#include "plan/plan_facts.h"
#include "slurm_plugin/directive.h"
#include "state/model.h"

struct sjob;

// What alternatives are called beside "idle-N" (idle.h).
#define PLAN_LOCAL "local" // it stays and waits for a node of the site
#define PLAN_LATER "later" // no place for all of them now

struct plan_job {
    struct bjob *j;
    const struct sjob *s;
    struct demand dm;
    struct directive d;
    bool look_ahead; // waits for another job of the request: planned along, not bought for
    unsigned names;  // of clouds, in its task; plan_possible() counts them
    money_t left;    // of its cap; plan_request() fills it in
};

struct data_places;

struct plan_question {
    struct plan_job **job; // the first have priority
    size_t n;              // all of them have `planning` set
    const struct plan_facts *facts;
    struct data_places *data;
    const struct idle_group *idle;
    unsigned n_idle;
    // A task for which nothing is left gets PLAN_LATER instead of making the whole plan impossible.
    // Without, the optimizer says what is in its way.
    bool with_later;
};

// Seconds that the job is expected to run.
int64_t plan_runtime_s(const struct burstd *b, const struct bjob *j, const struct directive *d);

// May it run on spot nodes?
bool plan_spot_allowed(const struct plan_job *p);

// What the expected wait for a node of the site costs; MONEY_UNKNOWN when staying is no alternative
// or has no price.
money_t plan_price_of_waiting(struct burstd *b, const struct bjob *j, const struct sjob *s,
                              const struct directive *d);

// Nodes of the group that the job needs; 0: they do not serve it.
unsigned plan_idle_nodes(struct burstd *b, const struct plan_job *p, const struct idle_group *g);

// Was job a submitted before job b ("123", "123_4")?
bool plan_earlier(const char *a, const char *b);

// The job of this name if it is part of the request, and one whose data p may wait for; else NULL.
const struct bjob *plan_parent(struct burstd *b, struct data_places *data, const struct plan_job *p,
                               const char *job);

// May the job be served by a new node, an idle one or by staying here? false with a sentence.
bool plan_possible(struct burstd *b, const struct plan_question *q, struct plan_job *p, char *why,
                   size_t size);

// The shape of the site to which an offer of the answer belongs, with enough free node names;
// NULL when there is none (any more).
struct cloud_conf;
struct shape_conf;
const struct shape_conf *plan_shape(struct burstd *b, const struct cloud_conf *c,
                                    const struct plan_job *p, unsigned nodes, const cJSON *task);

// Caller owns it.
cJSON *plan_request(struct burstd *b, const struct plan_question *q);

#endif
