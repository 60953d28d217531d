// SPDX-License-Identifier: GPL-3.0-or-later
// What slurm-burst needs of slurm.conf: `burst slurm-conf` prints it, `burst check` compares it
// with what Slurm has. One table, so that the two cannot disagree.
#ifndef BURST_CMD_SLURM_WANTS_H
#define BURST_CMD_SLURM_WANTS_H

#include <stdbool.h>

#include "base/conf.h"

enum slurm_want_kind {
    SLURM_WANT_LIST,    // the items of value are in the comma list
    SLURM_WANT_NUMBER,  // equal as a number ("0 nodes/min" is 0)
    SLURM_WANT_WORD,    // equal without regard to case
    SLURM_WANT_PROGRAM, // the path
};

struct slurm_want {
    const char *key;
    char value[256];
    enum slurm_want_kind kind;
    bool needed; // without it jobs fail; otherwise they are slow or something is invisible
    const char *why;
};

#define SLURM_WANTS_MAX 24

// 22.05.8 -> 2205; 0 when it is no release.
unsigned slurm_release(const char *version);

// Fills want[], returns how many.
unsigned slurm_wants(const struct burst_conf *conf, unsigned release,
                     struct slurm_want want[SLURM_WANTS_MAX]);

// Is it so? actual NULL = not set. Of a list, missing (256 characters) gets the items that lack.
bool slurm_want_met(const struct slurm_want *w, const char *actual, char *missing);

// Path of a program that Slurm calls: $BURST_LIBEXECDIR or the installed directory. Caller frees.
char *slurm_want_program(const char *name);

// Times of an elastic partition, in seconds.
int64_t slurm_resume_timeout(const struct burst_conf *conf);
int64_t slurm_suspend_timeout(const struct burst_conf *conf, const char *partition);

#endif
