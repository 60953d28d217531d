// SPDX-License-Identifier: GPL-3.0-or-later
// The catalog: what is read, what is refused with which words, prices of transfers, the compiled
// index, and (where the reference data is at hand) the public catalogs of 14 clouds.
#include <errno.h>
#include <fcntl.h>
#include <math.h>
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

#include "catalog/catalog.h"
#include "catalog/compare.h"
#include "catalog/csv.h"
#include "catalog/glob.h"
#include "catalog/image.h"
#include "libburst/fsutil.h"
#include "libburst/xalloc.h"
#include "tests/unit/reference.h"

#define HEADER                                                                                     \
    "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,"       \
    "Region,AvailabilityZone\n"
#define EGRESS "SrcCloud,SrcRegion,DstCloud,DstRegion,UpToGB,USDPerGB\n"

struct heard {
    char text[4000];
    int refused, quarantined, skipped;
};

static void hear(void *arg, const struct catalog_complaint *c)
{
    struct heard *h = arg;
    size_t len = strlen(h->text);

    h->refused += c->kind == COMPLAINT_REFUSED;
    h->quarantined += c->kind == COMPLAINT_QUARANTINED;
    h->skipped += c->kind == COMPLAINT_SKIPPED;
    snprintf(h->text + len, sizeof(h->text) - len, "%s:%u %s\n", c->file, c->line, c->text);
}

static struct catalog *load(const char *rows, const char *egress, struct heard *h)
{
    char *csv = xasprintf("%s%s", HEADER, rows),
         *e = egress ? xasprintf(EGRESS "%s", egress) : NULL;
    burst_error_t err = {""};
    struct catalog *c =
        catalog_from_text("aws", csv, strlen(csv), e, e ? strlen(e) : 0, hear, h, &err);

    free(csv);
    free(e);
    assert_non_null(c);
    return c;
}

// Loads one row that must be refused; gives the reason.
static void assert_refused(const char *row, const char *reason)
{
    struct heard h = {{0}, 0, 0, 0};
    struct catalog *c = load(row, NULL, &h);
    char *want = xasprintf("aws:2 %s\n", reason);
    uint32_t n;

    catalog_offers(c, &n);
    assert_int_equal(n, 0);
    assert_string_equal(h.text, want);
    catalog_destroy(c);
    free(want);
}

static void test_reads_rows(void **arg)
{
    struct heard h = {{0}, 0, 0, 0};
    struct catalog *c = load("p3.2xlarge,V100,1,8,61,,3.06,0.91,us-east-1,us-east-1a\n"
                             "\"m5,\"\"x\"\"\",,,4,16.5,,0.2,,us-east-1,\r\n"
                             "f,A10,0.333,1e1,1,,,1e-05,eu,\n"
                             "none,,,1,1,,,0.00,eu,\n",
                             NULL, &h);
    uint32_t n, nt;
    const struct catalog_offer *o = catalog_offers(c, &n);
    const struct catalog_type *t = catalog_types(c, &nt);

    assert_string_equal(h.text, "");
    assert_int_equal(n, 3); // the last is on no market
    assert_true(o[0].price[MARKET_ON_DEMAND] == 3060000000 && o[0].price[MARKET_SPOT] == 910000000);
    assert_int_equal(catalog_price(&o[0], MARKET_ON_DEMAND), 3060000);
    assert_string_equal(catalog_str(c, o[0].zone), "us-east-1a");
    assert_string_equal(catalog_str(c, t[o[1].type].name), "m5,\"x\"");
    assert_true(o[1].price[MARKET_SPOT] == NO_PRICE && o[1].zone == 0);
    assert_true(t[o[1].type].memory_gib == 16.5);
    assert_true(t[o[2].type].count == 0.333 && t[o[2].type].vcpus == 10);
    assert_true(o[2].price[MARKET_ON_DEMAND] == NO_PRICE && o[2].price[MARKET_SPOT] == 10000);
    assert_int_equal(catalog_price(&o[2], MARKET_ON_DEMAND), MONEY_UNKNOWN);
    catalog_destroy(c);
}

static void test_refuses_what_cannot_be_true(void **arg)
{
    assert_refused("a,,,1,1,,x,,r,\n", "Price \"x\" is not a number");
    assert_refused("a,,,1,1,,nan,,r,\n", "Price \"nan\" is not a number");
    assert_refused("a,,,1,1,,inf,,r,\n", "Price \"inf\" is not a number");
    assert_refused("a,,,1,1,,0x10,,r,\n", "Price \"0x10\" is not a number");
    assert_refused("a,,,1,1,, 1,,r,\n", "Price \" 1\" is not a number");
    assert_refused("a,,,1,1,,1e999,,r,\n", "Price \"1e999\" is not a number");
    assert_refused("a,,,1,1,,-1,,r,\n", "Price \"-1\" is negative");
    assert_refused("a,,,1,1,,1,-0.5,r,\n", "SpotPrice \"-0.5\" is negative");
    assert_refused("a,,,1,1,,2000000,,r,\n", "Price \"2000000\" is more than any instance costs");
    assert_refused("a,,,-1,1,,1,,r,\n", "vCPUs \"-1\" is negative");
    assert_refused("a,,,1,huge,,1,,r,\n", "MemoryGiB \"huge\" is not a number");
    assert_refused("a,V100,,1,1,,1,,r,\n",
                   "AcceleratorCount \"\" does not fit an accelerator's name");
    assert_refused("a,,,1,1,,1,,,\n", "Region \"\" is empty");
    assert_refused("a,,,1,1,,1,1.5,r,\n", "on-demand price 1 is below the spot price 1.5");
    assert_refused(",V100,1,1,1,,1,,r,\n",
                   "InstanceType is empty: an accelerator without a host cannot be rented");
    assert_refused("a,,,1,1,,1,,r\n", "9 fields where the header has 10");
    assert_refused("\"a,,,1,1,,1,,r,\n", "a quote is opened and never closed");
    assert_refused("\"a\"b,,,1,1,,1,,r,\n", "text after a closing quote");
}

static void test_goes_on_after_a_bad_row(void **arg)
{
    struct heard h = {{0}, 0, 0, 0};
    struct catalog *c = load("a,,,1,1,,x,,r,\n\nb,,,1,1,,1,,r,\nc,,,1,1,\"x\ny\",1,,r,\n"
                             "e,,,1,1,,-1,,r,\n",
                             NULL, &h);
    uint32_t n;

    catalog_offers(c, &n);
    assert_int_equal(n, 2);
    // A quoted line end counts as a line.
    assert_string_equal(h.text,
                        "aws:2 Price \"x\" is not a number\naws:7 Price \"-1\" is negative\n");
    assert_int_equal(catalog_refused(c), 2);
    catalog_destroy(c);
}

// Median of 1.0 1.1 1.2 2.0 is 1.15; 0.6 of it is 0.69. Per accelerator, not per instance.
static void test_quarantine(void **arg)
{
    struct heard h = {{0}, 0, 0, 0};
    struct catalog *c = load("a,X,1,1,1,,1.0,,r,\nb,X,2,1,1,,2.2,,r,\nc,X,1,1,1,,1.2,,r,\n"
                             "d,X,4,1,1,,8.0,,r,\ne,Y,1,1,1,,0.1,,r,\nf,,,1,1,,0.01,,r,\n",
                             NULL, &h);
    uint32_t n;

    catalog_offers(c, &n);
    assert_int_equal(n, 6);
    catalog_destroy(c);
    // With a fifth at 0.68 the median is 1.1, the edge 0.66: stays. At 0.65 it goes.
    memset(&h, 0, sizeof(h));
    c = load("a,X,1,1,1,,1.0,,r,\nb,X,2,1,1,,2.2,,r,\nc,X,1,1,1,,1.2,,r,\nd,X,4,1,1,,8.0,,r,\n"
             "e,X,1,1,1,,0.66,,r,\n",
             NULL, &h);
    assert_string_equal(h.text, "");
    catalog_destroy(c);
    c = load("a,X,1,1,1,,1.0,,r,\nb,X,2,1,1,,2.2,,r,\nc,X,1,1,1,,1.2,,r,\nd,X,4,1,1,,8.0,,r,\n"
             "e,X,1,1,1,,0.65,0.1,r,\n",
             NULL, &h);
    assert_string_equal(h.text, "aws:6 on-demand price of $0.6500 per X is under 0.6 of this "
                                "cloud's median of $1.1000; not used\n");
    catalog_offers(c, &n);
    assert_int_equal(n, 4);
    assert_int_equal(catalog_quarantined(c), 1);
    catalog_destroy(c);
}

static double egress(const struct catalog *c, const char *sc, const char *sr, const char *dc,
                     const char *dr, double gb)
{
    uint32_t r = catalog_route_find(c, sc, sr, dc, dr);
    int64_t p = r == NO_ROUTE ? -1 : catalog_route_price(c, r, gb);

    return p < 0 ? -1 : (double)p / 1e9;
}

static void test_egress(void **arg)
{
    struct heard h = {{0}, 0, 0, 0};
    struct catalog *c = load("a,,,1,1,,1,,r,\n",
                             "aws,us-*,aws,us-*,,0.02\n"
                             "aws,*,*,*,10240,0.09\naws,*,*,*,51200,0.085\naws,*,*,*,,0.07\n"
                             "aws,*,*,*,5,1\n" // not above the tier before it
                             "gcp,*,aws,*,100,0.12\n"
                             "gcp,*,oci,*,,-1\n",
                             &h);

    assert_string_equal(h.text, "egress.csv:6 UpToGB \"5\" is not above the tier before it\n"
                                "egress.csv:8 USDPerGB \"-1\" is negative\n");
    assert_true(fabs(egress(c, "aws", "us-east-1", "aws", "us-west-2", 100) - 2) < 1e-9);
    // The example of the format: 10240 * 0.09 + 4760 * 0.085
    assert_true(fabs(egress(c, "aws", "eu-west-1", "gcp", "x", 15000) - 1326.2) < 1e-9);
    assert_true(fabs(egress(c, "aws", "eu-west-1", "gcp", "x", 60000) -
                     (10240 * 0.09 + 40960 * 0.085 + 8800 * 0.07)) < 1e-6);
    assert_true(egress(c, "aws", "eu-west-1", "gcp", "x", 0) == 0);
    assert_true(fabs(egress(c, "gcp", "a", "aws", "b", 100) - 12) < 1e-9);
    assert_true(egress(c, "gcp", "a", "aws", "b", 100.5) == -1); // behind the last edge
    assert_true(egress(c, "gcp", "a", "oci", "b", 1) == -1);     // no row
    catalog_destroy(c);
}

// 3 new (x; y's spot; the second b), 2 gone (c; a's spot), 3 with another price.
static void test_compare(void **arg)
{
    struct heard h = {{0}, 0, 0, 0};
    struct catalog *before = load("a,,,1,1,,1,0.5,r,\nb,,,1,1,,2,,r,z1\nc,,,1,1,,3,,r,\n"
                                  "d,,,1,1,,0,,r,\ne,T4,1,1,1,,4,,r,\ny,,,1,1,,9,,r,\n",
                                  NULL, &h),
                   *after = load("y,,,1,1,,9,0.1,r,\ne,T4,1,1,1,,1,,r,\nb,,,1,1,,2,,r,z1\n"
                                 "b,,,1,1,,7,,r,z1\na,,,1,1,,1.1,,r,\nd,,,1,1,,0.2,,r,\n"
                                 "x,,,1,1,,1,,r,\n",
                                 NULL, &h);
    struct comparison k;

    assert_string_equal(h.text, "");
    catalog_compare(before, after, &k);
    assert_int_equal(k.before, 7);
    assert_int_equal(k.after, 8);
    assert_int_equal(k.added, 3);
    assert_int_equal(k.gone, 2);
    assert_int_equal(k.changed, 3);
    assert_int_equal(k.n_moves, 3);
    assert_string_equal(k.move[0].instance_type, "d"); // from nothing: by an infinite factor
    assert_true(isinf(k.move[0].ratio));
    assert_string_equal(k.move[1].instance_type, "e");
    assert_true(k.move[1].ratio == 0.25 && k.move[1].market == MARKET_ON_DEMAND);
    assert_string_equal(k.move[2].instance_type, "a");
    assert_true(fabs(k.move[2].ratio - 1.1) < 1e-12);
    catalog_compare(after, after, &k);
    assert_int_equal(k.added + k.gone + k.changed + k.n_moves, 0);
    catalog_compare(NULL, after, &k);
    assert_int_equal(k.added, 8);
    assert_int_equal(k.before, 0);
    catalog_destroy(before);
    catalog_destroy(after);
}

static void test_names_rank_offers(void **arg)
{
    struct heard h = {{0}, 0, 0, 0};
    struct catalog *c =
        load("z,,,1,1,,1,,us,b\nz,,,1,1,,1,,eu,\na,,,1,1,,1,,us,b\na,,,1,1,,1,,us,a\n", NULL, &h);
    uint32_t n;
    const struct catalog_offer *o = catalog_offers(c, &n);
    const uint32_t by_line[] = {3, 0, 2, 1};

    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(o[i].rank, by_line[o[i].line - 2]);
    catalog_destroy(c);
}

static void test_glob(void **arg)
{
    assert_true(glob_match("us-*", "us-east-1") && !glob_match("us-*", "eu-us-1"));
    assert_true(glob_match("*", "") && glob_match("", "") && !glob_match("", "x"));
    assert_true(glob_match("a?c", "abc") && !glob_match("a?c", "ac"));
    assert_true(glob_match("[a-c]x", "bx") && !glob_match("[!a-c]x", "bx"));
    assert_true(glob_match("a[b", "a[b") && glob_match("\\*", "*") && !glob_match("\\*", "x"));
    assert_true(glob_match("*a*b*", "xxaxxbxx") && !glob_match("*a*b", "ba"));
    assert_true(glob_match_nocase("v100*", "V100-32GB") && !glob_match("v100*", "V100"));
    // What takes fnmatch(3) for ever.
    char text[4001], pattern[201];
    memset(text, 'a', 4000);
    text[4000] = '\0';
    for (int i = 0; i < 200; i += 2) {
        pattern[i] = '*';
        pattern[i + 1] = 'a';
    }
    pattern[199] = 'b';
    pattern[200] = '\0';
    assert_false(glob_match(pattern, text));
}

// --- directories and the index ---

struct dir {
    char path[64];
};

static void put(const struct dir *d, const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", d->path, name);

    assert_int_equal(fs_write_atomic(path, text, strlen(text), 0644, NULL), 0);
    free(path);
}

static void make_dir(struct dir *d)
{
    snprintf(d->path, sizeof(d->path), "/tmp/test-catalog-XXXXXX");
    assert_non_null(mkdtemp(d->path));
    setenv("XDG_CACHE_HOME", d->path, 1);
    put(d, "aws.csv", HEADER "p3.2xlarge,V100,1,8,61,,3.06,0.91,us-east-1,\n");
    put(d, "egress.csv", EGRESS "*,*,*,*,,0.01\n");
}

static void drop_dir(const struct dir *d)
{
    static const char *const names[] = {
        "aws.csv", "gcp.csv", "egress.csv", ".burst-catalog.idx", "other.csv", "accepted.txt"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char *path = xasprintf("%s/%s", d->path, names[i]);
        unlink(path);
        free(path);
    }
    rmdir(d->path);
}

static void test_index_follows_the_files(void **arg)
{
    struct dir d;
    burst_error_t err = {""};
    uint32_t n;

    make_dir(&d);
    struct catalog *c = catalog_open(d.path, &err);
    assert_non_null(c);
    assert_false(catalog_from_index(c));
    catalog_destroy(c);
    c = catalog_open(d.path, &err);
    assert_true(catalog_from_index(c));
    assert_true(fabs(egress(c, "a", "b", "c", "d", 10) - 0.1) < 1e-9);
    assert_int_equal(catalog_find_region(c, "aws", "us-east-1"), 0);
    assert_int_equal(catalog_find_region(c, "aws", "us-east-2"), NO_ROUTE);
    catalog_destroy(c);
    put(&d, "gcp.csv", HEADER "x,,,8,61,,1,,us,\n");
    c = catalog_open(d.path, &err);
    assert_false(catalog_from_index(c));
    catalog_clouds(c, &n);
    assert_int_equal(n, 2);
    catalog_destroy(c);
    put(&d, "gcp.csv", HEADER "x,,,8,61,,2,,us,\n"); // same size
    c = catalog_open(d.path, &err);
    assert_false(catalog_from_index(c));
    catalog_destroy(c);
    // Somebody else could write to it: not believed.
    char *idx = xasprintf("%s/.burst-catalog.idx", d.path);
    chmod(idx, 0666);
    c = catalog_open(d.path, &err);
    assert_false(catalog_from_index(c));
    catalog_destroy(c);
    free(idx);
    drop_dir(&d);
}

static void test_damaged_index(void **arg)
{
    struct dir d;
    burst_error_t err = {""};
    char *idx, *data;
    size_t len;

    make_dir(&d);
    catalog_destroy(catalog_open(d.path, &err));
    idx = xasprintf("%s/.burst-catalog.idx", d.path);
    assert_int_equal(fs_read(idx, 1 << 20, &data, &len, &err), 0);
    struct catalog *c = catalog_index_parse(data, len, &err);
    assert_non_null(c);
    catalog_destroy(c);
    for (size_t cut = 0; cut < len; cut++) // truncated anywhere
        assert_null(catalog_index_parse(data, cut, &err));
    for (size_t i = 0; i < len; i++) { // one byte changed anywhere
        data[i] ^= 0x41;
        c = catalog_index_parse(data, len, &err);
        assert_null(c);
        data[i] ^= 0x41;
    }
    assert_int_equal(truncate(idx, (off_t)len / 2), 0);
    c = catalog_open(d.path, &err); // quietly made anew
    assert_non_null(c);
    assert_false(catalog_from_index(c));
    catalog_destroy(c);
    free(data);
    free(idx);
    drop_dir(&d);
}

// Looks at all that a reader of a catalog would look at; returns something of it.
static size_t walk(const struct catalog *c)
{
    uint32_t n, nt, nr, nc;
    const struct catalog_offer *o = catalog_offers(c, &n);
    const struct catalog_type *t = catalog_types(c, &nt);
    const struct catalog_region *r = catalog_regions(c, &nr);
    const struct catalog_cloud *k = catalog_clouds(c, &nc);
    struct comparison same;
    size_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += strlen(catalog_str(c, o[i].zone)) + strlen(catalog_str(c, t[o[i].type].name)) +
               strlen(catalog_str(c, r[o[i].region].name)) +
               strlen(catalog_str(c, k[r[o[i].region].cloud].name));
    for (uint32_t i = 0; i < nt; i++)
        for (uint32_t x = t[i].first_offer; x < t[i].first_offer + t[i].n_offers; x++)
            sum += o[x].line + strlen(catalog_str(c, t[i].accelerator));
    for (uint32_t i = 0; i < nc; i++)
        for (uint32_t x = k[i].first_type; x < k[i].first_type + k[i].n_types; x++)
            sum += t[x].n_offers;
    uint32_t route = catalog_route_find(c, "aws", "us-east-1", "gcp", "x");
    if (route != NO_ROUTE)
        sum += (size_t)catalog_route_price(c, route, 1e6);
    sum += catalog_find_region(c, "aws", "us-east-1");
    catalog_compare(NULL, c, &same);
    return sum + same.added;
}

// A block that is whole and sealed, but not by us: each word of it in turn is something else. It is
// refused, or nothing of it leads out of it (the sanitizers watch).
static void test_forged_index(void **arg)
{
    static const uint32_t values[] = {0, 1, 0xff, 0x7fffffff, 0x80000000, 0xffffffff};
    struct heard h = {{0}, 0, 0, 0};
    struct catalog *c = load("p3,V100,1,8,61,,3.06,0.91,us-east-1,a\nm5,,,2,8,,1,,us-east-1,\n",
                             "aws,*,*,*,10,0.09\naws,*,*,*,,0.07\ngcp,*,aws,*,,0.1\n", &h);
    size_t size = (size_t)c->h->size, taken = 0, refused = 0, sum = 0;
    struct image_header *forged = xmalloc(size);

    for (size_t at = 0; at + 4 <= size; at += 4) {
        for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++) {
            burst_error_t err = {""};
            memcpy(forged, c->h, size);
            memcpy((char *)forged + at, &values[v], sizeof(values[v]));
            if (forged->size == size)
                forged->checksum = image_checksum(forged);
            struct catalog *x = catalog_index_parse(forged, size, &err);
            taken += x != NULL;
            refused += x == NULL;
            if (x)
                sum += walk(x);
            else
                assert_string_not_equal(err.text, "");
            catalog_destroy(x);
        }
    }
    assert_true(taken > 0 && refused > taken && sum > 0);
    free(forged);
    catalog_destroy(c);
}

// What may lie in the index's place and is none of ours: the CSV files are read instead.
static void test_foreign_index(void **arg)
{
    struct dir d;
    burst_error_t err = {""};

    make_dir(&d);
    char *idx = xasprintf("%s/.burst-catalog.idx", d.path), *csv = xasprintf("%s/aws.csv", d.path);
    for (int i = 0; i < 7; i++) {
        unlink(idx);
        catalog_destroy(catalog_open(d.path, &err)); // a good one
        if (i == 0)
            put(&d, ".burst-catalog.idx", "");
        else if (i == 1)
            put(&d, ".burst-catalog.idx", "InstanceType,Price\n");
        else if (i == 2)
            assert_int_equal(unlink(idx) | symlink(csv, idx), 0);
        else if (i == 3)
            assert_int_equal(unlink(idx) | mkfifo(idx, 0600), 0);
        else if (i == 4)
            assert_int_equal(unlink(idx) | mkdir(idx, 0700), 0);
        else if (i == 5)
            assert_int_equal(chmod(idx, 0622), 0);
        else if (geteuid() == 0)
            assert_int_equal(chown(idx, 65534, 65534), 0);
        else
            break;
        struct catalog *c = catalog_open(d.path, &err);
        assert_non_null(c);
        assert_false(catalog_from_index(c));
        assert_true(walk(c) > 0);
        catalog_destroy(c);
        if (i == 4)
            assert_int_equal(rmdir(idx), 0);
    }
    free(idx);
    free(csv);
    drop_dir(&d);
}

static void test_directories(void **arg)
{
    struct dir d;
    burst_error_t err = {""};
    struct heard h = {{0}, 0, 0, 0};

    assert_null(catalog_load("/nonexistent/catalog", NULL, NULL, &err));
    assert_string_equal(err.text,
                        "catalog directory /nonexistent/catalog: No such file or directory");
    make_dir(&d);
    put(&d, "other.csv", "Region,OS\na,b\n");
    struct catalog *c = catalog_load(d.path, hear, &h, &err);
    assert_non_null(c);
    assert_string_equal(h.text, "other.csv:0 not read: the header has no column InstanceType\n");
    catalog_destroy(c);
    drop_dir(&d);
    assert_int_equal(mkdir(d.path, 0700), 0);
    assert_null(catalog_load(d.path, NULL, NULL, &err));
    assert_non_null(strstr(err.text, "has no CLOUD.csv"));
    rmdir(d.path);
}

static void test_accepted_rows(void **arg)
{
    struct dir d;
    burst_error_t err = {""};
    uint32_t n;

    make_dir(&d);
    put(&d, "gcp.csv",
        HEADER "a1,X,1,1,1,,1.0,,r,\na2,X,1,1,1,,1.1,,r,\na3,X,1,1,1,,1.2,,r,\n"
               "b,X,1,1,1,,0.1,,r,\nc,X,1,1,1,,0.1,,r,\n");
    struct catalog *c = catalog_open(d.path, &err);
    assert_int_equal(catalog_quarantined(c), 2);
    catalog_destroy(c);
    put(&d, "accepted.txt", "# looked at by us\naws/c\ngcp/b*  list price of 2026-11\n");
    c = catalog_open(d.path, &err);
    assert_false(catalog_from_index(c)); // noticed
    assert_int_equal(catalog_quarantined(c), 1);
    catalog_offers(c, &n);
    assert_int_equal(n, 5); // with the one of aws.csv
    catalog_destroy(c);
    drop_dir(&d);
}

static void test_aliases(void **arg)
{
    assert_string_equal(accelerator_alias("nvidia-tesla-v100"), "V100");
    assert_string_equal(accelerator_alias("A100-40GB"), "A100");
    assert_string_equal(accelerator_alias("Something"), "Something");
}

// --- reference data ---

static void test_reference_catalogs(void **arg)
{
    char *dir = reference("prices");
    burst_error_t err = {""};
    uint32_t n, nc;

    if (!dir) {
        print_message("skipped: no reference data\n");
        skip();
    }
    struct catalog *c = catalog_load(dir, NULL, NULL, &err);
    assert_non_null(c);
    catalog_offers(c, &n);
    catalog_clouds(c, &nc);
    assert_int_equal(nc, 14);
    assert_int_equal(catalog_refused(c), 0);
    assert_true(n + catalog_quarantined(c) > 119000);
    assert_true(catalog_bytes(c) <= 40u << 20);
    catalog_destroy(c);
    free(dir);
}

struct lines {
    unsigned below[64], n_below, n_quarantined;
};

static void note_line(void *arg, const struct catalog_complaint *c)
{
    struct lines *l = arg;

    assert_string_equal(c->file, "gcp");
    l->n_quarantined += c->kind == COMPLAINT_QUARANTINED;
    if (c->kind == COMPLAINT_REFUSED && !strstr(c->text, "InstanceType is empty")) {
        assert_non_null(strstr(c->text, "is below the spot price"));
        assert_true(l->n_below < 64);
        l->below[l->n_below++] = c->line;
    }
}

// The lines of a file without quotes on which column 7 is below column 8, both given.
static unsigned lines_below(const char *text, unsigned *lines)
{
    unsigned n = 0, line = 2;

    for (const char *p = strchr(text, '\n') + 1; *p; p = strchr(p, '\n') + 1, line++) {
        const char *f = p;
        for (int i = 0; i < 6; i++)
            f = strchr(f, ',') + 1;
        char *end;
        double price = strtod(f, &end), spot = strtod(end + 1, NULL);
        if (end > f && spot > 0 && price < spot)
            lines[n++] = line;
    }
    return n;
}

// A public catalog of Google with 24 rows that ask less on demand than on spot: exactly those lines
// are refused. 107 rows are under 0.6 of the median (counted with a few lines of another language
// from the rules of the format).
static void test_defective_catalog(void **arg)
{
    char *path = reference("prices/defective/gcp_on_demand_below_spot.csv"), *text;
    burst_error_t err = {""};
    size_t len;
    struct lines got = {{0}, 0, 0};
    unsigned want[64], n;

    if (!path) {
        print_message("skipped: no reference data\n");
        skip();
    }
    assert_int_equal(fs_read(path, 64 << 20, &text, &len, &err), 0);
    n = lines_below(text, want);
    struct catalog *c = catalog_from_text("gcp", text, len, NULL, 0, note_line, &got, &err);
    assert_non_null(c);
    assert_int_equal(n, 24);
    assert_int_equal(got.n_below, n);
    assert_memory_equal(got.below, want, n * sizeof(*want));
    assert_int_equal(got.n_quarantined, 107);
    catalog_destroy(c);
    free(text);
    free(path);
}

static void test_starter_catalog(void **arg)
{
    const char *src = getenv("srcdir");
    char *dir = xasprintf("%s/catalog/data", src ? src : ".");
    struct heard h = {{0}, 0, 0, 0};
    burst_error_t err = {""};
    uint32_t n, nc;

    struct catalog *c = catalog_load(dir, hear, &h, &err);
    assert_non_null(c);
    assert_string_equal(h.text, "");
    catalog_offers(c, &n);
    catalog_clouds(c, &nc);
    assert_int_equal(nc, 5);
    assert_true(n >= 300);
    // Both markets where there are two; where each file comes from and when.
    const struct catalog_offer *o = catalog_offers(c, &n);
    const struct catalog_type *t = catalog_types(c, &n);
    const struct catalog_cloud *k = catalog_clouds(c, &n);
    char *readme = xasprintf("%s/README.md", dir), *text;
    assert_int_equal(fs_read(readme, 1 << 16, &text, NULL, &err), 0);
    assert_non_null(strstr(text, "Collected: November 2026"));
    for (uint32_t i = 0; i < nc; i++) {
        const char *name = catalog_str(c, k[i].name);
        uint32_t count[MARKETS] = {0, 0};
        for (uint32_t x = k[i].first_type; x < k[i].first_type + k[i].n_types; x++)
            for (uint32_t y = t[x].first_offer; y < t[x].first_offer + t[x].n_offers; y++)
                for (int m = 0; m < MARKETS; m++)
                    count[m] += o[y].price[m] != NO_PRICE;
        assert_true(count[MARKET_ON_DEMAND] >= 40);
        bool no_spot = strcmp(name, "lambda") == 0 || strcmp(name, "runpod") == 0;
        assert_true(no_spot ? count[MARKET_SPOT] == 0 : count[MARKET_SPOT] >= 40);
        char *row = xasprintf("| %s.csv | ", name);
        assert_non_null(strstr(text, row));
        free(row);
    }
    free(text);
    free(readme);
    catalog_destroy(c);
    free(dir);
}

// On-demand prices of the starter catalog are those of the public catalogs.
static void test_starter_prices(void **arg)
{
    const char *src = getenv("srcdir");
    char *dir = xasprintf("%s/catalog/data", src ? src : "."), *prices = reference("prices");
    burst_error_t err = {""};
    uint32_t n, unused, found = 0;
    struct dir d;

    if (!prices) {
        free(dir);
        print_message("skipped: no reference data\n");
        skip();
    }
    // Among all sizes of its family the smallest is quarantined (g4dn.xlarge): compared all the
    // same.
    make_dir(&d);
    put(&d, "accepted.txt", "aws/*\ngcp/*\nazure/*\nlambda/*\nrunpod/*\n");
    struct catalog *c = catalog_load(dir, NULL, NULL, &err);
    const struct catalog_offer *o = catalog_offers(c, &n);
    const struct catalog_type *t = catalog_types(c, &unused);
    const struct catalog_region *r = catalog_regions(c, &unused);
    const struct catalog_cloud *k = catalog_clouds(c, &unused);
    // One public file after the other: all of them together would be searched per offer.
    for (uint32_t i = 0; i < unused; i++) {
        char *path = xasprintf("%s/%s.csv", prices, catalog_str(c, k[i].name));
        struct catalog *pub = catalog_load_cloud(path, d.path, NULL, NULL, &err);
        assert_non_null(pub);
        uint32_t pn, pt;
        const struct catalog_offer *po = catalog_offers(pub, &pn);
        const struct catalog_type *ptypes = catalog_types(pub, &pt);
        const struct catalog_region *pr = catalog_regions(pub, &pt);
        for (uint32_t a = 0; a < n; a++) {
            if (t[o[a].type].cloud != i)
                continue;
            uint32_t b = 0;
            while (b < pn && (po[b].price[MARKET_ON_DEMAND] != o[a].price[MARKET_ON_DEMAND] ||
                              strcmp(catalog_str(pub, ptypes[po[b].type].name),
                                     catalog_str(c, t[o[a].type].name)) != 0 ||
                              strcmp(catalog_str(pub, pr[po[b].region].name),
                                     catalog_str(c, r[o[a].region].name)) != 0))
                b++;
            found += b < pn;
        }
        catalog_destroy(pub);
        free(path);
    }
    assert_int_equal(found, n);
    drop_dir(&d);
    catalog_destroy(c);
    free(prices);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_rows),
        cmocka_unit_test(test_refuses_what_cannot_be_true),
        cmocka_unit_test(test_goes_on_after_a_bad_row),
        cmocka_unit_test(test_quarantine),
        cmocka_unit_test(test_egress),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_names_rank_offers),
        cmocka_unit_test(test_glob),
        cmocka_unit_test(test_index_follows_the_files),
        cmocka_unit_test(test_damaged_index),
        cmocka_unit_test(test_forged_index),
        cmocka_unit_test(test_foreign_index),
        cmocka_unit_test(test_directories),
        cmocka_unit_test(test_accepted_rows),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_reference_catalogs),
        cmocka_unit_test(test_defective_catalog),
        cmocka_unit_test(test_starter_catalog),
        cmocka_unit_test(test_starter_prices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
