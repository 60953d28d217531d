// SPDX-License-Identifier: GPL-3.0-or-later
// What operators change: drain, undrain, terminate, giveup, reload. Each prints what was done.
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cmd/burst.h"
#include "cmd/options.h"
#include "cmd/text.h"
#include "libburst/hostlist.h"
#include "libburst/json.h"

// "a, b, c", from an array of strings.
static void print_names(const char *before, const cJSON *names, const char *after)
{
    char safe[TEXT_MAX];
    const cJSON *name;

    fputs(before, stdout);
    cJSON_ArrayForEach(name, names) if (cJSON_IsString(name)) printf(
        "%s%s", name == names->child ? "" : ", ", text_safe(name->valuestring, safe, sizeof(safe)));
    puts(after);
}

static int drain_one(const char *key, const char *name, bool undo)
{
    cJSON *params = cJSON_CreateObject();
    int status;

    json_add_str(params, key, name);
    cJSON_AddBoolToObject(params, "undo", undo);
    cJSON *result = cmd_ask("drain", params, &status);
    if (!result)
        return status;
    const cJSON *names = cJSON_GetObjectItemCaseSensitive(result, "drained");
    if (cJSON_GetArraySize(names) == 0)
        printf("%s %s has no rented nodes now\n", key, name);
    else if (undo)
        print_names("takes jobs again: ", names, "");
    else
        print_names("no new jobs on: ", names, " (ends when idle)");
    cJSON_Delete(result);
    return CMD_OK;
}

static int drain_nodes(const char *expr, bool undo)
{
    burst_error_t err;
    char **names;
    size_t n;
    int rc = CMD_OK;

    if (hostlist_expand(expr, &names, &n, &err) < 0) {
        fprintf(stderr, "burst: %s\n", err.text);
        return CMD_USAGE;
    }
    for (size_t i = 0; i < n; i++) {
        int one = drain_one("node", names[i], undo);
        if (one > rc)
            rc = one;
    }
    hostlist_free(names);
    return rc;
}

static void drain_help(const char *name)
{
    printf("usage: %s NODE ...\n"
           "       %s --cloud=CLOUD\n"
           "\n"
           "%s\n"
           "Nodes may be given as aws-cpu2-[001-003]. For operators.\n"
           "\n"
           "  -c, --cloud=CLOUD  all rented nodes of the cloud\n"
           "      --help         this text\n",
           name, name,
           strstr(name, "undrain")
               ? "The nodes take jobs again."
               : "The nodes take no new jobs and are given back when their jobs have ended.");
}

static int drain(int argc, char **argv, bool undo)
{
    const char *cloud = NULL;
    const struct opt options[] = {{'c', "cloud", .word = &cloud}, {0}};
    int rc = options_read(argc, argv, options, drain_help);

    if (rc < 0)
        rc = options_words(argc, argv, cloud ? 0 : 1, argc, "which node? or --cloud=CLOUD");
    if (rc >= 0)
        return rc;
    rc = cloud ? drain_one("cloud", cloud, undo) : CMD_OK;
    for (int i = optind; i < argc; i++) {
        int one = drain_nodes(argv[i], undo);
        if (one > rc)
            rc = one;
    }
    return rc;
}

int cmd_drain(int argc, char **argv)
{
    return drain(argc, argv, false);
}

int cmd_undrain(int argc, char **argv)
{
    return drain(argc, argv, true);
}

// A word is the name of a node or else that of an instance (one that has no node name yet).
static int terminate_one(const char *name, bool force)
{
    static const char *const keys[] = {"node", "instance"};
    burst_error_t err = {""};
    int status = CMD_REFUSED;

    for (int k = 0; k < 2; k++) {
        cJSON *params = cJSON_CreateObject();
        json_add_str(params, keys[k], name);
        cJSON_AddBoolToObject(params, "force", force);
        cJSON *result = cmd_try("terminate", params, &status, &err);
        if (result) {
            print_names("terminating: ", cJSON_GetObjectItemCaseSensitive(result, "terminating"),
                        "");
            cJSON_Delete(result);
            return CMD_OK;
        }
        if (status != CMD_REFUSED || strcmp(cmd_code(), "not_found") != 0)
            break;
    }
    fprintf(stderr, "burst: %s: %s\n", name, err.text);
    return status;
}

static void terminate_help(const char *name)
{
    puts("usage: burst terminate [--force] NODE|INSTANCE ...\n"
         "\n"
         "Gives a rented node back now. One that serves a job, or holds results that are not home\n"
         "yet, is ended only with --force: its job is requeued, the results are lost. For "
         "operators.\n"
         "\n"
         "  -f, --force  even so\n"
         "      --help   this text");
}

int cmd_terminate(int argc, char **argv)
{
    bool force = false;
    const struct opt options[] = {{'f', "force", .flag = &force}, {0}};
    int rc = options_line(argc, argv, options, terminate_help, 1, argc, "which node or instance?");

    if (rc >= 0)
        return rc;
    rc = CMD_OK;
    for (int i = optind; i < argc; i++) {
        int one = terminate_one(argv[i], force);
        if (one > rc)
            rc = one;
    }
    return rc;
}

static const struct opt no_options[] = {{0}};

static void giveup_help(const char *name)
{
    puts("usage: burst giveup JOBID\n"
         "\n"
         "Stops the attempts to bring a job's results home; its node is given back and what is\n"
         "still on it is lost. For operators.");
}

int cmd_giveup(int argc, char **argv)
{
    int status = options_line(argc, argv, no_options, giveup_help, 1, 1, "which job?");

    if (status >= 0)
        return status;
    const char *job = argv[optind];
    cJSON *params = cJSON_CreateObject();
    json_add_str(params, "job", job);
    cJSON *result = cmd_ask("giveup", params, &status);
    if (result)
        printf("job %s: its results are no longer waited for\n", job);
    cJSON_Delete(result);
    return status;
}

static void reload_help(const char *name)
{
    puts(
        "usage: burst reload\n"
        "\n"
        "burstd reads burst.yaml and the catalog again; with an error in burst.yaml, it keeps the\n"
        "one that it has and says why. For operators.");
}

int cmd_reload(int argc, char **argv)
{
    int status = options_line(argc, argv, no_options, reload_help, 0, 0, "");

    if (status >= 0)
        return status;
    cJSON *result = cmd_ask("reload", NULL, &status);
    if (result)
        puts("burstd has taken the new configuration");
    cJSON_Delete(result);
    return status;
}
