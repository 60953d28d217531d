// SPDX-License-Identifier: GPL-3.0-or-later
// See place.h.
#include "job/place.h"

#include <stdio.h>

#include "libburst/money.h"
#include "money/ledger.h"
#include "state/jobs.h"

// The place of a job that got nodes which were rented already.
void place_on(struct bjob *j, struct instance **g, unsigned n)
{
    const struct instance *f = g[0];

    snprintf(j->cloud, sizeof(j->cloud), "%s", f->cloud);
    snprintf(j->region, sizeof(j->region), "%s", f->region);
    snprintf(j->zone, sizeof(j->zone), "%s", f->zone);
    snprintf(j->itype, sizeof(j->itype), "%s", f->itype);
    snprintf(j->shape, sizeof(j->shape), "%s", f->shape);
    snprintf(j->partition, sizeof(j->partition), "%s", f->partition);
    j->spot = f->spot;
    j->nodes = n;
    j->group[0] = '\0';
    j->price = 0;
    for (unsigned k = 0; k < n; k++)
        j->price += g[k]->price == MONEY_UNKNOWN ? 0 : g[k]->price;
}

void place_clear(struct bjob *j)
{
    j->group[0] = '\0';
    bjob_set(&j->node_names, "");
    j->reserved = 0;
}

void place_remember(struct burstd *b, struct bjob *j)
{
    char cost[MONEY_TEXT_MAX], places[512];

    if (!j->cloud[0] || !j->started)
        return;
    snprintf(places, sizeof(places), "%.380s%s%.32s %.64s", j->history, j->history[0] ? "; " : "",
             j->cloud, j->zone[0] ? j->zone : j->region);
    bjob_set(&j->history, places);
    job_event(b, j, "this attempt at %s %s ended; the job has cost %s so far", j->cloud,
              j->zone[0] ? j->zone : j->region, money_human(ledger_job_cost(b, j), cost));
}
