// SPDX-License-Identifier: GPL-3.0-or-later
// The caps: what may still be spent today at a cloud and in all, and on a job. What is bought
// counts until the job's time limit (ledger_bound()), so a cap is never passed, whatever happens.
#ifndef BURST_CAPS_H
#define BURST_CAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/burstd.h"
#include "libburst/money.h"
#include "state/model.h"

struct cloud_conf;
struct directive;

// Cap of the day - spent - what is committed, at least 0; CONF_NO_CAP without a cap. c NULL: the
// site's.
money_t caps_left_today(struct burstd *b, const struct cloud_conf *c);

// Is the cap of the day used up, or all but (less than a twentieth is left)? c NULL: the site's.
// True with a sentence for people that says how, and when there is money again.
bool caps_used_up(struct burstd *b, const struct cloud_conf *c, char *why, size_t size);

// The smaller of the site's cap per job and the user's --burst-max-cost, minus what the job has
// cost, at least 0; CONF_NO_CAP without a cap.
money_t caps_left_of_job(struct burstd *b, const struct bjob *j, const struct directive *d);

// May `bound` more be spent for the job at this cloud? false with a sentence that names the cap.
bool caps_admit(struct burstd *b, const struct bjob *j, const struct directive *d,
                const struct cloud_conf *c, money_t bound, char *why, size_t size);

// The time for which a job counts: its limit, or the longest the site allows.
int64_t caps_limit_s(const struct burstd *b, const struct bjob *j);

#endif
