// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of `burst catalog` and `burst plan` share.
#ifndef BURST_CMD_CATALOG_DIR_H
#define BURST_CMD_CATALOG_DIR_H

// catalog_dir of burst.yaml when that exists and can be read, else the catalog that was installed
// with the program. Caller frees.
char *catalog_dir(void);

// `burst catalog update`; argv[0] is "burst catalog update" for messages.
int catalog_update(int argc, char **argv);

#endif
