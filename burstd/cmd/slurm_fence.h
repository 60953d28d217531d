// SPDX-License-Identifier: GPL-3.0-or-later
// Who may use an elastic partition as far as slurm.conf can say it: what `burst slurm-conf` writes
// into the partition's line and `burst check` compares with Slurm's. A second wall behind the
// plugin and burstd, which hold the same rules.
#ifndef BURST_CMD_SLURM_FENCE_H
#define BURST_CMD_SLURM_FENCE_H

#include "base/conf.h"

#define SLURM_FENCE_MAX 4

struct slurm_fence {
    struct {
        const char *key; // "AllowAccounts"
        char *value;     // owned
    } set[SLURM_FENCE_MAX];
    unsigned n;
    char *left_out; // comma list of rules that have patterns, which Slurm has not; "" = none. Owned
};

void slurm_fence_init(struct slurm_fence *f, const struct burst_conf *conf);
void slurm_fence_free(struct slurm_fence *f);

#endif
