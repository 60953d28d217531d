// SPDX-License-Identifier: GPL-3.0-or-later
// Who asks: the peer of a connection, and whether he is an operator (rpc_server.h).
#include "rpc/rpc_server_inside.h"

static void find_user(uid_t uid, char *user, size_t size)
{
    char buf[16384];
    struct passwd pw, *found = NULL;

    user[0] = '\0';
    if (getpwuid_r(uid, &pw, buf, sizeof(buf), &found) == 0 && found)
        snprintf(user, size, "%s", found->pw_name);
}

// Names of the user's groups; the caller frees each and the array.
static unsigned group_names(const char *user, gid_t gid, char ***names)
{
    gid_t *gids = xcalloc(GROUPS_MAX, sizeof(*gids));
    int n = GROUPS_MAX;
    unsigned count = 0;

    *names = NULL;
    if (!*user || getgrouplist(user, gid, gids, &n) < 0)
        n = 0;
    if (n > 0)
        *names = xcalloc((size_t)n, sizeof(char *));
    for (int i = 0; i < n; i++) {
        char buf[65536];
        struct group gr, *found = NULL;
        if (getgrgid_r(gids[i], &gr, buf, sizeof(buf), &found) == 0 && found)
            (*names)[count++] = xstrdup(found->gr_name);
    }
    free(gids);
    return count;
}

bool rpc_look_up_operator(const struct burst_conf *conf, const struct ucred *peer, const char *user)
{
    char **groups = NULL;
    unsigned n = 0;

    if (conf_is_operator(conf, peer->uid, user, NULL, 0))
        return true;
    if (conf->n_operator_groups > 0)
        n = group_names(user, peer->gid, &groups);
    bool yes = conf_is_operator(conf, peer->uid, user, groups, n);
    for (unsigned i = 0; i < n; i++)
        free(groups[i]);
    free(groups);
    return yes;
}

bool rpc_conn_is_operator(struct conn *c)
{
    if (c->operator_known != c->s->generation) {
        c->is_operator = rpc_look_up_operator(c->s->conf, &c->peer, c->user);
        c->operator_known = c->s->generation;
    }
    return c->is_operator;
}

bool rpc_find_peer(struct conn *c)
{
    uv_os_fd_t fd;
    socklen_t len = sizeof(c->peer);

    if (uv_fileno((uv_handle_t *)&c->pipe, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->peer, &len) < 0)
        return false;
    find_user(c->peer.uid, c->user, sizeof(c->user));
    return true;
}
