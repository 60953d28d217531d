// SPDX-License-Identifier: GPL-3.0-or-later
// Names of the states, as they stand in the journal and in front of people; the texts of a job.
#include "state/model.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

static const char *const inst_names[] = {
    [INST_LAUNCHING] = "launching",
    [INST_LAUNCHED] = "launched",
    [INST_UP] = "up",
    [INST_READY] = "ready",
    [INST_BOUND] = "bound",
    [INST_JOINED] = "joined",
    [INST_BUSY] = "busy",
    [INST_IDLE] = "idle",
    [INST_DRAINING] = "draining",
    [INST_TERMINATING] = "terminating",
    [INST_GONE] = "gone",
};

static const char *const job_names[] = {
    [JOB_WATCHING] = "watching", [JOB_CANDIDATE] = "candidate", [JOB_SECURING] = "securing",
    [JOB_PLACED] = "placed",     [JOB_RUNNING] = "running",     [JOB_STAGEOUT] = "stageout",
    [JOB_DONE] = "done",         [JOB_LOCAL] = "local",         [JOB_REFUSED] = "refused",
};

static const char *const failure_classes[] = {
    [FAILURE_NONE] = "",
    [FAILURE_CAPACITY] = "capacity",
    [FAILURE_QUOTA] = "quota",
    [FAILURE_THROTTLE] = "throttle",
    [FAILURE_AUTH] = "auth",
    [FAILURE_INVALID] = "invalid",
    [FAILURE_TRANSIENT] = "transient",
    [FAILURE_BOOT] = "boot",
    [FAILURE_STAGE_IN] = "stage-in",
    [FAILURE_JOIN] = "join",
    [FAILURE_LOST] = "lost",
    [FAILURE_RECLAIMED] = "reclaimed",
    [FAILURE_SUSPENDED] = "suspended",
    [FAILURE_START] = "start",
    [FAILURE_DRAINED] = "drained",
};

static const char *const failure_scopes[] = {
    [FAILURE_OF_INSTANCE] = "instance", [FAILURE_OF_PLACE] = "place", [FAILURE_OF_CLOUD] = "cloud",
    [FAILURE_OF_JOB] = "job",           [FAILURE_OF_SITE] = "site",
};

const char *market_text(bool spot)
{
    return spot ? "spot" : "on-demand";
}

const char *failure_class_name(enum failure_class c)
{
    return failure_classes[c];
}

const char *failure_scope_name(enum failure_scope s)
{
    return failure_scopes[s];
}

const char *inst_state_name(enum inst_state s)
{
    return inst_names[s];
}

const char *job_state_name(enum job_state s)
{
    return job_names[s];
}

static int find(const char *const *names, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (name && strcmp(names[i], name) == 0)
            return i;
    return -1;
}

int inst_state_parse(const char *name, enum inst_state *out)
{
    int i = find(inst_names, INST_GONE + 1, name);

    if (i < 0)
        return -1;
    *out = (enum inst_state)i;
    return 0;
}

int job_state_parse(const char *name, enum job_state *out)
{
    int i = find(job_names, JOB_REFUSED + 1, name);

    if (i < 0)
        return -1;
    *out = (enum job_state)i;
    return 0;
}

struct bjob *bjob_create(void)
{
    struct bjob *j = xmalloc(sizeof(*j));

    j->mark = j->node_names = j->history = j->stage = j->pull_why = j->comment = "";
    j->answer.error = "";
    return j;
}

// An empty text is never a heap object.
static void drop(const char *text)
{
    if (text && *text)
        free((char *)text);
}

void bjob_destroy(struct bjob *j)
{
    if (!j)
        return;
    drop(j->mark);
    drop(j->node_names);
    drop(j->history);
    drop(j->stage);
    drop(j->pull_why);
    drop(j->comment);
    drop(j->answer.error);
    free(j);
}

void bjob_set(const char **at, const char *text)
{
    const char *old = *at;

    *at = *text ? xstrdup(text) : "";
    drop(old); // text may have been a part of it
}
