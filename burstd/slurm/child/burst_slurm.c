// SPDX-License-Identifier: GPL-3.0-or-later
// burst-slurm: everything of burstd that needs libslurm, as a child of it, because libslurm blocks,
// prints on stderr and ends the process when it does not like something. Speaks JSON lines, see
// docs/design/internals.md, section 6. Ends when stdin ends.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "slurm/child/command.h"
#include "slurm/child/compat_slurm.h"
#include "slurm/child/lineio.h"
#include "slurm/child/watch.h"

static int usage(FILE *to, int status)
{
    fprintf(to, "usage: burst-slurm [--conf FILE] [--poll-ms N] watch|command\n"
                "A helper of burstd: reads and writes JSON lines.\n");
    return status;
}

static int number(const char *s, int min, int max)
{
    char *end;
    long v = strtol(s, &end, 10);

    return *s && !*end && v >= min && v <= max ? (int)v : -1;
}

int main(int argc, char **argv)
{
    static const struct option longopts[] = {{"conf", required_argument, NULL, 'c'},
                                             {"poll-ms", required_argument, NULL, 'p'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};
    const char *conf = NULL;
    int poll_ms = 1000, c;

    while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
        if (c == 'h')
            return usage(stdout, 0);
        if (c == 'c')
            conf = optarg;
        else if (c == 'p' && (poll_ms = number(optarg, 10, 60000)) > 0)
            continue;
        else
            return usage(stderr, 2);
    }
    if (argc - optind != 1)
        return usage(stderr, 2);
    bool watch = strcmp(argv[optind], "watch") == 0;
    if (!watch && strcmp(argv[optind], "command") != 0)
        return usage(stderr, 2);

    // libslurm would look for a controller that hands out its configuration, for a minute.
    if (conf && access(conf, R_OK) < 0) {
        fprintf(stderr, "error: cannot read %s: %s\n", conf, strerror(errno));
        return 1;
    }

    signal(SIGPIPE, SIG_IGN);
    // libslurm cuts lists of array tasks at 64 characters unless told otherwise.
    setenv("SLURM_BITSTR_LEN", "0", 1);
    lineio_init();
    slurm_init(conf); // ends the process when there is no usable slurm.conf
    int status = watch ? watch_run(poll_ms) : command_run();
    fflush(NULL);
    _exit(status); // libslurm's tables and plugins are not worth tidying up
}
