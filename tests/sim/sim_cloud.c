// SPDX-License-Identifier: GPL-3.0-or-later
// Simulated clouds behind provider.h, and the SSH operations on their instances behind ssh_op.h.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/provider/provider.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "ssh/port_wait.h"
#include "ssh/site_ready.h"
#include "ssh/ssh_op.h"
#include "world.h"

#define MAX_INSTANCES 20000

struct vm {
    char cloud[33], token[64], tag[64], itype[64];
    bool spot, preempted;
    money_t price;
    int64_t launched, ended; // epoch seconds
    int64_t up_ms, notice_s, die_ms, cut_ms;
    char node[64];
};

static struct vm vms[MAX_INSTANCES];
static int n_vms;
static unsigned asked, signals;

struct provider {
    char cloud[33];
};

void cloud_reset(void)
{
    n_vms = 0;
    asked = signals = 0;
}

// As the optimizer of this world says it (sim_solver.c).
money_t sim_price(const char *cloud, bool spot);

static bool running(const struct vm *v)
{
    return v->ended == 0;
}

static void end(struct vm *v, int64_t at)
{
    v->ended = at;
    if (v->ended < v->launched)
        v->ended = v->launched;
}

static void take_back(struct vm *v, int64_t at)
{
    vain_hit((int)(v - vms));
    v->notice_s = at;
}

void cloud_step(void)
{
    int64_t now = clock_now_s();

    for (int k = 0; k < n_vms; k++) {
        struct vm *v = &vms[k];
        if (!running(v))
            continue;
        if (v->spot && !v->notice_s && world.preempts && draw(1000000) < world.preempts)
            take_back(v, now + (draw(2) ? 120 : 30));
        if (v->notice_s && now >= v->notice_s) {
            v->preempted = true;
            end(v, v->notice_s);
        } else if (world.dies && draw(1000000) < world.dies) {
            cloud_kill(k);
        } else if (world.cuts && draw(1000000) < world.cuts) {
            cloud_cut(k, draw(600000));
        }
    }
}

unsigned cloud_running(void)
{
    unsigned n = 0;

    for (int k = 0; k < n_vms; k++)
        n += running(&vms[k]);
    return n;
}

int cloud_by_address(const char *address)
{
    int k;

    return sscanf(address, "vm-%d", &k) == 1 && k < n_vms ? k : -1;
}

bool cloud_exists(int k)
{
    return running(&vms[k]);
}

bool cloud_alive(int k)
{
    return k >= 0 && running(&vms[k]) && world.now_ms >= vms[k].up_ms &&
           world.now_ms >= vms[k].cut_ms;
}

void cloud_kill(int k)
{
    vain_hit(k);
    end(&vms[k], clock_now_s());
}

void cloud_notice(int k, int64_t in_s)
{
    take_back(&vms[k], clock_now_s() + in_s);
}

void cloud_cut(int k, int64_t ms)
{
    vain_hit(k);
    vms[k].cut_ms = world.now_ms + ms;
}

money_t cloud_bill(const char *cloud)
{
    money_t sum = 0;

    for (int k = 0; k < n_vms; k++)
        if (strcmp(vms[k].cloud, cloud) == 0)
            sum += money_for_seconds(vms[k].price, (vms[k].ended ? vms[k].ended : clock_now_s()) -
                                                       vms[k].launched);
    return sum;
}

unsigned ssh_signals(void)
{
    return signals;
}

unsigned cloud_launched(void)
{
    return (unsigned)n_vms;
}

unsigned cloud_asked(void)
{
    return asked;
}

double cloud_spot_hours(const char *cloud)
{
    double hours = 0;

    for (int k = 0; k < n_vms; k++)
        if (vms[k].spot && vms[k].ended && strcmp(vms[k].cloud, cloud) == 0)
            hours += (double)(vms[k].ended - vms[k].launched) / 3600;
    return hours;
}

unsigned cloud_taken_back(const char *cloud)
{
    unsigned n = 0;

    for (int k = 0; k < n_vms; k++)
        n += vms[k].notice_s && strcmp(vms[k].cloud, cloud) == 0;
    return n;
}

unsigned cloud_launches_of(const char *token)
{
    unsigned n = 0;

    for (int k = 0; k < n_vms; k++)
        n += strcmp(vms[k].token, token) == 0;
    return n;
}

unsigned cloud_worst_token(void)
{
    unsigned worst = 0;

    for (int k = 0; k < n_vms; k++) {
        unsigned same = 0;
        for (int m = k; m < n_vms; m++)
            same += strcmp(vms[k].tag, vms[m].tag) == 0;
        if (same > worst)
            worst = same;
    }
    return worst;
}

static void describe_vm(const struct vm *v, struct provider_instance *p)
{
    memset(p, 0, sizeof(*p));
    snprintf(p->id, sizeof(p->id), "id-%d", (int)(v - vms));
    p->state = v->ended                  ? PROVIDER_TERMINATED
               : world.now_ms < v->up_ms ? PROVIDER_PENDING
                                         : PROVIDER_RUNNING;
    if (p->state == PROVIDER_RUNNING)
        snprintf(p->address, sizeof(p->address), "vm-%d", (int)(v - vms));
    snprintf(p->instance_type, sizeof(p->instance_type), "%s", v->itype);
    snprintf(p->region, sizeof(p->region), "r1");
    snprintf(p->zone, sizeof(p->zone), "r1-a");
    p->spot = v->spot;
    p->price = v->price;
    p->launched_at = v->launched;
    p->ended_at = v->ended;
    p->notice_at = v->notice_s;
    p->preempted = v->preempted;
    snprintf(p->tag_instance, sizeof(p->tag_instance), "%s", v->tag);
}

// ---- provider.h

struct answer {
    provider_cb cb;
    void *arg;
    void *owned; // what the caller frees when it is called
    enum provider_class error;
    struct provider_instance *rows;
    size_t n;
    bool unheard;
};

static void free_answer(void *arg)
{
    free(((struct answer *)arg)->rows);
    free(arg);
}

static void drop_answer(void *arg)
{
    free(((struct answer *)arg)->owned);
    free_answer(arg);
}

static void deliver(void *arg)
{
    struct answer *a = arg;
    static const char *const regions[] = {"r1"};
    struct provider_result r = {.error = a->error, .instances = a->rows, .n = a->n};

    r.unheard = regions;
    r.n_unheard = a->unheard;

    if (a->error != PROVIDER_OK)
        snprintf(r.message, sizeof(r.message), "simulated %s", provider_class_name(a->error));
    a->cb(a->arg, &r);
    free_answer(a);
}

static struct answer *answer_later(provider_cb cb, void *arg, enum provider_class error, size_t n)
{
    struct answer *a = xmalloc(sizeof(*a));

    a->cb = cb;
    a->arg = arg;
    a->error = error;
    a->n = n;
    a->rows = xcalloc(n, sizeof(*a->rows));
    after(20 + draw(200), deliver, drop_answer, a, true);
    return a;
}

static struct provider *create(uv_loop_t *loop, struct http *http,
                               const struct provider_config *config, burst_error_t *errp)
{
    struct provider *p = xmalloc(sizeof(*p));

    snprintf(p->cloud, sizeof(p->cloud), "%s", config->cloud);
    return p;
}

static void destroy(struct provider *p)
{
    free(p);
}

static void make(struct provider *p, const struct provider_launch *q)
{
    money_t price = sim_price(p->cloud, q->spot);

    if (chance(world.dear))
        price += world.dear_by ? world.dear_by : (money_t)draw(40001) - 20000;
    for (unsigned k = 0; k < q->count; k++) {
        struct vm *v = &vms[n_vms++];
        memset(v, 0, sizeof(*v));
        snprintf(v->cloud, sizeof(v->cloud), "%s", p->cloud);
        snprintf(v->token, sizeof(v->token), "%s", q->token);
        snprintf(v->tag, sizeof(v->tag), "%s", q->tag_instance[k]);
        snprintf(v->itype, sizeof(v->itype), "%s", q->instance_type);
        v->spot = q->spot;
        v->price = price;
        v->launched = clock_now_s();
        v->up_ms = world.now_ms + 1000 + draw(20000);
        vain_launched((int)(v - vms), v->tag);
        if (chance(world.boot_fails)) {
            vain_hit((int)(v - vms));
            v->up_ms = INT64_MAX;
        }
    }
}

static void launch(struct provider *p, const struct provider_launch *q, provider_cb cb, void *arg)
{
    bool known = cloud_launches_of(q->token) > 0;
    enum provider_class error = PROVIDER_OK;

    asked++;
    crash_point();
    if (!known) {
        if (chance(world.throttle))
            error = PROVIDER_THROTTLE;
        else if (chance(world.capacity))
            error = PROVIDER_CAPACITY;
        else
            make(p, q);
    }
    if (error == PROVIDER_OK && chance(world.lost_reply)) {
        error = PROVIDER_TRANSIENT;
        for (int k = 0; k < n_vms; k++)
            if (strcmp(vms[k].token, q->token) == 0)
                vain_hit(k);
    }
    struct answer *a = answer_later(cb, arg, error, error == PROVIDER_OK ? q->count : 0);
    a->owned = arg;
    for (int k = 0; k < n_vms && error == PROVIDER_OK; k++)
        for (unsigned m = 0; m < q->count; m++)
            if (strcmp(vms[k].token, q->token) == 0 && strcmp(vms[k].tag, q->tag_instance[m]) == 0)
                describe_vm(&vms[k], &a->rows[m]);
}

static void list_owned(struct provider *p, provider_cb cb, void *arg)
{
    size_t n = 0;
    int64_t old = clock_now_s() - 3600;

    if (chance(world.lost_reply)) {
        answer_later(cb, arg, PROVIDER_TRANSIENT, 0);
        return;
    }
    if (world.now_ms < world.unheard_ms) {
        answer_later(cb, arg, PROVIDER_OK, 0)->unheard = true;
        return;
    }
    if (world.now_ms < world.empty_ms) { // and no error
        answer_later(cb, arg, PROVIDER_OK, 0);
        return;
    }
    for (int k = 0; k < n_vms; k++)
        n += strcmp(vms[k].cloud, p->cloud) == 0 && (!vms[k].ended || vms[k].ended > old);
    struct answer *a = answer_later(cb, arg, PROVIDER_OK, n);
    n = 0;
    for (int k = 0; k < n_vms; k++)
        if (strcmp(vms[k].cloud, p->cloud) == 0 && (!vms[k].ended || vms[k].ended > old))
            describe_vm(&vms[k], &a->rows[n++]);
}

static void describe(struct provider *p, const char *id, const char *region, provider_cb cb,
                     void *arg)
{
    int k = atoi(id + 3);

    if (world.now_ms < world.unheard_ms) {
        answer_later(cb, arg, PROVIDER_NOT_FOUND, 0)->owned = arg;
        return;
    }
    if (chance(world.lost_reply)) {
        answer_later(cb, arg, PROVIDER_TRANSIENT, 0)->owned = arg;
        return;
    }
    bool known = k >= 0 && k < n_vms && (!vms[k].ended || vms[k].ended > clock_now_s() - 3600);
    struct answer *a = answer_later(cb, arg, known ? PROVIDER_OK : PROVIDER_NOT_FOUND, known);
    a->owned = arg;
    if (known)
        describe_vm(&vms[k], &a->rows[0]);
}

static void terminate(struct provider *p, const char *id, const char *region, provider_cb cb,
                      void *arg)
{
    crash_point();
    int k = atoi(id + 3);
    bool lost = chance(world.lost_reply);

    if (running(&vms[k]) && (!lost || draw(2)))
        end(&vms[k], clock_now_s());
    answer_later(cb, arg, lost ? PROVIDER_TRANSIENT : PROVIDER_OK, 0)->owned = arg;
}

static const struct provider_ops sim_ops = {
    .name = "local",
    .create = create,
    .destroy = destroy,
    .launch = launch,
    .list_owned = list_owned,
    .describe = describe,
    .terminate = terminate,
};

const struct provider_ops *provider_find(const char *name, burst_error_t *errp)
{
    return &sim_ops;
}

const char *provider_class_name(enum provider_class c)
{
    static const char *const names[] = {"ok",   "capacity", "quota",     "throttle",
                                        "auth", "invalid",  "transient", "not_found"};
    return names[c];
}

// ---- ssh_op.h

struct ssh_op {
    cJSON *request;
    const struct ssh_op_callbacks *cb;
    void *arg;
    bool cancelled;
    unsigned generation;
};

static void free_op(void *arg)
{
    cJSON_Delete(((struct ssh_op *)arg)->request);
    free(arg);
}

static void op_done(void *arg)
{
    struct ssh_op *op = arg;
    int vm = cloud_by_address(json_str(op->request, "address", ""));
    const char *kind = json_str(op->request, "op", "");
    // What has begun on a node goes on there when burstd dies.
    bool works = cloud_alive(vm);
    if (works && chance(world.ssh_fails)) {
        works = false;
        vain_hit(vm);
    }

    if (works && strcmp(kind, "join") == 0 && world.registrations_lost)
        world.registrations_lost--;
    else if (works && strcmp(kind, "join") == 0 && !world.no_join)
        slurm_node_joined(json_str(op->request, "node_name", ""), vm);
    char job[40];
    snprintf(job, sizeof(job), "%d", (int)json_i64(op->request, "job_id", 0));
    signals += works && !op->cancelled && strcmp(kind, "signal_job") == 0;
    if (works && strcmp(kind, "stage_in") == 0)
        slurm_staged_in(job, vm);
    bool out = strcmp(kind, "stage_out") == 0;
    bool keep = out && cJSON_HasObjectItem(op->request, "keep");
    bool refused = out && (keep ? world.keeps_full : world.home_full);
    if (works && out && !refused)
        slurm_staged_out(job, vm);
    world.kept += works && keep && !refused;
    if (!op->cancelled && world.b && op->generation == world.generation) {
        cJSON *last = cJSON_CreateObject();
        if (works && world.helper_dies) {
            world.helper_dies--;
            op->cb->done(op->arg, false, SSH_OP_HELPER_DIED, "simulated death of burst-ssh", NULL);
        } else if (works && strcmp(kind, "prepare") == 0 && world.boot_error) {
            op->cb->done(op->arg, false, world.boot_error, "simulated trouble with its boot", last);
        } else if (works && strcmp(kind, "stage_in") == 0 && world.unreadable) {
            world.unreadable--;
            op->cb->done(op->arg, false, "io", "simulated trouble of a file server", last);
        } else if (works && strcmp(kind, "stage_in") == 0 && world.stage_error) {
            op->cb->done(op->arg, false, world.stage_error, "simulated trouble with its data",
                         last);
        } else if (works && refused) {
            op->cb->done(op->arg, false, "space", "simulated quota", last);
        } else if (works)
            op->cb->done(op->arg, true, NULL, NULL, last);
        else
            op->cb->done(op->arg, false, "refused", "simulated trouble", last);
        cJSON_Delete(last);
    }
    free_op(op);
}

int site_ready(const struct site_needs *needs, burst_error_t *errp)
{
    return world.not_ready ? errprintf(errp, "simulated trouble at home") : 0;
}

struct ssh_op *ssh_op_start(uv_loop_t *loop, cJSON *request, const struct ssh_op_callbacks *cb,
                            void *arg, burst_error_t *errp)
{
    crash_point();
    struct ssh_op *op = xmalloc(sizeof(*op));

    op->request = request;
    op->cb = cb;
    op->arg = arg;
    op->generation = world.generation;
    bool sync = strcmp(json_str(request, "op", ""), "stage_out") == 0;
    after(sync && world.slow_copy_ms ? world.slow_copy_ms : 100 + draw(1500), op_done, free_op, op,
          false);
    return op;
}

void ssh_op_cancel(struct ssh_op *op)
{
    if (op)
        op->cancelled = true;
}

// ---- port_wait.h

struct port_wait {
    char address[64];
    int64_t until_ms;
    port_wait_cb done;
    void *arg;
    bool cancelled;
};

static void look_at_port(void *arg)
{
    struct port_wait *w = arg;
    bool open = cloud_alive(cloud_by_address(w->address));

    if (!w->cancelled && !open && world.now_ms < w->until_ms) {
        after(200, look_at_port, free, w, true);
        return;
    }
    if (!w->cancelled)
        w->done(w->arg, open, open ? "" : "simulated silence");
    free(w);
}

struct port_wait *port_wait_start(uv_loop_t *loop, const char *address, int port, int64_t limit_ms,
                                  port_wait_cb done, void *arg)
{
    struct port_wait *w = xmalloc(sizeof(*w));

    snprintf(w->address, sizeof(w->address), "%s", address);
    w->until_ms = world.now_ms + limit_ms;
    w->done = done;
    w->arg = arg;
    after(1, look_at_port, free, w, true);
    return w;
}

void port_wait_cancel(struct port_wait *w)
{
    if (w)
        w->cancelled = true;
}
