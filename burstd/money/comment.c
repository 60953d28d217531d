// SPDX-License-Identifier: GPL-3.0-or-later
// See comment.h.
#include "money/comment.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/ledger.h"
#include "slurm/slurm_link.h"
#include "state/jobs.h"

#define LIVE_MS 30000
#define FINAL_TRIES 20
#define FINAL_AGAIN_MS 2000

void comment_format(struct burstd *b, const struct bjob *j, char *out, size_t size)
{
    char cost[MONEY_TEXT_MAX];
    char kept[80] = "";
    bool here = (j->state >= JOB_PLACED && j->state <= JOB_STAGEOUT) || j->started;

    if (j->kept)
        snprintf(kept, sizeof(kept), "results are kept (burst results %s); ", j->key);
    if (!here) {
        snprintf(out, size, "%s%s %s | %s", kept, j->history,
                 money_human(ledger_job_cost(b, j), cost), j->mark);
        return;
    }
    snprintf(out, size, "%s%s%s%s %s %s %s %s | %s", kept, j->history, j->history[0] ? "; " : "",
             j->cloud, j->zone[0] ? j->zone : j->region, j->itype, market_text(j->spot),
             money_human(ledger_job_cost(b, j), cost), j->mark);
}

static void live(struct burstd *b, struct bjob *j)
{
    char text[4096];

    comment_format(b, j, text, sizeof(text));
    j->comment_at_ms = clock_mono_ms() + LIVE_MS;
    if (strcmp(text, j->comment) == 0)
        return;
    bjob_set(&j->comment, text);
    cJSON *cmd = cJSON_CreateObject();
    json_add_str(cmd, "op", "update_job");
    json_add_str(cmd, "job", j->key);
    json_add_str(cmd, "admin_comment", text);
    slurm_link_command(b->slurm, cmd, NULL, NULL);
}

void comment_now(struct burstd *b, struct bjob *j)
{
    live(b, j);
}

struct final_call {
    struct burstd *b;
    char job[40];
};

static void on_final(void *arg, int rc, const char *error)
{
    struct final_call *call = arg;
    struct bjob *j = jobs_find(call->b->jobs, call->job);

    if (j) {
        j->cmd = false;
        if (rc == 0 || ++j->tries >= FINAL_TRIES) {
            j->comment_due = false;
            job_save(call->b, j); // else it is written once more after a restart
            if (rc != 0)
                log_warn("job %s: its final cost could not be written to its record in the "
                         "accounting: %s (burst cost has it)",
                         j->key, error ? error : "");
        } else {
            j->comment_at_ms = clock_mono_ms() + FINAL_AGAIN_MS;
        }
        call->b->poke(call->b);
    }
    free(call);
}

static void final(struct burstd *b, struct bjob *j)
{
    char text[4096];
    cJSON *cmd = cJSON_CreateObject();
    struct final_call *call = xmalloc(sizeof(*call));

    comment_format(b, j, text, sizeof(text));
    json_add_str(cmd, "op", "db_comment");
    json_add_str(cmd, "job", j->key); // an array's task may have kept the array's id
    json_add_i64(cmd, "job_id", j->job_id);
    json_add_i64(cmd, "submit", j->submit);
    json_add_str(cmd, "admin_comment", text);
    call->b = b;
    snprintf(call->job, sizeof(call->job), "%s", j->key);
    j->cmd = true;
    slurm_link_command(b->slurm, cmd, on_final, call);
}

// What it costs does not change any more.
static bool over(struct burstd *b, const struct bjob *j)
{
    const struct sjob *s = slurm_link_job(b->slurm, j->key);

    return j->state == JOB_DONE ||
           ((j->state == JOB_LOCAL || j->state == JOB_REFUSED) && (!s || s->state == SJOB_ENDED));
}

void comment_step(struct burstd *b)
{
    int64_t now = clock_mono_ms();

    JOBS_EACH(b->jobs, j)
    {
        if (j->cmd || now < j->comment_at_ms)
            continue;
        if (j->state == JOB_RUNNING)
            live(b, j);
        else if (j->comment_due && over(b, j))
            final(b, j);
    }
}
