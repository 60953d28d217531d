// SPDX-License-Identifier: GPL-3.0-or-later
// `burst check`: is everything set up? One line per question, with how to mend what is not so.
//
// Run by root it looks at files as SlurmUser does, because burstd runs as SlurmUser. It changes
// nothing.
#include <stdbool.h>
#include <stdio.h>

#include "base/conf.h"
#include "cmd/burst.h"
#include "cmd/check.h"
#include "cmd/check_burstd.h"
#include "cmd/check_catalog.h"
#include "cmd/check_files.h"
#include "cmd/check_slurm.h"
#include "cmd/options.h"
#include "cmd/slurm_settings.h"

static void check_all(struct check *k)
{
    check_report(k, CHECK_OK, "", "configuration: %s (%u cloud%s, %u shape%s)", k->conf->path,
                 k->conf->n_clouds, k->conf->n_clouds == 1 ? "" : "s", k->conf->n_shapes,
                 k->conf->n_shapes == 1 ? "" : "s");
    check_slurm_load(k);
    check_user(k);
    check_catalog(k);
    check_secrets(k);
    check_dirs(k);
    check_programs(k);
    check_hostconf(k);
    check_slurm_plugin(k);
    if (k->slurm)
        check_slurm_settings(k);
    if (!k->offline && k->slurm)
        check_slurm_partitions(k);
    if (!k->offline)
        check_burstd(k);
}

static int check_conf_failed(struct check *k, const struct conf_errors *errs)
{
    for (unsigned i = 0; i < errs->n; i++)
        check_report(k, CHECK_FAIL, "", "%s", errs->text[i].text);
    if (errs->more)
        check_report(k, CHECK_FAIL, "", "... and %u more errors in the configuration", errs->more);
    if (k->json)
        cmd_print_json(k->rows);
    return CMD_REFUSED;
}

static void help(const char *name)
{
    puts("usage: burst check [--offline] [--conf=FILE] [--json]\n"
         "\n"
         "Looks at configuration, catalog, keys, Slurm's settings, hooks, plugin, directories and\n"
         "burstd, and says how to mend what is not right. Changes nothing. Run it as root or\n"
         "SlurmUser to have keys and directories looked at.\n"
         "\n"
         "      --offline    asks neither slurmctld nor burstd; reads slurm.conf instead\n"
         "      --conf=FILE  burst.yaml to check (default: $BURST_CONF or the installed place)\n"
         "      --json       as JSON: [{\"level\":\"ok|warn|fail\",\"what\",\"mend\"}]\n"
         "      --help       this text\n"
         "\n"
         "Exit status 1 when a line says FAIL.");
}

int cmd_check(int argc, char **argv)
{
    struct check k = {0};
    struct conf_errors errs;
    struct burst_conf *conf;
    const char *path = NULL;
    const struct opt options[] = {{0, "offline", .flag = &k.offline},
                                  {0, "conf", .word = &path},
                                  {0, "json", .flag = &k.json},
                                  {0}};
    int status = options_line(argc, argv, options, help, 0, 0, "");

    if (status >= 0)
        return status;
    k.rows = cJSON_CreateArray();
    if (conf_load(path ? path : conf_default_path(), &conf, &errs) < 0) {
        int rc = check_conf_failed(&k, &errs);
        cJSON_Delete(k.rows);
        return rc;
    }
    k.conf = conf;
    check_all(&k);
    if (k.json)
        cmd_print_json(k.rows);
    cJSON_Delete(k.rows);
    slurm_settings_free(k.slurm);
    conf_free(conf);
    return k.failed ? CMD_REFUSED : CMD_OK;
}
