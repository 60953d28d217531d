// SPDX-License-Identifier: GPL-3.0-or-later
// `burst status`: one screen that says what runs on rented nodes, why, and what it costs.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/burst.h"
#include "cmd/burst_jobs.h"
#include "cmd/listing.h"
#include "cmd/text.h"
#include "libburst/clock.h"
#include "libburst/json.h"

#define JOBS_SHOWN 10
#define PLACES_SHOWN 5

#define JOB_COLUMNS "jobid,name,username,state,place,type,market,numnodes,price,cost,reason"

struct phrase {
    const char *state; // key in the counts
    const char *text;  // what the screen says
};

static const struct phrase job_phrases[] = {
    {"running", "running on rented nodes"},
    {"stageout", "bringing results home"},
    {"starting", "starting"},
    {"placed", "placed, Slurm starts them"},
    {"securing", "getting their nodes"},
    {"planned", "planned"},
    {"candidate", "looking for a place"},
    {"staying", "waiting here, as that costs less"},
    {"watching", "at home, may burst"},
    {"local", "at home for good"},
    {"released", "back at home"},
    {"refused", "refused"},
};

static const struct phrase node_phrases[] = {
    {"busy", "busy"},          {"idle", "idle"},           {"joined", "joined"},
    {"bound", "joining"},      {"ready", "ready"},         {"up", "being prepared"},
    {"launched", "booting"},   {"launching", "launching"}, {"planned", "planned"},
    {"draining", "draining"},  {"lost", "lost"},           {"failed", "failed"},
    {"terminating", "ending"},
};

// "3 busy, 1 idle", or otherwise.
static void print_counts(const char *title, const cJSON *counts, const struct phrase *p, size_t n,
                         const char *otherwise)
{
    bool any = false;

    printf("%-8s", title);
    for (size_t i = 0; i < n; i++) {
        int64_t count = json_i64(counts, p[i].state, 0);
        if (count <= 0)
            continue;
        printf("%s%" PRId64 " %s", any ? ", " : "", count, p[i].text);
        any = true;
    }
    puts(any ? "" : otherwise);
}

static void print_head(const cJSON *s)
{
    const cJSON *slurm = cJSON_GetObjectItemCaseSensitive(s, "slurm");
    char up[TEXT_MAX], seen[TEXT_MAX], safe[TEXT_MAX];
    int64_t now = clock_now_s(), last = json_i64(slurm, "last_update", 0);

    printf("Cluster %s, burstd %s up for %s. ", text_safe(json_str(s, "cluster", "?"), safe, 64),
           json_str(s, "version", "?"), text_duration(now - json_i64(s, "started", now), up));
    if (json_bool(slurm, "connected", false))
        puts("Slurm answers.");
    else if (last > 0)
        printf("SLURM DOES NOT ANSWER since %s: nothing new is rented.\n", text_time(last, seen));
    else
        puts("SLURM HAS NOT ANSWERED YET: nothing is rented.");
}

// Instances at a cloud that bear our tag and that the journal has never known.
static void print_strangers(const cJSON *s)
{
    const cJSON *row;
    char where[TEXT_MAX], id[TEXT_MAX], at[TEXT_MAX];

    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(s, "strangers")) printf(
        "UNKNOWN instance %s at %s, since %s: it bears this cluster's tag, but is not in the "
        "journal; `burst terminate %s` ends it.\n",
        text_safe(json_str(row, "id", "?"), id, sizeof(id)), text_place(row, where),
        text_time(json_i64(row, "launched", 0), at), id);
}

// What keeps jobs from being served, before the figures: who looks at the screen looks for this.
static void print_trouble(const cJSON *rows)
{
    char text[400], mend[200];
    const cJSON *row;

    cJSON_ArrayForEach(row, rows)
    {
        printf("%s %s.\n", json_bool(row, "fails", false) ? "NOTHING NEW IS RENTED:" : "Attention:",
               text_safe(json_str(row, "text", ""), text, sizeof(text)));
        if (*json_str(row, "mend", ""))
            printf("        %s\n", text_safe(json_str(row, "mend", ""), mend, sizeof(mend)));
    }
}

static void print_money(const cJSON *s)
{
    char rate[TEXT_MAX], today[TEXT_MAX], cap[TEXT_MAX];
    money_t limit = json_money(s, "cap_day_uusd");

    printf("%-8s%s an hour now, %s today", "Money",
           text_money(json_money(s, "rate_uusd_per_hour"), rate),
           text_money(json_money(s, "spend_today_uusd"), today));
    if (limit != MONEY_UNKNOWN)
        printf(" of at most %s", text_money(limit, cap));
    puts("");
}

static void health_text(const cJSON *cloud, char *buf, size_t size)
{
    const char *message = json_str(cloud, "message", "");

    if (json_bool(cloud, "ok", false))
        snprintf(buf, size, "ok");
    else
        snprintf(buf, size, "OUT: %s", *message ? message : "no reason given");
}

static const struct column cloud_columns[] = {
    {0, "cloud", "CLOUD", COLUMN_TEXT, "cloud", NULL},
    {0, "nodes", "NODES", COLUMN_NUMBER, "nodes", NULL},
    {0, "rate", "$/HOUR", COLUMN_MONEY, "rate_uusd_per_hour", NULL},
    {0, "today", "TODAY", COLUMN_MONEY, "spend_today_uusd", NULL},
    {0, "cap", "CAP/DAY", COLUMN_MONEY, "cap_day_uusd", NULL},
    {0, "health", "HEALTH", COLUMN_OWN, NULL, health_text},
    {0},
};

static void print_place(const cJSON *row)
{
    char place[TEXT_MAX], type[TEXT_MAX], market[TEXT_MAX];

    printf("  %s %s %s", text_place(row, place),
           text_safe(json_str(row, "instance_type", "all types"), type, sizeof(type)),
           text_safe(json_str(row, "market", "on any market"), market, sizeof(market)));
}

// Closed for a while, being tried by one node, or open to one node that tries it.
static void print_left_alone(const cJSON *row)
{
    int64_t now = clock_now_s(), until = json_i64(row, "until", now);
    const char *state = json_str(row, "state", "closed");
    char why[TEXT_MAX], left[TEXT_MAX];

    print_place(row);
    text_safe(json_str(row, "reason", ""), why, sizeof(why));
    text_duration(until > now ? until - now : 0, left);
    if (strcmp(state, "probing") == 0)
        printf(", one node tries it now: %s\n", why);
    else if (strcmp(state, "half-open") == 0)
        printf(", one node may try it, all in %s: %s\n", left, why);
    else
        printf(" for %s: %s\n", left, why);
}

static void print_rate(const cJSON *row)
{
    double rate = json_dbl(row, "preemptions_per_hour", 0);
    char every[TEXT_MAX];

    print_place(row);
    if (rate > 0)
        printf(" every %s", text_duration((int64_t)(3600 / rate), every));
    printf(" (%.1f times in %.1f h)\n", json_dbl(row, "preemptions", 0), json_dbl(row, "hours", 0));
}

static void print_places(const char *title, const cJSON *rows, void (*print)(const cJSON *row))
{
    int shown = 0, n = cJSON_GetArraySize(rows);
    const cJSON *row;

    if (n == 0)
        return;
    printf("\n%s\n", title);
    cJSON_ArrayForEach(row, rows)
    {
        if (shown++ == PLACES_SHOWN) {
            printf("  ... and %d more: burst status --json\n", n - PLACES_SHOWN);
            break;
        }
        print(row);
    }
}

static void print_jobs(cJSON *jobs)
{
    struct columns_how how = {.dflt = JOB_COLUMNS};
    burst_error_t err;

    listing_keep_if(jobs, job_is_bursting);
    jobs_sort(jobs);
    int n = cJSON_GetArraySize(jobs);
    if (n == 0)
        return;
    while (cJSON_GetArraySize(jobs) > JOBS_SHOWN)
        cJSON_DeleteItemFromArray(jobs, JOBS_SHOWN);
    puts("");
    if (columns_print(job_columns, &how, jobs, stdout, &err) < 0)
        puts(err.text);
    if (n > JOBS_SHOWN)
        printf("... and %d more: burst jobs\n", n - JOBS_SHOWN);
}

static void print_status(const cJSON *s, cJSON *jobs)
{
    struct columns_how how = {.dflt = "cloud,nodes,rate,today,cap,health"};
    const cJSON *clouds = cJSON_GetObjectItemCaseSensitive(s, "clouds");
    int64_t spool = json_i64(s, "spool", 0);
    burst_error_t err;

    print_head(s);
    print_strangers(s);
    print_trouble(cJSON_GetObjectItemCaseSensitive(s, "trouble"));
    print_counts("Jobs", cJSON_GetObjectItemCaseSensitive(s, "jobs"), job_phrases,
                 sizeof(job_phrases) / sizeof(job_phrases[0]), "none that may burst");
    print_counts("Nodes", cJSON_GetObjectItemCaseSensitive(s, "instances"), node_phrases,
                 sizeof(node_phrases) / sizeof(node_phrases[0]), "none rented");
    print_money(s);
    if (spool > 0)
        printf("%-8s%" PRId64 " calls of Slurm not worked on yet\n", "Spool", spool);
    puts("");
    if (columns_print(cloud_columns, &how, clouds, stdout, &err) < 0)
        puts(err.text);
    print_places("Left alone for a while:", cJSON_GetObjectItemCaseSensitive(s, "blocked"),
                 print_left_alone);
    print_places("Spot nodes are taken back (where nothing was seen: every day is assumed):",
                 cJSON_GetObjectItemCaseSensitive(s, "rates"), print_rate);
    print_jobs(jobs);
    if (cJSON_GetArraySize(jobs) > 0)
        puts("\n`burst why JOBID` tells more about a job.");
}

static int show(const cJSON *s)
{
    int status;
    cJSON *jobs = cmd_ask("jobs", NULL, &status);

    if (jobs)
        print_status(s, jobs);
    cJSON_Delete(jobs);
    return status;
}

static void help(const char *name)
{
    puts(
        "usage: burst status [--json]\n"
        "\n"
        "One screen: what runs on rented nodes, why, and what it costs. Jobs are your own, or all\n"
        "of them for operators.");
}

int cmd_status(int argc, char **argv)
{
    bool json = false;
    const struct opt options[] = {{0, "json", .flag = &json}, {0}};
    int status = options_line(argc, argv, options, help, 0, 0, "");

    if (status >= 0)
        return status;
    return cmd_show("status", NULL, json, show);
}
