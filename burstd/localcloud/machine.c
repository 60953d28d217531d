// SPDX-License-Identifier: GPL-3.0-or-later
#include "localcloud/machine.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "libburst/clock.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "localcloud/guest.h"
#include "localcloud/guest_spec.h"
#include "localcloud/link.h"
#include "localcloud/metadata.h"

#define KILL_WAIT_MS 5000
#define REPLY_MAX 1024
#define LINK_NAME_MAX 16

struct machines {
    uv_loop_t *loop;
    struct machines_config config;
    machine_cb cb;
    void *arg;
    char boot_id[40];
    char *mountpoint;
    char *console_dir;
};

struct machine {
    struct machines *ms;
    struct instance *i;
    int pidfd;
    int channel; // to the guest until it is up, -1 afterwards
    uv_poll_t pid_poll;
    uv_poll_t channel_poll;
    bool channel_polled;
    int open_handles;
    struct metadata *metadata;
    char reply[REPLY_MAX];
    size_t reply_len;
    char failure[512];
};

static void link_name(const struct instance *i, char name[LINK_NAME_MAX])
{
    // ids are "i-" and ten hexadecimal digits
    snprintf(name, LINK_NAME_MAX, "lc%.10s", i->id + 2);
}

// ---- identity ---------------------------------------------------------------------------------

static int read_boot_id(char out[40])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, 36);

    if (fd >= 0)
        close(fd);
    if (n != 36)
        return -1;
    out[36] = '\0';
    return 0;
}

// Field 22 of /proc/PID/stat, the start in clock ticks since the machine booted; false when there
// is no such process or only its remains.
static bool process_start(int pid, uint64_t *ticks)
{
    char path[64], text[1024];

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    char *p = strrchr(text, ')'); // the name before it may hold anything
    if (!p || p[1] != ' ' || p[2] == 'Z' || p[2] == 'X')
        return false;
    p += 2;
    for (int field = 3; field < 22; field++) {
        p = strchr(p, ' ');
        if (!p)
            return false;
        p++;
    }
    *ticks = strtoull(p, NULL, 10);
    return true;
}

// A pidfd of exactly the process that is meant, or -1. The identity is checked after the pidfd was
// opened: the pid cannot be given to another process in between.
static int open_identity(const struct machine_identity *id, const char *boot_id)
{
    uint64_t ticks;

    if (id->pid <= 0 || strcmp(id->boot_id, boot_id) != 0)
        return -1;
    int fd = (int)syscall(SYS_pidfd_open, id->pid, 0);
    if (fd < 0)
        return -1;
    if (process_start(id->pid, &ticks) && ticks == id->start_ticks)
        return fd;
    close(fd);
    return -1;
}

static void kill_and_wait(int pidfd)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};

    syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    if (poll(&p, 1, KILL_WAIT_MS) == 0)
        log_warn("a killed instance is still there after %d ms", KILL_WAIT_MS);
}

// ---- handles ----------------------------------------------------------------------------------

static void handle_closed(uv_handle_t *h)
{
    struct machine *m = h->data;

    if (--m->open_handles == 0)
        free(m);
}

static void close_channel(struct machine *m)
{
    if (m->channel_polled) {
        uv_close((uv_handle_t *)&m->channel_poll, handle_closed);
        m->channel_polled = false;
    }
    if (m->channel >= 0)
        close(m->channel);
    m->channel = -1;
}

static void guest_said(struct machine *m, const char *line, size_t len)
{
    cJSON *o = json_parse(line, len, NULL);
    const char *error = json_str(o, "error", NULL);

    if (error)
        snprintf(m->failure, sizeof(m->failure), "%s", error);
    else if (json_str(o, "up", NULL))
        m->ms->cb(m->ms->arg, m->i, MACHINE_UP, "");
    cJSON_Delete(o);
}

static void on_channel(uv_poll_t *h, int status, int events)
{
    struct machine *m = h->data;
    ssize_t n = read(m->channel, m->reply + m->reply_len, REPLY_MAX - m->reply_len);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        m->reply_len += (size_t)n;
        char *end = memchr(m->reply, '\n', m->reply_len);
        if (!end && m->reply_len < REPLY_MAX)
            return;
        if (end)
            guest_said(m, m->reply, (size_t)(end - m->reply));
    }
    close_channel(m); // one line is all it says
}

static void on_pidfd(uv_poll_t *h, int status, int events)
{
    struct machine *m = h->data;

    uv_poll_stop(h);
    if (m->channel_polled) // its last words may still be on the way
        on_channel(&m->channel_poll, 0, UV_READABLE);
    m->ms->cb(m->ms->arg, m->i, MACHINE_GONE, m->failure);
}

static int watch(struct machine *m, burst_error_t *errp)
{
    int rc = uv_poll_init(m->ms->loop, &m->pid_poll, m->pidfd);

    if (rc < 0)
        return errprintf(errp, "cannot watch the process: %s", uv_strerror(rc));
    m->open_handles = 1;
    m->pid_poll.data = m;
    uv_poll_start(&m->pid_poll, UV_READABLE, on_pidfd);
    if (m->channel < 0)
        return 0;
    rc = uv_poll_init(m->ms->loop, &m->channel_poll, m->channel);
    if (rc < 0)
        return errprintf(errp, "cannot watch the channel: %s", uv_strerror(rc));
    m->open_handles++;
    m->channel_polled = true;
    m->channel_poll.data = m;
    uv_poll_start(&m->channel_poll, UV_READABLE, on_channel);
    return 0;
}

static void let_go(struct machine *m)
{
    metadata_destroy(m->metadata);
    m->metadata = NULL;
    m->i->m = NULL;
    close_channel(m);
    if (m->open_handles) { // freed when the loop has let go of it
        uv_close((uv_handle_t *)&m->pid_poll, handle_closed);
        close(m->pidfd);
    } else {
        close(m->pidfd);
        free(m);
    }
}

// ---- making one -------------------------------------------------------------------------------

// In the new process: only async-signal-safe calls, the rest comes after exec.
static void __attribute__((noreturn)) become_guest(int channel, int console)
{
    static char *const argv[] = {(char *)"burst-instance", (char *)"--instance", NULL};
    static char *const envp[] = {NULL};
    sigset_t none;
    int null = open("/dev/null", O_RDWR);

    // First out of the way of the numbers 0 to 3, then in place.
    channel = fcntl(channel, F_DUPFD, 10);
    console = fcntl(console, F_DUPFD, 10);
    null = fcntl(null, F_DUPFD, 10);
    dup2(null, 0);
    dup2(console, 1);
    dup2(console, 2);
    dup2(channel, GUEST_CHANNEL_FD);
    syscall(SYS_close_range, GUEST_CHANNEL_FD + 1, ~0U, 0);
    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve("/proc/self/exe", argv, envp);
    _exit(127);
}

// fork() with namespaces and a pidfd. clone() rather than clone3(): older container sandboxes
// refuse the latter. With a NULL stack it returns twice, as fork() does.
static long clone_guest(int *pidfd)
{
    const unsigned long flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |
                                CLONE_NEWNET | CLONE_PIDFD | SIGCHLD;

    return syscall(SYS_clone, flags, NULL, pidfd, NULL, NULL);
}

static int spawn(struct machines *ms, struct machine *m, burst_error_t *errp)
{
    struct instance *i = m->i;
    char *path = xasprintf("%s/%s.log", ms->console_dir, i->id);
    int console = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int sv[2] = {-1, -1};
    long pid = -1;

    if (console < 0)
        errprintf(errp, "%s: %s", path, strerror(errno));
    else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
        errprintf(errp, "socketpair: %s", strerror(errno));
    else if ((pid = clone_guest(&m->pidfd)) < 0)
        errprintf(errp, "cannot make a process in namespaces of its own: %s", strerror(errno));
    else if (pid == 0)
        become_guest(sv[1], console);
    free(path);
    if (console >= 0)
        close(console);
    if (sv[1] >= 0)
        close(sv[1]);
    if (pid < 0) {
        if (sv[0] >= 0)
            close(sv[0]);
        return -1;
    }
    m->channel = sv[0];
    i->machine.pid = (int)pid;
    return 0;
}

static int real_create(void *ctx, struct instance *i, burst_error_t *errp)
{
    struct machines *ms = ctx;
    struct machine *m = xmalloc(sizeof(*m));

    m->ms = ms;
    m->i = i;
    m->channel = m->pidfd = -1;
    if (spawn(ms, m, errp) < 0) {
        free(m);
        return -1;
    }
    i->m = m;
    memcpy(i->machine.boot_id, ms->boot_id, sizeof(ms->boot_id));
    if (!process_start(i->machine.pid, &i->machine.start_ticks)) {
        errprintf(errp, "the process of %s ended at once", i->id);
    } else if (watch(m, errp) == 0) {
        return 0;
    }
    kill_and_wait(m->pidfd);
    let_go(m);
    memset(&i->machine, 0, sizeof(i->machine));
    return -1;
}

static int send_spec(struct machine *m, const char *host_private_key, burst_error_t *errp)
{
    const struct machines_config *c = &m->ms->config;
    const struct guest_spec spec = {
        .id = m->i->id,
        .mountpoint = m->ms->mountpoint,
        .address = m->i->address,
        .prefix = c->prefix,
        .gateway = c->gateway,
        .accelerators = m->i->accelerators,
        .boot_delay_ms = m->i->boot_delay,
        .disk_mib = c->disk_mib,
        .ssh_public_key = m->i->ssh_key,
        .host_private_key = (char *)host_private_key,
    };
    char *line = guest_spec_print(&spec);
    size_t len = strlen(line);
    // A few KiB into an empty socket buffer: never partial.
    ssize_t n = send(m->channel, line, len, MSG_NOSIGNAL);
    fs_wipe(line, len);
    if (n != (ssize_t)len)
        return errprintf(errp, "cannot hand %s its specification: %s", m->i->id,
                         n < 0 ? strerror(errno) : "too long");
    return 0;
}

static int real_boot(void *ctx, struct instance *i, const char *host_private_key,
                     burst_error_t *errp)
{
    struct machines *ms = ctx;
    char name[LINK_NAME_MAX];

    link_name(i, name);
    if (link_create_pair(name, ms->config.bridge, i->machine.pid, i->address, errp) < 0)
        return -1;
    i->m->metadata = metadata_create(ms->loop, i, errp);
    return i->m->metadata ? send_spec(i->m, host_private_key, errp) : -1;
}

static bool real_attach(void *ctx, struct instance *i)
{
    struct machines *ms = ctx;
    int pidfd = open_identity(&i->machine, ms->boot_id);
    burst_error_t err;

    if (pidfd < 0)
        return false;
    struct machine *m = xmalloc(sizeof(*m));
    m->ms = ms;
    m->i = i;
    m->channel = -1;
    m->pidfd = pidfd;
    i->m = m;
    if (watch(m, &err) < 0) {
        log_error("%s: %s", i->id, err.text);
        let_go(m);
        return false;
    }
    m->metadata = metadata_create(ms->loop, i, &err);
    if (!m->metadata) // it runs all the same; only its notice would not be seen
        log_error("%s: no metadata address: %s", i->id, err.text);
    return true;
}

static void real_signal(void *ctx, struct instance *i, int signum)
{
    if (i->m)
        syscall(SYS_pidfd_send_signal, i->m->pidfd, signum, NULL, 0);
}

static int real_cut(void *ctx, struct instance *i, bool cut, burst_error_t *errp)
{
    char name[LINK_NAME_MAX];

    link_name(i, name);
    return link_set_up(name, !cut, errp);
}

static void real_discard(void *ctx, struct instance *i)
{
    char name[LINK_NAME_MAX];
    burst_error_t err;

    if (i->m) {
        struct pollfd p = {.fd = i->m->pidfd, .events = POLLIN};
        if (poll(&p, 1, 0) == 0)
            kill_and_wait(i->m->pidfd);
        let_go(i->m);
    }
    link_name(i, name);
    if (link_exists(name) && link_delete(name, &err) < 0)
        log_error("%s: %s", i->id, err.text);
}

static int64_t real_now_ms(void *ctx)
{
    return clock_now_ms();
}

const struct machine_ops machine_ops_real = {
    .create = real_create,
    .boot = real_boot,
    .attach = real_attach,
    .signal = real_signal,
    .cut = real_cut,
    .discard = real_discard,
    .now_ms = real_now_ms,
};

struct machines *machines_create(uv_loop_t *loop, const struct machines_config *config,
                                 machine_cb cb, void *arg, burst_error_t *errp)
{
    struct machines *ms = xmalloc(sizeof(*ms));

    ms->loop = loop;
    ms->config = *config;
    ms->cb = cb;
    ms->arg = arg;
    ms->mountpoint = xasprintf("%s/mnt", config->state_dir);
    ms->console_dir = xasprintf("%s/console", config->state_dir);
    if (read_boot_id(ms->boot_id) < 0)
        errprintf(errp, "/proc/sys/kernel/random/boot_id: %s", strerror(errno));
    else if (!link_exists(config->bridge))
        errprintf(errp,
                  "there is no bridge %s in this network namespace; make it first: "
                  "ip link add %s type bridge",
                  config->bridge, config->bridge);
    else if (fs_mkdirs(ms->mountpoint, 0700, errp) == 0 &&
             fs_mkdirs(ms->console_dir, 0700, errp) == 0 && guest_probe(ms->mountpoint, errp) == 0)
        return ms;
    machines_destroy(ms);
    return NULL;
}

void machine_let_go(struct instance *i)
{
    if (i->m)
        let_go(i->m);
}

void machines_destroy(struct machines *ms)
{
    if (!ms)
        return;
    free(ms->mountpoint);
    free(ms->console_dir);
    free(ms);
}

int machine_purge(const struct instance *i, burst_error_t *errp)
{
    char boot_id[40], name[LINK_NAME_MAX];
    int ended = 0;

    if (read_boot_id(boot_id) < 0)
        return errprintf(errp, "/proc/sys/kernel/random/boot_id: %s", strerror(errno));
    int pidfd = open_identity(&i->machine, boot_id);
    if (pidfd >= 0) {
        kill_and_wait(pidfd);
        close(pidfd);
        ended = 1;
    }
    link_name(i, name);
    if (link_exists(name) && link_delete(name, errp) < 0)
        return -1;
    return ended;
}
