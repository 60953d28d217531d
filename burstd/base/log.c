// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/printable.h"

static enum log_level threshold = LOG_LEVEL_INFO;
static int log_fd = 2;

void log_set_level(enum log_level level)
{
    threshold = level;
}

int log_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

    if (fd < 0)
        return -1;
    if (log_fd > 2)
        close(log_fd);
    log_fd = fd;
    return 0;
}

static void emit(enum log_level level, const char *word, const char *fmt, va_list ap)
{
    char line[2048], when[CLOCK_TEXT_MAX];

    if (level > threshold)
        return;
    int64_t ms = clock_now_ms();
    int n = snprintf(line, sizeof(line), "%.19s.%03d %s ", clock_local(ms / 1000, when),
                     (int)(ms % 1000), word);
    vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
    printable(line + n);
    size_t len = strlen(line);
    line[len++] = '\n';
    // One write per line keeps lines whole; a full disk must not stop the daemon.
    if (write(log_fd, line, len) < 0)
        return;
}

#define LOG_FUNCTION(name, level, word)                                                            \
    void name(const char *fmt, ...)                                                                \
    {                                                                                              \
        va_list ap;                                                                                \
        va_start(ap, fmt);                                                                         \
        emit(level, word, fmt, ap);                                                                \
        va_end(ap);                                                                                \
    }

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR, "error:")
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN, "warning:")
LOG_FUNCTION(log_info, LOG_LEVEL_INFO, "info:")
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG, "debug:")

#define SAID_LATELY 64
#define RARELY_MS 60000

// True when the text was not said for a minute; it counts as said from now on. Where more texts are
// repeated than are remembered here, the oldest is said again too early.
static bool is_news(const char *text)
{
    static struct said {
        uint64_t hash;
        int64_t at_ms;
    } said[SAID_LATELY];
    uint64_t hash = UINT64_C(14695981039346656037); // FNV-1a
    int64_t now = clock_mono_ms();
    struct said *oldest = said;

    for (const char *p = text; *p; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
    for (struct said *s = said; s < said + SAID_LATELY; s++) {
        if (s->hash == hash && s->at_ms && now - s->at_ms < RARELY_MS)
            return false;
        if (s->at_ms < oldest->at_ms)
            oldest = s;
    }
    *oldest = (struct said){hash, now};
    return true;
}

void log_rarely(enum log_level level, const char *fmt, ...)
{
    static void (*const functions[])(const char *fmt, ...) = {log_error, log_warn, log_info,
                                                              log_debug};
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (is_news(text))
        functions[level]("%s", text);
}
