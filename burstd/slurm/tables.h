// SPDX-License-Identifier: GPL-3.0-or-later
// The tables of jobs, nodes and partitions that burst-slurm watch describes by its messages.
#ifndef BURST_TABLES_H
#define BURST_TABLES_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "slurm/records.h"

struct tables;

enum tables_result {
    TABLES_NOT_MINE, // no message about a table
    TABLES_MORE,     // part of a change: do not look yet
    TABLES_JOBS,     // this table is whole again
    TABLES_NODES,
    TABLES_PARTS,
};

struct tables *tables_create(void);
void tables_destroy(struct tables *t);

// Takes one message (borrowed). Entries without a name are ignored.
enum tables_result tables_take(struct tables *t, const cJSON *msg);

// As the functions of slurm_link.h.
const struct sjob *tables_job(const struct tables *t, const char *job);
const struct sjob *tables_job_by_id(struct tables *t, uint32_t job_id);
const struct snode *tables_node(const struct tables *t, const char *name);
size_t tables_jobs(struct tables *t, const struct sjob *const **jobs);
size_t tables_nodes(struct tables *t, const struct snode *const **nodes);
size_t tables_parts(struct tables *t, const struct spart *const **parts);

#endif
