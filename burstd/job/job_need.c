// SPDX-License-Identifier: GPL-3.0-or-later
// See job_need.h.
#include "job/job_need.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "libburst/hostlist.h"
#include "slurm/slurm_link.h"
#include "slurm_plugin/constraint.h"
#include "slurm_plugin/directive.h"

static bool license_usable(void *arg, const char *name)
{
    const struct burst_conf *conf = arg;

    return conf_match(conf->licenses, conf->n_licenses, name);
}

int job_demand(struct burstd *b, const struct bjob *j, const struct sjob *s, struct demand *d,
               char *why, size_t size)
{
    struct sjob own = *s; // texts are borrowed
    struct directive mark;
    char license[64];

    if (license_missing(s->licenses, license_usable, b->conf, license)) {
        snprintf(why, size, "it asks for license %s, which is not used on rented nodes", license);
        return -1;
    }
    if (directive_from_mark(j->mark, &mark) == 0 && mark.moved && s->num_nodes_max == j->nodes)
        own.num_nodes_max = mark.max_nodes;
    return demand_of(&own, slurm_link_part(b->slurm, s->partition), d, why, size);
}

unsigned job_nodes(const struct burstd *b, const struct demand *d, const struct cloud_conf *c,
                   const struct shape_conf *s)
{
    char features[CONF_FEATURES_MAX];
    struct shape_size z = {
        s->gpu, s->gpus, s->cpus, shape_real_memory_mib(s), shape_tmp_disk_mib(s), features};

    conf_features(c, s, features);

    return demand_nodes(d, slurm_link_part(b->slurm, c->partition), &z);
}

// Nodes of its shape that it takes now; those that it has where the configuration has changed, not
// the job.
static unsigned nodes_now(struct burstd *b, const struct bjob *j, const struct sjob *s)
{
    const struct cloud_conf *c = conf_find_cloud(b->conf, j->cloud);
    const struct shape_conf *shape = conf_find_shape(b->conf, j->shape);
    struct demand d;
    char why[256];

    if (!c || !shape)
        return j->nodes;
    return job_demand(b, j, s, &d, why, sizeof(why)) == 0 ? job_nodes(b, &d, c, shape) : 0;
}

bool job_still_fits(struct burstd *b, const struct bjob *j, const struct sjob *s)
{
    return nodes_now(b, j, s) == j->nodes;
}

bool job_outgrown(struct burstd *b, const struct bjob *j, const struct sjob *s)
{
    unsigned n = nodes_now(b, j, s);

    return n == 0 || n > j->nodes;
}

bool job_wants_nodes(const struct burstd *b, const struct bjob *j, const struct sjob *s)
{
    struct directive mark;
    char **names;
    size_t n;
    bool ours;

    if (!s->req_nodes[0])
        return false;
    ours = directive_from_mark(j->mark, &mark) == 0 && mark.moved &&
           conf_find_partition(b->conf, s->partition) != NULL;
    if (!ours || hostlist_expand(s->req_nodes, &names, &n, NULL) < 0)
        return true;
    for (size_t k = 0; k < n; k++)
        ours = ours && conf_parse_node(b->conf, names[k], NULL, NULL, NULL) == 0;
    hostlist_free(names);
    return !ours;
}

bool job_other_nodes(const struct bjob *j, const struct sjob *s)
{
    char **asked, **rented;
    size_t n, m, found = 0;

    if (strcmp(s->req_nodes, j->node_names) == 0)
        return false;
    if (hostlist_expand(s->req_nodes, &asked, &n, NULL) < 0)
        return true;
    if (hostlist_expand(j->node_names, &rented, &m, NULL) < 0) {
        hostlist_free(asked);
        return true;
    }
    for (size_t k = 0; k < n; k++) // a handful
        for (size_t r = 0; r < m; r++)
            found += strcmp(asked[k], rented[r]) == 0;
    hostlist_free(asked);
    hostlist_free(rented);
    return n != m || found != m;
}
