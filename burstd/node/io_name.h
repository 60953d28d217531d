// SPDX-License-Identifier: GPL-3.0-or-later
// The name of the file that a batch job reads or writes: sbatch(1)'s filename pattern, as Slurm
// fills it in on the first node of the job. Pure.
#ifndef BURST_IO_NAME_H
#define BURST_IO_NAME_H

#include <stddef.h>
#include <stdint.h>

#define IO_NAMES_MAX 2 // of one pattern

struct io_name {
    const char *work_dir; // absolute; what a relative pattern counts from
    uint32_t job_id;      // 0: not known yet (a task of an array has its own when it starts)
    uint32_t array_id;    // of an array's task: the array's; else 0
    uint32_t task;        // its number in the array
    const char *node;     // host name of the first node; NULL: not known yet
    const char *user, *job_name;
};

// Fills in the pattern: absolute names without ".." (path.h); caller frees each. Usually one; two
// where Slurm's releases do not agree (22.05 to 23.11, 24.05 and later): %b, a width before %n and
// %t, two backslashes. What is not known yet stays as it is written, so that the directory of the
// file is right all the same, unless that depends on it, too. Returns how many.
size_t io_names(const struct io_name *x, const char *pattern, char *out[IO_NAMES_MAX]);

#endif
