// SPDX-License-Identifier: GPL-3.0-or-later
// See snapshot.h. The reader trusts nothing that it has read before the checksums fit, and no count
// or string even then: a bug of the writer must not become a crash of slurmctld.
#include "slurm_plugin/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REOPEN_MS 1000
#define TRIES 64     // each gives the processor away: enough for a writer that was interrupted
#define HEAD_TRIES 8 // a head is written in one go; a file of another kind must not cost much
#define FUTURE_MS 1000
#define MEND_HEADS 30 // heads (one a second) between two writes of a body that did not change
#define MATCH_MAX 255

_Static_assert(sizeof(struct snapshot_head) == 64, "no padding");
_Static_assert(sizeof(struct snapshot_body) % 8 == 0, "checksum in words");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "no hidden locks");

static int64_t boottime_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

// Four lanes, because one multiplication must wait for the one before it.
uint64_t snapshot_sum(const void *data, size_t len)
{
    const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
    const unsigned char *p = data;
    uint64_t lane[4] = {k, k ^ 1, k ^ 2, k ^ 3}, w;
    size_t i = 0;

    for (; i + 8 <= len; i += 8) {
        unsigned n = (unsigned)(i / 8) % 4;
        memcpy(&w, p + i, 8);
        lane[n] = (lane[n] ^ w) * k;
        lane[n] ^= lane[n] >> 29;
    }
    for (int n = 1; n < 4; n++)
        lane[0] = ((lane[0] << 13 | lane[0] >> 51) ^ lane[n]) * k;
    return lane[0] ^ len;
}

static uint64_t head_sum(const struct snapshot_head *h)
{
    return snapshot_sum(h, offsetof(struct snapshot_head, head_sum));
}

// ---- checks

static bool ended(const char *field, size_t size)
{
    return memchr(field, '\0', size) != NULL;
}

static bool good_patterns(const struct snapshot_patterns *p)
{
    if (p->n > SNAPSHOT_PATTERNS)
        return false;
    for (uint32_t i = 0; i < p->n; i++)
        if (!ended(p->text[i], SNAPSHOT_NAME))
            return false;
    return true;
}

static bool good_kind(const struct snapshot_body *b, const struct snapshot_kind *k)
{
    if (k->partition >= b->n_partitions || k->n_gpus > SNAPSHOT_GPUS ||
        !ended(k->features, SNAPSHOT_FEATURES))
        return false;
    for (uint32_t i = 0; i < k->n_gpus; i++)
        if (!ended(k->gpu[i].type, SNAPSHOT_GPU))
            return false;
    return true;
}

static bool good_price(money_t m)
{
    return m == MONEY_UNKNOWN || m >= 0;
}

static bool good_shape(const struct snapshot_body *b, const struct snapshot_shape *s)
{
    return s->partition < b->n_partitions && ended(s->gpu_type, SNAPSHOT_GPU) &&
           ended(s->features, SNAPSHOT_FEATURES) && ended(s->cloud, SNAPSHOT_CLOUD) &&
           good_price(s->price_spot) && good_price(s->price_on_demand);
}

static bool good_body(const struct snapshot_body *b)
{
    if (!good_patterns(&b->partitions) || !good_patterns(&b->accounts) ||
        !good_patterns(&b->deny_accounts) || !good_patterns(&b->licenses) ||
        b->n_users > SNAPSHOT_USERS || b->n_partitions > SNAPSHOT_PARTITIONS ||
        b->n_kinds > SNAPSHOT_KINDS || b->n_shapes > SNAPSHOT_SHAPES ||
        b->n_aliases > SNAPSHOT_ALIASES)
        return false;
    for (uint32_t i = 0; i < b->n_partitions; i++)
        if (!ended(b->partition[i].name, SNAPSHOT_NAME))
            return false;
    for (uint32_t i = 0; i < b->n_kinds; i++)
        if (!good_kind(b, &b->kind[i]))
            return false;
    for (uint32_t i = 0; i < b->n_shapes; i++)
        if (!good_shape(b, &b->shape[i]))
            return false;
    for (uint32_t i = 0; i < b->n_aliases; i++)
        if (!ended(b->alias[i].name, SNAPSHOT_GPU) || !ended(b->alias[i].gpu_type, SNAPSHOT_GPU))
            return false;
    return true;
}

static bool good_head(const struct snapshot_head *h)
{
    return h->magic == SNAPSHOT_MAGIC && h->version == SNAPSHOT_VERSION &&
           h->size == sizeof(struct snapshot) && h->head_sum == head_sum(h);
}

enum snapshot_state snapshot_check(const struct snapshot *s, size_t len)
{
    if (len == sizeof(*s) && good_head(&s->head) &&
        s->head.body_sum == snapshot_sum(&s->body, sizeof(s->body)) && good_body(&s->body))
        return SNAPSHOT_OK;
    return SNAPSHOT_BAD;
}

const char *snapshot_state_text(enum snapshot_state s)
{
    static const char *const text[] = {
        [SNAPSHOT_OK] = "fresh",
        [SNAPSHOT_MISSING] = "missing",
        [SNAPSHOT_BAD] = "unreadable",
        [SNAPSHOT_STALE] = "too old",
    };
    return text[s];
}

// ---- reader

int snapshot_reader_init(struct snapshot_reader *r, const char *path)
{
    if (strlen(path) >= sizeof(r->path))
        return -1;
    snprintf(r->path, sizeof(r->path), "%s", path);
    atomic_init(&r->fd, -1);
    atomic_init(&r->current, -1);
    atomic_flag_clear(&r->fetching);
    atomic_init(&r->tried_ms, -2 * REOPEN_MS);
    for (int i = 0; i < SNAPSHOT_SLOTS; i++)
        atomic_init(&r->slot[i].users, 0);
    return 0;
}

void snapshot_reader_fini(struct snapshot_reader *r)
{
    int fd = atomic_exchange(&r->fd, -1);

    if (fd >= 0)
        close(fd);
    atomic_store(&r->current, -1);
}

// A file that others may have written tells us nothing; a FIFO must not stop us.
static int open_safely(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 022) ||
                    (st.st_uid != 0 && st.st_uid != geteuid()))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

// Opens the file again, at most once a second and in one thread. Others may read through the old
// descriptor at this moment, so its number is given the new file instead of being closed.
static bool reopen(struct snapshot_reader *r, int64_t now)
{
    long long last = atomic_load(&r->tried_ms);

    if (now - last < REOPEN_MS || !atomic_compare_exchange_strong(&r->tried_ms, &last, now))
        return false;
    int fd = open_safely(r->path), old = -1;
    if (fd < 0)
        return false;
    if (atomic_compare_exchange_strong(&r->fd, &old, fd))
        return true;
    bool done = dup3(fd, old, O_CLOEXEC) >= 0;
    close(fd);
    return done;
}

static bool read_head(struct snapshot_reader *r, struct snapshot_head *h)
{
    int fd = atomic_load(&r->fd);

    return fd >= 0 && pread(fd, h, sizeof(*h), 0) == (ssize_t)sizeof(*h) && good_head(h);
}

// Takes hold of the newest body. Its slot may be given to the fetching thread between our look at
// `current` and our registration as a user; the second look finds that out.
static int hold_current(struct snapshot_reader *r)
{
    for (;;) {
        int i = atomic_load(&r->current);
        if (i < 0)
            return -1;
        atomic_fetch_add(&r->slot[i].users, 1);
        if (atomic_load(&r->current) == i)
            return i;
        atomic_fetch_sub(&r->slot[i].users, 1);
    }
}

// Reads head and body into a slot that nobody uses. Only inside `fetching`.
static bool fetch(struct snapshot_reader *r)
{
    int fd = atomic_load(&r->fd), current = atomic_load(&r->current);

    for (int i = 0; i < SNAPSHOT_SLOTS; i++) {
        if (i == current || atomic_load(&r->slot[i].users) != 0)
            continue;
        ssize_t n = pread(fd, &r->slot[i].s, sizeof(struct snapshot), 0);
        if (n < 0 || snapshot_check(&r->slot[i].s, (size_t)n) != SNAPSHOT_OK)
            return false;
        atomic_store(&r->current, i);
        return true;
    }
    return false;
}

static bool too_old(const struct snapshot_head *h, int64_t now, int64_t max_age_ms)
{
    if (max_age_ms < 0)
        return false;
    return now - h->written_ms > max_age_ms || h->written_ms > now + FUTURE_MS ||
           (h->withdrawn && max_age_ms <= SNAPSHOT_MAX_AGE_MS);
}

const struct snapshot_body *snapshot_acquire(struct snapshot_reader *r, int64_t max_age_ms,
                                             enum snapshot_state *state)
{
    int64_t now = boottime_ms();
    uint64_t first = 0; // sequence that the first readable head bore
    struct snapshot_head h;

    *state = SNAPSHOT_MISSING;
    if (atomic_load(&r->fd) < 0 && !reopen(r, now))
        return NULL;
    for (int i = 0, bad = 0; i < TRIES && bad < HEAD_TRIES; i++) {
        if (i > 0)
            sched_yield();
        if (!read_head(r, &h)) {
            *state = SNAPSHOT_BAD;
            if (++bad == HEAD_TRIES / 2)
                reopen(r, now);
            continue;
        }
        if (too_old(&h, now, max_age_ms)) {
            *state = SNAPSHOT_STALE;
            if (!reopen(r, now))
                return NULL;
            continue;
        }
        *state = SNAPSHOT_BAD;
        int held = hold_current(r);
        bool newest = held >= 0 && r->slot[held].s.head.sequence == h.sequence &&
                      r->slot[held].s.head.body_sum == h.body_sum;
        // While another thread fetches the newer body the one before it is good enough; so it is
        // when the writer has been faster than all our tries to fetch what it writes.
        if (first == 0)
            first = h.sequence;
        bool chased = held >= 0 && i >= TRIES / 2 && h.sequence != first;
        bool mine = !newest && !chased && !atomic_flag_test_and_set(&r->fetching);
        if (newest || (held >= 0 && !mine)) {
            *state = SNAPSHOT_OK;
            return &r->slot[held].s.body;
        }
        if (held >= 0)
            atomic_fetch_sub(&r->slot[held].users, 1);
        if (mine) {
            fetch(r);
            atomic_flag_clear(&r->fetching);
        }
    }
    return NULL;
}

const struct snapshot_body *snapshot_last(struct snapshot_reader *r)
{
    int held = hold_current(r);

    return held < 0 ? NULL : &r->slot[held].s.body;
}

void snapshot_release(struct snapshot_reader *r, const struct snapshot_body *body)
{
    for (int i = 0; body && i < SNAPSHOT_SLOTS; i++)
        if (body == &r->slot[i].s.body)
            atomic_fetch_sub(&r->slot[i].users, 1);
}

const struct snapshot_partition *snapshot_find_partition(const struct snapshot_body *b,
                                                         const char *name)
{
    for (uint32_t i = 0; i < b->n_partitions; i++)
        if (strcmp(b->partition[i].name, name) == 0)
            return &b->partition[i];
    return NULL;
}

unsigned snapshot_user_flags(const struct snapshot_body *b, uint32_t uid)
{
    uint32_t lo = 0, hi = b->n_users;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (b->user[mid].uid == uid)
            return b->user[mid].flags;
        if (b->user[mid].uid < uid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return b->unlisted_user;
}

bool snapshot_match(const struct snapshot_patterns *p, const char *text)
{
    if (strnlen(text, MATCH_MAX + 1) > MATCH_MAX)
        return false;
    for (uint32_t i = 0; i < p->n; i++)
        if (fnmatch(p->text[i], text, 0) == 0)
            return true;
    return false;
}

// ---- writer

struct snapshot_writer {
    char *path;
    int fd;
    bool published;
    unsigned heads;       // written since the body was
    struct snapshot last; // as it is in the file
};

void snapshot_init(struct snapshot *s)
{
    memset(s, 0, sizeof(*s));
    s->body.max_nodes = UINT32_MAX;
    s->body.max_minutes = UINT32_MAX;
    s->body.max_job_cost = INT64_MAX;
}

bool snapshot_set(char *field, size_t size, const char *text)
{
    size_t len = strlen(text);

    memset(field, 0, size);
    memcpy(field, text, len < size ? len : size - 1);
    return len < size;
}

static int open_file(struct snapshot_writer *w, burst_error_t *errp)
{
    struct stat st;
    int fd = open(w->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);

    if (fd < 0)
        return errprintf(errp, "%s: %s", w->path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        errprintf(errp, "%s: not a regular file; remove it", w->path);
    else if (st.st_uid != geteuid())
        errprintf(errp, "%s: belongs to uid %u, but this is uid %u; remove it", w->path,
                  (unsigned)st.st_uid, (unsigned)geteuid());
    else if (fchmod(fd, 0644) < 0 || (st.st_size != (off_t)sizeof(struct snapshot) &&
                                      ftruncate(fd, sizeof(struct snapshot)) < 0))
        errprintf(errp, "%s: %s", w->path, strerror(errno));
    else {
        w->fd = fd;
        w->published = false; // what is in it is not known
        return 0;
    }
    close(fd);
    return -1;
}

struct snapshot_writer *snapshot_writer_create(const char *path, burst_error_t *errp)
{
    struct snapshot_writer *w = calloc(1, sizeof(*w));

    if (!w || !(w->path = strdup(path))) {
        free(w);
        errprintf(errp, "%s: no memory", path);
        return NULL;
    }
    w->fd = -1;
    if (open_file(w, errp) < 0) {
        free(w->path);
        free(w);
        return NULL;
    }
    w->last.head.sequence = (uint64_t)boottime_ms();
    return w;
}

static int write_at(struct snapshot_writer *w, const void *data, size_t len, burst_error_t *errp)
{
    ssize_t n;

    do
        n = pwrite(w->fd, data, len, 0);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)len)
        return 0;
    w->published = false;
    return errprintf(errp, "%s: %s", w->path, n < 0 ? strerror(errno) : "written in part only");
}

void snapshot_writer_destroy(struct snapshot_writer *w)
{
    if (!w)
        return;
    if (w->published) {
        w->last.head.withdrawn = 1;
        w->last.head.head_sum = head_sum(&w->last.head);
        write_at(w, &w->last.head, sizeof(w->last.head), NULL);
    }
    if (w->fd >= 0)
        close(w->fd);
    free(w->path);
    free(w);
}

static bool same_file(struct snapshot_writer *w)
{
    struct stat there, ours;

    return w->fd >= 0 && stat(w->path, &there) == 0 && fstat(w->fd, &ours) == 0 &&
           there.st_ino == ours.st_ino && there.st_dev == ours.st_dev &&
           ours.st_size == (off_t)sizeof(struct snapshot);
}

static int by_uid(const void *a, const void *b)
{
    const struct snapshot_user *x = a, *y = b;

    return x->uid < y->uid ? -1 : x->uid > y->uid;
}

int snapshot_publish(struct snapshot_writer *w, struct snapshot *s, burst_error_t *errp)
{
    if (!good_body(&s->body))
        return errprintf(errp, "%s: not published: a count, index or string in it is not valid",
                         w->path);
    if (!same_file(w)) {
        if (w->fd >= 0)
            close(w->fd);
        w->fd = -1;
        if (open_file(w, errp) < 0)
            return -1;
    }
    qsort(s->body.user, s->body.n_users, sizeof(s->body.user[0]), by_uid);
    bool same = w->published && memcmp(&w->last.body, &s->body, sizeof(s->body)) == 0;
    bool whole = !same || w->heads >= MEND_HEADS;
    memset(&s->head, 0, sizeof(s->head));
    s->head.magic = SNAPSHOT_MAGIC;
    s->head.version = SNAPSHOT_VERSION;
    s->head.size = sizeof(*s);
    s->head.sequence = w->last.head.sequence + (same ? 0 : 1);
    s->head.body_sum = same ? w->last.head.body_sum : snapshot_sum(&s->body, sizeof(s->body));
    s->head.written_ms = boottime_ms();
    s->head.head_sum = head_sum(&s->head);
    if (write_at(w, s, whole ? sizeof(*s) : sizeof(s->head), errp) < 0)
        return -1;
    w->heads = whole ? 0 : w->heads + 1;
    w->last = *s;
    w->published = true;
    return 0;
}
