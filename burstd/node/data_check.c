// SPDX-License-Identifier: GPL-3.0-or-later
// See data_check.h.
#include "node/data_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/conf.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "node/stage_spec.h"
#include "node/stagerd_client.h"
#include "node/stagerd_probe.h"

#define LOOK_MS 30000  // burst-stagerd looks so long at one job's data; beyond, they are not known
#define FIT_MS 300000  // an answer is good so long; the stage-in looks again in any case
#define FIRST_MS 60000 // what does not fit is looked at again then, and later and later
#define TROUBLE_MS 10000 // the same after an error of a file server, or of the question
#define LONGEST_MS 3600000
#define FORGET_MS 900000 // nobody has asked
#define LOOKS 8          // at a time
#define LOOKS_OF_ONE 2   // of one user: his file server may hang
#define TRIES 4          // what is missing or not readable may be on its way
#define SLOW_MS 3000     // a look that takes longer is told

struct check {
    char *key; // the request
    uint32_t uid;
    enum data_verdict verdict;
    bool looking;
    int64_t begun_ms, until_ms, used_ms; // monotonic; the verdict is good until then
    int64_t until;                       // the same for people, epoch seconds
    unsigned failures;                   // in a row
    char why[256];
    struct data_checks *t; // NULL: it is gone
    UT_hash_handle hh;
};

struct data_checks {
    struct burstd *b;
    struct check *rows;
};

struct data_checks *data_checks_create(struct burstd *b)
{
    struct data_checks *t = xmalloc(sizeof(*t));

    t->b = b;
    return t;
}

static void drop(struct check *c)
{
    free(c->key);
    free(c);
}

void data_checks_destroy(struct data_checks *t)
{
    struct check *c, *next;

    if (!t)
        return;
    HASH_ITER(hh, t->rows, c, next)
    {
        HASH_DEL(t->rows, c);
        c->t = NULL;
        if (!c->looking) // else its answer drops it
            drop(c);
    }
    free(t);
}

static cJSON *request_of(struct burstd *b, const struct bjob *j)
{
    cJSON *r = cJSON_CreateObject(), *exclude;

    json_add_str(r, "op", "survey");
    json_add_i64(r, "uid", j->uid);
    json_add_i64(r, "gid", j->gid);
    json_add_str(r, "user", j->user);
    cJSON_AddItemToObject(r, "paths", stage_spec_needs(j));
    cJSON_AddItemToObject(r, "named", stage_spec_named(j));
    json_add_i64(r, "max_bytes", b->conf->max_stage_bytes);
    json_add_i64(r, "max_ms", LOOK_MS);
    exclude = cJSON_AddArrayToObject(r, "exclude");
    for (unsigned k = 0; k < b->conf->n_exclude; k++)
        cJSON_AddItemToArray(exclude, cJSON_CreateString(b->conf->exclude[k]));
    return r;
}

static struct check *row(struct data_checks *t, const struct bjob *j)
{
    cJSON *r = request_of(t->b, j);
    char *key = json_line(r);
    struct check *c;

    cJSON_Delete(r);
    HASH_FIND_STR(t->rows, key, c);
    if (c) {
        free(key);
        return c;
    }
    c = xmalloc(sizeof(*c));
    c->key = key;
    c->uid = j->uid;
    c->verdict = DATA_ASKED;
    c->t = t;
    HASH_ADD_KEYPTR(hh, t->rows, c->key, strlen(c->key), c);
    return c;
}

static void forget_old(struct data_checks *t, int64_t now)
{
    struct check *c, *next;

    HASH_ITER(hh, t->rows, c, next)
    {
        if (c->looking || now - c->used_ms < FORGET_MS)
            continue;
        HASH_DEL(t->rows, c);
        drop(c);
    }
}

static void good_for(struct check *c, int64_t ms)
{
    c->until_ms = clock_mono_ms() + ms;
    c->until = clock_now_s() + ms / 1000;
}

// It has not looked: says nothing of the data.
static void unasked(struct check *c, const char *error)
{
    c->verdict = DATA_UNFIT;
    snprintf(c->why, sizeof(c->why), "burst-stagerd does not answer (%.180s)", error);
    good_for(c, TROUBLE_MS);
}

// cls: burst-stagerd's, "" = it gave no answer.
static void unfit(struct check *c, const char *cls, const char *error)
{
    bool may_come = strcmp(cls, "missing") == 0 || strcmp(cls, "denied") == 0;
    bool limit = strcmp(cls, "limit") == 0;
    int64_t pause = may_come || limit ? FIRST_MS : TROUBLE_MS;

    for (unsigned k = 0; k < c->failures && pause < LONGEST_MS; k++)
        pause *= 2;
    c->failures++;
    c->verdict = limit || (may_come && c->failures >= TRIES) ? DATA_HOPELESS : DATA_UNFIT;
    snprintf(c->why, sizeof(c->why), "%s", error);
    good_for(c, pause < LONGEST_MS ? pause : LONGEST_MS);
}

static void looked(void *arg, const cJSON *answer, bool down, const char *error)
{
    struct check *c = arg;
    struct data_checks *t = c->t;

    c->looking = false;
    if (!t) {
        drop(c);
        return;
    }
    if (down) {
        unasked(c, error);
    } else if (json_bool(answer, "ok", false)) {
        c->verdict = DATA_FIT;
        c->failures = 0;
        c->why[0] = '\0';
        good_for(c, FIT_MS);
    } else {
        unfit(c, json_str(answer, "class", ""), error ? error : json_str(answer, "error", "?"));
    }
    t->b->poke(t->b);
}

static bool slot(const struct data_checks *t, uint32_t uid)
{
    unsigned all = 0, his = 0;

    for (const struct check *c = t->rows; c; c = c->hh.next) {
        all += c->looking;
        his += c->looking && c->uid == uid;
    }
    return all < LOOKS && his < LOOKS_OF_ONE;
}

static void look(struct data_checks *t, struct check *c, int64_t now)
{
    if (c->looking || (c->verdict != DATA_ASKED && now < c->until_ms) || !slot(t, c->uid))
        return;
    forget_old(t, now);
    c->looking = true;
    c->begun_ms = now;
    stagerd_ask(t->b, json_parse(c->key, strlen(c->key), NULL), looked, c);
}

static void sentence(const struct check *c, int64_t now, char *why, size_t size)
{
    char at[CLOCK_TEXT_MAX];

    why[0] = '\0';
    if (c->why[0]) {
        clock_local(c->until, at);
        snprintf(why, size, "no node is rented for it: %.190s (looked at again at %s)", c->why, at);
    } else if (c->looking && now - c->begun_ms >= SLOW_MS)
        snprintf(why, size, "its data are being looked at before a node is rented");
}

const char *data_fault(struct burstd *b, const struct bjob *j)
{
    return row(b->data_checks, j)->why;
}

enum data_verdict data_check(struct burstd *b, struct bjob *j, char *why, size_t size)
{
    struct data_checks *t = b->data_checks;
    int64_t now = clock_mono_ms();

    why[0] = '\0';
    if (b->conf->shared_filesystem || now < j->fits_ms)
        return DATA_FIT;
    if (!stagerd_runs(b, why, size))
        return DATA_UNFIT;
    struct check *c = row(t, j);
    c->used_ms = now;
    look(t, c, now);
    j->hopeless = c->verdict == DATA_HOPELESS;
    if (c->verdict == DATA_FIT && now < c->until_ms) {
        j->fits_ms = c->until_ms;
        return DATA_FIT;
    }
    sentence(c, now, why, size);
    return c->verdict == DATA_FIT ? DATA_ASKED : c->verdict;
}
