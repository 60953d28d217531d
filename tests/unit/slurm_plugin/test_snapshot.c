// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of the snapshot: whatever the file holds or becomes while it is read, the reader gives
// out a whole body or none.
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "slurm_plugin/snapshot.h"

static char dir[64], path[96];
static struct snapshot_reader reader;
static struct snapshot snap, file;
static burst_error_t err;

static void sample(struct snapshot *s)
{
    snapshot_init(s);
    s->body.default_auto = 1;
    s->body.partitions.n = 1;
    snapshot_set(s->body.partitions.text[0], SNAPSHOT_NAME, "main*");
    s->body.n_partitions = 2;
    snapshot_set(s->body.partition[0].name, SNAPSHOT_NAME, "main");
    snapshot_set(s->body.partition[1].name, SNAPSHOT_NAME, "aws");
    s->body.partition[1].elastic = 1;
    s->body.n_kinds = 1;
    s->body.kind[0].n_gpus = 1;
    snapshot_set(s->body.kind[0].gpu[0].type, SNAPSHOT_GPU, "a100");
    s->body.n_shapes = 1;
    s->body.shape[0].partition = 1;
    s->body.n_aliases = 1;
    s->body.n_users = 3;
    s->body.user[0] = (struct snapshot_user){3000, SNAPSHOT_USER_ALLOWED};
    s->body.user[1] = (struct snapshot_user){1000, 0};
    s->body.user[2] = (struct snapshot_user){2000, SNAPSHOT_USER_OPERATOR};
    s->body.unlisted_user = SNAPSHOT_USER_ALLOWED;
}

static int fresh(void **state)
{
    unlink(path);
    sample(&snap);
    return snapshot_reader_init(&reader, path);
}

static int done(void **state)
{
    snapshot_reader_fini(&reader);
    unlink(path);
    return 0;
}

static void read_is(int64_t max_age, enum snapshot_state want)
{
    enum snapshot_state got;
    const struct snapshot_body *b = snapshot_acquire(&reader, max_age, &got);

    if (got != want)
        fail_msg("the snapshot is %s, not %s", snapshot_state_text(got), snapshot_state_text(want));
    assert_true((b != NULL) == (want == SNAPSHOT_OK));
    snapshot_release(&reader, b);
}

// The reader opens a missing file at most once a second: let that second pass.
static void second_later(void)
{
    atomic_store(&reader.tried_ms, atomic_load(&reader.tried_ms) - 1000);
}

static void write_file(const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    close(fd);
}

static void publish_once(void)
{
    struct snapshot_writer *w = snapshot_writer_create(path, &err);

    assert_non_null(w);
    assert_int_equal(snapshot_publish(w, &snap, &err), 0);
    file = snap;
    snapshot_writer_destroy(w);
    write_file(&file, sizeof(file)); // as published, not withdrawn
}

static void seal(struct snapshot *s)
{
    s->head.body_sum = snapshot_sum(&s->body, sizeof(s->body));
    s->head.head_sum = snapshot_sum(&s->head, offsetof(struct snapshot_head, head_sum));
}

static void published_is_read(void **state)
{
    struct snapshot_writer *w = snapshot_writer_create(path, &err);
    enum snapshot_state st;

    assert_non_null(w);
    assert_int_equal(snapshot_publish(w, &snap, &err), 0);
    const struct snapshot_body *a = snapshot_acquire(&reader, SNAPSHOT_MAX_AGE_MS, &st);
    assert_non_null(a);
    assert_memory_equal(a, &snap.body, sizeof(*a));
    assert_string_equal(snapshot_find_partition(a, "aws")->name, "aws");
    assert_null(snapshot_find_partition(a, "gcp"));
    assert_int_equal(snapshot_user_flags(a, 1000), 0);
    assert_int_equal(snapshot_user_flags(a, 2000), SNAPSHOT_USER_OPERATOR);
    assert_int_equal(snapshot_user_flags(a, 3000), SNAPSHOT_USER_ALLOWED);
    assert_int_equal(snapshot_user_flags(a, 4000), SNAPSHOT_USER_ALLOWED); // unlisted

    // Nothing but the time changes: the same number, the same copy.
    uint64_t sequence = snap.head.sequence;
    assert_int_equal(snapshot_publish(w, &snap, &err), 0);
    assert_int_equal(snap.head.sequence, sequence);
    const struct snapshot_body *b = snapshot_acquire(&reader, SNAPSHOT_MAX_AGE_MS, &st);
    assert_ptr_equal(a, b);
    snapshot_release(&reader, b);

    // A change is seen while somebody still uses the old copy, which stays as it was.
    snap.body.max_nodes = 7;
    assert_int_equal(snapshot_publish(w, &snap, &err), 0);
    assert_int_equal(snap.head.sequence, sequence + 1);
    b = snapshot_acquire(&reader, SNAPSHOT_MAX_AGE_MS, &st);
    assert_int_equal(b->max_nodes, 7);
    assert_int_equal(a->max_nodes, UINT32_MAX);
    snapshot_release(&reader, a);
    snapshot_release(&reader, b);

    // The end of the writer ends the validity for the plugin, not for the hooks.
    snapshot_writer_destroy(w);
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_STALE);
    read_is(-1, SNAPSHOT_OK);
}

static void patterns(void **state)
{
    struct snapshot_patterns *p = &snap.body.partitions;
    char longer[300];

    assert_true(snapshot_match(p, "main"));
    assert_true(snapshot_match(p, "main-long"));
    assert_false(snapshot_match(p, "xmain"));
    memset(longer, 'a', sizeof(longer));
    memcpy(longer, "main", 4);
    longer[255] = '\0';
    assert_true(snapshot_match(p, longer));
    longer[255] = 'a';
    longer[256] = '\0';
    assert_false(snapshot_match(p, longer));
    p->n = 0;
    assert_false(snapshot_match(p, "main"));
}

static void missing_then_there(void **state)
{
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_MISSING);
    publish_once();
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_MISSING); // looked a moment ago
    second_later();
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_OK);
    unlink(path); // what is open stays good until it is too old
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_OK);
}

static void truncated(void **state)
{
    publish_once();
    const size_t sizes[] = {0, 1, 63, 64, 65, sizeof(file) / 2, sizeof(file) - 1};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        write_file(&file, sizes[i]);
        snapshot_reader_fini(&reader);
        snapshot_reader_init(&reader, path);
        read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_BAD);
        read_is(-1, SNAPSHOT_BAD);
        write_file(&file, sizeof(file));
        read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_OK);
    }
    assert_int_equal(truncate(path, 0), 0); // under a reader that has a copy
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_BAD);
}

static void every_changed_bit_of_the_head_is_noticed(void **state)
{
    publish_once();
    assert_int_equal(snapshot_check(&file, sizeof(file)), SNAPSHOT_OK);
    for (size_t bit = 0; bit < sizeof(file.head) * 8; bit++) {
        struct snapshot *bad = &snap;
        *bad = file;
        ((unsigned char *)bad)[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_int_equal(snapshot_check(bad, sizeof(*bad)), SNAPSHOT_BAD);
    }
}

static void changed_bytes_of_the_body_are_noticed(void **state)
{
    publish_once();
    for (size_t i = sizeof(file.head); i < sizeof(file); i += 41) {
        unsigned char *p = (unsigned char *)&file + i;
        *p ^= 0x80;
        assert_int_equal(snapshot_check(&file, sizeof(file)), SNAPSHOT_BAD);
        *p ^= 0x80;
    }
    // Words that changed places
    file.body.user[4].uid = 1;
    file.body.user[8].uid = 2;
    seal(&file);
    assert_int_equal(snapshot_check(&file, sizeof(file)), SNAPSHOT_OK);
    file.body.user[4].uid = 2;
    file.body.user[8].uid = 1;
    assert_int_equal(snapshot_check(&file, sizeof(file)), SNAPSHOT_BAD);
}

// A writer with a bug, or of another version, seals what would lead a reader out of its arrays.
static void sealed_nonsense(void **state)
{
#define BAD(change)                                                                                \
    do {                                                                                           \
        sample(&snap);                                                                             \
        publish_once();                                                                            \
        file.body.change;                                                                          \
        seal(&file);                                                                               \
        write_file(&file, sizeof(file));                                                           \
        assert_int_equal(snapshot_check(&file, sizeof(file)), SNAPSHOT_BAD);                       \
        read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_BAD);                                                \
        struct snapshot_writer *w = snapshot_writer_create(path, &err);                            \
        assert_int_equal(snapshot_publish(w, &file, &err), -1);                                    \
        snapshot_writer_destroy(w);                                                                \
    } while (0)
    BAD(n_users = SNAPSHOT_USERS + 1);
    BAD(n_partitions = SNAPSHOT_PARTITIONS + 1);
    BAD(n_kinds = SNAPSHOT_KINDS + 1);
    BAD(n_shapes = UINT32_MAX);
    BAD(n_aliases = SNAPSHOT_ALIASES + 1);
    BAD(partitions.n = SNAPSHOT_PATTERNS + 1);
    BAD(accounts.n = UINT32_MAX);
    BAD(deny_accounts.n = SNAPSHOT_PATTERNS + 1);
    BAD(kind[0].partition = 2);
    BAD(kind[0].n_gpus = SNAPSHOT_GPUS + 1);
    BAD(shape[0].partition = 2);
    BAD(shape[0].price_spot = -1);
    BAD(shape[0].price_on_demand = -2);
    BAD(n_partitions = 0);
    BAD(partition[0].name[0] = 'x'; memset(file.body.partition[0].name, 'x', SNAPSHOT_NAME));
    BAD(n_users = 3; memset(file.body.kind[0].gpu[0].type, 'x', SNAPSHOT_GPU));
    BAD(n_users = 3; memset(file.body.shape[0].gpu_type, 'x', SNAPSHOT_GPU));
    BAD(n_users = 3; memset(file.body.shape[0].cloud, 'x', SNAPSHOT_CLOUD));
    BAD(n_users = 3; memset(file.body.alias[0].name, 'x', SNAPSHOT_GPU));
    BAD(n_users = 3; memset(file.body.alias[0].gpu_type, 'x', SNAPSHOT_GPU));
    BAD(n_users = 3; memset(file.body.partitions.text[0], 'x', SNAPSHOT_NAME));
    sample(&snap);
    publish_once();
    file.head.version = SNAPSHOT_VERSION + 1;
    seal(&file);
    assert_int_equal(snapshot_check(&file, sizeof(file)), SNAPSHOT_BAD);
}

static void old_and_future(void **state)
{
    publish_once();
    int64_t written = file.head.written_ms;
    const struct {
        int64_t shift;
        enum snapshot_state want;
    } cases[] = {{-3000, SNAPSHOT_OK},
                 {-5001, SNAPSHOT_STALE},
                 {-3600000, SNAPSHOT_STALE},
                 {60000, SNAPSHOT_STALE}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        file.head.written_ms = written + cases[i].shift;
        seal(&file);
        write_file(&file, sizeof(file));
        read_is(SNAPSHOT_MAX_AGE_MS, cases[i].want);
        read_is(-1, SNAPSHOT_OK);
    }
}

// burstd has stopped: it does not run now, but what it said a moment ago still tells what exists.
static void withdrawn(void **state)
{
    publish_once();
    file.head.withdrawn = 1;
    seal(&file);
    write_file(&file, sizeof(file));
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_STALE);
    read_is(900000, SNAPSHOT_OK);
    file.head.written_ms -= 900001;
    seal(&file);
    write_file(&file, sizeof(file));
    read_is(900000, SNAPSHOT_STALE);
}

static void a_body_damaged_in_place_is_mended(void **state)
{
    struct snapshot_writer *w = snapshot_writer_create(path, &err);
    const char nonsense[100] = "nonsense";
    int fd, n = 0;

    sample(&snap);
    assert_int_equal(snapshot_publish(w, &snap, &err), 0);
    fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, nonsense, sizeof(nonsense), 2000), sizeof(nonsense));
    do {
        assert_int_equal(snapshot_publish(w, &snap, &err), 0); // once a second
        assert_int_equal(pread(fd, &file, sizeof(file), 0), sizeof(file));
    } while (snapshot_check(&file, sizeof(file)) != SNAPSHOT_OK && ++n < 60);
    assert_in_range(n, 1, 59);
    close(fd);
    snapshot_writer_destroy(w);
}

static void a_replaced_file_is_found(void **state)
{
    publish_once();
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_OK);
    file.head.written_ms -= 6000;
    seal(&file);
    write_file(&file, sizeof(file));
    unlink(path);
    snap.body.max_nodes = 9;
    publish_once();
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_STALE); // opened a moment ago
    second_later();
    enum snapshot_state st;
    const struct snapshot_body *b = snapshot_acquire(&reader, SNAPSHOT_MAX_AGE_MS, &st);
    assert_non_null(b);
    assert_int_equal(b->max_nodes, 9);
    snapshot_release(&reader, b);
}

static void files_that_are_not_ours(void **state)
{
    char target[128];

    publish_once();
    assert_int_equal(chmod(path, 0664), 0);
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_MISSING);
    snprintf(target, sizeof(target), "%s.real", path);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink(target, path), 0);
    second_later();
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_MISSING);
    unlink(path);
    unlink(target);
    assert_int_equal(mkfifo(path, 0644), 0);
    second_later();
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_MISSING);
    assert_null(snapshot_writer_create(path, &err));
    assert_non_null(strstr(err.text, "not a regular file"));
    unlink(path);
    assert_int_equal(mkdir(path, 0755), 0);
    second_later();
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_MISSING);
    assert_null(snapshot_writer_create(path, &err));
    rmdir(path);
    memset(target, 'x', sizeof(target));
    char longer[300];
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(snapshot_reader_init(&reader, longer), -1);
    snapshot_reader_init(&reader, path);
}

static void the_writer_makes_its_file_again(void **state)
{
    struct snapshot_writer *w = snapshot_writer_create(path, &err);

    assert_int_equal(snapshot_publish(w, &snap, &err), 0);
    unlink(path);
    assert_int_equal(snapshot_publish(w, &snap, &err), 0);
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_OK);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(snapshot_publish(w, &snap, &err), 0);
    read_is(SNAPSHOT_MAX_AGE_MS, SNAPSHOT_OK);
    snapshot_writer_destroy(w);
    snapshot_writer_destroy(NULL);
    assert_null(snapshot_writer_create("/nowhere/snapshot", &err));
    assert_string_equal(err.text, "/nowhere/snapshot: No such file or directory");
}

// A writer that changes the body all the time, and readers. In each body all marks are equal.
#define BODIES 3000
static atomic_bool writing;

static void mark_body(struct snapshot *s, uint32_t n)
{
    s->body.default_runtime_s = n;
    for (unsigned i = 0; i < SNAPSHOT_USERS; i++)
        s->body.user[i].flags = n;
    s->body.alias[SNAPSHOT_ALIASES - 1].name[0] = (char)(n & 0x7f);
}

static void *write_on(void *arg)
{
    struct snapshot_writer *w = arg;
    static struct snapshot s;
    burst_error_t e;

    sample(&s);
    for (uint32_t n = 1; n <= BODIES; n++) {
        mark_body(&s, n);
        if (snapshot_publish(w, &s, &e) < 0)
            return (void *)1;
    }
    atomic_store(&writing, false);
    return NULL;
}

struct counts {
    long whole, torn, none, backwards;
};

static void *read_on(void *arg)
{
    struct counts *c = arg;
    int64_t last = 0;

    for (bool more = true; more;) {
        enum snapshot_state st;
        more = atomic_load(&writing);
        const struct snapshot_body *b = snapshot_acquire(&reader, SNAPSHOT_MAX_AGE_MS, &st);
        if (!b) {
            c->none++;
            continue;
        }
        int64_t n = b->default_runtime_s;
        bool same = b->alias[SNAPSHOT_ALIASES - 1].name[0] == (char)(n & 0x7f);
        for (unsigned i = 0; i < SNAPSHOT_USERS; i++)
            same = same && b->user[i].flags == n;
        same = same && b->default_runtime_s == n;
        c->whole += same;
        c->torn += !same;
        c->backwards += n < last;
        last = n;
        snapshot_release(&reader, b);
    }
    return NULL;
}

static void torn_reads_do_not_get_through(void **state)
{
    struct snapshot_writer *w = snapshot_writer_create(path, &err);
    pthread_t writer, readers[3];
    struct counts c[3] = {{0}};
    void *rc;

    mark_body(&snap, 0);
    assert_int_equal(snapshot_publish(w, &snap, &err), 0);
    atomic_store(&writing, true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &c[i]), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_on, w), 0);
    pthread_join(writer, &rc);
    assert_null(rc);
    for (int i = 0; i < 3; i++) {
        pthread_join(readers[i], NULL);
        assert_true(c[i].whole > 0);
        assert_int_equal(c[i].torn, 0);
        assert_int_equal(c[i].backwards, 0);
    }
    enum snapshot_state st;
    const struct snapshot_body *b = snapshot_acquire(&reader, SNAPSHOT_MAX_AGE_MS, &st);
    assert_int_equal(b->default_runtime_s, BODIES);
    snapshot_release(&reader, b);
    snapshot_writer_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(published_is_read, fresh, done),
        cmocka_unit_test_setup_teardown(patterns, fresh, done),
        cmocka_unit_test_setup_teardown(missing_then_there, fresh, done),
        cmocka_unit_test_setup_teardown(truncated, fresh, done),
        cmocka_unit_test_setup_teardown(every_changed_bit_of_the_head_is_noticed, fresh, done),
        cmocka_unit_test_setup_teardown(changed_bytes_of_the_body_are_noticed, fresh, done),
        cmocka_unit_test_setup_teardown(sealed_nonsense, fresh, done),
        cmocka_unit_test_setup_teardown(old_and_future, fresh, done),
        cmocka_unit_test_setup_teardown(withdrawn, fresh, done),
        cmocka_unit_test_setup_teardown(a_body_damaged_in_place_is_mended, fresh, done),
        cmocka_unit_test_setup_teardown(a_replaced_file_is_found, fresh, done),
        cmocka_unit_test_setup_teardown(files_that_are_not_ours, fresh, done),
        cmocka_unit_test_setup_teardown(the_writer_makes_its_file_again, fresh, done),
        cmocka_unit_test_setup_teardown(torn_reads_do_not_get_through, fresh, done),
    };

    umask(022);
    snprintf(dir, sizeof(dir), "/tmp/test_snapshot.XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof(path), "%s/snapshot", dir);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return rc;
}
