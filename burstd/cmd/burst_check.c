// SPDX-License-Identifier: GPL-3.0-or-later
// `burst check`: is everything set up? One line per question, with how to mend what is not so.
//
// Run by root it looks at files as SlurmUser does, because burstd runs as SlurmUser. It changes
// nothing.
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "catalog/catalog.h"
#include "cmd/burst.h"
#include "cmd/capture.h"
#include "cmd/options.h"
#include "cmd/slurm_settings.h"
#include "cmd/slurm_wants.h"
#include "libburst/fsutil.h"
#include "libburst/hostlist.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "slurm_plugin/hostconf.h"

#define SCONTROL_MS 15000
#define SCONTROL_MAX (16u << 20)
#define SECRET_MAX 65536

enum level { OK, WARN, FAIL };
static const char *const level_names[] = {"ok", "warn", "FAIL"};

struct check {
    const struct burst_conf *conf;
    struct slurm_settings *slurm; // NULL: not known
    bool offline;
    bool json;
    cJSON *rows;
    unsigned failed;
    uid_t slurm_uid;
    gid_t slurm_gid;
    bool slurm_known;
};

// mend "" when there is nothing to do.
static void report(struct check *k, enum level level, const char *mend, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void report(struct check *k, enum level level, const char *mend, const char *fmt, ...)
{
    char what[800];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    k->failed += level == FAIL;
    if (!k->json) {
        printf("%-4s  %s%s%s\n", level_names[level], what, *mend ? " - " : "", mend);
        fflush(stdout);
        return;
    }
    cJSON *row = cJSON_CreateObject();
    json_add_str(row, "level", level == FAIL ? "fail" : level_names[level]);
    json_add_str(row, "what", what);
    json_add_str(row, "mend", mend);
    cJSON_AddItemToArray(k->rows, row);
}

// --- who

static void check_user(struct check *k)
{
    const struct passwd *pw = getpwnam(k->conf->slurm_user);
    const char *set = k->slurm ? slurm_settings_get(k->slurm, "SlurmUser") : NULL;
    size_t len = strlen(k->conf->slurm_user);

    if (!pw) {
        report(k, FAIL, "give the SlurmUser of slurm.conf as slurm_user in burst.yaml",
               "there is no user %s on this machine", k->conf->slurm_user);
        return;
    }
    k->slurm_known = true;
    k->slurm_uid = pw->pw_uid;
    k->slurm_gid = pw->pw_gid;
    // scontrol prints "slurm(64030)", slurm.conf has "slurm".
    if (set && (strncmp(set, k->conf->slurm_user, len) != 0 || (set[len] && set[len] != '(')))
        report(k, FAIL, "make slurm_user in burst.yaml the same",
               "Slurm runs as %s, burst.yaml says %s", set, k->conf->slurm_user);
    for (unsigned i = 0; i < k->conf->n_operator_users; i++)
        if (!getpwnam(k->conf->operator_users[i]))
            report(k, WARN, "mend operators.users in burst.yaml", "operator %s is no user here",
                   k->conf->operator_users[i]);
    for (unsigned i = 0; i < k->conf->n_operator_groups; i++)
        if (!getgrnam(k->conf->operator_groups[i]))
            report(k, WARN, "mend operators.groups in burst.yaml", "operator group %s is no group",
                   k->conf->operator_groups[i]);
}

// Root looks as SlurmUser; false when that is not possible.
static bool become_slurm(struct check *k)
{
    if (geteuid() != 0 || !k->slurm_known)
        return geteuid() != 0;
    return setegid(k->slurm_gid) == 0 && seteuid(k->slurm_uid) == 0;
}

static void become_self(void)
{
    if (seteuid(getuid()) < 0 || setegid(getgid()) < 0)
        abort(); // going on with the wrong rights would give wrong answers
}

static bool may_see_secrets(const struct check *k)
{
    return geteuid() == 0 || (k->slurm_known && geteuid() == k->slurm_uid);
}

// --- files

// make: the command that makes it when it is not there, "" when it must come from elsewhere.
static void check_secret(struct check *k, const char *what, const char *path, const char *make)
{
    burst_error_t err = {""};
    char *secret, *mend;
    size_t len;

    if (!become_slurm(k))
        return;
    int rc = fs_read_secret(path, SECRET_MAX, &secret, &len, &err);
    become_self();
    if (rc == 0 && len == 0) {
        report(k, FAIL, "put the secret into it", "%s: %s is empty", what, path);
    } else if (rc == 0) {
        report(k, OK, "", "%s: %s", what, path);
    } else {
        bool missing = access(path, F_OK) < 0 && errno == ENOENT;
        mend = xasprintf("%s%schown %s %s; chmod 600 %s; its directories writable for root only",
                         missing ? (*make ? make : "put it there") : "", missing ? "; " : "",
                         k->conf->slurm_user, path, path);
        report(k, FAIL, mend, "%s: %s", what, err.text);
        free(mend);
    }
    if (rc == 0)
        fs_wipe(secret, len);
}

static void check_secrets(struct check *k)
{
    const struct burst_conf *c = k->conf;
    char *public_key, *mend;

    if (!may_see_secrets(k)) {
        mend = xasprintf("run this as root or %s", c->slurm_user);
        report(k, WARN, mend, "keys and credentials: not looked at");
        free(mend);
        return;
    }
    char *make = xasprintf("ssh-keygen -t ed25519 -N '' -f %s", c->ssh_key);
    check_secret(k, "SSH key", c->ssh_key, make);
    free(make);
    public_key = xasprintf("%s.pub", c->ssh_key);
    if (access(public_key, R_OK) < 0) {
        mend = xasprintf("ssh-keygen -y -f %s > %s", c->ssh_key, public_key);
        report(k, FAIL, mend, "public SSH key %s: %s", public_key, strerror(errno));
        free(mend);
    }
    free(public_key);
    make = xasprintf("cp /etc/munge/munge.key %s", c->munge_key);
    check_secret(k, "munge key", c->munge_key, make);
    free(make);
    for (unsigned i = 0; i < c->n_clouds; i++) {
        char *what = xasprintf("credentials of cloud %s", c->clouds[i].name);
        if (*c->clouds[i].credentials)
            check_secret(k, what, c->clouds[i].credentials, "");
        free(what);
    }
}

static void check_dir(struct check *k, const char *what, const char *path, const char *sub)
{
    char *inner = xasprintf("%s/%s", path, sub);
    char *mend =
        xasprintf("install -d -o %s -m %s %s", k->conf->slurm_user, *sub ? "700" : "755", path);

    if (!become_slurm(k)) {
        free(inner);
        free(mend);
        return;
    }
    // burstd makes what is below; that must be ours to write when it is there.
    bool below = *sub && access(inner, F_OK) == 0;
    int rc = faccessat(AT_FDCWD, below ? inner : path, W_OK | X_OK, AT_EACCESS);
    int err = errno;
    become_self();
    if (rc == 0)
        report(k, OK, "", "%s: %s", what, below ? inner : path);
    else
        report(k, FAIL, mend, "%s: %s: %s", what, below ? inner : path, strerror(err));
    free(inner);
    free(mend);
}

// Plugin and hooks look where burst.conf beside slurm.conf says, not into burst.yaml.
static void check_hostconf(struct check *k)
{
    burst_error_t err = {""};
    struct hostconf h;
    char *mend = xasprintf("write RunDir=%s and StateDir=%s into burst.conf beside slurm.conf",
                           k->conf->run_dir, k->conf->state_dir);

    if (hostconf_load(&h, k->conf->slurm_conf, &err) < 0)
        report(k, FAIL, "mend that line", "%s", err.text);
    else if (strcmp(h.run_dir, k->conf->run_dir) != 0)
        report(k, FAIL, mend, "plugin and hooks look for burstd in %s, not in %s", h.run_dir,
               k->conf->run_dir);
    else if (strcmp(h.state_dir, k->conf->state_dir) != 0)
        report(k, FAIL, mend, "the hooks leave their calls in %s, not in %s", h.state_dir,
               k->conf->state_dir);
    free(mend);
}

static void check_program(struct check *k, const char *name, bool hook)
{
    char *path = slurm_want_program(name), *mend;
    struct stat st;

    if (stat(path, &st) < 0) {
        report(k, FAIL, "install slurm-burst completely (make install)", "%s: %s", path,
               strerror(errno));
    } else if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0) {
        mend = xasprintf("chmod 755 %s", path);
        report(k, FAIL, mend, "%s cannot be executed", path);
        free(mend);
    } else if (hook && (st.st_mode & (S_IWGRP | S_IWOTH))) {
        mend = xasprintf("chmod go-w %s", path);
        report(k, FAIL, mend, "%s: others may write to it; Slurm refuses such programs", path);
        free(mend);
    }
    free(path);
}

static void check_programs(struct check *k)
{
    static const char *const hooks[] = {"burst-resume", "burst-resume-fail", "burst-suspend",
                                        "burst-prolog", "burst-epilog"};
    static const char *const helpers[] = {"burst-slurm", "burst-solve", "burst-ssh"};
    unsigned before = k->failed;

    for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
        check_program(k, hooks[i], true);
    for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
        check_program(k, helpers[i], false);
    if (k->failed == before) {
        char *dir = slurm_want_program("");
        report(k, OK, "", "hooks and helpers: %s", dir);
        free(dir);
    }
}

// --- the catalog

struct complaints {
    unsigned n;
    char first[300];
};

static void on_complaint(void *arg, const struct catalog_complaint *c)
{
    struct complaints *all = arg;

    if (all->n++ == 0)
        snprintf(all->first, sizeof(all->first), "%s:%u: %s", c->file, c->line, c->text);
}

static bool type_fits(const struct catalog *cat, const struct catalog_type *t,
                      const struct shape_conf *s)
{
    bool named = s->gpus == 0 && t->accelerator == 0;

    for (unsigned i = 0; i < s->n_catalog_names; i++)
        named = named || strcasecmp(s->catalog_names[i], catalog_str(cat, t->accelerator)) == 0;
    return named && (s->gpus == 0 || t->count >= s->gpus) && t->vcpus >= s->cpus &&
           t->memory_gib * 1073741824.0 >= (double)s->memory;
}

static bool offered(const struct catalog *cat, const struct cloud_conf *cl,
                    const struct catalog_type *t)
{
    uint32_t n;
    const struct catalog_offer *offers = catalog_offers(cat, &n);
    const struct catalog_region *regions = catalog_regions(cat, &n);

    for (uint32_t i = t->first_offer; i < t->first_offer + t->n_offers; i++) {
        const struct catalog_offer *o = &offers[i];
        if (!cloud_has_region(cl, catalog_str(cat, regions[o->region].name)))
            continue;
        if ((cl->spot && catalog_price(o, MARKET_SPOT) != MONEY_UNKNOWN) ||
            (cl->on_demand && catalog_price(o, MARKET_ON_DEMAND) != MONEY_UNKNOWN))
            return true;
    }
    return false;
}

static void check_cloud_offers(struct check *k, const struct catalog *cat,
                               const struct cloud_conf *cl)
{
    uint32_t n_clouds, n_types;
    const struct catalog_cloud *clouds = catalog_clouds(cat, &n_clouds);
    const struct catalog_type *types = catalog_types(cat, &n_types);
    uint32_t found = n_clouds;

    for (uint32_t i = 0; i < n_clouds; i++)
        if (strcmp(catalog_str(cat, clouds[i].name), cl->name) == 0)
            found = i;
    if (found == n_clouds) {
        char *mend = xasprintf("put its prices into %s/%s.csv", k->conf->catalog_dir, cl->name);
        report(k, FAIL, mend, "cloud %s is not in the catalog", cl->name);
        free(mend);
        return;
    }
    for (unsigned s = 0; s < k->conf->n_shapes; s++) {
        const struct shape_conf *shape = &k->conf->shapes[s];
        unsigned fit = 0;
        if (!cloud_has_shape(cl, shape))
            continue;
        for (uint32_t t = 0; t < clouds[found].n_types; t++) {
            const struct catalog_type *type = &types[clouds[found].first_type + t];
            fit += type_fits(cat, type, shape) && offered(cat, cl, type);
        }
        if (fit > 0)
            report(k, OK, "", "cloud %s, shape %s: %u instance type%s", cl->name, shape->name, fit,
                   fit == 1 ? "" : "s");
        else
            report(k, WARN,
                   "make the shape smaller, name the accelerator as the catalog does "
                   "(accelerators:), or leave the shape out of the cloud's shapes:",
                   "cloud %s offers nothing for shape %s in its regions and markets", cl->name,
                   shape->name);
    }
}

static void check_catalog(struct check *k)
{
    struct complaints complaints = {0};
    burst_error_t err = {""};
    struct catalog *cat = catalog_load(k->conf->catalog_dir, on_complaint, &complaints, &err);

    if (!cat) {
        report(k, FAIL, "put CLOUD.csv and egress.csv there", "catalog: %s", err.text);
        return;
    }
    if (complaints.n > 0)
        report(k, WARN, "burst catalog check shows all",
               "catalog: %u rows are not used, the first: %s", complaints.n, complaints.first);
    else
        report(k, OK, "", "catalog: %s", k->conf->catalog_dir);
    for (unsigned i = 0; i < k->conf->n_clouds; i++)
        check_cloud_offers(k, cat, &k->conf->clouds[i]);
    catalog_destroy(cat);
}

// --- Slurm

static char *scontrol(const char *a, const char *b, const char *c, burst_error_t *errp)
{
    char *argv[] = {(char *)"scontrol", (char *)a, (char *)b, (char *)c, NULL};
    char *out;

    return capture(argv, SCONTROL_MS, SCONTROL_MAX, &out, errp) == 0 ? out : NULL;
}

static void load_slurm(struct check *k)
{
    burst_error_t err = {""};

    if (k->offline) {
        k->slurm = slurm_settings_read(k->conf->slurm_conf, 1, &err);
        if (!k->slurm)
            report(k, FAIL, "give its place as slurm: {conf: ...} in burst.yaml", "%s", err.text);
        return;
    }
    char *text = scontrol("show", "config", NULL, &err);
    if (!text) {
        report(k, FAIL, "start slurmctld, or use --offline to look at slurm.conf only", "Slurm: %s",
               err.text);
        return;
    }
    k->slurm = slurm_settings_parse(text);
    free(text);
    report(k, OK, "", "Slurm %s answers",
           slurm_settings_get(k->slurm, "SLURM_VERSION") ?: "(unknown release)");
}

static void check_settings(struct check *k)
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
        report(k, w->needed ? FAIL : WARN, mend, "slurm.conf: %s is %s. %s", w->key,
               actual ? actual : "not set", w->why);
        free(mend);
    }
    if (lacking > 0)
        report(k, WARN,
               "burst slurm-conf > /etc/slurm/slurm-burst.conf, end slurm.conf with \"Include "
               "slurm-burst.conf\", restart slurmctld",
               "%u settings of Slurm differ from what `burst slurm-conf` prints", lacking);
    else
        report(k, OK, "", "slurm.conf has all settings");
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

static void check_partitions(struct check *k)
{
    static const char mend[] = "write the include again (burst slurm-conf), restart slurmctld";
    burst_error_t err = {""};
    char *text = scontrol("-o", "show", "partitions", &err);
    char node[CONF_NODE_NAME_MAX];

    if (!text) {
        report(k, FAIL, "see slurmctld's log", "partitions: %s", err.text);
        return;
    }
    for (unsigned i = 0; i < k->conf->n_clouds; i++) {
        const struct cloud_conf *cl = &k->conf->clouds[i];
        char *expr = partition_nodes(text, cl->partition);
        if (!expr)
            report(k, FAIL, mend, "Slurm has no partition %s", cl->partition);
        else if (lacks_node(k, cl, expr, node))
            report(k, FAIL, mend, "Slurm's partition %s lacks node %s", cl->partition, node);
        else
            report(k, OK, "", "Slurm's partition %s has the nodes of cloud %s", cl->partition,
                   cl->name);
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
        report(k, WARN, "if slurmctld loads it all is well", "cannot look into %s: %s", path,
               dlerror());
    } else if (!version || sscanf(version, "%u.%u.%u", &major, &minor, &micro) != 3) {
        report(k, OK, "", "submit plugin %s, for Slurm %u.%02u.%u", path, *built >> 16 & 0xff,
               *built >> 8 & 0xff, *built & 0xff);
    } else if (*built != (major << 16 | minor << 8 | micro)) {
        report(k, FAIL, "build slurm-burst against the headers of the running release",
               "submit plugin %s is for Slurm %u.%02u.%u, slurmctld is %s and will not start with "
               "it",
               path, *built >> 16 & 0xff, *built >> 8 & 0xff, *built & 0xff, version);
    } else {
        report(k, OK, "", "submit plugin %s, for Slurm %s", path, version);
    }
    if (plugin)
        dlclose(plugin);
}

static void check_plugin(struct check *k)
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
        report(k, FAIL, "configure --with-slurm-plugindir=DIR and make install",
               "job_submit_burst.so is not in PluginDir (%s)", dirs);
}

// --- burstd

static void check_clouds(struct check *k)
{
    burst_error_t err = {""};
    const cJSON *cloud;
    int status;
    cJSON *s = cmd_try("status", NULL, &status, &err);

    cJSON_ArrayForEach(cloud, cJSON_GetObjectItemCaseSensitive(s, "clouds"))
    {
        const char *name = json_str(cloud, "cloud", "?");
        if (json_bool(cloud, "ok", false))
            report(k, OK, "", "burstd reaches cloud %s", name);
        else
            report(k, FAIL, "see burstd's log", "burstd does not reach cloud %s: %s", name,
                   json_str(cloud, "message", ""));
    }
    if (s && !json_bool(cJSON_GetObjectItemCaseSensitive(s, "slurm"), "connected", false))
        report(k, FAIL, "see burstd's log", "burstd gets no answer from Slurm");
    cJSON_Delete(s);
}

static void check_burstd(struct check *k)
{
    burst_error_t err = {""};
    int status;
    cJSON *pong = cmd_try("ping", NULL, &status, &err);

    if (!pong) {
        report(k, FAIL, "systemctl start burstd; its log says why it stopped", "%s", err.text);
        return;
    }
    const char *version = json_str(pong, "version", "?");
    if (strcmp(version, PACKAGE_VERSION) != 0)
        report(k, WARN, "systemctl restart burstd",
               "burstd is %s, this command is " PACKAGE_VERSION, version);
    else
        report(k, OK, "", "burstd %s answers for cluster %s", version,
               json_str(pong, "cluster", "?"));
    if (strcmp(json_str(pong, "cluster", ""), k->conf->cluster) != 0)
        report(k, WARN, "burst reload, or restart burstd with this file",
               "burstd runs with another burst.yaml (cluster %s, not %s)",
               json_str(pong, "cluster", "?"), k->conf->cluster);
    cJSON_Delete(pong);
    check_clouds(k);
    if (!k->conf->shared_filesystem) {
        char *socket = xasprintf("%s/stage.sock", k->conf->run_dir);
        if (access(socket, F_OK) < 0)
            report(k, FAIL, "systemctl start burst-stagerd, or data: {shared_filesystem: true}",
                   "burst-stagerd does not run: no files of jobs can be copied (%s)", socket);
        else
            report(k, OK, "", "burst-stagerd: %s", socket);
        free(socket);
    }
}

// --- all

static void check_all(struct check *k)
{
    report(k, OK, "", "configuration: %s (%u cloud%s, %u shape%s)", k->conf->path,
           k->conf->n_clouds, k->conf->n_clouds == 1 ? "" : "s", k->conf->n_shapes,
           k->conf->n_shapes == 1 ? "" : "s");
    load_slurm(k);
    check_user(k);
    check_catalog(k);
    check_secrets(k);
    if (may_see_secrets(k)) {
        check_dir(k, "run directory", k->conf->run_dir, "");
        check_dir(k, "spool", k->conf->state_dir, "spool");
    }
    check_programs(k);
    check_hostconf(k);
    check_plugin(k);
    if (k->slurm)
        check_settings(k);
    if (!k->offline && k->slurm)
        check_partitions(k);
    if (!k->offline)
        check_burstd(k);
}

static int check_conf_failed(struct check *k, const struct conf_errors *errs)
{
    for (unsigned i = 0; i < errs->n; i++)
        report(k, FAIL, "", "%s", errs->text[i].text);
    if (errs->more)
        report(k, FAIL, "", "... and %u more errors in the configuration", errs->more);
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
