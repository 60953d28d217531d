// SPDX-License-Identifier: GPL-3.0-or-later
// See check_burstd.h.
#include "config.h"

#include "cmd/check_burstd.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "cmd/burst.h"
#include "cmd/check.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

static void check_clouds(struct check *k)
{
    burst_error_t err = {""};
    const cJSON *cloud;
    int status;
    cJSON *s = cmd_try("status", NULL, &status, &err);

    cJSON_ArrayForEach(cloud, cJSON_GetObjectItemCaseSensitive(s, "clouds"))
    {
        const char *name = json_str(cloud, "cloud", "?");
        if (json_bool(cloud, "ok", false))
            check_report(k, CHECK_OK, "", "burstd reaches cloud %s", name);
        else
            check_report(k, CHECK_FAIL, "see burstd's log", "burstd does not reach cloud %s: %s",
                         name, json_str(cloud, "message", ""));
    }
    if (s && !json_bool(cJSON_GetObjectItemCaseSensitive(s, "slurm"), "connected", false))
        check_report(k, CHECK_FAIL, "see burstd's log", "burstd gets no answer from Slurm");
    cJSON_Delete(s);
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
    check_clouds(k);
    if (!k->conf->shared_filesystem) {
        char *socket = xasprintf("%s/stage.sock", k->conf->run_dir);
        if (access(socket, F_OK) < 0)
            check_report(k, CHECK_FAIL,
                         "systemctl start burst-stagerd, or data: {shared_filesystem: true}",
                         "burst-stagerd does not run: no files of jobs can be copied (%s)", socket);
        else
            check_report(k, CHECK_OK, "", "burst-stagerd: %s", socket);
        free(socket);
    }
}
