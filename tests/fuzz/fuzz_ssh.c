// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzz target: a request to burst-ssh (first line), what burst-stagerd reports (second line: an
// array of places), and the parameter lines for the node that come of them. Whatever the input is,
// a line for the node is "KEY VALUE" without control characters, and the last one is "end".
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "ssh/request.h"
#include "ssh/stage_paths.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(char *lines)
{
    char *last = NULL;

    for (char *save = NULL, *l = strtok_r(lines, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        if (stage_has_control(l) || (last && strcmp(last, "end") == 0))
            abort();
        last = l;
    }
    if (!last || strcmp(last, "end") != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ssh_slurm_user su = {"slurm", 64030, 64030};
    const uint8_t *nl = memchr(data, '\n', size);
    size_t first = nl ? (size_t)(nl - data) : size;
    struct ssh_request r;
    struct strbuf out;
    burst_error_t err;
    cJSON *j = json_parse((const char *)data, first, &err);
    cJSON *places = nl ? json_parse((const char *)nl + 1, size - first - 1, &err) : NULL;

    strbuf_init(&out, 1u << 20);
    if (j && ssh_request_parse(j, &r, &err) == 0 &&
        ssh_request_params(&r, &su, places, places != NULL, &out, &err) == 0) {
        char *lines = strbuf_take(&out);
        check(lines);
        free(lines);
    }
    strbuf_free(&out);
    cJSON_Delete(places);
    cJSON_Delete(j);
    return 0;
}
