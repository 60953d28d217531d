// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of site_ready.c with real files and a real socket.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "ssh/site_ready.h"

static char dir[64], munge[96], key[96], conf[96], sock[96];
static struct site_needs needs = {munge, key, conf, sock};
static burst_error_t err;
static int listener;

static void write_one(char path[96], const char *name)
{
    snprintf(path, 96, "%.64s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
}

static int setup(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    snprintf(dir, sizeof(dir), "/tmp/site-t.XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chmod(dir, 0755), 0);
    write_one(munge, "munge.key");
    write_one(key, "key");
    write_one(conf, "slurm.conf");
    snprintf(sock, sizeof(sock), "%.64s/stage.sock", dir);
    memcpy(a.sun_path, sock, strlen(sock) + 1);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
    return listen(listener, 1);
}

static int teardown(void **state)
{
    if (listener >= 0)
        close(listener);
    unlink(munge);
    unlink(key);
    unlink(conf);
    unlink(sock);
    return rmdir(dir);
}

static void lacks(const char *text)
{
    assert_int_equal(site_ready(&needs, &err), -1);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" is not in: %s", text, err.text);
}

static void all_is_there(void **state)
{
    assert_int_equal(site_ready(&needs, &err), 0);
}

static void missing_files_are_named(void **state)
{
    unlink(conf);
    lacks(conf);
    unlink(key);
    lacks(key);
    unlink(munge);
    lacks(munge);
}

static void what_we_may_not_read_is_named(void **state)
{
    assert_int_equal(chmod(munge, 0), 0);
    if (geteuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    lacks("must be able to read it");
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

static void somebody_must_listen(void **state)
{
    close(listener); // the file stays
    listener = -1;
    lacks("is it running?");
    unlink(sock);
    lacks(sock);
    needs.stage_socket = NULL; // with a shared file system
    assert_int_equal(site_ready(&needs, &err), 0);
    needs.stage_socket = sock;
}

// That it has no time now does not mean that it is not there.
static void a_busy_one_is_there(void **state)
{
    for (int k = 0; k < 8; k++) // more than its queue holds
        assert_int_equal(site_ready(&needs, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_files_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(what_we_may_not_read_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(somebody_must_listen, setup, teardown),
        cmocka_unit_test_setup_teardown(a_busy_one_is_there, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
