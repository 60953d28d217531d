// SPDX-License-Identifier: GPL-3.0-or-later
// Where the prices of a cloud come from: a fetcher (catalog/fetch/fetch.h), an address, a file.
#ifndef BURST_CMD_PRICE_SOURCE_H
#define BURST_CMD_PRICE_SOURCE_H

#include <stddef.h>

#include "libburst/error.h"

#define PRICE_FILE_MAX (256u << 20)

struct burst_conf;

// Reads the CSV of a cloud. where: NULL = fetch-CLOUD, else the fetcher of its provider; a name
// (fetch-NAME), an address, a file, a program, a directory with CLOUD.csv or CLOUD/vms.csv; {cloud}
// in it stands for the cloud. conf (may be NULL) tells a fetcher endpoint and credentials. *text
// and *source ("fetch-local, http://127.0.0.1:8700"; also set on most errors) are owned by the
// caller. A fetcher has 15 minutes; root starts it as SlurmUser.
int price_source_read(const struct burst_conf *conf, const char *cloud, const char *where,
                      char **text, size_t *len, char **source, burst_error_t *errp);

#endif
