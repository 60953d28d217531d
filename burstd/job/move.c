// SPDX-License-Identifier: GPL-3.0-or-later
// See move.h.
#include "job/move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/hold.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/comment.h"
#include "slurm/slurm_link.h"
#include "slurm_plugin/directive.h"
#include "state/jobs.h"

struct move_call {
    struct burstd *b;
    char job[40];
    bool placing, home;
};

static void moved(void *arg, int rc, const char *error)
{
    struct move_call *call = arg;
    struct bjob *j = jobs_find(call->b->jobs, call->job);

    if (j) {
        j->answer.due = true;
        j->answer.placing = call->placing;
        j->answer.home = call->home;
        j->answer.rc = rc;
        bjob_set(&j->answer.error, error ? error : "");
    }
    call->b->poke(call->b);
    free(call);
}

static cJSON *move_command(struct burstd *b, struct bjob *j, bool placing, struct move_call **call)
{
    cJSON *cmd = cJSON_CreateObject();

    json_add_str(cmd, "op", "update_job");
    json_add_str(cmd, "job", j->key);
    *call = xmalloc(sizeof(**call));
    (*call)->b = b;
    (*call)->placing = placing;
    snprintf((*call)->job, sizeof((*call)->job), "%s", j->key);
    j->cmd = true;
    return cmd;
}

#define KEPT " max_nodes=" // in the mark; nothing else in it can look like that

// Takes the kept maximum out of a mark.
static void cut_kept(char *text)
{
    char *p = strstr(text, KEPT);

    if (p)
        memmove(p, p + 1 + strcspn(p + 1, " "), strlen(p + 1 + strcspn(p + 1, " ")) + 1);
}

void move_remember(struct bjob *j, const struct sjob *s)
{
    char *text;

    if (strstr(j->mark, KEPT))
        return;
    text = s->num_nodes_max ? xasprintf("%s" KEPT "%u", j->mark, s->num_nodes_max)
                            : xasprintf("%s" KEPT "none", j->mark);
    bjob_set(&j->mark, text);
    free(text);
}

void move_forget(struct bjob *j)
{
    char *text = xstrdup(j->mark);

    cut_kept(text);
    bjob_set(&j->mark, text);
    free(text);
}

void move_to_nodes(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    struct move_call *call;
    char comment[4096];
    cJSON *cmd = move_command(b, j, true, &call);

    comment_format(b, j, comment, sizeof(comment));
    json_add_str(cmd, "partition", j->partition);
    json_add_str(cmd, "req_nodes", j->node_names);
    json_add_str(cmd, "admin_comment", comment);
    // All the nodes that it is given by name, and no more: Slurm would add some that nobody has
    // rented. Not the minimum: with it Slurm raises tasks, CPUs and memory as well, for good.
    json_add_i64(cmd, "max_nodes", j->nodes);
    if (s->priority == 0)
        json_add_i64(cmd, "priority", -1);
    // A requeued job would wait for cred_expire; its new nodes never saw it.
    if (s->restarts > 0 || s->eligible == HOLD_DEFERRED)
        json_add_i64(cmd, "begin", clock_now_s());
    j->placed_at = clock_now_s();
    j->placed_ms = clock_mono_ms();
    slurm_link_command(b->slurm, cmd, moved, call);
}

bool move_class_held(const struct bjob *j)
{
    struct directive d;

    return directive_from_mark(j->mark, &d) == 0 && d.cls == DIRECTIVE_HELD;
}

// Back where it came from: it may start locally, or be bought for again.
void move_home(struct burstd *b, struct bjob *j)
{
    struct move_call *call;
    struct directive d;
    char comment[4096];
    cJSON *cmd = move_command(b, j, false, &call);

    call->home = true;
    json_add_str(cmd, "req_nodes", "");
    if (directive_from_mark(j->mark, &d) == 0 && d.moved) {
        comment_format(b, j, comment, sizeof(comment));
        cut_kept(comment);
        json_add_str(cmd, "admin_comment", comment);
        json_add_i64(cmd, "max_nodes", d.max_nodes);
    }
    hold_sent(j);
    if (move_class_held(j))
        json_add_i64(cmd, "priority", 0);
    else
        json_add_str(cmd, "partition", j->origin);
    if (j->release) // it may run here: an operator would do the same
        json_add_i64(cmd, "priority", -1);
    slurm_link_command(b->slurm, cmd, moved, call);
}

void move_hold(struct burstd *b, struct bjob *j)
{
    struct move_call *call;
    cJSON *cmd = move_command(b, j, false, &call);

    json_add_i64(cmd, "priority", 0);
    hold_sent(j);
    slurm_link_command(b->slurm, cmd, moved, call);
}
