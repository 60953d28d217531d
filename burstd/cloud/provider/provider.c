// SPDX-License-Identifier: GPL-3.0-or-later
#include "cloud/provider/provider.h"

#include <string.h>

static const struct provider_ops *const drivers[] = {&provider_local};

const char *provider_class_name(enum provider_class c)
{
    static const char *const names[] = {
        [PROVIDER_OK] = "ok",
        [PROVIDER_CAPACITY] = "capacity",
        [PROVIDER_QUOTA] = "quota",
        [PROVIDER_THROTTLE] = "throttle",
        [PROVIDER_AUTH] = "auth",
        [PROVIDER_INVALID] = "invalid",
        [PROVIDER_TRANSIENT] = "transient",
        [PROVIDER_NOT_FOUND] = "not_found",
    };

    return (size_t)c < sizeof(names) / sizeof(names[0]) ? names[c] : "unknown";
}

const char *provider_state_name(enum provider_state s)
{
    static const char *const names[] = {
        [PROVIDER_PENDING] = "pending",
        [PROVIDER_RUNNING] = "running",
        [PROVIDER_STOPPING] = "stopping",
        [PROVIDER_TERMINATED] = "terminated",
    };

    return (size_t)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

const struct provider_ops *provider_find(const char *name, burst_error_t *errp)
{
    char known[256] = "";
    size_t n = sizeof(drivers) / sizeof(drivers[0]);

    for (size_t i = 0; i < n; i++) {
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
        strncat(known, i ? ", " : "", sizeof(known) - strlen(known) - 1);
        strncat(known, drivers[i]->name, sizeof(known) - strlen(known) - 1);
    }
    errprintf(errp, "there is no provider \"%.40s\"; there is: %s", name, known);
    return NULL;
}
