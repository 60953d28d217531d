// SPDX-License-Identifier: GPL-3.0-or-later
#include "slurm/child/lineio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"

#define LINE_CEILING (4u << 20)

static int out_fd = 1;
static struct strbuf in;

void lineio_init(void)
{
    out_fd = fcntl(1, F_DUPFD_CLOEXEC, 3);
    if (out_fd < 0 || dup2(2, 1) < 0) {
        fprintf(stderr, "error: cannot set up the output: %s\n", strerror(errno));
        _exit(1);
    }
    strbuf_init(&in, LINE_CEILING + 65536);
}

void lineio_write(const char *line)
{
    size_t len = strlen(line);
    struct {
        const char *p;
        size_t n;
    } part[2] = {{line, len}, {"\n", 1}};

    for (int i = 0; i < 2; i++) {
        while (part[i].n > 0) {
            ssize_t w = write(out_fd, part[i].p, part[i].n);
            if (w < 0 && errno == EINTR)
                continue;
            if (w < 0)
                _exit(0); // burstd has gone
            part[i].p += w;
            part[i].n -= (size_t)w;
        }
    }
}

void lineio_write_json(const cJSON *msg)
{
    char *line = json_line(msg);

    lineio_write(line);
    cJSON_free(line);
}

// A whole line from the buffer, if there is one.
static cJSON *take_line(void)
{
    char *nl = in.len ? memchr(in.data, '\n', in.len) : NULL;
    burst_error_t err;

    if (!nl)
        return NULL;
    size_t len = (size_t)(nl - in.data);
    cJSON *msg = json_parse(in.data, len, &err);
    if (!cJSON_IsObject(msg)) {
        fprintf(stderr, "error: a line on stdin is not a JSON object (%s)\n",
                msg ? "another JSON value" : err.text);
        _exit(2);
    }
    strbuf_consume(&in, len + 1);
    return msg;
}

enum lineio_result lineio_read(int64_t deadline_ms, cJSON **msg)
{
    char buf[65536];

    for (;;) {
        if ((*msg = take_line()))
            return LINEIO_LINE;
        if (in.len > LINE_CEILING) {
            fprintf(stderr, "error: a line on stdin is longer than 4 MiB\n");
            _exit(2);
        }
        int64_t left = deadline_ms < 0 ? -1 : deadline_ms - clock_mono_ms();
        if (deadline_ms >= 0 && left < 0)
            left = 0;
        struct pollfd p = {.fd = 0, .events = POLLIN};
        int r = poll(&p, 1, left > 60000 ? 60000 : (int)left);
        if (r == 0 && left >= 0 && left <= 60000)
            return LINEIO_TIMEOUT;
        if (r <= 0)
            continue;
        ssize_t n = read(0, buf, sizeof(buf));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return LINEIO_EOF;
        strbuf_add(&in, buf, (size_t)n);
    }
}
