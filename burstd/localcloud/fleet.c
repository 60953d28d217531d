// SPDX-License-Identifier: GPL-3.0-or-later
#include "localcloud/fleet_inside.h"

struct purge {
    char *dir;
    int killed;
};

int fleet_fail(struct fleet_error *err, int status, const char *code, const char *fmt, ...)
{
    va_list ap;

    err->status = status;
    err->code = code;
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof(err->message), fmt, ap);
    va_end(ap);
    return -1;
}

int fleet_invalid(struct fleet_error *err, const char *text)
{
    return fleet_fail(err, 400, "InvalidParameter", "%s", text);
}

int64_t fleet_now_ms(struct fleet *f)
{
    return f->ops->now_ms(f->ctx);
}

int64_t fleet_now_s(struct fleet *f)
{
    return fleet_now_ms(f) / 1000;
}

bool fleet_lives(const struct instance *i)
{
    return i->state != INSTANCE_TERMINATED;
}

bool fleet_of_cloud(const struct instance *i, const struct cloud *c)
{
    return !c || strcmp(i->cloud, c->conf->name) == 0;
}

void fleet_save(struct fleet *f, const struct instance *i)
{
    burst_error_t err;

    if (instance_save(i, f->dir, &err) < 0)
        log_error("%s: its state is not on disk: %s", i->id, err.text);
}

void fleet_append(struct fleet *f, struct instance *i)
{
    if (f->n == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 32;
        f->list = xrealloc(f->list, f->cap * sizeof(struct instance *));
    }
    f->list[f->n++] = i;
}

void fleet_forget(struct fleet *f, struct instance *i)
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
    fleet_append(f, i);
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
            fleet_forget(f, i);
            continue;
        }
        k++;
        if (!fleet_lives(i))
            continue;
        if (!f->ops->attach(f->ctx, i)) {
            fleet_ended(f, i);
        } else if (i->state == INSTANCE_STOPPING) {
            fleet_stop(f, i, i->reason ? i->reason : "user");
        } else if (i->state == INSTANCE_PENDING) {
            i->state = INSTANCE_RUNNING;
            fleet_save(f, i);
        }
    }
}

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
    return fleet_lives(i) || fleet_now_s(f) - i->ended_at < FLEET_LISTED_S;
}

struct instance *fleet_find(struct fleet *f, const struct cloud *c, const char *id)
{
    for (size_t k = 0; k < f->n; k++)
        if (strcmp(f->list[k]->id, id) == 0 && fleet_of_cloud(f->list[k], c))
            return listed(f, f->list[k]) ? f->list[k] : NULL;
    return NULL;
}

struct instance *fleet_next(struct fleet *f, const struct cloud *c, size_t *i, bool ended_too)
{
    while (*i < f->n) {
        struct instance *x = f->list[(*i)++];
        if (fleet_of_cloud(x, c) && (ended_too || listed(f, x)))
            return x;
    }
    return NULL;
}

size_t fleet_alive(struct fleet *f)
{
    size_t n = 0;

    for (size_t k = 0; k < f->n; k++)
        n += fleet_lives(f->list[k]);
    return n;
}

static int purge_one(const char *path, void *arg, burst_error_t *errp)
{
    struct purge *p = arg;
    struct instance *i = instance_load(path, errp);

    if (!i)
        return -1;
    int n = i->state == INSTANCE_TERMINATED ? 0 : machine_purge(i, errp);
    if (n > 0)
        p->killed += n;
    if (n >= 0 && fleet_lives(i)) {
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
