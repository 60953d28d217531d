// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of a fleet, for fleet*.c only.
#ifndef LOCALCLOUD_FLEET_INSIDE_H
#define LOCALCLOUD_FLEET_INSIDE_H

#include "localcloud/fleet.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "localcloud/hostkey.h"
#include "localcloud/offers.h"

#define MAX_TAGS 32
#define MAX_TAG_LENGTH 256
#define MAX_NAME_LENGTH 127
#define MAX_KEY_LENGTH 4096
#define MAX_NOTICE_S 86400
#define FAULTS_FILE_MAX (256u << 10)

struct cloud {
    const struct conf_cloud *conf;
    struct offers *offers;
    struct faults *faults;
};

struct fleet {
    const struct conf *conf;
    const struct machine_ops *ops;
    void *ctx;
    char *dir; // of the instances' state files
    struct cloud *clouds;
    struct instance **list;
    size_t n, cap;
    uint32_t last_address; // given last; the search for a free one starts behind it
};

int fleet_fail(struct fleet_error *err, int status, const char *code, const char *fmt, ...);
int fleet_invalid(struct fleet_error *err, const char *text);
int64_t fleet_now_s(struct fleet *f);
bool fleet_lives(const struct instance *i);
bool fleet_of_cloud(const struct instance *i, const struct cloud *c);
// A state that cannot be written must not stop the cloud: what runs is more than what is written.
void fleet_save(struct fleet *f, const struct instance *i);
void fleet_append(struct fleet *f, struct instance *i);
// Takes an instance out of the books as if it had never been.
void fleet_forget(struct fleet *f, struct instance *i);
void fleet_ended(struct fleet *f, struct instance *i);
void fleet_stop(struct fleet *f, struct instance *i, const char *reason);

#endif
