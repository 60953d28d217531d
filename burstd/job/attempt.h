// SPDX-License-Identifier: GPL-3.0-or-later
// An attempt on rented nodes: its begin, and those that began without being seen.
#ifndef BURST_ATTEMPT_H
#define BURST_ATTEMPT_H

#include "base/burstd.h"
#include "state/model.h"

struct sjob;

// From now on it uses its place. fmt: a sentence. s may be NULL. -1: the journal could not be
// written, nothing has changed.
int attempt_begin(struct burstd *b, struct bjob *j, const struct sjob *s, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
// Of a placed job that has ended (s) or that Slurm has forgotten (NULL): did it perhaps run?
bool attempt_may_have_run(struct burstd *b, const struct bjob *j, const struct sjob *s);
// It was started and requeued while burstd was down.
bool attempt_requeued_unseen(struct burstd *b, const struct bjob *j, const struct sjob *s);
// It was: what it wrote is on its nodes. how: a sentence; s may be NULL.
void attempt_ran_unseen(struct burstd *b, struct bjob *j, const struct sjob *s, const char *how,
                        bool requeued);

#endif
