// SPDX-License-Identifier: GPL-3.0-or-later
// See dbd.h. Runs in a short-lived grandchild: in every release accounting_storage_slurmdbd.so uses
// functions that libslurm.so does not export, and the process dies with "symbol lookup error" when
// slurmdbd answers with an error or goes away. We define them (see the end), and survive their
// absence in a release that needs others. A slurmdbd that hangs costs DBD_LIMIT_MS, not burstd.
#include "slurm/child/dbd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "slurm/child/compat_slurm.h"

#define DBD_LIMIT_MS 20000

// What the grandchild reports; small enough for one atomic write.
struct result {
    int rc;
    char text[400];
};

struct attempt {
    int64_t submit, end; // end 0: still running
    uint32_t state;
};

#define ATTEMPTS_MAX 256

static void fill_cond(slurmdb_job_cond_t *cond, slurm_selected_step_t *step, const char *cluster,
                      const struct dbd_job *job)
{
    memset(cond, 0, sizeof(*cond));
    memset(step, 0, sizeof(*step));
    // A zeroed condition matches nothing: flags of the record must be "not asked for".
    cond->db_flags = SLURMDB_JOB_FLAG_NOTSET;
    cond->flags = JOBCOND_FLAG_NO_STEP | JOBCOND_FLAG_NO_WHOLE_HETJOB | JOBCOND_FLAG_NO_TRUNC;
    // By the array's id alone all tasks of the array would match.
    step->array_task_id = job->array_job_id ? job->array_task_id : NO_VAL;
    step->het_job_offset = NO_VAL;
    step->step_id.job_id = job->array_job_id ? job->array_job_id : job->job_id;
    step->step_id.step_id = NO_VAL;
    step->step_id.step_het_comp = NO_VAL;
    cond->step_list = slurm_list_create(NULL);
    slurm_list_append(cond->step_list, step);
    cond->cluster_list = slurm_list_create(NULL);
    slurm_list_append(cond->cluster_list, (char *)cluster);
}

static int by_submit(const void *a, const void *b)
{
    const struct attempt *x = a, *y = b;

    return x->submit < y->submit ? -1 : x->submit > y->submit;
}

// All attempts of the job since `submit`, oldest first. -1 with errno on error.
static int load_attempts(void *db, slurmdb_job_cond_t *cond, const struct dbd_job *job,
                         struct attempt *out)
{
    int n = 0;

    cond->flags |= JOBCOND_FLAG_DUP;
    // Without bounds slurmdbd would walk the whole table.
    cond->usage_start = job->submit;
    cond->usage_end = clock_now_s() + 60;
    compat_list_t *list = slurmdb_jobs_get(db, cond);
    if (!list)
        return -1;
    compat_list_itr_t *it = slurm_list_iterator_create(list);
    slurmdb_job_rec_t *r;
    while ((r = slurm_list_next(it)) && n < ATTEMPTS_MAX) {
        if (job->array_job_id ? r->array_task_id != job->array_task_id : r->jobid != job->job_id)
            continue;
        out[n++] = (struct attempt){r->submit, r->end, r->state};
    }
    slurm_list_iterator_destroy(it);
    slurm_list_destroy(list);
    qsort(out, (size_t)n, sizeof(out[0]), by_submit);
    return n;
}

// slurmdb_job_modify() without DUP changes the latest record. It does not look at the window of
// usage, but with a list of states it takes the records in that state that ended in the window:
// with DUP that names one attempt, if no other ended alike in the same second. -1 if one did.
static int aim(slurmdb_job_cond_t *cond, const struct attempt *a, int n, int i)
{
    static char state[16];

    if (i == n - 1) {
        cond->flags &= ~(uint32_t)JOBCOND_FLAG_DUP;
        return 0;
    }
    if (!a[i].end)
        return -1;
    for (int k = 0; k < n; k++)
        if (k != i && a[k].end == a[i].end && a[k].state == a[i].state)
            return -1;
    snprintf(state, sizeof(state), "%u", a[i].state);
    cond->state_list = slurm_list_create(NULL);
    slurm_list_append(cond->state_list, state);
    cond->usage_start = cond->usage_end = a[i].end;
    return 0;
}

static int modify(void *db, slurmdb_job_cond_t *cond, const char *comment)
{
    slurmdb_job_rec_t rec;

    memset(&rec, 0, sizeof(rec));
    rec.derived_ec = NO_VAL;
    rec.admin_comment = (char *)comment;
    errno = 0;
    compat_list_t *list = slurmdb_job_modify(db, cond, &rec);
    if (!list)
        return errno ? errno : -1;
    int n = slurm_list_count(list);
    slurm_list_destroy(list);
    if (n != 1) {
        slurmdb_connection_commit(db, 0); // takes it back
        return n < 1 ? ESLURM_INVALID_JOB_ID : -1;
    }
    return slurmdb_connection_commit(db, 1) == SLURM_SUCCESS ? 0 : errno ? errno : -1;
}

static void work(const char *cluster, const struct dbd_job *job, const char *comment,
                 struct result *res)
{
    slurmdb_job_cond_t cond;
    slurm_selected_step_t step;
    static struct attempt a[ATTEMPTS_MAX];
    int n, i;

    void *db = slurmdb_connection_get(NULL);
    if (!db) {
        res->rc = errno ? errno : -1;
        snprintf(res->text, sizeof(res->text), "no connection to slurmdbd: %s",
                 slurm_strerror(errno));
        return;
    }
    fill_cond(&cond, &step, cluster, job);
    n = load_attempts(db, &cond, job, a);
    if (n < 0) {
        res->rc = errno ? errno : -1;
        snprintf(res->text, sizeof(res->text), "slurmdbd: reading the job's records: %s",
                 slurm_strerror(errno));
        return;
    }
    for (i = n - 1; i >= 0 && a[i].submit != job->submit; i--)
        ;
    if (i < 0) {
        res->rc = ESLURM_INVALID_JOB_ID;
        snprintf(res->text, sizeof(res->text),
                 "slurmdbd has no record of job %u submitted at %" PRId64 " (%d others)",
                 job->job_id, job->submit, n);
        return;
    }
    if (aim(&cond, a, n, i) < 0) {
        res->rc = -1;
        snprintf(res->text, sizeof(res->text),
                 "attempts of job %u are not distinct in the accounting: cannot name this one",
                 job->job_id);
        return;
    }
    res->rc = modify(db, &cond, comment);
    if (res->rc)
        snprintf(res->text, sizeof(res->text), "slurmdbd: changing the record: %s",
                 res->rc > 0 ? slurm_strerror(res->rc) : "it did not name exactly one");
}

static void grandchild(int out, const char *cluster, const struct dbd_job *job, const char *comment)
{
    struct result res = {0};
    int null = open("/dev/null", O_RDONLY);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (null >= 0)
        dup2(null, 0); // burstd's commands are not for us
    work(cluster, job, comment, &res);
    if (write(out, &res, sizeof(res)) < 0)
        _exit(1);
    _exit(0);
}

// Reads the result within the limit. False: none came.
static bool collect(int fd, struct result *res)
{
    int64_t end = clock_mono_ms() + DBD_LIMIT_MS;

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = end - clock_mono_ms();
        int r = left <= 0 ? 0 : poll(&p, 1, (int)left);
        if (r < 0 && errno == EINTR)
            continue;
        return r > 0 && read(fd, res, sizeof(*res)) == (ssize_t)sizeof(*res);
    }
}

int dbd_set_admin_comment(const char *cluster, const struct dbd_job *job, const char *comment,
                          burst_error_t *errp)
{
    struct result res = {0};
    int p[2], st = 0;

    if (pipe2(p, O_CLOEXEC) < 0)
        return errprintf(errp, "cannot ask slurmdbd: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        grandchild(p[1], cluster, job, comment);
    close(p[1]);
    if (pid < 0) {
        close(p[0]);
        return errprintf(errp, "cannot ask slurmdbd: %s", strerror(errno));
    }
    int64_t begun = clock_mono_ms();
    bool got = collect(p[0], &res);
    kill(pid, SIGKILL);
    while (waitpid(pid, &st, 0) < 0 && errno == EINTR)
        ;
    close(p[0]);
    if (!got && clock_mono_ms() - begun >= DBD_LIMIT_MS)
        return errprintf(errp, "slurmdbd did not answer within %d s", DBD_LIMIT_MS / 1000);
    if (!got)
        return errprintf(errp, "asking slurmdbd failed: libslurm ended the process (status 0x%x)",
                         (unsigned)st);
    res.text[sizeof(res.text) - 1] = '\0';
    if (res.rc)
        errprintf(errp, "%s", res.text);
    return res.rc;
}

// Called by accounting_storage_slurmdbd.so when it reports an error, see the top. burst-slurm.list
// makes the program export them.
char *slurmdbd_msg_type_2_str(int type, int get_enum);
char *rpc_num2string(uint16_t opcode);

char *slurmdbd_msg_type_2_str(int type, int get_enum)
{
    static char text[32];

    snprintf(text, sizeof(text), "DBD message %d", type);
    return text;
}

char *rpc_num2string(uint16_t opcode)
{
    static char text[32];

    snprintf(text, sizeof(text), "RPC %u", (unsigned)opcode);
    return text;
}
