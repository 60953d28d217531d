// SPDX-License-Identifier: GPL-3.0-or-later
// What a job asks for in GPUs, from Slurm's tres_per_* strings in all their spellings:
// "gres:gpu:a100:2" (22.05), "gres/gpu:a100=2" (23.11), "gpu:2", lists of them.
#ifndef BURST_TRES_H
#define BURST_TRES_H

#include <stdbool.h>
#include <stdint.h>

enum tres_per { TRES_PER_NODE, TRES_PER_JOB, TRES_PER_TASK, TRES_PER_SOCKET };

struct gpu_request {
    char type[32]; // "" = any
    uint32_t per_node, per_job, per_task;
    // Something that we cannot rent by its name: another generic resource, GPUs of several types,
    // GPUs per socket, or a text that we do not understand.
    bool other_gres;
};

// Adds one tres_per_* string (NULL allowed) to a zeroed or partly filled request.
void tres_add(struct gpu_request *r, enum tres_per per, const char *text);

// MiB for each GPU from mem_per_tres ("gres:gpu:4096"); 0 when it says none.
uint64_t tres_mem_per_gpu(const char *text);

#endif
