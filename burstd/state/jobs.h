// SPDX-License-Identifier: GPL-3.0-or-later
// The table of jobs that bear the plugin's mark, and their changes of state.
#ifndef BURST_JOBS_H
#define BURST_JOBS_H

#include "base/burstd.h"
#include "state/model.h"

struct jobs *jobs_create(struct burstd *b);
void jobs_destroy(struct jobs *t);
void jobs_add(struct jobs *t, struct bjob *j); // takes j over
struct bjob *jobs_find(struct jobs *t, const char *key);
// Tasks of an array that wait share the array's id: who runs or ran is meant first, then who is
// placed. NULL when unknown.
struct bjob *jobs_by_id(struct jobs *t, uint32_t job_id);
// Also of a job that is in no table yet. Journals nothing.
void jobs_set_id(struct jobs *t, struct bjob *j, uint32_t job_id);
struct bjob *jobs_first(struct jobs *t);
unsigned jobs_count(struct jobs *t);
void jobs_remove(struct jobs *t, struct bjob *j);

#define JOBS_EACH(t, j)                                                                            \
    for (struct bjob *j = jobs_first(t), *j##_next = j ? j->hh.next : NULL; j;                     \
         j = j##_next, j##_next = j ? j->hh.next : NULL)

// Journals and enters a state (a job that never wanted capacity is not journalled) with a sentence
// for people (`burst why`). -1: journal failed, nothing changed. Between watching and candidate it
// is written with the end of the look.
int job_state(struct burstd *b, struct bjob *j, enum job_state state, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
// What changed of jobs that only wait (watching, candidate) is written here, in one transaction for
// all of them: thousands may come within a second, and nothing was bought for them yet. At the end
// of a look; of very many a part, the next look comes soon. What cannot be written is tried again
// with the next one.
void jobs_flush(struct burstd *b);
int job_save(struct burstd *b, struct bjob *j);
// A line of the job's story, journalled.
void job_event(struct burstd *b, const struct bjob *j, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
// A place that was tried for it, journalled. result: ok capacity quota throttle auth transient
// invalid boot stage-in; message: the cloud's words, "" = none.
void job_attempt(struct burstd *b, const struct bjob *j, const struct instance *i,
                 const char *result, const char *message);

#endif
