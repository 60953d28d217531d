// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of staging: which names belong to a job, whom burst-stagerd acts as, packing, and
// unpacking of archives that somebody crafted. Works in a directory of its own; no root needed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/people.h"
#include "libburst/xalloc.h"
#include "ssh/stage_keep.h"
#include "ssh/stage_named.h"
#include "ssh/stage_pack.h"
#include "ssh/stage_paths.h"
#include "ssh/stage_request.h"
#include "ssh/stage_unpack.h"

static struct stage_paths *paths_of(const char *json_text, const char *home)
{
    burst_error_t err;
    cJSON *j = json_parse(json_text, strlen(json_text), &err);
    struct stage_paths *p = stage_paths_create(j, home, &err);

    cJSON_Delete(j);
    return p;
}

static void test_normalise(void **state)
{
    static const char *const cases[][2] = {
        {"/a/b", "/a/b"}, {"a//b/", "/a/b"},    {"./a/./b", "/a/b"}, {"//", "/"},
        {".", "/"},       {"/a/..b", "/a/..b"}, {"/...", "/..."},    {"/a/b..", "/a/b.."},
        {"..", NULL},     {"/a/../b", NULL},    {"a/..", NULL},      {"", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *got = stage_name_normalise(cases[i][0]);
        if (cases[i][1])
            assert_string_equal(got, cases[i][1]);
        else
            assert_null(got);
        free(got);
    }
}

static void test_find(void **state)
{
    struct stage_paths *p = paths_of("[\"/home/alice/run/\", \"/home/alice/run/deep\", \"/x/out\", "
                                     "\"/\", \"/etc/slurm\", \"/dev/null\"]",
                                     "/home/alice");
    const char *rest;

    assert_non_null(p);
    assert_int_equal(stage_paths_count(p), 6);
    assert_int_equal(stage_paths_find(p, "/home/alice/run", &rest), 0);
    assert_string_equal(rest, "");
    assert_int_equal(stage_paths_find(p, "/home/alice/run/a/b", &rest), 0);
    assert_string_equal(rest, "a/b");
    assert_int_equal(stage_paths_find(p, "/home/alice/run/deep/c", &rest), 1);
    assert_string_equal(rest, "c");
    assert_int_equal(stage_paths_find(p, "/home/alice/run/deeper", &rest), 0);
    assert_int_equal(stage_paths_find(p, "/home/alice/runner", NULL), -1);
    assert_int_equal(stage_paths_find(p, "/home/alice", NULL), -1);
    assert_int_equal(stage_paths_find(p, "/x/out", NULL), 2);
    assert_int_equal(stage_paths_find(p, "/x/other", NULL), -1);
    // the root directory and the system's are accepted but hold nothing
    assert_int_equal(stage_paths_find(p, "/etc/slurm/slurm.conf", NULL), -1);
    assert_int_equal(stage_paths_find(p, "/dev/null", NULL), -1);
    assert_int_equal(stage_paths_find(p, "/home/bob/x", NULL), -1);
    assert_true(stage_paths_system(p, 3) && stage_paths_system(p, 4) && stage_paths_system(p, 5));
    stage_paths_destroy(p);
    assert_null(paths_of("[\"a\"]", "/home/alice"));
    assert_null(paths_of("[\"/a\\tb\"]", "/home/alice"));
    assert_null(paths_of("[1]", "/home/alice"));
}

static void test_hidden(void **state)
{
    struct stage_paths *p = paths_of("[\"/home/alice\"]", "/home/alice/");

    assert_true(stage_paths_hidden(p, "/home/alice/.bashrc"));
    assert_true(stage_paths_hidden(p, "/home/alice/.ssh/id_rsa"));
    assert_false(stage_paths_hidden(p, "/home/alice/run/.hidden"));
    assert_true(stage_paths_keys(p, "/home/alice/.ssh"));
    assert_true(stage_paths_keys(p, "/home/alice/.ssh/authorized_keys"));
    assert_false(stage_paths_keys(p, "/home/alice/.sshx"));
    stage_paths_destroy(p);
    p = paths_of("[\"/home/alice\", \"/home/alice/.cache/model\"]", "/home/alice");
    assert_false(stage_paths_hidden(p, "/home/alice/.cache/model/x"));
    assert_true(stage_paths_hidden(p, "/home/alice/.cache/other"));
    stage_paths_destroy(p);
}

static void test_links(void **state)
{
    struct stage_paths *p = paths_of("[\"/home/alice/run\", \"/data/in\"]", "/home/alice");
    static const struct {
        const char *name, *target;
        bool inside;
    } cases[] = {
        {"/home/alice/run/l", "a", true},
        {"/home/alice/run/l", "sub/a", true},
        {"/home/alice/run/sub/l", "../a", true},
        {"/home/alice/run/l", "/data/in/x", true},
        {"/home/alice/run/l", ".", true},
        {"/home/alice/run/l", "../run/a", false}, // over the top, even if it comes back
        {"/home/alice/run/l", "..", false},
        {"/home/alice/run/l", "../../bob", false},
        {"/home/alice/run/l", "/etc/passwd", false},
        {"/home/alice/run/l", "/home/alice/run/../x", false},
        {"/home/alice/run/l", "sub/../../x", false}, // sub may be a link elsewhere
        {"/home/alice/run/l", "sub/../x", false},
        {"/home/alice/run/a/b/l", "../../x", true},
        {"/home/alice/run/a/b/l", "../../../x", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (stage_paths_link_inside(p, cases[i].name, cases[i].target) != cases[i].inside)
            fail_msg("%s -> %s", cases[i].name, cases[i].target);
    stage_paths_destroy(p);
}

static void test_excluded(void **state)
{
    static const char text[] = "[\"*.tmp\",\".git\",\"/h/run/big*\"]";
    cJSON *e = json_parse(text, sizeof(text) - 1, NULL);

    assert_non_null(e);
    assert_true(stage_excluded(e, "/h/run/a.tmp", "a.tmp"));
    assert_true(stage_excluded(e, "/h/run/sub.tmp/x", "sub.tmp/x"));
    assert_true(stage_excluded(e, "/h/run/.git/HEAD", ".git/HEAD"));
    assert_true(stage_excluded(e, "/h/run/big1/x", "big1/x"));
    assert_false(stage_excluded(e, "/h/run/x", "x"));
    // a directory above the path does not count
    assert_false(stage_excluded(e, "/h/x.tmp/run/a", "a"));
    assert_false(stage_excluded(NULL, "/h/run/a.tmp", "a.tmp"));
    cJSON_Delete(e);
}

static void test_allowed(void **state)
{
    static const gid_t groups[] = {2001, 3000, 0};
    struct stage_account alice = {2001, 2001, groups, 3};
    struct stage_request r = {.user = "alice", .uid = 2001, .gid = 2001};
    burst_error_t err;

    assert_int_equal(stage_request_allowed(&r, &alice, 1000, &err), 0);
    r.gid = 3000;
    assert_int_equal(stage_request_allowed(&r, &alice, 1000, &err), 0);
    r.gid = 3001;
    assert_int_equal(stage_request_allowed(&r, &alice, 1000, &err), -1);
    r.gid = 0; // not even if the account has it
    assert_int_equal(stage_request_allowed(&r, &alice, 1000, &err), -1);
    r.gid = 2001;
    assert_int_equal(stage_request_allowed(&r, &alice, 5000, &err), -1);
    r.uid = 2002;
    assert_int_equal(stage_request_allowed(&r, &alice, 1000, &err), -1);
    assert_non_null(strstr(err.text, "2001"));

    assert_int_equal(people_uid_min("UID_MIN 500\n"), 500);
    assert_int_equal(people_uid_min("#UID_MIN 500\nSYS_UID_MIN 100\n  UID_MIN\t\t2000\n"), 2000);
    assert_int_equal(people_uid_min("UID_MIN 0\n"), 1000);
    assert_int_equal(people_uid_min(""), 1000);
}

static int parsed(const char *more, struct stage_request *r, burst_error_t *err)
{
    char *text =
        xasprintf("{\"op\":\"survey\",\"user\":\"alice\",\"uid\":2001,\"gid\":2001%s}", more);
    cJSON *j = json_parse(text, strlen(text), err);
    int rc = stage_request_parse(j, r, err);

    r->json = NULL; // goes with j
    cJSON_Delete(j);
    free(text);
    return rc;
}

static void test_survey_request(void **state)
{
    static const char *const wrong[][2] = {
        {",\"named\":\"/x\"", "named: an array"},
        {",\"max_entries\":0", "max_entries: between 1"},
        {",\"max_entries\":2000001", "max_entries:"},
        {",\"max_ms\":60001", "max_ms: between 1"},
        {",\"max_bytes\":-1", "max_bytes:"},
    };
    struct stage_request r;
    burst_error_t err;

    assert_int_equal(parsed("", &r, &err), 0);
    assert_int_equal(r.op, STAGE_SURVEY);
    assert_true(r.max_entries > 0 && r.max_ms > 0); // never without an end
    assert_int_equal(parsed(",\"max_entries\":7,\"max_ms\":8", &r, &err), 0);
    assert_true(r.max_entries == 7 && r.max_ms == 8);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(parsed(wrong[i][0], &r, &err), -1);
        assert_non_null(strstr(err.text, wrong[i][1]));
    }
}

// ---- archives

struct world {
    char dir[64];  // all of it
    char run[96];  // the job's path
    char away[96]; // what must not change
    struct stage_paths *paths;
};

static void put(const char *dir, const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", dir, name);

    assert_int_equal(fs_write_atomic(path, text, strlen(text), 0644, NULL), 0);
    free(path);
}

static char *get(const char *dir, const char *name)
{
    char *path = xasprintf("%s/%s", dir, name), *text = NULL;

    if (fs_read(path, 1 << 20, &text, NULL, NULL) < 0)
        text = NULL;
    free(path);
    return text;
}

static void assert_file(const char *dir, const char *name, const char *want)
{
    char *got = get(dir, name);

    if (!want && got)
        fail_msg("%s/%s exists", dir, name);
    if (want && !got)
        fail_msg("%s/%s is missing", dir, name);
    if (want)
        assert_string_equal(got, want);
    free(got);
}

static int setup(void **state)
{
    struct world *w = xmalloc(sizeof(*w));

    snprintf(w->dir, sizeof(w->dir), "/tmp/test-stage.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->run, sizeof(w->run), "%s/run", w->dir);
    snprintf(w->away, sizeof(w->away), "%s/away", w->dir);
    mkdir(w->run, 0755);
    mkdir(w->away, 0755);
    put(w->away, "file", "untouched");
    char *list = xasprintf("[\"%s\"]", w->run);
    w->paths = paths_of(list, "/home/nobody");
    free(list);
    assert_non_null(w->paths);
    *state = w;
    return 0;
}

static int remove_tree(const char *dir)
{
    char *cmd[] = {(char *)"rm", (char *)"-rf", (char *)dir, NULL};
    pid_t pid = fork();

    if (pid == 0) {
        execvp("rm", cmd);
        _exit(127);
    }
    return pid < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    // Whatever was sent: what is beside the job's path is as it was.
    assert_file(w->away, "file", "untouched");
    stage_paths_destroy(w->paths);
    remove_tree(w->dir);
    free(w);
    return 0;
}

// An archive in the making: entries are added, then it is unpacked from a socket, as in life.
struct sent {
    struct archive *a;
    char *data;
    size_t used;
};

#define SENT_MAX (1 << 20)

static void send_open(struct sent *s)
{
    s->data = xmalloc(SENT_MAX);
    s->a = archive_write_new();
    archive_write_set_format_pax(s->a);
    assert_int_equal(archive_write_open_memory(s->a, s->data, SENT_MAX, &s->used), ARCHIVE_OK);
}

static void send_entry(struct sent *s, const char *name, unsigned type, unsigned mode,
                       const char *link, const char *text)
{
    struct archive_entry *e = archive_entry_new();

    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, type ? type : AE_IFREG);
    archive_entry_set_perm(e, mode);
    archive_entry_set_mtime(e, 1000000000, 123456789);
    if (type == AE_IFLNK)
        archive_entry_set_symlink(e, link);
    else if (link)
        archive_entry_set_hardlink(e, link);
    archive_entry_set_size(e, text ? (int64_t)strlen(text) : 0);
    assert_int_equal(archive_write_header(s->a, e), ARCHIVE_OK);
    if (text)
        assert_int_equal(archive_write_data(s->a, text, strlen(text)), strlen(text));
    archive_entry_free(e);
}

struct result {
    int rc;
    struct stage_totals totals;
    const char *errclass;
    burst_error_t err;
};

// keep: bytes of the archive that arrive; 0: all. The sender closes its side when cut is set. The
// end from which it is read.
static int sender(struct sent *s, size_t keep, bool cut)
{
    int fd[2];

    if (s->a)
        archive_write_free(s->a);
    s->a = NULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    size_t len = keep ? keep : s->used, off = 0;
    pid_t pid = fork();
    if (pid == 0) {
        close(fd[0]);
        while (off < len) {
            ssize_t n = write(fd[1], s->data + off, len - off);
            if (n <= 0)
                break;
            off += (size_t)n;
        }
        if (!cut) // a peer that waits for the answer
            if (read(fd[1], &off, 1) < 0)
                _exit(1);
        _exit(0);
    }
    close(fd[1]);
    return fd[0];
}

static struct result unpack(struct world *w, struct sent *s, size_t keep, bool cut,
                            int64_t max_bytes, const cJSON *exclude)
{
    struct result r = {.errclass = ""};
    int fd = sender(s, keep, cut);

    r.rc = stage_unpack(w->paths, exclude, max_bytes, fd, &r.totals, &r.errclass, &r.err);
    close(fd);
    free(s->data);
    return r;
}

static char *in_run(struct world *w, const char *name)
{
    static char buf[4][256];
    static int k;

    k = (k + 1) % 4;
    snprintf(buf[k], sizeof(buf[k]), "%s/%s", w->run, name);
    return buf[k];
}

static void test_unpack(void **state)
{
    struct world *w = *state;
    struct sent s;
    struct stat st, st2;

    put(w->run, "old", "old text");
    assert_int_equal(symlink(w->away, in_run(w, "known")), 0);
    send_open(&s);
    send_entry(&s, w->run, AE_IFDIR, 0700, NULL, NULL);
    send_entry(&s, in_run(w, "sub"), AE_IFDIR, 0550, NULL, NULL);
    send_entry(&s, in_run(w, "sub/a"), 0, 06755, NULL, "A");
    send_entry(&s, in_run(w, "old"), 0, 0640, NULL, "new text");
    send_entry(&s, in_run(w, "twice"), 0, 0640, in_run(w, "old"), NULL);
    send_entry(&s, in_run(w, "link"), AE_IFLNK, 0777, "sub/a", NULL);
    send_entry(&s, in_run(w, "known"), AE_IFLNK, 0777, w->away, NULL);
    send_entry(&s, in_run(w, "new/deep/b"), 0, 0600, NULL, "B");
    struct result r = unpack(w, &s, 0, false, 0, NULL);
    if (r.rc < 0)
        fail_msg("%s", r.err.text);
    assert_int_equal(r.totals.files, 8);
    assert_int_equal(r.totals.bytes, 10);
    assert_int_equal(r.totals.skipped, 0);
    assert_file(w->run, "sub/a", "A");
    assert_file(w->run, "new/deep/b", "B");
    assert_file(w->run, "twice", "new text");
    assert_int_equal(stat(in_run(w, "old"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(st.st_mtim.tv_sec, 1000000000);
    assert_int_equal(st.st_mtim.tv_nsec, 123456789);
    assert_int_equal(stat(in_run(w, "twice"), &st2), 0);
    assert_int_equal(st.st_ino, st2.st_ino);
    assert_int_equal(stat(in_run(w, "sub"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0550); // set at the end: a file was put into it
    assert_int_equal(stat(in_run(w, "sub/a"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(stat(w->run, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755); // the path's top keeps its mode
}

static void test_unpack_denied(void **state)
{
    struct world *w = *state;
    char up[256], beside[256], sibling[256];

    snprintf(up, sizeof(up), "%s/../away/file", w->run);
    snprintf(beside, sizeof(beside), "%s/file", w->away);
    snprintf(sibling, sizeof(sibling), "%s-er", w->run);
    const char *names[] = {up, beside, sibling, "../file", "/etc/passwd", "file", w->dir};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct sent s;
        send_open(&s);
        send_entry(&s, names[i], 0, 0644, NULL, "evil");
        struct result r = unpack(w, &s, 0, false, 0, NULL);
        assert_int_equal(r.rc, -1);
        assert_string_equal(r.errclass, "denied");
        assert_non_null(strstr(r.err.text, "outside"));
    }
    struct sent s;
    send_open(&s);
    send_entry(&s, in_run(w, "hard"), 0, 0644, beside, NULL);
    struct result r = unpack(w, &s, 0, false, 0, NULL);
    assert_int_equal(r.rc, -1);
    assert_string_equal(r.errclass, "denied");
}

static void test_unpack_links(void **state)
{
    struct world *w = *state;
    struct sent s;
    struct stat st;

    // A link of the user's, to a directory and to a file outside
    char *file = xasprintf("%s/file", w->away);
    assert_int_equal(symlink(w->away, in_run(w, "mine")), 0);
    assert_int_equal(symlink(file, in_run(w, "out")), 0);
    send_open(&s);
    send_entry(&s, in_run(w, "mine/file"), 0, 0644, NULL, "evil"); // not entered
    send_entry(&s, in_run(w, "out"), 0, 0644, NULL, "mine");       // replaced, not followed
    send_entry(&s, in_run(w, "l"), AE_IFLNK, 0777, w->away, NULL); // leads out: left out
    send_entry(&s, in_run(w, "l/file"), 0, 0644, NULL, "inside");
    send_entry(&s, in_run(w, "d"), AE_IFLNK, 0777, ".", NULL); // a link that stays inside ...
    send_entry(&s, in_run(w, "d/x"), 0, 0644, NULL, "evil");   // ... is not entered either
    struct result r = unpack(w, &s, 0, false, 0, NULL);
    assert_int_equal(r.rc, -1);
    assert_string_equal(r.errclass, "io");
    assert_non_null(strstr(r.err.text, "2 files"));
    assert_int_equal(r.totals.skipped, 1);
    assert_file(w->run, "out", "mine");
    assert_int_equal(lstat(in_run(w, "out"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_file(w->run, "l/file", "inside");
    assert_file(w->away, "l", NULL);
    assert_file(w->run, "x", NULL);
    free(file);
}

// tar calls what it is told of twice a hard link to itself the second time.
static void test_unpack_twice(void **state)
{
    struct world *w = *state;
    struct sent s;

    send_open(&s);
    send_entry(&s, in_run(w, "file"), 0, 0644, NULL, "text");
    send_entry(&s, in_run(w, "link"), AE_IFLNK, 0777, "file", NULL);
    send_entry(&s, in_run(w, "file"), 0, 0644, in_run(w, "file"), NULL);
    send_entry(&s, in_run(w, "link"), 0, 0777, in_run(w, "link"), NULL);
    send_entry(&s, in_run(w, "other"), 0, 0777, in_run(w, "link"), NULL); // could lead out
    struct result r = unpack(w, &s, 0, false, 0, NULL);
    if (r.rc < 0)
        fail_msg("%s", r.err.text);
    assert_int_equal(r.totals.skipped, 1);
    assert_file(w->run, "file", "text");
    assert_file(w->run, "link", "text");
    assert_file(w->run, "other", NULL);
}

static void test_unpack_types(void **state)
{
    struct world *w = *state;
    struct sent s;
    cJSON *exclude = json_parse("[\"*.tmp\"]", 9, NULL);
    struct stat st;

    mkdir(in_run(w, "dir"), 0755);
    send_open(&s);
    send_entry(&s, in_run(w, "null"), AE_IFCHR, 0666, NULL, NULL);
    send_entry(&s, in_run(w, "disk"), AE_IFBLK, 0666, NULL, NULL);
    send_entry(&s, in_run(w, "pipe"), AE_IFIFO, 0666, NULL, NULL);
    send_entry(&s, in_run(w, "x.tmp"), 0, 0644, NULL, "excluded");
    send_entry(&s, in_run(w, "dir"), 0, 0644, NULL, "a file where a directory stands");
    send_entry(&s, in_run(w, "after"), 0, 0644, NULL, "comes all the same");
    struct result r = unpack(w, &s, 0, false, 0, exclude);
    assert_int_equal(r.rc, -1);
    assert_string_equal(r.errclass, "io");
    assert_int_equal(r.totals.skipped, 4);
    assert_int_equal(lstat(in_run(w, "null"), &st), -1);
    assert_int_equal(lstat(in_run(w, "pipe"), &st), -1);
    assert_file(w->run, "x.tmp", NULL);
    assert_file(w->run, "after", "comes all the same");
    cJSON_Delete(exclude);
}

static void test_unpack_limit(void **state)
{
    struct world *w = *state;
    struct sent s;

    send_open(&s);
    send_entry(&s, in_run(w, "a"), 0, 0644, NULL, "12345");
    send_entry(&s, in_run(w, "b"), 0, 0644, NULL, "123456");
    struct result r = unpack(w, &s, 0, false, 10, NULL);
    assert_int_equal(r.rc, -1);
    assert_string_equal(r.errclass, "limit");
    assert_file(w->run, "a", "12345");
    assert_file(w->run, "b", NULL);
    send_open(&s);
    send_entry(&s, in_run(w, "c"), 0, 0644, NULL, "1234567890");
    assert_int_equal(unpack(w, &s, 0, false, 10, NULL).rc, 0);
}

// An archive that is cut after any number of bytes is never taken for whole, and no file is there
// in part.
static void test_unpack_cut(void **state)
{
    struct world *w = *state;
    size_t whole = 0;

    put(w->run, "a", "before");
    for (size_t keep = 512; whole == 0 || keep < whole; keep += 512) {
        struct sent s;
        send_open(&s);
        send_entry(&s, in_run(w, "a"), 0, 0644, NULL, "after!");
        send_entry(&s, in_run(w, "b"), 0, 0644, NULL, "");
        archive_write_close(s.a);
        whole = s.used;
        while (whole >= 512 && s.data[whole - 1] == 0 && s.data[whole - 512] == 0)
            whole -= 512;
        whole += 512; // one zero block is not yet the end mark: two are
        struct result r = unpack(w, &s, keep, true, 0, NULL);
        if (r.rc == 0)
            fail_msg("cut after %zu of %zu bytes and taken for whole", keep, whole);
        char *text = get(w->run, "a");
        assert_true(strcmp(text, "before") == 0 || strcmp(text, "after!") == 0);
        free(text);
    }
}

static void test_pack(void **state)
{
    struct world *w = *state;
    struct stage_totals totals;
    const char *errclass;
    burst_error_t err;
    cJSON *types = cJSON_CreateArray();
    struct archive *a = archive_read_new();
    struct archive_entry *e;
    int n = 0;
    char *tar = xasprintf("%s/tar", w->dir);

    put(w->run, "a", "text");
    assert_int_equal(link(in_run(w, "a"), in_run(w, "a2")), 0);
    assert_int_equal(chmod(in_run(w, "a"), 06711), 0);
    assert_int_equal(symlink(w->away, in_run(w, "link")), 0);
    assert_int_equal(mkfifo(in_run(w, "pipe"), 0644), 0);
    assert_int_equal(stage_survey(w->paths, NULL, 100, types, &totals, &errclass, &err), 0);
    assert_string_equal(cJSON_GetArrayItem(types, 0)->valuestring, "dir");
    assert_int_equal(totals.files, 4); // run, a, a2, link
    assert_int_equal(totals.bytes, 4); // the second name costs nothing
    assert_int_equal(totals.skipped, 1);
    cJSON_Delete(types);
    types = cJSON_CreateArray();
    assert_int_equal(stage_survey(w->paths, NULL, 3, types, &totals, &errclass, &err), -1);
    assert_string_equal(errclass, "limit");
    cJSON_Delete(types);

    int fd = open(tar, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(stage_pack(w->paths, NULL, fd, &err), 0);
    lseek(fd, 0, SEEK_SET);
    archive_read_support_format_tar(a);
    assert_int_equal(archive_read_open_fd(a, fd, 512), ARCHIVE_OK);
    while (archive_read_next_header(a, &e) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(e);
        n++;
        assert_int_not_equal(name[0], '/');
        assert_int_equal(archive_entry_perm(e) & 07000, 0);
        if (strcmp(strrchr(name, '/'), "/link") == 0)
            assert_string_equal(archive_entry_symlink(e), w->away); // as a link
        assert_null(strstr(name, "pipe"));
    }
    assert_int_equal(n, 4);
    archive_read_free(a);
    close(fd);
    free(tar);
}

// ---- a home directory with two names

// What a stage-in of the path would send, as a comma list of names below it, sorted.
// It ends when it has seen as much as it may; what it found is said.
static void test_survey_bounded(void **state)
{
    static const struct stage_reach little = {50, 0}, much = {5000, 60000};
    struct world *w = *state;
    struct stage_totals totals;
    const char *errclass;
    burst_error_t err;
    cJSON *types = cJSON_CreateArray();

    for (int k = 0; k < 100; k++) {
        char name[16];
        snprintf(name, sizeof(name), "f%d", k);
        put(w->run, name, "text");
    }
    assert_int_equal(
        stage_survey_bounded(w->paths, NULL, 0, &little, types, &totals, &errclass, &err), 0);
    assert_true(totals.cut);
    assert_in_range(totals.files, 1, 51);
    assert_int_equal(
        stage_survey_bounded(w->paths, NULL, 0, &much, types, &totals, &errclass, &err), 0);
    assert_false(totals.cut);
    assert_int_equal(totals.bytes, 400);
    assert_int_equal(
        stage_survey_bounded(w->paths, NULL, 399, &much, types, &totals, &errclass, &err), -1);
    assert_string_equal(errclass, "limit");
    cJSON_Delete(types);
}

static int fault_of(struct world *w, const char *paths, const char *named, burst_error_t *err)
{
    struct stage_paths *p = paths_of(paths, "/home/nobody");
    cJSON *n = json_parse(named, strlen(named), NULL);
    int fault = stage_named_fault(p, n, err);

    cJSON_Delete(n);
    stage_paths_destroy(p);
    return fault;
}

static void test_named(void **state)
{
    struct world *w = *state;
    burst_error_t err = {""};
    char *list = xasprintf("[\"%s\",\"%s/none\",\"/etc/passwd\"]", w->run, w->run);
    char *there = xasprintf("[\"%s/./\"]", w->run), *none = xasprintf("[\"%s//none\"]", w->run);

    assert_int_equal(fault_of(w, list, "[]", &err), -1);
    assert_int_equal(fault_of(w, list, there, &err), -1);
    assert_int_equal(fault_of(w, list, none, &err), 1);
    assert_non_null(strstr(err.text, "/none, which --burst-stage-in names: No such file"));
    assert_int_equal(fault_of(w, list, "[\"/etc/passwd\"]", &err), 2);
    assert_non_null(strstr(err.text, "directory of the system"));
    assert_int_equal(mkfifo(in_run(w, "none"), 0644), 0);
    assert_int_equal(fault_of(w, list, none, &err), 1);
    assert_non_null(strstr(err.text, "neither a file nor a directory"));
    free(list);
    free(there);
    free(none);
}

// A file of `size` bytes with texts at some places; the rest are holes.
static void put_holes(const char *path, int64_t size, const int64_t *at, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    for (size_t k = 0; k < n; k++)
        assert_int_equal(pwrite(fd, "text", 4, at[k]), 4);
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

// Unpacked as a node does it: GNU tar.
static void same_after_tar(struct world *w, const char *tar, const char *file)
{
    char *cmd = xasprintf("mkdir '%s/out' && tar -xf '%s' -C '%s/out' && "
                          "cmp '%s' \"$(find '%s/out' -name '%s')\" && rm -r '%s/out'",
                          w->dir, tar, w->dir, in_run(w, file), w->dir, file, w->dir);

    assert_int_equal(system(cmd), 0);
    free(cmd);
}

// What is not a hole is counted and sent, and nothing else.
static void test_holes(void **state)
{
    static const struct {
        int64_t size, at[3];
        size_t n;
    } cases[] = {
        {64 << 20, {0}, 0},                        // nothing but a hole
        {64 << 20, {0}, 1},                        // a beginning
        {64 << 20, {(64 << 20) - 4}, 1},           // an end
        {64 << 20, {70000, 1 << 20, 40 << 20}, 3}, // parts
    };
    struct world *w = *state;
    struct stage_totals totals;
    const char *errclass;
    burst_error_t err;
    struct stat st;
    char *tar = xasprintf("%s/tar", w->dir);

    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        cJSON *types = cJSON_CreateArray();
        put_holes(in_run(w, "holes"), cases[k].size, cases[k].at, cases[k].n);
        assert_int_equal(stage_survey(w->paths, NULL, 1 << 20, types, &totals, &errclass, &err), 0);
        assert_in_range(totals.bytes, 4 * cases[k].n, 3 * 65536);
        cJSON_Delete(types);
        int fd = open(tar, O_RDWR | O_CREAT | O_TRUNC, 0600);
        assert_int_equal(stage_pack(w->paths, NULL, fd, &err), 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_in_range(st.st_size, 1024, 4 * 65536);
        close(fd);
        same_after_tar(w, tar, "holes");
    }
    free(tar);
}

static char *packed(const struct stage_paths *paths, const char *top)
{
    FILE *f = tmpfile();
    struct archive *a = archive_read_new();
    struct archive_entry *e;
    char *names[16], *list = xstrdup("");
    size_t n = 0, len = strlen(top);
    burst_error_t err;

    assert_int_equal(stage_pack(paths, NULL, fileno(f), &err), 0);
    lseek(fileno(f), 0, SEEK_SET);
    archive_read_support_format_tar(a);
    assert_int_equal(archive_read_open_fd(a, fileno(f), 512), ARCHIVE_OK);
    while (archive_read_next_header(a, &e) == ARCHIVE_OK && n < 16) {
        const char *name = archive_entry_pathname(e);
        if (strlen(name) > len)
            names[n++] = stage_name_normalise(name + len);
    }
    for (size_t k = 1; k < n; k++)
        for (size_t m = k; m > 0 && strcmp(names[m], names[m - 1]) < 0; m--) {
            char *t = names[m];
            names[m] = names[m - 1];
            names[m - 1] = t;
        }
    for (size_t k = 0; k < n; k++) {
        char *longer = xasprintf("%s%s%s", list, k ? "," : "", names[k]);
        free(list);
        free(names[k]);
        list = longer;
    }
    archive_read_free(a);
    fclose(f);
    return list;
}

// `other` is another name of the home directory `home`.
static void two_names(struct world *w, const char *home, const char *other)
{
    char path[300], *list = xasprintf("[\"%s\"]", other);
    struct sent s;

    put(home, "data", "data");
    put(home, ".bashrc", "rc");
    snprintf(path, sizeof(path), "%s/.ssh", home);
    mkdir(path, 0700);
    put(home, ".ssh/id", "secret");
    stage_paths_destroy(w->paths);
    w->paths = paths_of(list, home);
    free(list);
    char *names = packed(w->paths, other);
    assert_string_equal(names, "/data");
    free(names);

    const char *const bad[] = {".bashrc", ".ssh/authorized_keys", ".ssh/id", ".ssh/new/deep"};
    for (size_t k = 0; k < 4; k++) {
        send_open(&s);
        snprintf(path, sizeof(path), "%s/%s", other, bad[k]);
        send_entry(&s, path, 0, 0644, NULL, "evil");
        snprintf(path, sizeof(path), "%s/data", other);
        send_entry(&s, path, 0, 0644, NULL, "result");
        struct result r = unpack(w, &s, 0, false, 0, NULL);
        assert_int_equal(r.rc, 0);
        assert_int_equal(r.totals.skipped, 1);
    }
    // A second name of a key in the tree would take it to a node the next time.
    char key[300];
    send_open(&s);
    snprintf(path, sizeof(path), "%s/name", other);
    snprintf(key, sizeof(key), "%s/.ssh/id", other);
    send_entry(&s, path, 0, 0644, key, NULL);
    assert_int_equal(unpack(w, &s, 0, false, 0, NULL).totals.skipped, 1);
    assert_file(home, "name", NULL);
    assert_file(home, "data", "result");
    assert_file(home, ".bashrc", "rc");
    assert_file(home, ".ssh/authorized_keys", NULL);
    assert_file(home, ".ssh/id", "secret");
    assert_file(home, ".ssh/new/deep", NULL);

    // What a path names comes along, the keys do not come back even then.
    list = xasprintf("[\"%s/.bashrc\", \"%s/.ssh\"]", other, other);
    stage_paths_destroy(w->paths);
    w->paths = paths_of(list, home);
    free(list);
    names = packed(w->paths, other);
    assert_string_equal(names, "/.bashrc,/.ssh,/.ssh/id");
    free(names);
    send_open(&s);
    snprintf(path, sizeof(path), "%s/.bashrc", other);
    send_entry(&s, path, 0, 0644, NULL, "asked for");
    send_entry(&s, key, 0, 0644, NULL, "evil");
    assert_int_equal(unpack(w, &s, 0, false, 0, NULL).totals.skipped, 1);
    assert_file(home, ".bashrc", "asked for");
    assert_file(home, ".ssh/id", "secret");

    // Nor into a directory below them, nor where .ssh is made anew.
    list = xasprintf("[\"%s/.ssh/sub\"]", other);
    stage_paths_destroy(w->paths);
    w->paths = paths_of(list, home);
    free(list);
    send_open(&s);
    snprintf(path, sizeof(path), "%s/.ssh/sub/f", other);
    send_entry(&s, path, 0, 0644, NULL, "evil");
    assert_int_equal(unpack(w, &s, 0, false, 0, NULL).totals.skipped, 1);
    assert_file(home, ".ssh/sub/f", NULL);
}

static void test_home_behind_a_link(void **state)
{
    struct world *w = *state;
    char home[200], other[200];

    snprintf(home, sizeof(home), "%s/home", w->dir);
    snprintf(other, sizeof(other), "%s/export", w->dir);
    mkdir(other, 0755);
    assert_int_equal(symlink(other, home), 0);
    two_names(w, home, other);
}

static void test_home_bound_elsewhere(void **state)
{
    struct world *w = *state;
    char home[200], other[200];

    snprintf(home, sizeof(home), "%s/home", w->dir);
    snprintf(other, sizeof(other), "%s/export", w->dir);
    mkdir(home, 0755);
    mkdir(other, 0755);
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount(other, home, NULL, MS_BIND, NULL) < 0) {
        print_message("no bind mount can be made here (%s)\n", strerror(errno));
        skip();
    }
    two_names(w, home, other);
    assert_int_equal(umount(home), 0);
}

// Where .ssh is a link into a directory of the job's.
static void test_keys_kept_elsewhere(void **state)
{
    struct world *w = *state;
    char home[200], keys[200], path[300];
    struct sent s;

    snprintf(home, sizeof(home), "%s/home", w->dir);
    snprintf(keys, sizeof(keys), "%s/keys", w->run);
    mkdir(home, 0755);
    mkdir(keys, 0700);
    put(keys, "id", "secret");
    put(w->run, "data", "data");
    snprintf(path, sizeof(path), "%s/.ssh", home);
    assert_int_equal(symlink(keys, path), 0);
    char *list = xasprintf("[\"%s\"]", w->run);
    stage_paths_destroy(w->paths);
    w->paths = paths_of(list, home);
    free(list);
    char *names = packed(w->paths, w->run);
    assert_string_equal(names, "/data");
    free(names);
    send_open(&s);
    send_entry(&s, in_run(w, "keys/authorized_keys"), 0, 0600, NULL, "evil");
    assert_int_equal(unpack(w, &s, 0, false, 0, NULL).totals.skipped, 1);
    assert_file(keys, "authorized_keys", NULL);
}

// ---- results that are kept

static struct result keep(struct world *w, struct sent *s, const char *name, size_t bytes,
                          char **kept)
{
    cJSON *paths = cJSON_CreateArray();
    const struct stage_keep_request request = {
        .dir = w->away, .name = name, .job = "12", .node = "n1", .why = "no room", .paths = paths};
    struct result r = {.errclass = ""};
    int dir = open(w->away, O_RDONLY | O_DIRECTORY), fd = sender(s, bytes, bytes > 0);

    cJSON_AddItemToArray(paths, cJSON_CreateString(w->run));
    r.rc = stage_keep(dir, &request, w->paths, fd, &r.totals, kept, &r.errclass, &r.err);
    close(fd);
    close(dir);
    cJSON_Delete(paths);
    free(s->data);
    return r;
}

static void test_keep(void **state)
{
    struct world *w = *state;
    char *kept[2] = {NULL, NULL};
    struct stage_totals t;
    burst_error_t err = {""};
    struct sent s;

    for (int k = 0; k < 2; k++) {
        send_open(&s);
        send_entry(&s, in_run(w, "deep"), AE_IFDIR, 0750, NULL, NULL);
        send_entry(&s, in_run(w, "deep/a"), 0, 0640, NULL, "result");
        send_entry(&s, in_run(w, "deep/b"), 0, 0640, in_run(w, "deep/a"), NULL);
        send_entry(&s, in_run(w, "empty"), 0, 0600, NULL, NULL);
        send_entry(&s, in_run(w, "link"), AE_IFLNK, 0777, "deep/a", NULL);
        // What a hostile node sends keeps nothing else from being kept.
        send_entry(&s, "/etc/evil", 0, 0644, NULL, "evil");
        send_entry(&s, in_run(w, "../away/evil"), 0, 0644, NULL, "evil");
        struct result r = keep(w, &s, "12-n1", 0, &kept[k]);
        if (r.rc < 0)
            fail_msg("%s", r.err.text);
        assert_int_equal(r.totals.files, 5);
        assert_int_equal(r.totals.skipped, 2);
        assert_int_equal(r.totals.bytes, 6);
    }
    // Nothing takes the place of what is kept already.
    assert_non_null(strstr(kept[0], "/away/12-n1.tar.gz"));
    assert_non_null(strstr(kept[1], "/away/12-n1.2.tar.gz"));
    char *about = get(w->away, "12-n1.2.json");
    assert_non_null(strstr(about, "\"no room\""));
    assert_non_null(strstr(about, w->run));
    free(about);
    assert_int_equal(access(in_run(w, "deep"), F_OK), -1);

    int fd = open(kept[1], O_RDONLY);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stage_unpack_kept(w->paths, NULL, fd, &t, &err), 0);
    close(fd);
    assert_int_equal(t.files, 5);
    assert_file(w->run, "deep/a", "result");
    assert_file(w->run, "deep/b", "result");
    assert_file(w->run, "empty", "");
    assert_file(w->run, "link", "result");
    assert_int_equal(stat(in_run(w, "deep/a"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(st.st_mtime, 1000000000);
    free(kept[0]);
    free(kept[1]);
}

// tar of the system reads it as well: whoever wants his results elsewhere takes that.
static void test_kept_archive_is_a_tar(void **state)
{
    struct world *w = *state;
    char *kept = NULL, *big = xmalloc(300001);
    struct sent s;

    memset(big, 'x', 300000);
    send_open(&s);
    send_entry(&s, in_run(w, "big"), 0, 0644, NULL, big);
    assert_int_equal(keep(w, &s, "7", 0, &kept).rc, 0);
    char *into = xasprintf("%s/into", w->dir), *dir = xasprintf("%s%s", into, w->run);
    assert_int_equal(mkdir(into, 0700), 0);
    char *argv[] = {(char *)"tar", (char *)"-xzf", kept, (char *)"-C", into, NULL};
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr)) // "Removing leading /"
            _exit(126);
        execvp("tar", argv);
        _exit(127);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_file(dir, "big", big);
    free(dir);
    free(into);
    free(big);
    free(kept);
}

// Of an archive that is given up libarchive keeps memory, so this is a process of its own, as in
// life. Its exit status: 0 = refused as it must be.
static int keep_in_vain(struct world *w, struct sent *s, size_t bytes)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        char *kept = NULL;
        struct result r = keep(w, s, "12", bytes, &kept);
        _exit(r.rc == -1 && strcmp(r.errclass, "io") == 0 && r.err.text[0] && !kept ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    archive_write_free(s->a);
    free(s->data);
    return status;
}

// A stream that breaks off leaves nothing, and says so.
static void test_keep_cut(void **state)
{
    struct world *w = *state;
    struct sent s;
    const size_t cuts[] = {1000, 1536, 2048, 3000};

    for (size_t k = 0; k < sizeof(cuts) / sizeof(cuts[0]); k++) {
        send_open(&s);
        send_entry(&s, in_run(w, "a"), 0, 0644, NULL, "first");
        send_entry(&s, in_run(w, "b"), 0, 0644, NULL, "second");
        assert_int_equal(keep_in_vain(w, &s, cuts[k]), 0);
        assert_file(w->away, "12.tar.gz", NULL);
        assert_file(w->away, "12.tar.gz.part", NULL);
        assert_file(w->away, "12.json", NULL);
    }
}

static void test_keep_names(void **state)
{
    static const char *const bad[] = {"", ".", "..", ".a", "a/b", "a b", "a\n", "\xc3\xa4"};
    char longest[STAGE_KEEP_NAME_MAX + 2];

    for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++)
        assert_false(stage_keep_name_ok(bad[k]));
    assert_true(stage_keep_name_ok("12_3-aws-a100x2-001"));
    memset(longest, 'a', sizeof(longest));
    longest[STAGE_KEEP_NAME_MAX + 1] = '\0';
    assert_false(stage_keep_name_ok(longest));
    longest[STAGE_KEEP_NAME_MAX] = '\0';
    assert_true(stage_keep_name_ok(longest));
}

// Of the site's directory: root's, with SlurmUser's group, for nobody else to write.
static void test_keep_dir(void **state)
{
    struct world *w = *state;
    char *site = xasprintf("%s/site", w->dir), *mine = xasprintf("%s/alice", site);
    char *odd = xasprintf("%s/odd", w->dir);
    burst_error_t err;
    struct stat st;

    if (geteuid() != 0)
        skip();
    assert_int_equal(stage_keep_dir(site, 77, "alice", 2001, 2002, &err), -1);
    assert_non_null(strstr(err.text, "install -d -o root -g slurm"));
    assert_int_equal(mkdir(site, 0711), 0);
    assert_int_equal(stage_keep_dir(site, 77, "alice", 2001, 2002, &err), -1); // the group
    assert_int_equal(chown(site, 0, 77), 0);
    for (int again = 0; again < 2; again++) {
        int fd = stage_keep_dir(site, 77, "alice", 2001, 2002, &err);
        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_uid, 2001);
        assert_int_equal(st.st_gid, 2002);
        assert_int_equal(st.st_mode & 07777, 0700);
        close(fd);
    }
    assert_int_equal(stage_keep_dir(site, 77, "alice", 2003, 2002, &err), -1);
    assert_non_null(strstr(err.text, "somebody else's"));
    assert_int_equal(stage_keep_dir(site, 77, "../away", 2001, 2002, &err), -1);
    assert_int_equal(stage_keep_dir(site, 77, ".", 2001, 2002, &err), -1);
    assert_int_equal(symlink(w->away, odd), 0);
    assert_int_equal(stage_keep_dir(odd, 77, "alice", 2001, 2002, &err), -1);
    assert_int_equal(unlink(odd), 0);
    assert_int_equal(rename(mine, odd), 0);
    assert_int_equal(symlink(w->away, mine), 0); // not followed
    assert_int_equal(stage_keep_dir(site, 77, "alice", 2001, 2002, &err), -1);
    assert_int_equal(chmod(site, 0775), 0);
    assert_int_equal(stage_keep_dir(site, 77, "bob", 2004, 2004, &err), -1); // SlurmUser may write
    free(odd);
    free(mine);
    free(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normalise),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_hidden),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_excluded),
        cmocka_unit_test(test_allowed),
        cmocka_unit_test_setup_teardown(test_unpack, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unpack_denied, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unpack_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unpack_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unpack_types, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unpack_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unpack_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pack, setup, teardown),
        cmocka_unit_test(test_survey_request),
        cmocka_unit_test_setup_teardown(test_survey_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_named, setup, teardown),
        cmocka_unit_test_setup_teardown(test_holes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_home_behind_a_link, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keys_kept_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_home_bound_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keep, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kept_archive_is_a_tar, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keep_cut, setup, teardown),
        cmocka_unit_test(test_keep_names),
        cmocka_unit_test_setup_teardown(test_keep_dir, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
