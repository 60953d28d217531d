// SPDX-License-Identifier: GPL-3.0-or-later
// Which catalog `burst catalog` and `burst plan` look into when the command line names none.
#ifndef BURST_CMD_CATALOG_DIR_H
#define BURST_CMD_CATALOG_DIR_H

// catalog_dir of burst.yaml when that exists and can be read, else the catalog that was installed
// with the program. Caller frees.
char *catalog_dir(void);

#endif
