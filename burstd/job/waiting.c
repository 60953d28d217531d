// SPDX-License-Identifier: GPL-3.0-or-later
// See waiting.h.
#include "job/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/clock.h"
#include "libburst/xalloc.h"
#include "slurm/slurm_link.h"
#include "state/jobs.h"

bool waiting_due(const struct burstd *b, const struct bjob *j, int64_t now, const struct sjob **out)
{
    if (j->state != JOB_CANDIDATE || now < j->next_ms || j->cmd)
        return false;
    *out = slurm_link_job(b->slurm, j->key);
    return *out && (*out)->state == SJOB_PENDING && !((*out)->flags & SJOB_COMPLETING);
}

// Higher priority first, as Slurm would start them; those that are held have none.
static int in_line(const void *pa, const void *pb)
{
    const struct waiting *a = pa, *b = pb;

    if (a->s->priority != b->s->priority)
        return a->s->priority > b->s->priority ? -1 : 1;
    if (a->s->submit != b->s->submit)
        return a->s->submit < b->s->submit ? -1 : 1;
    return strcmp(a->j->key, b->j->key);
}

static int by_place(const void *pa, const void *pb)
{
    const struct waiting *a = pa, *b = pb;

    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return a->s->submit != b->s->submit ? (a->s->submit < b->s->submit ? -1 : 1)
                                        : strcmp(a->j->key, b->j->key);
}

// Slurm knows no priority of jobs that are held: they have a line of their own, by age, and the two
// come in turns. So neither those that can run nowhere else wait for ever, nor comes first who asks
// for rented nodes only.
static void order(struct waiting *w, size_t n)
{
    size_t line = 0;

    qsort(w, n, sizeof(*w), in_line);
    while (line < n && w[line].s->priority > 0)
        line++;
    for (size_t k = 0; k < n; k++)
        w[k].place = k < line ? ((double)k + 0.5) / (double)line
                              : ((double)(k - line) + 0.5) / (double)(n - line);
    qsort(w, n, sizeof(*w), by_place);
}

struct waiting *waiting_list(struct burstd *b, size_t *n)
{
    int64_t now = clock_mono_ms();
    const struct sjob *s;
    size_t cap = 0;
    struct waiting *w = NULL;

    *n = 0;
    JOBS_EACH(b->jobs, j)
    {
        if (!waiting_due(b, j, now, &s))
            continue;
        if (*n == cap) {
            cap = cap ? 2 * cap : 64;
            w = xrealloc(w, cap * sizeof(*w));
        }
        w[(*n)++] = (struct waiting){j, s, 0};
    }
    if (*n)
        order(w, *n);
    return w;
}
