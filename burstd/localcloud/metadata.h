// SPDX-License-Identifier: GPL-3.0-or-later
// The metadata address of an instance, http://169.254.169.254 inside it, in AWS's form
// (IMDSv2 with session tokens; requests without a token are answered too).
#ifndef LOCALCLOUD_METADATA_H
#define LOCALCLOUD_METADATA_H

#include <uv.h>

#include "libburst/error.h"
#include "localcloud/httpd.h"
#include "localcloud/instance.h"

struct metadata;

// Opens the address in the network namespace of i->machine.pid. i is borrowed for the life.
struct metadata *metadata_create(uv_loop_t *loop, const struct instance *i, burst_error_t *errp);
void metadata_destroy(struct metadata *m); // NULL is allowed

// The value of a path below /latest/meta-data/ or NULL (404); owned by the caller.
char *metadata_value(const struct instance *i, const char *path);

#endif
