// SPDX-License-Identifier: GPL-3.0-or-later
// `burst jobs`: a table of the jobs that burstd looks after.
#include "burst_jobs.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "burst.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "text.h"

static void place_text(const cJSON *job, char *buf, size_t size)
{
    char place[TEXT_MAX];

    snprintf(buf, size, "%s", text_place(job, place));
}

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
    {'w', "place", "PLACE", COLUMN_OWN, NULL, place_text},
    {'c', "cloud", "CLOUD", COLUMN_TEXT, "cloud", NULL},
    {'R', "region", "REGION", COLUMN_TEXT, "region", NULL},
    {'z', "zone", "ZONE", COLUMN_TEXT, "zone", NULL},
    {'y', "type", "TYPE", COLUMN_TEXT, "instance_type", NULL},
    {'m', "market", "MARKET", COLUMN_TEXT, "market", NULL},
    {'s', "shape", "SHAPE", COLUMN_TEXT, "shape", NULL},
    {'p', "price", "$/HOUR", COLUMN_MONEY, "price_uusd_per_hour", NULL},
    {'C', "cost", "COST", COLUMN_MONEY, "cost_uusd", NULL},
    {'M', "maxcost", "MAX_COST", COLUMN_MONEY, "max_cost_uusd", NULL},
    {'L', "deadline", "DEADLINE", COLUMN_TIME, "deadline", NULL},
    {'x', "restarts", "RESTARTS", COLUMN_NUMBER, "restarts", NULL},
    {'b', "mode", "BURST", COLUMN_TEXT, "mode", NULL},
    {'H', "history", "HISTORY", COLUMN_TEXT, "history", NULL},
    {0, NULL, NULL, COLUMN_TEXT, NULL, NULL},
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
    int n = cJSON_GetArraySize(jobs);
    cJSON **v = xcalloc((size_t)n + 1, sizeof(*v));

    for (int i = 0; i < n; i++)
        v[i] = cJSON_DetachItemFromArray(jobs, 0);
    qsort(v, (size_t)n, sizeof(*v), compare_jobs);
    for (int i = 0; i < n; i++)
        cJSON_AddItemToArray(jobs, v[i]);
    free(v);
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

static bool listed(const char *list, const char *word)
{
    size_t len = strlen(word);

    while (*list) {
        size_t n = strcspn(list, ",");
        if (n == len && strncasecmp(list, word, n) == 0)
            return true;
        list += n + (list[n] == ',');
    }
    return false;
}

static void filter(cJSON *jobs, const char *key, const char *list)
{
    cJSON *job = jobs->child;

    while (list && job) {
        cJSON *next = job->next;
        if (!listed(list, json_str(job, key, "")))
            cJSON_Delete(cJSON_DetachItemViaPointer(jobs, job));
        job = next;
    }
}

static void help(void)
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
         "  -c, --cloud=LIST     only these clouds\n"
         "  -o, --format=FORMAT  columns by letter as in squeue: \"%.10i %9c %T\"\n"
         "  -O, --Format=LIST    columns by name with width: \"jobid:10,cloud,cost:.8\"\n"
         "  -h, --noheader       no line of titles\n"
         "      --json           everything, as JSON\n"
         "      --help           this text\n"
         "\n"
         "Columns:");
    columns_help(job_columns, stdout);
}

int cmd_jobs(int argc, char **argv)
{
    enum { OPT_JSON = 256, OPT_HELP };
    static const struct option options[] = {
        {"all", no_argument, NULL, 'a'},          {"states", required_argument, NULL, 't'},
        {"user", required_argument, NULL, 'u'},   {"cloud", required_argument, NULL, 'c'},
        {"format", required_argument, NULL, 'o'}, {"Format", required_argument, NULL, 'O'},
        {"noheader", no_argument, NULL, 'h'},     {"json", no_argument, NULL, OPT_JSON},
        {"help", no_argument, NULL, OPT_HELP},    {NULL, 0, NULL, 0},
    };
    struct columns_how how = {.dflt = DEFAULT_COLUMNS};
    const char *states = NULL, *users = NULL, *clouds = NULL;
    bool all = false, json = false;
    burst_error_t err;
    int opt, status;

    while ((opt = getopt_long(argc, argv, "at:u:c:o:O:h", options, NULL)) != -1) {
        if (opt == 'a')
            all = true;
        else if (opt == 't')
            states = optarg;
        else if (opt == 'u')
            users = optarg;
        else if (opt == 'c')
            clouds = optarg;
        else if (opt == 'o')
            how.letters = optarg;
        else if (opt == 'O')
            how.names = optarg;
        else if (opt == 'h')
            how.noheader = true;
        else if (opt == OPT_JSON)
            json = true;
        else if (opt == OPT_HELP)
            return help(), CMD_OK;
        else
            return CMD_USAGE;
    }
    if (argc - optind > 1)
        return cmd_usage(argv[0], "one job at a time; got \"%s\" and \"%s\"", argv[optind],
                         argv[optind + 1]);
    cJSON *params = cJSON_CreateObject();
    cJSON_AddBoolToObject(params, "all", all);
    if (optind < argc)
        json_add_str(params, "job", argv[optind]);
    cJSON *jobs = cmd_ask("jobs", params, &status);
    if (!jobs)
        return status;
    jobs_sort(jobs);
    filter(jobs, "state", states);
    filter(jobs, "user", users);
    filter(jobs, "cloud", clouds);
    if (json)
        cmd_print_json(jobs);
    else if (columns_print(job_columns, &how, jobs, stdout, &err) < 0)
        status = cmd_usage(argv[0], "%s", err.text);
    if (optind < argc && cJSON_GetArraySize(jobs) == 0 && status == CMD_OK) {
        fprintf(stderr, "burst: burstd knows no job %s of yours\n", argv[optind]);
        status = CMD_REFUSED;
    }
    cJSON_Delete(jobs);
    return status;
}
