// SPDX-License-Identifier: GPL-3.0-or-later
// Where what a job leaves behind lies ("--burst-data job/ID:GB"): where it runs or ran, else here.
// Of jobs that burstd has at hand its tables say it, of ended ones the journal, which is asked for
// each at most once a minute, and for a few of them at a time only: users write the list.
#ifndef BURST_DATA_PLACE_H
#define BURST_DATA_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/burstd.h"
#include "state/model.h"

#define DATA_PLACE_MAX 128 // buffer for "cloud/region"

struct data_places;

struct data_places *data_places_create(void);
void data_places_destroy(struct data_places *m); // NULL is allowed

// Before each plan: the tables may have changed, the journal may be asked again.
void data_places_begin(struct data_places *m);
// Is the place of all jobs that this --burst-data list names known? Asks the journal where it must.
// false: it was asked often enough now, another time.
bool data_places_know(struct burstd *b, struct data_places *m, const char *data);

// The job at hand of this name. Of an array ("123" when there are 123_1 and so on) one of its tasks
// that runs or ran, if there is any, stands for all; a task may be named by its own id, too.
// NULL: it has ended and was forgotten, or nobody has heard of it.
struct bjob *data_place_job(struct burstd *b, struct data_places *m, const char *job);

// The place of what the job leaves; the journal is asked where data_places_know() has not.
void data_place(struct burstd *b, struct data_places *m, const char *job, char out[DATA_PLACE_MAX]);

#endif
