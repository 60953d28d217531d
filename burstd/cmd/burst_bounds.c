// SPDX-License-Identifier: GPL-3.0-or-later
// `burst bounds`: what is closed because it failed again and again, and how operators open it.
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd/burst.h"
#include "cmd/listing.h"
#include "cmd/text.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

static const struct column columns[] = {
    {'B', "bound", "BOUND", COLUMN_TEXT, "bound", NULL},
    {'k', "kind", "KIND", COLUMN_TEXT, "kind", NULL},
    {'K', "key", "KEY", COLUMN_TEXT, "key", NULL},
    {'T', "state", "STATE", COLUMN_TEXT, "state", NULL},
    {'c', "cause", "CAUSE", COLUMN_TEXT, "cause", NULL},
    {'f', "failures", "FAILURES", COLUMN_NUMBER, "failures", NULL},
    {'S', "since", "SINCE", COLUMN_TIME, "since", NULL},
    {'U', "until", "UNTIL", COLUMN_TIME, "until", NULL},
    {'r', "reason", "REASON", COLUMN_TEXT, "reason", NULL},
    {'s', "sentence", "SENTENCE", COLUMN_TEXT, "sentence", NULL},
    {0},
};

#define DEFAULT_COLUMNS "bound,state,cause,failures,since,until,reason"

static int compare(const void *pa, const void *pb)
{
    const cJSON *a = *(cJSON *const *)pa, *b = *(cJSON *const *)pb;

    return strcmp(json_str(a, "bound", ""), json_str(b, "bound", ""));
}

static void help(const char *name)
{
    puts(
        "usage: burst bounds [OPTION ...]\n"
        "       burst bounds reopen BOUND ... | --all\n"
        "\n"
        "Lists what is closed because it failed at least twice in a row (a job, a place, the nodes "
        "of\n"
        "a shape in a partition, a partition), because a limit was met, or because the site itself "
        "has\n"
        "a fault: nothing is rented for it until the time under UNTIL, then one job may try it.\n"
        "Operators open it at once with `burst bounds reopen`, when the cause is mended.\n"
        "\n"
        "  -a, --all            what failed and is not closed now, too");
    listing_help("%B %U %.30r", "bound:40,until,reason:60", "", columns);
}

static void reopen_help(const char *name)
{
    puts("usage: burst bounds reopen BOUND ...\n"
         "       burst bounds reopen --all\n"
         "\n"
         "Forgets that it failed, so that jobs may try it again at once. BOUND is as `burst "
         "bounds`\n"
         "shows it, such as shape:aws/cpu2, or a shell pattern: 'place:aws/*'. For operators.\n"
         "\n"
         "  -a, --all   everything\n"
         "      --help  this text");
}

// NULL: all.
static int reopen_one(const char *bound)
{
    cJSON *params = cJSON_CreateObject();
    const cJSON *name;
    char safe[TEXT_MAX];
    int status;

    if (bound)
        json_add_str(params, "bound", bound);
    else
        cJSON_AddTrueToObject(params, "all");
    cJSON *result = cmd_ask("bounds_reopen", params, &status);
    if (!result)
        return status;
    const cJSON *opened = cJSON_GetObjectItemCaseSensitive(result, "opened");
    cJSON_ArrayForEach(name, opened) if (cJSON_IsString(name))
        printf("open again: %s\n", text_safe(name->valuestring, safe, sizeof(safe)));
    if (cJSON_GetArraySize(opened) == 0)
        puts("nothing is closed");
    cJSON_Delete(result);
    return CMD_OK;
}

static int reopen(int argc, char **argv)
{
    bool all = false;
    const struct opt options[] = {{'a', "all", .flag = &all}, {0}};
    int rc = options_read(argc, argv, options, reopen_help);

    if (rc < 0)
        rc = options_words(argc, argv, all ? 0 : 1, all ? 0 : argc,
                           "what? one of `burst bounds`, or --all");
    if (rc >= 0)
        return rc;
    if (all)
        return reopen_one(NULL);
    rc = CMD_OK;
    for (int i = optind; i < argc; i++) {
        int one = reopen_one(argv[i]);
        if (one > rc)
            rc = one;
    }
    return rc;
}

int cmd_bounds(int argc, char **argv)
{
    struct listing l = {.method = "bounds",
                        .columns = columns,
                        .compare = compare,
                        .keep = {{.key = "state", .list = "closed"}},
                        .how = {.dflt = DEFAULT_COLUMNS}};
    char name[] = "burst bounds reopen";
    bool all = false;
    const struct opt options[] = {{'a', "all", .flag = &all}, LISTING_OPTIONS(l), {0}};

    if (argc > 1 && strcmp(argv[1], "reopen") == 0) {
        argv[1] = name;
        return reopen(argc - 1, argv + 1);
    }
    int status = options_line(argc, argv, options, help, 0, 0, "");
    if (status >= 0)
        return status;
    if (all)
        l.keep[0].list = NULL;
    return listing_show(&l, argv[0], NULL, NULL);
}
