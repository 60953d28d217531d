// SPDX-License-Identifier: GPL-3.0-or-later
// What is offered, and what was sold (fleet.h).
#include "localcloud/fleet_inside.h"

static void add_price(cJSON *o, const char *key, money_t price)
{
    char text[MONEY_TEXT_MAX];

    json_add_str(o, key, price == MONEY_UNKNOWN ? NULL : money_format(price, text));
}

cJSON *fleet_offers(const struct cloud *c)
{
    cJSON *o = cJSON_CreateObject(), *rows = cJSON_AddArrayToObject(o, "offers");

    for (size_t k = 0; k < offers_count(c->offers); k++) {
        const struct offer *f = offers_at(c->offers, k);
        cJSON *row = cJSON_CreateObject();
        json_add_str(row, "instance_type", f->instance_type);
        json_add_str(row, "accelerator", f->accelerator);
        cJSON_AddNumberToObject(row, "accelerator_count", f->count);
        cJSON_AddNumberToObject(row, "vcpus", f->vcpus);
        cJSON_AddNumberToObject(row, "memory_gib", f->memory_gib);
        json_add_str(row, "region", f->region);
        json_add_str(row, "zone", f->zone);
        add_price(row, "on_demand_usd_per_hour", f->on_demand);
        add_price(row, "spot_usd_per_hour", f->spot);
        cJSON_AddItemToArray(rows, row);
    }
    return o;
}

cJSON *fleet_bill(struct fleet *f, const struct cloud *c)
{
    cJSON *bill = cJSON_CreateObject(), *rows = cJSON_AddArrayToObject(bill, "rows");
    int64_t now = fleet_now_s(f);
    money_t total = 0;

    for (size_t k = 0; k < f->n; k++) {
        const struct instance *i = f->list[k];
        if (!fleet_of_cloud(i, c))
            continue;
        cJSON *row = cJSON_CreateObject();
        char price[MONEY_TEXT_MAX];
        money_t cost = instance_cost(i, now);
        json_add_str(row, "id", i->id);
        json_add_i64(row, "seconds", instance_seconds(i, now));
        json_add_i64(row, "usd_micro", cost);
        json_add_str(row, "market", i->spot ? "spot" : "on-demand");
        json_add_str(row, "instance_type", i->instance_type);
        json_add_str(row, "region", i->region);
        json_add_str(row, "zone", i->zone);
        json_add_str(row, "price_usd_per_hour", money_format(i->price, price));
        json_add_i64(row, "launched_at", i->launched_at);
        if (i->ended_at)
            json_add_i64(row, "ended_at", i->ended_at);
        else
            cJSON_AddNullToObject(row, "ended_at");
        cJSON_AddItemToObject(row, "tags", cJSON_Duplicate(i->tags, true));
        cJSON_AddItemToArray(rows, row);
        total += cost;
    }
    json_add_i64(bill, "total_usd_micro", total);
    return bill;
}
