// SPDX-License-Identifier: GPL-3.0-or-later
// Can a job's data be staged? Asked from burst-stagerd, which looks at them as the job's user,
// before anything is rented. Never waits: the first question for a job starts the look, and the
// answer is there at one of the next. Jobs with the same data (tasks of an array) share an answer.
// What does not fit is looked at again after pauses that grow; that costs nothing but the look.
#ifndef BURST_DATA_CHECK_H
#define BURST_DATA_CHECK_H

#include <stddef.h>

#include "base/burstd.h"
#include "state/model.h"

struct data_checks;

struct data_checks *data_checks_create(struct burstd *b);
void data_checks_destroy(struct data_checks *t);

enum data_verdict {
    DATA_FIT,      // or there is nothing to stage
    DATA_ASKED,    // being looked at; the answer pokes
    DATA_UNFIT,    // not now
    DATA_HOPELESS, // and nothing but its user can change that
};

// why: a sentence, "" when there is nothing to say (yet). Notes in the job until when its data fit,
// and whether it is hopeless.
enum data_verdict data_check(struct burstd *b, struct bjob *j, char *why, size_t size);

// What was found in the way when its data were looked at last, "" = nothing. Borrowed until the
// next call of either function.
const char *data_fault(struct burstd *b, const struct bjob *j);

#endif
