// SPDX-License-Identifier: GPL-3.0-or-later
// Stands in for slurmctld: loads job_submit_burst.so and provides the functions that it expects
// there. slurmctld's allocator keeps a header in front of each block, so a plugin that mixes
// allocators corrupts it: this one aborts in that case.
#ifndef BURST_TEST_PLUGIN_HOST_H
#define BURST_TEST_PLUGIN_HOST_H

#include <dlfcn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slurm_plugin/compat.h"

#define HOST_MAGIC 0x5ca1ab1e

struct plugin_host {
    void *handle;
    int (*init)(void);
    int (*fini)(void);
    int (*submit)(job_desc_msg_t *, uint32_t, char **);
#if COMPAT_JOB_MODIFY_MESSAGE
    int (*modify)(job_desc_msg_t *, struct job_record *, uint32_t, char **);
#else
    int (*modify)(job_desc_msg_t *, struct job_record *, uint32_t);
#endif
};

static atomic_long host_blocks; // given out and not returned

char *slurm_xstrdup(const char *str)
{
    size_t len;

    if (!str)
        return NULL;
    len = strlen(str) + 1;
    char *p = malloc(16 + len);
    if (!p)
        abort();
    ((unsigned *)p)[0] = HOST_MAGIC;
    memcpy(p + 16, str, len);
    atomic_fetch_add(&host_blocks, 1);
    return p + 16;
}

void slurm_xfree(void **item)
{
    if (!*item)
        return;
    char *p = (char *)*item - 16;
    if (((unsigned *)p)[0] != HOST_MAGIC)
        abort();
    ((unsigned *)p)[0] = 0;
    free(p);
    *item = NULL;
    atomic_fetch_sub(&host_blocks, 1);
}

// Slurm's log functions, as spank.h declares them
void slurm_info(const char *fmt, ...)
{
}

void slurm_error(const char *fmt, ...)
{
}

static inline bool host_load(struct plugin_host *h)
{
    const char *build = getenv("builddir");
    char path[4200];

    snprintf(path, sizeof(path), "%.4000s/job_submit_burst.so", build && *build ? build : ".");
    if (!strchr(path, '/'))
        return false;
    h->handle = dlopen(path, RTLD_LAZY);
    if (!h->handle) {
        fprintf(stderr, "%s\n", dlerror());
        return false;
    }
    *(void **)&h->init = dlsym(h->handle, "init");
    *(void **)&h->fini = dlsym(h->handle, "fini");
    *(void **)&h->submit = dlsym(h->handle, "job_submit");
    *(void **)&h->modify = dlsym(h->handle, "job_modify");
    return h->init && h->fini && h->submit && h->modify;
}

static inline int host_modify(struct plugin_host *h, job_desc_msg_t *d, uint32_t uid, char **msg)
{
#if COMPAT_JOB_MODIFY_MESSAGE
    return h->modify(d, NULL, uid, msg);
#else
    (void)msg;
    return h->modify(d, NULL, uid);
#endif
}

// A description as sbatch sends it for a plain script.
static inline void host_sbatch(job_desc_msg_t *d, uint32_t uid)
{
    static char script[] = "#!/bin/sh\n", work_dir[] = "/home/alice", name[] = "job.sh";

    slurm_init_job_desc_msg(d);
    d->het_job_offset = NO_VAL; // as slurmctld sets it for jobs of one component
    d->user_id = d->group_id = uid;
    d->min_cpus = 1;
    d->script = script;
    d->work_dir = work_dir;
    d->name = name;
}

// Frees what the plugin has put into the description and clears it.
static inline void host_done(job_desc_msg_t *d, char **msg)
{
    slurm_xfree((void **)&d->admin_comment);
    slurm_xfree((void **)&d->partition);
    slurm_xfree((void **)msg);
}

#endif
