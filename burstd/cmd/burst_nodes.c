// SPDX-License-Identifier: GPL-3.0-or-later
// `burst nodes`: a table of the rented nodes.
#include <stdio.h>
#include <string.h>

#include "cmd/burst.h"
#include "cmd/listing.h"
#include "libburst/clock.h"
#include "libburst/json.h"

static void uptime_text(const cJSON *node, char *buf, size_t size)
{
    int64_t from = json_i64(node, "launched", 0), to = json_i64(node, "ended", 0);
    char text[CLOCK_TEXT_MAX];

    if (from > 0)
        snprintf(buf, size, "%s", clock_duration((to ? to : clock_now_s()) - from, text));
}

static const struct column columns[] = {
    {'N', "node", "NODE", COLUMN_TEXT, "node", NULL},
    {'i', "instance", "INSTANCE", COLUMN_TEXT, "instance", NULL},
    {'I', "cloudid", "CLOUD_ID", COLUMN_TEXT, "cloud_id", NULL},
    {'T', "state", "STATE", COLUMN_TEXT, "state", NULL},
    {'j', "job", "JOB", COLUMN_TEXT, "job", NULL},
    LISTING_PLACE_COLUMNS,
    {'o', "address", "ADDRESS", COLUMN_TEXT, "address", NULL},
    {'S', "launched", "LAUNCHED", COLUMN_TIME, "launched", NULL},
    {'e', "ended", "ENDED", COLUMN_TIME, "ended", NULL},
    {'t', "uptime", "UPTIME", COLUMN_OWN, NULL, uptime_text},
    {'d', "idlesince", "IDLE_SINCE", COLUMN_TIME, "idle_since", NULL},
    {'n', "notice", "NOTICE", COLUMN_TIME, "notice_at", NULL},
    {'r', "reason", "REASON", COLUMN_TEXT, "reason", NULL},
    {'f', "failure", "FAILURE", COLUMN_TEXT, "failure", NULL},
    {0},
};

#define DEFAULT_COLUMNS "node,instance,state,job,place,type,market,price,cost,uptime,reason"
#define FAILED_COLUMNS "ended,failure,node,instance,place,type,market,shape,cost,uptime,reason"

// Names of nodes first, those that have none yet after them.
static int compare(const void *pa, const void *pb)
{
    const cJSON *a = *(cJSON *const *)pa, *b = *(cJSON *const *)pb;
    const char *na = json_str(a, "node", "\x7f"), *nb = json_str(b, "node", "\x7f");
    int c = strcmp(na, nb);

    return c ? c : strcmp(json_str(a, "instance", ""), json_str(b, "instance", ""));
}

static void help(const char *name)
{
    puts("usage: burst nodes [OPTION ...]\n"
         "\n"
         "Lists the nodes that are rented now. Jobs of others are named to operators only.\n"
         "\n"
         "  -a, --all            ended ones too\n"
         "  -f, --failed         those that failed (boot, join, stage-in, lost ...), ended ones "
         "too;\n"
         "                       one that did not come up never had a node of Slurm's\n"
         "  -c, --cloud=LIST     only those of these clouds");
    listing_help("%20N %.8T %p", "node:20,state,price:.8", "", columns);
}

int cmd_nodes(int argc, char **argv)
{
    struct listing l = {.method = "nodes",
                        .columns = columns,
                        .compare = compare,
                        .keep = {{.key = "cloud"}},
                        .how = {.dflt = DEFAULT_COLUMNS}};
    bool all = false, failed = false;
    const struct opt options[] = {{'a', "all", .flag = &all},
                                  {'f', "failed", .flag = &failed},
                                  {'c', "cloud", .word = &l.keep[0].list},
                                  LISTING_OPTIONS(l),
                                  {0}};
    int status = options_line(argc, argv, options, help, 0, 0, "");

    if (status >= 0)
        return status;
    cJSON *params = cJSON_CreateObject();
    cJSON_AddBoolToObject(params, "all", all);
    if (failed) {
        cJSON_AddTrueToObject(params, "failed");
        l.how.dflt = FAILED_COLUMNS;
    }
    return listing_show(&l, argv[0], params, NULL);
}
