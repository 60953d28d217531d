// SPDX-License-Identifier: GPL-3.0-or-later
// See need.h. Where Slurm's rules leave room, the smaller need is taken: a job that is called
// possible here by mistake gets Slurm's own answer, one that is called impossible is sent away to
// nodes that cost money.
#include "slurm_plugin/need.h"

#include <stdio.h>
#include <string.h>

#include "slurm_plugin/constraint.h"

#define COUNT_MAX (UINT64_C(1) << 32) // of anything in a TRES text: products of two stay below 2^64

static uint64_t max64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t min64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

bool need_wants_gpu(const struct need *n)
{
    return n->gpus_per_node || n->gpus_per_task || n->gpus_total;
}

// ---- TRES texts

// One entry of a list, taken apart: name[(:|=)type][(:|=)count].
struct tres {
    const char *name, *type;
    size_t name_len, type_len; // type_len 0 = none
    uint64_t count;
};

static bool is_count(const char *p, size_t len, uint64_t *count)
{
    uint64_t unit = 1, n = 0;

    if (len > 1 && strchr("kKmMgG", p[len - 1])) {
        char c = p[--len];
        unit = c == 'k' || c == 'K' ? 1u << 10 : c == 'm' || c == 'M' ? 1u << 20 : 1u << 30;
    }
    for (size_t i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        n = min64(n * 10 + (uint64_t)(p[i] - '0'), COUNT_MAX);
    }
    if (len > 0)
        *count = min64(n * unit, COUNT_MAX);
    return len > 0;
}

static void split_entry(const char *p, size_t len, struct tres *t)
{
    if (len > 5 && (strncmp(p, "gres:", 5) == 0 || strncmp(p, "gres/", 5) == 0)) {
        p += 5;
        len -= 5;
    }
    const char *end = p + len, *last = end;
    t->name = p;
    t->name_len = 0;
    while (p + t->name_len < end && p[t->name_len] != ':' && p[t->name_len] != '=')
        t->name_len++;
    t->count = 1;
    t->type = NULL;
    t->type_len = 0;
    p += t->name_len;
    if (p == end)
        return;
    p++; // what follows is a count, a type, or a type and a count
    while (last > p && last[-1] != ':' && last[-1] != '=')
        last--;
    if (is_count(last, (size_t)(end - last), &t->count))
        end = last > p ? last - 1 : p;
    t->type = p;
    t->type_len = (size_t)(end - p);
}

static bool named(const struct tres *t, const char *name)
{
    return t->name_len == strlen(name) && strncmp(t->name, name, t->name_len) == 0;
}

// Applies an entry about GPUs; *gpus is the sum for this text.
static int add_gpus(struct need *n, const struct tres *t, uint64_t *gpus, char *why, size_t size)
{
    if (t->type_len >= sizeof(n->gpu_type)) {
        snprintf(why, size, "a GPU type with a very long name");
        return -1;
    }
    if (t->type_len && n->gpu_type[0] &&
        (strlen(n->gpu_type) != t->type_len || memcmp(n->gpu_type, t->type, t->type_len) != 0)) {
        snprintf(why, size, "GPUs of several types");
        return -1;
    }
    if (t->type_len && t->count) {
        memcpy(n->gpu_type, t->type, t->type_len);
        n->gpu_type[t->type_len] = '\0';
    }
    *gpus = min64(*gpus + t->count, COUNT_MAX);
    return 0;
}

// Reads a list. cpus: where "cpu:4" goes, NULL where it has no business.
static int read_tres(struct need *n, const char *text, uint64_t *gpus, uint64_t *cpus, char *why,
                     size_t size)
{
    struct tres t;

    *gpus = 0;
    for (const char *p = text ? text : ""; *p;) {
        size_t len = strcspn(p, ",;");
        if (len > 0) {
            split_entry(p, len, &t);
            if (named(&t, "gpu")) {
                if (add_gpus(n, &t, gpus, why, size) < 0)
                    return -1;
            } else if (cpus && named(&t, "cpu") && !t.type_len) {
                *cpus = max64(*cpus, t.count);
            } else if (!named(&t, "none")) {
                snprintf(why, size, "the resource %.*s", (int)min64(len, 40), p);
                for (char *c = why; *c; c++) // it goes to a terminal
                    if (*c < ' ' || *c > '~')
                        *c = '?';
                return -1;
            }
        }
        p += len + (p[len] != '\0');
    }
    return 0;
}

static int read_all_tres(const struct job_request *j, struct need *n, char *why, size_t size)
{
    uint64_t per_socket;

    if (read_tres(n, j->tres_per_job, &n->gpus_total, NULL, why, size) < 0 ||
        read_tres(n, j->tres_per_node, &n->gpus_per_node, NULL, why, size) < 0 ||
        read_tres(n, j->tres_per_socket, &per_socket, NULL, why, size) < 0 ||
        read_tres(n, j->tres_per_task, &n->gpus_per_task, &n->cpus_per_task, why, size) < 0 ||
        read_tres(n, j->cpus_per_tres, &n->cpus_per_gpu, NULL, why, size) < 0 ||
        read_tres(n, j->mem_per_tres, &n->mem_per_gpu, NULL, why, size) < 0)
        return -1;
    if (per_socket)
        n->gpus_per_node = max64(n->gpus_per_node, per_socket * max64(1, j->sockets_per_node));
    return 0;
}

// ---- needs

static uint64_t tasks_of(const struct job_request *j, const struct need *n)
{
    uint64_t tasks = max64(j->tasks, n->nodes);

    if (!j->tasks && j->tasks_per_node)
        tasks = n->nodes * j->tasks_per_node;
    if (!j->tasks && n->gpus_per_task)
        tasks = max64(tasks, n->gpus_total / n->gpus_per_task);
    return tasks;
}

// Those that its user gave: a default of GPUs may stand in cpus_per_task, too.
uint64_t need_cpus_of_task(const struct job_request *j)
{
    return j->cpus_given ? max64(1, j->cpus_per_task) : 1;
}

int need_of(const struct job_request *j, struct need *n, char *why, size_t size)
{
    memset(n, 0, sizeof(*n));
    n->nodes = max64(1, j->min_nodes);
    n->max_nodes = j->max_nodes ? max64(j->max_nodes, n->nodes) : UINT64_MAX;
    n->cpus_per_task = max64(1, j->cpus_per_task);
    if (read_all_tres(j, n, why, size) < 0)
        return -1;
    n->tasks_per_node = j->tasks_per_node;
    n->tasks = tasks_of(j, n);
    if (j->tasks) // Slurm takes no node on which no task could run
        n->max_nodes = min64(n->max_nodes, max64(j->tasks, n->nodes));
    // With as many CPUs as its tasks want it makes no difference.
    n->overcommit = j->overcommit && j->min_cpus < j->tasks * need_cpus_of_task(j);
    if (n->overcommit && need_wants_gpu(n)) {
        snprintf(why, size, "GPUs together with --overcommit");
        return -1;
    }
    n->cpus_per_node = max64(j->cpus_per_node, n->cpus_per_task);
    if (j->tasks_per_node && n->tasks > 1 && !n->overcommit)
        n->cpus_per_node = max64(n->cpus_per_node, j->tasks_per_node * n->cpus_per_task);
    n->cpus_total = n->overcommit ? 0 : j->min_cpus;
    if (j->tasks_per_gpu && !n->overcommit)
        n->cpus_per_gpu = max64(n->cpus_per_gpu, j->tasks_per_gpu * n->cpus_per_task);
    n->mem_per_node = j->mem_per_node_mib;
    n->mem_per_cpu = j->mem_per_cpu_mib;
    n->exclusive = j->exclusive;
    n->mem_given = j->mem_given;
    n->cpus_given = j->cpus_given;
    n->tmp_disk = j->tmp_disk_mib;
    n->constraint = j->constraint;
    if (n->constraint && n->constraint[0] && !constraint_plain(n->constraint)) {
        snprintf(why, size, "a --constraint that only Slurm can judge");
        return -1;
    }
    return 0;
}

static bool place_fits(const struct need *n, const struct node_size *size)
{
    return size->tmp_disk_mib >= n->tmp_disk &&
           (!n->constraint || !n->constraint[0] || !size->features ||
            constraint_met(n->constraint, size->features));
}

void need_settle(struct need *n, const struct need_defaults *submitted,
                 const struct need_defaults *runs)
{
    if (!n->mem_given && submitted) {
        n->mem_per_node = submitted->mem_per_node;
        n->mem_per_cpu = submitted->mem_per_cpu;
    }
    n->exclusive = n->exclusive || runs->exclusive;
    if (!need_wants_gpu(n))
        return;
    n->per_gpu = n->cpus_per_gpu || n->mem_per_gpu || runs->cpus_per_gpu || runs->mem_per_gpu;
    if (!n->mem_per_gpu)
        n->mem_per_gpu = runs->mem_per_gpu;
    if (!n->cpus_per_gpu && !n->cpus_given)
        n->cpus_per_gpu = runs->cpus_per_gpu;
    if (n->mem_per_gpu && !n->mem_given)
        n->mem_per_node = n->mem_per_cpu = 0;
    if (n->cpus_per_gpu && n->gpus_per_task)
        n->cpus_per_task = max64(n->cpus_per_task, n->cpus_per_gpu * n->gpus_per_task);
}

// A job that gets whole nodes gets all CPUs and GPUs of them, and wants for all of them what it
// wants for each.
static bool whole_node_fits(const struct need *n, const struct node_size *size)
{
    if (n->mem_per_cpu && size->memory_mib / n->mem_per_cpu < size->cpus)
        return false;
    if (n->cpus_per_gpu && size->cpus / n->cpus_per_gpu < size->gpus)
        return false;
    return !n->mem_per_gpu || size->memory_mib / n->mem_per_gpu >= size->gpus;
}

bool need_share(const struct need *n, const struct node_size *size, struct node_share *share)
{
    uint64_t cpus = size->cpus, gpus = size->gpus, tasks = UINT64_MAX;

    if (n->mem_per_cpu)
        cpus = min64(cpus, size->memory_mib / n->mem_per_cpu);
    if (n->mem_per_gpu)
        gpus = min64(gpus, size->memory_mib / n->mem_per_gpu);
    if (n->cpus_per_gpu)
        gpus = min64(gpus, cpus / n->cpus_per_gpu);
    if (n->gpus_per_node) // more than that of a node is not used
        gpus = gpus < n->gpus_per_node ? 0 : n->gpus_per_node;
    if (!n->overcommit)
        tasks = cpus / n->cpus_per_task;
    if (n->gpus_per_task)
        tasks = min64(tasks, gpus / n->gpus_per_task);
    // However few tasks there are, and with --overcommit, too:
    if ((n->mem_per_cpu && cpus < n->tasks_per_node) ||
        (n->cpus_per_task > 1 && n->tasks_per_node > cpus / n->cpus_per_task))
        tasks = 0;
    if (n->tasks_per_node && tasks < min64(n->tasks_per_node, n->tasks))
        tasks = 0; // it is what a node must have, not only what it may have
    if (n->tasks_per_node)
        tasks = min64(tasks, n->tasks_per_node);
    share->tasks = tasks;
    share->cpus = cpus;
    share->gpus = gpus;
    return place_fits(n, size) && (!n->exclusive || whole_node_fits(n, size)) &&
           cpus >= n->cpus_per_node && size->memory_mib >= n->mem_per_node && tasks > 0 &&
           (gpus > 0 || !need_wants_gpu(n));
}

// Slurm 22.05 starts such jobs on nodes of its choice at times, but not on several that it is given
// by name (BadConstraints), or on more than can be said; rented nodes are given by name.
static bool only_slurm_knows(const struct need *n, uint64_t nodes)
{
    if (n->per_gpu && nodes > 1 && n->gpus_total && n->gpus_per_node > 1)
        return true;
    // More CPUs for its tasks than for its GPUs: --gpus=1 --cpus-per-gpu=2 -n8
    return n->cpus_per_gpu && n->gpus_total && !n->gpus_per_task && n->gpus_total < COUNT_MAX &&
           n->tasks * n->cpus_per_task > n->gpus_total * n->cpus_per_gpu;
}

uint64_t need_count(const struct need *n, const struct node_size *size)
{
    struct node_share s;
    uint64_t k = n->nodes;

    if (!need_share(n, size, &s))
        return 0;
    k = max64(k, ceil_div(n->tasks, s.tasks));
    k = max64(k, ceil_div(n->cpus_total, s.cpus));
    if (n->gpus_total)
        k = max64(k, ceil_div(n->gpus_total, s.gpus));
    return k <= n->max_nodes && !only_slurm_knows(n, k) ? k : 0;
}
