// SPDX-License-Identifier: GPL-3.0-or-later
// See fake_burstd.h. The server is a process of its own, because its clients block.
#include "fake_burstd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libburst/strbuf.h"

static pid_t server;
static int requests = -1;

static void die(const char *what)
{
    fprintf(stderr, "fake burstd: %s: %s\n", what, strerror(errno));
    _exit(99);
}

static const char *find_answer(const struct fake_answer *script, unsigned *used, const char *line)
{
    char key[64];
    const char *last = NULL;

    for (unsigned i = 0; script[i].method; i++) {
        snprintf(key, sizeof(key), "\"method\":\"%s\"", script[i].method);
        if (!strstr(line, key))
            continue;
        last = script[i].line;
        if (*used & 1u << i)
            continue;
        *used |= 1u << i;
        return last;
    }
    return last ? last
                : "{\"ok\":false,\"code\":\"invalid\",\"error\":\"the script has no answer\"}";
}

static void serve(int listener, int log, const struct fake_answer *script)
{
    char line[65536];
    unsigned used = 0;

    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            die("accept");
        FILE *in = fdopen(fd, "r");
        while (in && fgets(line, sizeof(line), in)) {
            const char *answer = find_answer(script, &used, line);
            if (write(log, line, strlen(line)) < 0 ||
                send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0 ||
                send(fd, "\n", 1, MSG_NOSIGNAL) < 0)
                break;
        }
        if (in)
            fclose(in);
    }
}

void fake_burstd_start(const char *path, const struct fake_answer *script)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), log[2];

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 16) < 0 ||
        pipe2(log, O_CLOEXEC) < 0)
        die(path);
    fcntl(log[1], F_SETPIPE_SZ, 1 << 20);
    server = fork();
    if (server < 0)
        die("fork");
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that fails must leave nothing behind
        serve(fd, log[1], script);
    }
    close(fd);
    close(log[1]);
    requests = log[0];
}

char *fake_burstd_stop(void)
{
    struct strbuf b;
    char chunk[4096];
    ssize_t n;

    if (server <= 0)
        return NULL;
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    server = 0;
    strbuf_init(&b, 1 << 20);
    strbuf_adds(&b, "");
    while ((n = read(requests, chunk, sizeof(chunk))) > 0)
        strbuf_add(&b, chunk, (size_t)n);
    close(requests);
    char *text = strbuf_take(&b);
    strbuf_free(&b);
    return text;
}

static void read_both(int fds[2], struct strbuf bufs[2])
{
    struct pollfd p[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLIN}};
    char chunk[4096];

    while (p[0].fd >= 0 || p[1].fd >= 0) {
        if (poll(p, 2, 20000) <= 0) {
            strbuf_adds(&bufs[1], "[the program does not end]");
            return;
        }
        for (int i = 0; i < 2; i++) {
            if (p[i].fd < 0 || !p[i].revents)
                continue;
            ssize_t n = read(p[i].fd, chunk, sizeof(chunk));
            if (n <= 0)
                p[i].fd = -1;
            else
                strbuf_add(&bufs[i], chunk, (size_t)n);
        }
    }
}

struct ran run(const char *const argv[])
{
    struct ran r = {.status = -1};
    struct strbuf bufs[2];
    int out[2], err[2], status;

    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
        return r;
    pid_t pid = fork();
    if (pid == 0) {
        if (dup2(out[1], 1) < 0 || dup2(err[1], 2) < 0)
            _exit(98);
        execv(argv[0], (char *const *)argv);
        die(argv[0]);
    }
    close(out[1]);
    close(err[1]);
    int fds[2] = {out[0], err[0]};
    for (int i = 0; i < 2; i++) {
        strbuf_init(&bufs[i], 4 << 20);
        strbuf_adds(&bufs[i], "");
    }
    read_both(fds, bufs);
    close(out[0]);
    close(err[0]);
    if (waitpid(pid, &status, WNOHANG) == 0) {
        // Its outputs are closed: it ends by itself, unless it hangs.
        alarm(20);
        waitpid(pid, &status, 0);
        alarm(0);
    }
    r.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    r.out = strbuf_take(&bufs[0]);
    r.err = strbuf_take(&bufs[1]);
    strbuf_free(&bufs[0]);
    strbuf_free(&bufs[1]);
    return r;
}

void ran_free(struct ran *r)
{
    free(r->out);
    free(r->err);
}
