// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of the configuration, for conf*.c only.
#ifndef BURST_CONF_INSIDE_H
#define BURST_CONF_INSIDE_H

#include "base/conf.h"

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
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

// Looks at what was read as a whole: completes it, and reports what does not fit together.
void conf_check(struct yt *y, struct burst_conf *c);

#endif
