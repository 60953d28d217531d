// SPDX-License-Identifier: GPL-3.0-or-later
// `burst check`: does the catalog have prices for what burst.yaml wants to rent?
#ifndef BURST_CMD_CHECK_CATALOG_H
#define BURST_CMD_CHECK_CATALOG_H

struct check;

// Rows that are left out, clouds without prices, shapes that no instance type of a cloud fits.
void check_catalog(struct check *k);

#endif
