// SPDX-License-Identifier: GPL-3.0-or-later
// Bringing a job's data to its nodes and its results home, without a shared file system.
#ifndef BURST_STAGE_H
#define BURST_STAGE_H

#include "base/burstd.h"
#include "state/model.h"

struct sjob;

// What is to be staged (stage_spec.h), fixed when the job becomes a candidate and journalled with
// it.
void stage_describe(struct bjob *j, const struct sjob *s);

// Starts what is due: stage-in of instances that serve a job being secured, stage-out of jobs that
// ended. Level-triggered.
void stage_step(struct burstd *b);

// True when nothing of this job is left on any instance.
bool stage_home(struct burstd *b, const struct bjob *j);
// A node is bringing results of the job home right now.
bool stage_under_way(struct burstd *b, const struct bjob *j);
// Results of a job under notice: brings home now what is there while it runs. cb may be NULL.
void stage_out_now(struct burstd *b, struct instance *i, struct bjob *j);
// Kept results are let go; who: "an operator", "burstd".
void stage_giveup(struct burstd *b, struct bjob *j, const char *who);
// What one node of the present attempt had written does not come home.
void stage_missed(struct burstd *b, struct bjob *j);
// What is on the job's nodes is not brought home any more; ends what is under way.
void stage_drop(struct burstd *b, const struct bjob *j);

#endif
