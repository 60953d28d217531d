// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzer of options, mark and TRES texts: what users can send into slurmctld as text. The input is
// taken as lines: "name=value" as an option's environment entry, anything else as an AdminComment
// and as a TRES text. Checks what must hold for all input: a mark that is written can be read again
// and says the same.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "slurm_plugin/directive.h"
#include "slurm_plugin/need.h"

#define NOW INT64_C(1795000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void try_mark(struct directive *d)
{
    struct directive back;
    struct directive_data item;
    char mark[DIRECTIVE_MARK_MAX], again[DIRECTIVE_MARK_MAX];
    const char *cursor = d->data;

    while (directive_data_next(&cursor, &item))
        check(item.size_gb > 0 && strchr(item.location, '/'));
    if (d->cls == DIRECTIVE_UNMARKED)
        d->cls = DIRECTIVE_HELD;
    if (directive_to_mark(d, mark, sizeof(mark)) < 0)
        return;
    check(!strpbrk(mark, "\n|\""));
    check(directive_find_mark(mark) == mark);
    check(directive_from_mark(mark, &back) == 0);
    check(directive_to_mark(&back, again, sizeof(again)) > 0);
    check(strcmp(mark, again) == 0);
}

static void try_line(struct directive *d, char *line)
{
    struct directive other;
    struct job_request j = {.tres_per_job = line, .tres_per_task = line, .mem_per_tres = line};
    const struct node_size size = {.cpus = 8, .memory_mib = 16000, .gpus = 4};
    struct need n;
    burst_error_t err;
    char why[64];

    if (directive_from_env(d, &line, 1, NOW, &err) < 0)
        check(err.text[0] != '\0' && strlen(err.text) < sizeof(err.text));
    if (directive_from_mark(line, &other) == 0)
        try_mark(&other);
    if (need_of(&j, &n, why, sizeof(why)) == 0)
        need_count(&n, &size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char prefix[] = "_SLURM_SPANK_OPTION_burst_";
    struct directive d;
    char *line = malloc(size + sizeof(prefix));

    memset(&d, 0, sizeof(d));
    while (size > 0) {
        const uint8_t *nl = memchr(data, '\n', size);
        size_t len = nl ? (size_t)(nl - data) : size;
        size_t at =
            len > 5 && memcmp(data, "burst", 5) == 0 && data[5] != ':' ? sizeof(prefix) - 1 : 0;
        memcpy(line, prefix, at);
        memcpy(line + at, data, len);
        line[at + len] = '\0';
        try_line(&d, line);
        data += len + (nl != NULL);
        size -= len + (nl != NULL);
    }
    try_mark(&d);
    free(line);
    return 0;
}
