// SPDX-License-Identifier: GPL-3.0-or-later
// See check_burstd.h.
#include "config.h"

#include "cmd/check_burstd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "cmd/burst.h"
#include "cmd/check.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

// The file with the secret, when that is what the cloud does not take.
static void cloud_mend(const struct check *k, const char *name, const char *message, char *mend,
                       size_t size)
{
    const struct cloud_conf *c = conf_find_cloud(k->conf, name);

    if (c && *c->credentials && strncmp(message, "auth", 4) == 0)
        snprintf(mend, size, "put the right secret into %s, then burst reload", c->credentials);
    else
        snprintf(mend, size, "see burstd's log");
}

// What burstd itself says keeps jobs from being served: caps, faults of the site, closed bounds.
static void check_trouble(struct check *k, const cJSON *status)
{
    const cJSON *row, *rows = cJSON_GetObjectItemCaseSensitive(status, "trouble");
    bool capped = false, bound = false;

    cJSON_ArrayForEach(row, rows)
    {
        const char *kind = json_str(row, "kind", "");
        bool site = strcmp(kind, "site") == 0;
        if (strcmp(kind, "stagerd") == 0) // looked at below, also without burstd's word
            continue;
        capped = capped || strcmp(kind, "cap") == 0;
        bound = bound || site || strcmp(kind, "bounds") == 0;
        check_report(k, site ? CHECK_FAIL : CHECK_WARN, json_str(row, "mend", ""), "%s",
                     json_str(row, "text", ""));
    }
    if (rows && !capped)
        check_report(k, CHECK_OK, "", "no cap of the day is used up");
    if (rows && !bound)
        check_report(k, CHECK_OK, "", "nothing is closed because it failed");
}

static void check_stagerd(struct check *k, const cJSON *status)
{
    const cJSON *row;
    char *socket = xasprintf("%s/stage.sock", k->conf->run_dir);
    const char *mend = "systemctl start burst-stagerd, or data: {shared_filesystem: true}";
    bool fine = true;

    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(status, "trouble"))
    {
        if (strcmp(json_str(row, "kind", ""), "stagerd") != 0)
            continue;
        fine = false;
        check_report(k, CHECK_FAIL, mend, "%s", json_str(row, "text", ""));
    }
    if (fine && access(socket, F_OK) < 0)
        check_report(k, CHECK_FAIL, mend,
                     "burst-stagerd does not run: no files of jobs can be copied (%s)", socket);
    else if (fine)
        check_report(k, CHECK_OK, "", "burst-stagerd: %s", socket);
    free(socket);
}

static void check_clouds(struct check *k, const cJSON *s)
{
    const cJSON *cloud;
    char mend[400];

    cJSON_ArrayForEach(cloud, cJSON_GetObjectItemCaseSensitive(s, "clouds"))
    {
        const char *name = json_str(cloud, "cloud", "?");
        const char *message = json_str(cloud, "message", "");
        cloud_mend(k, name, message, mend, sizeof(mend));
        if (json_bool(cloud, "ok", false))
            check_report(k, CHECK_OK, "", "burstd reaches cloud %s", name);
        else
            check_report(k, CHECK_FAIL, mend, "burstd does not reach cloud %s: %s", name, message);
    }
    if (s && !json_bool(cJSON_GetObjectItemCaseSensitive(s, "slurm"), "connected", false))
        check_report(k, CHECK_FAIL, "see burstd's log", "burstd gets no answer from Slurm");
}

void check_burstd(struct check *k)
{
    burst_error_t err = {""};
    int status;
    cJSON *pong = cmd_try("ping", NULL, &status, &err);

    if (!pong) {
        check_report(k, CHECK_FAIL, "systemctl start burstd; its log says why it stopped", "%s",
                     err.text);
        return;
    }
    const char *version = json_str(pong, "version", "?");
    if (strcmp(version, PACKAGE_VERSION) != 0)
        check_report(k, CHECK_WARN, "systemctl restart burstd",
                     "burstd is %s, this command is " PACKAGE_VERSION, version);
    else
        check_report(k, CHECK_OK, "", "burstd %s answers for cluster %s", version,
                     json_str(pong, "cluster", "?"));
    if (strcmp(json_str(pong, "cluster", ""), k->conf->cluster) != 0)
        check_report(k, CHECK_WARN, "burst reload, or restart burstd with this file",
                     "burstd runs with another burst.yaml (cluster %s, not %s)",
                     json_str(pong, "cluster", "?"), k->conf->cluster);
    cJSON_Delete(pong);
    cJSON *s = cmd_try("status", NULL, &status, &err);
    check_clouds(k, s);
    check_trouble(k, s);
    if (!k->conf->shared_filesystem)
        check_stagerd(k, s);
    cJSON_Delete(s);
}
