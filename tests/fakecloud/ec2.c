// SPDX-License-Identifier: GPL-3.0-or-later
// See ec2.h. After the Amazon EC2 API Reference, version 2016-11-15.
#include "fakecloud/ec2.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libburst/json.h"
#include "libburst/money.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define ANSWER_CEILING (16u << 20)
#define MAX_TAGS 50
#define SHUTDOWN_MS 1000
#define LISTED_MS 3600000 // an ended one
#define NS "xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\""

struct offer {
    char zone[32], type[40];
    money_t price, spot; // MONEY_UNKNOWN: not sold so
    int64_t capacity;    // -1: any
};

struct vm {
    char id[24], type[40], zone[32], token[68], image[40], address[20], public[20];
    bool spot, reclaimed;
    money_t price;
    unsigned number;
    uint64_t asked;                // digest of the launch's parameters
    int64_t launched_ms, ended_ms; // 0: it runs
    size_t n_tags;
    struct {
        char *key, *value;
    } tag[MAX_TAGS];
};

struct fault {
    char action[48], code[64];
    int status;
    int64_t tries;
    bool done, lost;
};

struct ec2 {
    struct offer *offers;
    size_t n_offers;
    int64_t quota, boot_ms, lag_ms, page;
    struct vm **vms;
    size_t n;
    struct fault *faults;
    size_t n_faults;
    unsigned requests;
};

// One request on its way.
struct call {
    struct ec2 *e;
    const char *region, *action;
    const struct form *f;
    int64_t now;
    struct strbuf out;
    int status;
};

// ---- answers

static void text(struct strbuf *out, const char *s)
{
    for (const char *p = s; *p; p++)
        if (*p == '<')
            strbuf_adds(out, "&lt;");
        else if (*p == '&')
            strbuf_adds(out, "&amp;");
        else if (*p == '>')
            strbuf_adds(out, "&gt;");
        else
            strbuf_add(out, p, 1);
}

static void element(struct strbuf *out, const char *name, const char *value)
{
    strbuf_addf(out, "<%s>", name);
    text(out, value);
    strbuf_addf(out, "</%s>", name);
}

static void fail(struct call *c, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void fail(struct call *c, int status, const char *code, const char *fmt, ...)
{
    char message[300];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    strbuf_reset(&c->out);
    strbuf_adds(&c->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>");
    element(&c->out, "Code", code);
    element(&c->out, "Message", message);
    strbuf_addf(&c->out, "</Error></Errors><RequestID>fake-%u</RequestID></Response>",
                c->e->requests);
    c->status = status;
}

static void begin(struct call *c)
{
    strbuf_addf(&c->out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%sResponse " NS
                "><requestId>fake-%u</requestId>",
                c->action, c->e->requests);
    c->status = 200;
}

static void end(struct call *c)
{
    strbuf_addf(&c->out, "</%sResponse>", c->action);
}

static void time_text(int64_t ms, const char *fmt, char *buf, size_t size)
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;

    strftime(buf, size, fmt, gmtime_r(&t, &tm));
}

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
        fail(c, 400, "UnknownParameter", "The parameter %.100s is not recognized", name);
        return false;
    }
    return true;
}

static bool in_region(const char *zone, const char *region)
{
    size_t len = strlen(region);

    return strlen(zone) == len + 1 && strncmp(zone, region, len) == 0;
}

// ---- instances

static const char *state_of(const struct ec2 *e, const struct vm *v, int64_t now)
{
    // A listing may not know yet that it ended.
    if (v->ended_ms && now - e->lag_ms >= v->ended_ms)
        return now - v->ended_ms < SHUTDOWN_MS ? "shutting-down" : "terminated";
    return now - v->launched_ms < e->boot_ms ? "pending" : "running";
}

static const char *state_code(const char *state)
{
    return strcmp(state, "pending") == 0         ? "0"
           : strcmp(state, "running") == 0       ? "16"
           : strcmp(state, "shutting-down") == 0 ? "32"
                                                 : "48";
}

// Nor of one that was launched just now.
static bool visible(const struct ec2 *e, const struct vm *v, int64_t now)
{
    return now - e->lag_ms >= v->launched_ms && (!v->ended_ms || now - v->ended_ms < LISTED_MS);
}

static void add_reason(struct call *c, const struct vm *v, const char *state)
{
    char at[64];

    if (!v->ended_ms || strcmp(state, "running") == 0) {
        strbuf_adds(&c->out, "<reason/>");
        return;
    }
    time_text(v->ended_ms, "(%Y-%m-%d %H:%M:%S GMT)", at, sizeof(at));
    strbuf_addf(&c->out, "<reason>%s %s</reason><stateReason>",
                v->reclaimed ? "Server.SpotInstanceTermination:" : "User initiated", at);
    element(&c->out, "code",
            v->reclaimed ? "Server.SpotInstanceTermination" : "Client.UserInitiatedShutdown");
    element(&c->out, "message", v->reclaimed ? "Spot instance termination" : "User initiated");
    strbuf_adds(&c->out, "</stateReason>");
}

static void add_vm(struct call *c, const struct vm *v)
{
    const char *state = state_of(c->e, v, c->now);
    char at[64];

    strbuf_adds(&c->out, "<item>");
    element(&c->out, "instanceId", v->id);
    element(&c->out, "imageId", v->image);
    strbuf_addf(&c->out, "<instanceState><code>%s</code><name>%s</name></instanceState>",
                state_code(state), state);
    add_reason(c, v, state);
    element(&c->out, "instanceType", v->type);
    time_text(v->launched_ms, "%Y-%m-%dT%H:%M:%S.000Z", at, sizeof(at));
    element(&c->out, "launchTime", at);
    strbuf_adds(&c->out, "<placement>");
    element(&c->out, "availabilityZone", v->zone);
    strbuf_adds(&c->out, "<groupName/><tenancy>default</tenancy></placement>");
    element(&c->out, "privateIpAddress", v->address);
    if (v->public[0] && strcmp(state, "pending") != 0)
        element(&c->out, "ipAddress", v->public);
    element(&c->out, "clientToken", v->token);
    if (v->spot)
        element(&c->out, "instanceLifecycle", "spot");
    strbuf_adds(&c->out, "<tagSet>");
    for (size_t k = 0; k < v->n_tags; k++) {
        strbuf_adds(&c->out, "<item>");
        element(&c->out, "key", v->tag[k].key);
        element(&c->out, "value", v->tag[k].value);
        strbuf_adds(&c->out, "</item>");
    }
    strbuf_adds(&c->out, "</tagSet></item>");
}

static struct vm *find_vm(const struct ec2 *e, const char *id)
{
    for (size_t k = 0; k < e->n; k++)
        if (strcmp(e->vms[k]->id, id) == 0)
            return e->vms[k];
    return NULL;
}

// ---- RunInstances

static struct offer *find_offer(const struct ec2 *e, const char *zone, const char *type)
{
    for (size_t k = 0; k < e->n_offers; k++)
        if (strcmp(e->offers[k].zone, zone) == 0 && strcmp(e->offers[k].type, type) == 0)
            return &e->offers[k];
    return NULL;
}

static int64_t running(const struct ec2 *e, const char *region, const char *zone, const char *type)
{
    int64_t n = 0;

    for (size_t k = 0; k < e->n; k++)
        n += !e->vms[k]->ended_ms && (!region || in_region(e->vms[k]->zone, region)) &&
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
        fail(c, 400, "MissingParameter", "The request must contain the parameter %s", name);
    else if (*out < 1 || *out > 1000)
        fail(c, 400, "InvalidParameterValue", "Value (%.20s) for parameter %s is invalid", v, name);
    else
        return true;
    return false;
}

static bool network_is_right(struct call *c, const struct launch *l)
{
    const char *subnet = form_get(c->f, "NetworkInterface.1.SubnetId");
    const char *direct = form_get(c->f, "SubnetId");

    if (*subnet && (*direct || *form_get(c->f, "SecurityGroupId.1"))) {
        fail(c, 400, "InvalidParameterCombination",
             "Network interfaces and an instance-level subnet ID or security groups may not be "
             "specified on the same request");
        return false;
    }
    subnet = *subnet ? subnet : direct;
    if (*subnet && *l->zone && strcmp(subnet + strcspn(subnet, "-") + 1, l->zone) != 0) {
        fail(c, 400, "InvalidParameterValue", "The subnet %.60s is not in zone %.30s", subnet,
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
        if (in_region(e->offers[k].zone, c->region) && strcmp(e->offers[k].type, l->type) == 0)
            l->zone = e->offers[k].zone;
    if (!in_region(l->zone, c->region)) {
        fail(c, 400, "InvalidParameterValue", "Invalid availability zone: [%.30s]", l->zone);
        return false;
    }
    l->offer = find_offer(e, l->zone, l->type);
    if (!l->offer || (l->spot ? l->offer->spot : l->offer->price) == MONEY_UNKNOWN) {
        fail(c, 400, "Unsupported",
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
    fail(c, 400, "SpotMaxPriceTooLow", "Your Spot request price of %.20s is lower than needed",
         most);
    return false;
}

static bool has_room(struct call *c, const struct launch *l)
{
    const struct ec2 *e = c->e;

    if (e->quota >= 0 && running(e, c->region, NULL, NULL) + l->min > e->quota) {
        fail(c, 400, "VcpuLimitExceeded",
             "You have requested more vCPU capacity than your current vCPU limit allows");
        return false;
    }
    if (l->offer->capacity >= 0 &&
        running(e, NULL, l->zone, l->type) + l->min > l->offer->capacity) {
        fail(c, 500, "InsufficientInstanceCapacity",
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
        if (strcmp(v->token, l->token) != 0 || !in_region(v->zone, c->region) ||
            (*l->zone && strcmp(v->zone, l->zone) != 0))
            continue;
        if (v->asked != digest(c->f)) {
            fail(c, 400, "IdempotentParameterMismatch",
                 "The client token was used with other parameters");
            return true;
        }
        if (n++ == 0) {
            begin(c);
            strbuf_adds(&c->out, "<instancesSet>");
        }
        add_vm(c, v);
    }
    if (n == 0)
        return false;
    strbuf_adds(&c->out, "</instancesSet>");
    end(c);
    return true;
}

static void run_instances(struct call *c)
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
        fail(c, 400, "MissingParameter", "The request must contain the parameter ImageId");
        return;
    }
    if (strlen(l.token) > 64) {
        fail(c, 400, "InvalidParameterValue", "ClientToken is longer than 64 characters");
        return;
    }
    if (!network_is_right(c, &l) || repeated(c, &l) || !place(c, &l) || !price_is_enough(c, &l) ||
        !has_room(c, &l))
        return;
    size_t first = c->e->n;
    for (int64_t k = 0; k < l.min; k++) // as many as are sure
        launch_one(c, &l);
    begin(c);
    strbuf_addf(&c->out,
                "<reservationId>r-%zu</reservationId><ownerId>111122223333</ownerId>"
                "<groupSet/><instancesSet>",
                first);
    for (size_t k = first; k < c->e->n; k++)
        add_vm(c, c->e->vms[k]);
    strbuf_adds(&c->out, "</instancesSet>");
    end(c);
}

// ---- DescribeInstances, TerminateInstances

static bool one_of(struct call *c, unsigned filter, const char *value)
{
    for (unsigned k = 1; *form_get(c->f, "Filter.%u.Value.%u", filter, k); k++)
        if (strcmp(form_get(c->f, "Filter.%u.Value.%u", filter, k), value) == 0)
            return true;
    return false;
}

static bool passes(struct call *c, const struct vm *v)
{
    for (unsigned k = 1; *form_get(c->f, "Filter.%u.Name", k); k++) {
        const char *name = form_get(c->f, "Filter.%u.Name", k);
        bool found = false;
        if (strncmp(name, "tag:", 4) == 0)
            for (size_t t = 0; t < v->n_tags; t++)
                found = found ||
                        (strcmp(v->tag[t].key, name + 4) == 0 && one_of(c, k, v->tag[t].value));
        else if (strcmp(name, "instance-state-name") == 0)
            found = one_of(c, k, state_of(c->e, v, c->now));
        else if (strcmp(name, "client-token") == 0)
            found = one_of(c, k, v->token);
        if (!found)
            return false;
    }
    return true;
}

static bool ids_exist(struct call *c)
{
    for (unsigned k = 1; *form_get(c->f, "InstanceId.%u", k); k++) {
        const char *id = form_get(c->f, "InstanceId.%u", k);
        const struct vm *v = find_vm(c->e, id);
        if (!v || !visible(c->e, v, c->now) || !in_region(v->zone, c->region)) {
            fail(c, 400, "InvalidInstanceID.NotFound", "The instance ID '%.40s' does not exist",
                 id);
            return false;
        }
    }
    return true;
}

static bool asked_for(struct call *c, const struct vm *v)
{
    unsigned k = 1;

    for (; *form_get(c->f, "InstanceId.%u", k); k++)
        if (strcmp(form_get(c->f, "InstanceId.%u", k), v->id) == 0)
            return true;
    return k == 1;
}

static void describe_instances(struct call *c)
{
    const char *rows = form_get(c->f, "MaxResults"), *token = form_get(c->f, "NextToken");
    size_t from = *token ? strtoul(token + 1, NULL, 10) : 0, shown = 0, k;
    int64_t most = *rows ? strtoll(rows, NULL, 10) : 1000;

    if (*rows && *form_get(c->f, "InstanceId.1")) {
        fail(c, 400, "InvalidParameterCombination",
             "The parameter instancesSet cannot be used with the parameter maxResults");
        return;
    }
    if (most < 5 || most > 1000) {
        fail(c, 400, "InvalidParameterValue", "Value ( %.20s ) for parameter maxResults is invalid",
             rows);
        return;
    }
    if (!ids_exist(c))
        return;
    if (c->e->page && most > c->e->page)
        most = c->e->page;
    begin(c);
    strbuf_adds(&c->out, "<reservationSet>");
    for (k = from; k < c->e->n && (int64_t)shown < most; k++) {
        const struct vm *v = c->e->vms[k];
        if (!in_region(v->zone, c->region) || !visible(c->e, v, c->now) || !asked_for(c, v) ||
            !passes(c, v))
            continue;
        strbuf_addf(&c->out, "<item><reservationId>r-%zu</reservationId><groupSet/><instancesSet>",
                    k);
        add_vm(c, v);
        strbuf_adds(&c->out, "</instancesSet></item>");
        shown++;
    }
    strbuf_adds(&c->out, "</reservationSet>");
    if (k < c->e->n)
        strbuf_addf(&c->out, "<nextToken>t%zu</nextToken>", k);
    end(c);
}

static void terminate_instances(struct call *c)
{
    if (!*form_get(c->f, "InstanceId.1")) {
        fail(c, 400, "MissingParameter", "The request must contain the parameter InstanceId");
        return;
    }
    if (!ids_exist(c))
        return;
    begin(c);
    strbuf_adds(&c->out, "<instancesSet>");
    for (unsigned k = 1; *form_get(c->f, "InstanceId.%u", k); k++) {
        struct vm *v = find_vm(c->e, form_get(c->f, "InstanceId.%u", k));
        const char *before = state_of(c->e, v, c->now);
        if (!v->ended_ms)
            v->ended_ms = c->now;
        strbuf_adds(&c->out, "<item>");
        element(&c->out, "instanceId", v->id);
        strbuf_addf(&c->out,
                    "<currentState><code>32</code><name>shutting-down</name></currentState>"
                    "<previousState><code>%s</code><name>%s</name></previousState></item>",
                    state_code(before), before);
    }
    strbuf_adds(&c->out, "</instancesSet>");
    end(c);
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

    time_text(c->now, "%Y-%m-%dT%H:%M:%S.000Z", at, sizeof(at));
    begin(c);
    strbuf_adds(&c->out, "<spotPriceHistorySet>");
    for (; k < c->e->n_offers && shown < most; k++) {
        const struct offer *o = &c->e->offers[k];
        if (o->spot == MONEY_UNKNOWN || !in_region(o->zone, c->region) || !type_wanted(c, o->type))
            continue;
        strbuf_adds(&c->out, "<item>");
        element(&c->out, "instanceType", o->type);
        element(&c->out, "productDescription", "Linux/UNIX");
        element(&c->out, "spotPrice", money_format(o->spot, price));
        element(&c->out, "timestamp", at);
        element(&c->out, "availabilityZone", o->zone);
        strbuf_adds(&c->out, "</item>");
        shown++;
    }
    strbuf_adds(&c->out, "</spotPriceHistorySet>");
    if (k < c->e->n_offers)
        strbuf_addf(&c->out, "<nextToken>t%zu</nextToken>", k);
    else
        strbuf_adds(&c->out, "<nextToken/>");
    end(c);
}

// ---- requests

static const struct {
    const char *name;
    void (*run)(struct call *c);
} actions[] = {
    {"RunInstances", run_instances},
    {"DescribeInstances", describe_instances},
    {"TerminateInstances", terminate_instances},
    {"DescribeSpotPriceHistory", spot_price_history},
};

static void perform(struct call *c)
{
    size_t k = 0, n = sizeof(actions) / sizeof(actions[0]);

    while (k < n && strcmp(actions[k].name, c->action) != 0)
        k++;
    if (k == n)
        fail(c, 400, "InvalidAction", "The action %.60s is not valid for this web service",
             c->action);
    else if (strcmp(form_get(c->f, "Version"), "2016-11-15") != 0)
        fail(c, 400, "NoSuchVersion", "The requested version is not known");
    else if (!parameters_are_known(c))
        return;
    else if (strcmp(form_get(c->f, "DryRun"), "true") == 0)
        fail(c, 412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
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
        fail(&c, fault->status, fault->code, "a fault on demand");
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
        struct vm *v = find_vm(e, reclaim);
        if (!v || !v->spot || v->ended_ms)
            return errprintf(errp, "no spot instance %s runs", reclaim);
        v->reclaimed = true;
        v->ended_ms = now_ms;
    }
    if (capacity) {
        struct offer *o =
            find_offer(e, json_str(capacity, "zone", ""), json_str(capacity, "type", ""));
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
