// SPDX-License-Identifier: GPL-3.0-or-later
// The listening socket belongs to the instance's network namespace, the server to this process:
// nothing runs inside for it. An open socket keeps a network namespace alive, so it is closed as
// soon as the instance has ended.
#include "localcloud/metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/xalloc.h"

#define ADDRESS "169.254.169.254"
#define PREFIX "/latest/meta-data/"
#define MAX_TTL_S 21600 // AWS: at most six hours

struct metadata {
    struct httpd *httpd;
    const struct instance *i;
    char token[41];
    int64_t token_until_ms; // monotonic
};

static const char listing[] =
    "ami-id\nhostname\ninstance-id\ninstance-life-cycle\ninstance-type\nlocal-hostname\n"
    "local-ipv4\nplacement/\npublic-keys/\nspot/\n";

static char *instance_action(const struct instance *i)
{
    char when[CLOCK_TEXT_MAX];

    if (!i->notice_at)
        return NULL;
    return xasprintf("{\"action\": \"terminate\", \"time\": \"%s\"}",
                     clock_utc(i->notice_at, when));
}

char *metadata_value(const struct instance *i, const char *path)
{
    char when[CLOCK_TEXT_MAX];

    if (strcmp(path, "") == 0)
        return xstrdup(listing);
    if (strcmp(path, "instance-id") == 0 || strcmp(path, "hostname") == 0 ||
        strcmp(path, "local-hostname") == 0)
        return xstrdup(i->id);
    if (strcmp(path, "instance-type") == 0)
        return xstrdup(i->instance_type);
    if (strcmp(path, "instance-life-cycle") == 0)
        return xstrdup(i->spot ? "spot" : "on-demand");
    if (strcmp(path, "local-ipv4") == 0)
        return xstrdup(i->address_text);
    if (strcmp(path, "placement/availability-zone") == 0)
        return xstrdup(i->zone);
    if (strcmp(path, "placement/region") == 0)
        return xstrdup(i->region);
    if (strcmp(path, "spot/instance-action") == 0)
        return instance_action(i);
    if (strcmp(path, "spot/termination-time") == 0)
        return i->notice_at ? xstrdup(clock_utc(i->notice_at, when)) : NULL;
    return NULL;
}

// PUT /latest/api/token with the wanted life in a header.
static void answer_token(struct metadata *m, const struct httpd_request *r,
                         struct httpd_reply *reply)
{
    const char *header = httpd_header(r, "X-aws-ec2-metadata-token-ttl-seconds");
    long ttl = header ? strtol(header, NULL, 10) : 0;
    int64_t until = clock_mono_ms() + ttl * 1000;

    reply->status = 400;
    if (ttl < 1 || ttl > MAX_TTL_S)
        return;
    if (until > m->token_until_ms) // one token at a time; the longest wish counts
        m->token_until_ms = until;
    reply->status = 200;
    reply->body = xstrdup(m->token);
}

static void on_request(void *arg, const struct httpd_request *r, struct httpd_reply *reply)
{
    struct metadata *m = arg;
    const char *path = httpd_path(r);
    const char *token = httpd_header(r, "X-aws-ec2-metadata-token");

    reply->type = "text/plain";
    if (strcmp(httpd_method(r), "PUT") == 0 && strcmp(path, "/latest/api/token") == 0) {
        answer_token(m, r, reply);
        return;
    }
    if (strcmp(httpd_method(r), "GET") != 0) {
        reply->status = 405;
        return;
    }
    if (token && (strcmp(token, m->token) != 0 || clock_mono_ms() > m->token_until_ms)) {
        reply->status = 401;
        return;
    }
    if (strncmp(path, PREFIX, strlen(PREFIX)) == 0)
        reply->body = metadata_value(m->i, path + strlen(PREFIX));
    reply->status = reply->body ? 200 : 404;
}

// The process changes into the other network namespace for the moment of the call: it has one
// thread, nobody else is taken along. If there is no way back it must not go on.
static int listen_inside(int pid, burst_error_t *errp)
{
    char path[64];
    uint16_t port = 80;
    int fd = -1;
    int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
    int other = open(path, O_RDONLY | O_CLOEXEC);
    if (own < 0 || other < 0 || setns(other, CLONE_NEWNET) < 0) {
        errprintf(errp, "cannot reach the network of process %d: %s", pid, strerror(errno));
    } else {
        fd = httpd_listen(ADDRESS, &port, true, errp);
        if (setns(own, CLONE_NEWNET) < 0)
            abort();
    }
    if (own >= 0)
        close(own);
    if (other >= 0)
        close(other);
    return fd;
}

struct metadata *metadata_create(uv_loop_t *loop, const struct instance *i, burst_error_t *errp)
{
    unsigned char random[20];
    int fd = listen_inside(i->machine.pid, errp);

    if (fd < 0)
        return NULL;
    struct metadata *m = xmalloc(sizeof(*m));
    m->i = i;
    m->httpd = httpd_create(loop, fd, on_request, m, errp);
    if (!m->httpd || getrandom(random, sizeof(random), 0) != sizeof(random)) {
        metadata_destroy(m);
        return NULL;
    }
    for (size_t n = 0; n < sizeof(random); n++)
        snprintf(m->token + 2 * n, 3, "%02x", random[n]);
    return m;
}

void metadata_destroy(struct metadata *m)
{
    if (!m)
        return;
    httpd_destroy(m->httpd);
    free(m);
}
