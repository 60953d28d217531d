// SPDX-License-Identifier: GPL-3.0-or-later
// Node names of a cloud and shape: which of them may stand for a rented instance.
#ifndef BURST_FREE_NAMES_H
#define BURST_FREE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/burstd.h"

struct cloud_conf;
struct shape_conf;

// Names that a job must not get (--exclude).
struct names_not {
    char **name; // sorted
    size_t n;
};
// Slurm's expression; "" = none. Nonsense is none, too: Slurm has checked it.
void names_not_init(struct names_not *x, const char *expr);
void names_not_fini(struct names_not *x);

// Names for which something can be rented now: not taken, nor drained, down, reserved or in
// maintenance in Slurm, nor spoken for by an instance that is being prepared. Names that Slurm is
// giving back are counted: they are free before an instance is ready. not: NULL = none.
unsigned free_names_room(struct burstd *b, const struct cloud_conf *c, const struct shape_conf *s,
                         const struct names_not *without);

// The first name that may be given to an instance at once; false: there is none.
bool free_names_find(struct burstd *b, const struct cloud_conf *c, const struct shape_conf *s,
                     const struct names_not *without, char *out, size_t size);

#endif
