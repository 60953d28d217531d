// SPDX-License-Identifier: GPL-3.0-or-later
// What a user asks of slurm-burst (the options --burst, --burst-deadline ...) and the mark by which
// the job_submit plugin tells burstd about it (docs/design/internals.md, section 2).
//
// Pure: no Slurm header, no allocation, no state, no clock of its own; safe in any thread. Every
// input is hostile: it may come from a client that never saw our SPANK plugin. One exception to
// "pure": a local time ("2026-12-01T10:00") needs mktime(), which looks at the time zone of the
// machine that it runs on.
#ifndef BURST_DIRECTIVE_H
#define BURST_DIRECTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libburst/error.h"
#include "libburst/money.h"

#define DIRECTIVE_MARK_MAX 2048 // buffer that holds every mark, with its end
#define DIRECTIVE_VALUE_MAX 256 // bytes of an option's value; longer ones are not looked at
#define DIRECTIVE_LIST_MAX 4096 // ... of one that is a list. All must fit into the mark, coded
#define DIRECTIVE_CLOUD_MAX 33  // buffer for one cloud name
// In front of the plugin's words in the AdminComment of a job whose user named an option and that
// stays all the same. No mark: burstd does not look after it.
#define DIRECTIVE_STAYS "burst: stays here: "
#define DIRECTIVE_CLOUDS 16 // names in --burst-clouds
#define DIRECTIVE_DATA 16   // items in --burst-data

enum directive_class { DIRECTIVE_UNMARKED, DIRECTIVE_ELIGIBLE, DIRECTIVE_HELD };
enum directive_mode { DIRECTIVE_AUTO, DIRECTIVE_NEVER, DIRECTIVE_ONLY };
enum directive_market { DIRECTIVE_ANY, DIRECTIVE_SPOT, DIRECTIVE_ON_DEMAND };

// Which options were given (bits of `given`), in the order of directive_options[].
enum {
    DIRECTIVE_HAS_MODE = 1 << 0,
    DIRECTIVE_HAS_DEADLINE = 1 << 1,
    DIRECTIVE_HAS_MAX_COST = 1 << 2,
    DIRECTIVE_HAS_CLOUDS = 1 << 3,
    DIRECTIVE_HAS_MARKET = 1 << 4,
    DIRECTIVE_HAS_RUNTIME = 1 << 5,
    DIRECTIVE_HAS_DATA = 1 << 6,
    DIRECTIVE_HAS_STAGE_IN = 1 << 7,
    DIRECTIVE_HAS_STAGE_OUT = 1 << 8,
};

// All zero = nothing was asked for. Strings are "" when not given.
struct directive {
    unsigned given; // DIRECTIVE_HAS_*
    enum directive_mode mode;
    enum directive_market market;
    int64_t deadline;  // epoch seconds
    money_t max_cost;  // micro-dollars
    int64_t runtime_s; // the user's estimate of the work
    char clouds[544];  // comma list of names
    char data[2560];   // "aws/us-east-1:150,gcp/us-central1:2.5", see directive_data_next()
    char stage_in[DIRECTIVE_LIST_MAX +
                  1]; // comma list of paths, absolute or relative to the submit directory
    char stage_out[DIRECTIVE_LIST_MAX + 1]; // likewise

    // of the mark only, never from an option
    enum directive_class cls;
    bool user_hold;     // the user held the job (sbatch -H) before the plugin did: not burstd's to
                        // release
    bool moved;         // burstd has set its maximum of nodes to those that are rented;
    uint32_t max_nodes; // before that it was this, 0 = none
    char submit_dir[DIRECTIVE_MARK_MAX]; // where it was submitted, if not in its working directory
    char part[256]; // partition(s) that the job was submitted to, as written; "" = none named
};

// The options, for SPANK and for the manual. Ends with a NULL name.
struct directive_option {
    const char *name;    // "burst-deadline"
    const char *arginfo; // "TIME"
    const char *usage;   // one sentence
};
extern const struct directive_option directive_options[];

// Takes one option ("burst", "burst-deadline" ...). now: epoch seconds, for times that count from
// now and to refuse a past deadline. A later value replaces an earlier one. -1 with a sentence that
// names option and value and says what would be right; d is unchanged then.
int directive_set(struct directive *d, const char *option, const char *value, int64_t now,
                  burst_error_t *errp);

// Takes the options out of an environment as SPANK hands it to slurmctld (job_desc.spank_job_env):
// "_SLURM_SPANK_OPTION_burst_burst_deadline=...". Other entries and NULLs are skipped. An option
// "burst_..." that this version does not know is an error: silence would cost the user money.
// -1 at the first error.
int directive_from_env(struct directive *d, char *const *env, size_t n, int64_t now,
                       burst_error_t *errp);

// The mark inside an AdminComment ("burst:1 ..." to its end), or NULL. Borrowed.
const char *directive_find_mark(const char *admin_comment);

// Reads the mark in an AdminComment (with or without what people read in front of it). -1 and all
// of d zero when there is none or it is not as we write it.
int directive_from_mark(const char *admin_comment, struct directive *d);

// Writes the mark (cls must not be UNMARKED). Returns its length, or -1 when size is too small;
// with DIRECTIVE_MARK_MAX that means that the user's values are too long together.
int directive_to_mark(const struct directive *d, char *buf, size_t size);

// The length that the mark would have, whatever it is.
size_t directive_mark_length(const struct directive *d);
// Do the values fit into a mark together? -1 with a sentence that says by how much they do not.
// With room for the partition, which only slurmctld knows.
int directive_check_sum(const struct directive *d, burst_error_t *errp);

// Is this cloud admitted by --burst-clouds? Everything is when the option was not given.
bool directive_allows_cloud(const struct directive *d, const char *cloud);

// The items of --burst-data one after another: start with cursor = d->data. False at the end.
struct directive_data {
    char location[128]; // "cloud/region" or "job/ID"
    double size_gb;
};
bool directive_data_next(const char **cursor, struct directive_data *item);
// "job/123" or "job/123_4" names what that job leaves where it ran: its key inside location
// ("123_4"), or NULL when the item is a place.
const char *directive_data_job(const struct directive_data *item);

const char *directive_class_name(enum directive_class c);   // "eligible", "held", ""
const char *directive_mode_name(enum directive_mode m);     // "auto", "never", "only"
const char *directive_market_name(enum directive_market m); // "any", "spot", "on-demand"

#endif
