// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of a graph of costs, for mrf*.c only.
#ifndef BURST_MRF_INSIDE_H
#define BURST_MRF_INSIDE_H

#include "optimizer/mrf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

#define NOTHING (MRF_INF * 4)

// out[i] = least over j of the plain pair(i, j) + h[j], nothing taken off, i in t.
void plain_least(struct mrf *m, const struct mrf_edge *e, uint32_t t, const double *h, double *out);
double least(const double *v, uint32_t n);
bool possible(double cost);
void raise_hub(struct mrf *m, struct mrf_hub *h, bool backwards);

#endif
