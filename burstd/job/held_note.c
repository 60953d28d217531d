// SPDX-License-Identifier: GPL-3.0-or-later
// See held_note.h.
#include "job/held_note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/hold.h"
#include "job/move.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "money/comment.h"
#include "slurm/slurm_link.h"
#include "state/jobs.h"

#define FIRST_S 10      // most have their node by then, and its move writes the record anyway
#define AGAIN_MS 60000  // a sentence that changes all the time is not worth an update each time
#define LOOK_MS 5000    // one that did not change is compared again
#define NOTES_AT_ONCE 5 // commands of one look: of thousands of jobs each has its turn
#define SENTENCE_MAX 240

static bool waits(const struct bjob *j)
{
    return j->state == JOB_WATCHING || j->state == JOB_CANDIDATE || j->state == JOB_SECURING ||
           j->state == JOB_REFUSED;
}

// "waits for a rented node: no cloud may be asked now: aws: ... | burst:1 held ..."
static void note_text(struct burstd *b, const struct bjob *j, char *out, size_t size)
{
    const char *begin = j->state == JOB_CANDIDATE  ? "waits for a rented node: "
                        : j->state == JOB_SECURING ? "a node is being prepared: "
                        : j->state == JOB_REFUSED  ? "no rented node serves it: "
                                                   : "";
    int n = snprintf(out, size, "%s%.*s | ", begin, SENTENCE_MAX, j->reason);

    if (j->history[0]) // where it ran before and what that cost stays to be read
        comment_format(b, j, out + n, size - (size_t)n);
    else
        snprintf(out + n, size - (size_t)n, "%s", j->mark);
}

// Tasks that share a record share the sentence.
static void next_time(struct burstd *b, struct bjob *j, int64_t ms)
{
    int64_t at = clock_mono_ms() + ms;

    j->note_ms = at;
    if (!strchr(j->key, '_') || j->job_id != (uint32_t)strtoul(j->key, NULL, 10))
        return;
    JOBS_EACH(b->jobs, other)
    if (other->job_id == j->job_id)
        other->note_ms = at;
}

// Returns whether a command was sent.
static bool note(struct burstd *b, struct bjob *j, const struct sjob *s)
{
    char text[4096], record[sizeof(j->key)];

    note_text(b, j, text, sizeof(text));
    if (strcmp(text, s->admin_comment) == 0 || !hold_record(b, j, record)) {
        next_time(b, j, LOOK_MS);
        return false;
    }
    next_time(b, j, AGAIN_MS);
    cJSON *cmd = cJSON_CreateObject();
    json_add_str(cmd, "op", "update_job");
    json_add_str(cmd, "job", record);
    json_add_str(cmd, "admin_comment", text);
    slurm_link_command(b->slurm, cmd, NULL, NULL);
    return true;
}

void held_note_step(struct burstd *b)
{
    int64_t now = clock_mono_ms(), now_s = clock_now_s();
    unsigned left = NOTES_AT_ONCE;

    JOBS_EACH(b->jobs, j)
    {
        if (left == 0)
            return;
        if (!waits(j) || !j->our_hold || now < j->note_ms || j->cmd || !j->reason[0] ||
            now_s - j->met < FIRST_S || !move_class_held(j))
            continue;
        const struct sjob *s = slurm_link_job(b->slurm, j->key);
        if (s && s->state == SJOB_PENDING && !(s->flags & SJOB_COMPLETING) &&
            (s->priority == 0 || hold_deferred(s)))
            left -= note(b, j, s);
    }
}
