// SPDX-License-Identifier: GPL-3.0-or-later
// The walls of the house: no include goes up, none goes in a circle, and each folder is a room of
// the list in docs/design/house.md. First the checker itself, on trees that are made here.
#include <ftw.h>
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

#include "house.h"
#include "libburst/error.h"
#include "libburst/fsutil.h"

static char top[64];

static int make_top(void **state)
{
    snprintf(top, sizeof(top), "/tmp/burst-house-XXXXXX");
    return mkdtemp(top) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int remove_top(void **state)
{
    return nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *text)
{
    char full[256], *slash;
    burst_error_t err;

    snprintf(full, sizeof(full), "%s/%s", top, path);
    slash = strrchr(full, '/');
    *slash = '\0';
    assert_int_equal(fs_mkdirs(full, 0755, &err), 0);
    *slash = '/';
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static const char list[] = "# The house\n\n```rooms\n"
                           "app       the top\n"
                           "app/mid   the middle\n"
                           "app/slurm what links libslurm\n"
                           "app/base  the bottom\n"
                           "```\n\n```\napp/other no room, another block\n```\n";

static void clean_tree(void)
{
    put("list.md", list);
    put("app/main.c", "#include \"config.h\"\n#include \"mid/a.h\"\n#include \"base/z.h\"\n");
    put("app/mid/a.c", "#include \"mid/a.h\"\n\n#include \"b.h\"\n");
    put("app/mid/a.h", "#include \"base/z.h\"\n");
    put("app/mid/b.h", "#include \"app/base/z.h\"\n");
    put("app/slurm/s.c", "#include <slurm/slurm.h>\n");
    put("app/base/z.h", "#include <stdio.h>\n");
}

static char *check(void)
{
    static const char *const roots[] = {"app"};

    return house_check(top, "list.md", roots, 1, "app");
}

static void finds(const char *want)
{
    char *text = check();

    if (!strstr(text, want) || strchr(text, '\n') != strrchr(text, '\n'))
        fail_msg("wanted one line, \"%s\", got:\n%s", want, text);
    free(text);
}

static void a_clean_tree_passes(void **state)
{
    clean_tree();
    char *text = check();
    assert_string_equal(text, "");
    free(text);
}

static void an_include_that_goes_up(void **state)
{
    clean_tree();
    put("app/base/y.c", "#include \"base/z.h\"\n#include \"mid/a.h\"\n");
    finds("app/base/y.c:2: goes up, from app/base to app/mid/a.h");
}

static void a_folder_that_is_no_room(void **state)
{
    clean_tree();
    put("app/other/x.c", "int x;\n");
    finds("app/other/x.c:1: app/other is no room of the list");
}

static void a_room_without_a_folder(void **state)
{
    clean_tree();
    put("list.md", "```rooms\napp x\napp/mid x\napp/slurm libslurm\napp/base x\napp/gone x\n```\n");
    finds("app/gone: a room of the list that is no folder");
}

static void an_include_of_nothing(void **state)
{
    clean_tree();
    put("app/mid/c.c", "\n\n#include \"mid/missing.h\"\n");
    finds("app/mid/c.c:3: \"mid/missing.h\" is nowhere");
}

static void slurm_headers_elsewhere(void **state)
{
    clean_tree();
    put("app/mid/c.c", "#include <slurm/slurm.h>\n");
    finds("app/mid/c.c:1: Slurm's headers outside of the rooms for them");
}

// a.c -> c.h, c.c -> b.h, b.h -> a.h
static void a_circle(void **state)
{
    clean_tree();
    put("app/mid/a.c", "#include \"mid/a.h\"\n#include \"mid/c.h\"\n");
    put("app/mid/c.c", "#include \"mid/b.h\"\n");
    put("app/mid/c.h", "\n");
    put("app/mid/b.h", "#include \"mid/a.h\"\n");
    finds("a circle: app/mid/a <- app/mid/b (app/mid/b.h:1) <- app/mid/c (app/mid/c.c:1) <- "
          "app/mid/a (app/mid/a.c:2)");
}

static void a_noun_in_several_files(void **state)
{
    clean_tree();
    put("app/mid/a_inside.h", "#include \"mid/a.h\"\n");
    put("app/mid/a.c", "#include \"mid/a_inside.h\"\n");
    put("app/mid/a_more.c", "#include \"mid/a_inside.h\"\n");
    char *text = check();
    assert_string_equal(text, "");
    free(text);
}

static void no_list(void **state)
{
    clean_tree();
    put("list.md", "nothing here\n");
    char *text = check();
    assert_non_null(strstr(text, "list.md: has no list of rooms"));
    free(text);
}

static void the_real_house(void **state)
{
    static const char *const roots[] = {"burstd", "catalog", "optimizer", "slurm_plugin"};
    const char *srcdir = getenv("srcdir");
    char *text = house_check(srcdir ? srcdir : ".", "docs/design/house.md", roots, 4, "burstd");

    if (*text)
        fail_msg("see docs/design/house.md:\n%s", text);
    free(text);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_top, remove_top)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_clean_tree_passes),
        T(an_include_that_goes_up),
        T(a_folder_that_is_no_room),
        T(a_room_without_a_folder),
        T(an_include_of_nothing),
        T(slurm_headers_elsewhere),
        T(a_circle),
        T(a_noun_in_several_files),
        T(no_list),
        cmocka_unit_test(the_real_house),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
