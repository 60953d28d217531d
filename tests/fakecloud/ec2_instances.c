// SPDX-License-Identifier: GPL-3.0-or-later
// Instances of the fake EC2: what they look like, listings and ends.
#include "fakecloud/ec2_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHUTDOWN_MS 1000
#define LISTED_MS 3600000 // an ended one

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
    ec2_time(v->ended_ms, "(%Y-%m-%d %H:%M:%S GMT)", at, sizeof(at));
    strbuf_addf(&c->out, "<reason>%s %s</reason><stateReason>",
                v->reclaimed ? "Server.SpotInstanceTermination:" : "User initiated", at);
    ec2_element(&c->out, "code",
                v->reclaimed ? "Server.SpotInstanceTermination" : "Client.UserInitiatedShutdown");
    ec2_element(&c->out, "message", v->reclaimed ? "Spot instance termination" : "User initiated");
    strbuf_adds(&c->out, "</stateReason>");
}

void ec2_add_vm(struct call *c, const struct vm *v)
{
    const char *state = state_of(c->e, v, c->now);
    char at[64];

    strbuf_adds(&c->out, "<item>");
    ec2_element(&c->out, "instanceId", v->id);
    ec2_element(&c->out, "imageId", v->image);
    strbuf_addf(&c->out, "<instanceState><code>%s</code><name>%s</name></instanceState>",
                state_code(state), state);
    add_reason(c, v, state);
    ec2_element(&c->out, "instanceType", v->type);
    ec2_time(v->launched_ms, "%Y-%m-%dT%H:%M:%S.000Z", at, sizeof(at));
    ec2_element(&c->out, "launchTime", at);
    strbuf_adds(&c->out, "<placement>");
    ec2_element(&c->out, "availabilityZone", v->zone);
    strbuf_adds(&c->out, "<groupName/><tenancy>default</tenancy></placement>");
    ec2_element(&c->out, "privateIpAddress", v->address);
    if (v->public[0] && strcmp(state, "pending") != 0)
        ec2_element(&c->out, "ipAddress", v->public);
    ec2_element(&c->out, "clientToken", v->token);
    if (v->spot)
        ec2_element(&c->out, "instanceLifecycle", "spot");
    strbuf_adds(&c->out, "<tagSet>");
    for (size_t k = 0; k < v->n_tags; k++) {
        strbuf_adds(&c->out, "<item>");
        ec2_element(&c->out, "key", v->tag[k].key);
        ec2_element(&c->out, "value", v->tag[k].value);
        strbuf_adds(&c->out, "</item>");
    }
    strbuf_adds(&c->out, "</tagSet></item>");
}

struct vm *ec2_find_vm(const struct ec2 *e, const char *id)
{
    for (size_t k = 0; k < e->n; k++)
        if (strcmp(e->vms[k]->id, id) == 0)
            return e->vms[k];
    return NULL;
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
        const struct vm *v = ec2_find_vm(c->e, id);
        if (!v || !visible(c->e, v, c->now) || !ec2_in_region(v->zone, c->region)) {
            ec2_fail(c, 400, "InvalidInstanceID.NotFound", "The instance ID '%.40s' does not exist",
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

void ec2_describe_instances(struct call *c)
{
    const char *rows = form_get(c->f, "MaxResults"), *token = form_get(c->f, "NextToken");
    size_t from = *token ? strtoul(token + 1, NULL, 10) : 0, shown = 0, k;
    int64_t most = *rows ? strtoll(rows, NULL, 10) : 1000;

    if (*rows && *form_get(c->f, "InstanceId.1")) {
        ec2_fail(c, 400, "InvalidParameterCombination",
                 "The parameter instancesSet cannot be used with the parameter maxResults");
        return;
    }
    if (most < 5 || most > 1000) {
        ec2_fail(c, 400, "InvalidParameterValue",
                 "Value ( %.20s ) for parameter maxResults is invalid", rows);
        return;
    }
    if (!ids_exist(c))
        return;
    if (c->e->page && most > c->e->page)
        most = c->e->page;
    ec2_begin(c);
    strbuf_adds(&c->out, "<reservationSet>");
    for (k = from; k < c->e->n && (int64_t)shown < most; k++) {
        const struct vm *v = c->e->vms[k];
        if (!ec2_in_region(v->zone, c->region) || !visible(c->e, v, c->now) || !asked_for(c, v) ||
            !passes(c, v))
            continue;
        strbuf_addf(&c->out, "<item><reservationId>r-%zu</reservationId><groupSet/><instancesSet>",
                    k);
        ec2_add_vm(c, v);
        strbuf_adds(&c->out, "</instancesSet></item>");
        shown++;
    }
    strbuf_adds(&c->out, "</reservationSet>");
    if (k < c->e->n)
        strbuf_addf(&c->out, "<nextToken>t%zu</nextToken>", k);
    ec2_end(c);
}

void ec2_terminate_instances(struct call *c)
{
    if (!*form_get(c->f, "InstanceId.1")) {
        ec2_fail(c, 400, "MissingParameter", "The request must contain the parameter InstanceId");
        return;
    }
    if (!ids_exist(c))
        return;
    ec2_begin(c);
    strbuf_adds(&c->out, "<instancesSet>");
    for (unsigned k = 1; *form_get(c->f, "InstanceId.%u", k); k++) {
        struct vm *v = ec2_find_vm(c->e, form_get(c->f, "InstanceId.%u", k));
        const char *before = state_of(c->e, v, c->now);
        if (!v->ended_ms)
            v->ended_ms = c->now;
        strbuf_adds(&c->out, "<item>");
        ec2_element(&c->out, "instanceId", v->id);
        strbuf_addf(&c->out,
                    "<currentState><code>32</code><name>shutting-down</name></currentState>"
                    "<previousState><code>%s</code><name>%s</name></previousState></item>",
                    state_code(before), before);
    }
    strbuf_adds(&c->out, "</instancesSet>");
    ec2_end(c);
}
