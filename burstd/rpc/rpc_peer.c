// SPDX-License-Identifier: GPL-3.0-or-later
// Who asks: the peer of a connection, whether he is an operator, and whether there is room for him
// (rpc_server.h).
#include "rpc/rpc_server_inside.h"

#include "libburst/clock.h"

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

// ---- persons

static void look_up(struct rpc_server *s, struct person *p, const struct ucred *peer)
{
    int64_t now = clock_mono_ms();

    if (p->generation == s->generation && now - p->known_ms < PERSON_MS)
        return;
    find_user(peer->uid, p->name, sizeof(p->name));
    p->is_operator = rpc_look_up_operator(s->conf, peer, p->name);
    p->generation = s->generation;
    p->known_ms = now;
}

// Names of whom nobody has a connection any more, and whom one would have to ask for again anyway.
static void forget_old(struct rpc_server *s)
{
    struct person *p, *next;
    int64_t now = clock_mono_ms();

    HASH_ITER(hh, s->persons, p, next)
    {
        if (p->conns > 0 || now - p->known_ms < PERSON_MS)
            continue;
        HASH_DEL(s->persons, p);
        free(p);
    }
}

static struct person *find_person(struct rpc_server *s, const struct ucred *peer)
{
    struct person *p, key = {.id = {peer->uid, peer->gid}};

    HASH_FIND(hh, s->persons, &key.id, sizeof(key.id), p);
    if (!p) {
        forget_old(s);
        p = xmalloc(sizeof(*p));
        p->id = key.id;
        HASH_ADD(hh, s->persons, id, sizeof(p->id), p);
    }
    look_up(s, p, peer);
    return p;
}

static struct user *find_user_of(struct rpc_server *s, uid_t uid)
{
    struct user *u;

    HASH_FIND(hh, s->users, &uid, sizeof(uid), u);
    if (!u) {
        u = xmalloc(sizeof(*u));
        u->uid = uid;
        HASH_ADD(hh, s->users, uid, sizeof(u->uid), u);
    }
    return u;
}

bool rpc_conn_is_operator(struct conn *c)
{
    look_up(c->s, c->person, &c->peer);
    return c->person->is_operator;
}

const char *rpc_conn_user(const struct conn *c)
{
    return c->person->name;
}

bool rpc_find_peer(struct conn *c)
{
    uv_os_fd_t fd;
    socklen_t len = sizeof(c->peer);

    if (uv_fileno((uv_handle_t *)&c->pipe, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->peer, &len) < 0)
        return false;
    c->person = find_person(c->s, &c->peer);
    c->person->conns++;
    c->user = find_user_of(c->s, c->peer.uid);
    c->user->conns++;
    return true;
}

void rpc_forget_peer(struct conn *c)
{
    struct rpc_server *s = c->s;

    if (!c->person)
        return;
    rpc_enter(c, POOL_NONE);
    c->person->conns--;
    if (--c->user->conns == 0) {
        HASH_DEL(s->users, c->user);
        free(c->user);
    }
    c->person = NULL;
    c->user = NULL;
}

void rpc_forget_all(struct rpc_server *s)
{
    struct person *p, *next_person;
    struct user *u, *next_user;

    HASH_ITER(hh, s->persons, p, next_person)
    {
        HASH_DEL(s->persons, p);
        free(p);
    }
    HASH_ITER(hh, s->users, u, next_user)
    {
        HASH_DEL(s->users, u);
        free(u);
    }
}

// ---- pools

static unsigned within(unsigned n, unsigned least, unsigned most)
{
    return n < least ? least : n > most ? most : n;
}

struct rpc_limits rpc_limits_for(unsigned long files)
{
    unsigned all = files / 2 < 65536 ? (unsigned)(files / 2) : 65536;
    struct rpc_limits l = {
        .operators = within(all / 8, 2, 64),
        .users = within(all / 4, 2, 256),
    };

    l.user = within(l.users / 4, 1, 64);
    l.hooks = all > l.operators + l.users ? all - l.operators - l.users : 2;
    l.hooks = within(l.hooks, 2, 2048);
    return l;
}

void rpc_enter(struct conn *c, enum pool pool)
{
    c->s->in_pool[c->pool]--;
    c->pool = pool;
    c->s->in_pool[pool]++;
}

bool rpc_admit(struct conn *c)
{
    struct rpc_server *s = c->s;
    const unsigned *n = s->in_pool;

    if (rpc_conn_is_operator(c)) {
        // Which of the two it is for is known when it has asked for something: at once.
        if (n[POOL_NEW] + n[POOL_HOOKS] + n[POOL_OPERATORS] >=
            s->limits.hooks + s->limits.operators)
            return false;
        rpc_enter(c, POOL_NEW);
        return true;
    }
    if (c->user->conns > s->limits.user || n[POOL_USERS] >= s->limits.users)
        return false;
    rpc_enter(c, POOL_USERS);
    return true;
}

bool rpc_admit_method(struct conn *c, const struct rpc_method *m)
{
    struct rpc_server *s = c->s;
    enum pool pool = m->waits ? POOL_HOOKS : POOL_OPERATORS;

    if (c->pool == POOL_HOOKS || c->pool == pool || !rpc_conn_is_operator(c))
        return true;
    if (s->in_pool[pool] >= (m->waits ? s->limits.hooks : s->limits.operators))
        return false;
    rpc_enter(c, pool);
    return true;
}
