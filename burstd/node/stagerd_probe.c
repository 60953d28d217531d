// SPDX-License-Identifier: GPL-3.0-or-later
// See stagerd_probe.h. A connection that is closed again: it does not wait, the kernel answers.
#include "node/stagerd_probe.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "libburst/clock.h"

#define AGAIN_MS 5000 // anybody may make burstd ask, and each time burst-stagerd starts a process

static int try_connect(const char *run_dir)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/stage.sock", run_dir), fd;

    if (n < 0 || (size_t)n >= sizeof(a.sun_path))
        return ENAMETOOLONG;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    int error = connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ? errno : 0;
    close(fd);
    return error == EAGAIN ? 0 : error; // it has more to do than it can take now: it runs
}

static void tell(const struct burst_conf *conf, int before, int now)
{
    if (now && !before)
        log_error("burst-stagerd does not answer at %s/stage.sock (%s): nothing is rented for jobs "
                  "with data until it does; is the service burst-stagerd running?",
                  conf->run_dir, strerror(now));
    else if (before && !now)
        log_info("burst-stagerd answers again");
}

bool stagerd_runs(struct burstd *b, char *why, size_t size)
{
    static int64_t asked_ms;
    static int error;
    int64_t now = clock_mono_ms();

    if (b->conf->shared_filesystem)
        return true;
    if (!asked_ms || now - asked_ms >= AGAIN_MS) {
        int before = error;
        error = try_connect(b->conf->run_dir);
        tell(b->conf, before, error);
        asked_ms = now;
    }
    if (error && why)
        snprintf(
            why, size,
            "burst-stagerd does not run: no files of jobs can be copied (%s/stage.sock: %s; is "
            "the service burst-stagerd running?)",
            b->conf->run_dir, strerror(error));
    return error == 0;
}
