// SPDX-License-Identifier: GPL-3.0-or-later
// See publish.h. Names are resolved to uids here, once per configuration: the plugin must not ask a
// name service.
#include "slurm/publish.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/xalloc.h"
#include "slurm/slurm_link.h"
#include "slurm_plugin/snapshot.h"
#include "state/shape_prices.h"

struct publisher {
    struct burstd *b;
    struct snapshot_writer *writer;
    struct snapshot *s;
    const struct burst_conf *users_of; // configuration whose users are resolved in s
    unsigned rounds;                   // of prices that are published
    bool troubled, published;
};

struct publisher *publisher_create(struct burstd *b, burst_error_t *errp)
{
    struct publisher *p = xmalloc(sizeof(*p));
    char *path = xasprintf("%s/snapshot", b->conf->run_dir);

    p->b = b;
    p->s = xmalloc(sizeof(*p->s));
    snapshot_init(p->s);
    p->writer = snapshot_writer_create(path, errp);
    free(path);
    if (p->writer)
        return p;
    free(p->s);
    free(p);
    return NULL;
}

void publisher_destroy(struct publisher *p)
{
    if (!p)
        return;
    snapshot_writer_destroy(p->writer);
    free(p->s);
    free(p);
}

// ---- content

static void copy_patterns(struct snapshot_body *o, struct snapshot_patterns *to, char **from,
                          unsigned n)
{
    to->n = 0;
    for (unsigned k = 0; k < n; k++) {
        if (to->n == SNAPSHOT_PATTERNS || !snapshot_set(to->text[to->n], SNAPSHOT_NAME, from[k])) {
            o->cut |= SNAPSHOT_CUT_PATTERNS;
            continue;
        }
        to->n++;
    }
}

static bool is_pattern(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

static struct snapshot_user *user_row(struct snapshot_body *o, uid_t uid)
{
    for (uint32_t k = 0; k < o->n_users; k++)
        if (o->user[k].uid == uid)
            return &o->user[k];
    if (o->n_users == SNAPSHOT_USERS) {
        o->cut |= SNAPSHOT_CUT_USERS;
        return NULL;
    }
    struct snapshot_user *u = &o->user[o->n_users++];
    u->uid = uid;
    u->flags = o->unlisted_user;
    return u;
}

static void flag_user(struct snapshot_body *o, const char *name, unsigned set, unsigned clear)
{
    struct passwd *pw = getpwnam(name);
    struct snapshot_user *u = pw ? user_row(o, pw->pw_uid) : NULL;

    if (u)
        u->flags = (u->flags & ~clear) | set;
}

// Once per configuration, at its start: name services may take their time.
static void resolve_users(struct publisher *p)
{
    const struct burst_conf *conf = p->b->conf;
    struct snapshot_body *o = &p->s->body;

    o->n_users = 0;
    o->unlisted_user = 0;
    for (unsigned k = 0; k < conf->n_users; k++)
        if (is_pattern(conf->users[k]))
            o->unlisted_user = SNAPSHOT_USER_ALLOWED;
    for (unsigned k = 0; k < conf->n_users; k++)
        if (!is_pattern(conf->users[k]))
            flag_user(o, conf->users[k], SNAPSHOT_USER_ALLOWED, 0);
    for (unsigned k = 0; k < conf->n_deny_users; k++)
        if (!is_pattern(conf->deny_users[k]))
            flag_user(o, conf->deny_users[k], 0, SNAPSHOT_USER_ALLOWED);
    flag_user(o, "root", SNAPSHOT_USER_OPERATOR, 0);
    flag_user(o, conf->slurm_user, SNAPSHOT_USER_OPERATOR, 0);
    for (unsigned k = 0; k < conf->n_operator_users; k++)
        flag_user(o, conf->operator_users[k], SNAPSHOT_USER_OPERATOR, 0);
    for (unsigned k = 0; k < conf->n_operator_groups; k++) {
        struct group *g = getgrnam(conf->operator_groups[k]);
        for (char **m = g ? g->gr_mem : NULL; m && *m; m++)
            flag_user(o, *m, SNAPSHOT_USER_OPERATOR, 0);
    }
    p->users_of = conf;
}

static void add_partition(struct publisher *p, const struct spart *part, bool elastic)
{
    struct snapshot_body *o = &p->s->body;
    struct snapshot_partition *row = &o->partition[o->n_partitions];

    if (o->n_partitions == SNAPSHOT_PARTITIONS ||
        !snapshot_set(row->name, sizeof(row->name), part->name)) {
        o->cut |= SNAPSHOT_CUT_LOCAL;
        return;
    }
    row->is_default = part->is_default;
    row->elastic = elastic;
    row->max_nodes = part->max_nodes ? part->max_nodes : UINT32_MAX;
    row->max_minutes = part->max_time_s > 0 ? (uint32_t)(part->max_time_s / 60) : UINT32_MAX;
    row->exclusive = part->exclusive;
    row->def_mem_per_node = part->def_mem_per_node_mib;
    row->def_mem_per_cpu = part->def_mem_per_cpu_mib;
    row->def_mem_per_gpu = part->def_mem_per_gpu_mib;
    row->def_cpus_per_gpu = part->def_cpus_per_gpu;
    o->n_partitions++;
}

// The elastic ones first: they must be known, and of the others a large site may have more than
// fit.
static void add_partitions(struct publisher *p)
{
    const struct spart *const *parts;
    size_t n = slurm_link_parts(p->b->slurm, &parts);

    p->s->body.n_partitions = 0;
    for (int elastic = 1; elastic >= 0; elastic--)
        for (size_t k = 0; k < n; k++)
            if ((conf_find_partition(p->b->conf, parts[k]->name) != NULL) == elastic)
                add_partition(p, parts[k], elastic);
}

static bool in_list(const char *commas, const char *name)
{
    size_t n = strlen(name);

    for (const char *q = commas; *q;) {
        size_t len = strcspn(q, ",");
        if (len == n && strncmp(q, name, n) == 0)
            return true;
        q += len + (q[len] == ',');
    }
    return false;
}

// "gpu:a100:2(S:0),gpu:t4:1" -> gpu entries.
static void parse_gres(struct snapshot_kind *kind, const char *gres)
{
    for (const char *q = gres; *q;) {
        size_t len = strcspn(q, ",");
        char type[SNAPSHOT_GPU] = "";
        unsigned count = 0;
        if (strncmp(q, "gpu:", 4) == 0 && kind->n_gpus < SNAPSHOT_GPUS) {
            if (sscanf(q, "gpu:%31[^:,(]:%u", type, &count) != 2) {
                type[0] = '\0';
                if (sscanf(q, "gpu:%u", &count) != 1)
                    count = 0;
            }
            if (count) {
                snapshot_set(kind->gpu[kind->n_gpus].type, SNAPSHOT_GPU, type);
                kind->gpu[kind->n_gpus++].count = count;
            }
        }
        q += len + (q[len] == ',');
    }
}

static bool alike(const struct snapshot_kind *a, const struct snapshot_kind *b)
{
    return a->partition == b->partition && a->cpus == b->cpus && a->memory_mib == b->memory_mib &&
           a->tmp_disk_mib == b->tmp_disk_mib && strcmp(a->features, b->features) == 0 &&
           a->n_gpus == b->n_gpus && memcmp(a->gpu, b->gpu, sizeof(a->gpu)) == 0;
}

static void add_kind(struct snapshot_body *o, const struct snapshot_kind *kind)
{
    for (uint32_t k = 0; k < o->n_kinds; k++) {
        if (alike(&o->kind[k], kind)) {
            o->kind[k].nodes++;
            return;
        }
    }
    if (o->n_kinds == SNAPSHOT_KINDS)
        o->cut |= SNAPSHOT_CUT_LOCAL;
    else
        o->kind[o->n_kinds++] = *kind;
}

static void add_kinds(struct publisher *p)
{
    struct snapshot_body *o = &p->s->body;
    const struct snode *const *nodes;
    size_t n = slurm_link_nodes(p->b->slurm, &nodes);

    o->n_kinds = 0;
    for (size_t k = 0; k < n; k++)
        for (uint32_t part = 0; part < o->n_partitions; part++) {
            struct snapshot_kind kind;
            if (o->partition[part].elastic ||
                !in_list(nodes[k]->partitions, o->partition[part].name))
                continue;
            memset(&kind, 0, sizeof(kind));
            kind.partition = part;
            kind.nodes = 1;
            kind.cpus = nodes[k]->cpus;
            kind.memory_mib = nodes[k]->memory_mib;
            kind.tmp_disk_mib = nodes[k]->tmp_disk_mib;
            if (!snapshot_set(kind.features, sizeof(kind.features), nodes[k]->features))
                snapshot_set(kind.features, sizeof(kind.features), "?");
            parse_gres(&kind, nodes[k]->gres);
            add_kind(o, &kind);
        }
}

static int partition_index(const struct snapshot_body *o, const char *name)
{
    for (uint32_t k = 0; k < o->n_partitions; k++)
        if (strcmp(o->partition[k].name, name) == 0)
            return (int)k;
    return -1;
}

static void add_shapes(struct publisher *p)
{
    const struct burst_conf *conf = p->b->conf;
    struct snapshot_body *o = &p->s->body;
    char features[CONF_FEATURES_MAX];
    // Before the first survey of prices all that is configured exists, at prices not known yet.
    bool surveyed = shape_prices_rounds(p->b->prices) > 0;

    o->n_shapes = 0;
    for (unsigned c = 0; c < conf->n_clouds; c++) {
        const struct cloud_conf *cloud = &conf->clouds[c];
        int part = partition_index(o, cloud->partition);
        for (unsigned s = 0; part >= 0 && s < conf->n_shapes; s++) {
            const struct shape_conf *shape = &conf->shapes[s];
            money_t spot = shape_price(p->b->prices, cloud->name, shape->name, true);
            money_t on_demand = shape_price(p->b->prices, cloud->name, shape->name, false);
            if (!cloud_has_shape(cloud, shape) ||
                (surveyed && spot == MONEY_UNKNOWN && on_demand == MONEY_UNKNOWN))
                continue;
            struct snapshot_shape *row = &o->shape[o->n_shapes];
            if (o->n_shapes == SNAPSHOT_SHAPES) {
                o->cut |= SNAPSHOT_CUT_SHAPES;
                return;
            }
            memset(row, 0, sizeof(*row));
            if (!snapshot_set(row->gpu_type, sizeof(row->gpu_type), shape->gpu) ||
                !snapshot_set(row->cloud, sizeof(row->cloud), cloud->name))
                continue;
            row->partition = (uint32_t)part;
            row->nodes = shape->nodes;
            row->cpus = shape->cpus;
            row->gpus = shape->gpus;
            row->memory_mib = shape_real_memory_mib(shape);
            row->tmp_disk_mib = shape_tmp_disk_mib(shape);
            conf_features(cloud, shape, features);
            snapshot_set(row->features, sizeof(row->features), features);
            row->price_spot = spot;
            row->price_on_demand = on_demand;
            o->n_shapes++;
        }
    }
}

static void add_aliases(struct publisher *p)
{
    const struct burst_conf *conf = p->b->conf;
    struct snapshot_body *o = &p->s->body;

    o->n_aliases = 0;
    for (unsigned a = 0; a < conf->n_accels; a++)
        for (unsigned k = 0; k < conf->accels[a].n_names && o->n_aliases < SNAPSHOT_ALIASES; k++)
            if (snapshot_set(o->alias[o->n_aliases].name, SNAPSHOT_GPU, conf->accels[a].names[k]) &&
                snapshot_set(o->alias[o->n_aliases].gpu_type, SNAPSHOT_GPU, conf->accels[a].gres))
                o->n_aliases++;
}

static void fill(struct publisher *p)
{
    const struct burst_conf *conf = p->b->conf;
    struct snapshot_body *o = &p->s->body;

    o->cut = 0;
    o->default_auto = conf->default_auto;
    o->interactive = conf->interactive;
    o->max_nodes = conf->max_nodes;
    o->max_minutes = (uint32_t)(conf->max_time_s / 60);
    o->accept_s = conf->accept_while_down_s;
    o->default_runtime_s = conf->default_runtime_s;
    o->max_job_cost = conf->max_per_job;
    copy_patterns(o, &o->partitions, conf->partitions, conf->n_partitions);
    copy_patterns(o, &o->accounts, conf->accounts, conf->n_accounts);
    copy_patterns(o, &o->deny_accounts, conf->deny_accounts, conf->n_deny_accounts);
    copy_patterns(o, &o->licenses, conf->licenses, conf->n_licenses);
    if (p->users_of != conf)
        resolve_users(p);
    add_partitions(p);
    add_kinds(p);
    add_shapes(p);
    add_aliases(p);
}

void publish(struct burstd *b)
{
    struct publisher *p = b->publisher;
    burst_error_t err;

    if (!slurm_link_ready(b->slurm))
        return; // the last one grows stale: jobs are left alone
    p->rounds = shape_prices_rounds(b->prices);
    fill(p);
    bool trouble = snapshot_publish(p->writer, p->s, &err) < 0;
    if (trouble && !p->troubled)
        log_error("%s", err.text);
    p->troubled = trouble;
    p->published = !trouble && p->s->body.n_shapes > 0;
}

void publish_prices(struct burstd *b)
{
    if (b->publisher->rounds != shape_prices_rounds(b->prices))
        publish(b);
}

bool published(const struct publisher *p)
{
    return p->published;
}
