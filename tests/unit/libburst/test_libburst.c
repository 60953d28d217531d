// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of libburst: money, time, host lists, JSON, files.
#include <setjmp.h>
#include <stdio.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libburst/clock.h"
#include "libburst/fsutil.h"
#include "libburst/hostlist.h"
#include "libburst/json.h"
#include "libburst/money.h"
#include "libburst/path.h"
#include "libburst/printable.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

static void money_reads_what_people_write(void **state)
{
    money_t m = 0;
    burst_error_t err;

    assert_int_equal(money_parse("12", &m, &err), 0);
    assert_int_equal(m, 12000000);
    assert_int_equal(money_parse("0.0000005", &m, &err), 0);
    assert_int_equal(m, 1); // half up at the seventh decimal
    assert_int_equal(money_parse("3.2000000000000997", &m, &err), 0);
    assert_int_equal(m, 3200000);
    const char *bad[] = {"",   "-1", "1e3", " 1",  "1 ",
                         "1.", ".5", "NaN", "1,5", "9999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(money_parse(bad[i], &m, &err), -1);
    assert_int_equal(money_parse(NULL, &m, &err), -1);
}

static void money_intervals_add_up(void **state)
{
    money_t price = 1234567, sum = 0; // a price that 3600 does not divide

    for (int64_t s = 0; s < 10000; s += 7) {
        int64_t to = s + 7 > 10000 ? 10000 : s + 7;
        sum += money_for_seconds(price, to) - money_for_seconds(price, s);
    }
    assert_int_equal(sum, money_for_seconds(price, 10000));
    assert_int_equal(money_for_seconds(3600000000, 1), 1000000);
    assert_int_equal(money_for_seconds(INT64_C(1000000000000), 86400 * 365),
                     INT64_C(8760000000000000));
}

static void money_prints(void **state)
{
    char b[MONEY_TEXT_MAX];

    assert_string_equal(money_format(500000, b), "0.50");
    assert_string_equal(money_format(12345678, b), "12.345678");
    assert_string_equal(money_format(-1500000, b), "-1.50");
    assert_string_equal(money_format(MONEY_UNKNOWN, b), "unknown");
    assert_string_equal(money_human(12345678, b), "$12.35");
    assert_string_equal(money_human(42149, b), "$0.0421");
    assert_string_equal(money_human(19, b), "$0.000019");
    assert_string_equal(money_human(0, b), "$0.00");
}

static void durations_as_slurm(void **state)
{
    // left: sbatch(1) --time forms; right: seconds by hand
    const struct {
        const char *text;
        int64_t s;
    } good[] = {{"90", 5400},   {"1:30", 90},      {"2:00:05", 7205},   {"1-0", 86400},
                {"1-2", 93600}, {"1-2:30", 95400}, {"1-2:30:01", 95401}};
    const char *bad[] = {"",          "x",     "1:", ":1", "1-",         "1:2:3:4",
                         "1-2:3:4:5", "1-1-1", "0",  "-5", "9999999999", "4000-0"};
    int64_t s;
    burst_error_t err;
    char buf[CLOCK_TEXT_MAX];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(clock_parse_duration(good[i].text, &s, &err), 0);
        assert_int_equal(s, good[i].s);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(clock_parse_duration(bad[i], &s, &err), -1);
    assert_string_equal(clock_duration(95401, buf), "1-02:30:01");
    assert_int_equal(clock_parse_utc("2001-09-09T01:46:40.123Z", &s, &err), 0);
    assert_int_equal(s, 1000000000);
    assert_string_equal(clock_utc(1000000000, buf), "2001-09-09T01:46:40Z");
    assert_int_equal(clock_parse_utc("2001-09-09T01:46:40", &s, &err), -1);
}

static void hostlists(void **state)
{
    char **names;
    size_t n;
    burst_error_t err;

    assert_int_equal(hostlist_expand("aws-a100x2-[01-03,07],node5", &names, &n, &err), 0);
    assert_int_equal(n, 5);
    assert_string_equal(names[2], "aws-a100x2-03");
    assert_string_equal(names[3], "aws-a100x2-07");
    assert_string_equal(names[4], "node5");
    char *joined = hostlist_join(names, n);
    assert_string_equal(joined, "aws-a100x2-01,aws-a100x2-02,aws-a100x2-03,aws-a100x2-07,node5");
    free(joined);
    hostlist_free(names);
    assert_int_equal(hostlist_expand("(null)", &names, &n, &err), 0);
    assert_int_equal(n, 0);
    hostlist_free(names);
    const char *bad[] = {"a[1-", "a]1[", "a[3-1]", "a[x]", "a[1-99999999]", "a[1]b[2]", "a[]"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(hostlist_expand(bad[i], &names, &n, &err), -1);
}

static void json_is_strict(void **state)
{
    burst_error_t err;
    const char *text = "{\"a\":1.5,\"b\":7,\"c\":null}";
    cJSON *j = json_parse(text, strlen(text), &err);

    assert_non_null(j);
    assert_int_equal(json_i64(j, "a", -1), -1);
    assert_int_equal(json_i64(j, "b", -1), 7);
    assert_int_equal(json_money(j, "c"), MONEY_UNKNOWN);
    cJSON_Delete(j);
    assert_null(json_parse("{} x", 4, &err));
    assert_null(json_parse("{", 1, &err));
    char deep[200];
    memset(deep, '[', sizeof(deep));
    assert_null(json_parse(deep, sizeof(deep), &err));
    assert_non_null(strstr(err.text, "nested"));
}

static void secrets_need_tight_files(void **state)
{
    char dir[] = "/tmp/burst-test-XXXXXX", path[64], *s;
    size_t len;
    burst_error_t err = {""};

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/key", dir);
    assert_int_equal(fs_write_atomic(path, "abc", 3, 0600, &err), 0);
    assert_int_equal(fs_read_secret(path, 100, &s, &len, &err), 0);
    assert_int_equal(len, 3);
    fs_wipe(s, len);
    assert_int_equal(fs_read_secret(path, 2, &s, &len, &err), -1);
    chmod(path, 0644);
    assert_int_equal(fs_read_secret(path, 100, &s, &len, &err), -1);
    assert_non_null(strstr(err.text, "chmod 600"));
    chmod(path, 0600);
    chmod(dir, 0777);
    assert_int_equal(fs_read_secret(path, 100, &s, &len, &err), -1);
    assert_non_null(strstr(err.text, "others may write"));
    unlink(path);
    rmdir(dir);
}

static void strbuf_has_a_ceiling(void **state)
{
    struct strbuf b;

    strbuf_init(&b, 5);
    assert_int_equal(strbuf_adds(&b, "abc"), 0);
    assert_int_equal(strbuf_adds(&b, "def"), -1);
    assert_true(b.overflow);
    assert_string_equal(b.data, "abc");
    strbuf_consume(&b, 1);
    assert_string_equal(b.data, "bc");
    strbuf_free(&b);
}

// Numbers that others wrote (marks, prices) are no reason to end.
static void large_numbers_in_json(void **state)
{
    cJSON *o = cJSON_CreateObject();

    json_add_i64(o, "a", INT64_MAX);
    json_add_i64(o, "b", INT64_MIN);
    json_add_i64(o, "c", (INT64_C(1) << 53) - 1);
    assert_int_equal(json_i64(o, "a", 0), INT64_C(1) << 53);
    assert_int_equal(json_i64(o, "b", 0), -(INT64_C(1) << 53));
    assert_int_equal(json_i64(o, "c", 0), (INT64_C(1) << 53) - 1);
    cJSON_Delete(o);
}

// Of the Unicode standard: C1 is U+0080 to U+009F; 0x9b alone is CSI to an eight-bit terminal.
static void what_goes_to_a_terminal(void **state)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"a\033[2Jb\n\x7f", "a?[2Jb??"},
        {"csi \x9b"
         "2J",
         "csi ?2J"},
        {"csi \xc2\x9b"
         "2J",
         "csi ?2J"},
        {"\xc2\xa0 \xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80",
         "\xc2\xa0 \xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"long \xc0\x9b \xe0\x82\x9b", "long ?? ???"},
        {"half \xe2\x82", "half ??"},
        {"surrogate \xed\xa0\x80", "surrogate ???"},
        {"", ""},
    };

    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        char *text = xstrdup(cases[k][0]);
        assert_string_equal(printable(text), cases[k][1]);
        free(text);
    }
}

static void paths_as_text(void **state)
{
    static const char *const cases[][3] = {
        {"/a/b", "c", "/a/b/c"},  {"/a/b", "../c/./d//", "/a/c/d"},
        {"/a", "/x/../y", "/y"},  {"/a", "../../../x", "/x"},
        {"/", "", "/"},           {"/a", "..", "/"},
        {"/a//b/", ".", "/a/b"},  {"/a", "..b/...", "/a/..b/..."},
        {"/a/../b", "c", "/b/c"}, {"/a", "/", "/"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *got = path_resolve(cases[i][0], cases[i][1]);
        assert_string_equal(got, cases[i][2]);
        free(got);
    }
    assert_true(path_inside("/a/b", "/a") && path_inside("/a", "/a") && path_inside("/a", "/"));
    assert_false(path_inside("/ab", "/a") || path_inside("/a", "/a/b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_reads_what_people_write),
        cmocka_unit_test(money_intervals_add_up),
        cmocka_unit_test(money_prints),
        cmocka_unit_test(durations_as_slurm),
        cmocka_unit_test(hostlists),
        cmocka_unit_test(paths_as_text),
        cmocka_unit_test(json_is_strict),
        cmocka_unit_test(secrets_need_tight_files),
        cmocka_unit_test(strbuf_has_a_ceiling),
        cmocka_unit_test(large_numbers_in_json),
        cmocka_unit_test(what_goes_to_a_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
