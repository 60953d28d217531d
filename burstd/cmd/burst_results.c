// SPDX-License-Identifier: GPL-3.0-or-later
// `burst results`: what could not come home when a job ended, and brings it there. Runs with the
// rights of the user alone: the archives are his.
#include <getopt.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/burst.h"
#include "cmd/kept.h"
#include "cmd/listing.h"
#include "cmd/text.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

static const struct column columns[] = {
    {'i', "job", "JOBID", COLUMN_TEXT, "job", NULL},
    {'N', "node", "NODE", COLUMN_TEXT, "node", NULL},
    {'f', "files", "FILES", COLUMN_NUMBER, "files", NULL},
    {'b', "bytes", "BYTES", COLUMN_NUMBER, "bytes", NULL},
    {'s', "size", "ARCHIVE_BYTES", COLUMN_NUMBER, "size", NULL},
    {'K', "kept", "KEPT", COLUMN_TIME, "time", NULL},
    {'A', "archive", "ARCHIVE", COLUMN_TEXT, "archive", NULL},
    {'r', "reason", "REASON", COLUMN_TEXT, "why", NULL},
    {0},
};

#define DEFAULT_COLUMNS "job,node,files,bytes,kept,reason"

static void help(const char *name)
{
    puts("usage: burst results [OPTION ...]\n"
         "       burst results [--keep] JOBID ...\n"
         "\n"
         "Results that could not be written to their places when a job ended on a rented node (a "
         "quota,\n"
         "a directory that is gone) are kept for you. Without JOBID they are listed; with it they "
         "are\n"
         "brought to their places, and then removed from where they were kept. To put them "
         "elsewhere:\n"
         "tar -xzf ARCHIVE -C DIRECTORY, with the ARCHIVE of `burst results -o \"%A\"`.\n"
         "\n"
         "  -k, --keep           they stay where they are kept, too\n"
         "  -u, --user NAME      lists those of another user (root)\n"
         "      --dir DIRECTORY  where the site keeps results, when burstd cannot be asked");
    listing_help("%i %A", "job:12,reason:60", "", columns);
}

// Below it the users have theirs; caller frees.
static char *site_dir(const char *given)
{
    burst_error_t err;
    char *dir = NULL;
    int status;

    if (given)
        return xstrdup(given);
    cJSON *answer = cmd_try("results", cJSON_CreateObject(), &status, &err);
    if (answer)
        dir = xstrdup(json_str(answer, "dir", BURST_RESULTSDIR));
    cJSON_Delete(answer);
    return dir ? dir : xstrdup(BURST_RESULTSDIR);
}

// "12" is also all tasks of the array 12.
static bool of_job(const cJSON *row, const char *job)
{
    const char *its = json_str(row, "job", "");
    size_t n = strlen(job);

    return strncmp(its, job, n) == 0 && (!its[n] || its[n] == '_');
}

static int bring_one(const cJSON *row, const char *home, bool keep)
{
    struct stage_totals t;
    burst_error_t err;
    char safe[TEXT_MAX], node[TEXT_MAX];

    text_safe(json_str(row, "node", ""), node, sizeof(node));
    if (kept_bring_home(row, home, &t, &err) < 0) {
        fprintf(stderr,
                "burst: job %s, results of %s: %s\n"
                "burst: they are still kept; make room and try again, or see `burst results "
                "--help`\n",
                json_str(row, "job", ""), node, err.text);
        return CMD_REFUSED;
    }
    printf("job %s, results of %s: %" PRId64 " files, %" PRId64 " bytes are in their places\n",
           json_str(row, "job", ""), node, t.files, t.bytes);
    if (t.skipped)
        printf("  %" PRId64
               " were left out (they lead out of the job's directories, or are dot files of "
               "your home), the first: %s\n",
               t.skipped, text_safe(t.first_skipped, safe, sizeof(safe)));
    if (keep || t.skipped) {
        printf("  the archive stays: %s\n", json_str(row, "archive", ""));
    } else if (kept_remove(row, &err) < 0) {
        fprintf(stderr, "burst: %s\n", err.text);
        return CMD_REFUSED;
    }
    return CMD_OK;
}

static int bring(const cJSON *rows, const char *job, const char *home, bool keep)
{
    const cJSON *row;
    int rc = CMD_OK;
    unsigned n = 0;

    cJSON_ArrayForEach(row, rows)
    {
        if (!of_job(row, job))
            continue;
        n++;
        int one = bring_one(row, home, keep);
        if (one > rc)
            rc = one;
    }
    if (n > 0)
        return rc;
    fprintf(stderr,
            "burst: no results of a job %s of yours are kept (burst why %s says what became "
            "of them)\n",
            job, job);
    return CMD_REFUSED;
}

static int run(struct listing *l, const char *name, int n_jobs, char **jobs, const char *user,
               const char *dir, bool keep)
{
    const struct passwd *pw = user ? getpwnam(user) : getpwuid(getuid());
    burst_error_t err;
    int rc = CMD_OK;

    if (!pw) {
        fprintf(stderr, "burst: user %s is not known here\n", user ? user : "(you)");
        return CMD_REFUSED;
    }
    if (n_jobs && (user || getuid() == 0)) {
        fprintf(stderr,
                "burst: results are brought home by their owner: sudo -u %s burst results "
                "%s\n",
                user ? user : "USER", jobs[0]);
        return CMD_REFUSED;
    }
    char *owner = xstrdup(pw->pw_name), *home = xstrdup(pw->pw_dir), *site = site_dir(dir);
    char *mine = xasprintf("%s/%s", site, owner);
    cJSON *rows = kept_rows(mine, &err);
    if (!rows) {
        fprintf(stderr, "burst: %s\n", err.text);
        rc = CMD_REFUSED;
    } else if (!n_jobs) {
        rc = listing_print(l, name, columns, rows, rows);
    }
    for (int i = 0; rows && i < n_jobs; i++) {
        int one = bring(rows, jobs[i], home, keep);
        if (one > rc)
            rc = one;
    }
    cJSON_Delete(rows);
    free(mine);
    free(site);
    free(home);
    free(owner);
    return rc;
}

int cmd_results(int argc, char **argv)
{
    struct listing l = {.columns = columns, .how = {.dflt = DEFAULT_COLUMNS}};
    const char *user = NULL, *dir = NULL;
    bool keep = false;
    const struct opt options[] = {{'k', "keep", .flag = &keep},
                                  {'u', "user", .word = &user},
                                  {0, "dir", .word = &dir},
                                  LISTING_OPTIONS(l),
                                  {0}};
    int status = options_line(argc, argv, options, help, 0, argc, "");

    if (status >= 0)
        return status;
    return run(&l, argv[0], argc - optind, argv + optind, user, dir, keep);
}
