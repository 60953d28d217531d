// SPDX-License-Identifier: GPL-3.0-or-later
// Does burst-stagerd run? A socket that is listened at, one that nobody listens at, none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf.h"
#include "node/stagerd_probe.h"

static int64_t now_ms = 1000000;
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
    return now_ms;
}

static char dir[] = "/tmp/burst-probe-XXXXXX", why[320];
static struct burst_conf conf;
static struct burstd b = {.conf = &conf};

static bool runs(void)
{
    why[0] = '\0';
    return stagerd_runs(&b, why, sizeof(why));
}

static void as_the_socket_says(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    static char too_long[200];

    snprintf(a.sun_path, sizeof(a.sun_path), "%s/stage.sock", dir);
    conf.run_dir = dir;
    assert_false(runs());
    assert_non_null(
        strstr(why, "burst-stagerd does not run: no files of jobs can be copied (/tmp/"));
    assert_non_null(strstr(why, "/stage.sock: No such file or directory; is the service"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_false(runs()); // asked a moment ago
    now_ms += 5000;
    assert_true(runs());
    assert_string_equal(why, "");
    close(fd);
    assert_true(runs());
    now_ms += 5000;
    assert_false(runs()); // its socket is left behind
    assert_non_null(strstr(why, "Connection refused"));
    assert_false(stagerd_runs(&b, NULL, 0));
    unlink(a.sun_path);
    memset(too_long, 'x', sizeof(too_long) - 1);
    conf.run_dir = too_long;
    now_ms += 5000;
    assert_false(runs());
    assert_non_null(strstr(why, "too long"));
    conf.shared_filesystem = true; // nobody needs it
    assert_true(runs());
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_the_socket_says)};

    if (!mkdtemp(dir))
        return 1;
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return rc;
}
