// SPDX-License-Identifier: GPL-3.0-or-later
// Accelerators and shapes: their keys, and what must fit together (conf.h).
#include "base/conf.h"
#include "base/conf_inside.h"

#define AT(m) offsetof(struct accel_conf, m)
const struct yt_field conf_accel_table[] = {
    {.key = "type", .kind = YT_STR, .off = AT(gres), .min = 1, .max = 31},
    LIST("names", names, NULL),
    {0},
};

#undef AT
#define AT(m) offsetof(struct shape_conf, m)
const struct yt_field conf_shape_table[] = {
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
    LIST("features", features, ""),
    {.key = "tmp_disk",
     .kind = YT_SIZE,
     .off = AT(tmp_disk),
     .dflt = "0MiB",
     .min = 0,
     .max = INT64_C(1) << 50},
    {0},
};

void conf_check_accels(struct conf_check *k)
{
    struct burst_conf *c = k->c;

    for (unsigned i = 0; i < c->n_accels; i++) {
        const struct accel_conf *a = &c->accels[i];
        if (a->gres &&
            a->gres[strspn(a->gres, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789_-.")])
            yt_fail(k->y, conf_at(k, "accelerators.%s", a->gres),
                    "\"%s\" is no GRES type; it may have letters, digits, '_', '-' and '.'",
                    a->gres);
        else if (a->gres && a->n_names == 0)
            yt_fail(k->y, conf_at(k, "accelerators.%s", a->gres),
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
static void check_shape_gpu(struct conf_check *k, unsigned i)
{
    struct shape_conf *s = &k->c->shapes[i];
    const struct accel_conf *a = find_accel(k->c, s->gpu);

    for (unsigned j = 0; j < k->c->n_accels && !a; j++)
        if (k->c->accels[j].gres && strcasecmp(k->c->accels[j].gres, s->gpu) == 0)
            yt_fail(k->y, conf_at(k, "shapes[%u].gpu", i),
                    "\"%s\" is written \"%s\" under accelerators; Slurm's GRES types are told "
                    "apart by case",
                    s->gpu, k->c->accels[j].gres);
    if (s->gpu[strspn(s->gpu, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789_-.")])
        yt_fail(k->y, conf_at(k, "shapes[%u].gpu", i),
                "\"%s\" is no GRES type; it may have letters, digits, '_', '-' and '.'", s->gpu);
    for (unsigned j = 0; a && j < a->n_names; j++)
        add_catalog_name(s, a->names[j]);
    // Without a line under accelerators the catalog's name is the same; names in the catalog are
    // compared without regard to case.
    if (!a)
        add_catalog_name(s, s->gpu);
}

// They go into slurm.conf and into constraints, which have signs of their own.
static void check_features(struct conf_check *k, unsigned i)
{
    const struct shape_conf *s = &k->c->shapes[i];
    size_t len = sizeof("burst") + 2 * (size_t)CONF_NAME_MAX + 2;

    for (unsigned f = 0; f < s->n_features; f++) {
        const char *name = s->features[f];
        len += strlen(name) + 1;
        if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789_.-")])
            yt_fail(k->y, conf_at(k, "shapes[%u].features[%u]", i, f),
                    "\"%s\" is no name of a feature: letters, digits, '_', '.' and '-'", name);
    }
    if (len > CONF_FEATURES_MAX)
        yt_fail(k->y, conf_at(k, "shapes[%u].features", i), "all names together are too long");
}

void conf_check_shapes(struct conf_check *k)
{
    struct burst_conf *c = k->c;

    for (unsigned i = 0; i < c->n_shapes; i++) {
        struct shape_conf *s = &c->shapes[i];
        for (unsigned j = 0; j < i; j++) {
            if (*s->name && strcmp(c->shapes[j].name, s->name) == 0) {
                yt_fail(k->y, conf_at(k, "shapes[%u].name", i),
                        "\"%s\" is the name of shapes[%u] too", s->name, j);
                break;
            }
        }
        if (*s->gpu && s->gpus == 0)
            yt_fail(k->y, conf_at(k, "shapes[%u].gpus", i),
                    "a shape with a GPU needs their number; add \"gpus: 1\" or more");
        else if (!*s->gpu && s->gpus > 0)
            yt_fail(k->y, conf_at(k, "shapes[%u].gpus", i),
                    "which GPU? add \"gpu:\" with Slurm's GRES type, or remove \"gpus:\"");
        if (*s->gpu)
            check_shape_gpu(k, i);
        check_features(k, i);
    }
    if (c->n_shapes == 0)
        yt_fail(k->y, "shapes", "there is no shape; without one no node can be rented");
}
