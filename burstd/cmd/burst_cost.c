// SPDX-License-Identifier: GPL-3.0-or-later
// `burst cost`: the ledger, summed. What jobs used and what nobody used (booting, idle) stand side
// by side, so that the total is the cloud's bill.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/burst.h"
#include "cmd/listing.h"
#include "cmd/text.h"
#include "libburst/clock.h"
#include "libburst/json.h"

static const struct column columns[] = {
    {'k', "key", "", COLUMN_TEXT, "key", NULL},
    {'D', "nodes", "NODES", COLUMN_NUMBER, "nodes", NULL},
    {'t', "time", "NODE_TIME", COLUMN_DURATION, "seconds", NULL},
    {'J', "jobs", "JOBS", COLUMN_MONEY, "busy_uusd", NULL},
    {'I', "overhead", "BOOT+IDLE", COLUMN_MONEY, "overhead_uusd", NULL},
    {'X', "transfer", "TRANSFER", COLUMN_MONEY, "transfer_uusd", NULL},
    {'C', "total", "TOTAL", COLUMN_MONEY, "total_uusd", NULL},
    {0},
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

static void help(const char *name)
{
    puts("usage: burst cost [OPTION ...]\n"
         "\n"
         "Sums what was spent since the first of this month: your own jobs, or everything for\n"
         "operators. BOOT+IDLE is what rented nodes cost while no job used them.\n"
         "\n"
         "  -b, --by=WHAT        cloud (default), partition, user, account, job or market\n"
         "  -S, --start=TIME     2026-12-01, 2026-12-01T10:00, today, now-7days\n"
         "  -E, --end=TIME       default: now");
    listing_help("%10k %.9C", "key:12,total:.9", " and no sum", columns);
}

// Every column but the key is a number that can be added up.
static void add_sum(cJSON *rows, const char *label)
{
    cJSON *sum = cJSON_CreateObject();
    const cJSON *row;

    json_add_str(sum, "key", label);
    for (const struct column *c = columns; c->name; c++) {
        int64_t n = 0;
        if (c->kind == COLUMN_TEXT)
            continue;
        cJSON_ArrayForEach(row, rows) n += json_i64(row, c->key, 0);
        json_add_i64(sum, c->key, n);
    }
    cJSON_AddItemToArray(rows, sum);
}

static int print(const struct listing *l, const char *name, const char *by, const cJSON *result)
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
    if (!l->json && !l->how.noheader && cJSON_GetArraySize(rows) > 1)
        add_sum(rows, "all");
    return listing_print(l, name, own, rows, result);
}

static bool can_sum_by(const char *by)
{
    static const char *const keys[] = {"cloud", "partition", "user", "account", "job", "market"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(keys[i], by) == 0)
            return true;
    return false;
}

// -1 = fine, else the exit status.
static int read_time(const char *name, const char *text, int64_t now, int64_t *epoch_s)
{
    if (!text || text_parse_time(text, now, epoch_s) == 0)
        return -1;
    return cmd_usage(
        name, "\"%s\" is no time; write 2026-12-01, 2026-12-01T10:00, today or now-7days", text);
}

int cmd_cost(int argc, char **argv)
{
    struct listing l = {.how = {.dflt = DEFAULT_COLUMNS}};
    int64_t now = clock_now_s(), start = month_start(now), end = 0;
    const char *by = "cloud", *from = NULL, *to = NULL;
    const struct opt options[] = {{'b', "by", .word = &by},
                                  {'S', "start", .word = &from},
                                  {'E', "end", .word = &to},
                                  LISTING_OPTIONS(l),
                                  {0}};
    int status = options_line(argc, argv, options, help, 0, 0, "");

    if (status < 0)
        status = read_time(argv[0], from, now, &start);
    if (status < 0)
        status = read_time(argv[0], to, now, &end);
    if (status >= 0)
        return status;
    if (!can_sum_by(by))
        return cmd_usage(
            argv[0], "cannot sum by \"%s\"; possible: cloud partition user account job market", by);
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
    status = print(&l, argv[0], by, result);
    cJSON_Delete(result);
    return status;
}
