// SPDX-License-Identifier: GPL-3.0-or-later
// The snapshot for the job_submit plugin: what the site's rules, the local partitions and the
// shapes are, written each second and after a change.
#ifndef BURST_PUBLISH_H
#define BURST_PUBLISH_H

#include <stdbool.h>

#include "base/burstd.h"
#include "libburst/error.h"

struct publisher *publisher_create(struct burstd *b, burst_error_t *errp);
void publisher_destroy(struct publisher *p);
void publish(struct burstd *b);
// The same, but only when prices have come since the last time.
void publish_prices(struct burstd *b);
// The plugin has a snapshot with at least one shape: from now on submitted jobs can be marked.
bool published(const struct publisher *p);

#endif
