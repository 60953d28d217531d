// SPDX-License-Identifier: GPL-3.0-or-later
// See cancel.h.
#include "job/cancel.h"

#include <stdlib.h>

#include "job/place.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "node/end.h"
#include "node/stage_spec.h"
#include "node/stagerd_client.h"
#include "slurm/slurm_link.h"
#include "state/jobs.h"

void cancel(struct burstd *b, struct bjob *j, const char *why)
{
    char *log = stage_spec_log(j);
    char *text = xasprintf("burst: job %s was cancelled: %s", j->key, why);

    if (log)
        stagerd_append(b, j->uid, j->gid, j->user, log, text);
    cJSON *cmd = cJSON_CreateObject();
    json_add_str(cmd, "op", "kill_job");
    json_add_str(cmd, "job", j->key);
    json_add_i64(cmd, "signal", 9);
    slurm_link_command(b->slurm, cmd, NULL, NULL);
    gang_release(b, j, why);
    place_clear(j);
    job_state(b, j, JOB_REFUSED, "cancelled: %s", why);
    free(text);
    free(log);
}
