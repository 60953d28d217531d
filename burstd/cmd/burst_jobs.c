// SPDX-License-Identifier: GPL-3.0-or-later
// `burst jobs`: a table of the jobs that burstd looks after.
#include "cmd/burst_jobs.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/burst.h"
#include "cmd/listing.h"
#include "libburst/json.h"

const struct column job_columns[] = {
    {'i', "jobid", "JOBID", COLUMN_TEXT, "job", NULL},
    {'A', "rawjobid", "RAW_ID", COLUMN_NUMBER, "job_id", NULL},
    {'j', "name", "NAME", COLUMN_TEXT, "name", NULL},
    {'u', "username", "USER", COLUMN_TEXT, "user", NULL},
    {'U', "userid", "UID", COLUMN_NUMBER, "uid", NULL},
    {'a', "account", "ACCOUNT", COLUMN_TEXT, "account", NULL},
    {'P', "partition", "PARTITION", COLUMN_TEXT, "partition", NULL},
    {'O', "origin", "ORIGIN", COLUMN_TEXT, "origin", NULL},
    {'T', "state", "STATE", COLUMN_TEXT, "state", NULL},
    {'r', "reason", "REASON", COLUMN_TEXT, "reason", NULL},
    {'V', "submittime", "SUBMIT_TIME", COLUMN_TIME, "submit", NULL},
    {'S', "starttime", "START_TIME", COLUMN_TIME, "started", NULL},
    {'e', "endtime", "END_TIME", COLUMN_TIME, "ended", NULL},
    {'N', "nodelist", "NODELIST", COLUMN_LIST, "nodes", NULL},
    {'D', "numnodes", "NODES", COLUMN_LENGTH, "nodes", NULL},
    LISTING_PLACE_COLUMNS,
    {'M', "maxcost", "MAX_COST", COLUMN_MONEY, "max_cost_uusd", NULL},
    {'L', "deadline", "DEADLINE", COLUMN_TIME, "deadline", NULL},
    {'x', "restarts", "RESTARTS", COLUMN_NUMBER, "restarts", NULL},
    {'b', "mode", "BURST", COLUMN_TEXT, "mode", NULL},
    {'H', "history", "HISTORY", COLUMN_TEXT, "history", NULL},
    {0},
};

#define DEFAULT_COLUMNS "jobid,name,username,state,place,type,market,numnodes,cost,reason"

static int compare_jobs(const void *pa, const void *pb)
{
    const cJSON *a = *(cJSON *const *)pa, *b = *(cJSON *const *)pb;
    const char *ka = json_str(a, "job", ""), *kb = json_str(b, "job", "");
    unsigned long na = strtoul(ka, NULL, 10), nb = strtoul(kb, NULL, 10);

    if (na != nb)
        return na < nb ? -1 : 1;
    na = strchr(ka, '_') ? strtoul(strchr(ka, '_') + 1, NULL, 10) : 0;
    nb = strchr(kb, '_') ? strtoul(strchr(kb, '_') + 1, NULL, 10) : 0;
    return na != nb ? (na < nb ? -1 : 1) : strcmp(ka, kb);
}

void jobs_sort(cJSON *jobs)
{
    listing_sort(jobs, compare_jobs);
}

bool job_is_bursting(const cJSON *job)
{
    static const char *const states[] = {"planned",  "securing", "placed",
                                         "starting", "running",  "stageout"};

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(json_str(job, "state", ""), states[i]) == 0)
            return true;
    return false;
}

static void help(const char *name)
{
    puts("usage: burst jobs [OPTION ...] [JOBID]\n"
         "\n"
         "Lists the jobs that may leave the local cluster or have left it: your own, or all of\n"
         "them for operators.\n"
         "\n"
         "  -a, --all            ended ones too\n"
         "  -t, --states=LIST    only these states: watching candidate planned securing placed\n"
         "                       starting running stageout done local released refused\n"
         "  -u, --user=LIST      only these users\n"
         "  -c, --cloud=LIST     only these clouds");
    listing_help("%.10i %9c %T", "jobid:10,cloud,cost:.8", "", job_columns);
}

int cmd_jobs(int argc, char **argv)
{
    struct listing l = {.method = "jobs",
                        .columns = job_columns,
                        .compare = compare_jobs,
                        .keep = {{.key = "state"}, {.key = "user"}, {.key = "cloud"}},
                        .how = {.dflt = DEFAULT_COLUMNS}};
    bool all = false;
    const struct opt options[] = {{'a', "all", .flag = &all},
                                  {'t', "states", .word = &l.keep[0].list},
                                  {'u', "user", .word = &l.keep[1].list},
                                  {'c', "cloud", .word = &l.keep[2].list},
                                  LISTING_OPTIONS(l),
                                  {0}};
    int status = options_line(argc, argv, options, help, 0, 1, ""), n_rows;

    if (status >= 0)
        return status;
    const char *one = argv[optind]; // NULL = none named
    cJSON *params = cJSON_CreateObject();
    cJSON_AddBoolToObject(params, "all", all);
    if (one)
        json_add_str(params, "job", one);
    status = listing_show(&l, argv[0], params, &n_rows);
    if (one && n_rows == 0 && status == CMD_OK) {
        fprintf(stderr, "burst: burstd knows no job %s of yours\n", one);
        status = CMD_REFUSED;
    }
    return status;
}
