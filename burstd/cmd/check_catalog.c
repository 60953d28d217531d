// SPDX-License-Identifier: GPL-3.0-or-later
// See check_catalog.h.
#include "cmd/check_catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/conf.h"
#include "catalog/catalog.h"
#include "cmd/check.h"
#include "libburst/xalloc.h"

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
        check_report(k, CHECK_FAIL, mend, "cloud %s is not in the catalog", cl->name);
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
            check_report(k, CHECK_OK, "", "cloud %s, shape %s: %u instance type%s", cl->name,
                         shape->name, fit, fit == 1 ? "" : "s");
        else
            check_report(k, CHECK_WARN,
                         "make the shape smaller, name the accelerator as the catalog does "
                         "(accelerators:), or leave the shape out of the cloud's shapes:",
                         "cloud %s offers nothing for shape %s in its regions and markets",
                         cl->name, shape->name);
    }
}

void check_catalog(struct check *k)
{
    struct complaints complaints = {0};
    burst_error_t err = {""};
    struct catalog *cat = catalog_load(k->conf->catalog_dir, on_complaint, &complaints, &err);

    if (!cat) {
        check_report(k, CHECK_FAIL, "put CLOUD.csv and egress.csv there", "catalog: %s", err.text);
        return;
    }
    if (complaints.n > 0)
        check_report(k, CHECK_WARN, "burst catalog check shows all",
                     "catalog: %u rows are not used, the first: %s", complaints.n,
                     complaints.first);
    else
        check_report(k, CHECK_OK, "", "catalog: %s", k->conf->catalog_dir);
    for (unsigned i = 0; i < k->conf->n_clouds; i++)
        check_cloud_offers(k, cat, &k->conf->clouds[i]);
    catalog_destroy(cat);
}
