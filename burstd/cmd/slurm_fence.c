// SPDX-License-Identifier: GPL-3.0-or-later
// See slurm_fence.h. Slurm knows names only. AllowAccounts wins over DenyAccounts there, so that an
// allowed account that is denied here is left out of the first.
#include "cmd/slurm_fence.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

static bool is_pattern(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

static void put(struct slurm_fence *f, const char *key, const char *value)
{
    f->set[f->n].key = key;
    f->set[f->n++].value = xstrdup(value);
}

static void append(char **list, const char *text)
{
    char *longer = xasprintf("%s%s%s", *list, **list ? "," : "", text);

    free(*list);
    *list = longer;
}

static void accounts(struct slurm_fence *f, const struct burst_conf *c)
{
    char *allow = xstrdup(""), *deny = xstrdup("");
    bool all = false;

    for (unsigned k = 0; k < c->n_accounts; k++) {
        const char *a = c->accounts[k];
        if (strcmp(a, "*") == 0)
            all = true;
        else if (is_pattern(a)) {
            all = true; // wider than the rule, which burstd holds
            append(&f->left_out, a);
        } else if (!conf_match(c->deny_accounts, c->n_deny_accounts, a))
            append(&allow, a);
    }
    for (unsigned k = 0; k < c->n_deny_accounts; k++) {
        if (!is_pattern(c->deny_accounts[k]))
            append(&deny, c->deny_accounts[k]);
        else if (all) // from names they are taken out
            append(&f->left_out, c->deny_accounts[k]);
    }
    if (!all && *allow)
        put(f, "AllowAccounts", allow);
    else if (*deny)
        put(f, "DenyAccounts", deny);
    free(allow);
    free(deny);
}

void slurm_fence_init(struct slurm_fence *f, const struct burst_conf *c)
{
    char *qos = xstrdup("");

    memset(f, 0, sizeof(*f));
    f->left_out = xstrdup("");
    if (strcmp(c->node_sharing, "user") == 0)
        put(f, "ExclusiveUser", "YES");
    else if (strcmp(c->node_sharing, "exclusive") == 0)
        put(f, "OverSubscribe", "EXCLUSIVE");
    accounts(f, c);
    for (unsigned k = 0; k < c->n_allow_qos; k++)
        append(&qos, c->allow_qos[k]);
    if (*qos)
        put(f, "AllowQos", qos);
    free(qos);
}

void slurm_fence_free(struct slurm_fence *f)
{
    for (unsigned k = 0; k < f->n; k++)
        free(f->set[k].value);
    free(f->left_out);
}
