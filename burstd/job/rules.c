// SPDX-License-Identifier: GPL-3.0-or-later
// See rules.h.
#include "job/rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "libburst/clock.h"
#include "libburst/people.h"

// A name that no name service knows now passes where nobody is named.
static bool user_admitted(const struct burst_conf *c, const char *user)
{
    return (*user || !c->n_deny_users) && !conf_match(c->deny_users, c->n_deny_users, user) &&
           conf_match(c->users, c->n_users, user);
}

// "" where Slurm keeps no accounts: every pattern but * fails then.
static bool account_admitted(const struct burst_conf *c, const char *account)
{
    return !conf_match(c->deny_accounts, c->n_deny_accounts, account) &&
           conf_match(c->accounts, c->n_accounts, account);
}

// By name, as Slurm's AllowQos does: without this a node would be rented and the move refused.
static bool qos_admitted(const struct burst_conf *c, const char *qos)
{
    bool listed = c->n_allow_qos == 0;

    for (unsigned k = 0; k < c->n_allow_qos && !listed; k++)
        listed = strcmp(c->allow_qos[k], qos) == 0;
    return listed;
}

// One of several is enough: they are alternatives. Who was let into an elastic one passed this.
static bool partition_admitted(const struct burst_conf *c, const char *list)
{
    char name[256];

    for (const char *p = list; *p;) {
        size_t len = strcspn(p, ",");
        snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : 0), p);
        if (*name &&
            (conf_match(c->partitions, c->n_partitions, name) || conf_find_partition(c, name)))
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}

bool rules_admit(const struct burst_conf *c, const struct sjob *s, const char *partition,
                 unsigned nodes, uint32_t uid_min, char *why, size_t size)
{
    char limit[CLOCK_TEXT_MAX];
    burst_error_t err;

    if (s->num_nodes_min > nodes)
        nodes = s->num_nodes_min;
    if (!c->shared_filesystem && people_check(s->uid, s->gid, uid_min, &err) < 0)
        snprintf(why, size, "no files are staged for its user: %s", err.text);
    else if (!user_admitted(c, s->user))
        snprintf(why, size, "this site does not let user %s use rented nodes",
                 *s->user ? s->user : "(without a name)");
    else if (!account_admitted(c, s->account))
        snprintf(why, size, "this site does not let account %s use rented nodes",
                 *s->account ? s->account : "(none)");
    else if (!qos_admitted(c, s->qos))
        snprintf(why, size, "this site does not let QOS %s use rented nodes",
                 *s->qos ? s->qos : "(none)");
    else if (!partition_admitted(c, partition))
        snprintf(why, size, "jobs of partition %s do not leave this cluster", partition);
    else if (!s->batch && !c->interactive)
        snprintf(why, size, "here only batch jobs (sbatch) use rented nodes");
    else if (nodes > c->max_nodes)
        snprintf(why, size, "it takes %u nodes and this site rents %u a job", nodes, c->max_nodes);
    else if (s->time_limit_s > c->max_time_s)
        snprintf(why, size, "its time limit is longer than the %s for which this site rents",
                 clock_duration(c->max_time_s, limit));
    else
        return true;
    return false;
}

bool rules_admit_job(struct burstd *b, const struct bjob *j, const struct sjob *s, char *why,
                     size_t size)
{
    // Where it waits now, unless burstd or the plugin put it there.
    const char *partition = conf_find_partition(b->conf, s->partition) ? j->origin : s->partition;
    bool placed = j->state == JOB_SECURING || j->state == JOB_PLACED;

    return rules_admit(b->conf, s, partition, placed ? j->nodes : 0, b->uid_min, why, size);
}
