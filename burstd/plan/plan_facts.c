// SPDX-License-Identifier: GPL-3.0-or-later
// See plan_facts.h.
#include "plan/plan_facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "cloud/clouds.h"
#include "libburst/xalloc.h"
#include "money/caps.h"
#include "state/bounds.h"
#include "state/instances.h"
#include "state/model.h"

struct plan_facts {
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

static unsigned shape_of(const struct burst_conf *c, const char *name)
{
    unsigned k = 0;

    while (k < c->n_shapes && strcmp(c->shapes[k].name, name) != 0)
        k++;
    return k;
}

// Who lives where; used: names of each cloud and shape that are taken.
static void count(struct burstd *b, struct plan_facts *f, unsigned *used)
{
    INSTANCES_EACH(b->instances, i)
    {
        unsigned c = cloud_of(b->conf, f->n_clouds, i->cloud), s = shape_of(b->conf, i->shape);
        f->live[PLAN_SITE]++;
        if (c < f->n_clouds)
            f->live[c]++;
        if (c < f->n_clouds && s < f->n_shapes)
            used[c * f->n_shapes + s]++;
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

static unsigned room(const struct cloud_conf *c, const struct shape_conf *s, unsigned used)
{
    unsigned names = used < s->nodes ? s->nodes - used : 0, most = nameable(c, s);

    if (!cloud_has_shape(c, s))
        return 0;
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
    unsigned *used = xcalloc((size_t)f->n_clouds * f->n_shapes + 1, sizeof(*used));
    count(b, f, used);
    f->left[PLAN_SITE] = caps_left_today(b, NULL);
    for (unsigned c = 0; c < f->n_clouds; c++) {
        f->left[c] = caps_left_today(b, &conf->clouds[c]);
        if (!usable(b, f, c))
            continue;
        for (unsigned s = 0; s < f->n_shapes; s++)
            if (!closed(b, &conf->clouds[c], &conf->shapes[s]))
                f->room[c * f->n_shapes + s] =
                    room(&conf->clouds[c], &conf->shapes[s], used[c * f->n_shapes + s]);
    }
    free(used);
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

unsigned plan_facts_live(const struct plan_facts *f, unsigned cloud)
{
    return f->live[cloud];
}

money_t plan_facts_left(const struct plan_facts *f, unsigned cloud)
{
    return f->left[cloud];
}
