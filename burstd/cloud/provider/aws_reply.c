// SPDX-License-Identifier: GPL-3.0-or-later
#include "cloud/provider/aws_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/provider/xml.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

// ---- errors

// From "Error codes for the Amazon EC2 API". What a prefix ends with '*' stands for all such codes.
static const struct {
    const char *code;
    enum provider_class cls;
} codes[] = {
    {"InsufficientInstanceCapacity", PROVIDER_CAPACITY}, // a server error (5xx) all the same
    {"InsufficientHostCapacity", PROVIDER_CAPACITY},
    {"InsufficientReservedInstanceCapacity", PROVIDER_CAPACITY},
    {"InsufficientCapacity", PROVIDER_CAPACITY},
    {"InsufficientFreeAddressesInSubnet", PROVIDER_CAPACITY},
    {"InsufficientCapacityOnHost", PROVIDER_CAPACITY},
    {"UnfulfillableCapacity", PROVIDER_CAPACITY},
    {"ReservationCapacityExceeded", PROVIDER_CAPACITY},
    {"Unsupported", PROVIDER_CAPACITY}, // the type is not sold in this zone
    {"SpotMaxPriceTooLow", PROVIDER_CAPACITY},
    {"VcpuLimitExceeded", PROVIDER_QUOTA},
    {"InstanceLimitExceeded", PROVIDER_QUOTA},
    {"MaxSpotInstanceCountExceeded", PROVIDER_QUOTA},
    {"MaxSpotFleetRequestCountExceeded", PROVIDER_QUOTA},
    {"MaxFleetCountExceeded", PROVIDER_QUOTA},
    {"VolumeLimitExceeded", PROVIDER_QUOTA},
    {"MaxIOPSLimitExceeded", PROVIDER_QUOTA},
    {"RequestLimitExceeded", PROVIDER_THROTTLE},
    {"Throttling", PROVIDER_THROTTLE},
    {"ThrottlingException", PROVIDER_THROTTLE},
    {"TooManyRequestsException", PROVIDER_THROTTLE},
    {"EC2ThrottledException", PROVIDER_THROTTLE},
    {"SlowDown", PROVIDER_THROTTLE},
    {"AuthFailure", PROVIDER_AUTH},
    {"UnauthorizedOperation", PROVIDER_AUTH},
    {"OptInRequired", PROVIDER_AUTH},
    {"PendingVerification", PROVIDER_AUTH},
    {"Blocked", PROVIDER_AUTH},
    {"ExpiredToken", PROVIDER_AUTH},
    {"RequestExpired", PROVIDER_AUTH}, // our clock
    {"InvalidClientTokenId", PROVIDER_AUTH},
    {"MissingAuthenticationToken", PROVIDER_AUTH},
    {"SignatureDoesNotMatch", PROVIDER_AUTH},
    {"IncompleteSignature", PROVIDER_AUTH},
    {"AccessDenied", PROVIDER_AUTH},
    {"InvalidInstanceID.NotFound", PROVIDER_NOT_FOUND},
    {"InvalidInstanceID.Malformed", PROVIDER_INVALID},
    {"IdempotentParameterMismatch", PROVIDER_INVALID},
    {"InternalError", PROVIDER_TRANSIENT},
    {"InternalFailure", PROVIDER_TRANSIENT},
    {"ServiceUnavailable", PROVIDER_TRANSIENT},
    {"Unavailable", PROVIDER_TRANSIENT},
    {"RequestTimeout", PROVIDER_TRANSIENT},
    {"IdempotentInstanceTerminated", PROVIDER_TRANSIENT},
};

enum provider_class aws_error_class(const char *code, int status)
{
    for (size_t k = 0; k < sizeof(codes) / sizeof(codes[0]); k++)
        if (strcmp(codes[k].code, code) == 0)
            return codes[k].cls;
    return *code && status >= 400 && status < 500 ? PROVIDER_INVALID : PROVIDER_TRANSIENT;
}

// The first object called "Error" that has a Code, wherever it is: services differ.
static const cJSON *find_error(const cJSON *o, unsigned depth)
{
    const cJSON *e, *found = NULL;

    if (depth > 6)
        return NULL;
    cJSON_ArrayForEach(e, o)
    {
        if (e->string && strcmp(e->string, "Error") == 0 && json_str(e, "Code", NULL))
            return e;
        if ((found = find_error(e, depth + 1)))
            return found;
    }
    return NULL;
}

const cJSON *aws_answer(int status, const char *text, size_t len, cJSON **document,
                        enum provider_class *error, char *code, size_t size, burst_error_t *errp)
{
    burst_error_t why = {""};
    const cJSON *e;

    code[0] = '\0';
    *error = PROVIDER_OK;
    *document = xml_to_json(text, len, &why);
    e = *document ? find_error(*document, 0) : NULL;
    if (*document && !e && status >= 200 && status < 300 && cJSON_IsObject((*document)->child))
        return (*document)->child;
    if (e) {
        snprintf(code, size, "%s", json_str(e, "Code", ""));
        errprintf(errp, "%.100s: %.300s", code, json_str(e, "Message", "(no message)"));
    } else {
        errprintf(errp, "HTTP status %d, %s", status,
                  why.text[0] ? why.text : "and nothing that says what was done");
    }
    *error = aws_error_class(code, status);
    cJSON_Delete(*document);
    *document = NULL;
    return NULL;
}

const char *aws_next(const cJSON *answer)
{
    return json_str(answer, "nextToken", "");
}

// ---- instances

static const struct {
    const char *name;
    enum provider_state state;
} states[] = {
    {"pending", PROVIDER_PENDING},        {"running", PROVIDER_RUNNING},
    {"shutting-down", PROVIDER_STOPPING}, {"terminated", PROVIDER_TERMINATED},
    {"stopping", PROVIDER_STOPPING},      {"stopped", PROVIDER_STOPPING},
};

static void copy(char *out, size_t size, const cJSON *o, const char *key)
{
    snprintf(out, size, "%s", json_str(o, key, ""));
}

static int64_t time_of(const char *text)
{
    struct tm tm = {0};
    // 2026-11-25T10:00:00.000Z, or without the fraction
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    return end && (*end == '.' || *end == 'Z') ? (int64_t)timegm(&tm) : 0;
}

// "User initiated (2026-11-25 10:00:00 GMT)": the only place where EC2 says when it ended.
static int64_t ended_at(const char *reason)
{
    const char *p = strchr(reason, '(');
    struct tm tm = {0};

    return p && strptime(p + 1, "%Y-%m-%d %H:%M:%S GMT", &tm) ? (int64_t)timegm(&tm) : 0;
}

static void read_tags(const cJSON *tags, struct provider_instance *i)
{
    const cJSON *t;

    cJSON_ArrayForEach(t, tags)
    {
        if (strcmp(json_str(t, "key", ""), "burst-instance") == 0)
            copy(i->tag_instance, sizeof(i->tag_instance), t, "value");
        else if (strcmp(json_str(t, "key", ""), "burst-cluster") == 0)
            copy(i->tag_cluster, sizeof(i->tag_cluster), t, "value");
    }
}

static void read_instance(const cJSON *o, const char *region, struct provider_instance *i)
{
    const cJSON *state = cJSON_GetObjectItemCaseSensitive(o, "instanceState");
    const cJSON *reason = cJSON_GetObjectItemCaseSensitive(o, "stateReason");
    const char *name = json_str(state, "name", ""), *why = json_str(reason, "code", "");
    const char *public = json_str(o, "ipAddress", "");

    memset(i, 0, sizeof(*i));
    copy(i->id, sizeof(i->id), o, "instanceId");
    copy(i->instance_type, sizeof(i->instance_type), o, "instanceType");
    copy(i->token, sizeof(i->token), o, "clientToken");
    copy(i->zone, sizeof(i->zone), cJSON_GetObjectItemCaseSensitive(o, "placement"),
         "availabilityZone");
    snprintf(i->region, sizeof(i->region), "%s", region);
    snprintf(i->address, sizeof(i->address), "%s",
             *public ? public : json_str(o, "privateIpAddress", ""));
    i->state = PROVIDER_PENDING;
    for (size_t k = 0; k < sizeof(states) / sizeof(states[0]); k++)
        if (strcmp(states[k].name, name) == 0)
            i->state = states[k].state;
    i->spot = strcmp(json_str(o, "instanceLifecycle", ""), "spot") == 0;
    i->price = MONEY_UNKNOWN;
    i->launched_at = time_of(json_str(o, "launchTime", ""));
    if (i->state == PROVIDER_TERMINATED)
        i->ended_at = ended_at(json_str(o, "reason", ""));
    i->preempted = strcmp(why, "Server.SpotInstanceTermination") == 0 ||
                   strcmp(why, "Server.SpotInstanceShutdown") == 0;
    read_tags(cJSON_GetObjectItemCaseSensitive(o, "tagSet"), i);
}

static size_t read_set(const cJSON *set, const char *region, struct provider_instance **out,
                       size_t n)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, set)
    {
        *out = xrealloc(*out, (n + 1) * sizeof(**out));
        read_instance(o, region, &(*out)[n++]);
    }
    return n;
}

size_t aws_instances(const cJSON *answer, const char *region, struct provider_instance **out)
{
    const cJSON *r, *reservations = cJSON_GetObjectItemCaseSensitive(answer, "reservationSet");
    size_t n = 0;

    *out = NULL;
    cJSON_ArrayForEach(r, reservations) n =
        read_set(cJSON_GetObjectItemCaseSensitive(r, "instancesSet"), region, out, n);
    return read_set(cJSON_GetObjectItemCaseSensitive(answer, "instancesSet"), region, out, n);
}
