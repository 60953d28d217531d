// SPDX-License-Identifier: GPL-3.0-or-later
// See price_survey.h.
#include "plan/price_survey.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/conf.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "plan/solver.h"
#include "slurm/slurm_link.h"
#include "state/model.h"
#include "state/shape_prices.h"

#define PRICES_MS 600000    // prices are asked again
#define PRICES_SOON_MS 1000 // until the first answer

struct price_survey {
    struct burstd *b;
    const struct burst_conf *of; // configuration whose shapes were asked for
    unsigned asking;
    int64_t next_ms; // monotonic: ask again
};

struct price_survey *price_survey_create(struct burstd *b)
{
    struct price_survey *s = xmalloc(sizeof(*s));

    s->b = b;
    return s;
}

void price_survey_destroy(struct price_survey *s)
{
    free(s);
}

struct price_call {
    struct price_survey *s;
    char cloud[33], shape[33];
    bool spot;
};

static void priced(void *arg, const cJSON *answer, const char *error)
{
    struct price_call *call = arg;
    struct price_survey *s = call->s;
    const cJSON *t = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(answer, "tasks"), 0);

    s->asking--;
    if (!error) // no plan: not offered
        shape_price_set(s->b->prices, call->cloud, call->shape, call->spot,
                        json_money(t, "price_uusd_per_hour"));
    else
        s->next_ms = clock_mono_ms() + PRICES_SOON_MS;
    if (s->asking == 0 && !error) {
        shape_prices_complete(s->b->prices);
        s->b->poke(s->b); // not at the next second: jobs are being submitted
    }
    free(call);
}

static cJSON *price_request(const struct cloud_conf *c, const struct shape_conf *s, bool spot)
{
    cJSON *r = cJSON_CreateObject(), *tasks = cJSON_AddArrayToObject(r, "tasks");
    cJSON *t = cJSON_CreateObject();

    json_add_str(t, "name", "price");
    cJSON *any = cJSON_AddArrayToObject(t, "any_of"), *clouds = cJSON_AddArrayToObject(t, "clouds");
    cJSON *regions = cJSON_AddArrayToObject(t, "regions");
    for (unsigned k = 0; k < (s->gpus ? s->n_catalog_names : 1); k++) {
        cJSON *o = cJSON_CreateObject();
        if (s->gpus) {
            json_add_str(o, "accelerator", s->catalog_names[k]);
            json_add_i64(o, "count", s->gpus);
        }
        json_add_i64(o, "vcpus", s->cpus);
        cJSON_AddNumberToObject(o, "memory_gib", (double)s->memory / (1024.0 * 1024 * 1024));
        json_add_i64(o, "hours", 1);
        cJSON_AddItemToArray(any, o);
    }
    cJSON_AddItemToArray(clouds, cJSON_CreateString(c->name));
    for (unsigned k = 0; k < c->n_regions; k++)
        cJSON_AddItemToArray(regions, cJSON_CreateString(c->regions[k]));
    json_add_str(t, "market", market_text(spot));
    cJSON_AddItemToArray(tasks, t);
    return r;
}

static void ask(struct price_survey *s, const struct cloud_conf *c, const struct shape_conf *shape,
                bool spot)
{
    struct price_call *call = xmalloc(sizeof(*call));

    call->s = s;
    snprintf(call->cloud, sizeof(call->cloud), "%s", c->name);
    snprintf(call->shape, sizeof(call->shape), "%s", shape->name);
    call->spot = spot;
    s->asking++;
    solver_ask(s->b->solver, price_request(c, shape, spot), priced, call);
}

static void ask_all(struct price_survey *s)
{
    const struct burst_conf *conf = s->b->conf;

    s->next_ms = clock_mono_ms() + PRICES_MS;
    for (unsigned c = 0; c < conf->n_clouds; c++)
        for (unsigned k = 0; k < conf->n_shapes; k++) {
            if (!cloud_has_shape(&conf->clouds[c], &conf->shapes[k]))
                continue;
            if (conf->clouds[c].spot)
                ask(s, &conf->clouds[c], &conf->shapes[k], true);
            if (conf->clouds[c].on_demand)
                ask(s, &conf->clouds[c], &conf->shapes[k], false);
        }
}

void price_survey_step(struct price_survey *s)
{
    bool changed = s->of != s->b->conf;

    if (!slurm_link_ready(s->b->slurm) || s->asking || (!changed && clock_mono_ms() < s->next_ms))
        return;
    if (changed)
        shape_prices_clear(s->b->prices);
    s->of = s->b->conf;
    ask_all(s);
}
