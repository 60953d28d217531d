// SPDX-License-Identifier: GPL-3.0-or-later
// Slurm's limits of associations and QOS on what runs at a time, as burst-slurm has read them.
// Which of them hold for a job follows Slurm's order: those of the QOS (of the partition, then of
// the job; the other way round with OverPartQOS), and of the association and its parents what no
// QOS says.
#ifndef BURST_LIMITS_H
#define BURST_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

struct limits;

struct limits *limits_create(void);
void limits_destroy(struct limits *l);

// Takes the message of type "limits" (borrowed). Without limits in it, or with an error, nothing is
// limited.
void limits_take(struct limits *l, const cJSON *msg);
// Was this user's association asked for?
bool limits_cover(const struct limits *l, const char *user);
bool limits_any(const struct limits *l);

#define LIMIT_NONE UINT32_MAX
#define LIMIT_SCOPES 32
#define LIMIT_TEXT 256

// Those who share a limit.
struct limit_scope {
    char key[200]; // the same for all of them
    char who[200]; // for people: "account lab"
    const char *jobs_name, *tres_name;
    uint32_t jobs;         // that may run, LIMIT_NONE
    char tres[LIMIT_TEXT]; // that they may have: "cpu=4,gres/gpu=2"
};

struct limited {
    const char *user, *account, *qos, *partition;
};
// All scopes that the job is in; returns how many.
size_t limits_of(const struct limits *l, const struct limited *job,
                 struct limit_scope out[LIMIT_SCOPES]);

// "cpu=4,mem=2G" -> the number behind a name, of memory in MiB. 0 without it.
double limit_amount(const char *tres, const char *name, size_t len);

#endif
