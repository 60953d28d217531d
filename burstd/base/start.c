// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/start.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

int start_no_core(void)
{
    return setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

void start_with_secrets(void)
{
    prctl(PR_SET_DUMPABLE, 0);
    start_no_core();
    signal(SIGPIPE, SIG_IGN);
}
