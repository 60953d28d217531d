// SPDX-License-Identifier: GPL-3.0-or-later
// See capture.h.
#include "cmd/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/strbuf.h"

#define STDERR_MAX 4096

static void child(const struct passwd *as, char *const argv[], int out, int err)
{
    int null = open("/dev/null", O_RDONLY);

    if (as && (initgroups(as->pw_name, as->pw_gid) < 0 || setgid(as->pw_gid) < 0 ||
               setuid(as->pw_uid) < 0))
        _exit(126);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    execvp(argv[0], argv);
    _exit(127);
}

// Reads what is there. 1 more may come, 0 end, -1 too much.
static int drain(int fd, struct strbuf *b)
{
    char chunk[16384];
    ssize_t n = read(fd, chunk, sizeof(chunk));

    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 1 : 0;
    if (n == 0)
        return 0;
    return strbuf_add(b, chunk, (size_t)n) < 0 ? -1 : 1;
}

static int collect(int out_fd, int err_fd, struct strbuf *out, struct strbuf *err, int timeout_ms,
                   const char *name, burst_error_t *errp)
{
    struct pollfd p[2] = {{.fd = out_fd, .events = POLLIN}, {.fd = err_fd, .events = POLLIN}};
    int64_t deadline = clock_mono_ms() + timeout_ms;

    while (p[0].fd >= 0 || p[1].fd >= 0) {
        int64_t left = deadline - clock_mono_ms();
        int n = left > 0 ? poll(p, 2, (int)left) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return errprintf(errp, "%s does not answer within %d s", name, timeout_ms / 1000);
        if (p[0].fd >= 0 && p[0].revents) {
            int rc = drain(out_fd, out);
            if (rc < 0)
                return errprintf(errp, "%s: too much output", name);
            if (rc == 0)
                p[0].fd = -1;
        }
        // What does not fit of the complaints is thrown away.
        if (p[1].fd >= 0 && p[1].revents && drain(err_fd, err) == 0)
            p[1].fd = -1;
    }
    return 0;
}

static int judge(int status, struct strbuf *err, const char *name, burst_error_t *errp)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return errprintf(errp, "%s is not installed (not found on PATH)", name);
    while (err->len > 0 && err->data[err->len - 1] == '\n')
        err->data[--err->len] = '\0';
    const char *last = err->len ? strrchr(err->data, '\n') : NULL;
    if (err->len) {
        const char *line = last ? last + 1 : err->data, *slash = strrchr(name, '/');
        const char *base = slash ? slash + 1 : name;
        size_t n = strlen(base);
        if (strncmp(line, base, n) == 0 && line[n] == ':') // it names itself
            return errprintf(errp, "%.400s", line);
        return errprintf(errp, "%s: %.300s", name, line);
    }
    return errprintf(errp, "%s failed (status %d)", name,
                     WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int capture_as(const struct passwd *as, char *const argv[], int timeout_ms, size_t max, char **out,
               size_t *len, burst_error_t *errp)
{
    struct strbuf o, e;
    int po[2], pe[2], status = 0, rc;

    if (pipe2(po, O_CLOEXEC) < 0)
        return errprintf(errp, "pipe: %s", strerror(errno));
    if (pipe2(pe, O_CLOEXEC) < 0) {
        close(po[0]);
        close(po[1]);
        return errprintf(errp, "pipe: %s", strerror(errno));
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        child(as, argv, po[1], pe[1]);
    close(po[1]);
    close(pe[1]);
    strbuf_init(&o, max);
    strbuf_init(&e, STDERR_MAX);
    strbuf_adds(&o, "");
    if (pid < 0) {
        rc = errprintf(errp, "fork: %s", strerror(errno));
    } else {
        rc = collect(po[0], pe[0], &o, &e, timeout_ms, argv[0], errp);
        if (rc < 0)
            kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (rc == 0)
            rc = judge(status, &e, argv[0], errp);
    }
    close(po[0]);
    close(pe[0]);
    if (rc == 0 && len)
        *len = o.len;
    if (rc == 0)
        *out = strbuf_take(&o);
    strbuf_free(&o);
    strbuf_free(&e);
    return rc;
}

int capture(char *const argv[], int timeout_ms, size_t max, char **out, burst_error_t *errp)
{
    return capture_as(NULL, argv, timeout_ms, max, out, NULL, errp);
}
