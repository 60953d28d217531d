// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/tcp.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libburst/clock.h"

int64_t tcp_left_ms(int64_t deadline_ms)
{
    int64_t left = deadline_ms - clock_mono_ms();

    return left > 0 ? left : 0;
}

// A link that is cut is noticed after half a minute, however long a script may be silent.
static void dead_link(int fd)
{
    int one = 1, idle = 10, interval = 5, count = 4, user_ms = 30000;

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_ms, sizeof(user_ms));
}

int tcp_connect(const char *address, int port, int64_t deadline_ms, struct ssh_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    char service[16];
    int fd, one = 1, error = 0;
    socklen_t size = sizeof(error);

    snprintf(service, sizeof(service), "%d", port);
    int rc = getaddrinfo(address, service, &hints, &list);
    if (rc != 0)
        return ssh_fail(err, "timeout", "%s: %s", address, gai_strerror(rc));
    fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        freeaddrinfo(list);
        return ssh_fail(err, "internal", "socket: %s", strerror(errno));
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    dead_link(fd);
    rc = connect(fd, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    if (rc < 0 && errno == EINPROGRESS) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        rc = poll(&p, 1, (int)tcp_left_ms(deadline_ms));
        if (rc == 0)
            errno = ETIMEDOUT;
        if (rc > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error)
            errno = error;
        rc = rc > 0 && !error ? 0 : -1;
    }
    if (rc == 0)
        return fd;
    error = errno;
    close(fd);
    return ssh_fail(err, error == ECONNREFUSED ? "refused" : "timeout",
                    "no SSH connection to %s port %d: %s", address, port, strerror(error));
}
