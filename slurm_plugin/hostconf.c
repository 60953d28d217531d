// SPDX-License-Identifier: GPL-3.0-or-later
// See hostconf.h.
#include "slurm_plugin/hostconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 16384
#define TIMEOUT_MAX 86400
#define RUN_DIR_MAX 90 // with "/burstd.sock" it still is a socket's path

static bool set_dir(char *dir, size_t max, const char *value)
{
    size_t len = strlen(value);

    while (len > 1 && value[len - 1] == '/')
        len--;
    if (value[0] != '/' || len > max)
        return false;
    memcpy(dir, value, len);
    dir[len] = '\0';
    return true;
}

static bool set_seconds(int *seconds, const char *value)
{
    char *end;
    long n = strtol(value, &end, 10);

    if (value[0] < '0' || value[0] > '9' || *end || n < 1 || n > TIMEOUT_MAX)
        return false;
    *seconds = (int)n;
    return true;
}

static int take(struct hostconf *c, const char *key, const char *value, burst_error_t *errp)
{
    if (strcmp(key, "RunDir") == 0)
        return set_dir(c->run_dir, RUN_DIR_MAX, value)
                   ? 0
                   : errprintf(errp,
                               "RunDir=%.60s: must be an absolute path of at most %d "
                               "characters",
                               value, RUN_DIR_MAX);
    if (strcmp(key, "StateDir") == 0)
        return set_dir(c->state_dir, sizeof(c->state_dir) - 1, value)
                   ? 0
                   : errprintf(errp,
                               "StateDir=%.60s: must be an absolute path of at most %d "
                               "characters",
                               value, (int)sizeof(c->state_dir) - 1);
    if (strcmp(key, "PrologTimeout") == 0 || strcmp(key, "EpilogTimeout") == 0)
        return set_seconds(key[0] == 'P' ? &c->prolog_timeout_s : &c->epilog_timeout_s, value)
                   ? 0
                   : errprintf(errp, "%s=%.60s: must be seconds from 1 to %d", key, value,
                               TIMEOUT_MAX);
    if (strcmp(key, "ElasticPartitions") == 0) {
        size_t len = strlen(value);
        if (len >= sizeof(c->elastic) || strpbrk(value, " \t"))
            return errprintf(
                errp, "ElasticPartitions=%.60s: names with commas between, without blanks", value);
        memcpy(c->elastic, value, len + 1);
        return 0;
    }
    return errprintf(errp,
                     "%.60s: unknown key; known are RunDir, StateDir, PrologTimeout, "
                     "EpilogTimeout and ElasticPartitions",
                     key);
}

static char *trim(char *p)
{
    size_t len;

    p += strspn(p, " \t\r");
    for (len = strlen(p); len > 0 && strchr(" \t\r", p[len - 1]); len--)
        ;
    p[len] = '\0';
    return p;
}

static int take_line(struct hostconf *c, char *line, burst_error_t *errp)
{
    line[strcspn(line, "#")] = '\0';
    line = trim(line);
    if (!*line)
        return 0;
    char *eq = strchr(line, '=');
    if (!eq)
        return errprintf(errp, "\"%.60s\" is not key=value", line);
    *eq = '\0';
    return take(c, trim(line), trim(eq + 1), errp);
}

static int take_text(struct hostconf *c, char *text, const char *path, burst_error_t *errp)
{
    burst_error_t err;
    int number = 0, rc = 0;

    for (char *line = text; line;) {
        char *next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        number++;
        if (take_line(c, line, &err) < 0 && rc == 0)
            rc = errprintf(errp, "%s:%d: %.300s", path, number, err.text);
        line = next;
    }
    return rc;
}

int hostconf_load(struct hostconf *c, const char *slurm_conf, burst_error_t *errp)
{
    char path[512], text[FILE_MAX];

    memset(c, 0, sizeof(*c));
    snprintf(c->run_dir, sizeof(c->run_dir), "%s", BURST_RUNDIR);
    snprintf(c->state_dir, sizeof(c->state_dir), "%s", BURST_STATEDIR);
    c->prolog_timeout_s = 900;
    c->epilog_timeout_s = 600;
    if (!slurm_conf || !*slurm_conf)
        slurm_conf = "/etc/slurm/slurm.conf";
    const char *slash = strrchr(slurm_conf, '/');
    int n = snprintf(path, sizeof(path), "%.*s/burst.conf", slash ? (int)(slash - slurm_conf) : 1,
                     slash ? slurm_conf : ".");
    if (n < 0 || (size_t)n >= sizeof(path))
        return errprintf(errp, "SLURM_CONF: the path is too long");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : errprintf(errp, "%s: %s", path, strerror(errno));
    ssize_t len = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (len < 0)
        return errprintf(errp, "%s: %s", path, strerror(errno));
    if ((size_t)len == sizeof(text) - 1)
        return errprintf(errp, "%s: larger than %d bytes", path, FILE_MAX - 2);
    text[len] = '\0';
    return take_text(c, text, path, errp);
}
