// SPDX-License-Identifier: GPL-3.0-or-later
// See slurm_link.h. Three children run burst-slurm: one watches, one carries out commands, and one
// (started when first needed) writes to slurmdbd, which may hang for long and must not delay the
// commands to slurmctld. Each is restarted 0.2 s to 10 s after it ended; a command that has no
// answer after COMMAND_MS, and a watcher silent for SILENCE_MS, is ended.
#include "slurm/slurm_link.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/child.h"
#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "slurm/limits.h"
#include "slurm/tables.h"

#define BACKOFF_MIN_MS 200
#define BACKOFF_MAX_MS 10000
#define COMMAND_MS 30000
// libslurm may block for several times MessageTimeout when slurmctld is unreachable.
#define SILENCE_MS 90000
// Limits are read this rarely, and nobody waits longer than this for them.
#define LIMITS_MS 60000
#define LIMITS_WAIT_MS 5000

struct command {
    int64_t id;
    slurm_cmd_cb cb;
    void *arg;
    struct command *prev, *next;
};

// One child and what belongs to it.
struct channel {
    struct slurm_link *l;
    const char *name; // for the log
    const char *mode; // burst-slurm's argument
    struct child *child;
    int backoff_ms;
    uv_timer_t restart, limit, fail;
    struct command *under_way; // in the order sent
    struct command *unsent;    // came while no child ran; `fail` answers them
};

struct slurm_link {
    uv_loop_t *loop;
    char *program, *conf, *poll_ms;
    struct slurm_link_ops ops;
    void *arg;
    struct channel watch, command, database;
    struct tables *tables;
    struct limits *limits;
    int64_t limits_asked_ms, limits_missed_ms; // 0 = not; missed: somebody's since then
    bool have_jobs, have_nodes, have_parts;    // since the watcher was started
    bool ok;                                   // what `status` was told last
    bool told;                                 // it was told anything
    bool fast;
    int64_t last_update, next_id;
    int command_ms, silence_ms;
    int handles; // timers not yet closed, at the end
};

static void channel_start(struct channel *ch);

// ---- what others are told

static void set_bad(struct slurm_link *l, const char *why)
{
    if (l->told && !l->ok)
        return;
    l->ok = false;
    l->told = true;
    log_warn("Slurm cannot be watched: %s", why);
    if (l->ops.status)
        l->ops.status(l->arg, false, why);
}

static void set_good(struct slurm_link *l)
{
    l->last_update = clock_now_s();
    if (l->ok || !l->have_jobs || !l->have_nodes || !l->have_parts)
        return;
    l->ok = l->told = true;
    log_info("Slurm answers");
    if (l->ops.status)
        l->ops.status(l->arg, true, "");
}

// Answers all commands of a list; those that a callback queues meanwhile are left.
static void fail_all(struct command **head, const char *why)
{
    struct command *list = *head, *c, *tmp;

    *head = NULL;
    DL_FOREACH_SAFE(list, c, tmp)
    {
        DL_DELETE(list, c);
        if (c->cb)
            c->cb(c->arg, -1, why);
        free(c);
    }
}

// ---- the watcher's messages

static void watch_line(void *arg, const cJSON *msg)
{
    struct channel *ch = arg;
    struct slurm_link *l = ch->l;
    const char *type = json_str(msg, "type", "");
    bool limits = strcmp(type, "limits") == 0;
    enum tables_result r = tables_take(l->tables, msg);

    uv_timer_again(&ch->limit);
    if (strcmp(type, "error") == 0) {
        set_bad(l, json_str(msg, "error", "no reason given"));
        return;
    }
    ch->backoff_ms = BACKOFF_MIN_MS;
    if (strcmp(type, "hello") == 0)
        log_info("watching Slurm %s, cluster %s", json_str(msg, "slurm", "?"),
                 json_str(msg, "cluster", "?"));
    else if (limits)
        limits_take(l->limits, msg);
    else if (strcmp(type, "tick") != 0 && r == TABLES_NOT_MINE)
        log_warn("%s: message of unknown type \"%s\"", ch->name, type);
    l->have_jobs |= r == TABLES_JOBS;
    l->have_nodes |= r == TABLES_NODES;
    l->have_parts |= r == TABLES_PARTS;
    set_good(l);
    if (l->ok && (r >= TABLES_JOBS || limits) && l->ops.changed)
        l->ops.changed(l->arg);
}

static void on_silence(uv_timer_t *t)
{
    struct channel *ch = t->data;

    log_warn("%s: nothing heard for %d s; ending it", ch->name, ch->l->silence_ms / 1000);
    if (ch->child)
        child_kill(ch->child, SIGKILL);
}

// ---- the answers to commands

static void on_command_limit(uv_timer_t *t)
{
    struct channel *ch = t->data;

    log_warn("%s: no answer for %d s; ending it", ch->name, ch->l->command_ms / 1000);
    if (ch->child)
        child_kill(ch->child, SIGKILL);
}

static void command_line(void *arg, const cJSON *msg)
{
    struct channel *ch = arg;
    struct command *c = ch->under_way;
    int64_t rc = json_i64(msg, "rc", INT64_MIN);

    if (!c || json_i64(msg, "id", -1) != c->id || rc < INT32_MIN || rc > INT32_MAX) {
        log_warn("%s: an answer to nothing that was asked; ending it", ch->name);
        child_kill(ch->child, SIGKILL);
        return;
    }
    ch->backoff_ms = BACKOFF_MIN_MS;
    DL_DELETE(ch->under_way, c);
    // The limit is for the command that the child works on now: the next one.
    if (ch->under_way)
        uv_timer_start(&ch->limit, on_command_limit, (uint64_t)ch->l->command_ms, 0);
    else
        uv_timer_stop(&ch->limit);
    if (c->cb)
        c->cb(c->arg, (int)rc, json_str(msg, "error", ""));
    free(c);
}

// ---- life of the children

static void on_restart(uv_timer_t *t)
{
    channel_start(t->data);
}

static void schedule_restart(struct channel *ch)
{
    uv_timer_start(&ch->restart, on_restart, (uint64_t)ch->backoff_ms, 0);
    ch->backoff_ms *= 2;
    if (ch->backoff_ms > BACKOFF_MAX_MS)
        ch->backoff_ms = BACKOFF_MAX_MS;
}

static void on_exited(void *arg, int status, int signal)
{
    struct channel *ch = arg;
    struct slurm_link *l = ch->l;
    char why[200];

    if (signal)
        snprintf(why, sizeof(why), "%s was ended by signal %d", ch->name, signal);
    else
        snprintf(why, sizeof(why), "%s ended with status %d", ch->name, status);
    log_warn("%s; it is started again in %d ms", why, ch->backoff_ms);
    ch->child = NULL;
    uv_timer_stop(&ch->limit);
    schedule_restart(ch);
    if (ch == &l->watch) {
        // The tables stay readable, but are not current until the new child sent them all.
        l->have_jobs = l->have_nodes = l->have_parts = false;
        set_bad(l, why);
    } else
        fail_all(&ch->under_way, why);
}

static void send_fast(struct slurm_link *l)
{
    cJSON *m = cJSON_CreateObject();

    cJSON_AddStringToObject(m, "cmd", "fast");
    cJSON_AddBoolToObject(m, "on", l->fast);
    if (l->watch.child)
        child_send(l->watch.child, m, NULL);
    cJSON_Delete(m);
}

static int channel_try(struct channel *ch, burst_error_t *errp)
{
    static const struct child_ops watch_ops = {watch_line, on_exited};
    static const struct child_ops command_ops = {command_line, on_exited};
    struct slurm_link *l = ch->l;
    bool watch = ch == &l->watch;
    char *argv[8];
    int n = 0;

    argv[n++] = l->program;
    if (l->conf) {
        argv[n++] = (char *)"--conf";
        argv[n++] = l->conf;
    }
    if (watch) {
        argv[n++] = (char *)"--poll-ms";
        argv[n++] = l->poll_ms;
    }
    argv[n++] = (char *)ch->mode;
    argv[n] = NULL;
    ch->child = child_create(l->loop, ch->name, argv, watch ? &watch_ops : &command_ops, ch, errp);
    if (!ch->child)
        return -1;
    if (watch) {
        uv_timer_start(&ch->limit, on_silence, (uint64_t)l->silence_ms, (uint64_t)l->silence_ms);
        if (l->fast)
            send_fast(l);
    }
    return 0;
}

static void channel_start(struct channel *ch)
{
    burst_error_t err = {""};

    if (channel_try(ch, &err) == 0)
        return;
    log_warn("%s; next try in %d ms", err.text, ch->backoff_ms);
    schedule_restart(ch);
}

static void channel_init(struct slurm_link *l, struct channel *ch, const char *name,
                         const char *mode)
{
    ch->l = l;
    ch->name = name;
    ch->mode = mode;
    ch->backoff_ms = BACKOFF_MIN_MS;
    uv_timer_init(l->loop, &ch->restart);
    uv_timer_init(l->loop, &ch->limit);
    uv_timer_init(l->loop, &ch->fail);
    ch->restart.data = ch->limit.data = ch->fail.data = ch;
    l->handles += 3;
}

struct slurm_link *slurm_link_create(uv_loop_t *loop, const char *slurm_conf, int poll_ms,
                                     const struct slurm_link_ops *ops, void *arg,
                                     burst_error_t *errp)
{
    struct slurm_link *l = xmalloc(sizeof(*l));

    l->loop = loop;
    l->program = child_path("burst-slurm");
    l->conf = xstrdup(slurm_conf);
    l->poll_ms = xasprintf("%d", poll_ms);
    l->ops = *ops;
    l->arg = arg;
    l->command_ms = COMMAND_MS;
    l->silence_ms = SILENCE_MS;
    l->tables = tables_create();
    l->limits = limits_create();
    channel_init(l, &l->watch, "burst-slurm watch", "watch");
    channel_init(l, &l->command, "burst-slurm command", "command");
    channel_init(l, &l->database, "burst-slurm command (accounting)", "command");
    if (channel_try(&l->watch, errp) < 0 || channel_try(&l->command, errp) < 0) {
        slurm_link_destroy(l);
        return NULL;
    }
    return l;
}

void slurm_link_set_limits(struct slurm_link *l, int command_ms, int silence_ms)
{
    l->command_ms = command_ms;
    l->silence_ms = silence_ms;
    uv_timer_start(&l->watch.limit, on_silence, (uint64_t)silence_ms, (uint64_t)silence_ms);
}

static void on_closed(uv_handle_t *h)
{
    struct channel *ch = h->data;
    struct slurm_link *l = ch->l;

    if (--l->handles > 0)
        return;
    tables_destroy(l->tables);
    limits_destroy(l->limits);
    free(l->program);
    free(l->conf);
    free(l->poll_ms);
    free(l);
}

static void channel_close(struct channel *ch)
{
    struct command *c, *tmp;

    child_destroy(ch->child);
    ch->child = NULL;
    DL_CONCAT(ch->under_way, ch->unsent);
    DL_FOREACH_SAFE(ch->under_way, c, tmp)
    {
        DL_DELETE(ch->under_way, c);
        free(c);
    }
    uv_close((uv_handle_t *)&ch->restart, on_closed);
    uv_close((uv_handle_t *)&ch->limit, on_closed);
    uv_close((uv_handle_t *)&ch->fail, on_closed);
}

void slurm_link_destroy(struct slurm_link *l)
{
    if (!l)
        return;
    channel_close(&l->watch);
    channel_close(&l->command);
    channel_close(&l->database);
}

// ---- asking and telling

static void on_fail(uv_timer_t *t)
{
    struct channel *ch = t->data;
    char why[100];

    snprintf(why, sizeof(why), "%s is not running", ch->name);
    fail_all(&ch->unsent, why);
}

void slurm_link_command(struct slurm_link *l, cJSON *cmd, slurm_cmd_cb cb, void *arg)
{
    struct channel *ch = &l->command;
    struct command *c = xmalloc(sizeof(*c));
    burst_error_t err = {""};
    bool idle;

    if (strcmp(json_str(cmd, "op", ""), "db_comment") == 0)
        ch = &l->database;
    if (ch == &l->database && !ch->child && !uv_is_active((uv_handle_t *)&ch->restart))
        channel_start(ch);
    idle = !ch->under_way;
    c->id = ++l->next_id;
    c->cb = cb;
    c->arg = arg;
    json_add_i64(cmd, "id", c->id);
    if (ch->child)
        DL_APPEND(ch->under_way, c);
    else
        DL_APPEND(ch->unsent, c);
    if (!ch->child)
        uv_timer_start(&ch->fail, on_fail, 0, 0); // answered from the loop, never from here
    else if (child_send(ch->child, cmd, &err) < 0) {
        // It has gone or does not read: its end answers all that is under way.
        log_warn("%s", err.text);
        child_kill(ch->child, SIGKILL);
    } else if (idle)
        uv_timer_start(&ch->limit, on_command_limit, (uint64_t)ch->l->command_ms, 0);
    cJSON_Delete(cmd);
}

void slurm_link_poke(struct slurm_link *l)
{
    cJSON *m = cJSON_CreateObject();

    cJSON_AddStringToObject(m, "cmd", "poke");
    if (l->watch.child)
        child_send(l->watch.child, m, NULL);
    cJSON_Delete(m);
}

void slurm_link_fast(struct slurm_link *l, bool on)
{
    if (l->fast == on)
        return;
    l->fast = on;
    send_fast(l);
}

static void ask_limits(struct slurm_link *l, const char *const *users, size_t n)
{
    cJSON *m = cJSON_CreateObject();

    cJSON_AddStringToObject(m, "cmd", "limits");
    cJSON_AddItemToObject(m, "users", cJSON_CreateStringArray(users, (int)n));
    if (l->watch.child)
        child_send(l->watch.child, m, NULL);
    cJSON_Delete(m);
}

bool slurm_link_limits_ready(struct slurm_link *l, const char *const *users, size_t n)
{
    int64_t now = clock_mono_ms(), pause = LIMITS_MS;
    bool all = true;

    for (size_t k = 0; k < n && all; k++)
        all = limits_cover(l->limits, users[k]);
    if (all)
        l->limits_missed_ms = 0;
    else if (!l->limits_missed_ms)
        l->limits_missed_ms = now; // and asked now
    if (!all)
        pause = l->limits_missed_ms == now ? 0 : LIMITS_WAIT_MS;
    if (!l->limits_asked_ms || now - l->limits_asked_ms >= pause) {
        l->limits_asked_ms = now;
        ask_limits(l, users, n);
    }
    return all || now - l->limits_missed_ms >= LIMITS_WAIT_MS;
}

const struct limits *slurm_link_limits(const struct slurm_link *l)
{
    return l->limits;
}

bool slurm_link_ready(const struct slurm_link *l)
{
    return l->ok;
}

const struct sjob *slurm_link_job(const struct slurm_link *l, const char *job)
{
    return tables_job(l->tables, job);
}

const struct sjob *slurm_link_job_by_id(const struct slurm_link *l, uint32_t job_id)
{
    return tables_job_by_id(l->tables, job_id);
}

const struct snode *slurm_link_node(const struct slurm_link *l, const char *name)
{
    return tables_node(l->tables, name);
}

size_t slurm_link_jobs(const struct slurm_link *l, const struct sjob *const **jobs)
{
    return tables_jobs(l->tables, jobs);
}

size_t slurm_link_nodes(const struct slurm_link *l, const struct snode *const **nodes)
{
    return tables_nodes(l->tables, nodes);
}

size_t slurm_link_parts(const struct slurm_link *l, const struct spart *const **parts)
{
    return tables_parts(l->tables, parts);
}

const struct spart *slurm_link_part(const struct slurm_link *l, const char *name)
{
    const struct spart *const *parts;
    size_t len = strcspn(name, ","), n = slurm_link_parts(l, &parts);

    for (size_t k = 0; k < n; k++)
        if (strncmp(parts[k]->name, name, len) == 0 && parts[k]->name[len] == '\0')
            return parts[k];
    return NULL;
}

int64_t slurm_link_last_update(const struct slurm_link *l)
{
    return l->last_update;
}
