// SPDX-License-Identifier: GPL-3.0-or-later
// Slurm's notation of the tasks of a job array: "0-4,7,10-20:5%2".
#ifndef BURST_ARRAY_TASKS_H
#define BURST_ARRAY_TASKS_H

#include <stddef.h>
#include <stdint.h>

// More tasks of one array are not looked at before these have left the queue.
#define ARRAY_TASKS_MAX 256

// Writes at most max task ids, in the order written, to ids. Returns how many; -1 if the text is
// not in this notation (NULL and "" are 0 tasks). "%N" (tasks at a time) and a cut-off tail
// ("...", from SLURM_BITSTR_LEN) end the list.
int array_tasks_parse(const char *text, uint32_t *ids, size_t max);

#endif
