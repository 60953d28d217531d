// SPDX-License-Identifier: GPL-3.0-or-later
// See slurm_wants.h. Why each of these is here was tried on a real Slurm: docs/design/
// slurm-behaviour.md.
#include "cmd/slurm_wants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd/slurm_settings.h"
#include "libburst/xalloc.h"

#define BEFORE(release_, major_minor) ((release_) && (release_) < (major_minor))

unsigned slurm_release(const char *version)
{
    char *end;
    unsigned long major = strtoul(version, &end, 10), minor;

    if (end == version || *end != '.')
        return 0;
    minor = strtoul(end + 1, &end, 10);
    return major < 100 && minor < 100 ? (unsigned)(major * 100 + minor) : 0;
}

char *slurm_want_program(const char *name)
{
    const char *dir = getenv("BURST_LIBEXECDIR");

    return xasprintf("%s/%s", dir && *dir ? dir : BURST_LIBEXECDIR, name);
}

struct builder {
    struct slurm_want *want;
    unsigned n;
};

static void add(struct builder *b, const char *key, const char *value, enum slurm_want_kind kind,
                bool needed, const char *why)
{
    struct slurm_want *w = &b->want[b->n++];

    w->key = key;
    snprintf(w->value, sizeof(w->value), "%s", value);
    w->kind = kind;
    w->needed = needed;
    w->why = why;
}

static void add_program(struct builder *b, const char *key, const char *program, const char *why)
{
    char *path = slurm_want_program(program);

    add(b, key, path, SLURM_WANT_PROGRAM, true, why);
    free(path);
}

unsigned slurm_wants(const struct burst_conf *conf, unsigned release,
                     struct slurm_want want[SLURM_WANTS_MAX])
{
    struct builder b = {.want = want};

    add_program(&b, "ResumeProgram", "burst-resume",
                "Slurm wants nodes up: hands over to burstd and ends at once.");
    add_program(&b, "ResumeFailProgram", "burst-resume-fail",
                "A node did not come up in time: burstd ends its instance.");
    add_program(&b, "SuspendProgram", "burst-suspend", "Slurm gives idle nodes back.");
    add_program(&b, "PrologSlurmctld", "burst-prolog",
                "Waits until the nodes of a job are there; without it jobs start up to 30 s late.");
    add_program(&b, "EpilogSlurmctld", "burst-epilog",
                "Waits until the results of a job are home, so that jobs which depend on it see "
                "them.");
    add(&b, "ResumeRate", "0", SLURM_WANT_NUMBER, false,
        "No limit: burstd has capacity in hand before Slurm asks for it.");
    add(&b, "SuspendRate", "0", SLURM_WANT_NUMBER, false,
        "No limit: an idle node that is not given back costs money.");
    add(&b, "SuspendTime", "INFINITE", SLURM_WANT_WORD, true,
        "Local nodes are never powered down; the elastic partitions have their own time.");
    add(&b, "SlurmctldParameters", "idle_on_node_suspend", SLURM_WANT_LIST, true,
        "idle_on_node_suspend: a node that failed is usable again once it is powered down. "
        "power_save_*: Slurm asks for nodes within a second instead of ten.");
    struct slurm_want *parameters = &want[b.n - 1];
    size_t len = strlen(parameters->value);
    snprintf(parameters->value + len, sizeof(parameters->value) - len, "%s%s",
             BEFORE(release, 2311) ? ",cloud_reg_addrs" : "",
             ",power_save_interval=1,power_save_min_interval=0");
    add(&b, "CommunicationParameters", "NoAddrCache", SLURM_WANT_LIST, true,
        "The node behind a name has another address each time.");
    if (BEFORE(release, 2311))
        add(&b, "TreeWidth", "65533", SLURM_WANT_NUMBER, true,
            "The controller speaks to rented nodes itself: they cannot resolve each other's "
            "names.");
    if (BEFORE(release, 2302))
        add(&b, "PrivateData", "cloud", SLURM_WANT_LIST, false,
            "Rented node names are shown while they are powered down, too.");
    for (unsigned i = 0; i < conf->n_shapes; i++) {
        if (conf->shapes[i].gpus > 0) {
            add(&b, "GresTypes", "gpu", SLURM_WANT_LIST, true, "Shapes in burst.yaml have GPUs.");
            break;
        }
    }
    add(&b, "JobSubmitPlugins", "burst", SLURM_WANT_LIST, true,
        "Decides at submission which jobs may leave.");
    return b.n;
}

static bool list_met(const char *want, const char *actual, char *missing)
{
    char copy[256], *save = NULL;
    bool met = true;

    snprintf(copy, sizeof(copy), "%s", want);
    if (missing)
        missing[0] = '\0';
    for (char *item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
        if (slurm_list_has(actual, item))
            continue;
        met = false;
        if (missing) {
            size_t n = strlen(missing);
            snprintf(missing + n, 256 - n, "%s%s", n ? "," : "", item);
        }
    }
    return met;
}

bool slurm_want_met(const struct slurm_want *w, const char *actual, char *missing)
{
    char *end;

    if (w->kind == SLURM_WANT_LIST)
        return list_met(w->value, actual, missing);
    if (missing)
        snprintf(missing, 256, "%s", w->value);
    if (!actual)
        return false;
    if (w->kind == SLURM_WANT_PROGRAM)
        return strcmp(w->value, actual) == 0;
    if (w->kind == SLURM_WANT_WORD)
        return strcasecmp(w->value, actual) == 0;
    long n = strtol(actual, &end, 10);
    return end != actual && n == strtol(w->value, NULL, 10);
}

// Everything may be slow once, and burstd gives up earlier than Slurm: then it knows why.
int64_t slurm_resume_timeout(const struct burst_conf *conf)
{
    int64_t s = 2 * (conf->launch_timeout_s + conf->ssh_timeout_s + conf->join_timeout_s);

    return s < 300 ? 300 : s > 65000 ? 65000 : s;
}

// How long a name rests after SuspendProgram before it may stand for another instance. The old one
// must have stopped using it: a local instance is cut off at once, a cloud takes its time.
int64_t slurm_suspend_timeout(const struct burst_conf *conf, const char *partition)
{
    for (unsigned i = 0; i < conf->n_clouds; i++)
        if (strcmp(conf->clouds[i].partition, partition) == 0 &&
            strcmp(conf->clouds[i].provider, "local") != 0)
            return 30;
    return 5;
}
