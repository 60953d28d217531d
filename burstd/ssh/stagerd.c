// SPDX-License-Identifier: GPL-3.0-or-later
// burst-stagerd: reads and writes the files of jobs' users for burstd, which is not root. Protocol:
// internals, section 7.
//
// One process per request, which becomes the job's user for good (stage_serve.h). Only root and
// SlurmUser may ask.
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "ssh/stage_serve.h"

#define MAX_CHILDREN 64

static void usage(FILE *f)
{
    fprintf(f, "usage: burst-stagerd [--socket PATH] [--slurm-user NAME] [--foreground] [--debug]\n"
               "Stages the files of jobs for burstd, as the jobs' users. See burst-stagerd(8).\n"
               "  --socket PATH      where to listen (default " BURST_RUNDIR "/stage.sock)\n"
               "  --slurm-user NAME  who may ask beside root (default slurm)\n"
               "  --foreground       do not detach\n");
}

// The place for kept results of a site that names none (data.results_dir). Without it they cannot
// be kept, and who asks for that is told so.
static void make_results_dir(gid_t gid)
{
    mode_t old = umask(0);

    if (mkdir(BURST_RESULTSDIR, 0711) == 0) {
        if (chown(BURST_RESULTSDIR, 0, gid) < 0)
            log_warn("%s: %s", BURST_RESULTSDIR, strerror(errno));
    } else if (errno != EEXIST) {
        log_warn("%s cannot be made: %s", BURST_RESULTSDIR, strerror(errno));
    }
    umask(old);
}

static bool peer_allowed(int fd, uid_t slurm_uid)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return false;
    if (peer.uid == 0 || peer.uid == slurm_uid)
        return true;
    log_warn("uid %u (process %d) may not ask: only root and SlurmUser may", (unsigned)peer.uid,
             (int)peer.pid);
    return false;
}

// Group and mode are right from the first moment on: the directory may be SlurmUser's, and a later
// chown of the name could be led to another file.
static int listen_on(const char *path, gid_t gid)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int rc = -1;

    if (fd < 0 || strlen(path) >= sizeof(addr.sun_path)) {
        log_error("%s: cannot be a socket's name", path);
        return -1;
    }
    memcpy(addr.sun_path, path, strlen(path) + 1);
    if (unlink(path) < 0 && errno != ENOENT)
        log_warn("%s: %s", path, strerror(errno));
    mode_t old = umask(0117);
    if (setegid(gid) == 0) {
        rc = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
        if (setegid(0) < 0)
            rc = -1;
    }
    umask(old);
    if (rc < 0 || listen(fd, 64) < 0) {
        log_error("%s: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static void accept_one(int listener, int signals, const struct passwd *slurm, int *children,
                       const sigset_t *old_mask)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    pid_t pid;

    if (fd < 0)
        return;
    if (!peer_allowed(fd, slurm->pw_uid)) {
        stage_refuse(fd, "denied", "only root and SlurmUser may ask burst-stagerd");
    } else if (*children >= MAX_CHILDREN) {
        stage_refuse(fd, "io", "burst-stagerd is busy with too many requests");
    } else if ((pid = fork()) == 0) {
        close(listener);
        close(signals);
        sigprocmask(SIG_SETMASK, old_mask, NULL);
        int rc = stage_serve(fd, slurm->pw_gid);
        close(fd);
        exit(rc);
    } else if (pid < 0) {
        stage_refuse(fd, "io", "burst-stagerd cannot start a process");
    } else {
        (*children)++;
    }
    close(fd);
}

static int loop(int listener, const struct passwd *slurm)
{
    sigset_t mask, old_mask;
    int children = 0;

    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigprocmask(SIG_BLOCK, &mask, &old_mask);
    int signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    for (;;) {
        struct pollfd p[2] = {{.fd = listener, .events = POLLIN},
                              {.fd = signals, .events = POLLIN}};
        struct signalfd_siginfo si;
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return -1;
        while (read(signals, &si, sizeof(si)) == (ssize_t)sizeof(si))
            if (si.ssi_signo != SIGCHLD)
                return 0; // requests under way come to their end without us
        while (waitpid(-1, NULL, WNOHANG) > 0)
            children--;
        if (p[0].revents & POLLIN)
            accept_one(listener, signals, slurm, &children, &old_mask);
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'}, {"slurm-user", required_argument, NULL, 'u'},
        {"foreground", no_argument, NULL, 'f'},   {"debug", no_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    const char *path = BURST_RUNDIR "/stage.sock", *slurm_user = "slurm";
    bool foreground = false;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 's')
            path = optarg;
        else if (c == 'u')
            slurm_user = optarg;
        else if (c == 'f')
            foreground = true;
        else if (c == 'd')
            log_set_level(LOG_LEVEL_DEBUG);
        else {
            usage(c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 2;
        }
    }
    if (optind < argc) {
        usage(stderr);
        return 2;
    }
    // Names of files are packed as UTF-8 where they are; C.UTF-8 is in every glibc of today.
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // writing beyond the limit is an error, not an end
    if (geteuid() != 0) {
        log_error("burst-stagerd must be started by root: it becomes the user of each job");
        return 1;
    }
    const struct passwd *pw = getpwnam(slurm_user);
    if (!pw) {
        log_error("--slurm-user: there is no user %s", slurm_user);
        return 1;
    }
    const struct passwd slurm = {.pw_uid = pw->pw_uid, .pw_gid = pw->pw_gid};
    make_results_dir(slurm.pw_gid);
    int listener = listen_on(path, slurm.pw_gid);
    if (listener < 0)
        return 1;
    if (!foreground && daemon(0, 1) < 0) {
        log_error("cannot detach: %s", strerror(errno));
        return 1;
    }
    log_info("listening on %s for root and %s", path, slurm_user);
    int rc = loop(listener, &slurm);
    unlink(path);
    return rc < 0 ? 1 : 0;
}
