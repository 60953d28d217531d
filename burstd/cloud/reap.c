// SPDX-License-Identifier: GPL-3.0-or-later
// See reap.h.
#include "cloud/reap.h"

static enum reap_verdict unknown_to_us(const struct reap_facts *f)
{
    if (!f->listed || f->cloud_state == PROVIDER_STOPPING)
        return REAP_NOTHING;
    if (f->cloud_state == PROVIDER_TERMINATED) // by itself, before we heard that it had begun
        return f->unpaid ? REAP_ORPHAN : REAP_NOTHING;
    if (f->age_s < f->minimum_age_s || (f->confirmed && f->listed_s < REAP_MISSING_S))
        return REAP_NOTHING;
    return f->known ? REAP_ORPHAN : REAP_STRANGER;
}

static enum reap_verdict missing(const struct reap_facts *f)
{
    if (f->state == INST_LAUNCHING)
        return REAP_NOTHING; // the launch itself tells its outcome
    if (f->misses < REAP_MISSES || f->missing_s < REAP_MISSING_S)
        return REAP_WAIT;
    if (!f->absent)
        return REAP_ASK;
    return f->state == INST_TERMINATING ? REAP_GONE : REAP_LOST;
}

enum reap_verdict reap_decide(const struct reap_facts *f)
{
    if (!f->journalled || f->state == INST_GONE)
        return unknown_to_us(f);
    if (!f->listed)
        return missing(f);
    if (f->cloud_state == PROVIDER_TERMINATED)
        return f->state == INST_TERMINATING ? REAP_GONE : REAP_LOST;
    if (f->cloud_state == PROVIDER_STOPPING)
        return f->state == INST_TERMINATING ? REAP_UPDATE : REAP_LOST;
    return REAP_UPDATE;
}

const char *reap_verdict_name(enum reap_verdict v)
{
    static const char *const names[] = {"nothing", "update", "wait",     "ask",
                                        "lost",    "gone",   "stranger", "orphan"};

    return names[v];
}
