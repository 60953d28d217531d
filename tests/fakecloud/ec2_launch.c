// SPDX-License-Identifier: GPL-3.0-or-later
// RunInstances of the fake EC2.
#include "fakecloud/ec2_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

static int64_t running(const struct ec2 *e, const char *region, const char *zone, const char *type)
{
    int64_t n = 0;

    for (size_t k = 0; k < e->n; k++)
        n += !e->vms[k]->ended_ms && (!region || ec2_in_region(e->vms[k]->zone, region)) &&
             (!zone || strcmp(e->vms[k]->zone, zone) == 0) &&
             (!type || strcmp(e->vms[k]->type, type) == 0);
    return n;
}

// Of all that a launch says but where: the zone and the region do not count at EC2.
static uint64_t digest(const struct form *f)
{
    uint64_t sum = 0;

    for (size_t k = 0; k < form_count(f); k++) {
        uint64_t h = 14695981039346656037u;
        if (strcmp(form_name(f, k), "Placement.AvailabilityZone") == 0)
            continue;
        for (const char *p = form_name(f, k); *p; p++)
            h = (h ^ (unsigned char)*p) * 1099511628211u;
        for (const char *p = form_value(f, k); *p; p++)
            h = (h ^ (unsigned char)*p) * 1099511628211u;
        sum += h; // in any order
    }
    return sum;
}

struct launch {
    const char *type, *zone, *token;
    bool spot;
    int64_t min, max;
    struct offer *offer;
};

static bool count_of(struct call *c, const char *name, int64_t *out)
{
    const char *v = form_get(c->f, "%s", name);

    *out = strtoll(v, NULL, 10);
    if (!*v)
        ec2_fail(c, 400, "MissingParameter", "The request must contain the parameter %s", name);
    else if (*out < 1 || *out > 1000)
        ec2_fail(c, 400, "InvalidParameterValue", "Value (%.20s) for parameter %s is invalid", v,
                 name);
    else
        return true;
    return false;
}

static bool network_is_right(struct call *c, const struct launch *l)
{
    const char *subnet = form_get(c->f, "NetworkInterface.1.SubnetId");
    const char *direct = form_get(c->f, "SubnetId");

    if (*subnet && (*direct || *form_get(c->f, "SecurityGroupId.1"))) {
        ec2_fail(c, 400, "InvalidParameterCombination",
                 "Network interfaces and an instance-level subnet ID or security groups may not be "
                 "specified on the same request");
        return false;
    }
    subnet = *subnet ? subnet : direct;
    if (*subnet && *l->zone && strcmp(subnet + strcspn(subnet, "-") + 1, l->zone) != 0) {
        ec2_fail(c, 400, "InvalidParameterValue", "The subnet %.60s is not in zone %.30s", subnet,
                 l->zone);
        return false;
    }
    return true;
}

// The first zone of the region that sells it, when none is named.
static bool place(struct call *c, struct launch *l)
{
    const struct ec2 *e = c->e;

    for (size_t k = 0; k < e->n_offers && !*l->zone; k++)
        if (ec2_in_region(e->offers[k].zone, c->region) && strcmp(e->offers[k].type, l->type) == 0)
            l->zone = e->offers[k].zone;
    if (!ec2_in_region(l->zone, c->region)) {
        ec2_fail(c, 400, "InvalidParameterValue", "Invalid availability zone: [%.30s]", l->zone);
        return false;
    }
    l->offer = ec2_find_offer(e, l->zone, l->type);
    if (!l->offer || (l->spot ? l->offer->spot : l->offer->price) == MONEY_UNKNOWN) {
        ec2_fail(c, 400, "Unsupported",
                 "Your requested instance type (%.40s) is not supported in your requested "
                 "Availability Zone (%.30s).",
                 l->type, l->zone);
        return false;
    }
    return true;
}

static bool price_is_enough(struct call *c, const struct launch *l)
{
    const char *most = form_get(c->f, "InstanceMarketOptions.SpotOptions.MaxPrice");
    money_t bid;

    if (!l->spot || !*most || (money_parse(most, &bid, NULL) == 0 && bid >= l->offer->spot))
        return true;
    ec2_fail(c, 400, "SpotMaxPriceTooLow", "Your Spot request price of %.20s is lower than needed",
             most);
    return false;
}

static bool has_room(struct call *c, const struct launch *l)
{
    const struct ec2 *e = c->e;

    if (e->quota >= 0 && running(e, c->region, NULL, NULL) + l->min > e->quota) {
        ec2_fail(c, 400, "VcpuLimitExceeded",
                 "You have requested more vCPU capacity than your current vCPU limit allows");
        return false;
    }
    if (l->offer->capacity >= 0 &&
        running(e, NULL, l->zone, l->type) + l->min > l->offer->capacity) {
        ec2_fail(c, 500, "InsufficientInstanceCapacity",
                 "We currently do not have sufficient %.40s capacity in the Availability Zone you "
                 "requested (%.30s).",
                 l->type, l->zone);
        return false;
    }
    return true;
}

static void tag(struct call *c, struct vm *v)
{
    for (unsigned s = 1; *form_get(c->f, "TagSpecification.%u.ResourceType", s); s++) {
        if (strcmp(form_get(c->f, "TagSpecification.%u.ResourceType", s), "instance") != 0)
            continue;
        for (unsigned t = 1; v->n_tags < MAX_TAGS; t++) {
            const char *key = form_get(c->f, "TagSpecification.%u.Tag.%u.Key", s, t);
            if (!*key)
                break;
            v->tag[v->n_tags].key = xstrdup(key);
            v->tag[v->n_tags++].value =
                xstrdup(form_get(c->f, "TagSpecification.%u.Tag.%u.Value", s, t));
        }
    }
}

static void launch_one(struct call *c, const struct launch *l)
{
    struct ec2 *e = c->e;
    struct vm *v = xmalloc(sizeof(*v));
    bool no_subnet =
        !*form_get(c->f, "NetworkInterface.1.SubnetId") && !*form_get(c->f, "SubnetId");
    unsigned n = (unsigned)e->n + 1;

    snprintf(v->id, sizeof(v->id), "i-%017x", n);
    snprintf(v->type, sizeof(v->type), "%s", l->type);
    snprintf(v->zone, sizeof(v->zone), "%s", l->zone);
    snprintf(v->token, sizeof(v->token), "%s", l->token);
    snprintf(v->image, sizeof(v->image), "%s", form_get(c->f, "ImageId"));
    snprintf(v->address, sizeof(v->address), "10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, n & 255);
    if (no_subnet ||
        strcmp(form_get(c->f, "NetworkInterface.1.AssociatePublicIpAddress"), "true") == 0)
        snprintf(v->public, sizeof(v->public), "198.51.%u.%u", n >> 8 & 255, n & 255);
    v->spot = l->spot;
    v->price = l->spot ? l->offer->spot : l->offer->price;
    v->number = n;
    v->asked = digest(c->f);
    v->launched_ms = c->now;
    tag(c, v);
    e->vms = xrealloc(e->vms, (e->n + 1) * sizeof(struct vm *));
    e->vms[e->n++] = v;
}

// True: this token was used here before, and the answer is made.
static bool repeated(struct call *c, const struct launch *l)
{
    size_t n = 0;

    for (size_t k = 0; k < c->e->n && *l->token; k++) {
        const struct vm *v = c->e->vms[k];
        if (strcmp(v->token, l->token) != 0 || !ec2_in_region(v->zone, c->region) ||
            (*l->zone && strcmp(v->zone, l->zone) != 0))
            continue;
        if (v->asked != digest(c->f)) {
            ec2_fail(c, 400, "IdempotentParameterMismatch",
                     "The client token was used with other parameters");
            return true;
        }
        if (n++ == 0) {
            ec2_begin(c);
            strbuf_adds(&c->out, "<instancesSet>");
        }
        ec2_add_vm(c, v);
    }
    if (n == 0)
        return false;
    strbuf_adds(&c->out, "</instancesSet>");
    ec2_end(c);
    return true;
}

void ec2_run_instances(struct call *c)
{
    struct launch l = {
        .type = form_get(c->f, "InstanceType"),
        .zone = form_get(c->f, "Placement.AvailabilityZone"),
        .token = form_get(c->f, "ClientToken"),
        .spot = strcmp(form_get(c->f, "InstanceMarketOptions.MarketType"), "spot") == 0,
    };

    if (!count_of(c, "MinCount", &l.min) || !count_of(c, "MaxCount", &l.max))
        return;
    if (!*form_get(c->f, "ImageId")) {
        ec2_fail(c, 400, "MissingParameter", "The request must contain the parameter ImageId");
        return;
    }
    if (strlen(l.token) > 64) {
        ec2_fail(c, 400, "InvalidParameterValue", "ClientToken is longer than 64 characters");
        return;
    }
    if (!network_is_right(c, &l) || repeated(c, &l) || !place(c, &l) || !price_is_enough(c, &l) ||
        !has_room(c, &l))
        return;
    size_t first = c->e->n;
    for (int64_t k = 0; k < l.min; k++) // as many as are sure
        launch_one(c, &l);
    ec2_begin(c);
    strbuf_addf(&c->out,
                "<reservationId>r-%zu</reservationId><ownerId>111122223333</ownerId>"
                "<groupSet/><instancesSet>",
                first);
    for (size_t k = first; k < c->e->n; k++)
        ec2_add_vm(c, c->e->vms[k]);
    strbuf_adds(&c->out, "</instancesSet>");
    ec2_end(c);
}
