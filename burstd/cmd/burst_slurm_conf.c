// SPDX-License-Identifier: GPL-3.0-or-later
// `burst slurm-conf`: prints the include for slurm.conf, or with --gres the lines for gres.conf.
//
// slurm.conf takes the last of two values of a key, so a list that the site has set already is
// printed with our items added, and a program that the site has set already is left to it, with
// the line that it needs as a comment.
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "cmd/burst.h"
#include "cmd/options.h"
#include "cmd/slurm_fence.h"
#include "cmd/slurm_settings.h"
#include "cmd/slurm_wants.h"
#include "libburst/clock.h"
#include "libburst/xalloc.h"

#define WEIGHT_BASE 1000 // local nodes have 1 unless told otherwise: they are taken first

static const char *node_expression(const struct cloud_conf *cl, const struct shape_conf *s,
                                   char *buf, size_t size)
{
    if (s->nodes == 1)
        snprintf(buf, size, "%s-%s-001", cl->name, s->name);
    else
        snprintf(buf, size, "%s-%s-[001-%03u]", cl->name, s->name, s->nodes);
    return buf;
}

static void print_head(const struct burst_conf *conf, unsigned release)
{
    printf(SLURM_INCLUDE_MARK
           " " PACKAGE_VERSION "\n"
           "# from %s, for Slurm %u.%02u.\n"
           "# Do not edit: after a change there write it again with\n"
           "#     burst slurm-conf > FILE\n"
           "# and restart slurmctld (a reconfigure does not take new nodes). slurm.conf ends with\n"
           "#     Include FILE\n",
           conf->path, release / 100, release % 100);
    printf("# burst.conf beside slurm.conf keeps users out of these partitions for as long as "
           "burstd has\n"
           "# never run there, with\n#     ElasticPartitions=");
    for (unsigned i = 0; i < conf->n_clouds; i++)
        if (conf_find_partition(conf, conf->clouds[i].partition) == &conf->clouds[i])
            printf("%s%s", i ? "," : "", conf->clouds[i].partition);
    putchar('\n');
    if (strcmp(conf->run_dir, BURST_RUNDIR) != 0 || strcmp(conf->state_dir, BURST_STATEDIR) != 0)
        printf("# Plugin and hooks read burst.conf beside slurm.conf; it must have\n"
               "#     RunDir=%s\n#     StateDir=%s\n",
               conf->run_dir, conf->state_dir);
}

// Wrapped at about 90 characters.
static void print_comment(const char *text)
{
    size_t column = 1;

    putchar('#');
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column > 1 && column + 1 + word > 90) {
            fputs("\n#", stdout);
            column = 1;
        }
        printf(" %.*s", (int)word, text);
        column += 1 + word;
        text += word + strspn(text + word, " ");
    }
    putchar('\n');
}

// One setting, with respect for what the site has.
static void print_want(const struct slurm_want *w, const char *site)
{
    char missing[256];

    print_comment(w->why);
    if (!site) {
        printf("%s=%s\n", w->key, w->value);
    } else if (slurm_want_met(w, site, missing)) {
        printf("# slurm.conf has it: %s=%s\n", w->key, site);
    } else if (w->kind == SLURM_WANT_LIST) {
        printf("# (slurm.conf has %s=%s; remove that line, slurmctld logs keys that come twice)\n"
               "%s=%s,%s\n",
               w->key, site, w->key, site, missing);
    } else if (w->kind == SLURM_WANT_PROGRAM) {
        printf("# ATTENTION: slurm.conf has %s=%s already. Call from it, with the same\n"
               "# arguments and environment: %s\n"
               "#%s=%s\n",
               w->key, site, w->value, w->key, w->value);
    } else {
        printf("# (slurm.conf has %s=%s; this one counts because it comes later)\n%s=%s\n", w->key,
               site, w->key, w->value);
    }
}

// Only a remark: with a plugin that is not there or was built for another release slurmctld does
// not start.
static void print_plugin(const struct slurm_want *w, const char *site)
{
    print_comment(w->why);
    if (slurm_want_met(w, site, NULL))
        printf("# slurm.conf has it: %s=%s\n", w->key, site);
    else
        printf(
            "# Take the '#' away once `burst check` finds the plugin built for your Slurm: with\n"
            "# one for another release slurmctld does not start.\n"
            "#%s=%s%sburst\n",
            w->key, site ? site : "", site ? "," : "");
}

static void print_wants(const struct burst_conf *conf, unsigned release,
                        const struct slurm_settings *site)
{
    struct slurm_want wants[SLURM_WANTS_MAX];
    unsigned n = slurm_wants(conf, release, wants);

    for (unsigned i = 0; i < n; i++) {
        const char *value = site ? slurm_settings_get(site, wants[i].key) : NULL;
        puts("");
        if (strcmp(wants[i].key, "JobSubmitPlugins") == 0)
            print_plugin(&wants[i], value);
        else
            print_want(&wants[i], value);
    }
}

static void print_nodes(const struct burst_conf *conf, const struct cloud_conf *cl)
{
    char expr[160], features[CONF_FEATURES_MAX];

    printf("\n# Cloud %s (provider %s)\n", cl->name, cl->provider);
    for (unsigned i = 0; i < conf->n_shapes; i++) {
        const struct shape_conf *s = &conf->shapes[i];
        unsigned weight = WEIGHT_BASE + 100 * s->gpus + s->cpus;
        if (!cloud_has_shape(cl, s))
            continue;
        printf("NodeName=%s CPUs=%u RealMemory=%" PRIu64,
               node_expression(cl, s, expr, sizeof(expr)), s->cpus, shape_real_memory_mib(s));
        if (s->gpus > 0)
            printf(" Gres=gpu:%s:%u", s->gpu, s->gpus);
        if (s->tmp_disk >= 1 << 20)
            printf(" TmpDisk=%" PRIu64, shape_tmp_disk_mib(s));
        conf_features(cl, s, features);
        printf(" Feature=%s Weight=%u State=CLOUD\n", features, weight);
    }
}

// Who may use the partition.
static void fence_keys(const struct burst_conf *conf)
{
    struct slurm_fence f;

    slurm_fence_init(&f, conf);
    for (unsigned k = 0; k < f.n; k++)
        printf(" %s=%s", f.set[k].key, f.set[k].value);
    slurm_fence_free(&f);
}

static void fence_remark(const struct burst_conf *conf)
{
    struct slurm_fence f;

    slurm_fence_init(&f, conf);
    puts("# ExclusiveUser or OverSubscribe: node_sharing in burst.yaml. Accounts and QOS: Slurm "
         "keeps\n"
         "# jobs of others out, also when the plugin does not run.");
    if (*f.left_out) {
        char *text = xasprintf("Patterns are for plugin and burstd alone, Slurm has names only: %s",
                               f.left_out);
        print_comment(text);
        free(text);
    }
    slurm_fence_free(&f);
}

static void print_partition(const struct burst_conf *conf, const char *partition)
{
    char expr[160], limit[CLOCK_TEXT_MAX];
    const char *comma = "";

    printf("\nPartitionName=%s Nodes=", partition);
    for (unsigned c = 0; c < conf->n_clouds; c++) {
        for (unsigned i = 0; i < conf->n_shapes; i++) {
            const struct cloud_conf *cl = &conf->clouds[c];
            if (strcmp(cl->partition, partition) != 0 || !cloud_has_shape(cl, &conf->shapes[i]))
                continue;
            printf("%s%s", comma, node_expression(cl, &conf->shapes[i], expr, sizeof(expr)));
            comma = ",";
        }
    }
    fence_keys(conf);
    printf(" Default=NO State=UP MaxTime=%s SuspendTime=%" PRId64 " SuspendTimeout=%" PRId64
           " ResumeTimeout=%" PRId64 "\n",
           clock_duration(conf->max_time_s, limit), conf->node_idle_s,
           slurm_suspend_timeout(conf, partition), slurm_resume_timeout(conf));
}

static void print_places(const struct burst_conf *conf)
{
    puts(
        "\n# CPUs and RealMemory are the least that any instance type of a shape offers (95 % of\n"
        "# the shape's memory: firmware and kernel take their part), so that every type registers\n"
        "# cleanly. The instance behind a name may be of another type, zone or market each time.");
    for (unsigned i = 0; i < conf->n_clouds; i++)
        print_nodes(conf, &conf->clouds[i]);
    puts(
        "\n# SuspendTime: an idle node is given back after this (node_idle in burst.yaml).\n"
        "# SuspendTimeout: a name rests this long before it may stand for another instance.\n"
        "# ResumeTimeout: twice what booting may take (boot in burst.yaml), so that burstd, which\n"
        "# knows the reason, gives up before Slurm does.");
    fence_remark(conf);
    for (unsigned i = 0; i < conf->n_clouds; i++) {
        const char *p = conf->clouds[i].partition;
        if (conf_find_partition(conf, p) == &conf->clouds[i]) // the first of those that share it
            print_partition(conf, p);
    }
}

static void print_gres(const struct burst_conf *conf)
{
    char expr[160];

    printf(SLURM_INCLUDE_MARK " --gres " PACKAGE_VERSION "\n"
                              "# Append this to gres.conf. Rented nodes get the same lines.\n");
    for (unsigned c = 0; c < conf->n_clouds; c++) {
        for (unsigned i = 0; i < conf->n_shapes; i++) {
            const struct shape_conf *s = &conf->shapes[i];
            if (s->gpus == 0 || !cloud_has_shape(&conf->clouds[c], s))
                continue;
            printf("NodeName=%s Name=gpu Type=%s File=/dev/nvidia",
                   node_expression(&conf->clouds[c], s, expr, sizeof(expr)), s->gpu);
            if (s->gpus == 1)
                puts("0");
            else
                printf("[0-%u]\n", s->gpus - 1);
        }
    }
}

static void help(const char *name)
{
    unsigned release = slurm_release(BURST_SLURM_RELEASE);

    printf(
        "usage: burst slurm-conf [--gres] [--conf=FILE] [--slurm=RELEASE]\n"
        "\n"
        "Prints what slurm.conf needs: parameters, hooks, one node range per cloud and shape, one\n"
        "partition per cloud; each line with its reason. Settings that slurm.conf has already are\n"
        "kept: lists are extended, programs are left to you with a remark.\n"
        "\n"
        "      --gres           prints the lines for gres.conf instead\n"
        "      --conf=FILE      burst.yaml to use (default: $BURST_CONF or the installed place)\n"
        "      --slurm=RELEASE  for this Slurm (default: %u.%02u, the one this was built with)\n"
        "      --help           this text\n",
        release / 100, release % 100);
}

int cmd_slurm_conf(int argc, char **argv)
{
    unsigned release = slurm_release(BURST_SLURM_RELEASE);
    const char *path = NULL, *slurm = NULL;
    bool gres = false;
    const struct opt options[] = {
        {0, "gres", .flag = &gres}, {0, "conf", .word = &path}, {0, "slurm", .word = &slurm}, {0}};
    int status = options_line(argc, argv, options, help, 0, 0, "");
    burst_error_t err;

    if (status >= 0)
        return status;
    if (slurm && !(release = slurm_release(slurm)))
        return cmd_usage(argv[0], "\"%s\" is no release of Slurm; write it like 22.05.8", slurm);
    struct burst_conf *conf = cmd_conf(path);
    if (!conf)
        return CMD_REFUSED;
    if (gres) {
        print_gres(conf);
    } else {
        struct slurm_settings *site = slurm_settings_read(conf->slurm_conf, 0, &err);
        print_head(conf, release);
        if (!site)
            printf("# ATTENTION: could not look at what slurm.conf has already (%s):\n"
                   "# a key that it has too is overwritten by the one here.\n",
                   err.text);
        print_wants(conf, release, site);
        print_places(conf);
        slurm_settings_free(site);
    }
    conf_free(conf);
    return CMD_OK;
}
