// SPDX-License-Identifier: GPL-3.0-or-later
// What a job that waits needs of the shapes of the site: Slurm's record of it (fit.h) with what
// burstd knows besides.
#ifndef BURST_JOB_NEED_H
#define BURST_JOB_NEED_H

#include "base/burstd.h"
#include "job/fit.h"
#include "state/model.h"

struct cloud_conf;
struct shape_conf;
struct sjob;

// Reads the demand. While it is with burstd its maximum of nodes is what was rented: its own one
// counts. -1 with a sentence as demand_of().
int job_demand(struct burstd *b, const struct bjob *j, const struct sjob *s, struct demand *d,
               char *why, size_t size);

// Nodes of the shape that it takes at this cloud, 0 = it does not run on them there.
unsigned job_nodes(const struct burstd *b, const struct demand *d, const struct cloud_conf *c,
                   const struct shape_conf *s);

// Does it still take the nodes that it is to have? Its user may have changed it meanwhile.
bool job_still_fits(struct burstd *b, const struct bjob *j, const struct sjob *s);

// It has been moved to its nodes: are they too few by now, or not what it asks for? Slurm writes
// the memory that is the default of the partition into a moved job; that it may take fewer nodes
// there than it was counted with says nothing.
bool job_outgrown(struct burstd *b, const struct bjob *j, const struct sjob *s);

// Are the nodes that it asks for (--nodelist) its user's wish, and not those that burstd named?
bool job_wants_nodes(const struct burstd *b, const struct bjob *j, const struct sjob *s);

// It has been moved to its nodes: does its record name others by now, or none?
bool job_other_nodes(const struct bjob *j, const struct sjob *s);

#endif
