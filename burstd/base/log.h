// SPDX-License-Identifier: GPL-3.0-or-later
// The log: one line per event on stderr (journald, or a file given with --log-file), with time and
// level. Secrets never come here; texts of users and clouds are printed with control characters
// replaced.
#ifndef BURST_LOG_H
#define BURST_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
// Appends to path instead of stderr; -1 with errno. Called again (SIGHUP) it reopens.
int log_open(const char *path);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
// The same text at most once a minute: for what is tried again each second.
void log_rarely(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
