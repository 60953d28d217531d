// SPDX-License-Identifier: GPL-3.0-or-later
// Why a task has no option.
#ifndef BURST_REASON_H
#define BURST_REASON_H

#include "optimizer/supply.h"

// A sentence that names the requirement which removed the last candidate; NULL when there is one.
// Caller frees.
char *reason_of(struct supply *s, uint32_t task);

#endif
