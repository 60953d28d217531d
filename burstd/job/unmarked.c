// SPDX-License-Identifier: GPL-3.0-or-later
// See unmarked.h. In the order of the plugin's questions (slurm_plugin/classify.c): what its user
// asked for, the site's rules, what it needs.
#include "job/unmarked.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "job/fit.h"
#include "job/job_need.h"
#include "job/rules.h"
#include "slurm/slurm_link.h"
#include "slurm_plugin/directive.h"
#include "state/model.h"

// What the shapes of the site have at most, on one node.
struct most {
    uint64_t gpus, cpus, memory_mib, tmp_disk_mib;
    unsigned nodes; // of a shape that fits, at one cloud
    bool gpu_type, fits;
};

static void look_at_shape(struct burstd *b, const struct demand *d, const struct cloud_conf *c,
                          const struct shape_conf *s, struct most *m)
{
    bool type = !d->need.gpu_type[0] || strcmp(d->need.gpu_type, s->gpu) == 0;
    unsigned nodes = job_nodes(b, d, c, s);

    m->gpu_type = m->gpu_type || (s->gpus && type);
    if (s->gpus && type && s->gpus > m->gpus)
        m->gpus = s->gpus;
    if (s->cpus > m->cpus)
        m->cpus = s->cpus;
    if (shape_real_memory_mib(s) > m->memory_mib)
        m->memory_mib = shape_real_memory_mib(s);
    if (shape_tmp_disk_mib(s) > m->tmp_disk_mib)
        m->tmp_disk_mib = shape_tmp_disk_mib(s);
    if (nodes && s->nodes > m->nodes)
        m->nodes = s->nodes;
    m->fits = m->fits || (nodes && nodes <= s->nodes);
}

static struct most most_of(struct burstd *b, const struct demand *d)
{
    const struct burst_conf *conf = b->conf;
    struct most m = {0};

    for (unsigned c = 0; c < conf->n_clouds; c++)
        for (unsigned s = 0; s < conf->n_shapes; s++)
            if (cloud_has_shape(&conf->clouds[c], &conf->shapes[s]))
                look_at_shape(b, d, &conf->clouds[c], &conf->shapes[s], &m);
    return m;
}

// Which of its needs no shape has.
static void lack_text(const struct need *n, const struct most *m, char *why, size_t size)
{
    const char *type = n->gpu_type, *colon = *type ? ":" : "";

    if (need_wants_gpu(n) && !m->gpu_type)
        snprintf(why, size, "no rented node has gpu%s%s", colon, type);
    else if (n->gpus_per_node > m->gpus)
        snprintf(why, size,
                 "it asks for %" PRIu64 " of gpu%s%s on a node and rented ones have %" PRIu64
                 " at most",
                 n->gpus_per_node, colon, type, m->gpus);
    else if (n->cpus_per_node > m->cpus || n->cpus_per_task > m->cpus)
        snprintf(why, size,
                 "it asks for %" PRIu64 " CPUs on a node and rented ones have %" PRIu64 " at most",
                 n->cpus_per_node > n->cpus_per_task ? n->cpus_per_node : n->cpus_per_task,
                 m->cpus);
    else if (n->mem_per_node > m->memory_mib)
        snprintf(why, size,
                 "it asks for %" PRIu64 " MiB of memory on a node and rented ones have %" PRIu64
                 " at most",
                 n->mem_per_node, m->memory_mib);
    else if (n->tmp_disk > m->tmp_disk_mib)
        snprintf(why, size,
                 "it asks for %" PRIu64 " MiB of local disk and rented nodes promise %" PRIu64,
                 n->tmp_disk, m->tmp_disk_mib);
    else if (m->nodes)
        snprintf(why, size, "it takes more nodes than there are of any kind that it could use (%u)",
                 m->nodes);
    else if (n->constraint && *n->constraint)
        snprintf(why, size,
                 "no kind of rented node has all that it asks for together (--constraint=%.80s "
                 "with its CPUs, memory and GPUs)",
                 n->constraint);
    else
        snprintf(why, size,
                 "no kind of rented node has all that it asks for together (CPUs, memory, "
                 "GPUs, nodes)");
}

// Is there something that no rented node has?
static bool lacks(struct burstd *b, const struct sjob *s, char *why, size_t size)
{
    struct bjob none = {.mark = ""};
    struct demand d;
    char what[200];

    if (s->req_nodes[0]) {
        snprintf(why, size, "it asks for certain nodes (--nodelist)");
        return true;
    }
    if (job_demand(b, &none, s, &d, what, sizeof(what)) < 0) {
        snprintf(why, size, "%s%s", what,
                 strncmp(what, "it asks for ", 12) == 0 && !strstr(what, "license")
                     ? ", which rented nodes do not have"
                     : "; such jobs do not run on rented nodes");
        return true;
    }
    struct most m = most_of(b, &d);
    if (!m.fits)
        lack_text(&d.need, &m, why, size);
    return !m.fits;
}

// "burst: stays here: REASON", as the plugin has written it.
static const char *note(const char *admin_comment)
{
    const char *p = strstr(admin_comment, DIRECTIVE_STAYS);

    return p ? p + strlen(DIRECTIVE_STAYS) : NULL;
}

void unmarked_why(struct burstd *b, const struct sjob *s, char *why, size_t size)
{
    const char *said = note(s->admin_comment);

    if (said)
        snprintf(why, size, "%s", said);
    else if (conf_find_partition(b->conf, s->partition))
        snprintf(why, size,
                 "an operator sent it to partition %s itself; nodes are rented for jobs that the "
                 "submit plugin has marked only",
                 s->partition);
    else if (!b->conf->default_auto)
        snprintf(why, size, "at this site only jobs with a --burst option leave the cluster");
    else if (rules_admit(b->conf, s, s->partition, 0, b->uid_min, why, size) &&
             !lacks(b, s, why, size))
        snprintf(why, size,
                 "it bears no mark of the submit plugin: it was submitted before burstd was "
                 "installed or while it did not run, or another partition of this cluster can run "
                 "it");
}
