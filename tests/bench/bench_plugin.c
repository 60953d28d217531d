// SPDX-License-Identifier: GPL-3.0-or-later
// How long job_submit_burst.so takes for a decision: median of single calls through the real
// module, with a snapshot of a large site on a tmpfs (as /run is) that changes while we measure,
// once per 1000 calls. One JSON object a line.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/slurm_plugin/plugin_host.h"
#include "tests/unit/slurm_plugin/site.h"

#define CALLS 20000
#define USER 54321u

static struct plugin_host host;
static struct snapshot site;
static struct snapshot_writer *writer;
static double took[CALLS];

static double now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

// 200 kinds of local nodes and 250 shapes: more than most sites have.
static void enlarge(struct snapshot_body *b)
{
    while (b->n_kinds < 200) {
        struct snapshot_kind *k = &b->kind[b->n_kinds];
        *k = b->kind[0];
        k->cpus = 16 + b->n_kinds++;
    }
    while (b->n_shapes < 250) {
        struct snapshot_shape *s = &b->shape[b->n_shapes];
        *s = b->shape[b->n_shapes % 3];
        s->price_spot += b->n_shapes++;
    }
    b->n_users = SNAPSHOT_USERS;
    for (uint32_t i = 0; i < b->n_users; i++)
        b->user[i] = (struct snapshot_user){i + 1, SNAPSHOT_USER_ALLOWED};
}

static int measure(const char *name, const char *gres, const char *option)
{
    char *env[] = {(char *)option};
    burst_error_t err;
    job_desc_msg_t d;
    char *msg = NULL;

    for (int i = 0; i < CALLS; i++) {
        if (i % 1000 == 0) {
            site.body.max_minutes ^= 1; // a changed body must be read again
            if (snapshot_publish(writer, &site, &err) < 0) {
                fprintf(stderr, "%s\n", err.text);
                return -1;
            }
        }
        host_sbatch(&d, USER);
        d.tres_per_node = (char *)gres;
        d.spank_job_env = option ? env : NULL;
        d.spank_job_env_size = option != NULL;
        double t = now_us();
        int rc = host.submit(&d, USER, &msg);
        took[i] = now_us() - t;
        if (rc != SLURM_SUCCESS) {
            fprintf(stderr, "%s: refused: %s\n", name, msg ? msg : "");
            return -1;
        }
        host_done(&d, &msg);
    }
    qsort(took, CALLS, sizeof(took[0]), by_value);
    printf("{\"bench\":\"plugin-decision-%s\",\"value\":%.3f,\"unit\":\"us\",\"p99\":%.3f,"
           "\"max\":%.3f,\"calls\":%d,\"kinds\":%u,\"shapes\":%u}\n",
           name, took[CALLS / 2], took[CALLS * 99 / 100], took[CALLS - 1], CALLS,
           (unsigned)site.body.n_kinds, (unsigned)site.body.n_shapes);
    return 0;
}

static int all(void)
{
    return measure("eligible", NULL, NULL) < 0 ||
           measure("eligible-gpu", "gres:gpu:a100:1", NULL) < 0 ||
           measure("held", "gres:gpu:h100:1", NULL) < 0 ||
           measure("alone", NULL, "_SLURM_SPANK_OPTION_burst_burst=never") < 0 ||
           measure("options", NULL, "_SLURM_SPANK_OPTION_burst_burst_max_cost=12.5") < 0;
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    char dir[256], path[300], conf[300], var[320];
    burst_error_t err;

    umask(022);
    snprintf(dir, sizeof(dir), "%.200s/bench_plugin.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm"
             : tmp                         ? tmp
                                           : "/tmp");
    if (!mkdtemp(dir) || !host_load(&host))
        return 1;
    snprintf(path, sizeof(path), "%s/snapshot", dir);
    snprintf(conf, sizeof(conf), "%s/burst.conf", dir);
    snprintf(var, sizeof(var), "%s/slurm.conf", dir);
    setenv("SLURM_CONF", var, 1);
    FILE *f = fopen(conf, "w");
    if (!f)
        return 1;
    fprintf(f, "RunDir=%s\n", dir);
    fclose(f);
    site_fill(&site);
    enlarge(&site.body);
    writer = snapshot_writer_create(path, &err);
    int rc = !writer || host.init() != SLURM_SUCCESS || all();
    host.fini();
    snapshot_writer_destroy(writer);
    unlink(path);
    unlink(conf);
    rmdir(dir);
    return rc;
}
