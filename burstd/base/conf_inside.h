// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of the configuration, for conf*.c only.
#ifndef BURST_CONF_INSIDE_H
#define BURST_CONF_INSIDE_H

#include <arpa/inet.h>
#include <ctype.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/yamltab.h"
#include "libburst/fsutil.h"
#include "libburst/money.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

struct burst_conf;

#define DAY 86400
#define USD MONEY_PER_USD
#define MAX_MONEY (INT64_C(1000000000) * USD)

// Lines of a table of keys. The file defines AT(m), the offset of member m in the struct that its
// table fills; k is the key, d the default as it would be written, NULL: the key must be given.
#define LIST(k, m, d)                                                                              \
    {                                                                                              \
        .key = k, .kind = YT_LIST, .off = AT(m), .off_n = AT(n_##m), .dflt = d                     \
    }
#define TIME(k, m, d, lo, hi)                                                                      \
    {                                                                                              \
        .key = k, .kind = YT_DURATION, .off = AT(m), .dflt = d, .min = lo, .max = hi               \
    }
#define UINT(k, m, d, lo, hi)                                                                      \
    {                                                                                              \
        .key = k, .kind = YT_UINT, .off = AT(m), .dflt = d, .min = lo, .max = hi                   \
    }
#define CAP(k, m, d)                                                                               \
    {                                                                                              \
        .key = k, .kind = YT_MONEY, .off = AT(m), .dflt = d, .min = 0, .max = MAX_MONEY            \
    }
#define DIRECTORY(k, m, d)                                                                         \
    {                                                                                              \
        .key = k, .kind = YT_PATH, .off = AT(m), .dflt = d, .min = 1, .max = 4000                  \
    }
#define STRING(k, m, d, longest)                                                                   \
    {                                                                                              \
        .key = k, .kind = YT_STR, .off = AT(m), .dflt = d, .max = longest                          \
    }
#define SECTION(k, t)                                                                              \
    {                                                                                              \
        .key = k, .kind = YT_SECTION, .sub = t                                                     \
    }

// The tables of what burst.yaml has several of.
extern const struct yt_field conf_accel_table[], conf_shape_table[], conf_cloud_table[];

struct conf_check {
    struct yt *y;
    struct burst_conf *c;
    char place[128];
};

// A place such as "clouds[1].name" for yt_fail(); borrowed until the next call.
const char *conf_at(struct conf_check *k, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

// Looks at what was read as a whole: completes it, and reports what does not fit together.
void conf_check(struct yt *y, struct burst_conf *c);
// Its parts; they report with yt_fail().
void conf_check_accels(struct conf_check *k);
void conf_check_shapes(struct conf_check *k); // and fills in their names in the catalog
void conf_check_clouds(struct conf_check *k); // and fills in what follows from other values
// Only when nothing was reported so far: it compares all names with each other.
void conf_check_node_names(struct conf_check *k);

#endif
