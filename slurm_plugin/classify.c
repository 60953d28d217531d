// SPDX-License-Identifier: GPL-3.0-or-later
// See classify.h. Principles: a user who asks for nothing special hears nothing and loses nothing;
// one who names a --burst option hears why it cannot be followed; a job that the site's own nodes
// can run never goes away because of a guess of ours.
#include "slurm_plugin/classify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "slurm_plugin/constraint.h"

#define WHY 256
#define PARTITION_NAMES SNAPSHOT_PARTITIONS // each is kept once: a list of any length fits

// All that the steps below share.
struct question {
    const struct snapshot_body *s;
    const struct job_request *j;
    struct directive *d;
    struct decision *out;
    struct need need;
    enum snapshot_age age;
    bool asked; // the user gave a --burst option
    bool only;  // ... or a partition that means the same
    // partitions that the job names, or the default one; indexes into s->partition
    uint32_t part[PARTITION_NAMES];
    unsigned n_part, n_elastic, n_local;
    char unknown[SNAPSHOT_NAME]; // first name that the snapshot does not have
    char need_why[64];
};

static void __attribute__((format(printf, 3, 4)))
say(struct question *q, enum verdict v, const char *fmt, ...)
{
    char *to = q->out->sentence;
    size_t size = sizeof(q->out->sentence);
    va_list ap;

    q->out->verdict = v;
    int n = snprintf(to, size, "burst: ");
    va_start(ap, fmt);
    vsnprintf(to + n, size - (size_t)n, fmt, ap);
    va_end(ap);
    // What comes from the user in it goes to a terminal.
    for (char *p = to; *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
}

// The job cannot leave the cluster, because ...
static void stays(struct question *q, const char *why)
{
    if (q->only)
        say(q, VERDICT_REJECT, "this job may run on rented nodes only, but %s", why);
    else if (q->asked) {
        say(q, VERDICT_ALONE, "the job waits for the cluster's own nodes only: %s", why);
        snprintf(q->out->stays, sizeof(q->out->stays), "%s", why);
    } else
        q->out->verdict = VERDICT_ALONE;
}

// A name from the user, fit for a message.
static const char *shown(const char *name, char buf[SNAPSHOT_NAME])
{
    size_t i;

    for (i = 0; name[i] && i < SNAPSHOT_NAME - 1; i++)
        buf[i] = name[i] > ' ' && name[i] <= '~' ? name[i] : '?';
    buf[i] = '\0';
    return buf;
}

// ---- partitions

static bool names_partition(const struct question *q, uint32_t index)
{
    for (unsigned i = 0; i < q->n_part; i++)
        if (q->part[i] == index)
            return true;
    return false;
}

static void add_partition(struct question *q, const char *name, size_t len)
{
    const struct snapshot_partition *p = NULL;
    char text[SNAPSHOT_NAME];

    snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : sizeof(text) - 1), name);
    if (len < sizeof(text))
        p = snapshot_find_partition(q->s, text);
    if (!p) {
        if (!q->unknown[0])
            shown(text, q->unknown);
        return;
    }
    uint32_t index = (uint32_t)(p - q->s->partition);
    if (names_partition(q, index))
        return;
    q->part[q->n_part++] = index;
    *(p->elastic ? &q->n_elastic : &q->n_local) += 1;
}

static void find_partitions(struct question *q)
{
    if (!q->j->partition || !q->j->partition[0]) {
        for (uint32_t i = 0; i < q->s->n_partitions; i++)
            if (q->s->partition[i].is_default)
                add_partition(q, q->s->partition[i].name, strlen(q->s->partition[i].name));
        return;
    }
    for (const char *p = q->j->partition; *p;) {
        size_t len = strcspn(p, ",");
        if (len)
            add_partition(q, p, len);
        p += len + (p[len] == ',');
    }
}

// ---- rules of the site

static bool account_admitted(const struct question *q)
{
    const char *a = q->j->account;

    if (!a || !a[0] || (q->s->cut & SNAPSHOT_CUT_PATTERNS))
        return true; // the default account is not known here: burstd checks again
    return !snapshot_match(&q->s->deny_accounts, a) && snapshot_match(&q->s->accounts, a);
}

static bool partition_admitted(const struct question *q)
{
    if (q->n_elastic || (q->s->cut & SNAPSHOT_CUT_PATTERNS))
        return true;
    for (unsigned i = 0; i < q->n_part; i++)
        if (snapshot_match(&q->s->partitions, q->s->partition[q->part[i]].name))
            return true;
    return false;
}

static bool license_usable(void *arg, const char *name)
{
    const struct snapshot_body *s = arg;

    return (s->cut & SNAPSHOT_CUT_PATTERNS) || snapshot_match(&s->licenses, name);
}

// Why the site does not let this job go, in words that complete "but ..."; false: it does.
static bool forbidden(const struct question *q, char *why, size_t size)
{
    const struct snapshot_body *s = q->s;
    const struct job_request *j = q->j;
    char name[SNAPSHOT_NAME], license[64];

    if (j->uid == 0)
        snprintf(why, size, "root's jobs never leave the cluster");
    else if (!(s->cut & SNAPSHOT_CUT_USERS) &&
             !(snapshot_user_flags(s, j->uid) & SNAPSHOT_USER_ALLOWED))
        snprintf(why, size, "this site does not let you use rented nodes");
    else if (!account_admitted(q))
        snprintf(why, size, "this site does not let account %s use rented nodes",
                 shown(j->account, name));
    else if (q->unknown[0] && !q->n_part)
        snprintf(why, size, "partition %s is not known to burstd", q->unknown);
    else if (!q->n_part)
        snprintf(why, size, "the cluster has no default partition; name one with -p");
    else if (!partition_admitted(q))
        snprintf(why, size, "jobs of partition %s do not leave this cluster",
                 q->s->partition[q->part[0]].name);
    else if (!j->batch && !s->interactive)
        snprintf(why, size, "here only batch jobs (sbatch) use rented nodes");
    else if (j->immediate)
        snprintf(why, size, "rented nodes take minutes and the job wants to start at once (-I)");
    else if (j->special)
        snprintf(why, size, "it asks for %s, which rented nodes do not have", j->special);
    else if (license_missing(j->licenses, license_usable, (void *)s, license))
        snprintf(why, size, "it asks for license %s, which this site does not use on rented nodes",
                 license);
    else if (j->min_nodes > s->max_nodes)
        snprintf(why, size, "it asks for %" PRIu32 " nodes and this site rents %" PRIu32 " a job",
                 j->min_nodes, s->max_nodes);
    else if (j->minutes == UINT32_MAX && j->minutes > s->max_minutes)
        snprintf(why, size,
                 "it has no time limit and this site rents for %" PRIu32 " minutes at most",
                 s->max_minutes);
    else if (j->minutes > s->max_minutes)
        snprintf(why, size,
                 "its time limit is %" PRIu32 " minutes and this site rents for %" PRIu32
                 " at most",
                 j->minutes, s->max_minutes);
    else
        return false;
    return true;
}

// ---- the cluster's own nodes

static struct need_defaults defaults_of(const struct snapshot_partition *p)
{
    return (struct need_defaults){p->def_mem_per_node, p->def_mem_per_cpu, p->def_mem_per_gpu,
                                  p->def_cpus_per_gpu, p->exclusive != 0};
}

// What it needs when it is submitted to one partition and runs in another (or the same).
static struct need settled(const struct question *q, uint32_t submitted, uint32_t runs)
{
    struct need_defaults s = defaults_of(&q->s->partition[submitted]);
    struct need_defaults r = defaults_of(&q->s->partition[runs]);
    struct need n = q->need;

    need_settle(&n, &s, &r);
    return n;
}

static struct node_size kind_size(const struct question *q, const struct snapshot_kind *k)
{
    struct node_size size = {.cpus = k->cpus,
                             .memory_mib = k->memory_mib,
                             .tmp_disk_mib = k->tmp_disk_mib,
                             .features = k->features[0] == '?' ? NULL : k->features};

    for (uint32_t i = 0; i < k->n_gpus; i++)
        if (!q->need.gpu_type[0] || strcmp(q->need.gpu_type, k->gpu[i].type) == 0)
            size.gpus += k->gpu[i].count;
    return size;
}

// Could the nodes of this partition together ever run the job? Errs on the side of yes.
static bool partition_fits(const struct question *q, uint32_t index)
{
    const struct need settled_need = settled(q, index, index), *n = &settled_need;
    unsigned __int128 nodes = 0, tasks = 0, cpus = 0, gpus = 0;

    for (uint32_t i = 0; i < q->s->n_kinds; i++) {
        const struct snapshot_kind *k = &q->s->kind[i];
        struct node_size size = kind_size(q, k);
        struct node_share share;
        if (k->partition != index || !need_share(n, &size, &share))
            continue;
        nodes += k->nodes;
        tasks += (unsigned __int128)share.tasks * k->nodes;
        cpus += (unsigned __int128)share.cpus * k->nodes;
        gpus += (unsigned __int128)share.gpus * k->nodes;
    }
    return nodes >= n->nodes && tasks >= n->tasks && cpus >= n->cpus_total && gpus >= n->gpus_total;
}

enum fit { FITS_HERE, FITS_ELSEWHERE, FITS_NOWHERE };

static enum fit local_fit(const struct question *q)
{
    enum fit fit = FITS_NOWHERE;

    for (uint32_t i = 0; i < q->s->n_partitions; i++) {
        if (q->s->partition[i].elastic || !partition_fits(q, i))
            continue;
        if (names_partition(q, i))
            return FITS_HERE;
        fit = FITS_ELSEWHERE;
    }
    return fit;
}

// What the cluster's own nodes lack, for a message: "no node here has gpu:h100".
static void describe_lack(const struct question *q, char *text, size_t size)
{
    const struct need *n = &q->need;
    uint64_t gpus = 0, cpus = 0, memory = 0, want = n->gpus_per_node;
    char what[NEED_GPU + 8];

    for (uint32_t i = 0; i < q->s->n_kinds; i++) {
        struct node_size k = kind_size(q, &q->s->kind[i]);
        gpus = k.gpus > gpus ? k.gpus : gpus;
        cpus = k.cpus > cpus ? k.cpus : cpus;
        memory = k.memory_mib > memory ? k.memory_mib : memory;
    }
    snprintf(what, sizeof(what), "gpu%s%s", n->gpu_type[0] ? ":" : "", n->gpu_type);
    if (n->gpus_per_task > want)
        want = n->gpus_per_task;
    if (need_wants_gpu(n) && gpus == 0)
        snprintf(text, size, "no node here has %s", what);
    else if (want > gpus)
        snprintf(text, size, "no node here has %" PRIu64 " of %s", want, what);
    else if (n->cpus_per_node > cpus)
        snprintf(text, size, "no node here has %" PRIu64 " CPUs", n->cpus_per_node);
    else if (n->mem_per_node > memory)
        snprintf(text, size, "no node here has %" PRIu64 " MB of memory", n->mem_per_node);
    else
        snprintf(text, size, "the nodes here are too few or too small for it");
}

// ---- rented nodes

struct offer {
    const struct snapshot_shape *shape; // NULL = none
    money_t cost;                       // of all its nodes for the whole runtime; INT64_MAX: it has
                                        // no price yet (burstd has just been started)
};

static int64_t runtime_s(const struct question *q)
{
    bool limited = q->j->minutes != 0 && q->j->minutes != UINT32_MAX;
    int64_t limit = limited ? (int64_t)q->j->minutes * 60 : 0, s = q->d->runtime_s;

    if (s == 0)
        s = limit ? limit : q->s->default_runtime_s;
    return limit && s > limit ? limit : s;
}

static money_t lower(money_t a, money_t b)
{
    if (a == MONEY_UNKNOWN || b == MONEY_UNKNOWN)
        return a == MONEY_UNKNOWN ? b : a;
    return a < b ? a : b;
}

static money_t shape_price(const struct question *q, const struct snapshot_shape *s)
{
    switch (q->d->market) {
    case DIRECTIVE_SPOT:
        return s->price_spot;
    case DIRECTIVE_ON_DEMAND:
        return s->price_on_demand;
    default:
        return lower(s->price_spot, s->price_on_demand);
    }
}

// burstd has not seen its prices yet; it looks at them before it rents.
static bool unpriced(const struct snapshot_shape *s)
{
    return s->price_spot == MONEY_UNKNOWN && s->price_on_demand == MONEY_UNKNOWN;
}

static money_t total_cost(const struct question *q, money_t price, uint64_t nodes)
{
    unsigned __int128 c = (unsigned __int128)price * nodes;
    int64_t seconds = runtime_s(q);

    if (c > INT64_MAX)
        return INT64_MAX;
    c = c * (unsigned __int128)(seconds > 0 ? seconds : 0) / 3600;
    return c > INT64_MAX ? INT64_MAX : (money_t)c;
}

// Nodes of this shape that the job takes, 0 = it does not run on them, whatever the price.
static uint64_t shape_count(const struct question *q, const struct snapshot_shape *s, bool held)
{
    const struct snapshot_partition *p = &q->s->partition[s->partition];
    struct node_size size = {.cpus = s->cpus,
                             .memory_mib = s->memory_mib,
                             .tmp_disk_mib = s->tmp_disk_mib,
                             .features = s->features};

    if (q->n_elastic && !names_partition(q, s->partition))
        return 0;
    if (!q->need.gpu_type[0] || strcmp(q->need.gpu_type, s->gpu_type) == 0)
        size.gpus = s->gpus;
    // A job that is held waits in the rented partition; another keeps what it got in its own.
    struct need need = settled(q, held || !q->n_part ? s->partition : q->part[0], s->partition);
    uint64_t n = need_count(&need, &size);
    return n <= s->nodes && n <= p->max_nodes && n <= q->s->max_nodes &&
                   (!q->j->minutes || q->j->minutes <= p->max_minutes)
               ? n
               : 0;
}

// Can any shape run it at all; and the cheapest of those that the user admits.
static bool find_offer(const struct question *q, bool held, struct offer *best)
{
    bool any = false;

    best->shape = NULL;
    best->cost = INT64_MAX;
    for (uint32_t i = 0; i < q->s->n_shapes; i++) {
        const struct snapshot_shape *s = &q->s->shape[i];
        uint64_t n = shape_count(q, s, held);
        any = any || n > 0;
        money_t price = shape_price(q, s);
        if (n == 0 || (price == MONEY_UNKNOWN && !unpriced(s)) ||
            !directive_allows_cloud(q->d, s->cloud))
            continue;
        money_t cost = price == MONEY_UNKNOWN ? INT64_MAX : total_cost(q, price, n);
        if (!best->shape || cost < best->cost) {
            best->shape = s;
            best->cost = cost;
        }
    }
    return any;
}

// Another spelling of a GPU type that is for rent, NULL = none.
static const char *similar_gpu(const struct question *q)
{
    const char *type = q->need.gpu_type;

    for (uint32_t i = 0; *type && i < q->s->n_aliases; i++)
        if (strcasecmp(q->s->alias[i].name, type) == 0 &&
            strcmp(q->s->alias[i].gpu_type, type) != 0)
            return q->s->alias[i].gpu_type;
    for (uint32_t i = 0; *type && i < q->s->n_shapes; i++)
        if (strcasecmp(q->s->shape[i].gpu_type, type) == 0 &&
            strcmp(q->s->shape[i].gpu_type, type) != 0)
            return q->s->shape[i].gpu_type;
    return NULL;
}

static void describe_no_shape(const struct question *q, char *why, size_t size)
{
    const char *other = similar_gpu(q);
    char buf[SNAPSHOT_NAME];

    if (other)
        snprintf(why, size, "no rented node has gpu:%s; did you mean gpu:%s?",
                 shown(q->need.gpu_type, buf), other);
    else if (q->need.gpu_type[0])
        snprintf(why, size, "no rented node has what it asks for (gpu:%s, nodes, CPUs, memory)",
                 shown(q->need.gpu_type, buf));
    else
        snprintf(why, size,
                 "no rented node has what it asks for (nodes, CPUs, memory, GPUs, "
                 "features, local disk)");
}

static void describe_no_offer(const struct question *q, char *why, size_t size)
{
    const char *market = q->d->market == DIRECTIVE_ANY ? "" : directive_market_name(q->d->market);

    snprintf(why, size, "no %s%snode that can run it is for rent%s%.100s now", market,
             *market ? " " : "", q->d->clouds[0] ? " at " : "", q->d->clouds);
}

static bool over_cap(const struct question *q, const struct offer *o, char *why, size_t size)
{
    char cost[MONEY_TEXT_MAX], cap[MONEY_TEXT_MAX];
    bool own = (q->d->given & DIRECTIVE_HAS_MAX_COST) && o->cost > q->d->max_cost;

    if (q->age != SNAPSHOT_FRESH || unpriced(o->shape)) // burstd judges by the prices of then
        return false;
    if (!own && o->cost <= q->s->max_job_cost)
        return false;
    snprintf(why, size, "at the cheapest place (%s) it would cost %s, more than %s of %s",
             o->shape->cloud, money_human(o->cost, cost),
             own ? "its --burst-max-cost" : "the limit",
             money_human(own ? q->d->max_cost : q->s->max_job_cost, cap));
    return true;
}

// ---- the decision

static void note_partition(struct question *q)
{
    const char *name = q->j->partition;

    if ((!name || !*name) && q->n_part)
        name = q->s->partition[q->part[0]].name;
    // A list of names that is too long is cut behind a name: they are alternatives.
    size_t len = name ? strlen(name) : 0;
    if (len >= sizeof(q->d->part))
        for (len = sizeof(q->d->part) - 1; len > 0 && name[len] != ','; len--)
            ;
    memcpy(q->d->part, name ? name : "", len);
    q->d->part[len] = '\0';
}

static void hold(struct question *q, const struct offer *o, const char *lack)
{
    q->d->cls = DIRECTIVE_HELD;
    q->d->user_hold = q->j->held;
    note_partition(q);
    snprintf(q->out->partition, sizeof(q->out->partition), "%s",
             q->s->partition[o->shape->partition].name);
    if (q->age == SNAPSHOT_FRESH)
        say(q, VERDICT_HOLD, "%s%sthe job waits for a rented node (see: burst why JOBID)", lack,
            *lack ? "; " : "");
    else
        say(q, VERDICT_HOLD,
            "%s%sburstd is not running just now; the job waits until it is back and has rented a "
            "node",
            lack, *lack ? "; " : "");
}

static void decide_only(struct question *q)
{
    char why[WHY];
    struct offer o;

    if (!find_offer(q, true, &o))
        describe_no_shape(q, why, sizeof(why));
    else if (!o.shape)
        describe_no_offer(q, why, sizeof(why));
    else if (!over_cap(q, &o, why, sizeof(why))) {
        hold(q, &o, "");
        return;
    }
    stays(q, why);
}

// The cluster's own nodes can never run it. Unless a rented one can, Slurm says so itself.
static void decide_impossible(struct question *q)
{
    char why[WHY], lack[WHY];
    struct offer o;
    bool any = find_offer(q, true, &o);

    describe_lack(q, lack, sizeof(lack));
    if (o.shape && !over_cap(q, &o, why, sizeof(why))) {
        hold(q, &o, lack);
        return;
    }
    if (!any)
        describe_no_shape(q, why, sizeof(why));
    else if (!o.shape)
        describe_no_offer(q, why, sizeof(why));
    if (any || q->asked || similar_gpu(q))
        say(q, VERDICT_ALONE, "%s, and %s", lack, why);
}

static void decide(struct question *q)
{
    enum fit fit = local_fit(q);
    char why[WHY];
    struct offer o;

    if (fit == FITS_NOWHERE && (q->s->cut & SNAPSHOT_CUT_LOCAL)) {
        stays(q, "burstd does not know all nodes of this cluster");
    } else if (fit == FITS_NOWHERE) {
        decide_impossible(q);
    } else if (fit == FITS_ELSEWHERE) {
        stays(q, "another partition of this cluster can run it");
    } else if (!find_offer(q, false, &o)) {
        describe_no_shape(q, why, sizeof(why));
        stays(q, why);
    } else {
        q->d->cls = DIRECTIVE_ELIGIBLE;
        note_partition(q);
        q->out->verdict = VERDICT_ELIGIBLE;
    }
}

// Sent straight to rented nodes: the same as --burst=only, at the clouds behind these partitions.
static void send_to_elastic(struct question *q)
{
    char list[sizeof(q->d->clouds)] = "";
    size_t len = 0;
    struct directive seen = {0}; // an empty list would admit all

    q->only = q->asked = true;
    q->d->mode = DIRECTIVE_ONLY;
    q->d->given |= DIRECTIVE_HAS_MODE;
    if (q->d->given & DIRECTIVE_HAS_CLOUDS)
        return;
    for (uint32_t i = 0; i < q->s->n_shapes; i++) {
        const struct snapshot_shape *s = &q->s->shape[i];
        if (!names_partition(q, s->partition) || (len && directive_allows_cloud(&seen, s->cloud)) ||
            len + strlen(s->cloud) + 2 > sizeof(list))
            continue;
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", len ? "," : "", s->cloud);
        memcpy(seen.clouds, list, sizeof(list));
    }
    if (len) {
        memcpy(q->d->clouds, list, sizeof(list));
        q->d->given |= DIRECTIVE_HAS_CLOUDS;
    }
}

// First name in --burst-clouds that no shape has.
static bool unknown_cloud(const struct question *q, char *name, size_t size)
{
    if (q->s->cut & SNAPSHOT_CUT_SHAPES)
        return false;
    for (const char *p = q->d->clouds; *p;) {
        size_t len = strcspn(p, ",");
        bool found = false;
        for (uint32_t i = 0; i < q->s->n_shapes && !found; i++)
            found =
                strlen(q->s->shape[i].cloud) == len && strncmp(q->s->shape[i].cloud, p, len) == 0;
        if (!found) {
            snprintf(name, size, "%.*s", (int)len, p);
            return true;
        }
        p += len + (p[len] == ',');
    }
    return false;
}

static void list_clouds(const struct snapshot_body *s, char *list, size_t size)
{
    size_t len = 0;

    list[0] = '\0';
    for (uint32_t i = 0; i < s->n_shapes && len < size; i++) {
        bool seen = false;
        for (uint32_t k = 0; k < i && !seen; k++)
            seen = strcmp(s->shape[k].cloud, s->shape[i].cloud) == 0;
        if (!seen)
            len += (size_t)snprintf(list + len, size - len, "%s%s", len ? ", " : "",
                                    s->shape[i].cloud);
    }
}

static void refuse_cloud(struct question *q, const char *name)
{
    char list[WHY];

    list_clouds(q->s, list, sizeof(list));
    say(q, VERDICT_REJECT, "--burst-clouds=%s: no cloud of this name here; there is: %s", name,
        list);
}

// Nodes that cost money are for burstd and operators to give out: what an ordinary user sends there
// himself must pass the rules. False: refused.
static bool admit_elastic(struct question *q)
{
    if (q->n_local || q->unknown[0])
        say(q, VERDICT_REJECT,
            "rented partitions cannot be mixed with others in one list; name the cluster's own "
            "only, jobs are moved when it helps");
    else if (q->d->given && q->d->mode == DIRECTIVE_NEVER)
        say(q, VERDICT_REJECT,
            "--burst=never and partition %s (rented nodes) contradict each other",
            q->s->partition[q->part[0]].name);
    else if (q->j->het)
        say(q, VERDICT_REJECT,
            "a heterogeneous job (several components with ':') cannot run on rented nodes; leave "
            "out partition %s",
            q->s->partition[q->part[0]].name);
    else if (q->age == SNAPSHOT_OLD)
        say(q, VERDICT_REJECT, "burstd is not running now, so nobody rents nodes for partition %s",
            q->s->partition[q->part[0]].name);
    else {
        send_to_elastic(q);
        return true;
    }
    return false;
}

static bool is_operator(const struct question *q)
{
    return q->j->privileged || (snapshot_user_flags(q->s, q->j->uid) & SNAPSHOT_USER_OPERATOR);
}

static void ask(struct question *q)
{
    char why[WHY], cloud[DIRECTIVE_CLOUD_MAX];

    if (!q->asked && !q->s->default_auto)
        return;
    if (unknown_cloud(q, cloud, sizeof(cloud)))
        refuse_cloud(q, cloud);
    else if (forbidden(q, why, sizeof(why)))
        stays(q, why);
    else if (need_of(q->j, &q->need, q->need_why, sizeof(q->need_why)) < 0) {
        snprintf(why, sizeof(why), "it asks for %s, which rented nodes do not have", q->need_why);
        stays(q, why);
    } else if (q->only)
        decide_only(q);
    else
        decide(q);
}

// Nobody rents nodes now. Of a job that waits for the cluster's own nodes nothing is said; one that
// they can never run hears why Slurm refuses it.
static void without_burstd(struct question *q)
{
    char why[WHY], lack[WHY];

    stays(q, "burstd is not running now");
    if (q->asked || !q->s || !q->s->default_auto || (q->s->cut & SNAPSHOT_CUT_LOCAL) ||
        forbidden(q, why, sizeof(why)) ||
        need_of(q->j, &q->need, q->need_why, sizeof(q->need_why)) < 0 ||
        local_fit(q) != FITS_NOWHERE)
        return;
    describe_lack(q, lack, sizeof(lack));
    say(q, VERDICT_ALONE, "%s, and burstd, which would rent one, is not running now", lack);
}

void classify(const struct snapshot_body *snapshot, enum snapshot_age age,
              const struct job_request *job, struct directive *d, struct decision *out)
{
    struct question q = {.s = snapshot, .age = age, .j = job, .d = d, .out = out};

    out->verdict = VERDICT_ALONE;
    out->partition[0] = out->sentence[0] = out->stays[0] = '\0';
    q.asked = d->given != 0;
    q.only = d->given && d->mode == DIRECTIVE_ONLY;
    if (snapshot)
        find_partitions(&q);
    if (q.n_elastic) {
        if ((is_operator(&q) && !q.asked) || !admit_elastic(&q))
            return;
    } else if (d->given && d->mode == DIRECTIVE_NEVER) {
        snprintf(out->stays, sizeof(out->stays), "--burst=never was asked for");
        return;
    }
    if (job->het && q.asked)
        say(&q, VERDICT_REJECT,
            "a heterogeneous job (several components with ':') cannot run on rented nodes; leave "
            "out the --burst options");
    else if (!job->het && (!snapshot || age == SNAPSHOT_OLD))
        without_burstd(&q);
    else if (!job->het)
        ask(&q);
}

bool classify_names_elastic(const struct snapshot_body *snapshot, const char *partitions)
{
    struct job_request j = {.partition = partitions};
    struct question q = {.s = snapshot, .j = &j};

    if (snapshot && partitions && partitions[0])
        find_partitions(&q);
    return q.n_elastic > 0;
}

bool classify_listed(const char *partitions, const char *names)
{
    for (const char *p = partitions; p && *p;) {
        size_t len = strcspn(p, ",");
        for (const char *n = names; len && *n;) {
            size_t k = strcspn(n, ",");
            if (k == len && memcmp(n, p, len) == 0)
                return true;
            n += k + (n[k] == ',');
        }
        p += len + (p[len] == ',');
    }
    return false;
}
