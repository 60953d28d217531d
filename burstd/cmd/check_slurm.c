// SPDX-License-Identifier: GPL-3.0-or-later
// See check_slurm.h.
#include "config.h"

#include "cmd/check_slurm.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "cmd/capture.h"
#include "cmd/check.h"
#include "cmd/slurm_fence.h"
#include "cmd/slurm_settings.h"
#include "cmd/slurm_wants.h"
#include "libburst/hostlist.h"
#include "libburst/xalloc.h"

#define SCONTROL_MS 15000
#define SCONTROL_MAX (16u << 20)

static char *scontrol(const char *a, const char *b, const char *c, burst_error_t *errp)
{
    char *argv[] = {(char *)"scontrol", (char *)a, (char *)b, (char *)c, NULL};
    char *out;

    return capture(argv, SCONTROL_MS, SCONTROL_MAX, &out, errp) == 0 ? out : NULL;
}

void check_slurm_load(struct check *k)
{
    burst_error_t err = {""};

    if (k->offline) {
        k->slurm = slurm_settings_read(k->conf->slurm_conf, 1, &err);
        if (!k->slurm)
            check_report(k, CHECK_FAIL, "give its place as slurm: {conf: ...} in burst.yaml", "%s",
                         err.text);
        return;
    }
    char *text = scontrol("show", "config", NULL, &err);
    if (!text) {
        check_report(k, CHECK_FAIL, "start slurmctld, or use --offline to look at slurm.conf only",
                     "Slurm: %s", err.text);
        return;
    }
    k->slurm = slurm_settings_parse(text);
    free(text);
    check_report(k, CHECK_OK, "", "Slurm %s answers",
                 slurm_settings_get(k->slurm, "SLURM_VERSION") ?: "(unknown release)");
}

void check_slurm_settings(struct check *k)
{
    const char *version = slurm_settings_get(k->slurm, "SLURM_VERSION");
    unsigned release = slurm_release(version ? version : BURST_SLURM_RELEASE);
    struct slurm_want wants[SLURM_WANTS_MAX];
    unsigned n = slurm_wants(k->conf, release, wants), lacking = 0;
    char missing[256];

    for (unsigned i = 0; i < n; i++) {
        const struct slurm_want *w = &wants[i];
        const char *actual = slurm_settings_get(k->slurm, w->key);
        if (slurm_want_met(w, actual, missing))
            continue;
        lacking++;
        char *mend = w->kind == SLURM_WANT_LIST && actual
                         ? xasprintf("%s=%s,%s", w->key, actual, missing)
                         : xasprintf("%s=%s", w->key, w->value);
        check_report(k, w->needed ? CHECK_FAIL : CHECK_WARN, mend, "slurm.conf: %s is %s. %s",
                     w->key, actual ? actual : "not set", w->why);
        free(mend);
    }
    if (lacking > 0)
        check_report(
            k, CHECK_WARN,
            "burst slurm-conf > /etc/slurm/slurm-burst.conf, end slurm.conf with \"Include "
            "slurm-burst.conf\", restart slurmctld",
            "%u settings of Slurm differ from what `burst slurm-conf` prints", lacking);
    else
        check_report(k, CHECK_OK, "", "slurm.conf has all settings");
}

// "Nodes=..." of a partition in the one-line output of scontrol; NULL when it is not there. Owned.
static char *partition_nodes(const char *text, const char *partition)
{
    char *start = xasprintf("PartitionName=%s ", partition), *nodes = NULL;

    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, start, strlen(start)) != 0)
            continue;
        const char *end = line + strcspn(line, "\n");
        const char *p = strstr(line, " Nodes=");
        if (p && p < end)
            nodes = xasprintf("%.*s", (int)strcspn(p + 7, " \n"), p + 7);
        break;
    }
    free(start);
    return nodes;
}

static bool name_in(char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

// What slurm.conf has of a partition for a key ("" when nothing). Owned; NULL: no such partition.
static char *partition_value(const char *text, const char *partition, const char *key)
{
    char *start = xasprintf("PartitionName=%s ", partition), *want = xasprintf(" %s=", key);
    char *value = NULL;

    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, start, strlen(start)) != 0)
            continue;
        const char *end = line + strcspn(line, "\n");
        const char *p = strstr(line, want);
        if (p && p < end)
            p += strlen(want);
        else
            p = NULL;
        value = p ? xasprintf("%.*s", (int)strcspn(p, " \n"), p) : xstrdup("");
        break;
    }
    free(start);
    free(want);
    return value;
}

// Each item of one list is in the other.
static bool same_list(const char *a, const char *b)
{
    for (const char *list = a, *in = b;; list = b, in = a) {
        char *copy = xstrdup(list), *save = NULL;
        bool all = true;
        for (char *item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save))
            all = all && slurm_list_has(in, item);
        free(copy);
        if (!all || list == b)
            return all;
    }
}

static void check_fence(struct check *k, const char *text, const char *partition)
{
    struct slurm_fence f;

    slurm_fence_init(&f, k->conf);
    for (unsigned i = 0; i < f.n; i++) {
        char *is = partition_value(text, partition, f.set[i].key);
        if (is && !same_list(is, f.set[i].value))
            check_report(k, CHECK_WARN,
                         "write the include again (burst slurm-conf), scontrol reconfigure",
                         "Slurm's partition %s has %s=%s, burst.yaml says %s", partition,
                         f.set[i].key, *is ? is : "(nothing)", f.set[i].value);
        free(is);
    }
    slurm_fence_free(&f);
}

// First node of the cloud that the partition lacks; false when it has all.
static bool lacks_node(struct check *k, const struct cloud_conf *cl, const char *expr, char *node)
{
    burst_error_t err;
    char **names;
    size_t n;
    bool lacks = false;

    if (hostlist_expand(expr, &names, &n, &err) < 0)
        return false;
    for (unsigned s = 0; s < k->conf->n_shapes && !lacks; s++) {
        const struct shape_conf *shape = &k->conf->shapes[s];
        for (unsigned i = 1; i <= shape->nodes && cloud_has_shape(cl, shape) && !lacks; i++)
            lacks = conf_node_name(cl, shape, i, node, &err) == 0 && !name_in(names, n, node);
    }
    hostlist_free(names);
    return lacks;
}

void check_slurm_partitions(struct check *k)
{
    static const char mend[] = "write the include again (burst slurm-conf), restart slurmctld";
    burst_error_t err = {""};
    char *text = scontrol("-o", "show", "partitions", &err);
    char node[CONF_NODE_NAME_MAX];

    if (!text) {
        check_report(k, CHECK_FAIL, "see slurmctld's log", "partitions: %s", err.text);
        return;
    }
    for (unsigned i = 0; i < k->conf->n_clouds; i++) {
        const struct cloud_conf *cl = &k->conf->clouds[i];
        char *expr = partition_nodes(text, cl->partition);
        if (!expr)
            check_report(k, CHECK_FAIL, mend, "Slurm has no partition %s", cl->partition);
        else if (lacks_node(k, cl, expr, node))
            check_report(k, CHECK_FAIL, mend, "Slurm's partition %s lacks node %s", cl->partition,
                         node);
        else
            check_report(k, CHECK_OK, "", "Slurm's partition %s has the nodes of cloud %s",
                         cl->partition, cl->name);
        if (expr && conf_find_partition(k->conf, cl->partition) == cl)
            check_fence(k, text, cl->partition);
        free(expr);
    }
    free(text);
}

// The release that a plugin was built for is in its plugin_version; slurmctld refuses to start with
// any other than its own, down to the last number.
static void check_plugin_file(struct check *k, const char *path)
{
    const char *version = k->slurm ? slurm_settings_get(k->slurm, "SLURM_VERSION") : NULL;
    void *plugin = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    const uint32_t *built = plugin ? dlsym(plugin, "plugin_version") : NULL;
    unsigned major = 0, minor = 0, micro = 0;

    if (!built) {
        check_report(k, CHECK_WARN, "if slurmctld loads it all is well", "cannot look into %s: %s",
                     path, dlerror());
    } else if (!version || sscanf(version, "%u.%u.%u", &major, &minor, &micro) != 3) {
        check_report(k, CHECK_OK, "", "submit plugin %s, for Slurm %u.%02u.%u", path,
                     *built >> 16 & 0xff, *built >> 8 & 0xff, *built & 0xff);
    } else if (*built != (major << 16 | minor << 8 | micro)) {
        check_report(
            k, CHECK_FAIL, "build slurm-burst against the headers of the running release",
            "submit plugin %s is for Slurm %u.%02u.%u, slurmctld is %s and will not start with "
            "it",
            path, *built >> 16 & 0xff, *built >> 8 & 0xff, *built & 0xff, version);
    } else {
        check_report(k, CHECK_OK, "", "submit plugin %s, for Slurm %s", path, version);
    }
    if (plugin)
        dlclose(plugin);
}

void check_slurm_plugin(struct check *k)
{
    const char *dirs = k->slurm ? slurm_settings_get(k->slurm, "PluginDir") : NULL;
    bool found = false;

    if (!dirs)
        dirs = BURST_SLURM_PLUGINDIR;
    for (const char *p = dirs; *p && !found;) {
        size_t len = strcspn(p, ":");
        char *path = xasprintf("%.*s/job_submit_burst.so", (int)len, p);
        found = access(path, F_OK) == 0;
        if (found)
            check_plugin_file(k, path);
        free(path);
        p += len + (p[len] == ':');
    }
    if (!found)
        check_report(k, CHECK_FAIL, "configure --with-slurm-plugindir=DIR and make install",
                     "job_submit_burst.so is not in PluginDir (%s)", dirs);
}
