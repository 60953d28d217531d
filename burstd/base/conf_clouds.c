// SPDX-License-Identifier: GPL-3.0-or-later
// Clouds: their keys, what must fit together, and the names of their nodes (conf.h).
#include "base/conf.h"
#include "base/conf_inside.h"

// Drivers that exist; provider.h is not linked into the command.
#define PROVIDERS "local"

#define AT(m) offsetof(struct cloud_conf, m)
const struct yt_field conf_cloud_table[] = {
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

static void check_partition(struct conf_check *k, unsigned i)
{
    struct cloud_conf *cl = &k->c->clouds[i];

    if (!*cl->partition)
        xstrset(&cl->partition, cl->name);
    const char *p = cl->partition;
    if (p[strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")])
        yt_fail(k->y, conf_at(k, "clouds[%u].partition", i),
                "\"%s\" is no partition name; it may have letters, digits, '_', '-' and '.'", p);
    if (strcasecmp(p, "default") == 0 || strcasecmp(p, "all") == 0)
        yt_fail(k->y, conf_at(k, "clouds[%u].partition", i),
                "\"%s\" means something else in slurm.conf; choose another name", p);
}

static void check_endpoint(struct conf_check *k, unsigned i)
{
    struct cloud_conf *cl = &k->c->clouds[i];
    size_t len = strlen(cl->endpoint);

    while (len > 0 && cl->endpoint[len - 1] == '/')
        cl->endpoint[--len] = '\0';
    if (*cl->endpoint && strncmp(cl->endpoint, "http://", 7) != 0 &&
        strncmp(cl->endpoint, "https://", 8) != 0)
        yt_fail(k->y, conf_at(k, "clouds[%u].endpoint", i),
                "\"%.60s\" is no URL; it starts with http:// or https://", cl->endpoint);
    if (strcmp(cl->provider, "local") != 0)
        return;
    if (!*cl->endpoint)
        yt_fail(k->y, conf_at(k, "clouds[%u].endpoint", i),
                "is missing; provider local needs the address of burst-localcloud, such as "
                "http://127.0.0.1:8700");
    if (!*cl->credentials)
        yt_fail(k->y, conf_at(k, "clouds[%u].credentials", i),
                "is missing; provider local needs the file with the cloud's token");
}

static void check_markets(struct conf_check *k, unsigned i)
{
    struct cloud_conf *cl = &k->c->clouds[i];

    cl->spot = conf_match(cl->markets, cl->n_markets, "spot");
    cl->on_demand = conf_match(cl->markets, cl->n_markets, "on-demand");
    if (!cl->spot && !cl->on_demand)
        yt_fail(k->y, conf_at(k, "clouds[%u].markets", i),
                "names no market; write [spot, on-demand] or one of them");
}

static void check_cloud_shapes(struct conf_check *k, unsigned i)
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
            yt_fail(k->y, conf_at(k, "clouds[%u].shapes[%u]", i, p),
                    "\"%s\" is no shape; did you mean \"%s\"?", cl->shapes[p], near);
        else if (!any && n > 0)
            yt_fail(k->y, conf_at(k, "clouds[%u].shapes[%u]", i, p),
                    "\"%s\" matches no name under shapes", cl->shapes[p]);
    }
    if (cl->n_shapes == 0)
        yt_fail(k->y, conf_at(k, "clouds[%u].shapes", i),
                "is empty: nothing could be rented there; write [\"*\"] or remove the cloud");
    free(names);
}

void conf_check_clouds(struct conf_check *k)
{
    struct burst_conf *c = k->c;

    for (unsigned i = 0; i < c->n_clouds; i++) {
        struct cloud_conf *cl = &c->clouds[i];
        for (unsigned j = 0; j < i; j++) {
            if (*cl->name && strcmp(c->clouds[j].name, cl->name) == 0) {
                yt_fail(k->y, conf_at(k, "clouds[%u].name", i),
                        "\"%s\" is the name of clouds[%u] too", cl->name, j);
                break;
            }
        }
        check_partition(k, i);
        check_endpoint(k, i);
        check_markets(k, i);
        check_cloud_shapes(k, i);
        if (cl->n_regions == 0)
            yt_fail(k->y, conf_at(k, "clouds[%u].regions", i),
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
void conf_check_node_names(struct conf_check *k)
{
    struct burst_conf *c = k->c;

    for (unsigned i = 0; i < c->n_clouds * c->n_shapes; i++) {
        const struct cloud_conf *cl = &c->clouds[i / c->n_shapes];
        const struct shape_conf *s = &c->shapes[i % c->n_shapes];
        if (!*cl->name || !*s->name || !cloud_has_shape(cl, s))
            continue;
        char *prefix = xasprintf("%s-%s", cl->name, s->name);
        if (strlen(prefix) + 4 >= CONF_NODE_NAME_MAX)
            yt_fail(k->y, conf_at(k, "clouds[%u].name", i / c->n_shapes),
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
                yt_fail(k->y, conf_at(k, "clouds[%u].name", i / c->n_shapes),
                        "node names %s-001 would belong to cloud %s, shape %s and to cloud %s, "
                        "shape %s; rename one",
                        prefix, cl->name, s->name, cl2->name, s2->name);
            free(other);
        }
        free(prefix);
    }
}
