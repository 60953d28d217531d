// SPDX-License-Identifier: GPL-3.0-or-later
// An on-demand price per accelerator under 0.6 of the median of the same cloud and accelerator is
// quarantined: public catalogs have carried prices that no cloud ever asked (an accelerator priced
// like its host), and a planner would send every job there. The rule also hits the small sizes of
// some families, whose larger sizes carry more than the accelerator: what a site has looked at and
// found to be right it lists in accepted.txt (cloud/INSTANCE patterns, one a line).
#ifndef BURST_CATALOG_QUARANTINE_H
#define BURST_CATALOG_QUARANTINE_H

#include "catalog/builder.h"

#define ACCEPTED_NAME "accepted.txt"

// Reads accepted.txt of a directory, if there is one.
void quarantine_accepted(struct builder *b, const char *dir);
// Marks and reports rows of one cloud: those from first_row on.
void quarantine_rows(struct builder *b, size_t first_row);

#endif
