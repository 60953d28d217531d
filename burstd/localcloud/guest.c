// SPDX-License-Identifier: GPL-3.0-or-later
// As PID 1 the process gets only the signals that it asks for, from inside and from outside
// (SIGKILL from outside excepted). All are blocked and taken one by one; there are no handlers.
// If the cloud goes away before the specification came, the process ends: an instance that is not
// in the cloud's books never lives. After it, the instance does not depend on the cloud.
#include "localcloud/guest.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"
#include "localcloud/guest_root.h"
#include "localcloud/guest_spec.h"
#include "localcloud/link.h"

#define SPEC_MAX (32u << 10)
#define STOP_GRACE_MS 500    // between SIGTERM and SIGKILL to everything inside
#define SSHD_RESTART_MS 1000 // sshd ended by itself: again after this
#define METADATA_ADDRESS ((169u << 24) | (254u << 16) | (169u << 8) | 254u)

// ---- coming up --------------------------------------------------------------------------------

static int read_spec(struct guest_spec *s, burst_error_t *errp)
{
    char *text = xmalloc(SPEC_MAX + 1);
    size_t have = 0;
    int rc = -1;

    while (have == 0 || text[have - 1] != '\n') {
        ssize_t n = read(GUEST_CHANNEL_FD, text + have, SPEC_MAX - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) { // the cloud is gone, or the line is too long
            errprintf(errp, "no specification came");
            goto out;
        }
        have += (size_t)n;
    }
    rc = guest_spec_parse(text, have, s, errp);
out:
    fs_wipe(text, SPEC_MAX);
    return rc;
}

// The cloud may have ended: then nobody listens, and that is all right.
static void tell(const char *key, const char *text)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, key, text);
    char *line = json_line(o);
    struct strbuf b;
    strbuf_init(&b, 4096);
    strbuf_addf(&b, "%s\n", line);
    if (write(GUEST_CHANNEL_FD, b.data, b.len) < 0)
        errno = 0;
    strbuf_free(&b);
    free(line);
    cJSON_Delete(o);
}

static int configure_network(const struct guest_spec *s, burst_error_t *errp)
{
    if (link_configure("lo", 0, 0, errp) < 0 ||
        link_configure("lo:0", METADATA_ADDRESS, 32, errp) < 0 ||
        link_configure("eth0", s->address, s->prefix, errp) < 0)
        return -1;
    return s->gateway ? link_default_route(s->gateway, errp) : 0;
}

// Root inside is root of the same kernel: what could reach past the namespaces by accident is
// taken away for good. (This keeps order, it is no wall against an attacker.)
static int drop_capabilities(burst_error_t *errp)
{
    static const unsigned long dropped[] = {CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME,
                                            CAP_MKNOD,      CAP_MAC_ADMIN, CAP_MAC_OVERRIDE};

    for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
        if (prctl(PR_CAPBSET_DROP, dropped[i], 0, 0, 0) < 0)
            return errprintf(errp, "cannot drop a capability: %s", strerror(errno));
    return 0;
}

static int come_up(const struct guest_spec *s, burst_error_t *errp)
{
    // The network first: the old root's commands are not needed, the new one has none of its links.
    if (configure_network(s, errp) < 0 || guest_root_enter(s, errp) < 0)
        return -1;
    if (sethostname(s->id, strlen(s->id)) < 0)
        return errprintf(errp, "cannot set the host name: %s", strerror(errno));
    return drop_capabilities(errp);
}

// ---- being init -------------------------------------------------------------------------------

static pid_t start_sshd(void)
{
    static char *const argv[] = {(char *)"/usr/sbin/sshd", (char *)"-D", (char *)"-e", NULL};
    static char *const envp[] = {
        (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        (char *)"LANG=C.UTF-8", NULL};
    pid_t pid = fork();

    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        setsid();
        execve(argv[0], argv, envp);
        _exit(127);
    }
    return pid;
}

// Waits for SIGCHLD until the time is over; true = no process is left.
static bool reap_until(int64_t deadline_ms)
{
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (;;) {
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        if (pid < 0 && errno == ECHILD)
            return true;
        int64_t left = deadline_ms - clock_mono_ms();
        if (left <= 0)
            return false;
        struct timespec ts = {left / 1000, left % 1000 * 1000000};
        sigtimedwait(&child, NULL, &ts);
    }
}

static void end_everything(void)
{
    kill(-1, SIGTERM);
    kill(-1, SIGCONT);
    if (!reap_until(clock_mono_ms() + STOP_GRACE_MS))
        kill(-1, SIGKILL);
}

// Takes the next signal; 0 when deadline_ms (monotonic, -1 = none) came first.
static int next_signal(const sigset_t *set, int64_t deadline_ms)
{
    if (deadline_ms < 0)
        return sigwaitinfo(set, NULL);
    int64_t left = deadline_ms - clock_mono_ms();
    if (left < 0)
        left = 0;
    struct timespec ts = {left / 1000, left % 1000 * 1000000};
    int sig = sigtimedwait(set, NULL, &ts);
    return sig < 0 && errno == EAGAIN ? 0 : sig;
}

static int init_loop(const sigset_t *set, int64_t boot_delay_ms)
{
    pid_t sshd = 0, pid;
    int64_t start_at = boot_delay_ms < 0 ? -1 : clock_mono_ms() + boot_delay_ms;

    for (;;) {
        if (!sshd && start_at >= 0 && clock_mono_ms() >= start_at) {
            sshd = start_sshd();
            start_at = -1;
        }
        int sig = next_signal(set, start_at);
        if (sig == SIGTERM || sig == SIGINT || sig == SIGPWR) {
            end_everything();
            return 0;
        }
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
            if (pid == sshd) {
                sshd = 0;
                start_at = clock_mono_ms() + SSHD_RESTART_MS;
            }
        }
    }
}

int guest_main(void)
{
    struct guest_spec spec;
    burst_error_t err;
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "burst-instance");
    setsid();
    if (read_spec(&spec, &err) < 0)
        return 1;
    if (come_up(&spec, &err) < 0) {
        tell("error", err.text);
        return 1;
    }
    int64_t delay = spec.boot_delay_ms;
    guest_spec_clear(&spec);
    tell("up", "yes");
    close(GUEST_CHANNEL_FD);
    return init_loop(&all, delay);
}

// ---- trying it out ----------------------------------------------------------------------------

static int probe_child(const char *mountpoint, int out)
{
    struct guest_spec spec = {
        .id = (char *)"probe",
        .mountpoint = (char *)mountpoint,
        .disk_mib = 64,
        .ssh_public_key = (char *)"",
        .host_private_key = (char *)"",
    };
    burst_error_t err;

    if (guest_root_enter(&spec, &err) == 0)
        return 0;
    if (write(out, err.text, strlen(err.text)) < 0)
        return 2;
    return 1;
}

int guest_probe(const char *mountpoint, burst_error_t *errp)
{
    int p[2], status = 0;
    char text[512] = "";

    if (pipe(p) < 0)
        return errprintf(errp, "pipe: %s", strerror(errno));
    long pid =
        syscall(SYS_clone,
                CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | SIGCHLD,
                0, 0, 0, 0);
    if (pid == 0)
        _exit(probe_child(mountpoint, p[1]));
    int saved = errno;
    close(p[1]);
    ssize_t n = pid > 0 ? read(p[0], text, sizeof(text) - 1) : -1;
    close(p[0]);
    if (pid < 0)
        return errprintf(errp,
                         "cannot make namespaces: %s (instances need root and a kernel with "
                         "mount, PID, network, UTS and IPC namespaces)",
                         strerror(saved));
    waitpid((pid_t)pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    text[n > 0 ? n : 0] = '\0';
    return errprintf(errp, "%s", *text ? text : "the trial instance ended without a word");
}
