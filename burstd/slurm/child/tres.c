// SPDX-License-Identifier: GPL-3.0-or-later
#include "slurm/child/tres.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item {
    bool gres;
    char name[64], type[64];
    uint64_t count;
};

// "2", "2K": true when all of the text is a count. K, M and G are powers of 1024 as in Slurm.
static bool count_of(const char *s, uint64_t *count)
{
    char *end;

    if (!isdigit((unsigned char)*s))
        return false;
    errno = 0;
    unsigned long long n = strtoull(s, &end, 10);
    int shift = 0;
    if (*end && strchr("kK", *end))
        shift = 10;
    else if (*end && strchr("mM", *end))
        shift = 20;
    else if (*end && strchr("gG", *end))
        shift = 30;
    if (end[shift ? 1 : 0] != '\0')
        return false;
    *count = errno || n > UINT64_MAX >> 31 ? UINT64_MAX : n << shift; // absurd, but a count
    return true;
}

// Parts of an item are divided by ':' and '='; a count is the last one if it is a number.
static bool parse_item(char *s, struct item *it)
{
    char *part[4] = {NULL}, *save = NULL;
    int n = 0;

    memset(it, 0, sizeof(*it));
    it->count = 1;
    s[strcspn(s, "(")] = '\0'; // "(S:0-1)": the sockets they belong to
    if (strncasecmp(s, "gres:", 5) == 0 || strncasecmp(s, "gres/", 5) == 0) {
        it->gres = true;
        s += 5;
    }
    for (char *p = strtok_r(s, ":=", &save); p; p = strtok_r(NULL, ":=", &save)) {
        if (n == 4)
            return false;
        part[n++] = p;
    }
    if (n == 0)
        return false;
    if (n > 1 && strcasecmp(part[n - 1], "no_consume") == 0)
        n--;
    if (n > 1 && count_of(part[n - 1], &it->count))
        n--;
    if (n > 2)
        return false;
    snprintf(it->name, sizeof(it->name), "%s", part[0]);
    if (n == 2)
        snprintf(it->type, sizeof(it->type), "%s", part[1]);
    return true;
}

static void add_gpus(struct gpu_request *r, enum tres_per per, const struct item *it)
{
    uint32_t *sum = per == TRES_PER_NODE  ? &r->per_node
                    : per == TRES_PER_JOB ? &r->per_job
                                          : &r->per_task;
    bool first = r->per_node + r->per_job + r->per_task == 0;

    if (it->count == 0)
        return;
    if (per == TRES_PER_SOCKET || it->count > UINT16_MAX || *sum > UINT16_MAX ||
        strlen(it->type) >= sizeof(r->type)) {
        r->other_gres = true;
        return;
    }
    if (first)
        snprintf(r->type, sizeof(r->type), "%.*s", (int)sizeof(r->type) - 1, it->type);
    else if (strcasecmp(r->type, it->type) != 0)
        r->other_gres = true;
    *sum += (uint32_t)it->count;
}

void tres_add(struct gpu_request *r, enum tres_per per, const char *text)
{
    char *copy = text ? strdup(text) : NULL, *save = NULL;
    struct item it;

    if (text && !copy)
        r->other_gres = true;
    for (char *p = copy ? strtok_r(copy, ",;", &save) : NULL; p; p = strtok_r(NULL, ",;", &save)) {
        if (!parse_item(p, &it))
            r->other_gres = true;
        else if (strcasecmp(it.name, "gpu") == 0)
            add_gpus(r, per, &it);
        else if (it.gres && strcasecmp(it.name, "none") != 0 && it.count > 0)
            r->other_gres = true;
        // Without "gres": cpu, mem, node, license, ... that the job's other fields carry.
    }
    free(copy);
}

uint64_t tres_mem_per_gpu(const char *text)
{
    struct item it;
    uint64_t most = 0;
    char *copy = text ? strdup(text) : NULL, *save = NULL;

    for (char *p = copy ? strtok_r(copy, ",;", &save) : NULL; p; p = strtok_r(NULL, ",;", &save))
        if (parse_item(p, &it) && strcasecmp(it.name, "gpu") == 0 && it.count > most)
            most = it.count;
    free(copy);
    return most;
}
