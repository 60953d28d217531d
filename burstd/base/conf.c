// SPDX-License-Identifier: GPL-3.0-or-later
// See conf.h: the tables of burst.yaml, then the checks that compare values with each other.
#include "base/conf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/yamltab.h"
#include "libburst/fsutil.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define FILE_MAX (1 << 20)
#define DAY 86400
#define USD MONEY_PER_USD
#define MAX_MONEY (INT64_C(1000000000) * USD)

// Drivers that exist; provider.h is not linked into the command.
#define PROVIDERS "local"

// --- the tables: defaults are what the manual says

#define AT(m) offsetof(struct burst_conf, m)
#define LIST(k, m, d)                                                                              \
    {                                                                                              \
        .key = k, .kind = YT_LIST, .off = AT(m), .off_n = AT(n_##m), .dflt = d                     \
    }
#define TIME(k, m, d, lo, hi)                                                                      \
    {                                                                                              \
        .key = k, .kind = YT_DURATION, .off = AT(m), .dflt = d, .min = lo, .max = hi               \
    }
#define UINT(k, m, d, lo, hi)                                                                      \
    {                                                                                              \
        .key = k, .kind = YT_UINT, .off = AT(m), .dflt = d, .min = lo, .max = hi                   \
    }
#define CAP(k, m, d)                                                                               \
    {                                                                                              \
        .key = k, .kind = YT_MONEY, .off = AT(m), .dflt = d, .min = 0, .max = MAX_MONEY            \
    }
#define DIRECTORY(k, m, d)                                                                         \
    {                                                                                              \
        .key = k, .kind = YT_PATH, .off = AT(m), .dflt = d, .min = 1, .max = 4000                  \
    }
#define STRING(k, m, d, longest)                                                                   \
    {                                                                                              \
        .key = k, .kind = YT_STR, .off = AT(m), .dflt = d, .max = longest                          \
    }
#define SECTION(k, t)                                                                              \
    {                                                                                              \
        .key = k, .kind = YT_SECTION, .sub = t                                                     \
    }

static const struct yt_field operators_table[] = {
    LIST("users", operator_users, ""),
    LIST("groups", operator_groups, ""),
    {0},
};

static const struct yt_field slurm_table[] = {
    DIRECTORY("conf", slurm_conf, "/etc/slurm/slurm.conf"),
    TIME("poll", slurm_poll_s, "1s", 1, 60),
    {0},
};

// `default` is a word in the file and a flag in the structure; see finish().
static const struct yt_field eligibility_table[] = {
    {.key = "default",
     .kind = YT_WORD,
     .off = AT(default_word),
     .dflt = "auto",
     .words = "auto|never"},
    LIST("partitions", partitions, "*"),
    LIST("accounts", accounts, "*"),
    LIST("deny_accounts", deny_accounts, ""),
    LIST("users", users, "*"),
    LIST("deny_users", deny_users, ""),
    UINT("max_nodes", max_nodes, "16", 1, 10000),
    TIME("max_time", max_time_s, "7d", 60, 3650 * DAY),
    {.key = "interactive", .kind = YT_BOOL, .off = AT(interactive), .dflt = "false"},
    LIST("local_gpu_types", local_gpu_types, ""),
    {0},
};

#undef AT
#define AT(m) offsetof(struct waiting_conf, m)
static const struct yt_field waiting_table[] = {
    LIST("partition", partitions, "*"),
    LIST("qos", qos, "*"),
    CAP("usd_per_hour", usd, NULL),
    {0},
};

#undef AT
#define AT(m) offsetof(struct burst_conf, m)
static const struct yt_field spill_table[] = {
    TIME("wait_threshold", wait_threshold_s, "5m", 0, 365 * DAY),
    TIME("min_pending", min_pending_s, "0s", 0, 365 * DAY),
    CAP("cost_of_waiting_usd_per_hour", waiting_usd, "none"),
    {.key = "cost_of_waiting",
     .kind = YT_ARRAY,
     .off = AT(waiting),
     .off_n = AT(n_waiting),
     .dflt = "",
     .sub = waiting_table,
     .size = sizeof(struct waiting_conf)},
    UINT("max_instances", max_instances, "64", 0, 100000),
    TIME("default_runtime", default_runtime_s, "1h", 60, 365 * DAY),
    {0},
};

static const struct yt_field budget_table[] = {
    CAP("max_usd_per_job", max_per_job, "100"),
    CAP("max_usd_per_day", max_per_day, "500"),
    {0},
};

static const struct yt_field data_table[] = {
    {.key = "shared_filesystem", .kind = YT_BOOL, .off = AT(shared_filesystem), .dflt = "false"},
    {.key = "max_stage",
     .kind = YT_SIZE,
     .off = AT(max_stage_bytes),
     .dflt = "10GiB",
     .min = 0,
     .max = INT64_C(1) << 50},
    TIME("sync_interval", sync_interval_s, "0s", 0, 30 * DAY),
    STRING("location", data_location, "local/site", 120),
    LIST("exclude", exclude, ""),
    {0},
};

static const struct yt_field ssh_table[] = {
    DIRECTORY("key", ssh_key, BURST_SYSCONFDIR "/id_ed25519"),
    {.key = "user", .kind = YT_STR, .off = AT(ssh_user), .dflt = "root", .min = 1, .max = 32},
    TIME("connect_timeout", ssh_connect_timeout_s, "120s", 1, 3600),
    {0},
};

static const struct yt_field spot_table[] = {
    {.key = "signal",
     .kind = YT_STR,
     .off = AT(spot_signal_name),
     .dflt = "USR1",
     .min = 1,
     .max = 16},
    TIME("grace", spot_grace_s, "20s", 0, 3600),
    TIME("changeover", spot_changeover_s, "3m", 0, DAY),
    {0},
};

static const struct yt_field boot_table[] = {
    TIME("launch_timeout", launch_timeout_s, "60s", 1, 3600),
    TIME("ssh_timeout", ssh_timeout_s, "180s", 1, 7200),
    TIME("join_timeout", join_timeout_s, "60s", 1, 3600),
    TIME("block", block_s, "60s", 1, DAY),
    TIME("block_max", block_max_s, "1h", 1, 30 * DAY),
    {0},
};

static const struct yt_field reap_table[] = {
    TIME("minimum_age", reap_minimum_age_s, "90s", 0, DAY),
    TIME("interval", reap_interval_s, "30s", 1, 3600),
    {0},
};

#undef AT
#define AT(m) offsetof(struct accel_conf, m)
static const struct yt_field accel_table[] = {
    {.key = "type", .kind = YT_STR, .off = AT(gres), .min = 1, .max = 31},
    LIST("names", names, NULL),
    {0},
};

#undef AT
#define AT(m) offsetof(struct shape_conf, m)
static const struct yt_field shape_table[] = {
    {.key = "name", .kind = YT_NAME, .off = AT(name), .min = 1, .max = CONF_NAME_MAX},
    STRING("gpu", gpu, "", 31),
    UINT("gpus", gpus, "0", 0, 128),
    UINT("cpus", cpus, NULL, 1, 10000),
    {.key = "memory",
     .kind = YT_SIZE,
     .off = AT(memory),
     .min = INT64_C(64) << 20,
     .max = INT64_C(1) << 50},
    UINT("nodes", nodes, NULL, 1, CONF_NODES_MAX),
    {0},
};

#undef AT
#define AT(m) offsetof(struct cloud_conf, m)
static const struct yt_field cloud_table[] = {
    {.key = "name", .kind = YT_NAME, .off = AT(name), .min = 1, .max = CONF_NAME_MAX},
    STRING("partition", partition, "", 63),
    {.key = "provider", .kind = YT_WORD, .off = AT(provider), .words = PROVIDERS},
    STRING("endpoint", endpoint, "", 1024),
    {.key = "credentials", .kind = YT_PATH, .off = AT(credentials), .dflt = ""},
    LIST("regions", regions, "*"),
    {.key = "markets",
     .kind = YT_LIST,
     .off = AT(markets),
     .off_n = AT(n_markets),
     .dflt = "spot,on-demand",
     .words = "spot|on-demand"},
    UINT("max_nodes", max_nodes, "64", 0, 100000),
    CAP("max_usd_per_day", max_per_day, "none"),
    {.key = "metadata",
     .kind = YT_WORD,
     .off = AT(metadata),
     .dflt = "",
     .words = "aws|gcp|azure|local|none"},
    STRING("ssh_user", ssh_user, "", 32),
    LIST("shapes", shapes, "*"),
    STRING("image", image, "", 256),
    {0},
};

#undef AT
#define AT(m) offsetof(struct burst_conf, m)
static const struct yt_field root_table[] = {
    {.key = "cluster", .kind = YT_NAME, .off = AT(cluster), .min = 1, .max = CONF_NAME_MAX},
    DIRECTORY("run_dir", run_dir, BURST_RUNDIR),
    DIRECTORY("state_dir", state_dir, BURST_STATEDIR),
    DIRECTORY("catalog_dir", catalog_dir, BURST_SYSCONFDIR "/catalog"),
    {.key = "slurm_user",
     .kind = YT_STR,
     .off = AT(slurm_user),
     .dflt = "slurm",
     .min = 1,
     .max = 32},
    SECTION("operators", operators_table),
    STRING("listen", listen, "", 80),
    STRING("controller_address", controller_address, "", 63),
    SECTION("slurm", slurm_table),
    SECTION("eligibility", eligibility_table),
    SECTION("spill", spill_table),
    SECTION("budget", budget_table),
    SECTION("data", data_table),
    SECTION("ssh", ssh_table),
    DIRECTORY("munge_key", munge_key, BURST_SYSCONFDIR "/munge.key"),
    SECTION("spot", spot_table),
    SECTION("boot", boot_table),
    SECTION("reap", reap_table),
    TIME("node_idle", node_idle_s, "5m", 1, 30 * DAY),
    {.key = "accelerators",
     .kind = YT_DICT,
     .off = AT(accels),
     .off_n = AT(n_accels),
     .dflt = "",
     .sub = accel_table,
     .size = sizeof(struct accel_conf)},
    {.key = "shapes",
     .kind = YT_ARRAY,
     .off = AT(shapes),
     .off_n = AT(n_shapes),
     .sub = shape_table,
     .size = sizeof(struct shape_conf)},
    {.key = "clouds",
     .kind = YT_ARRAY,
     .off = AT(clouds),
     .off_n = AT(n_clouds),
     .sub = cloud_table,
     .size = sizeof(struct cloud_conf)},
    {0},
};

// --- checks that compare values

struct check {
    struct yt *y;
    struct burst_conf *c;
    char place[128];
};

static const char *at(struct check *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static const char *at(struct check *k, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(k->place, sizeof(k->place), fmt, ap);
    va_end(ap);
    return k->place;
}

// The address of an HTTP listener: HOST:PORT or [V6]:PORT with a literal address.
static bool split_listen(const char *text, char *host, size_t size, unsigned *port)
{
    const char *colon = strrchr(text, ':');
    const char *start = text, *end = colon;
    unsigned char addr[16];
    char *rest;

    if (!colon || !isdigit((unsigned char)colon[1]))
        return false;
    if (*text == '[') {
        start++;
        end--;
        if (end < start || *end != ']')
            return false;
    }
    if ((size_t)(end - start) >= size)
        return false;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    unsigned long p = strtoul(colon + 1, &rest, 10);
    *port = (unsigned)p;
    return !*rest && p > 0 && p < 65536 &&
           inet_pton(*text == '[' ? AF_INET6 : AF_INET, host, addr) == 1;
}

static void check_addresses(struct check *k)
{
    struct burst_conf *c = k->c;
    unsigned char addr[16];
    char host[80] = "";

    if (*c->listen && !split_listen(c->listen, host, sizeof(host), &c->listen_port))
        yt_fail(k->y, "listen",
                "\"%s\" is not ADDRESS:PORT with a numeric address, such as 10.0.0.1:8899",
                c->listen);
    xstrset(&c->listen_host, host);
    if (*c->controller_address && inet_pton(AF_INET, c->controller_address, addr) != 1 &&
        inet_pton(AF_INET6, c->controller_address, addr) != 1)
        yt_fail(k->y, "controller_address",
                "\"%s\" is not a numeric address; nodes write it into /etc/hosts, such as 10.0.0.1",
                c->controller_address);
    if ((strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0) && !*c->controller_address)
        yt_fail(k->y, "controller_address",
                "is missing: with listen on every address (%s) nodes cannot know where to report",
                c->listen);
}

static void check_dirs(struct check *k)
{
    struct sockaddr_un sun;
    struct burst_conf *c = k->c;

    if (strlen(c->run_dir) + strlen("/burstd.sock") >= sizeof(sun.sun_path))
        yt_fail(k->y, "run_dir", "is too long: a socket below it may have at most %zu characters",
                sizeof(sun.sun_path) - 1);
    if (strcmp(c->run_dir, c->state_dir) == 0)
        yt_fail(k->y, "state_dir",
                "is the same directory as run_dir; run_dir is lost at a reboot, state_dir must "
                "last");
    if (strcmp(c->run_dir, "/") == 0)
        yt_fail(k->y, "run_dir", "must be a directory of its own, not /");
    if (strcmp(c->state_dir, "/") == 0)
        yt_fail(k->y, "state_dir", "must be a directory of its own, not /");
}

static void check_signal(struct check *k)
{
    const char *name = k->c->spot_signal_name;

    if (strncasecmp(name, "SIG", 3) == 0)
        name += 3;
    for (int s = 1; s < 32; s++) {
        const char *known = sigabbrev_np(s);
        if (!known || strcasecmp(known, name) != 0)
            continue;
        if (s == SIGKILL || s == SIGSTOP)
            yt_fail(k->y, "spot.signal",
                    "%s cannot be caught, so no job could write its checkpoint; USR1 is usual",
                    known);
        k->c->spot_signal = s;
        xstrset(&k->c->spot_signal_name, known);
        return;
    }
    yt_fail(k->y, "spot.signal", "\"%s\" is not a signal; write USR1, TERM or the like",
            k->c->spot_signal_name);
}

static void check_accels(struct check *k)
{
    struct burst_conf *c = k->c;

    for (unsigned i = 0; i < c->n_accels; i++) {
        const struct accel_conf *a = &c->accels[i];
        if (a->gres &&
            a->gres[strspn(a->gres, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789_-.")])
            yt_fail(k->y, at(k, "accelerators.%s", a->gres),
                    "\"%s\" is no GRES type; it may have letters, digits, '_', '-' and '.'",
                    a->gres);
        else if (a->gres && a->n_names == 0)
            yt_fail(k->y, at(k, "accelerators.%s", a->gres),
                    "names no accelerator of the catalog; write [%s] or remove the line", a->gres);
    }
}

static const struct accel_conf *find_accel(const struct burst_conf *c, const char *gres)
{
    for (unsigned i = 0; i < c->n_accels; i++)
        if (c->accels[i].gres && strcmp(c->accels[i].gres, gres) == 0)
            return &c->accels[i];
    return NULL;
}

static void add_catalog_name(struct shape_conf *s, const char *name)
{
    s->catalog_names = xrealloc(s->catalog_names, (s->n_catalog_names + 2) * sizeof(char *));
    s->catalog_names[s->n_catalog_names++] = xstrdup(name);
    s->catalog_names[s->n_catalog_names] = NULL;
}

// Slurm tells GRES types apart by case; "A100" in a shape beside "a100" in accelerators would be a
// type that no job asks for.
static void check_shape_gpu(struct check *k, unsigned i)
{
    struct shape_conf *s = &k->c->shapes[i];
    const struct accel_conf *a = find_accel(k->c, s->gpu);

    for (unsigned j = 0; j < k->c->n_accels && !a; j++)
        if (k->c->accels[j].gres && strcasecmp(k->c->accels[j].gres, s->gpu) == 0)
            yt_fail(k->y, at(k, "shapes[%u].gpu", i),
                    "\"%s\" is written \"%s\" under accelerators; Slurm's GRES types are told "
                    "apart by case",
                    s->gpu, k->c->accels[j].gres);
    if (s->gpu[strspn(s->gpu, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789_-.")])
        yt_fail(k->y, at(k, "shapes[%u].gpu", i),
                "\"%s\" is no GRES type; it may have letters, digits, '_', '-' and '.'", s->gpu);
    for (unsigned j = 0; a && j < a->n_names; j++)
        add_catalog_name(s, a->names[j]);
    // Without a line under accelerators the catalog's name is the same; names in the catalog are
    // compared without regard to case.
    if (!a)
        add_catalog_name(s, s->gpu);
}

static void check_shapes(struct check *k)
{
    struct burst_conf *c = k->c;

    for (unsigned i = 0; i < c->n_shapes; i++) {
        struct shape_conf *s = &c->shapes[i];
        for (unsigned j = 0; j < i; j++) {
            if (*s->name && strcmp(c->shapes[j].name, s->name) == 0) {
                yt_fail(k->y, at(k, "shapes[%u].name", i), "\"%s\" is the name of shapes[%u] too",
                        s->name, j);
                break;
            }
        }
        if (*s->gpu && s->gpus == 0)
            yt_fail(k->y, at(k, "shapes[%u].gpus", i),
                    "a shape with a GPU needs their number; add \"gpus: 1\" or more");
        else if (!*s->gpu && s->gpus > 0)
            yt_fail(k->y, at(k, "shapes[%u].gpus", i),
                    "which GPU? add \"gpu:\" with Slurm's GRES type, or remove \"gpus:\"");
        if (*s->gpu)
            check_shape_gpu(k, i);
    }
    if (c->n_shapes == 0)
        yt_fail(k->y, "shapes", "there is no shape; without one no node can be rented");
}

static void check_partition(struct check *k, unsigned i)
{
    struct cloud_conf *cl = &k->c->clouds[i];

    if (!*cl->partition)
        xstrset(&cl->partition, cl->name);
    const char *p = cl->partition;
    if (p[strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")])
        yt_fail(k->y, at(k, "clouds[%u].partition", i),
                "\"%s\" is no partition name; it may have letters, digits, '_', '-' and '.'", p);
    if (strcasecmp(p, "default") == 0 || strcasecmp(p, "all") == 0)
        yt_fail(k->y, at(k, "clouds[%u].partition", i),
                "\"%s\" means something else in slurm.conf; choose another name", p);
}

static void check_endpoint(struct check *k, unsigned i)
{
    struct cloud_conf *cl = &k->c->clouds[i];
    size_t len = strlen(cl->endpoint);

    while (len > 0 && cl->endpoint[len - 1] == '/')
        cl->endpoint[--len] = '\0';
    if (*cl->endpoint && strncmp(cl->endpoint, "http://", 7) != 0 &&
        strncmp(cl->endpoint, "https://", 8) != 0)
        yt_fail(k->y, at(k, "clouds[%u].endpoint", i),
                "\"%.60s\" is no URL; it starts with http:// or https://", cl->endpoint);
    if (strcmp(cl->provider, "local") != 0)
        return;
    if (!*cl->endpoint)
        yt_fail(k->y, at(k, "clouds[%u].endpoint", i),
                "is missing; provider local needs the address of burst-localcloud, such as "
                "http://127.0.0.1:8700");
    if (!*cl->credentials)
        yt_fail(k->y, at(k, "clouds[%u].credentials", i),
                "is missing; provider local needs the file with the cloud's token");
}

static void check_markets(struct check *k, unsigned i)
{
    struct cloud_conf *cl = &k->c->clouds[i];

    cl->spot = conf_match(cl->markets, cl->n_markets, "spot");
    cl->on_demand = conf_match(cl->markets, cl->n_markets, "on-demand");
    if (!cl->spot && !cl->on_demand)
        yt_fail(k->y, at(k, "clouds[%u].markets", i),
                "names no market; write [spot, on-demand] or one of them");
}

static void check_cloud_shapes(struct check *k, unsigned i)
{
    struct cloud_conf *cl = &k->c->clouds[i];
    unsigned n = k->c->n_shapes;
    const char **names = xcalloc(n + 1, sizeof(*names));

    for (unsigned j = 0; j < n; j++)
        names[j] = k->c->shapes[j].name;
    for (unsigned p = 0; p < cl->n_shapes; p++) {
        bool any = false;
        for (unsigned j = 0; j < n; j++)
            any = any || fnmatch(cl->shapes[p], names[j], 0) == 0;
        const char *near = any ? NULL : yt_nearest(cl->shapes[p], names, n);
        if (near)
            yt_fail(k->y, at(k, "clouds[%u].shapes[%u]", i, p),
                    "\"%s\" is no shape; did you mean \"%s\"?", cl->shapes[p], near);
        else if (!any && n > 0)
            yt_fail(k->y, at(k, "clouds[%u].shapes[%u]", i, p),
                    "\"%s\" matches no name under shapes", cl->shapes[p]);
    }
    if (cl->n_shapes == 0)
        yt_fail(k->y, at(k, "clouds[%u].shapes", i),
                "is empty: nothing could be rented there; write [\"*\"] or remove the cloud");
    free(names);
}

static void check_clouds(struct check *k)
{
    struct burst_conf *c = k->c;

    for (unsigned i = 0; i < c->n_clouds; i++) {
        struct cloud_conf *cl = &c->clouds[i];
        for (unsigned j = 0; j < i; j++) {
            if (*cl->name && strcmp(c->clouds[j].name, cl->name) == 0) {
                yt_fail(k->y, at(k, "clouds[%u].name", i), "\"%s\" is the name of clouds[%u] too",
                        cl->name, j);
                break;
            }
        }
        check_partition(k, i);
        check_endpoint(k, i);
        check_markets(k, i);
        check_cloud_shapes(k, i);
        if (cl->n_regions == 0)
            yt_fail(k->y, at(k, "clouds[%u].regions", i),
                    "is empty: nothing could be rented there; write [\"*\"] for all");
        if (!*cl->ssh_user)
            xstrset(&cl->ssh_user, c->ssh_user);
        if (!*cl->metadata)
            xstrset(&cl->metadata, cl->provider);
    }
    if (c->n_clouds == 0)
        yt_fail(k->y, "clouds", "there is no cloud; burstd would have nowhere to rent");
    if (c->n_clouds > CONF_CLOUDS_MAX)
        yt_fail(k->y, "clouds", "there are %u clouds; burstd plans for at most %d", c->n_clouds,
                CONF_CLOUDS_MAX);
}

// Every node name must fit into a host name label and mean one cloud and one shape only: names may
// contain '-', so cloud "a" with shape "b-c" and cloud "a-b" with shape "c" would be one.
static void check_node_names(struct check *k)
{
    struct burst_conf *c = k->c;

    for (unsigned i = 0; i < c->n_clouds * c->n_shapes; i++) {
        const struct cloud_conf *cl = &c->clouds[i / c->n_shapes];
        const struct shape_conf *s = &c->shapes[i % c->n_shapes];
        if (!*cl->name || !*s->name || !cloud_has_shape(cl, s))
            continue;
        char *prefix = xasprintf("%s-%s", cl->name, s->name);
        if (strlen(prefix) + 4 >= CONF_NODE_NAME_MAX)
            yt_fail(k->y, at(k, "clouds[%u].name", i / c->n_shapes),
                    "the node name %s-001 has more than %d characters; shorten the name of the "
                    "cloud or of the shape",
                    prefix, CONF_NODE_NAME_MAX - 1);
        for (unsigned j = 0; j < i; j++) {
            const struct cloud_conf *cl2 = &c->clouds[j / c->n_shapes];
            const struct shape_conf *s2 = &c->shapes[j % c->n_shapes];
            if (cl2 == cl || s2 == s || !cloud_has_shape(cl2, s2))
                continue;
            char *other = xasprintf("%s-%s", cl2->name, s2->name);
            if (strcmp(prefix, other) == 0)
                yt_fail(k->y, at(k, "clouds[%u].name", i / c->n_shapes),
                        "node names %s-001 would belong to cloud %s, shape %s and to cloud %s, "
                        "shape %s; rename one",
                        prefix, cl->name, s->name, cl2->name, s2->name);
            free(other);
        }
        free(prefix);
    }
}

// "cloud/region", as egress.csv and --burst-data have it.
static void check_data(struct check *k)
{
    const char *l = k->c->data_location, *slash = strchr(l, '/');

    if (!slash || slash == l || !slash[1] || strchr(slash + 1, '/') || strpbrk(l, "*?[] \t"))
        yt_fail(k->y, "data.location",
                "must be CLOUD/REGION, the name of this site in egress.csv, like local/site");
}

static void finish(struct yt *y, struct burst_conf *c)
{
    struct check k = {.y = y, .c = c};

    c->default_auto = strcmp(c->default_word, "auto") == 0;
    check_addresses(&k);
    check_dirs(&k);
    check_signal(&k);
    if (c->data_location)
        check_data(&k);
    if (c->block_max_s < c->block_s)
        yt_fail(y, "boot.block_max",
                "is shorter than boot.block (%" PRId64 "s); the time grows from one to the other",
                c->block_s);
    check_accels(&k);
    check_shapes(&k);
    check_clouds(&k);
    // Only names that are right and unique can be compared.
    if (yt_failed(y) == 0)
        check_node_names(&k);
}

// --- loading

static void collect(void *arg, const char *text)
{
    struct conf_errors *errs = arg;

    if (errs->n == CONF_ERRORS_MAX) {
        errs->more++;
        return;
    }
    snprintf(errs->text[errs->n].text, sizeof(errs->text[0].text), "%s", text);
    errs->n++;
}

const char *conf_default_path(void)
{
    const char *path = getenv("BURST_CONF");

    return path && *path ? path : BURST_CONF_PATH;
}

int conf_parse(const char *path, const char *text, size_t len, struct burst_conf **conf,
               struct conf_errors *errs)
{
    struct burst_conf *c = xmalloc(sizeof(*c));

    memset(errs, 0, sizeof(*errs));
    c->path = xstrdup(path);
    struct yt *y = yt_open(c->path, text, len, root_table, c, collect, errs);
    // A file that is no YAML at all has left nothing to compare.
    if (c->default_word)
        finish(y, c);
    bool failed = yt_failed(y) > 0;
    yt_close(y);
    if (failed) {
        conf_free(c);
        return -1;
    }
    *conf = c;
    return 0;
}

int conf_load(const char *path, struct burst_conf **conf, struct conf_errors *errs)
{
    char *text;
    size_t len;

    memset(errs, 0, sizeof(*errs));
    if (fs_read(path, FILE_MAX, &text, &len, &errs->text[0]) < 0) {
        errs->n = 1;
        return -1;
    }
    int rc = conf_parse(path, text, len, conf, errs);
    free(text);
    return rc;
}

void conf_free(struct burst_conf *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->n_shapes; i++) {
        for (unsigned j = 0; j < c->shapes[i].n_catalog_names; j++)
            free(c->shapes[i].catalog_names[j]);
        free(c->shapes[i].catalog_names);
    }
    yt_free(root_table, c);
    free(c->listen_host);
    free(c->path);
    free(c);
}

char *conf_errors_text(const struct conf_errors *errs)
{
    struct strbuf b;

    strbuf_init(&b, sizeof(*errs) + 256);
    strbuf_adds(&b, "");
    for (unsigned i = 0; i < errs->n; i++)
        strbuf_addf(&b, "%s\n", errs->text[i].text);
    if (errs->more)
        strbuf_addf(&b, "... and %u more\n", errs->more);
    char *text = strbuf_take(&b);
    strbuf_free(&b);
    return text;
}

// --- questions

bool conf_match(char *const *patterns, unsigned n, const char *text)
{
    for (unsigned i = 0; i < n; i++)
        if (fnmatch(patterns[i], text, 0) == 0)
            return true;
    return false;
}

static bool any_partition(const struct waiting_conf *w, const char *list)
{
    char name[256];

    for (const char *p = list; *p;) {
        size_t len = strcspn(p, ",");
        snprintf(name, sizeof(name), "%.*s", (int)len, p);
        if (conf_match(w->partitions, w->n_partitions, name))
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}

money_t conf_cost_of_waiting(const struct burst_conf *conf, const char *partition, const char *qos)
{
    for (unsigned i = 0; i < conf->n_waiting; i++)
        if (any_partition(&conf->waiting[i], partition) &&
            conf_match(conf->waiting[i].qos, conf->waiting[i].n_qos, qos))
            return conf->waiting[i].usd;
    return conf->waiting_usd;
}

const struct cloud_conf *conf_find_cloud(const struct burst_conf *conf, const char *name)
{
    for (unsigned i = 0; i < conf->n_clouds; i++)
        if (strcmp(conf->clouds[i].name, name) == 0)
            return &conf->clouds[i];
    return NULL;
}

const struct shape_conf *conf_find_shape(const struct burst_conf *conf, const char *name)
{
    for (unsigned i = 0; i < conf->n_shapes; i++)
        if (strcmp(conf->shapes[i].name, name) == 0)
            return &conf->shapes[i];
    return NULL;
}

const struct cloud_conf *conf_find_partition(const struct burst_conf *conf, const char *partition)
{
    for (unsigned i = 0; i < conf->n_clouds; i++)
        if (strcmp(conf->clouds[i].partition, partition) == 0)
            return &conf->clouds[i];
    return NULL;
}

bool cloud_has_shape(const struct cloud_conf *cloud, const struct shape_conf *shape)
{
    return conf_match(cloud->shapes, cloud->n_shapes, shape->name);
}

bool cloud_has_region(const struct cloud_conf *cloud, const char *region)
{
    return conf_match(cloud->regions, cloud->n_regions, region);
}

uint64_t shape_real_memory_mib(const struct shape_conf *shape)
{
    return (uint64_t)(shape->memory >> 20) * 95 / 100;
}

bool conf_is_operator(const struct burst_conf *conf, uid_t uid, const char *user,
                      char *const *groups, unsigned n_groups)
{
    if (uid == 0)
        return true;
    if (*user && strcmp(user, conf->slurm_user) == 0)
        return true;
    for (unsigned i = 0; i < conf->n_operator_users; i++)
        if (*user && strcmp(user, conf->operator_users[i]) == 0)
            return true;
    for (unsigned i = 0; i < conf->n_operator_groups; i++)
        for (unsigned g = 0; g < n_groups; g++)
            if (strcmp(groups[g], conf->operator_groups[i]) == 0)
                return true;
    return false;
}

int conf_node_name(const struct cloud_conf *cloud, const struct shape_conf *shape, unsigned index,
                   char buf[CONF_NODE_NAME_MAX], burst_error_t *errp)
{
    if (index < 1 || index > CONF_NODES_MAX)
        return errprintf(errp, "node number %u of %s-%s: 1 to %d exist", index, cloud->name,
                         shape->name, CONF_NODES_MAX);
    int n = snprintf(buf, CONF_NODE_NAME_MAX, "%s-%s-%03u", cloud->name, shape->name, index);
    if (n >= CONF_NODE_NAME_MAX)
        return errprintf(errp, "node name %s-%s-%03u is too long", cloud->name, shape->name, index);
    return 0;
}

// The shape between "CLOUD-" and "-NNN", NULL when there is none of that name in that cloud.
static const struct shape_conf *shape_within(const struct burst_conf *conf,
                                             const struct cloud_conf *cloud, const char *node,
                                             size_t len)
{
    size_t skip = strlen(cloud->name) + 1;

    if (len <= skip || strncmp(node, cloud->name, skip - 1) != 0 || node[skip - 1] != '-')
        return NULL;
    for (unsigned i = 0; i < conf->n_shapes; i++) {
        const struct shape_conf *s = &conf->shapes[i];
        if (strlen(s->name) == len - skip && strncmp(node + skip, s->name, len - skip) == 0 &&
            cloud_has_shape(cloud, s))
            return s;
    }
    return NULL;
}

int conf_parse_node(const struct burst_conf *conf, const char *node,
                    const struct cloud_conf **cloud, const struct shape_conf **shape,
                    unsigned *index)
{
    const char *dash = strrchr(node, '-');
    unsigned n = 0;

    if (!dash || strlen(dash) != 4 || strspn(dash + 1, "0123456789") != 3)
        return -1;
    for (const char *d = dash + 1; *d; d++)
        n = 10 * n + (unsigned)(*d - '0');
    for (unsigned i = 0; i < conf->n_clouds; i++) {
        const struct shape_conf *s =
            shape_within(conf, &conf->clouds[i], node, (size_t)(dash - node));
        if (!s)
            continue;
        if (n < 1 || n > s->nodes)
            return -1;
        if (cloud)
            *cloud = &conf->clouds[i];
        if (shape)
            *shape = s;
        if (index)
            *index = n;
        return 0;
    }
    return -1;
}
