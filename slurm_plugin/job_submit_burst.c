// SPDX-License-Identifier: GPL-3.0-or-later
// job_submit/burst: what slurmctld asks about each job that is submitted or changed.
//
// It runs under slurmctld's locks (config, job, node, partition; from 23.02 on in several threads
// at once), so: no I/O but one or two pread() of the snapshot and one datagram that is never waited
// for, no lock, no allocation beyond what it changes in the job. Everything in a job_desc_msg_t may
// come from a hostile client.
//
// Will-run tests come through job_submit() too and cannot be told from submissions, except those of
// an existing job, which bear its id. Hence nothing here has a side effect but the datagram, which
// only makes burstd look at the queue a little earlier.
//
// Any trouble of ours (no snapshot, an old one, nonsense) leaves the job as it is, except one that
// its user sends straight to nodes that cost money: nobody is there to rent them.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "slurm_plugin/classify.h"
#include "slurm_plugin/compat.h"
#include "slurm_plugin/directive.h"
#include "slurm_plugin/hostconf.h"
#include "slurm_plugin/request.h"
#include "slurm_plugin/snapshot.h"

#define OPERATOR_COMMENT_MAX 512

// What slurmctld looks for.
const char plugin_name[] = "Job submit plugin of slurm-burst";
const char plugin_type[] = "job_submit/burst";
const uint32_t plugin_version = SLURM_VERSION_NUMBER;

int init(void);
int fini(void);
int job_submit(job_desc_msg_t *desc, uint32_t submit_uid, char **err_msg);
#if COMPAT_JOB_MODIFY_MESSAGE
int job_modify(job_desc_msg_t *desc, struct job_record *job, uint32_t submit_uid, char **err_msg);
#else
int job_modify(job_desc_msg_t *desc, struct job_record *job, uint32_t submit_uid);
#endif

static struct snapshot_reader reader;
static char elastic_names[HOSTCONF_ELASTIC]; // as burst.conf says, while there is no snapshot
static struct sockaddr_un poke_address;
static int poke_fd = -1;

int init(void)
{
    struct hostconf conf;
    burst_error_t err;
    char path[HOSTCONF_PATH + 16];

    // A wrong burst.conf must not keep slurmctld from starting.
    if (hostconf_load(&conf, getenv("SLURM_CONF"), &err) < 0)
        slurm_error("job_submit/burst: %s", err.text);
    memcpy(elastic_names, conf.elastic, sizeof(elastic_names));
    snprintf(path, sizeof(path), "%s/snapshot", conf.run_dir);
    snapshot_reader_init(&reader, path);
    memset(&poke_address, 0, sizeof(poke_address));
    poke_address.sun_family = AF_UNIX;
    snprintf(poke_address.sun_path, sizeof(poke_address.sun_path), "%.90s/poke.sock", conf.run_dir);
    poke_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    slurm_info("job_submit/burst: snapshot %s", path);
    return SLURM_SUCCESS;
}

int fini(void)
{
    snapshot_reader_fini(&reader);
    if (poke_fd >= 0)
        close(poke_fd);
    poke_fd = -1;
    return SLURM_SUCCESS;
}

static bool privileged(uint32_t uid)
{
    return uid == 0 || uid == (uint32_t)geteuid(); // slurmctld runs as SlurmUser
}

static bool given(const char *s)
{
    return s && s[0];
}

static void replace(char **field, const char *text)
{
    slurm_xfree((void **)field);
    *field = slurm_xstrdup(text);
}

static void tell(char **err_msg, const char *text)
{
    if (err_msg && text[0])
        replace(err_msg, text);
}

// Where sbatch was called, when that is not where the job will work (--chdir); "" else, and when it
// is none that can be staged.
static const char *submit_dir(const job_desc_msg_t *d)
{
    static const char name[] = "SLURM_SUBMIT_DIR=";
    const char *dir = "";

    for (uint32_t i = 0; i < d->env_size && d->environment && !dir[0]; i++)
        if (d->environment[i] && strncmp(d->environment[i], name, sizeof(name) - 1) == 0)
            dir = d->environment[i] + sizeof(name) - 1;
    return dir[0] == '/' && d->work_dir && strcmp(dir, d->work_dir) != 0 ? dir : "";
}

// False: its name is too long to be kept in the mark beside the user's options.
static bool add_submit_dir(struct directive *wish, const char *dir)
{
    size_t len = strlen(dir);

    if (len >= sizeof(wish->submit_dir))
        return false;
    memcpy(wish->submit_dir, dir, len + 1);
    if (directive_check_sum(wish, NULL) == 0)
        return true;
    wish->submit_dir[0] = '\0';
    return false;
}

// Writes the mark, behind what an operator has put into AdminComment himself (Slurm lets nobody
// else). False: the user's options are too long together.
static bool mark(job_desc_msg_t *d, const struct directive *wish)
{
    char text[OPERATOR_COMMENT_MAX + 4 + DIRECTIVE_MARK_MAX];
    size_t n = 0;

    if (given(d->admin_comment))
        n = (size_t)snprintf(text, OPERATOR_COMMENT_MAX + 4, "%.*s | ", OPERATOR_COMMENT_MAX,
                             d->admin_comment);
    if (directive_check_sum(wish, NULL) < 0 ||
        directive_to_mark(wish, text + n, DIRECTIVE_MARK_MAX) < 0)
        return false;
    replace(&d->admin_comment, text);
    return true;
}

// Why a job stays of which its user thought that it might leave: for `burst why`, and for who reads
// AdminComment. Of users who ask for nothing special nothing is written down.
static void note_stays(job_desc_msg_t *d, const char *why)
{
    char text[OPERATOR_COMMENT_MAX + 4 + sizeof(DIRECTIVE_STAYS) + 256];
    size_t n = 0;

    if (!*why || COMPAT_DESC_JOB_ID(d) != NO_VAL || directive_find_mark(d->admin_comment))
        return;
    if (given(d->admin_comment))
        n = (size_t)snprintf(text, OPERATOR_COMMENT_MAX + 4, "%.*s | ", OPERATOR_COMMENT_MAX,
                             d->admin_comment);
    snprintf(text + n, sizeof(text) - n, DIRECTIVE_STAYS "%s", why);
    // What comes from the user in it goes to terminals.
    for (char *p = text + n; *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
    replace(&d->admin_comment, text);
}

static void poke(void)
{
    if (poke_fd >= 0)
        (void)!sendto(poke_fd, "submit", 6, MSG_DONTWAIT | MSG_NOSIGNAL,
                      (const struct sockaddr *)&poke_address, sizeof(poke_address));
}

// To be released; NULL = there is none.
static const struct snapshot_body *newest_snapshot(enum snapshot_age *age)
{
    enum snapshot_state state;
    const struct snapshot_body *s = snapshot_acquire(&reader, SNAPSHOT_MAX_AGE_MS, &state);

    *age = s ? SNAPSHOT_FRESH : SNAPSHOT_OLD;
    if (s)
        return s;
    if (state == SNAPSHOT_STALE)
        s = snapshot_acquire(&reader, -1, &state);
    if (!s)
        return snapshot_last(&reader);
    const struct snapshot_body *recent =
        s->accept_s > 0 ? snapshot_acquire(&reader, 1000 * s->accept_s, &state) : NULL;
    if (!recent)
        return s;
    snapshot_release(&reader, s);
    *age = SNAPSHOT_RECENT;
    return recent;
}

static int accept_job(job_desc_msg_t *d, struct directive *wish, const struct decision *what,
                      char **err_msg)
{
    char told[sizeof(what->sentence) + 160];

    if (COMPAT_DESC_JOB_ID(d) != NO_VAL || directive_find_mark(d->admin_comment))
        return SLURM_SUCCESS; // a test of an existing job, or marked by an operator
    bool kept = add_submit_dir(wish, submit_dir(d));
    if (!mark(d, wish)) {
        burst_error_t err = {""};
        char text[sizeof(err.text) + 8];
        directive_check_sum(wish, &err);
        snprintf(text, sizeof(text), "burst: %s", err.text);
        tell(err_msg, text);
        return EINVAL;
    }
    if (what->verdict == VERDICT_HOLD) {
        replace(&d->partition, what->partition);
        d->priority = 0;
    }
    snprintf(told, sizeof(told), "%s%s%s", what->sentence, what->sentence[0] && !kept ? "\n" : "",
             kept ? ""
                  : "burst: the name of the submit directory is too long to be kept: if a node "
                    "is rented, only the working directory is copied there");
    tell(err_msg, told);
    poke();
    return SLURM_SUCCESS;
}

int job_submit(job_desc_msg_t *desc, uint32_t submit_uid, char **err_msg)
{
    struct directive wish;
    struct job_request request;
    struct decision what;
    burst_error_t err;
    char text[sizeof(err.text) + 8];

    if (!desc)
        return SLURM_SUCCESS;
    if (given(desc->admin_comment) && !privileged(submit_uid)) { // Slurm refuses it before us
        tell(err_msg, "burst: only operators may set AdminComment");
        return ESLURM_ACCESS_DENIED;
    }
    memset(&wish, 0, sizeof(wish));
    if (directive_from_env(&wish, desc->spank_job_env, desc->spank_job_env_size, time(NULL), &err) <
        0) {
        snprintf(text, sizeof(text), "burst: %s", err.text);
        tell(err_msg, text);
        return EINVAL;
    }
    request_of(desc, submit_uid, privileged(submit_uid), &request);
    enum snapshot_age age;
    const struct snapshot_body *s = newest_snapshot(&age);
    if (!s && !request.privileged && classify_listed(desc->partition, elastic_names)) {
        tell(err_msg, "burst: burstd is not running now, so nobody rents nodes; name the cluster's "
                      "own partitions only");
        return ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE;
    }
    classify(s, age, &request, &wish, &what);
    snapshot_release(&reader, s);
    if (what.verdict == VERDICT_ELIGIBLE || what.verdict == VERDICT_HOLD)
        return accept_job(desc, &wish, &what, err_msg);
    if (what.verdict == VERDICT_ALONE)
        note_stays(desc, what.stays);
    tell(err_msg, what.sentence);
    return what.verdict == VERDICT_REJECT ? ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE
                                          : SLURM_SUCCESS;
}

// Changes by burstd and by operators of burst.yaml pass. An ordinary user cannot touch AdminComment
// (Slurm refuses it as well) and cannot move a job to nodes that cost money: that is decided at
// submission, under the site's rules, or by burstd.
static int judge_change(const job_desc_msg_t *d, uint32_t submit_uid, const char **why)
{
    enum snapshot_state state;

    if (!d || privileged(submit_uid))
        return SLURM_SUCCESS;
    if (!d->admin_comment && !given(d->partition))
        return SLURM_SUCCESS;
    const struct snapshot_body *s = snapshot_acquire(&reader, -1, &state);
    if (!s)
        s = snapshot_last(&reader);
    bool operator= s &&(snapshot_user_flags(s, submit_uid) & SNAPSHOT_USER_OPERATOR);
    bool elastic =
        s ? classify_names_elastic(s, d->partition) : classify_listed(d->partition, elastic_names);
    snapshot_release(&reader, s);
    if (operator)
        return SLURM_SUCCESS; // Slurm has rules of its own for them
    if (d->admin_comment) {
        *why = "burst: only operators (of burst.yaml) may change AdminComment";
        return ESLURM_ACCESS_DENIED;
    }
    if (!elastic)
        return SLURM_SUCCESS;
    *why = "burst: jobs are moved to rented nodes by burstd only; submit the job anew with "
           "--burst=only";
    return ESLURM_ACCESS_DENIED;
}

#if COMPAT_JOB_MODIFY_MESSAGE
int job_modify(job_desc_msg_t *desc, struct job_record *job, uint32_t submit_uid, char **err_msg)
{
    const char *why = NULL;
    int rc = judge_change(desc, submit_uid, &why);

    if (why)
        tell(err_msg, why);
    return rc;
}
#else
int job_modify(job_desc_msg_t *desc, struct job_record *job, uint32_t submit_uid)
{
    const char *why = NULL;
    int rc = judge_change(desc, submit_uid, &why);

    if (why) // scontrol shows the error code only; the sentence is for who reads the log
        slurm_info("job_submit/burst: change of a job by uid %u refused: %s", (unsigned)submit_uid,
                   why);
    return rc;
}
#endif
