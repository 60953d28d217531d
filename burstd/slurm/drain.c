// SPDX-License-Identifier: GPL-3.0-or-later
// See drain.h.
#include "slurm/drain.h"

#include <stddef.h>
#include <string.h>

bool drain_reason_is_slurms(const char *reason)
{
    static const char *const begin_with[] = {
        "Prolog error",     "Epilog error",   "Duplicate jobid",     "batch job complete failure",
        "Kill task failed", "Low RealMemory", "Low TmpDisk",         "Low socket*core",
        "Low CPUs",         "gres/",          "Job env setup error",
    };

    for (size_t k = 0; reason && k < sizeof(begin_with) / sizeof(begin_with[0]); k++)
        if (strncmp(reason, begin_with[k], strlen(begin_with[k])) == 0)
            return true;
    return false;
}

bool drained_by_slurm(const struct snode *n)
{
    return n && ((n->flags & SNODE_INVALID_REG) ||
                 ((n->flags & SNODE_DRAIN) && drain_reason_is_slurms(n->reason)));
}
