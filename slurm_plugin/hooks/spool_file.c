// SPDX-License-Identifier: GPL-3.0-or-later
// See spool_file.h. The node names in argv are what counts; the resume file only adds which job
// wants which node, so nothing that is wrong with it stops the message.
#include "slurm_plugin/hooks/spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define RESUME_FILE_MAX (16u << 20)
#define SPOOL_FILE_MAX (4u << 20) // what burstd reads

// The file is a memory file of slurmctld's (/proc/PID/fd/N), which goes away with this call.
static int read_bounded(const char *path, struct strbuf *to, burst_error_t *errp)
{
    char chunk[65536];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0)
        return errprintf(errp, "%.200s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return errprintf(errp, "%.200s: not a regular file", path);
    }
    while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || strbuf_add(to, chunk, (size_t)n) < 0) {
            errprintf(errp, "%.200s: %s", path, n < 0 ? strerror(errno) : "larger than 16 MiB");
            break;
        }
    }
    close(fd);
    return n == 0 ? 0 : -1;
}

// 22.05 writes `nodes`; later releases `nodes_alloc` (all of the job) and `nodes_resume`.
static const char *job_nodes(const cJSON *job)
{
    const char *nodes = json_str(job, "nodes_alloc", NULL);

    if (!nodes)
        nodes = json_str(job, "nodes_resume", NULL);
    return nodes ? nodes : json_str(job, "nodes", NULL);
}

static void add_job(cJSON *jobs, const cJSON *job)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(job, "job_id");
    const char *nodes = cJSON_IsObject(job) ? job_nodes(job) : NULL;

    if (!nodes || !cJSON_IsNumber(id) || !(id->valuedouble >= 1) || id->valuedouble > UINT32_MAX ||
        floor(id->valuedouble) != id->valuedouble)
        return;
    cJSON *o = cJSON_CreateObject();
    json_add_i64(o, "job_id", (int64_t)id->valuedouble);
    json_add_str(o, "nodes", nodes);
    cJSON_AddItemToArray(jobs, o);
}

static int add_jobs(cJSON *jobs, const char *path, burst_error_t *errp)
{
    struct strbuf text;
    const cJSON *job;
    int rc = -1;

    strbuf_init(&text, RESUME_FILE_MAX);
    if (read_bounded(path, &text, errp) == 0) {
        cJSON *j = json_parse(text.data, text.len, errp);
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(j, "jobs");
        cJSON_ArrayForEach(job, list)
        {
            add_job(jobs, job);
        }
        rc = j ? 0 : errprefix(errp, "%.200s", path);
        cJSON_Delete(j);
    }
    strbuf_free(&text);
    return rc;
}

static char *compose(const char *kind, const char *hosts, cJSON *jobs)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "kind", kind);
    json_add_str(o, "hosts", hosts);
    cJSON_AddItemToObject(o, "jobs", jobs);
    json_add_i64(o, "time", clock_now_s());
    char *text = json_line(o);
    cJSON_Delete(o);
    return text;
}

int spool_file_write(const char *state_dir, const char *kind, const char *hosts,
                     const char *resume_file, burst_error_t *warning, burst_error_t *errp)
{
    char *dir = xasprintf("%s/spool", state_dir), *path;
    cJSON *jobs = cJSON_CreateArray();
    struct timespec ts;

    warning->text[0] = '\0';
    if (resume_file && *resume_file)
        add_jobs(jobs, resume_file, warning);
    char *text = compose(kind, hosts, jobs);
    if (strlen(text) > SPOOL_FILE_MAX) { // the jobs are a help only
        errprintf(warning, "the list of jobs is left out: too large");
        free(text);
        text = compose(kind, hosts, cJSON_CreateArray());
    }
    clock_gettime(CLOCK_MONOTONIC, &ts);
    path = xasprintf("%s/%s-%" PRId64 "%09ld-%ld.json", dir, kind, (int64_t)ts.tv_sec, ts.tv_nsec,
                     (long)getpid());
    int rc = fs_mkdirs(dir, 0700, errp);
    if (rc == 0)
        rc = fs_write_atomic(path, text, strlen(text), 0600, errp);
    free(path);
    free(text);
    free(dir);
    return rc;
}
