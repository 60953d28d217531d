// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzer of the snapshot: first as the file is (checksums and all), then with checksums that fit,
// as a writer with a bug would seal it: what passes the check must be safe to decide from. The
// input is laid over the bytes of a valid snapshot: pairs of a 16-bit position in words and 8
// bytes.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "slurm_plugin/classify.h"
#include "tests/unit/slurm_plugin/site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decide(const struct snapshot_body *b)
{
    static const char *const tres[] = {NULL, "gres:gpu:h100:1", "gres/gpu=3", "gres:gpu:a100:2"};
    struct directive d;
    struct decision out;

    for (unsigned i = 0; i < 16; i++) {
        struct job_request j = {.uid = 1000 + i,
                                .batch = true,
                                .min_nodes = i % 3,
                                .min_cpus = 1,
                                .minutes = i % 5 * 100,
                                .partition = i & 4 ? "aws" : NULL,
                                .account = i & 8 ? "lab" : NULL,
                                .tres_per_node = tres[i % 4]};
        memset(&d, 0, sizeof(d));
        if (i & 1)
            directive_set(&d, "burst", "only", 0, NULL);
        if (i & 2)
            directive_set(&d, "burst-clouds", "aws,gcp", 0, NULL);
        classify(b, SNAPSHOT_FRESH, &j, &d, &out);
        if (memchr(out.sentence, '\0', sizeof(out.sentence)) == NULL ||
            memchr(out.partition, '\0', sizeof(out.partition)) == NULL)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct snapshot s;

    memset(&s, 0, sizeof(s));
    memcpy(&s, data, size < sizeof(s) ? size : sizeof(s));
    if (snapshot_check(&s, size) == SNAPSHOT_OK)
        decide(&s.body);

    site_fill(&s);
    for (; size >= 10; data += 10, size -= 10) {
        size_t word = (size_t)(data[0] | data[1] << 8) % (sizeof(s.body) / 8);
        memcpy((uint8_t *)&s.body + word * 8, data + 2, 8);
    }
    s.head.magic = SNAPSHOT_MAGIC;
    s.head.version = SNAPSHOT_VERSION;
    s.head.size = sizeof(s);
    s.head.body_sum = snapshot_sum(&s.body, sizeof(s.body));
    s.head.head_sum = snapshot_sum(&s.head, offsetof(struct snapshot_head, head_sum));
    if (snapshot_check(&s, sizeof(s)) == SNAPSHOT_OK)
        decide(&s.body);
    return 0;
}
