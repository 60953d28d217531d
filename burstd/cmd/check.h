// SPDX-License-Identifier: GPL-3.0-or-later
// What the parts of `burst check` share: what is looked at, as whom, and where findings go. Each
// part asks its own questions (check_files.h, check_catalog.h, check_slurm.h, check_burstd.h).
#ifndef BURST_CMD_CHECK_H
#define BURST_CMD_CHECK_H

#include <stdbool.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

struct burst_conf;
struct slurm_settings;

enum check_level {
    CHECK_OK,
    CHECK_WARN,
    CHECK_FAIL,
};

struct check {
    const struct burst_conf *conf;
    struct slurm_settings *slurm; // NULL: not known
    bool offline;                 // neither slurmctld nor burstd is asked
    bool json;                    // findings go into rows instead of to stdout
    cJSON *rows;
    unsigned failed; // findings with CHECK_FAIL
    // SlurmUser, when slurm_known
    uid_t slurm_uid;
    gid_t slurm_gid;
    bool slurm_known;
};

// One finding. mend: how to make it right, "" when there is nothing to do.
void check_report(struct check *k, enum check_level level, const char *mend, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

// Is SlurmUser known, and the same in slurm.conf and burst.yaml? Do the operators exist? Sets
// slurm_uid, slurm_gid and slurm_known.
void check_user(struct check *k);

// From here on files are looked at as SlurmUser does, until check_become_self(): root changes its
// effective ids, anybody else stays as he is. False when root does not know SlurmUser.
bool check_become_slurm(struct check *k);
void check_become_self(void);

// Root and SlurmUser can say whether burstd will find its secrets; nobody else can.
bool check_may_see_secrets(const struct check *k);

#endif
