// SPDX-License-Identifier: GPL-3.0-or-later
// See no_place.h.
#include "plan/no_place.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "cloud/clouds.h"
#include "cloud/observed.h"
#include "job/job_need.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "money/caps.h"
#include "money/ledger.h"
#include "state/bounds.h"

#define CAUSES_SHOWN 3
#define CAUSE_MAX 72 // bytes of a cause that are told

struct text {
    char *to;
    size_t size, len;
    unsigned parts;
};

// "; " between the parts.
static void __attribute__((format(printf, 2, 3))) add(struct text *t, const char *fmt, ...)
{
    va_list ap;

    if (t->len >= t->size)
        return;
    if (t->parts++)
        t->len += (size_t)snprintf(t->to + t->len, t->size - t->len, "; ");
    if (t->len >= t->size)
        return;
    va_start(ap, fmt);
    t->len += (size_t)vsnprintf(t->to + t->len, t->size - t->len, fmt, ap);
    va_end(ap);
}

// ---- no cloud may be asked

// What closes this shape there; *until: when it may be tried again, 0 = nobody knows.
static void shape_text(struct burstd *b, const struct cloud_conf *c, const struct shape_conf *s,
                       char *why, size_t size)
{
    char key[BOUND_KEY_MAX], at[CLOCK_TEXT_MAX];
    int64_t until;

    if (bound_closed(b->bounds, BOUND_PARTITION, c->partition, &until))
        snprintf(why, size, "closed until %s, Slurm started nothing there", clock_local(until, at));
    else if (bound_closed(b->bounds, BOUND_SHAPE, bound_shape_key(c->partition, s->name, key),
                          &until))
        snprintf(why, size, "shape %s is closed until %s, its nodes failed", s->name,
                 clock_local(until, at));
    else
        snprintf(why, size,
                 "too few node names of shape %s are free (taken, drained, reserved or excluded)",
                 s->name);
}

// What closes the cloud for all its shapes; false: nothing does.
static bool cloud_text(struct burstd *b, const struct plan_facts *f, unsigned k, char *why,
                       size_t size)
{
    const struct cloud_conf *conf = &b->conf->clouds[k];
    const struct cloud *c = clouds_at(b->clouds, k);
    char cap[MONEY_TEXT_MAX], at[CLOCK_TEXT_MAX];

    if (!c || !c->listed_once)
        snprintf(why, size, "it was not reached yet");
    else if (!cloud_usable(c))
        snprintf(why, size, "out of order (%.60s)", c->message);
    else if (plan_facts_left(f, k) <= 0)
        snprintf(why, size, "its cap of %s a day is used up until %s",
                 money_human(conf->max_per_day, cap), clock_local(ledger_day_end(), at));
    else if (plan_facts_live(f, k) >= conf->max_nodes)
        snprintf(why, size, "as many nodes as may be (%u) are rented there", conf->max_nodes);
    else
        return false;
    return true;
}

static const struct shape_conf *fitting(struct burstd *b, const struct plan_job *p,
                                        const struct cloud_conf *c)
{
    for (unsigned s = 0; s < b->conf->n_shapes; s++)
        if (cloud_has_shape(c, &b->conf->shapes[s]) &&
            job_nodes(b, &p->dm, c, &b->conf->shapes[s]) > 0)
            return &b->conf->shapes[s];
    return NULL;
}

void no_place_cloud(struct burstd *b, const struct plan_facts *f, const struct plan_job *p,
                    char *why, size_t size)
{
    char cause[256], said[256], cap[MONEY_TEXT_MAX], at[CLOCK_TEXT_MAX];
    struct text t = {said, sizeof(said), 0, 0};

    if (plan_facts_left(f, PLAN_SITE) <= 0) {
        snprintf(why, size, "the site's cap of %s a day is used up; more at %s",
                 money_human(b->conf->max_per_day, cap), clock_local(ledger_day_end(), at));
        return;
    }
    if (plan_facts_live(f, PLAN_SITE) >= b->conf->max_instances) {
        snprintf(why, size, "as many nodes as the site allows (%u) are rented now",
                 b->conf->max_instances);
        return;
    }
    for (unsigned k = 0; k < plan_facts_clouds(f); k++) {
        const struct cloud_conf *c = &b->conf->clouds[k];
        const struct shape_conf *s = fitting(b, p, c);
        if (!s || !directive_allows_cloud(&p->d, c->name))
            continue;
        if (!cloud_text(b, f, k, cause, sizeof(cause)))
            shape_text(b, c, s, cause, sizeof(cause));
        add(&t, "%s: %s", c->name, cause);
    }
    if (t.parts)
        snprintf(why, size, "no cloud may be asked now: %s", said);
}

// ---- the optimizer found none

// One cause of several places.
struct cause {
    char text[CAUSE_MAX];
    unsigned n;
};

struct causes {
    struct cause list[CAUSES_SHOWN];
    unsigned n, others;
    int64_t first; // epoch seconds: when the first of them is tried again
};

// "InsufficientCapacity: there is no p5 in us-east-1a": a code that a cloud gives is the same for
// all its places, what follows is not.
static int cause_length(const char *text)
{
    size_t code = strcspn(text, ": ");

    return (int)(text[code] == ':' && code > 0 ? code : strlen(text));
}

static void count_cause(struct causes *c, const char *text, int64_t until)
{
    char cut[CAUSE_MAX];
    unsigned k = 0;

    if (!c->first || until < c->first)
        c->first = until;
    snprintf(cut, sizeof(cut), "%.*s", cause_length(text), text);
    while (k < c->n && strcmp(c->list[k].text, cut) != 0)
        k++;
    if (k == CAUSES_SHOWN) {
        c->others++;
        return;
    }
    if (k == c->n) {
        memcpy(c->list[k].text, cut, sizeof(cut));
        c->n++;
    }
    c->list[k].n++;
}

static void closed_places(struct burstd *b, struct causes *c)
{
    cJSON *seen = observed_json(b->observed), *bounds = bounds_json(b->bounds);
    const cJSON *r;

    cJSON_ArrayForEach(r, cJSON_GetObjectItemCaseSensitive(seen, "blocked"))
        count_cause(c, json_str(r, "reason", ""), json_i64(r, "until", 0));
    cJSON_ArrayForEach(r, bounds) if (strcmp(json_str(r, "kind", ""), "place") == 0 &&
                                      strcmp(json_str(r, "state", ""), "closed") == 0)
        count_cause(c, json_str(r, "reason", ""), json_i64(r, "until", 0));
    cJSON_Delete(seen);
    cJSON_Delete(bounds);
}

// "all places that are left refused or failed, tried again from 2026-12-01T10:00:00 on: no capacity
// (4 places), over quota (1 place)"
static void refused_text(struct burstd *b, struct text *t)
{
    struct causes c = {.n = 0};
    char at[CLOCK_TEXT_MAX], list[CAUSES_SHOWN * (CAUSE_MAX + 20)] = "";
    size_t len = 0;

    closed_places(b, &c);
    for (unsigned k = 0; k < c.n; k++)
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s (%u place%s)", k ? ", " : "",
                                c.list[k].text, c.list[k].n, c.list[k].n == 1 ? "" : "s");
    if (c.first > clock_now_s())
        add(t, "all places that are left refused or failed, tried again from %s on: %s%s",
            clock_local(c.first, at), list, c.others ? " and others" : "");
    else
        add(t, "all places that are left refused or failed, one node tries them now: %s%s",
            len ? list : "see burst status", c.others ? " and others" : "");
}

static void caps_text(struct burstd *b, struct text *t)
{
    char left[MONEY_TEXT_MAX], at[CLOCK_TEXT_MAX];
    money_t site = caps_left_today(b, NULL);

    add(t, "until its time limit it costs more than today's caps leave");
    add(t, "more at %s", clock_local(ledger_day_end(), at));
    if (site != CONF_NO_CAP)
        add(t, "the site has %s left", money_human(site, left));
    for (unsigned c = 0; c < b->conf->n_clouds; c++)
        if (b->conf->clouds[c].max_per_day != CONF_NO_CAP)
            add(t, "%s %s", b->conf->clouds[c].name,
                money_human(caps_left_today(b, &b->conf->clouds[c]), left));
}

// The optimizer names the job by its number, as if there were many.
static const char *without_task(const char *reason)
{
    const char *end = strncmp(reason, "task \"", 6) == 0 ? strstr(reason, "\": ") : NULL;

    return end ? end + 3 : reason;
}

void no_place_reason(struct burstd *b, const char *reason, char *why, size_t size)
{
    char said[256] = "";
    struct text t = {said, sizeof(said), 0, 0};
    const char *plain = without_task(reason);

    if (strncmp(plain, "blocked:", 8) == 0)
        refused_text(b, &t);
    else if (strncmp(plain, "limits[", 7) == 0 && strstr(plain, "max_usd"))
        caps_text(b, &t);
    else if (strncmp(plain, "limits[", 7) == 0)
        add(&t, "as many nodes as may be are rented or being tried");
    else
        add(&t, "%s", plain);
    snprintf(why, size, "no offer fits now: %s", said);
}
