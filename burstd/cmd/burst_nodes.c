// SPDX-License-Identifier: GPL-3.0-or-later
// `burst nodes`: a table of the rented nodes.
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "burst.h"
#include "columns.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "text.h"

static void place_text(const cJSON *node, char *buf, size_t size)
{
    char place[TEXT_MAX];

    snprintf(buf, size, "%s", text_place(node, place));
}

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
    {'w', "place", "PLACE", COLUMN_OWN, NULL, place_text},
    {'c', "cloud", "CLOUD", COLUMN_TEXT, "cloud", NULL},
    {'R', "region", "REGION", COLUMN_TEXT, "region", NULL},
    {'z', "zone", "ZONE", COLUMN_TEXT, "zone", NULL},
    {'y', "type", "TYPE", COLUMN_TEXT, "instance_type", NULL},
    {'m', "market", "MARKET", COLUMN_TEXT, "market", NULL},
    {'s', "shape", "SHAPE", COLUMN_TEXT, "shape", NULL},
    {'o', "address", "ADDRESS", COLUMN_TEXT, "address", NULL},
    {'p', "price", "$/HOUR", COLUMN_MONEY, "price_uusd_per_hour", NULL},
    {'C', "cost", "COST", COLUMN_MONEY, "cost_uusd", NULL},
    {'S', "launched", "LAUNCHED", COLUMN_TIME, "launched", NULL},
    {'e', "ended", "ENDED", COLUMN_TIME, "ended", NULL},
    {'t', "uptime", "UPTIME", COLUMN_OWN, NULL, uptime_text},
    {'d', "idlesince", "IDLE_SINCE", COLUMN_TIME, "idle_since", NULL},
    {'n', "notice", "NOTICE", COLUMN_TIME, "notice_at", NULL},
    {'r', "reason", "REASON", COLUMN_TEXT, "reason", NULL},
    {0, NULL, NULL, COLUMN_TEXT, NULL, NULL},
};

#define DEFAULT_COLUMNS "node,instance,state,job,place,type,market,price,cost,uptime,reason"

// Names of nodes first, those that have none yet after them.
static int compare(const void *pa, const void *pb)
{
    const cJSON *a = *(cJSON *const *)pa, *b = *(cJSON *const *)pb;
    const char *na = json_str(a, "node", "\x7f"), *nb = json_str(b, "node", "\x7f");
    int c = strcmp(na, nb);

    return c ? c : strcmp(json_str(a, "instance", ""), json_str(b, "instance", ""));
}

static void sort(cJSON *nodes)
{
    int n = cJSON_GetArraySize(nodes);
    cJSON **v = xcalloc((size_t)n + 1, sizeof(*v));

    for (int i = 0; i < n; i++)
        v[i] = cJSON_DetachItemFromArray(nodes, 0);
    qsort(v, (size_t)n, sizeof(*v), compare);
    for (int i = 0; i < n; i++)
        cJSON_AddItemToArray(nodes, v[i]);
    free(v);
}

static void keep_cloud(cJSON *nodes, const char *cloud)
{
    cJSON *node = nodes->child;

    while (cloud && node) {
        cJSON *next = node->next;
        if (strcmp(json_str(node, "cloud", ""), cloud) != 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(nodes, node));
        node = next;
    }
}

static void help(void)
{
    puts("usage: burst nodes [OPTION ...]\n"
         "\n"
         "Lists the nodes that are rented now. Jobs of others are named to operators only.\n"
         "\n"
         "  -a, --all            ended ones too\n"
         "  -c, --cloud=CLOUD    only those of this cloud\n"
         "  -o, --format=FORMAT  columns by letter: \"%20N %.8T %p\"\n"
         "  -O, --Format=LIST    columns by name with width: \"node:20,state,price:.8\"\n"
         "  -h, --noheader       no line of titles\n"
         "      --json           everything, as JSON\n"
         "      --help           this text\n"
         "\n"
         "Columns:");
    columns_help(columns, stdout);
}

int cmd_nodes(int argc, char **argv)
{
    enum { OPT_JSON = 256, OPT_HELP };
    static const struct option options[] = {
        {"all", no_argument, NULL, 'a'},          {"cloud", required_argument, NULL, 'c'},
        {"format", required_argument, NULL, 'o'}, {"Format", required_argument, NULL, 'O'},
        {"noheader", no_argument, NULL, 'h'},     {"json", no_argument, NULL, OPT_JSON},
        {"help", no_argument, NULL, OPT_HELP},    {NULL, 0, NULL, 0},
    };
    struct columns_how how = {.dflt = DEFAULT_COLUMNS};
    const char *cloud = NULL;
    bool all = false, json = false;
    burst_error_t err;
    int opt, status;

    while ((opt = getopt_long(argc, argv, "ac:o:O:h", options, NULL)) != -1) {
        if (opt == 'a')
            all = true;
        else if (opt == 'c')
            cloud = optarg;
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
    if (optind < argc)
        return cmd_usage(argv[0], "\"%s\" is one word too many", argv[optind]);
    cJSON *params = cJSON_CreateObject();
    cJSON_AddBoolToObject(params, "all", all);
    cJSON *nodes = cmd_ask("nodes", params, &status);
    if (!nodes)
        return status;
    sort(nodes);
    keep_cloud(nodes, cloud);
    if (json)
        cmd_print_json(nodes);
    else if (columns_print(columns, &how, nodes, stdout, &err) < 0)
        status = cmd_usage(argv[0], "%s", err.text);
    cJSON_Delete(nodes);
    return status;
}
