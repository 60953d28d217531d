// SPDX-License-Identifier: GPL-3.0-or-later
// See reader.h. Whose turn it is: each user's next question belongs to the round after that of his
// last one, and rounds are read in their order.
#include "state/reader.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <utlist.h>

#include "libburst/clock.h"
#include "libburst/xalloc.h"

#define LIMIT_MS 60000

struct question {
    uv_work_t work; // first
    struct reader *r;
    uint32_t uid;
    uint64_t round;
    const struct reader_ops *ops;
    void *arg;
    int64_t until_ms;      // monotonic
    atomic_bool cancelled; // by the loop
    bool late;             // by the other thread, read when it has ended
    struct question *prev, *next;
};

struct reader {
    uv_loop_t *loop;
    struct store *view;
    struct question *now;     // is being read
    struct question *waiting; // by round
    uint64_t round;           // of the last one that was begun
    int64_t limit_ms;
    bool ending;
};

struct reader *reader_create(uv_loop_t *loop, const char *path, burst_error_t *errp)
{
    struct store *view = store_open_view(path, errp);
    struct reader *r;

    if (!view)
        return NULL;
    r = xmalloc(sizeof(*r));
    r->loop = loop;
    r->view = view;
    r->limit_ms = LIMIT_MS;
    return r;
}

static void free_reader(struct reader *r)
{
    store_close(r->view);
    free(r);
}

static void drop(struct question *q)
{
    q->ops->drop(q->arg);
    free(q);
}

static bool should_stop(void *arg)
{
    struct question *q = arg;

    if (clock_mono_ms() >= q->until_ms)
        q->late = true;
    return q->late || atomic_load(&q->cancelled);
}

static void on_work(uv_work_t *w)
{
    struct question *q = (struct question *)w;

    store_view_stop(q->r->view, should_stop, q);
    q->ops->read(q->r->view, q->arg);
    store_view_stop(q->r->view, NULL, NULL);
}

static void begin_next(struct reader *r);

static void on_read(uv_work_t *w, int status)
{
    struct question *q = (struct question *)w;
    struct reader *r = q->r;

    r->now = NULL;
    if (r->ending || atomic_load(&q->cancelled)) {
        drop(q);
    } else {
        q->ops->done(q->arg, q->late ? "the journal has too much of it to be read in time" : NULL);
        free(q);
    }
    if (r->ending)
        free_reader(r);
    else
        begin_next(r);
}

static void begin_next(struct reader *r)
{
    struct question *q = r->waiting;

    if (r->now || !q)
        return;
    DL_DELETE(r->waiting, q);
    r->round = q->round;
    r->now = q;
    q->until_ms = clock_mono_ms() + r->limit_ms;
    uv_queue_work(r->loop, &q->work, on_work, on_read);
}

static void put_in_turn(struct reader *r, struct question *q)
{
    struct question *at = r->waiting;

    q->round = r->round + (r->now && r->now->uid == q->uid);
    for (const struct question *o = r->waiting; o; o = o->next)
        if (o->uid == q->uid)
            q->round = o->round + 1;
    while (at && at->round <= q->round)
        at = at->next;
    if (at)
        DL_PREPEND_ELEM(r->waiting, at, q);
    else
        DL_APPEND(r->waiting, q);
}

struct question *reader_ask(struct reader *r, uint32_t uid, const struct reader_ops *ops, void *arg)
{
    struct question *q = xmalloc(sizeof(*q));

    q->r = r;
    q->uid = uid;
    q->ops = ops;
    q->arg = arg;
    put_in_turn(r, q);
    begin_next(r);
    return q;
}

void reader_cancel(struct question *q)
{
    struct reader *r = q->r;

    if (r->now == q) {
        atomic_store(&q->cancelled, true);
        return;
    }
    DL_DELETE(r->waiting, q);
    drop(q);
}

void reader_destroy(struct reader *r)
{
    if (!r)
        return;
    while (r->waiting)
        reader_cancel(r->waiting);
    r->ending = true;
    if (r->now)
        atomic_store(&r->now->cancelled, true);
    else
        free_reader(r);
}

void reader_set_limit_ms(struct reader *r, int64_t ms)
{
    r->limit_ms = ms;
}
