// SPDX-License-Identifier: GPL-3.0-or-later
// May capacity be bought for this job now? What the bounds say (state/bounds.h), and an array's own
// throttle, against those that are under way already. Made anew for each question and each part of
// an answer: it counts what the tables say.
#ifndef BURST_ADMISSION_H
#define BURST_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/burstd.h"
#include "state/model.h"

struct admission;
struct placement;
struct sjob;

struct admission *admission_create(struct burstd *b);
void admission_destroy(struct admission *a);

// Is it worth asking the optimizer? false with a sentence.
bool admission_ask(struct admission *a, const struct bjob *j, const struct sjob *s, char *why,
                   size_t size);
// The same, and what is known of the place; p NULL: idle nodes that are rented already, in
// `partition`. Counts the job as under way when it says yes.
bool admission_buy(struct admission *a, const struct bjob *j, const struct sjob *s,
                   const struct placement *p, const char *partition, char *why, size_t size);

#endif
