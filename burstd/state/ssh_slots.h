// SPDX-License-Identifier: GPL-3.0-or-later
// How many burst-ssh helpers run, by what they do: each use has slots of its own, so that what is
// urgent never waits behind what takes long.
#ifndef BURST_SSH_SLOTS_H
#define BURST_SSH_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#define SSH_SLOTS 16 // of each use

enum ssh_use {
    SSH_JOIN,      // its job is CONFIGURING
    SSH_PREPARE,   // a node that boots; its SSH answers
    SSH_STAGE_IN,  // copies may take hours
    SSH_STAGE_OUT, // and syncs
    SSH_NOTICE,    // its node vanishes in seconds: never waits
    SSH_USES
};

struct ssh_slots {
    unsigned used[SSH_USES];
    uint32_t uid[SSH_USES][SSH_SLOTS]; // whose, in no order
};

// Is there one for this user? A use's last quarter is for users who have less than a quarter of it:
// one user's copies may take the rest, and not all.
bool ssh_slots_free(const struct ssh_slots *s, enum ssh_use use, uint32_t uid);
void ssh_slots_take(struct ssh_slots *s, enum ssh_use use, uint32_t uid);
void ssh_slots_give(struct ssh_slots *s, enum ssh_use use, uint32_t uid);

#endif
