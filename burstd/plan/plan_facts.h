// SPDX-License-Identifier: GPL-3.0-or-later
// What the tables say of the clouds, looked up once for all jobs of a plan: which may be used now,
// how many nodes of each shape could be rented there, what their caps leave.
#ifndef BURST_PLAN_FACTS_H
#define BURST_PLAN_FACTS_H

#include <stdint.h>

#include "base/burstd.h"
#include "base/conf.h"
#include "libburst/money.h"

#define PLAN_CLOUDS_MAX CONF_CLOUDS_MAX

struct plan_facts;

struct plan_facts *plan_facts_create(struct burstd *b);
void plan_facts_destroy(struct plan_facts *f); // NULL is allowed

// Clouds and shapes are numbered as in the configuration.
unsigned plan_facts_clouds(const struct plan_facts *f);
// Nodes of this shape that a launch at this cloud could have: names are free for them and their
// list can be kept. 0: the cloud may not be used now, or offers no such shape.
unsigned plan_facts_room(const struct plan_facts *f, unsigned cloud, unsigned shape);
// The same without the names that a job excludes.
struct names_not;
unsigned plan_facts_room_without(const struct plan_facts *f, unsigned cloud, unsigned shape,
                                 const struct names_not *without);
// Rented now at this cloud, or in all (PLAN_SITE).
unsigned plan_facts_live(const struct plan_facts *f, unsigned cloud);
// What today's cap leaves there, or in all (PLAN_SITE); CONF_NO_CAP without a cap.
money_t plan_facts_left(const struct plan_facts *f, unsigned cloud);
#define PLAN_SITE PLAN_CLOUDS_MAX

#endif
