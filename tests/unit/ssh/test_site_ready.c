// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of site_ready.c with real files.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ssh/site_ready.h"

static char dir[64], munge[96], key[96], conf[96];
static struct site_needs needs = {munge, key, conf};
static burst_error_t err;

static void write_one(char path[96], const char *name)
{
    snprintf(path, 96, "%.64s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
}

static int setup(void **state)
{
    snprintf(dir, sizeof(dir), "/tmp/site-t.XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chmod(dir, 0755), 0);
    write_one(munge, "munge.key");
    write_one(key, "key");
    write_one(conf, "slurm.conf");
    return 0;
}

static int teardown(void **state)
{
    unlink(munge);
    unlink(key);
    unlink(conf);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_files_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(what_we_may_not_read_is_named, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
