// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzz target: the whole way of a submission through the plugin. Input: entries of the SPANK
// environment with NUL between them; entries "P:" and "T:" are the job's partition list and GPUs.
// What comes out is printable, and a mark reads back as what was written.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slurm_plugin/classify.h"
#include "tests/unit/slurm_plugin/site.h"

#define ENTRIES 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void printable(const char *s)
{
    for (; *s; s++)
        if (*s < ' ' || *s > '~')
            abort();
}

static void mark_reads_back(const struct directive *d)
{
    static struct directive back;
    char mark[DIRECTIVE_MARK_MAX], again[DIRECTIVE_MARK_MAX];
    burst_error_t err;

    if (directive_to_mark(d, mark, sizeof(mark)) < 0) {
        if (directive_mark_length(d) < DIRECTIVE_MARK_MAX || directive_check_sum(d, &err) == 0)
            abort();
        return;
    }
    printable(mark);
    if (strlen(mark) != directive_mark_length(d) || directive_from_mark(mark, &back) < 0 ||
        directive_to_mark(&back, again, sizeof(again)) < 0 || strcmp(mark, again) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct snapshot site;
    static struct directive d;
    struct job_request j = {.uid = 1001, .batch = true, .min_cpus = 1};
    struct decision out;
    burst_error_t err;
    char *text = malloc(size + 1), *env[ENTRIES];
    size_t n = 0;

    site_fill(&site);
    memcpy(text, data, size);
    text[size] = '\0';
    for (char *p = text; p < text + size && n < ENTRIES; p += strlen(p) + 1) {
        if (strncmp(p, "P:", 2) == 0)
            j.partition = p + 2;
        else if (strncmp(p, "T:", 2) == 0)
            j.tres_per_node = p + 2;
        else
            env[n++] = p;
    }
    memset(&d, 0, sizeof(d));
    if (directive_from_env(&d, env, n, 1700000000, &err) == 0) {
        classify(&site.body, SNAPSHOT_FRESH, &j, &d, &out);
        printable(out.sentence);
        if (out.verdict == VERDICT_ELIGIBLE || out.verdict == VERDICT_HOLD)
            mark_reads_back(&d);
    } else {
        printable(err.text);
    }
    classify_names_elastic(&site.body, j.partition);
    free(text);
    return 0;
}
