// SPDX-License-Identifier: GPL-3.0-or-later
// From a request and a catalog to the problem in numbers: which offers satisfy each task.
//
// A candidate is an offer on a market. Of the candidates of a task that sit in one region and
// count for the same limits only the Pareto front of cost and duration can be in a best plan; the
// others are counted and left out. Tasks with equal requirements share the search.
#ifndef BURST_CANDIDATES_H
#define BURST_CANDIDATES_H

#include "catalog/catalog.h"
#include "optimizer/option.h"
#include "optimizer/problem.h"
#include "optimizer/request.h"

struct candidates;

// Builds p (free it with problem_free). A task without options is no error here: see
// candidates_reason().
struct candidates *candidates_create(const struct catalog *cat, const struct request *rq,
                                     struct problem *p);
void candidates_destroy(struct candidates *c);

// Of all tasks, before any was left out.
uint64_t candidates_count(const struct candidates *c);

// What an option of a task comes to.
void candidates_bill(const struct candidates *c, uint32_t task, const struct opt *o,
                     struct bill *b);

// Why a task has no option: the requirement that removed the last candidate. Caller frees.
char *candidates_reason(struct candidates *c, uint32_t task);

// Called for each candidate of a task, dominated ones included. few: only the cheapest of each
// place and the cheapest by price, which many tasks can share (some may come twice).
typedef void (*candidates_fn)(void *arg, const struct opt *o);
void candidates_each(struct candidates *c, uint32_t task, bool few, candidates_fn fn, void *arg);

// Offers that satisfy one need, for `offers` requests: offer index and market.
typedef void (*offers_fn)(void *arg, uint32_t offer, enum market market);
void candidates_offers(const struct catalog *cat, const struct rq_task *t, offers_fn fn, void *arg);

#endif
