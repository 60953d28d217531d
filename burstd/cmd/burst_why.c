// SPDX-License-Identifier: GPL-3.0-or-later
// `burst why JOBID`: what was decided about a job, told as a colleague would: where it stands, why
// it left, what was chosen and what lost by how much, what was tried, what happened.
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/burst.h"
#include "cmd/options.h"
#include "cmd/text.h"
#include "libburst/clock.h"
#include "libburst/json.h"

#define RUNNERS_SHOWN 5
#define PHRASE_MAX (2 * TEXT_MAX + 64)

static const char *who(const cJSON *job, char buf[TEXT_MAX])
{
    char text[TEXT_MAX];
    const char *name = json_str(job, "name", ""), *user = json_str(job, "user", "");

    snprintf(text, sizeof(text), "%s%.60s%s%.60s%s", *name || *user ? " (" : "", name,
             *name && *user ? ", " : "", user, *name || *user ? ")" : "");
    return text_safe(text, buf, TEXT_MAX);
}

static void print_nodes(const cJSON *job)
{
    const cJSON *nodes = cJSON_GetObjectItemCaseSensitive(job, "nodes"), *node;
    int n = 0;
    char safe[TEXT_MAX];

    if (cJSON_GetArraySize(nodes) == 0)
        return;
    fputs(" (", stdout);
    cJSON_ArrayForEach(node, nodes)
    {
        if (n++ == 4) {
            fputs(", ...", stdout);
            break;
        }
        printf("%s%s", n > 1 ? ", " : "",
               text_safe(cJSON_GetStringValue(node), safe, sizeof(safe)));
    }
    fputs(")", stdout);
}

// The same of a job that burstd does not look after.
static void print_unmarked(const cJSON *job)
{
    const char *state = json_str(job, "slurm_state", "");
    int64_t started = json_i64(job, "started", 0), ended = json_i64(job, "ended", 0);
    char safe[TEXT_MAX], when[TEXT_MAX];

    if (strcmp(state, "PENDING") == 0) {
        fputs("waits for the site's own nodes; burstd does not look after it.\n", stdout);
    } else if (strcmp(state, "RUNNING") == 0 || strcmp(state, "SUSPENDED") == 0) {
        printf("runs on %s",
               text_safe(json_str(job, "node_list", "the site's own nodes"), safe, sizeof(safe)));
        if (started > 0)
            printf(" since %s", text_time(started, when));
        puts("; burstd does not look after it.");
    } else {
        printf("has ended (%s)", text_safe(state, safe, sizeof(safe)));
        if (ended > 0)
            printf(" at %s", text_time(ended, when));
        puts("; burstd did not look after it.");
    }
}

// Where the job stands, as the end of the sentence "Job 123 ...".
static void print_state(const cJSON *job)
{
    const char *state = json_str(job, "state", "");
    char where[TEXT_MAX], when[TEXT_MAX], safe[TEXT_MAX];
    int64_t started = json_i64(job, "started", 0), ended = json_i64(job, "ended", 0);

    text_purchase(job, where);
    if (strcmp(state, "unmarked") == 0) {
        print_unmarked(job);
        return;
    }
    if (strcmp(state, "watching") == 0) {
        fputs("is at home: it may leave the local cluster, but has no need to", stdout);
    } else if (strcmp(state, "staying") == 0) {
        fputs("stays for now: waiting for a node of the site costs less than renting one", stdout);
    } else if (strcmp(state, "candidate") == 0) {
        fputs("is to leave the local cluster; a place is looked for", stdout);
    } else if (strcmp(state, "planned") == 0 || strcmp(state, "securing") == 0) {
        printf("is to run at %s; its nodes are being rented", where);
        print_nodes(job);
    } else if (strcmp(state, "placed") == 0 || strcmp(state, "starting") == 0) {
        printf("has its nodes at %s", where);
        print_nodes(job);
        fputs("; Slurm starts it there", stdout);
    } else if (strcmp(state, "running") == 0) {
        printf("runs at %s", where);
        print_nodes(job);
        if (started > 0)
            printf(" since %s", text_time(started, when));
    } else if (strcmp(state, "stageout") == 0) {
        printf("has ended at %s; its results are on their way home", where);
    } else if (strcmp(state, "done") == 0) {
        printf("has ended%s%s", *where ? ", it ran at " : "", where);
        if (ended > 0)
            printf(", at %s", text_time(ended, when));
    } else if (strcmp(state, "local") == 0) {
        fputs("runs, or ran, on the site's own nodes", stdout);
    } else if (strcmp(state, "released") == 0) {
        fputs("was left to the local cluster", stdout);
    } else if (strcmp(state, "refused") == 0) {
        fputs("cannot burst and stays where Slurm has it", stdout);
    } else {
        printf("is %s", text_safe(state, safe, sizeof(safe)));
    }
    puts(".");
}

static void print_money(const cJSON *job)
{
    char cost[TEXT_MAX], rate[TEXT_MAX], cap[TEXT_MAX];
    money_t spent = json_money(job, "cost_uusd"), limit = json_money(job, "max_cost_uusd");
    money_t price = json_money(job, "price_uusd_per_hour");
    bool over = strcmp(json_str(job, "state", ""), "done") == 0;

    if (spent == MONEY_UNKNOWN || (spent == 0 && price <= 0))
        return;
    printf("It has cost %s%s", text_money(spent, cost), over ? "" : " so far");
    if (price > 0 && !over)
        printf(", at %s an hour", text_money(price, rate));
    if (limit != MONEY_UNKNOWN)
        printf("; it may cost at most %s", text_money(limit, cap));
    puts(".");
}

static void print_job(const cJSON *job)
{
    char name[TEXT_MAX], when[TEXT_MAX], safe[600];
    const char *reason = json_str(job, "reason", ""), *history = json_str(job, "history", "");
    const char *origin = json_str(job, "origin", "");
    int64_t restarts = json_i64(job, "restarts", 0), deadline = json_i64(job, "deadline", 0);

    printf("Job %s%s ", text_safe(json_str(job, "job", "?"), safe, 64), who(job, name));
    print_state(job);
    if (*reason)
        printf("Reason: %s.\n", text_safe(reason, safe, sizeof(safe)));
    if (json_i64(job, "submit", 0) > 0)
        printf("It was submitted%s%s at %s%s.\n", *origin ? " to partition " : "",
               text_safe(origin, safe, 100), text_time(json_i64(job, "submit", 0), when),
               strcmp(json_str(job, "mode", ""), "only") == 0 ? ", to run on rented nodes only"
                                                              : "");
    if (deadline > 0)
        printf("It should be done by %s.\n", text_time(deadline, when));
    print_money(job);
    if (*history)
        printf("Earlier it ran at: %s.\n", text_safe(history, safe, sizeof(safe)));
    if (restarts > 0)
        printf("It was restarted %s.\n", text_count(restarts, "time", when));
}

// The job is a task of an array: what its other tasks do.
static void print_array(const cJSON *array)
{
    const cJSON *state;
    char safe[TEXT_MAX];
    const char *name = json_str(array, "array", "?");

    if (!cJSON_IsObject(array))
        return;
    printf("It is a task of array %s; of its tasks burstd knows %" PRId64 ": ",
           text_safe(name, safe, sizeof(safe)), json_i64(array, "tasks", 0));
    cJSON_ArrayForEach(state, cJSON_GetObjectItemCaseSensitive(array, "states"))
        printf("%.0f %s%s", state->valuedouble, text_safe(state->string, safe, sizeof(safe)),
               state->next ? ", " : "");
    printf(" (burst why %s_N tells about each).\n", text_safe(name, safe, sizeof(safe)));
}

// ---- the same again and again: a round in which all places refuse is told once

static bool equal_but_for_time(const cJSON *a, cJSON *b)
{
    cJSON *time = cJSON_DetachItemFromObjectCaseSensitive(b, "time");
    bool equal = cJSON_Compare(a, b, true);

    if (time)
        cJSON_AddItemToObject(b, "time", time);
    return equal;
}

// Makes one row of those that are equal but for their time: the last of them, with "count" and the
// time of the "first".
static void fold(cJSON *rows)
{
    cJSON *row = rows ? rows->child : NULL, *next, *later;

    for (; row; row = next) {
        int64_t time = json_i64(row, "time", 0), count = json_i64(row, "count", 1);
        int64_t first = json_i64(row, "first", time);
        next = later = row->next;
        cJSON_DeleteItemFromObjectCaseSensitive(row, "time");
        cJSON_DeleteItemFromObjectCaseSensitive(row, "count");
        cJSON_DeleteItemFromObjectCaseSensitive(row, "first");
        while (later && !equal_but_for_time(row, later))
            later = later->next;
        if (later)
            cJSON_Delete(cJSON_DetachItemViaPointer(rows, row));
        else
            json_add_i64(row, "time", time);
        json_add_i64(later ? later : row, "count", later ? count + 1 : count);
        json_add_i64(later ? later : row, "first", first);
    }
}

// ", 12 times since 03:18:50"
static const char *times(const cJSON *row, char buf[2 * TEXT_MAX])
{
    char when[TEXT_MAX];

    buf[0] = '\0';
    if (json_i64(row, "count", 1) > 1)
        snprintf(buf, 2 * TEXT_MAX, ", %" PRId64 " times since %s", json_i64(row, "count", 1),
                 text_time(json_i64(row, "first", 0), when));
    return buf;
}

// Where a decision's place is. Alternatives to renting are "local" (to stay) and "idle ..." (nodes
// that are rented already).
static const char *place_phrase(const cJSON *o, char buf[PHRASE_MAX])
{
    const char *alternative = json_str(o, "alternative", "");
    char where[TEXT_MAX], name[TEXT_MAX];

    text_purchase(o, where);
    text_safe(alternative, name, sizeof(name));
    const char *which = *where ? where : name + strcspn(name, " ") + (strchr(name, ' ') != NULL);
    if (!*name)
        snprintf(buf, PHRASE_MAX, "%s", where);
    else if (strcmp(name, "local") == 0)
        snprintf(buf, PHRASE_MAX, "waiting for the site's own nodes");
    else if (strncmp(name, "idle", 4) == 0)
        snprintf(buf, PHRASE_MAX, "idle nodes that are rented already%s%s", *which ? ", " : "",
                 which);
    else
        snprintf(buf, PHRASE_MAX, "%s%s%s", name, *where ? ", " : "", where);
    return buf;
}

// " (compute $12.00, moving data $0.30)", when there is more to pay than nodes.
static void print_parts(const cJSON *o)
{
    static const struct {
        const char *key, *text;
    } parts[] = {
        {"compute_uusd", "compute"},
        {"transfer_uusd", "moving data"},
        {"restart_uusd", "expected restarts"},
        {"waiting_uusd", "waiting"},
    };
    char money[TEXT_MAX];
    bool any = false;

    for (size_t i = 1; i < sizeof(parts) / sizeof(parts[0]); i++)
        any = any || json_money(o, parts[i].key) > 0;
    if (!any)
        return;
    any = false;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        money_t m = json_money(o, parts[i].key);
        if (m <= 0)
            continue;
        printf("%s%s %s", any ? ", " : " (", parts[i].text, text_money(m, money));
        any = true;
    }
    fputs(")", stdout);
}

// "aws us-east-1a p4d.24xlarge on the spot market, 2 nodes for 1 h 30 min: $12.30 (...)"
static void print_choice(const cJSON *c)
{
    const cJSON *hours = cJSON_GetObjectItemCaseSensitive(c, "hours");
    bool stays = strcmp(json_str(c, "alternative", ""), "local") == 0;
    char where[PHRASE_MAX], total[TEXT_MAX], nodes[TEXT_MAX], took[TEXT_MAX];

    printf("%s", place_phrase(c, where));
    if (json_i64(c, "nodes", 0) > 0 && !stays)
        printf(", %s", text_count(json_i64(c, "nodes", 0), "node", nodes));
    if (cJSON_IsNumber(hours) && !stays)
        printf(" for %s", text_duration((int64_t)(hours->valuedouble * 3600 + 0.5), took));
    printf(": %s", text_money(json_money(c, "total_uusd"), total));
    print_parts(c);
}

// ", $3.20 more" than what was chosen.
static void print_difference(money_t more, const char *why)
{
    char text[TEXT_MAX];

    if (more == MONEY_UNKNOWN)
        return;
    text_money(more < 0 ? -more : more, text);
    // The optimizer's words often are just that.
    if (more == 0)
        printf(", the same");
    else if (more < 0 || !strstr(why, text))
        printf(", %s %s", text, more < 0 ? "less" : "more");
}

static void print_runners_up(const cJSON *list)
{
    const cJSON *r;
    int n = cJSON_GetArraySize(list), shown = 0;

    if (n == 0)
        return;
    puts("    What lost:");
    cJSON_ArrayForEach(r, list)
    {
        char where[PHRASE_MAX], total[TEXT_MAX], safe[300];
        const char *why = json_str(r, "why", "");
        if (shown++ == RUNNERS_SHOWN) {
            printf("      ... and %d more\n", n - RUNNERS_SHOWN);
            break;
        }
        printf("      %s: %s", place_phrase(r, where),
               text_money(json_money(r, "total_uusd"), total));
        print_difference(json_money(r, "more_uusd"), why);
        print_parts(r);
        if (*why)
            printf(" - %s", text_safe(why, safe, sizeof(safe)));
        puts("");
    }
}

static void print_decisions(const cJSON *list)
{
    const cJSON *d;

    if (cJSON_GetArraySize(list) == 0)
        return;
    puts("\nWhat was decided:");
    cJSON_ArrayForEach(d, list)
    {
        const cJSON *chosen = cJSON_GetObjectItemCaseSensitive(d, "chosen");
        char when[TEXT_MAX], why[400], again[2 * TEXT_MAX];
        const char *reason = json_str(d, "reason", "");
        printf("  %s  ", text_time(json_i64(d, "time", 0), when));
        if (cJSON_IsObject(chosen))
            print_choice(chosen);
        else
            fputs("no place", stdout);
        puts(times(d, again));
        if (*reason)
            printf("    Reason: %s.\n", text_safe(reason, why, sizeof(why)));
        print_runners_up(cJSON_GetObjectItemCaseSensitive(d, "runners_up"));
    }
}

static const char *result_phrase(const char *result)
{
    static const struct {
        const char *result, *text;
    } phrases[] = {
        {"ok", "got it"},
        {"capacity", "the cloud has none left"},
        {"quota", "our quota there is used up"},
        {"throttle", "asked too often, trying again"},
        {"auth", "the cloud refuses our credentials"},
        {"transient", "no clear answer, asking again"},
        {"invalid", "the cloud calls the request wrong"},
        {"boot", "rented, but it never became ready"},
    };

    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (strcmp(phrases[i].result, result) == 0)
            return phrases[i].text;
    return result;
}

static void print_attempts(const cJSON *list)
{
    const cJSON *a;

    if (cJSON_GetArraySize(list) == 0)
        return;
    puts("\nWhat was tried:");
    cJSON_ArrayForEach(a, list)
    {
        char when[TEXT_MAX], where[TEXT_MAX], result[64], message[400], again[2 * TEXT_MAX];
        const char *text = json_str(a, "message", "");
        printf("  %s  %s: %s", text_time(json_i64(a, "time", 0), when), text_purchase(a, where),
               text_safe(result_phrase(json_str(a, "result", "")), result, sizeof(result)));
        if (*text && strcmp(json_str(a, "result", ""), "ok") != 0)
            printf(" (%s)", text_safe(text, message, sizeof(message)));
        puts(times(a, again));
    }
}

static void print_events(const cJSON *list)
{
    const cJSON *e;

    if (cJSON_GetArraySize(list) == 0)
        return;
    puts("\nWhat happened:");
    cJSON_ArrayForEach(e, list)
    {
        char when[TEXT_MAX], text[400], again[2 * TEXT_MAX];
        printf("  %s  %s%s\n", text_time(json_i64(e, "time", 0), when),
               text_safe(json_str(e, "text", ""), text, sizeof(text)), times(e, again));
    }
}

static bool unfolded; // --all

static int show(const cJSON *answer)
{
    static const char *const stories[] = {"decisions", "attempts", "events"};

    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]) && !unfolded; i++)
        fold(cJSON_GetObjectItemCaseSensitive(answer, stories[i]));
    print_job(cJSON_GetObjectItemCaseSensitive(answer, "job"));
    print_array(cJSON_GetObjectItemCaseSensitive(answer, "array"));
    print_decisions(cJSON_GetObjectItemCaseSensitive(answer, "decisions"));
    print_attempts(cJSON_GetObjectItemCaseSensitive(answer, "attempts"));
    print_events(cJSON_GetObjectItemCaseSensitive(answer, "events"));
    return CMD_OK;
}

static void help(const char *name)
{
    puts("usage: burst why [--all] [--json] JOBID\n"
         "\n"
         "Where a job stands, why it left the local cluster or did not, which place was chosen, "
         "which\n"
         "ones lost and by how much, what the clouds answered. JOBID is as squeue shows it: 123 or "
         "123_4.\n"
         "What happened again and again is told once, with how often and since when.\n"
         "\n"
         "  -a, --all   each time of it\n"
         "      --json  everything, as JSON\n"
         "      --help  this text");
}

// "123" or "123_4"
static bool is_job_number(const char *word)
{
    size_t n = strspn(word, "0123456789"), task = 0;

    if (word[n] == '_')
        task = 1 + strspn(word + n + 1, "0123456789");
    return n > 0 && task != 1 && !word[n + task];
}

int cmd_why(int argc, char **argv)
{
    bool json = false;
    const struct opt options[] = {{'a', "all", .flag = &unfolded}, {0, "json", .flag = &json}, {0}};
    int status = options_line(argc, argv, options, help, 1, 1, "which job?");
    char safe[64];

    if (status >= 0)
        return status;
    if (!is_job_number(argv[optind]))
        return cmd_usage(argv[0],
                         "\"%s\" is no job number; write it as squeue does: 123, or 123_4 for a "
                         "task of an array",
                         text_safe(argv[optind], safe, sizeof(safe)));
    cJSON *params = cJSON_CreateObject();
    json_add_str(params, "job", argv[optind]);
    return cmd_show("why", params, json, show);
}
