// SPDX-License-Identifier: GPL-3.0-or-later
// See api_operators.h.
#include "rpc/api_operators.h"

#include <stdlib.h>
#include <string.h>

#include "base/burstd.h"
#include "base/conf.h"
#include "libburst/json.h"
#include "node/end.h"
#include "node/orphan.h"
#include "node/stage.h"
#include "slurm/slurm_link.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/store.h"

static void terminating(struct rpc_request *req, const char *id)
{
    cJSON *o = cJSON_CreateObject(), *ids = cJSON_AddArrayToObject(o, "terminating");

    cJSON_AddItemToArray(ids, cJSON_CreateString(id));
    rpc_reply(req, o);
}

static void drain_one(struct burstd *b, struct instance *i, bool undo, cJSON *names)
{
    cJSON *cmd = cJSON_CreateObject();

    if (undo)
        i->flags &= ~(unsigned)INST_F_OPDRAIN;
    else
        i->flags |= INST_F_OPDRAIN;
    instance_save(b, i);
    cJSON_AddItemToArray(names, cJSON_CreateString(i->node[0] ? i->node : i->id));
    if (!i->node[0]) {
        cJSON_Delete(cmd);
        return;
    }
    json_add_str(cmd, "op", "update_node");
    json_add_str(cmd, "nodes", i->node);
    json_add_str(cmd, "state", undo ? "resume" : "drain");
    json_add_str(cmd, "reason", "burst: drained by an operator");
    slurm_link_command(b->slurm, cmd, NULL, NULL);
}

void operators_drain(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    const char *node = json_str(rpc_params(req), "node", NULL);
    const char *cloud = json_str(rpc_params(req), "cloud", NULL);
    bool undo = json_bool(rpc_params(req), "undo", false);
    cJSON *o = cJSON_CreateObject(), *names = cJSON_AddArrayToObject(o, "drained");

    INSTANCES_EACH(b->instances, i)
    if (i->state < INST_TERMINATING &&
        ((node && (strcmp(i->node, node) == 0 || strcmp(i->id, node) == 0)) ||
         (cloud && strcmp(i->cloud, cloud) == 0)))
        drain_one(b, i, undo, names);
    if (cJSON_GetArraySize(names) == 0 && !(cloud && conf_find_cloud(b->conf, cloud))) {
        rpc_fail(req, "not_found", "no rented node of that name (see burst nodes)");
        cJSON_Delete(o);
        return;
    }
    rpc_reply(req, o);
    b->poke(b);
}

void operators_terminate(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    const char *node = json_str(rpc_params(req), "node", NULL);
    const char *id = json_str(rpc_params(req), "instance", NULL);
    bool force = json_bool(rpc_params(req), "force", false);
    struct instance *i = NULL;

    INSTANCES_EACH(b->instances, k)
    if ((node && k->node[0] && strcmp(k->node, node) == 0) || (id && strcmp(k->id, id) == 0))
        i = k;
    if (i && i->state == INST_LAUNCHING) {
        rpc_fail(req, "busy", "%s is being launched; ask again when the cloud has answered", i->id);
        return;
    }
    if (!i && id && stranger_end(b, id)) {
        terminating(req, id);
        return;
    }
    if (!i || i->state >= INST_TERMINATING) {
        rpc_fail(req, "not_found", "no rented node or instance of that name (see burst nodes)");
        return;
    }
    if (!force && (i->job[0] || (i->flags & INST_F_STAGE_OUT))) {
        rpc_fail(req, "busy",
                 "%s serves job %s; say --force to end it all the same (results that "
                 "are not home are lost then)",
                 i->node[0] ? i->node : i->id, i->job);
        return;
    }
    struct bjob *j = i->job[0] ? jobs_find(b->jobs, i->job) : NULL;
    if (j && (i->flags & INST_F_STAGE_OUT)) {
        job_event(b, j, "an operator ended node %s with what was written there", i->node);
        stage_missed(b, j);
    }
    i->flags &= ~(unsigned)INST_F_STAGE_OUT;
    instance_end(b, i, "ended by an operator");
    terminating(req, i->id);
}

void operators_giveup(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    struct bjob *j = jobs_find(b->jobs, json_str(rpc_params(req), "job", ""));

    if (!j || j->state != JOB_STAGEOUT) {
        rpc_fail(req, "not_found", "no job of that number waits for its results");
        return;
    }
    stage_giveup(b, j, "an operator");
    rpc_reply(req, cJSON_CreateObject());
}

void operators_reload(void *arg, struct rpc_request *req)
{
    struct burstd *b = arg;
    char *errors = NULL;

    if (b->reload(b, &errors) < 0) {
        rpc_fail(req, "invalid", "%s", errors);
        free(errors);
        return;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddBoolToObject(o, "reloaded", true);
    rpc_reply(req, o);
}
