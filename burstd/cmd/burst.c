// SPDX-License-Identifier: GPL-3.0-or-later
// The command `burst`: finds the subcommand, and what all of them need to talk to burstd.
#include "config.h"

#include "cmd/burst.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/yamltab.h"
#include "libburst/json.h"
#include "libburst/rpc_client.h"
#include "libburst/xalloc.h"

#define CONNECT_MS 5000

struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct subcommand subcommands[] = {
    {"status", cmd_status, "what runs, why, and what it costs, on one screen"},
    {"jobs", cmd_jobs, "jobs that may burst or have done so"},
    {"nodes", cmd_nodes, "rented nodes"},
    {"why", cmd_why, "what was decided about a job, and why"},
    {"cost", cmd_cost, "what was spent, by cloud, user, account, job ..."},
    {"bounds", cmd_bounds, "what is closed because it failed; operators open it again"},
    {"results", cmd_results, "results that could not come home, and brings them there"},
    {"slurm-conf", cmd_slurm_conf, "prints what slurm.conf needs"},
    {"check", cmd_check, "is everything set up? what is missing, how to mend it"},
    {"plan", cmd_plan, "the cheapest places for the tasks of a request, proven"},
    {"catalog", cmd_catalog, "what the clouds offer, at which price; checks a catalog"},
    {"drain", cmd_drain, "no new jobs on a rented node or cloud (operators)"},
    {"undrain", cmd_undrain, "takes a drain back (operators)"},
    {"terminate", cmd_terminate, "ends a rented node now (operators)"},
    {"giveup", cmd_giveup, "stops waiting for a job's results (operators)"},
    {"reload", cmd_reload, "burstd reads burst.yaml again (operators)"},
};
#define N_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

const char *cmd_socket(void)
{
    static char *path;
    const char *env = getenv("BURST_SOCKET");
    struct conf_errors errs;
    struct burst_conf *conf;

    if (path)
        return path;
    if (env && *env) {
        path = xstrdup(env);
    } else if (conf_load(conf_default_path(), &conf, &errs) == 0) {
        path = xasprintf("%s/burstd.sock", conf->run_dir);
        conf_free(conf);
    } else {
        path = xstrdup(BURST_RUNDIR "/burstd.sock");
    }
    return path;
}

static char last_code[24];

const char *cmd_code(void)
{
    return last_code;
}

cJSON *cmd_try(const char *method, cJSON *params, int *status, burst_error_t *errp)
{
    struct rpc_client *c = rpc_connect(cmd_socket(), CONNECT_MS, errp);
    cJSON *result;

    *status = CMD_UNREACHABLE;
    if (!c) {
        cJSON_Delete(params);
        return NULL;
    }
    result = rpc_call(c, method, params, CMD_ANSWER_MS, errp);
    if (result)
        *status = CMD_OK;
    else if (strcmp(rpc_code(c), "timeout") != 0 && strcmp(rpc_code(c), "lost") != 0)
        *status = CMD_REFUSED;
    snprintf(last_code, sizeof(last_code), "%s", rpc_code(c));
    rpc_close(c);
    return result;
}

cJSON *cmd_ask(const char *method, cJSON *params, int *status)
{
    burst_error_t err = {""};
    cJSON *result = cmd_try(method, params, status, &err);

    if (!result)
        fprintf(stderr, "burst: %s\n", err.text);
    if (!result && *status == CMD_UNREACHABLE)
        fprintf(stderr, "burst: jobs in Slurm are not touched by that; as an administrator see "
                        "`systemctl status burstd` and `burst check`\n");
    return result;
}

int cmd_show(const char *method, cJSON *params, bool json, int (*show)(const cJSON *answer))
{
    int status;
    cJSON *answer = cmd_ask(method, params, &status);

    if (answer && json)
        cmd_print_json(answer);
    else if (answer)
        status = show(answer);
    cJSON_Delete(answer);
    return status;
}

struct burst_conf *cmd_conf(const char *path)
{
    struct conf_errors errs;
    struct burst_conf *conf;

    if (conf_load(path ? path : conf_default_path(), &conf, &errs) == 0)
        return conf;
    char *text = conf_errors_text(&errs);
    fputs(text, stderr);
    free(text);
    return NULL;
}

int cmd_usage(const char *name, const char *fmt, ...)
{
    const char *burst = strncmp(name, "burst ", 6) == 0 ? "" : "burst ";
    va_list ap;

    if (fmt) {
        fprintf(stderr, "%s%s: ", burst, name);
        va_start(ap, fmt);
        vfprintf(stderr, fmt, ap);
        va_end(ap);
        fputs("\n", stderr);
    }
    fprintf(stderr, "Try `%s%s --help`.\n", burst, name);
    return CMD_USAGE;
}

void cmd_print_json(const cJSON *value)
{
    char *text = cJSON_Print(value);

    puts(text ? text : "null");
    free(text);
}

static void print_help(FILE *out)
{
    fprintf(out, "usage: burst COMMAND [OPTION ...]\n"
                 "\n"
                 "slurm-burst rents nodes in clouds for jobs that the local cluster cannot run "
                 "in time.\n"
                 "\n");
    for (size_t i = 0; i < N_SUBCOMMANDS; i++)
        fprintf(out, "  %-11s %s\n", subcommands[i].name, subcommands[i].summary);
    fprintf(out, "\n"
                 "`burst COMMAND --help` tells more; the manual is burst(1).\n"
                 "Exit status: 0 done, 1 refused or not found, 2 wrong command line, 3 burstd does "
                 "not answer.\n");
}

static const struct subcommand *find(const char *name)
{
    for (size_t i = 0; i < N_SUBCOMMANDS; i++)
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}

static int unknown(const char *name)
{
    const char *names[N_SUBCOMMANDS];

    for (size_t i = 0; i < N_SUBCOMMANDS; i++)
        names[i] = subcommands[i].name;
    const char *near = yt_nearest(name, names, N_SUBCOMMANDS);
    if (near)
        fprintf(stderr, "burst: there is no command \"%s\"; did you mean \"%s\"?\n", name, near);
    else
        fprintf(stderr, "burst: there is no command \"%s\"; `burst help` lists them\n", name);
    return CMD_USAGE;
}

static int run(const struct subcommand *s, int argc, char **argv)
{
    char *name = xasprintf("burst %s", s->name);

    argv[0] = name;
    int rc = s->run(argc, argv);
    // A full disk or a closed pipe must not look like success.
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (errno != EPIPE)
            fprintf(stderr, "burst: cannot write the output: %s\n", strerror(errno));
        rc = rc ? rc : CMD_REFUSED;
    }
    free(name);
    return rc;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0 || strcmp(name, "version") == 0) {
        puts("slurm-burst " PACKAGE_VERSION);
        return CMD_OK;
    }
    if (strcmp(name, "help") == 0 && argc > 2) {
        const struct subcommand *s = find(argv[2]);
        char help[] = "--help";
        char *args[] = {argv[2], help, NULL};
        return s ? run(s, 2, args) : unknown(argv[2]);
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0) {
        print_help(stdout);
        return CMD_OK;
    }
    if (!*name) {
        print_help(stderr);
        return CMD_USAGE;
    }
    if (*name == '-') {
        fprintf(stderr, "burst: the command comes first, then its options; `burst help` lists "
                        "the commands\n");
        return CMD_USAGE;
    }
    const struct subcommand *s = find(name);
    return s ? run(s, argc - 1, argv + 1) : unknown(name);
}
