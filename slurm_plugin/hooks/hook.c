// SPDX-License-Identifier: GPL-3.0-or-later
// See hook.h.
#include "slurm_plugin/hooks/hook.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/rpc_client.h"
#include "slurm_plugin/classify.h"

#define CONNECT_MS 5000
#define TORN_TRIES 20 // with HOOK_POLL_MS / 5 between: a snapshot that is being written

// A file that we open must not become descriptor 1, into which some library prints.
static void fill_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
}

void hook_start(struct hook *h, const char *name)
{
    burst_error_t err;

    fill_standard_descriptors();
    umask(077);
    h->name = name;
    openlog(name, LOG_PID, LOG_DAEMON);
    if (hostconf_load(&h->conf, getenv("SLURM_CONF"), &err) < 0)
        hook_log("%s", err.text);
}

void hook_log(const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    syslog(LOG_ERR, "%s", text);
    dprintf(2, "%s\n", text); // Slurm shows it from 23.02 on
}

void hook_poke(const struct hook *h, const char *word)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return;
    snprintf(a.sun_path, sizeof(a.sun_path), "%.90s/poke.sock", h->conf.run_dir);
    (void)!sendto(fd, word, strlen(word), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&a,
                  sizeof(a));
    close(fd);
}

bool hook_elastic(const struct hook *h, const char *partition)
{
    static struct snapshot_reader reader; // large
    enum snapshot_state state = SNAPSHOT_MISSING;
    const struct snapshot_body *s = NULL;
    char path[HOSTCONF_PATH + 16];

    snprintf(path, sizeof(path), "%s/snapshot", h->conf.run_dir);
    if (!partition || snapshot_reader_init(&reader, path) < 0)
        return false;
    for (int i = 0; i < TORN_TRIES && !s; i++) {
        if (i > 0)
            poll(NULL, 0, HOOK_POLL_MS / 5);
        s = snapshot_acquire(&reader, -1, &state);
        if (state == SNAPSHOT_MISSING)
            break;
    }
    bool elastic =
        s ? classify_names_elastic(s, partition) : classify_listed(partition, h->conf.elastic);
    if (!s && state == SNAPSHOT_BAD)
        hook_log("%s is %s: partition %s is taken for one of %s", path, snapshot_state_text(state),
                 partition, elastic ? "rented nodes (burst.conf)" : "the cluster's own");
    snapshot_release(&reader, s);
    snapshot_reader_fini(&reader);
    return elastic;
}

uint32_t hook_job_id(void)
{
    const char *text = getenv("SLURM_JOB_ID");
    uint64_t n = 0;

    for (; text && *text; text++) {
        if (*text < '0' || *text > '9' || n > UINT32_MAX)
            return 0;
        n = n * 10 + (uint64_t)(*text - '0');
    }
    return n > UINT32_MAX ? 0 : (uint32_t)n;
}

// One connection, one question. 1, 0 as hook_ask(); -1 try again; -2 do not.
static int ask_once(const struct hook *h, const char *method, uint32_t job_id, const char *nodes,
                    const char *key, int64_t deadline_ms)
{
    burst_error_t err = {""};
    char path[HOSTCONF_PATH + 16];
    int rc = -1;

    snprintf(path, sizeof(path), "%s/burstd.sock", h->conf.run_dir);
    struct rpc_client *c = rpc_connect(path, CONNECT_MS, &err);
    int64_t left = deadline_ms - clock_mono_ms();
    if (!c || left <= 0) {
        rpc_close(c);
        return -1;
    }
    cJSON *params = cJSON_CreateObject();
    json_add_i64(params, "job_id", job_id);
    if (nodes)
        json_add_str(params, "nodes", nodes);
    cJSON *result = rpc_call(c, method, params, (int)left, &err);
    if (result) {
        rc = json_bool(result, key, false);
        if (!rc)
            hook_log("job %u: burstd says no to %s: %.300s", (unsigned)job_id, method,
                     json_str(result, "reason", "no reason given"));
    } else if (strcmp(rpc_code(c), "denied") == 0 || strcmp(rpc_code(c), "invalid") == 0) {
        hook_log("job %u: burstd refuses %s: %.300s", (unsigned)job_id, method, err.text);
        rc = -2;
    }
    cJSON_Delete(result);
    rpc_close(c);
    return rc;
}

int hook_ask(const struct hook *h, const char *method, uint32_t job_id, const char *nodes,
             const char *key, int timeout_s)
{
    int64_t deadline = clock_mono_ms() + (int64_t)timeout_s * 1000;

    while (clock_mono_ms() < deadline) {
        int rc = ask_once(h, method, job_id, nodes, key, deadline);
        if (rc != -1)
            return rc < 0 ? -1 : rc;
        int64_t left = deadline - clock_mono_ms();
        poll(NULL, 0, left < HOOK_POLL_MS ? (left > 0 ? (int)left : 0) : HOOK_POLL_MS);
    }
    hook_log("job %u: burstd has not answered %s within %d s", (unsigned)job_id, method, timeout_s);
    return -1;
}
