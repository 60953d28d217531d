// SPDX-License-Identifier: GPL-3.0-or-later
// For tests/t/26-need.t: what burstd makes of Slurm's records of the jobs that wait, and what Slurm
// itself says.
//
//   need_table shapes    prints a line for each partition, for job_submit_need.so
//   need_table compare   reads `burst-slurm watch`'s first messages from standard input and prints
//                        for each pending job: NAME, the nodes that burstd counts (0 = it does not
//                        run there), whether Slurm says that it runs on exactly so many that it is
//                        given, and the least number for which it says so (0 = none)
//
//   need_table move      moves each job as burstd does and prints: NAME, the nodes, the maximum
//   that
//                        and the partition that it had before
//   need_table again FILE  what burstd counts of the jobs that were moved (FILE: what move
//   printed),
//                        and takes them back as burstd does: NAME, nodes,
//                        its memory now
//
// A job is counted for the partition behind the @ in its name, or the one that it waits in. compare
// moves each job as burstd does, to one number of
// nodes after the other.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/fit.h"
#include "libburst/hostlist.h"
#include "libburst/json.h"
#include "slurm/child/compat_slurm.h"
#include "slurm/tables.h"

#define NODES_MAX 8

extern void slurm_free_will_run_response_msg(will_run_response_msg_t *msg);

static struct tables *tables;

static void die(const char *what)
{
    fprintf(stderr, "need_table: %s\n", what);
    exit(2);
}

// Until each of the three tables is there.
static void read_tables(void)
{
    static char line[8 << 20];
    unsigned seen = 0;

    tables = tables_create();
    while (seen != 7 && fgets(line, sizeof(line), stdin)) {
        cJSON *m = cJSON_Parse(line);
        switch (m ? tables_take(tables, m) : TABLES_NOT_MINE) {
        case TABLES_JOBS:
            seen |= 1;
            break;
        case TABLES_NODES:
            seen |= 2;
            break;
        case TABLES_PARTS:
            seen |= 4;
            break;
        default:
            break;
        }
        cJSON_Delete(m);
    }
    if (seen != 7)
        die("burst-slurm watch does not send all tables");
}

static const struct spart *find_part(const char *name)
{
    const struct spart *const *parts;
    size_t n = tables_parts(tables, &parts);

    for (size_t k = 0; k < n; k++)
        if (strcmp(parts[k]->name, name) == 0)
            return parts[k];
    die("a partition is missing");
    return NULL;
}

// The nodes of a partition are alike.
static struct shape_size size_of(const struct spart *p, char gpu[32])
{
    struct shape_size z = {.gpu_type = gpu};
    char **names;
    size_t n;

    gpu[0] = '\0';
    if (hostlist_expand(p->nodes, &names, &n, NULL) < 0 || n == 0)
        die("a partition has no nodes");
    const struct snode *node = tables_node(tables, names[0]);
    hostlist_free(names);
    if (!node)
        die("a node is missing");
    z.cpus = node->cpus;
    z.memory_mib = node->memory_mib;
    z.features = node->features;
    if (node->gres[0] && sscanf(node->gres, "gpu:%31[^:]:%u", gpu, &z.gpus) != 2)
        die("gres is not understood");
    return z;
}

static void shapes(void)
{
    const struct spart *const *parts;
    char gpu[32];

    read_tables();
    size_t n = tables_parts(tables, &parts);
    for (size_t k = 0; k < n; k++) {
        const struct spart *p = parts[k];
        struct shape_size z = size_of(p, gpu);
        printf("%s %u %" PRIu64 " %u %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %u %d %s\n", p->name,
               z.cpus, z.memory_mib, z.gpus, gpu[0] ? gpu : "-", p->def_mem_per_node_mib,
               p->def_mem_per_cpu_mib, p->def_mem_per_gpu_mib, p->def_cpus_per_gpu, p->exclusive,
               z.features[0] ? z.features : "-");
    }
}

// The first n nodes of a partition, as burstd names them.
static char *first_nodes(const struct spart *p, unsigned n)
{
    char **names, *text;
    size_t all;

    if (hostlist_expand(p->nodes, &names, &all, NULL) < 0 || all < n)
        die("a partition has too few nodes");
    char *rest = names[n];
    names[n] = NULL;
    text = hostlist_join(names, n);
    names[n] = rest;
    hostlist_free(names);
    return text;
}

static int move(const struct sjob *s, const char *part, char *nodes, unsigned n)
{
    job_desc_msg_t d;
    job_array_resp_msg_t *resp = NULL;

    slurm_init_job_desc_msg(&d);
    d.job_id_str = (char *)s->job;
    d.partition = (char *)part;
    d.req_nodes = nodes;
    d.max_nodes = n;
    int rc = slurm_update_job2(&d, &resp);
    if (resp)
        slurm_free_job_array_resp(resp);
    return rc;
}

// On how many nodes Slurm would run the job now; 0 = it says why not.
static unsigned will_run(const struct sjob *s, char *nodes)
{
    will_run_response_msg_t *resp = NULL;
    job_desc_msg_t d;
    char **names;
    size_t n = 0;

    slurm_init_job_desc_msg(&d);
    d.job_id = s->job_id;
    d.req_nodes = nodes;
    if (slurm_job_will_run2(&d, &resp) != 0 || !resp)
        return 0;
    if (hostlist_expand(resp->node_list, &names, &n, NULL) == 0)
        hostlist_free(names);
    slurm_free_will_run_response_msg(resp);
    return (unsigned)n;
}

static bool runs_on(const struct sjob *s, const struct spart *p, unsigned n)
{
    char *nodes = first_nodes(p, n);
    int rc = move(s, p->name, nodes, n);
    unsigned runs = rc == 0 ? will_run(s, nodes) : 0;

    if (getenv("NEED_DEBUG"))
        fprintf(stderr, "%s n=%u move rc=%d (%s) runs=%u\n", s->name, n, rc,
                rc ? slurm_strerror(slurm_get_errno()) : "", runs);
    free(nodes);
    return runs == n;
}

static unsigned least(const struct sjob *s, const struct spart *p)
{
    unsigned max = s->num_nodes_max && s->num_nodes_max < NODES_MAX ? s->num_nodes_max : NODES_MAX;

    for (unsigned n = s->num_nodes_min ? s->num_nodes_min : 1; n <= max; n++)
        if (runs_on(s, p, n))
            return n;
    return 0;
}

// What burstd rents for it; 0 = nothing, or more than there are.
static unsigned counted(const struct sjob *s, const struct spart *home, const struct spart *part,
                        char *why, size_t size)
{
    char gpu[32];
    struct shape_size z = size_of(part, gpu);
    struct demand d;
    unsigned n;

    if (demand_of(s, home, &d, why, size) < 0)
        return 0;
    if (!need_wants_gpu(&d.need))
        z.gpus = 0; // burstd would not, for its price
    n = demand_nodes(&d, part, &z);
    return n <= NODES_MAX ? n : 0;
}

static const struct spart *target_of(const struct sjob *s)
{
    const char *at = strchr(s->name, '@');

    return find_part(at ? at + 1 : s->partition);
}

static void move_all(void)
{
    const struct sjob *const *jobs;
    char why[200];

    read_tables();
    size_t n = tables_jobs(tables, &jobs);
    for (size_t k = 0; k < n; k++) {
        const struct sjob *s = jobs[k];
        const struct spart *part = target_of(s);
        unsigned ours = s->state == SJOB_PENDING
                            ? counted(s, find_part(s->partition), part, why, sizeof(why))
                            : 0;
        if (!ours)
            continue;
        char *nodes = first_nodes(part, ours);
        if (move(s, part->name, nodes, ours) == 0)
            printf("%s %u %u %s\n", s->name, ours, s->num_nodes_max, s->partition);
        free(nodes);
    }
}

// Its own maximum counts, as in job_demand().
static void again(const char *file)
{
    const struct sjob *const *jobs;
    char name[64], home[64], why[200];
    unsigned ours, max;
    FILE *f = fopen(file, "re");

    if (!f)
        die("what was moved cannot be read");
    read_tables();
    size_t n = tables_jobs(tables, &jobs);
    while (fscanf(f, "%63s %u %u %63s", name, &ours, &max, home) == 4)
        for (size_t k = 0; k < n; k++) {
            struct sjob s = *jobs[k];
            if (strcmp(s.name, name) != 0 || s.state != SJOB_PENDING)
                continue;
            if (s.num_nodes_max == ours)
                s.num_nodes_max = max;
            const struct spart *part = find_part(s.partition);
            printf("%s %u %" PRIu64 " MiB a CPU\n", name, counted(&s, part, part, why, sizeof(why)),
                   s.mem_per_cpu_mib);
            if (move(&s, home, (char *)"", max) != 0)
                die("a job cannot be taken back");
        }
    fclose(f);
}

static void compare(void)
{
    const struct sjob *const *jobs;

    read_tables();
    size_t n = tables_jobs(tables, &jobs);
    for (size_t k = 0; k < n; k++) {
        const struct sjob *s = jobs[k];
        const struct spart *part = target_of(s);
        char why[200] = "";
        if (s->state != SJOB_PENDING)
            continue;
        unsigned ours = counted(s, find_part(s->partition), part, why, sizeof(why));
        bool runs = ours && runs_on(s, part, ours);
        printf("%s %u %s %u %s\n", s->name, ours, ours ? (runs ? "yes" : "no") : "-",
               least(s, part), why);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "shapes") == 0)
        shapes();
    else if (argc == 2 && strcmp(argv[1], "compare") == 0)
        compare();
    else if (argc == 2 && strcmp(argv[1], "move") == 0)
        move_all();
    else if (argc == 3 && strcmp(argv[1], "again") == 0)
        again(argv[2]);
    else
        die("usage: need_table shapes|compare|move|again FILE");
    tables_destroy(tables);
    return fflush(stdout) == 0 ? 0 : 2;
}
