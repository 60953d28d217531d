// SPDX-License-Identifier: GPL-3.0-or-later
// See ec2.h. After the Amazon EC2 API Reference, version 2016-11-15.
#include "fakecloud/ec2.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakecloud/ec2_inside.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

#define ANSWER_CEILING (16u << 20)

// ---- what a request may say

static bool known_parameter(const char *action, const char *name)
{
    static const struct {
        const char *action, *names; // with blanks around; those that end with '.' have more
    } known[] = {
        {"RunInstances",
         " ImageId InstanceType MinCount MaxCount ClientToken UserData KeyName SubnetId DryRun "
         "SecurityGroupId. Placement.AvailabilityZone Placement.GroupName Placement.Tenancy "
         "InstanceInitiatedShutdownBehavior IamInstanceProfile. InstanceMarketOptions. "
         "NetworkInterface. TagSpecification. BlockDeviceMapping. MetadataOptions. "
         "CapacityReservationSpecification. EbsOptimized "},
        {"DescribeInstances", " InstanceId. Filter. MaxResults NextToken DryRun "},
        {"TerminateInstances", " InstanceId. DryRun "},
        {"DescribeSpotPriceHistory", " InstanceType. ProductDescription. StartTime EndTime "
                                     "MaxResults NextToken AvailabilityZone Filter. DryRun "},
    };
    char want[80];

    for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
        if (strcmp(known[k].action, action) != 0)
            continue;
        snprintf(want, sizeof(want), " %.60s ", name);
        if (strstr(known[k].names, want))
            return true;
        size_t first = strcspn(name, ".");
        snprintf(want, sizeof(want), " %.*s. ", (int)(first < 60 ? first : 60), name);
        return name[first] == '.' && strstr(known[k].names, want);
    }
    return false;
}

static bool parameters_are_known(struct call *c)
{
    for (size_t k = 0; k < form_count(c->f); k++) {
        const char *name = form_name(c->f, k);
        if (strcmp(name, "Action") == 0 || strcmp(name, "Version") == 0 ||
            known_parameter(c->action, name))
            continue;
        ec2_fail(c, 400, "UnknownParameter", "The parameter %.100s is not recognized", name);
        return false;
    }
    return true;
}

bool ec2_in_region(const char *zone, const char *region)
{
    size_t len = strlen(region);

    return strlen(zone) == len + 1 && strncmp(zone, region, len) == 0;
}

struct offer *ec2_find_offer(const struct ec2 *e, const char *zone, const char *type)
{
    for (size_t k = 0; k < e->n_offers; k++)
        if (strcmp(e->offers[k].zone, zone) == 0 && strcmp(e->offers[k].type, type) == 0)
            return &e->offers[k];
    return NULL;
}

// ---- DescribeSpotPriceHistory

static bool type_wanted(struct call *c, const char *type)
{
    unsigned k = 1;

    for (; *form_get(c->f, "InstanceType.%u", k); k++)
        if (strcmp(form_get(c->f, "InstanceType.%u", k), type) == 0)
            return true;
    return k == 1;
}

static void spot_price_history(struct call *c)
{
    const char *token = form_get(c->f, "NextToken");
    size_t k = *token ? strtoul(token + 1, NULL, 10) : 0, shown = 0;
    size_t most = c->e->page ? (size_t)c->e->page : 1000;
    char at[64], price[MONEY_TEXT_MAX];

    ec2_time(c->now, "%Y-%m-%dT%H:%M:%S.000Z", at, sizeof(at));
    ec2_begin(c);
    strbuf_adds(&c->out, "<spotPriceHistorySet>");
    for (; k < c->e->n_offers && shown < most; k++) {
        const struct offer *o = &c->e->offers[k];
        if (o->spot == MONEY_UNKNOWN || !ec2_in_region(o->zone, c->region) ||
            !type_wanted(c, o->type))
            continue;
        strbuf_adds(&c->out, "<item>");
        ec2_element(&c->out, "instanceType", o->type);
        ec2_element(&c->out, "productDescription", "Linux/UNIX");
        ec2_element(&c->out, "spotPrice", money_format(o->spot, price));
        ec2_element(&c->out, "timestamp", at);
        ec2_element(&c->out, "availabilityZone", o->zone);
        strbuf_adds(&c->out, "</item>");
        shown++;
    }
    strbuf_adds(&c->out, "</spotPriceHistorySet>");
    if (k < c->e->n_offers)
        strbuf_addf(&c->out, "<nextToken>t%zu</nextToken>", k);
    else
        strbuf_adds(&c->out, "<nextToken/>");
    ec2_end(c);
}

// ---- requests

static const struct {
    const char *name;
    void (*run)(struct call *c);
} actions[] = {
    {"RunInstances", ec2_run_instances},
    {"DescribeInstances", ec2_describe_instances},
    {"TerminateInstances", ec2_terminate_instances},
    {"DescribeSpotPriceHistory", spot_price_history},
};

static void perform(struct call *c)
{
    size_t k = 0, n = sizeof(actions) / sizeof(actions[0]);

    while (k < n && strcmp(actions[k].name, c->action) != 0)
        k++;
    if (k == n)
        ec2_fail(c, 400, "InvalidAction", "The action %.60s is not valid for this web service",
                 c->action);
    else if (strcmp(form_get(c->f, "Version"), "2016-11-15") != 0)
        ec2_fail(c, 400, "NoSuchVersion", "The requested version is not known");
    else if (!parameters_are_known(c))
        return;
    else if (strcmp(form_get(c->f, "DryRun"), "true") == 0)
        ec2_fail(c, 412, "DryRunOperation",
                 "Request would have succeeded, but DryRun flag is set.");
    else
        actions[k].run(c);
}

static struct fault *next_fault(struct ec2 *e, const char *action)
{
    for (size_t k = 0; k < e->n_faults; k++)
        if (e->faults[k].tries > 0 &&
            (!e->faults[k].action[0] || strcmp(e->faults[k].action, action) == 0)) {
            e->faults[k].tries--;
            return &e->faults[k];
        }
    return NULL;
}

int ec2_answer(struct ec2 *e, const char *region, const struct form *f, int64_t now_ms, char **xml,
               bool *lost)
{
    struct call c = {
        .e = e, .region = region, .action = form_get(f, "Action"), .f = f, .now = now_ms};
    const struct fault *fault = next_fault(e, c.action);

    e->requests++;
    strbuf_init(&c.out, ANSWER_CEILING);
    if (!fault || fault->done)
        perform(&c);
    if (fault && fault->code[0])
        ec2_fail(&c, fault->status, fault->code, "a fault on demand");
    *lost = fault && fault->lost;
    *xml = strbuf_take(&c.out);
    return c.status;
}

// ---- the operator's side

static void read_faults(struct ec2 *e, const cJSON *list)
{
    const cJSON *f;

    e->n_faults = 0;
    cJSON_ArrayForEach(f, list)
    {
        e->faults = xrealloc(e->faults, (e->n_faults + 1) * sizeof(*e->faults));
        struct fault *x = &e->faults[e->n_faults++];
        memset(x, 0, sizeof(*x));
        snprintf(x->action, sizeof(x->action), "%s", json_str(f, "action", ""));
        snprintf(x->code, sizeof(x->code), "%s", json_str(f, "code", ""));
        x->status = (int)json_i64(f, "status", 500);
        x->tries = json_i64(f, "tries", 1);
        x->done = json_bool(f, "done", false);
        x->lost = json_bool(f, "lost", false);
    }
}

int ec2_control(struct ec2 *e, const cJSON *order, int64_t now_ms, burst_error_t *errp)
{
    const cJSON *capacity = cJSON_GetObjectItemCaseSensitive(order, "capacity"),
                *faults = cJSON_GetObjectItemCaseSensitive(order, "faults");
    const char *reclaim = json_str(order, "reclaim", NULL);

    if (reclaim) {
        struct vm *v = ec2_find_vm(e, reclaim);
        if (!v || !v->spot || v->ended_ms)
            return errprintf(errp, "no spot instance %s runs", reclaim);
        v->reclaimed = true;
        v->ended_ms = now_ms;
    }
    if (capacity) {
        struct offer *o =
            ec2_find_offer(e, json_str(capacity, "zone", ""), json_str(capacity, "type", ""));
        if (!o)
            return errprintf(errp, "no such offer");
        o->capacity = json_i64(capacity, "n", -1);
    }
    if (faults)
        read_faults(e, faults);
    return reclaim || capacity || faults ? 0 : errprintf(errp, "nothing to do");
}

cJSON *ec2_bill(const struct ec2 *e, int64_t now_ms)
{
    cJSON *rows = cJSON_CreateArray();

    for (size_t k = 0; k < e->n; k++) {
        const struct vm *v = e->vms[k];
        cJSON *o = cJSON_CreateObject(), *tags;
        int64_t seconds = ((v->ended_ms ? v->ended_ms : now_ms) - v->launched_ms) / 1000;
        json_add_str(o, "id", v->id);
        json_add_str(o, "type", v->type);
        json_add_str(o, "zone", v->zone);
        json_add_str(o, "market", v->spot ? "spot" : "on-demand");
        json_add_i64(o, "seconds", seconds);
        json_add_money(o, "usd_micro", money_for_seconds(v->price, seconds));
        cJSON_AddBoolToObject(o, "running", !v->ended_ms);
        json_add_str(o, "token", v->token);
        tags = cJSON_AddObjectToObject(o, "tags");
        for (size_t t = 0; t < v->n_tags; t++)
            json_add_str(tags, v->tag[t].key, v->tag[t].value);
        cJSON_AddItemToArray(rows, o);
    }
    return rows;
}

static money_t price_of(const cJSON *o, const char *key)
{
    const char *t = json_str(o, key, NULL);
    money_t m;

    return t && money_parse(t, &m, NULL) == 0 ? m : MONEY_UNKNOWN;
}

struct ec2 *ec2_create(const cJSON *world, burst_error_t *errp)
{
    const cJSON *o, *offers = cJSON_GetObjectItemCaseSensitive(world, "offers");
    struct ec2 *e = xmalloc(sizeof(*e));

    e->quota = json_i64(world, "quota", -1);
    e->boot_ms = json_i64(world, "boot_ms", 0);
    e->lag_ms = json_i64(world, "lag_ms", 0);
    e->page = json_i64(world, "page", 0);
    cJSON_ArrayForEach(o, offers)
    {
        e->offers = xrealloc(e->offers, (e->n_offers + 1) * sizeof(*e->offers));
        struct offer *x = &e->offers[e->n_offers++];
        snprintf(x->zone, sizeof(x->zone), "%s", json_str(o, "zone", ""));
        snprintf(x->type, sizeof(x->type), "%s", json_str(o, "type", ""));
        x->price = price_of(o, "price");
        x->spot = price_of(o, "spot");
        x->capacity = json_i64(o, "capacity", -1);
        if (x->zone[0] && x->type[0])
            continue;
        errprintf(errp, "offers: zone and type are needed");
        ec2_destroy(e);
        return NULL;
    }
    return e;
}

void ec2_destroy(struct ec2 *e)
{
    if (!e)
        return;
    for (size_t k = 0; k < e->n; k++) {
        for (size_t t = 0; t < e->vms[k]->n_tags; t++) {
            free(e->vms[k]->tag[t].key);
            free(e->vms[k]->tag[t].value);
        }
        free(e->vms[k]);
    }
    free(e->vms);
    free(e->offers);
    free(e->faults);
    free(e);
}
