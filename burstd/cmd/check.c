// SPDX-License-Identifier: GPL-3.0-or-later
// See check.h.
#include "cmd/check.h"

#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "cmd/slurm_settings.h"
#include "libburst/json.h"

static const char *const level_names[] = {"ok", "warn", "FAIL"};

void check_report(struct check *k, enum check_level level, const char *mend, const char *fmt, ...)
{
    char what[800];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    k->failed += level == CHECK_FAIL;
    if (!k->json) {
        printf("%-4s  %s%s%s\n", level_names[level], what, *mend ? " - " : "", mend);
        fflush(stdout);
        return;
    }
    cJSON *row = cJSON_CreateObject();
    json_add_str(row, "level", level == CHECK_FAIL ? "fail" : level_names[level]);
    json_add_str(row, "what", what);
    json_add_str(row, "mend", mend);
    cJSON_AddItemToArray(k->rows, row);
}

void check_user(struct check *k)
{
    const struct passwd *pw = getpwnam(k->conf->slurm_user);
    const char *set = k->slurm ? slurm_settings_get(k->slurm, "SlurmUser") : NULL;
    size_t len = strlen(k->conf->slurm_user);

    if (!pw) {
        check_report(k, CHECK_FAIL, "give the SlurmUser of slurm.conf as slurm_user in burst.yaml",
                     "there is no user %s on this machine", k->conf->slurm_user);
        return;
    }
    k->slurm_known = true;
    k->slurm_uid = pw->pw_uid;
    k->slurm_gid = pw->pw_gid;
    // scontrol prints "slurm(64030)", slurm.conf has "slurm".
    if (set && (strncmp(set, k->conf->slurm_user, len) != 0 || (set[len] && set[len] != '(')))
        check_report(k, CHECK_FAIL, "make slurm_user in burst.yaml the same",
                     "Slurm runs as %s, burst.yaml says %s", set, k->conf->slurm_user);
    for (unsigned i = 0; i < k->conf->n_operator_users; i++)
        if (!getpwnam(k->conf->operator_users[i]))
            check_report(k, CHECK_WARN, "mend operators.users in burst.yaml",
                         "operator %s is no user here", k->conf->operator_users[i]);
    for (unsigned i = 0; i < k->conf->n_operator_groups; i++)
        if (!getgrnam(k->conf->operator_groups[i]))
            check_report(k, CHECK_WARN, "mend operators.groups in burst.yaml",
                         "operator group %s is no group", k->conf->operator_groups[i]);
}

// Root looks as SlurmUser; false when that is not possible.
bool check_become_slurm(struct check *k)
{
    if (geteuid() != 0 || !k->slurm_known)
        return geteuid() != 0;
    return setegid(k->slurm_gid) == 0 && seteuid(k->slurm_uid) == 0;
}

void check_become_self(void)
{
    if (seteuid(getuid()) < 0 || setegid(getgid()) < 0)
        abort(); // going on with the wrong rights would give wrong answers
}

bool check_may_see_secrets(const struct check *k)
{
    return geteuid() == 0 || (k->slurm_known && geteuid() == k->slurm_uid);
}
