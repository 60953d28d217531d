// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "libburst/json.h"

static void add_groups(cJSON *json, const struct passwd *pw)
{
    gid_t gids[1024];
    int n = sizeof(gids) / sizeof(gids[0]);
    cJSON *groups = cJSON_AddArrayToObject(json, "groups");

    if (getgrouplist(pw->pw_name, pw->pw_gid, gids, &n) < 0)
        n = (int)(sizeof(gids) / sizeof(gids[0]));
    for (int i = 0; i < n; i++) {
        const struct group *gr = getgrgid(gids[i]);
        cJSON *g = cJSON_CreateObject();
        char name[32];
        snprintf(name, sizeof(name), "burst-%u", (unsigned)gids[i]);
        json_add_i64(g, "gid", gids[i]);
        // A name that could not be written on the node is replaced: the number is what counts.
        json_add_str(g, "name", gr && !strpbrk(gr->gr_name, " :,\\\"'/\t") ? gr->gr_name : name);
        cJSON_AddItemToArray(groups, g);
    }
}

int account_complete(cJSON *json, burst_error_t *errp)
{
    const char *user = json_str(json, "user", NULL);

    if (!user || (json_str(json, "home", NULL) && cJSON_HasObjectItem(json, "groups")))
        return 0;
    errno = 0;
    const struct passwd *pw = getpwnam(user);
    if (!pw)
        return errprintf(errp, "user %.64s is not known on this host%s%s", user, errno ? ": " : "",
                         errno ? strerror(errno) : "");
    if (!json_str(json, "home", NULL)) {
        cJSON_DeleteItemFromObject(json, "home");
        json_add_str(json, "home", pw->pw_dir);
    }
    if (!cJSON_HasObjectItem(json, "groups"))
        add_groups(json, pw);
    return 0;
}
