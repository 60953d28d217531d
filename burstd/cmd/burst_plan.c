// SPDX-License-Identifier: GPL-3.0-or-later
// `burst plan`: the optimizer for people and scripts. It runs in burst-solve, a process of its own:
// what a wild request may do to a linear-programming library shall not look like a crash of ours.
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/burst.h"
#include "cmd/catalog_dir.h"
#include "cmd/libexec.h"
#include "cmd/options.h"
#include "libburst/xalloc.h"

extern char **environ;

#define PLAN_FAILED 3 // neither a plan, nor a proof that there is none, nor a bad request

static void help(const char *name)
{
    puts("usage: burst plan [--catalog DIR] [--json] REQUEST.json\n"
         "\n"
         "Finds the cheapest (or fastest) places for the tasks of a request and proves it.\n"
         "  --catalog DIR  offers and prices (default: catalog_dir of burst.yaml, else the\n"
         "                 catalog that was installed)\n"
         "  --json         the answer as JSON\n"
         "REQUEST - is the standard input. The form of requests and answers: burst-plan(1).\n"
         "Exit status: 0 a plan, 1 there is none, 2 a bad request, 3 anything else.");
}

static int run_solver(char *const *argv)
{
    pid_t pid;
    int status, rc = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);

    if (rc != 0) {
        fprintf(stderr, "burst plan: cannot start %s: %s\n", argv[0], strerror(rc));
        return PLAN_FAILED;
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return PLAN_FAILED;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    fprintf(stderr, "burst plan: burst-solve was ended by signal %d\n", WTERMSIG(status));
    return PLAN_FAILED;
}

int cmd_plan(int argc, char **argv)
{
    const char *dir = NULL;
    bool json = false;
    const struct opt options[] = {{0, "catalog", .word = &dir}, {0, "json", .flag = &json}, {0}};
    int status = options_read(argc, argv, options, help);

    if (status < 0 && argc - optind != 1)
        status = cmd_usage(argv[0], "one request file is needed (- for standard input)");
    if (status >= 0)
        return status;
    char *solver = libexec_path("burst-solve"), *catalog = dir ? xstrdup(dir) : catalog_dir();
    char catalog_option[] = "--catalog", json_option[] = "--json", text_option[] = "--text";
    char end[] = "--";
    char *args[] = {solver, catalog_option, catalog,     json ? json_option : text_option,
                    end,    argv[optind],   (char *)NULL};
    int rc = run_solver(args);
    free(solver);
    free(catalog);
    return rc;
}
