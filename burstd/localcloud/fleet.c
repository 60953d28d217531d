// SPDX-License-Identifier: GPL-3.0-or-later
#include "localcloud/fleet.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "localcloud/hostkey.h"
#include "localcloud/offers.h"

#define MAX_TAGS 32
#define MAX_TAG_LENGTH 256
#define MAX_NAME_LENGTH 127
#define MAX_KEY_LENGTH 4096
#define MAX_NOTICE_S 86400
#define FAULTS_FILE_MAX (256u << 10)

struct cloud {
    const struct conf_cloud *conf;
    struct offers *offers;
    struct faults *faults;
};

struct fleet {
    const struct conf *conf;
    const struct machine_ops *ops;
    void *ctx;
    char *dir; // of the instances' state files
    struct cloud *clouds;
    struct instance **list;
    size_t n, cap;
    uint32_t last_address; // given last; the search for a free one starts behind it
};

// ---- small things -----------------------------------------------------------------------------

static int fail(struct fleet_error *err, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static int fail(struct fleet_error *err, int status, const char *code, const char *fmt, ...)
{
    va_list ap;

    err->status = status;
    err->code = code;
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof(err->message), fmt, ap);
    va_end(ap);
    return -1;
}

static int invalid(struct fleet_error *err, const char *text)
{
    return fail(err, 400, "InvalidParameter", "%s", text);
}

int64_t fleet_now_ms(struct fleet *f)
{
    return f->ops->now_ms(f->ctx);
}

static int64_t now_s(struct fleet *f)
{
    return fleet_now_ms(f) / 1000;
}

static bool lives(const struct instance *i)
{
    return i->state != INSTANCE_TERMINATED;
}

static bool of_cloud(const struct instance *i, const struct cloud *c)
{
    return !c || strcmp(i->cloud, c->conf->name) == 0;
}

// A state that cannot be written must not stop the cloud: what runs is more than what is written.
static void save(struct fleet *f, const struct instance *i)
{
    burst_error_t err;

    if (instance_save(i, f->dir, &err) < 0)
        log_error("%s: its state is not on disk: %s", i->id, err.text);
}

static void append(struct fleet *f, struct instance *i)
{
    if (f->n == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 32;
        f->list = xrealloc(f->list, f->cap * sizeof(struct instance *));
    }
    f->list[f->n++] = i;
}

// Takes an instance out of the books as if it had never been.
static void forget(struct fleet *f, struct instance *i)
{
    f->ops->discard(f->ctx, i);
    instance_unlink(i, f->dir);
    for (size_t k = 0; k < f->n; k++) {
        if (f->list[k] == i) {
            memmove(&f->list[k], &f->list[k + 1], (f->n - k - 1) * sizeof(struct instance *));
            f->n--;
            break;
        }
    }
    instance_destroy(i);
}

// ---- start ------------------------------------------------------------------------------------

static void complain(void *arg, unsigned line, const char *text)
{
    log_warn("%s: line %u is left out: %s", (const char *)arg, line, text);
}

static char *faults_path(struct fleet *f, const struct cloud *c)
{
    return xasprintf("%s/faults-%s.json", f->conf->state_dir, c->conf->name);
}

static int load_faults(struct fleet *f, struct cloud *c, burst_error_t *errp)
{
    char *path = faults_path(f, c), *text = NULL;
    size_t len;
    cJSON *list = NULL;
    int rc = 0;

    if (access(path, F_OK) == 0) {
        rc = fs_read(path, FAULTS_FILE_MAX, &text, &len, errp);
        if (rc == 0 && !(list = json_parse(text, len, errp)))
            rc = errprefix(errp, "%s", path);
        if (rc == 0 && faults_set(c->faults, list, 0, errp) < 0)
            rc = errprefix(errp, "%s", path);
        faults_dirty(c->faults);
    }
    cJSON_Delete(list);
    free(text);
    free(path);
    return rc;
}

static int load_clouds(struct fleet *f, burst_error_t *errp)
{
    f->clouds = xcalloc(f->conf->n_clouds, sizeof(*f->clouds));
    for (size_t k = 0; k < f->conf->n_clouds; k++) {
        struct cloud *c = &f->clouds[k];
        c->conf = &f->conf->clouds[k];
        c->faults = faults_create();
        c->offers = offers_load(c->conf->catalog, complain, c->conf->catalog, errp);
        if (!c->offers || load_faults(f, c, errp) < 0)
            return errprefix(errp, "cloud %s", c->conf->name);
        if (offers_count(c->offers) == 0)
            log_warn("cloud %s: %s holds no offer: nothing can be launched", c->conf->name,
                     c->conf->catalog);
    }
    return 0;
}

// Calls step for each state file of a directory.
static int for_state_files(const char *dir, int (*step)(const char *path, void *, burst_error_t *),
                           void *arg, burst_error_t *errp)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int rc = 0;

    if (!d)
        return errno == ENOENT ? 0 : errprintf(errp, "%s: %s", dir, strerror(errno));
    while (rc == 0 && (e = readdir(d))) {
        char *path = xasprintf("%s/%s", dir, e->d_name);
        if (fnmatch("i-*.json", e->d_name, 0) == 0)
            rc = step(path, arg, errp);
        else if (fnmatch("i-*.json.??????", e->d_name, 0) == 0)
            unlink(path); // a write that was interrupted
        free(path);
    }
    closedir(d);
    return rc;
}

static int load_one(const char *path, void *arg, burst_error_t *errp)
{
    struct fleet *f = arg;
    struct instance *i = instance_load(path, errp);

    if (!i)
        return errprefix(errp, "a state file that cannot be read may stand for a running instance; "
                               "mend it, or remove it when no such process runs");
    append(f, i);
    return 0;
}

static int by_launch(const void *a, const void *b)
{
    const struct instance *x = *(struct instance *const *)a, *y = *(struct instance *const *)b;

    if (x->launched_at != y->launched_at)
        return x->launched_at < y->launched_at ? -1 : 1;
    return strcmp(x->id, y->id);
}

struct fleet *fleet_create(const struct conf *conf, const struct machine_ops *ops, void *ctx,
                           burst_error_t *errp)
{
    struct fleet *f = xmalloc(sizeof(*f));

    f->conf = conf;
    f->ops = ops;
    f->ctx = ctx;
    f->dir = xasprintf("%s/instances", conf->state_dir);
    f->last_address = conf->range_last;
    if (fs_mkdirs(f->dir, 0700, errp) < 0 || load_clouds(f, errp) < 0 ||
        for_state_files(f->dir, load_one, f, errp) < 0) {
        fleet_destroy(f);
        return NULL;
    }
    if (f->n) {
        qsort(f->list, f->n, sizeof(struct instance *), by_launch);
        f->last_address = f->list[f->n - 1]->address;
    }
    return f;
}

void fleet_destroy(struct fleet *f)
{
    if (!f)
        return;
    for (size_t k = 0; f->clouds && k < f->conf->n_clouds; k++) {
        offers_free(f->clouds[k].offers);
        faults_free(f->clouds[k].faults);
    }
    free(f->clouds);
    for (size_t k = 0; k < f->n; k++)
        instance_destroy(f->list[k]);
    free(f->list);
    free(f->dir);
    free(f);
}

// Was the launch of this instance carried through? Its answer was sent only after that.
static bool launch_complete(const struct fleet *f, const struct instance *i)
{
    for (size_t k = 0; k < f->n; k++)
        if (f->list[k]->committed && strcmp(f->list[k]->token, i->token) == 0 &&
            strcmp(f->list[k]->cloud, i->cloud) == 0)
            return true;
    return false;
}

static void ended(struct fleet *f, struct instance *i)
{
    if (!i->reason)
        i->reason = xstrdup("died");
    i->state = INSTANCE_TERMINATED;
    i->ended_at = now_s(f);
    i->cut = false;
    f->ops->discard(f->ctx, i);
    save(f, i);
    log_info("%s %s: ended (%s) after %" PRId64 " s", i->cloud, i->id, i->reason,
             instance_seconds(i, i->ended_at));
}

static void stop(struct fleet *f, struct instance *i, const char *reason)
{
    i->state = INSTANCE_STOPPING;
    xstrset(&i->reason, reason);
    i->kill_at_ms = fleet_now_ms(f) + FLEET_STOP_GRACE_MS;
    save(f, i);
    f->ops->signal(f->ctx, i, SIGTERM);
}

void fleet_attach(struct fleet *f, void *ctx)
{
    f->ctx = ctx;
    for (size_t k = 0; k < f->n; k++) // what was not carried through: marked first ...
        if (!launch_complete(f, f->list[k]))
            f->list[k]->count = 0;
    for (size_t k = 0; k < f->n;) { // ... then forgotten, for that changes the others' sums
        struct instance *i = f->list[k];
        if (i->count == 0) {
            log_warn("%s %s: its launch was interrupted; it is forgotten", i->cloud, i->id);
            f->ops->attach(f->ctx, i);
            forget(f, i);
            continue;
        }
        k++;
        if (!lives(i))
            continue;
        if (!f->ops->attach(f->ctx, i)) {
            ended(f, i);
        } else if (i->state == INSTANCE_STOPPING) {
            stop(f, i, i->reason ? i->reason : "user");
        } else if (i->state == INSTANCE_PENDING) {
            i->state = INSTANCE_RUNNING;
            save(f, i);
        }
    }
}

// ---- access -----------------------------------------------------------------------------------

struct cloud *fleet_cloud(struct fleet *f, const char *name)
{
    for (size_t k = 0; k < f->conf->n_clouds; k++)
        if (strcmp(f->clouds[k].conf->name, name) == 0)
            return &f->clouds[k];
    return NULL;
}

const struct conf_cloud *cloud_conf(const struct cloud *c)
{
    return c->conf;
}

struct faults *cloud_faults(struct cloud *c)
{
    return c->faults;
}

void fleet_save_faults(struct fleet *f)
{
    for (size_t k = 0; k < f->conf->n_clouds; k++) {
        struct cloud *c = &f->clouds[k];
        burst_error_t err;
        if (!faults_dirty(c->faults))
            continue;
        cJSON *list = faults_save(c->faults);
        char *text = json_line(list), *path = faults_path(f, c);
        if (fs_write_atomic(path, text, strlen(text), 0600, &err) < 0)
            log_error("%s", err.text);
        free(path);
        free(text);
        cJSON_Delete(list);
    }
}

static bool listed(struct fleet *f, const struct instance *i)
{
    return lives(i) || now_s(f) - i->ended_at < FLEET_LISTED_S;
}

struct instance *fleet_find(struct fleet *f, const struct cloud *c, const char *id)
{
    for (size_t k = 0; k < f->n; k++)
        if (strcmp(f->list[k]->id, id) == 0 && of_cloud(f->list[k], c))
            return listed(f, f->list[k]) ? f->list[k] : NULL;
    return NULL;
}

struct instance *fleet_next(struct fleet *f, const struct cloud *c, size_t *i, bool ended_too)
{
    while (*i < f->n) {
        struct instance *x = f->list[(*i)++];
        if (of_cloud(x, c) && (ended_too || listed(f, x)))
            return x;
    }
    return NULL;
}

size_t fleet_alive(struct fleet *f)
{
    size_t n = 0;

    for (size_t k = 0; k < f->n; k++)
        n += lives(f->list[k]);
    return n;
}

// ---- launch: checks ---------------------------------------------------------------------------

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
        return invalid(err, "token: 1 to 64 of letters, digits, - _ .");
    if (r->count < 1 || r->count > FLEET_COUNT_MAX)
        return fail(err, 400, "InvalidParameter", "count: 1 to %d", FLEET_COUNT_MAX);
    if (!*r->instance_type || !*r->region || strlen(r->instance_type) > MAX_NAME_LENGTH ||
        strlen(r->region) > 63 || strlen(r->zone) > 63)
        return invalid(err, "instance_type and region must be named");
    if (!good_key(r->ssh_public_key))
        return invalid(err, "ssh_public_key: one line such as \"ssh-ed25519 AAAA... comment\"");
    if (!good_tags(r->tags))
        return invalid(err, "tags: an object of at most 32 short texts");
    if (!r->instance_tags)
        return 0;
    if (!cJSON_IsArray(r->instance_tags) || cJSON_GetArraySize(r->instance_tags) != r->count)
        return invalid(err, "instance_tags: a list with one object for each instance");
    const cJSON *t;
    cJSON_ArrayForEach(t, r->instance_tags)
    {
        if (!cJSON_IsObject(t) || !good_tags(t))
            return invalid(err, "instance_tags: objects of at most 32 short texts");
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
        if (!of_cloud(i, c) || strcmp(i->token, r->token) != 0 || *n == FLEET_COUNT_MAX)
            continue;
        if (strcmp(i->params, params) != 0)
            return fail(err, 409, "IdempotentParameterMismatch",
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
        fail(err, 503, "InsufficientCapacity", "there is no %s %s capacity in %s%s%s now",
             r->spot ? "spot" : "on-demand", r->instance_type, r->region, *r->zone ? " " : "",
             r->zone);
    else
        fail(err, 400, "InvalidParameter", "%s is not offered in %s%s%s on the %s market",
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
        return fail(err, 403, "QuotaExceeded", "your quota of %s instances is used up",
                    r->instance_type);
    for (size_t k = 0; k < f->n; k++)
        used += lives(f->list[k]) && of_cloud(f->list[k], c);
    if (quota >= 0 && used + r->count > quota)
        return fail(err, 403, "QuotaExceeded",
                    "your quota is %" PRId64 " instances: %" PRId64 " run, %" PRId64
                    " more were asked for",
                    quota, used, r->count);
    return 0;
}

// ---- launch: making it ------------------------------------------------------------------------

static bool address_used(const struct fleet *f, uint32_t address)
{
    for (size_t k = 0; k < f->n; k++)
        if (lives(f->list[k]) && f->list[k]->address == address)
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
        return fail(err, 503, "InsufficientCapacity", "no address is free");
    }
    i->cloud = xstrdup(c->conf->name);
    instance_set_address(i, address);
    i->instance_type = xstrdup(r->instance_type);
    i->region = xstrdup(r->region);
    i->zone = xstrdup(zone);
    i->spot = r->spot;
    i->price = offer_price(offer, r->spot);
    i->accelerators = offer->accelerators;
    i->launched_at = now_s(f);
    i->tags = merged_tags(r, index);
    i->token = xstrdup(r->token);
    i->params = xstrdup(params);
    i->count = (unsigned)r->count;
    i->ssh_key = xstrdup(r->ssh_public_key);
    foretell(f, c, i);
    append(f, i);
    *out = i;
    if (instance_save(i, f->dir, &why) < 0)
        return fail(err, 500, "Internal", "%s", why.text);
    return 0;
}

static int make_machine(struct fleet *f, struct instance *i, char **key, struct fleet_error *err)
{
    char public_key[HOSTKEY_PUBLIC_MAX];
    burst_error_t why;

    if (hostkey_make(public_key, key, &why) < 0 || f->ops->create(f->ctx, i, &why) < 0)
        return fail(err, 500, "Internal", "%s", why.text);
    i->host_key = xstrdup(public_key);
    if (instance_save(i, f->dir, &why) < 0)
        return fail(err, 500, "Internal", "%s", why.text);
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
            rc = fail(err, 500, "Internal", "%s", why.text);
    if (rc == 0) {
        out[0]->committed = true;
        if (instance_save(out[0], f->dir, &why) < 0)
            rc = fail(err, 500, "Internal", "%s", why.text);
    }
    for (size_t k = 0; k < *n; k++) {
        fs_wipe(keys[k], keys[k] ? strlen(keys[k]) : 0);
        xstrset(&out[k]->ssh_key, NULL);
    }
    if (rc == 0)
        return 0;
    while (*n > 0) // all or nothing
        forget(f, out[--*n]);
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

// ---- the end of an instance -------------------------------------------------------------------

void fleet_terminate(struct fleet *f, struct instance *i)
{
    if (i->state == INSTANCE_PENDING || i->state == INSTANCE_RUNNING)
        stop(f, i, "user");
}

void fleet_terminate_all(struct fleet *f)
{
    for (size_t k = 0; k < f->n; k++)
        fleet_terminate(f, f->list[k]);
}

static int need_alive(const struct instance *i, struct fleet_error *err)
{
    if (i->state == INSTANCE_PENDING || i->state == INSTANCE_RUNNING)
        return 0;
    return fail(err, 400, "InvalidParameter", "%s is %s", i->id, instance_state_name(i->state));
}

int fleet_preempt(struct fleet *f, struct instance *i, int64_t notice_s, struct fleet_error *err)
{
    if (need_alive(i, err) < 0)
        return -1;
    if (!i->spot)
        return fail(err, 400, "InvalidParameter", "%s is on-demand: only spot is taken back",
                    i->id);
    if (notice_s < 0 || notice_s > MAX_NOTICE_S)
        return fail(err, 400, "InvalidParameter", "notice_s: 0 to %d", MAX_NOTICE_S);
    i->notice_at = now_s(f) + notice_s;
    if (notice_s == 0)
        stop(f, i, "preempted");
    else
        save(f, i);
    log_info("%s %s: taken back in %" PRId64 " s", i->cloud, i->id, notice_s);
    return 0;
}

int fleet_kill(struct fleet *f, struct instance *i, struct fleet_error *err)
{
    if (need_alive(i, err) < 0)
        return -1;
    f->ops->signal(f->ctx, i, SIGKILL); // its end is seen as that of one that died
    return 0;
}

int fleet_cut(struct fleet *f, struct instance *i, bool cut, struct fleet_error *err)
{
    burst_error_t why;

    if (need_alive(i, err) < 0)
        return -1;
    if (f->ops->cut(f->ctx, i, cut, &why) < 0)
        return fail(err, 500, "Internal", "%s", why.text);
    i->cut = cut;
    save(f, i);
    return 0;
}

void fleet_event(void *arg, struct instance *i, enum machine_event event, const char *text)
{
    struct fleet *f = arg;

    if (event == MACHINE_UP) {
        if (i->state == INSTANCE_PENDING) {
            i->state = INSTANCE_RUNNING;
            save(f, i);
        }
        return;
    }
    if (*text)
        log_error("%s %s: did not come up: %s", i->cloud, i->id, text);
    ended(f, i);
}

// The next moment at which something must happen to an instance, 0 = none. Does it if it is due.
static int64_t run_one(struct fleet *f, struct instance *i, int64_t now)
{
    if (i->state == INSTANCE_STOPPING) {
        if (i->kill_at_ms && now >= i->kill_at_ms) {
            i->kill_at_ms = 0;
            f->ops->signal(f->ctx, i, SIGKILL);
        }
        return i->kill_at_ms;
    }
    if (i->notice_at && now >= i->notice_at * 1000) {
        stop(f, i, "preempted");
        return i->kill_at_ms;
    }
    if (i->die_at_ms && now >= i->die_at_ms) {
        i->die_at_ms = 0;
        f->ops->signal(f->ctx, i, SIGKILL);
    }
    int64_t notice = i->notice_at * 1000;
    return !notice || (i->die_at_ms && i->die_at_ms < notice) ? i->die_at_ms : notice;
}

int64_t fleet_run_due(struct fleet *f)
{
    int64_t now = fleet_now_ms(f), next = 0;

    for (size_t k = 0; k < f->n; k++) {
        int64_t due = lives(f->list[k]) ? run_one(f, f->list[k], now) : 0;
        if (due && (!next || due < next))
            next = due;
    }
    return next ? (next > now ? next - now : 0) : -1;
}

// ---- the bill ---------------------------------------------------------------------------------

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
    int64_t now = now_s(f);
    money_t total = 0;

    for (size_t k = 0; k < f->n; k++) {
        const struct instance *i = f->list[k];
        if (!of_cloud(i, c))
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

// ---- purge ------------------------------------------------------------------------------------

struct purge {
    char *dir;
    int killed;
};

static int purge_one(const char *path, void *arg, burst_error_t *errp)
{
    struct purge *p = arg;
    struct instance *i = instance_load(path, errp);

    if (!i)
        return -1;
    int n = i->state == INSTANCE_TERMINATED ? 0 : machine_purge(i, errp);
    if (n > 0)
        p->killed += n;
    if (n >= 0 && lives(i)) {
        i->state = INSTANCE_TERMINATED;
        i->ended_at = clock_now_s();
        xstrset(&i->reason, "user");
        if (instance_save(i, p->dir, errp) < 0)
            n = -1;
    }
    instance_destroy(i);
    return n < 0 ? -1 : 0;
}

int fleet_purge(const char *state_dir, burst_error_t *errp)
{
    struct purge p = {.dir = xasprintf("%s/instances", state_dir)};
    int rc = for_state_files(p.dir, purge_one, &p, errp);

    free(p.dir);
    return rc < 0 ? -1 : p.killed;
}
