// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzz targets of catalog and optimizer, one entry per kind of input (the first byte chooses:
// c catalog CSV, e egress CSV, i compiled index, r plan request). Nothing may crash, hang or leak,
// whatever the bytes are.
//
// Built with clang -fsanitize=fuzzer it is a fuzzer; otherwise a program that replays the files
// and directories it is given (the ordinary test run replays the corpora) and some mutations of
// each of them.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/catalog.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "optimizer/plan.h"

#define HEADER                                                                                     \
    "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,"       \
    "Region,AvailabilityZone\n"

static const char small_csv[] = HEADER "p3,V100,1,8,61,,3.06,0.9,us-east-1,us-east-1a\n"
                                       "p3,V100,1,8,61,,3.06,1.1,us-west-2,us-west-2a\n"
                                       "m5,,,4,16,,0.2,0.1,us-east-1,\n"
                                       "m5,,,4,16,,0.21,,eu-west-1,\n";
static const char small_egress[] = "SrcCloud,SrcRegion,DstCloud,DstRegion,UpToGB,USDPerGB\n"
                                   "aws,*,aws,*,,0.02\n*,*,*,*,100,0.1\n*,*,*,*,,0.05\n";

// Looks at everything that a user of the catalog would look at.
static void walk(const struct catalog *c)
{
    uint32_t n, nt, nr, nc;
    const struct catalog_offer *o = catalog_offers(c, &n);
    const struct catalog_type *t = catalog_types(c, &nt);
    const struct catalog_region *r = catalog_regions(c, &nr);
    const struct catalog_cloud *cl = catalog_clouds(c, &nc);
    size_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += strlen(catalog_str(c, o[i].zone)) + strlen(catalog_str(c, t[o[i].type].name)) +
               strlen(catalog_str(c, cl[r[o[i].region].cloud].name));
    uint32_t route = catalog_route_find(c, "aws", "us-east-1", "gcp", "x");
    if (route != NO_ROUTE)
        sum += (size_t)catalog_route_price(c, route, 1e6);
    if (sum == SIZE_MAX)
        abort();
}

static void one_request(const struct catalog *c, const char *text, size_t len)
{
    burst_error_t err = {""};
    cJSON *j = json_parse(text, len, &err);
    struct request *rq = j ? request_parse(j, &err) : NULL;

    cJSON_Delete(j);
    if (!rq)
        return;
    rq->time_limit_s = 0.05;
    struct plan *p = plan_create(c, rq, &err);
    if (p) {
        cJSON *a = plan_json(p);
        char *s = plan_text(p);
        free(s);
        cJSON_Delete(a);
    }
    plan_destroy(p);
    request_destroy(rq);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    burst_error_t err = {""};
    struct catalog *c = NULL;
    const char *text = (const char *)data + 1;

    if (!size)
        return 0;
    switch (*data) {
    case 'c':
        c = catalog_from_text("aws", text, size - 1, small_egress, strlen(small_egress), NULL, NULL,
                              &err);
        break;
    case 'e':
        c = catalog_from_text("aws", small_csv, strlen(small_csv), text, size - 1, NULL, NULL,
                              &err);
        break;
    case 'i':
        c = catalog_index_parse(text, size - 1, &err);
        break;
    default:
        c = catalog_from_text("aws", small_csv, strlen(small_csv), small_egress,
                              strlen(small_egress), NULL, NULL, &err);
        one_request(c, text, size - 1);
    }
    if (c)
        walk(c);
    catalog_destroy(c);
    return 0;
}

#ifndef FUZZER
static uint32_t state = 1;

static uint32_t rnd(uint32_t n)
{
    state = state * 1664525u + 1013904223u;
    return n ? (state >> 8) % n : 0;
}

// Bytes replaced, removed, doubled and pieces cut off.
static void mutations(const char *data, size_t size)
{
    for (int i = 0; i < 300; i++) {
        size_t len = size;
        char *m = xmalloc(size * 2 + 16);
        memcpy(m, data, size);
        for (uint32_t k = 0; k <= rnd(4); k++) {
            size_t at = 1 + rnd((uint32_t)len - 1);
            static const char bytes[] = "\",{}[]:0-9e.\n\r*\\\x80\xff";
            switch (rnd(4)) {
            case 0:
                m[at] = (char)rnd(256);
                break;
            case 1:
                m[at] = bytes[rnd(sizeof(bytes))];
                break;
            case 2:
                memmove(m + at, m + at + 1, len - at);
                len -= at < len;
                break;
            default:
                if (rnd(20) == 0)
                    len = at + 1;
            }
        }
        LLVMFuzzerTestOneInput((const uint8_t *)m, len);
        free(m);
    }
}

static int replay(const char *path)
{
    burst_error_t err = {""};
    struct stat st;
    char *text;
    size_t len;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        DIR *d = opendir(path);
        struct dirent *e;
        int rc = 0;
        while (d && (e = readdir(d)))
            if (e->d_name[0] != '.') {
                char *sub = xasprintf("%s/%s", path, e->d_name);
                rc |= replay(sub);
                free(sub);
            }
        if (d)
            closedir(d);
        return rc;
    }
    if (fs_read(path, 1 << 24, &text, &len, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)text, len);
    if (len > 2)
        mutations(text, len);
    free(text);
    return 0;
}

// A sound index with every single word changed and the checksum left as it was, and then the
// words behind the header of a block that nobody sealed.
static void mutated_indexes(void)
{
    burst_error_t err = {""};
    struct catalog *c = catalog_from_text("aws", small_csv, strlen(small_csv), small_egress,
                                          strlen(small_egress), NULL, NULL, &err);
    char path[] = "/tmp/fuzz-index-XXXXXX", *data, *input;
    int fd = mkstemp(path);
    size_t len;

    if (fd < 0 || catalog_index_write(c, path, &err) < 0 ||
        fs_read(path, 1 << 20, &data, &len, &err) < 0)
        exit(1);
    input = xmalloc(len + 1);
    input[0] = 'i';
    for (size_t at = 0; at + 4 <= len; at += 4) {
        memcpy(input + 1, data, len);
        memset(input + 1 + at, at % 8 ? 0xff : 0x7f, 4);
        LLVMFuzzerTestOneInput((const uint8_t *)input, len + 1);
    }
    free(input);
    free(data);
    catalog_destroy(c);
    remove(path);
    close(fd);
}

int main(int argc, char **argv)
{
    const char *src = getenv("srcdir");
    char *corpus = xasprintf("%s/tests/fuzz/corpus-plan", src ? src : ".");
    int rc = 0;

    for (int i = 1; i < argc; i++)
        rc |= replay(argv[i]);
    if (argc < 2)
        rc = replay(corpus);
    mutated_indexes();
    free(corpus);
    return rc;
}
#endif
