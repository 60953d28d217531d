// SPDX-License-Identifier: GPL-3.0-or-later
// Whose files are staged and whose jobs run on rented nodes: people, not accounts of the system.
// One rule for burstd (before anything is rented), burst-stagerd and the nodes (etc/node/user.sh).
#ifndef BURST_PEOPLE_H
#define BURST_PEOPLE_H

#include <stdint.h>

#include "libburst/error.h"

// Smallest uid of people: UID_MIN of a login.defs text, 1000 when it says nothing. 100 at least.
uint32_t people_uid_min(const char *login_defs);
// That of this host.
uint32_t people_uid_min_here(void);

// -1: these are not a person's. Of primary groups every number but root's is taken: many sites have
// "users" (100) for all.
int people_check(uint32_t uid, uint32_t gid, uint32_t uid_min, burst_error_t *errp);

#endif
