// SPDX-License-Identifier: GPL-3.0-or-later
// See boot.h.
#include "node/boot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "cloud/observed.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "node/end.h"
#include "node/instance_call.h"
#include "node/instance_state.h"
#include "ssh/port_wait.h"
#include "ssh/ssh_op.h"
#include "state/instances.h"
#include "state/jobs.h"

// Of those that boot so many are waited for at a time, each so long at a time: where the network of
// a whole cloud is down the others have their turns.
#define PORT_WAITS 128
#define PORT_WAIT_MS 20000
#define PORT_AGAIN_MS 1000
#define LOGIN_S 20   // at least, once SSH answers: cloud-init may be late with the key
#define SURPLUS_S 30 // a ready instance without a job waits so long for another candidate
// A node that hears nothing of burstd and runs no job powers itself off after this. Long, because
// results that are not home go with it.
#define DEADMAN_S (6 * 3600)

static void boot_failed(struct burstd *b, struct instance *i, enum failure_scope scope,
                        const char *why)
{
    struct bjob *j = jobs_find(b->jobs, i->job);

    i->flags |= INST_F_BOOT_FAILED;
    if (scope == FAILURE_OF_PLACE)
        observed_refused(b->observed, i->cloud, i->region, i->zone, i->itype, market_text(i->spot),
                         b->conf->block_s, b->conf->block_max_s, why);
    if (j && j->state == JOB_SECURING)
        job_attempt(b, j, i, "boot", why);
    instance_failed(b, i, FAILURE_BOOT, scope, why);
    instance_end(b, i, why);
}

static void on_prepare_event(void *arg, const cJSON *msg)
{
    struct instance_call *call = arg;
    struct instance *i = instance_called(call);
    const char *key = json_str(msg, "host_key", NULL);

    if (!i || !key || strcmp(json_str(msg, "event", ""), "host_key") != 0)
        return;
    snprintf(i->host_key, sizeof(i->host_key), "%s", key);
    instance_save(call->b, i);
}

static void on_prepared(void *arg, bool ok, const char *errclass, const char *error,
                        const cJSON *last)
{
    struct instance_call *call = arg;
    struct burstd *b = call->b;
    struct instance *i = instance_ssh_done(call);

    free(call);
    if (!i)
        return;
    if (ok)
        instance_state(b, i, INST_READY, NULL);
    else if (!instance_ssh_again(i, errclass, error))
        boot_failed(b, i, instance_call_ours(errclass) ? FAILURE_OF_SITE : FAILURE_OF_PLACE, error);
}

// Of the time that it has to come up, from its address on.
static int64_t left_ms(const struct burstd *b, const struct instance *i)
{
    return 1000 * b->conf->ssh_timeout_s - (clock_mono_ms() - i->since_ms);
}

static cJSON *prepare_request(struct burstd *b, const struct instance *i)
{
    const struct cloud_conf *c = conf_find_cloud(b->conf, i->cloud);
    cJSON *r = ssh_request(b, i, "prepare");
    char host[256] = "controller";

    gethostname(host, sizeof(host) - 1);
    cJSON_DeleteItemFromObject(r, "timeout_s");
    int64_t left = left_ms(b, i) / 1000;
    json_add_i64(r, "timeout_s", left > LOGIN_S ? left : LOGIN_S);
    json_add_str(r, "munge_key_file", b->conf->munge_key);
    char *dir = xstrdup(b->conf->slurm_conf), *slash = strrchr(dir, '/');
    if (slash)
        *slash = '\0';
    json_add_str(r, "slurm_conf_dir", dir);
    json_add_str(r, "slurm_conf_on_node", dir);
    free(dir);
    cJSON *hosts = cJSON_AddArrayToObject(r, "hosts"), *h = cJSON_CreateObject();
    json_add_str(h, "address", b->conf->controller_address);
    json_add_str(h, "names", host);
    cJSON_AddItemToArray(hosts, h);
    cJSON *agent = cJSON_AddObjectToObject(r, "agent");
    json_add_str(agent, "controller", b->conf->listen);
    json_add_str(agent, "instance", i->id);
    json_add_str(agent, "metadata", c ? c->metadata : "none");
    json_add_i64(agent, "deadman_s", DEADMAN_S);
    json_add_i64(agent, "deadman_max_s", b->conf->max_time_s + DEADMAN_S);
    return r;
}

static const struct ssh_op_callbacks prepare_callbacks = {.event = on_prepare_event,
                                                          .done = on_prepared};

// ---- until its SSH answers: no helper is kept for that

static void port_told(void *arg, bool open, const char *why)
{
    struct instance_call *call = arg;
    struct instance *i = instance_called(call);

    if (i) {
        instance_wait_ended(call->b->instances, i);
        i->port_open = open;
        if (!open) // the others first
            i->next_ms = clock_mono_ms() + PORT_AGAIN_MS;
        snprintf(i->port_why, sizeof(i->port_why), "%s", why);
    }
    call->b->poke(call->b);
    free(call);
}

static void wait_for_port(struct burstd *b, struct instance *i)
{
    int64_t left = left_ms(b, i);
    char why[256];

    if (left <= 0) {
        snprintf(why, sizeof(why), "no SSH connection to %s port 22 within %" PRId64 " s%s%s",
                 i->address, b->conf->ssh_timeout_s, i->port_why[0] ? ": " : "", i->port_why);
        boot_failed(b, i, FAILURE_OF_PLACE, why);
        return;
    }
    if (i->port || instances_waited_for(b->instances) >= PORT_WAITS)
        return;
    struct instance_call *call = instance_call_create(b, i);
    instance_wait_begun(b->instances, i,
                        port_wait_start(b->loop, i->address, 22,
                                        left < PORT_WAIT_MS ? left : PORT_WAIT_MS, port_told, call),
                        call);
}

void boot_up(struct burstd *b, struct instance *i)
{
    if (!i->port_open && !i->ssh) {
        wait_for_port(b, i);
        return;
    }
    if (i->ssh || !ssh_slot(b, SSH_PREPARE, 0))
        return;
    if (instance_ssh_start(b, i, SSH_PREPARE, 0, prepare_request(b, i), &prepare_callbacks,
                           instance_call_create(b, i)) < 0)
        i->next_ms = clock_mono_ms() + 5000;
}

void boot_launched(struct burstd *b, struct instance *i)
{
    // Running without an address, or pending for ever: the same time-out as for SSH.
    if (clock_mono_ms() - i->since_ms > 1000 * b->conf->ssh_timeout_s)
        boot_failed(b, i, FAILURE_OF_PLACE, "the cloud did not bring it up in time");
}

static bool has_job(struct burstd *b, const struct instance *i)
{
    const struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;

    return j && j->state >= JOB_SECURING && j->state <= JOB_STAGEOUT;
}

void boot_ready(struct burstd *b, struct instance *i)
{
    if (has_job(b, i))
        return; // jobflow places it
    if (i->job[0]) {
        instance_set_job(b->instances, i, "");
        i->flags &= ~(unsigned)INST_F_STAGED_IN;
        i->idle_since = clock_now_s();
        instance_save(b, i);
    }
    if (clock_now_s() - (i->idle_since ? i->idle_since : i->since) >= SURPLUS_S)
        instance_end(b, i, "nobody needs it");
}
