// SPDX-License-Identifier: GPL-3.0-or-later
// See api_trouble.h.
#include "rpc/api_trouble.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "money/caps.h"
#include "money/ledger.h"
#include "node/stagerd_probe.h"
#include "state/bounds.h"
#include "state/instances.h"

static void add(cJSON *rows, const char *kind, const char *text, const char *mend, int64_t until,
                bool fails)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "kind", kind);
    json_add_str(o, "text", text);
    json_add_str(o, "mend", mend);
    json_add_i64(o, "until", until);
    cJSON_AddBoolToObject(o, "fails", fails);
    cJSON_AddItemToArray(rows, o);
}

static void add_stagerd(struct burstd *b, cJSON *rows)
{
    char why[320];

    if (!stagerd_runs(b, why, sizeof(why)))
        add(rows, "stagerd", why, "systemctl start burst-stagerd; its log says why it stopped", 0,
            true);
}

static void add_caps(struct burstd *b, cJSON *rows)
{
    char why[320];

    if (caps_used_up(b, NULL, why, sizeof(why)))
        add(rows, "cap", why, "budget.max_usd_per_day in burst.yaml, burst reload",
            ledger_day_end(), true);
    for (unsigned c = 0; c < b->conf->n_clouds; c++)
        if (caps_used_up(b, &b->conf->clouds[c], why, sizeof(why)))
            add(rows, "cap", why, "its max_usd_per_day in burst.yaml, burst reload",
                ledger_day_end(), false);
}

// Nodes that are paid for only because home does not take what is on them.
static void add_results(struct burstd *b, cJSON *rows)
{
    const struct instance *first = NULL;
    unsigned n = 0;
    char text[480], mend[160];

    INSTANCES_EACH(b->instances, i)
    {
        if (!(i->flags & INST_F_STAGE_OUT) || !i->unhomed[0] || !instance_live(i))
            continue;
        n++;
        first = first ? first : i;
    }
    if (!n)
        return;
    snprintf(text, sizeof(text), "%u node%s with results that cannot come home, job %s first: %s",
             n, n == 1 ? " waits" : "s wait", first->job, first->unhomed);
    snprintf(mend, sizeof(mend),
             "give its user room; the results are kept below %.80s soon (data.keep_results)",
             b->conf->results_dir);
    add(rows, "results", text, mend, 0, false);
}

static bool closed(const cJSON *bound)
{
    return strcmp(json_str(bound, "state", ""), "closed") == 0;
}

static void add_site(const cJSON *bounds, cJSON *rows)
{
    const cJSON *r;
    char mend[160];

    cJSON_ArrayForEach(r, bounds)
    {
        if (!closed(r) || strcmp(json_str(r, "kind", ""), "site") != 0)
            continue;
        snprintf(mend, sizeof(mend), "mend it, then: burst bounds reopen %.80s",
                 json_str(r, "bound", ""));
        add(rows, "site", json_str(r, "sentence", ""), mend, json_i64(r, "until", 0), true);
    }
}

// "2 places, 1 shape": one row for all of them, `burst bounds` has the rest.
static void add_others(const cJSON *bounds, cJSON *rows)
{
    static const char *const kinds[] = {"place", "shape", "partition"};
    char text[320] = "", at[CLOCK_TEXT_MAX];
    int64_t first = 0;
    const cJSON *r;
    size_t len = 0;

    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        unsigned n = 0;
        cJSON_ArrayForEach(r, bounds)
        {
            int64_t until = json_i64(r, "until", 0);
            if (!closed(r) || strcmp(json_str(r, "kind", ""), kinds[k]) != 0)
                continue;
            n++;
            first = first && first < until ? first : until;
        }
        if (n)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u %s%s", len ? ", " : "", n,
                                    kinds[k], n == 1 ? "" : "s");
    }
    if (!len)
        return;
    clock_local(first, at);
    snprintf(text + len, sizeof(text) - len,
             " closed because nodes failed there again and again; tried again from %s on", at);
    add(rows, "bounds", text, "burst bounds says why; when it is mended: burst bounds reopen",
        first, false);
}

cJSON *trouble_rows(struct burstd *b)
{
    cJSON *rows = cJSON_CreateArray(), *bounds = bounds_json(b->bounds);

    add_stagerd(b, rows);
    add_site(bounds, rows);
    add_caps(b, rows);
    add_others(bounds, rows);
    add_results(b, rows);
    cJSON_Delete(bounds);
    return rows;
}
