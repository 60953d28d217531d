// SPDX-License-Identifier: GPL-3.0-or-later
// See plan_facts.h.
#include "plan/plan_facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "cloud/clouds.h"
#include "libburst/xalloc.h"
#include "money/caps.h"
#include "node/free_names.h"
#include "state/bounds.h"
#include "state/instances.h"
#include "state/model.h"

struct plan_facts {
    struct burstd *b;
    unsigned n_clouds, n_shapes;
    unsigned live[PLAN_CLOUDS_MAX + 1];
    money_t left[PLAN_CLOUDS_MAX + 1];
    unsigned *room; // [cloud * n_shapes + shape]
};

static unsigned cloud_of(const struct burst_conf *c, unsigned n, const char *name)
{
    unsigned k = 0;

    while (k < n && strcmp(c->clouds[k].name, name) != 0)
        k++;
    return k;
}

static void count_live(struct burstd *b, struct plan_facts *f)
{
    INSTANCES_EACH(b->instances, i)
    {
        unsigned c = cloud_of(b->conf, f->n_clouds, i->cloud);
        f->live[PLAN_SITE]++;
        if (c < f->n_clouds)
            f->live[c]++;
    }
}

static bool usable(struct burstd *b, const struct plan_facts *f, unsigned k)
{
    const struct cloud *c = clouds_at(b->clouds, k);

    // Before the first listing nothing is known of what exists there already.
    return c && cloud_usable(c) && c->listed_once && f->left[k] > 0 && f->left[PLAN_SITE] > 0 &&
           f->live[k] < b->conf->clouds[k].max_nodes;
}

// The list of a job's nodes ("aws-cpu-001,...") must be one that can be kept and sent to Slurm:
// found out now, not when they have been rented.
static unsigned nameable(const struct cloud_conf *c, const struct shape_conf *s)
{
    size_t each = strlen(c->name) + strlen(s->name) + sizeof("--001,") - 1;
    size_t n = (BJOB_NODE_NAMES_MAX - 1) / each;

    return n < GANG_MAX ? (unsigned)n : GANG_MAX;
}

static unsigned room(struct burstd *b, const struct cloud_conf *c, const struct shape_conf *s,
                     const struct names_not *without)
{
    unsigned most = nameable(c, s),
             names = cloud_has_shape(c, s) ? free_names_room(b, c, s, without) : 0;

    return names < most ? names : most;
}

// Its nodes, or its partition, failed again and again.
static bool closed(struct burstd *b, const struct cloud_conf *c, const struct shape_conf *s)
{
    char key[BOUND_KEY_MAX];

    return bound_closed(b->bounds, BOUND_PARTITION, c->partition, NULL) ||
           bound_closed(b->bounds, BOUND_SHAPE, bound_shape_key(c->partition, s->name, key), NULL);
}

struct plan_facts *plan_facts_create(struct burstd *b)
{
    const struct burst_conf *conf = b->conf;
    struct plan_facts *f = xmalloc(sizeof(*f));

    f->n_clouds = conf->n_clouds < PLAN_CLOUDS_MAX ? conf->n_clouds : PLAN_CLOUDS_MAX;
    f->n_shapes = conf->n_shapes;
    f->room = xcalloc((size_t)f->n_clouds * f->n_shapes + 1, sizeof(*f->room));
    f->b = b;
    count_live(b, f);
    f->left[PLAN_SITE] = caps_left_today(b, NULL);
    for (unsigned c = 0; c < f->n_clouds; c++) {
        f->left[c] = caps_left_today(b, &conf->clouds[c]);
        if (!usable(b, f, c))
            continue;
        for (unsigned s = 0; s < f->n_shapes; s++)
            if (!closed(b, &conf->clouds[c], &conf->shapes[s]))
                f->room[c * f->n_shapes + s] = room(b, &conf->clouds[c], &conf->shapes[s], NULL);
    }
    return f;
}

void plan_facts_destroy(struct plan_facts *f)
{
    if (!f)
        return;
    free(f->room);
    free(f);
}

unsigned plan_facts_clouds(const struct plan_facts *f)
{
    return f->n_clouds;
}

unsigned plan_facts_room(const struct plan_facts *f, unsigned cloud, unsigned shape)
{
    return f->room[cloud * f->n_shapes + shape];
}

unsigned plan_facts_room_without(const struct plan_facts *f, unsigned cloud, unsigned shape,
                                 const struct names_not *without)
{
    unsigned all = plan_facts_room(f, cloud, shape);
    const struct burst_conf *conf = f->b->conf;

    return all && without->n ? room(f->b, &conf->clouds[cloud], &conf->shapes[shape], without)
                             : all;
}

unsigned plan_facts_live(const struct plan_facts *f, unsigned cloud)
{
    return f->live[cloud];
}

money_t plan_facts_left(const struct plan_facts *f, unsigned cloud)
{
    return f->left[cloud];
}
