// SPDX-License-Identifier: GPL-3.0-or-later
// Launches: all checks first, then all instances or none (fleet.h).
#include "localcloud/fleet_inside.h"

static bool good_tags(const cJSON *tags)
{
    if (!tags)
        return true;
    if (!cJSON_IsObject(tags) || cJSON_GetArraySize(tags) > MAX_TAGS)
        return false;
    for (const cJSON *t = tags->child; t; t = t->next)
        if (!cJSON_IsString(t) || strlen(t->string) > MAX_TAG_LENGTH ||
            strlen(t->valuestring) > MAX_TAG_LENGTH)
            return false;
    return true;
}

// One line "TYPE BASE64 [COMMENT]": it goes into root's authorized_keys, where options in front of
// the type or a second line would mean something.
static bool good_key(const char *key)
{
    static const char *const types[] = {"ssh-ed25519 ", "ssh-rsa ", "ecdsa-sha2-nistp256 ",
                                        "ecdsa-sha2-nistp384 ", "ecdsa-sha2-nistp521 "};

    if (strlen(key) > MAX_KEY_LENGTH)
        return false;
    for (const char *p = key; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            return false;
    for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
        if (strncmp(key, types[k], strlen(types[k])) == 0)
            return true;
    return false;
}

static bool good_token(const char *token)
{
    size_t len = strlen(token);

    return len >= 1 && len <= 64 &&
           strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") ==
               len;
}

static int check_launch(const struct fleet_launch *r, struct fleet_error *err)
{
    if (!good_token(r->token))
        return fleet_invalid(err, "token: 1 to 64 of letters, digits, - _ .");
    if (r->count < 1 || r->count > FLEET_COUNT_MAX)
        return fleet_fail(err, 400, "InvalidParameter", "count: 1 to %d", FLEET_COUNT_MAX);
    if (!*r->instance_type || !*r->region || strlen(r->instance_type) > MAX_NAME_LENGTH ||
        strlen(r->region) > 63 || strlen(r->zone) > 63)
        return fleet_invalid(err, "instance_type and region must be named");
    if (!good_key(r->ssh_public_key))
        return fleet_invalid(err,
                             "ssh_public_key: one line such as \"ssh-ed25519 AAAA... comment\"");
    if (!good_tags(r->tags))
        return fleet_invalid(err, "tags: an object of at most 32 short texts");
    if (!r->instance_tags)
        return 0;
    if (!cJSON_IsArray(r->instance_tags) || cJSON_GetArraySize(r->instance_tags) != r->count)
        return fleet_invalid(err, "instance_tags: a list with one object for each instance");
    const cJSON *t;
    cJSON_ArrayForEach(t, r->instance_tags)
    {
        if (!cJSON_IsObject(t) || !good_tags(t))
            return fleet_invalid(err, "instance_tags: objects of at most 32 short texts");
    }
    return 0;
}

// What the launch asks for, in one form, to recognise another request under the same token.
static char *canonical(const struct fleet_launch *r)
{
    cJSON *o = cJSON_CreateObject();

    json_add_i64(o, "count", r->count);
    json_add_str(o, "instance_type", r->instance_type);
    json_add_str(o, "region", r->region);
    json_add_str(o, "zone", r->zone);
    json_add_str(o, "market", r->spot ? "spot" : "on-demand");
    json_add_str(o, "ssh_public_key", r->ssh_public_key);
    if (r->tags)
        cJSON_AddItemToObject(o, "tags", cJSON_Duplicate(r->tags, true));
    if (r->instance_tags)
        cJSON_AddItemToObject(o, "instance_tags", cJSON_Duplicate(r->instance_tags, true));
    char *line = json_line(o);
    cJSON_Delete(o);
    return line;
}

// 1 = the token is known and *out is its answer, 0 = it is new, -1 = it was used otherwise.
static int known_token(struct fleet *f, const struct cloud *c, const struct fleet_launch *r,
                       const char *params, struct instance *out[], size_t *n,
                       struct fleet_error *err)
{
    *n = 0;
    for (size_t k = 0; k < f->n; k++) {
        struct instance *i = f->list[k];
        if (!fleet_of_cloud(i, c) || strcmp(i->token, r->token) != 0 || *n == FLEET_COUNT_MAX)
            continue;
        if (strcmp(i->params, params) != 0)
            return fleet_fail(err, 409, "IdempotentParameterMismatch",
                              "token %s was used for a launch with other parameters", r->token);
        out[(*n)++] = i;
    }
    return *n > 0;
}

// The place for the launch: the first row that fits and that no fault closes.
static const struct offer *find_place(struct fleet *f, struct cloud *c,
                                      const struct fleet_launch *r, const char **zone,
                                      struct fleet_error *err)
{
    int64_t now = fleet_now_ms(f);
    const struct offer *offer;
    const char *last_zone = NULL;
    size_t row = 0;

    while ((offer = offers_next(c->offers, &row, r->instance_type, r->region, r->zone, r->spot))) {
        *zone = *r->zone ? r->zone : offer->zone;
        if (last_zone && strcmp(*zone, last_zone) == 0)
            continue; // a second row for the same place
        last_zone = *zone;
        if (!faults_hit(c->faults, FAULT_NO_CAPACITY, FAULT_CALL_LAUNCH, *zone, r->instance_type,
                        r->spot, now, NULL))
            return offer;
    }
    if (last_zone)
        fleet_fail(err, 503, "InsufficientCapacity", "there is no %s %s capacity in %s%s%s now",
                   r->spot ? "spot" : "on-demand", r->instance_type, r->region, *r->zone ? " " : "",
                   r->zone);
    else
        fleet_fail(err, 400, "InvalidParameter", "%s is not offered in %s%s%s on the %s market",
                   r->instance_type, r->region, *r->zone ? " " : "", r->zone,
                   r->spot ? "spot" : "on-demand");
    return NULL;
}

static int check_quota(struct fleet *f, struct cloud *c, const struct fleet_launch *r,
                       const char *zone, struct fleet_error *err)
{
    int64_t used = 0, quota = c->conf->quota_nodes;

    if (faults_hit(c->faults, FAULT_QUOTA, FAULT_CALL_LAUNCH, zone, r->instance_type, r->spot,
                   fleet_now_ms(f), NULL))
        return fleet_fail(err, 403, "QuotaExceeded", "your quota of %s instances is used up",
                          r->instance_type);
    for (size_t k = 0; k < f->n; k++)
        used += fleet_lives(f->list[k]) && fleet_of_cloud(f->list[k], c);
    if (quota >= 0 && used + r->count > quota)
        return fleet_fail(err, 403, "QuotaExceeded",
                          "your quota is %" PRId64 " instances: %" PRId64 " run, %" PRId64
                          " more were asked for",
                          quota, used, r->count);
    return 0;
}

static bool address_used(const struct fleet *f, uint32_t address)
{
    for (size_t k = 0; k < f->n; k++)
        if (fleet_lives(f->list[k]) && f->list[k]->address == address)
            return true;
    return false;
}

// 0 = none is free.
static uint32_t free_address(struct fleet *f)
{
    uint32_t first = f->conf->range_first, size = f->conf->range_last - first + 1;
    uint32_t from = f->last_address - first + 1;

    for (uint32_t k = 0; k < size; k++) {
        uint32_t a = first + (from + k) % size;
        if (!address_used(f, a)) {
            f->last_address = a;
            return a;
        }
    }
    return 0;
}

static int make_id(struct fleet *f, char id[INSTANCE_ID_MAX + 1])
{
    uint64_t r;
    bool taken = true;

    while (taken) {
        if (getrandom(&r, sizeof(r), 0) != sizeof(r))
            return -1;
        snprintf(id, INSTANCE_ID_MAX + 1, "i-%010" PRIx64, r & UINT64_C(0xffffffffff));
        taken = false;
        for (size_t k = 0; k < f->n; k++)
            taken = taken || strcmp(f->list[k]->id, id) == 0;
    }
    return 0;
}

static cJSON *merged_tags(const struct fleet_launch *r, int index)
{
    cJSON *tags = r->tags ? cJSON_Duplicate(r->tags, true) : cJSON_CreateObject();
    const cJSON *own = r->instance_tags ? cJSON_GetArrayItem(r->instance_tags, index) : NULL;

    for (const cJSON *t = own ? own->child : NULL; t; t = t->next) {
        cJSON_DeleteItemFromObjectCaseSensitive(tags, t->string);
        cJSON_AddStringToObject(tags, t->string, t->valuestring);
    }
    return tags;
}

// What the faults have in store for this instance.
static void foretell(struct fleet *f, struct cloud *c, struct instance *i)
{
    int64_t now = fleet_now_ms(f), delay = 0;

    if (faults_hit(c->faults, FAULT_NEVER_BOOT, FAULT_CALL_LAUNCH, i->zone, i->instance_type,
                   i->spot, now, NULL))
        i->boot_delay = -1;
    else if (faults_hit(c->faults, FAULT_SLOW_BOOT, FAULT_CALL_LAUNCH, i->zone, i->instance_type,
                        i->spot, now, &delay))
        i->boot_delay = delay;
    if (faults_hit(c->faults, FAULT_DIE, FAULT_CALL_LAUNCH, i->zone, i->instance_type, i->spot, now,
                   &delay))
        i->die_at_ms = now + delay;
}

static int add_record(struct fleet *f, struct cloud *c, const struct fleet_launch *r,
                      const struct offer *offer, const char *zone, const char *params, int index,
                      struct instance **out, struct fleet_error *err)
{
    struct instance *i = instance_create();
    uint32_t address = free_address(f);
    burst_error_t why;

    if (!address || make_id(f, i->id) < 0) {
        instance_destroy(i);
        return fleet_fail(err, 503, "InsufficientCapacity", "no address is free");
    }
    i->cloud = xstrdup(c->conf->name);
    instance_set_address(i, address);
    i->instance_type = xstrdup(r->instance_type);
    i->region = xstrdup(r->region);
    i->zone = xstrdup(zone);
    i->spot = r->spot;
    i->price = offer_price(offer, r->spot);
    i->accelerators = offer->accelerators;
    i->launched_at = fleet_now_s(f);
    i->tags = merged_tags(r, index);
    i->token = xstrdup(r->token);
    i->params = xstrdup(params);
    i->count = (unsigned)r->count;
    i->ssh_key = xstrdup(r->ssh_public_key);
    foretell(f, c, i);
    fleet_append(f, i);
    *out = i;
    if (instance_save(i, f->dir, &why) < 0)
        return fleet_fail(err, 500, "Internal", "%s", why.text);
    return 0;
}

static int make_machine(struct fleet *f, struct instance *i, char **key, struct fleet_error *err)
{
    char public_key[HOSTKEY_PUBLIC_MAX];
    burst_error_t why;

    if (hostkey_make(public_key, key, &why) < 0 || f->ops->create(f->ctx, i, &why) < 0)
        return fleet_fail(err, 500, "Internal", "%s", why.text);
    i->host_key = xstrdup(public_key);
    if (instance_save(i, f->dir, &why) < 0)
        return fleet_fail(err, 500, "Internal", "%s", why.text);
    return 0;
}

static int make_all(struct fleet *f, struct cloud *c, const struct fleet_launch *r,
                    const struct offer *offer, const char *zone, const char *params,
                    struct instance *out[], size_t *n, struct fleet_error *err)
{
    char *keys[FLEET_COUNT_MAX] = {NULL};
    burst_error_t why;
    int rc = 0;

    *n = 0;
    for (int k = 0; rc == 0 && k < (int)r->count; k++) {
        struct instance *i = NULL;
        rc = add_record(f, c, r, offer, zone, params, k, &i, err);
        if (i)
            out[(*n)++] = i;
    }
    for (size_t k = 0; rc == 0 && k < *n; k++)
        rc = make_machine(f, out[k], &keys[k], err);
    for (size_t k = 0; rc == 0 && k < *n; k++)
        if (f->ops->boot(f->ctx, out[k], keys[k], &why) < 0)
            rc = fleet_fail(err, 500, "Internal", "%s", why.text);
    if (rc == 0) {
        out[0]->committed = true;
        if (instance_save(out[0], f->dir, &why) < 0)
            rc = fleet_fail(err, 500, "Internal", "%s", why.text);
    }
    for (size_t k = 0; k < *n; k++) {
        fs_wipe(keys[k], keys[k] ? strlen(keys[k]) : 0);
        xstrset(&out[k]->ssh_key, NULL);
    }
    if (rc == 0)
        return 0;
    while (*n > 0) // all or nothing
        fleet_forget(f, out[--*n]);
    if (strcmp(err->code, "Internal") == 0)
        log_error("cloud %s: launch failed: %s", c->conf->name, err->message);
    return -1;
}

int fleet_launch(struct fleet *f, struct cloud *c, const struct fleet_launch *r,
                 struct instance *out[FLEET_COUNT_MAX], size_t *n, struct fleet_error *err)
{
    const struct offer *offer = NULL;
    const char *zone = "";

    *n = 0;
    if (check_launch(r, err) < 0)
        return -1;
    char *params = canonical(r);
    int rc = known_token(f, c, r, params, out, n, err);
    if (rc == 0) {
        offer = find_place(f, c, r, &zone, err);
        rc = !offer || check_quota(f, c, r, zone, err) < 0
                 ? -1
                 : make_all(f, c, r, offer, zone, params, out, n, err);
        for (size_t k = 0; rc == 0 && k < *n; k++)
            log_info("%s %s: launched, %s %s %s %s at %s", out[k]->cloud, out[k]->id,
                     out[k]->instance_type, out[k]->region, out[k]->zone,
                     out[k]->spot ? "spot" : "on-demand", out[k]->address_text);
    }
    free(params);
    return rc < 0 ? -1 : 0;
}
