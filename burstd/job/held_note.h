// SPDX-License-Identifier: GPL-3.0-or-later
// What Slurm's own commands show of a job that is held for a rented node: squeue says JobHeldAdmin
// and no more, so its AdminComment begins with why it waits and when something is tried next.
#ifndef BURST_HELD_NOTE_H
#define BURST_HELD_NOTE_H

#include "base/burstd.h"

// Once a look, after the plan has said why there is no place: brings the records of held jobs up to
// date, each now and then and a few in one look. Reads Slurm's table, so nothing is written twice.
void held_note_step(struct burstd *b);

#endif
