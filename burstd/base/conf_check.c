// SPDX-License-Identifier: GPL-3.0-or-later
// Checks that compare values of a configuration (conf.h).
#include "base/conf_inside.h"

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

    if (!name) // the section is there and has errors of its own
        return;
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

// They go into slurm.conf and into constraints, which have signs of their own.
static void check_features(struct check *k, unsigned i)
{
    const struct shape_conf *s = &k->c->shapes[i];
    size_t len = sizeof("burst") + 2 * (size_t)CONF_NAME_MAX + 2;

    for (unsigned f = 0; f < s->n_features; f++) {
        const char *name = s->features[f];
        len += strlen(name) + 1;
        if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789_.-")])
            yt_fail(k->y, at(k, "shapes[%u].features[%u]", i, f),
                    "\"%s\" is no name of a feature: letters, digits, '_', '.' and '-'", name);
    }
    if (len > CONF_FEATURES_MAX)
        yt_fail(k->y, at(k, "shapes[%u].features", i), "all names together are too long");
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
        check_features(k, i);
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

void conf_check(struct yt *y, struct burst_conf *c)
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
