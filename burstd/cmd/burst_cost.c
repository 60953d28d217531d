// SPDX-License-Identifier: GPL-3.0-or-later
// `burst cost`: the ledger, summed. What jobs used and what nobody used (booting, idle) stand side
// by side, so that the total is the cloud's bill.
#include <getopt.h>
#include <string.h>
#include <time.h>

#include "burst.h"
#include "columns.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "text.h"

static const struct column columns[] = {
    {'k', "key", "", COLUMN_TEXT, "key", NULL},
    {'D', "nodes", "NODES", COLUMN_NUMBER, "nodes", NULL},
    {'t', "time", "NODE_TIME", COLUMN_DURATION, "seconds", NULL},
    {'J', "jobs", "JOBS", COLUMN_MONEY, "busy_uusd", NULL},
    {'I', "overhead", "BOOT+IDLE", COLUMN_MONEY, "overhead_uusd", NULL},
    {'X', "transfer", "TRANSFER", COLUMN_MONEY, "transfer_uusd", NULL},
    {'C', "total", "TOTAL", COLUMN_MONEY, "total_uusd", NULL},
    {0, NULL, NULL, COLUMN_TEXT, NULL, NULL},
};

#define DEFAULT_COLUMNS "key,nodes,time,jobs,overhead,transfer,total"

static int64_t month_start(int64_t now)
{
    time_t t = (time_t)now;
    struct tm tm;

    if (!localtime_r(&t, &tm))
        return 0;
    tm.tm_mday = 1;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm);
}

static void help(void)
{
    puts("usage: burst cost [OPTION ...]\n"
         "\n"
         "Sums what was spent since the first of this month: your own jobs, or everything for\n"
         "operators. BOOT+IDLE is what rented nodes cost while no job used them.\n"
         "\n"
         "  -b, --by=WHAT        cloud (default), partition, user, account, job or market\n"
         "  -S, --start=TIME     2026-12-01, 2026-12-01T10:00, today, now-7days\n"
         "  -E, --end=TIME       default: now\n"
         "  -o, --format=FORMAT  columns by letter: \"%10k %.9C\"\n"
         "  -O, --Format=LIST    columns by name with width: \"key:12,total:.9\"\n"
         "  -h, --noheader       no line of titles and no sum\n"
         "      --json           as JSON, in micro-dollars\n"
         "      --help           this text\n"
         "\n"
         "Columns:");
    columns_help(columns, stdout);
}

static void add_sum(cJSON *rows, const char *label)
{
    static const char *const keys[] = {"nodes",         "seconds",       "busy_uusd",
                                       "overhead_uusd", "transfer_uusd", "total_uusd"};
    cJSON *sum = cJSON_CreateObject();
    const cJSON *row;

    json_add_str(sum, "key", label);
    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        int64_t n = 0;
        cJSON_ArrayForEach(row, rows) n += json_i64(row, keys[k], 0);
        json_add_i64(sum, keys[k], n);
    }
    cJSON_AddItemToArray(rows, sum);
}

static int print(const cJSON *result, const char *by, const struct columns_how *how,
                 burst_error_t *errp)
{
    struct column own[sizeof(columns) / sizeof(columns[0])];
    cJSON *rows = cJSON_GetObjectItemCaseSensitive(result, "rows");
    char title[32];

    memcpy(own, columns, sizeof(columns));
    snprintf(title, sizeof(title), "%s", by);
    for (char *p = title; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    own[0].title = title;
    if (!how->noheader && cJSON_GetArraySize(rows) > 1)
        add_sum(rows, "all");
    return columns_print(own, how, rows, stdout, errp);
}

int cmd_cost(int argc, char **argv)
{
    enum { OPT_JSON = 256, OPT_HELP };
    static const struct option options[] = {
        {"by", required_argument, NULL, 'b'},
        {"start", required_argument, NULL, 'S'},
        {"end", required_argument, NULL, 'E'},
        {"format", required_argument, NULL, 'o'},
        {"Format", required_argument, NULL, 'O'},
        {"noheader", no_argument, NULL, 'h'},
        {"json", no_argument, NULL, OPT_JSON},
        {"help", no_argument, NULL, OPT_HELP},
        {NULL, 0, NULL, 0},
    };
    static const char *const keys[] = {"cloud", "partition", "user", "account", "job", "market"};
    struct columns_how how = {.dflt = DEFAULT_COLUMNS};
    int64_t now = clock_now_s(), start = month_start(now), end = 0;
    const char *by = "cloud";
    bool json = false, known = false;
    burst_error_t err;
    int opt, status;

    while ((opt = getopt_long(argc, argv, "b:S:E:o:O:h", options, NULL)) != -1) {
        if (opt == 'b')
            by = optarg;
        else if (opt == 'S' || opt == 'E') {
            if (text_parse_time(optarg, now, opt == 'S' ? &start : &end) < 0)
                return cmd_usage(argv[0],
                                 "\"%s\" is no time; write 2026-12-01, 2026-12-01T10:00, today or "
                                 "now-7days",
                                 optarg);
        } else if (opt == 'o')
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
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        known = known || strcmp(keys[i], by) == 0;
    if (!known)
        return cmd_usage(
            argv[0], "cannot sum by \"%s\"; possible: cloud partition user account job market", by);
    if (optind < argc)
        return cmd_usage(argv[0], "\"%s\" is one word too many", argv[optind]);
    if (end && end <= start)
        return cmd_usage(argv[0], "the end lies before the start");
    cJSON *params = cJSON_CreateObject();
    json_add_str(params, "by", by);
    json_add_i64(params, "start", start);
    if (end)
        json_add_i64(params, "end", end);
    cJSON *result = cmd_ask("cost", params, &status);
    if (!result)
        return status;
    if (json)
        cmd_print_json(result);
    else if (print(result, by, &how, &err) < 0)
        status = cmd_usage(argv[0], "%s", err.text);
    cJSON_Delete(result);
    return status;
}
