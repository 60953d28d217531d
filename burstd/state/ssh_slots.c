// SPDX-License-Identifier: GPL-3.0-or-later
// See ssh_slots.h.
#include "state/ssh_slots.h"

#define QUARTER (SSH_SLOTS / 4)

static unsigned recorded(const struct ssh_slots *s, enum ssh_use use)
{
    return s->used[use] < SSH_SLOTS ? s->used[use] : SSH_SLOTS;
}

bool ssh_slots_free(const struct ssh_slots *s, enum ssh_use use, uint32_t uid)
{
    unsigned his = 0;

    if (use == SSH_NOTICE)
        return true;
    if (s->used[use] >= SSH_SLOTS)
        return false;
    // Boots and joins are nobody's: they take seconds.
    if ((use != SSH_STAGE_IN && use != SSH_STAGE_OUT) || SSH_SLOTS - s->used[use] > QUARTER)
        return true;
    for (unsigned k = 0; k < recorded(s, use); k++)
        his += s->uid[use][k] == uid;
    return his < QUARTER;
}

void ssh_slots_take(struct ssh_slots *s, enum ssh_use use, uint32_t uid)
{
    if (s->used[use] < SSH_SLOTS)
        s->uid[use][s->used[use]] = uid;
    s->used[use]++;
}

void ssh_slots_give(struct ssh_slots *s, enum ssh_use use, uint32_t uid)
{
    unsigned n = recorded(s, use);

    for (unsigned k = 0; k < n; k++) {
        if (s->uid[use][k] != uid)
            continue;
        s->uid[use][k] = s->uid[use][n - 1];
        break;
    }
    s->used[use]--;
}
