// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/start.h"
#include "libburst/json.h"
#include "libburst/people.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"
#include "ssh/line.h"
#include "ssh/stage_keep.h"
#include "ssh/stage_named.h"
#include "ssh/stage_pack.h"
#include "ssh/stage_places.h"
#include "ssh/stage_request.h"
#include "ssh/stage_unpack.h"

#define REQUEST_MAX (1u << 20)
#define REQUEST_WAIT_S 10
#define IDLE_S 900 // a stream in which nothing moves
#define MAX_GROUPS 4096
#define DRAIN_MAX (1u << 20)

// ---- answers

int stage_refuse(int fd, const char *errclass, const char *text)
{
    cJSON *msg = cJSON_CreateObject();

    cJSON_AddBoolToObject(msg, "ok", false);
    json_add_str(msg, "class", errclass);
    json_add_str(msg, "error", text);
    line_send(fd, msg);
    return 1;
}

static cJSON *agreed(const struct stage_totals *t)
{
    cJSON *msg = cJSON_CreateObject();

    cJSON_AddBoolToObject(msg, "ok", true);
    if (!t)
        return msg;
    json_add_i64(msg, "files", t->files);
    json_add_i64(msg, "bytes", t->bytes);
    json_add_i64(msg, "skipped", t->skipped);
    if (t->skipped) {
        char *text = xasprintf("%lld files were left out (devices, unreadable, dot files of the "
                               "home directory, links that lead out), the first: %s",
                               (long long)t->skipped, t->first_skipped);
        json_add_str(msg, "warning", text);
        free(text);
    }
    return msg;
}

// ---- the request

static cJSON *read_request(int fd, burst_error_t *errp)
{
    struct strbuf b;
    cJSON *json = NULL;
    char c;
    ssize_t n;

    strbuf_init(&b, REQUEST_MAX);
    // Byte by byte: the stream follows the line.
    while ((n = read(fd, &c, 1)) == 1 && c != '\n')
        if (strbuf_add(&b, &c, 1) < 0)
            break;
    if (n == 1 && c == '\n')
        json = json_parse(b.data, b.len, errp);
    else
        errprintf(errp, "no request line came");
    strbuf_free(&b);
    if (json && !cJSON_IsObject(json)) {
        cJSON_Delete(json);
        errprintf(errp, "the request is no object");
        return NULL;
    }
    return json;
}

static int set_limits(const struct stage_request *r)
{
    struct rlimit files = {1024, 1024};
    struct rlimit size = {(rlim_t)r->max_bytes, (rlim_t)r->max_bytes};

    if (start_no_core() < 0 || setrlimit(RLIMIT_NOFILE, &files) < 0)
        return -1;
    // The wall behind the accounting of sizes.
    return r->op == STAGE_UNPACK && r->max_bytes ? setrlimit(RLIMIT_FSIZE, &size) : 0;
}

// Becomes the user of the request, with no way back. home: caller frees. *keep: his directory for
// kept results, when he needs it: opened with the rights of root.
static int become(const struct stage_request *r, gid_t site_gid, char **home, int *keep,
                  burst_error_t *errp)
{
    gid_t *groups = xcalloc(MAX_GROUPS, sizeof(*groups));
    struct stage_account account = {.groups = groups, .n_groups = MAX_GROUPS};
    int rc = -1;

    errno = 0;
    const struct passwd *pw = getpwnam(r->user);
    if (!pw) {
        errprintf(errp, "user %.64s is not known here%s%s", r->user, errno ? ": " : "",
                  errno ? strerror(errno) : "");
        goto out;
    }
    account.uid = pw->pw_uid;
    account.gid = pw->pw_gid;
    *home = xstrdup(pw->pw_dir);
    if (getgrouplist(r->user, pw->pw_gid, groups, &account.n_groups) < 0) {
        errprintf(errp, "user %.64s belongs to more than %d groups", r->user, MAX_GROUPS);
        goto out;
    }
    if (stage_request_allowed(r, &account, people_uid_min_here(), errp) < 0)
        goto out;
    if (r->op == STAGE_KEEP &&
        (*keep = stage_keep_dir(r->keep_dir, site_gid, r->user, r->uid, r->gid, errp)) < 0)
        goto out;
    if (set_limits(r) < 0 || setgroups((size_t)account.n_groups, groups) < 0 ||
        setresgid(r->gid, r->gid, r->gid) < 0 || setresuid(r->uid, r->uid, r->uid) < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        errprintf(errp, "cannot become user %.64s: %s", r->user, strerror(errno));
        goto out;
    }
    if (setuid(0) == 0 || getuid() != r->uid || geteuid() != r->uid || getegid() != r->gid) {
        errprintf(errp, "the privileges of root were not given up");
        goto out;
    }
    umask(022);
    if (chdir("/") < 0) {
        errprintf(errp, "cannot enter the root directory: %s", strerror(errno));
        goto out;
    }
    rc = 0;
out:
    free(groups);
    return rc;
}

static int do_pack(int fd, const struct stage_request *r, const struct stage_paths *paths,
                   burst_error_t *errp)
{
    cJSON *types = cJSON_CreateArray();
    struct stage_totals totals;
    const char *errclass = "io";

    if (stage_survey(paths, r->exclude, r->max_bytes, types, &totals, &errclass, errp) < 0) {
        cJSON_Delete(types);
        return stage_refuse(fd, errclass, errp->text);
    }
    cJSON *msg = agreed(&totals);
    cJSON_AddItemToObject(msg, "types", types);
    cJSON_AddItemToObject(msg, "places",
                          stage_places(paths, types, json_str(r->json, "work_dir", NULL), r->uid));
    line_send(fd, msg);
    if (stage_pack(paths, r->exclude, fd, errp) < 0) {
        log_warn("packing for %s: %s", r->user, errp->text);
        return 1;
    }
    return 0;
}

static int refuse_path(int fd, const char *errclass, const char *path, const char *text)
{
    cJSON *msg = cJSON_CreateObject();

    cJSON_AddBoolToObject(msg, "ok", false);
    json_add_str(msg, "class", errclass);
    json_add_str(msg, "path", path);
    json_add_str(msg, "error", text);
    line_send(fd, msg);
    return 1;
}

// What "pack" would say, but nothing is packed; large places are not looked through to their end.
static int do_survey(int fd, const struct stage_request *r, const struct stage_paths *paths,
                     burst_error_t *errp)
{
    const struct stage_reach reach = {r->max_entries, r->max_ms};
    cJSON *types = cJSON_CreateArray();
    struct stage_totals totals;
    const char *errclass = "io";
    int fault = stage_named_fault(paths, r->named, errp), rc = 0;

    if (fault >= 0) {
        rc = refuse_path(fd, "missing", stage_paths_get(paths, (size_t)fault), errp->text);
    } else if (stage_survey_bounded(paths, r->exclude, r->max_bytes, &reach, types, &totals,
                                    &errclass, errp) < 0) {
        rc = refuse_path(fd, errclass, stage_paths_get(paths, totals.at), errp->text);
    } else {
        cJSON *msg = agreed(&totals);
        cJSON_AddBoolToObject(msg, "complete", !totals.cut);
        line_send(fd, msg);
    }
    cJSON_Delete(types);
    return rc;
}

// tar pads its last record; closing on unread data would cost the peer our answer.
static void drain(int fd)
{
    char buf[4096];
    size_t drained = 0;
    ssize_t n;

    shutdown(fd, SHUT_WR);
    while (drained < DRAIN_MAX && (n = read(fd, buf, sizeof(buf))) > 0)
        drained += (size_t)n;
}

static int do_keep(int fd, const struct stage_request *r, const struct stage_paths *paths, int dir,
                   burst_error_t *errp)
{
    char *at = xasprintf("%s/%s", r->keep_dir, r->user), *kept = NULL;
    const struct stage_keep_request keep = {
        .dir = at,
        .name = r->keep_name,
        .job = json_str(r->json, "job", ""),
        .node = json_str(r->json, "node", ""),
        .why = json_str(r->json, "why", ""),
        .paths = cJSON_GetObjectItemCaseSensitive(r->json, "paths"),
        .exclude = r->exclude,
    };
    struct stage_totals totals;
    const char *errclass = "io";
    int rc = 0;

    if (stage_keep(dir, &keep, paths, fd, &totals, &kept, &errclass, errp) < 0) {
        log_warn("keeping results of %s: %s", r->user, errp->text);
        rc = stage_refuse(fd, errclass, errp->text);
    } else {
        cJSON *msg = agreed(&totals);
        json_add_str(msg, "kept", kept);
        line_send(fd, msg);
    }
    drain(fd);
    free(kept);
    free(at);
    return rc;
}

static int do_unpack(int fd, const struct stage_request *r, const struct stage_paths *paths,
                     burst_error_t *errp)
{
    struct stage_totals totals;
    const char *errclass = "io";
    int rc = 0;

    if (stage_unpack(paths, r->exclude, r->max_bytes, fd, &totals, &errclass, errp) < 0) {
        log_warn("unpacking for %s: %s", r->user, errp->text);
        rc = stage_refuse(fd, errclass, errp->text);
    } else {
        line_send(fd, agreed(&totals));
    }
    drain(fd);
    return rc;
}

static int do_append(int fd, const struct stage_request *r, burst_error_t *errp)
{
    struct stat st;
    int out = open(r->append_path,
                   O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0644);
    size_t len = strlen(r->append_text);

    if (out < 0) {
        errprintf(errp, "%.300s: %s", r->append_path, strerror(errno));
        return stage_refuse(fd, "io", errp->text);
    }
    // A job may say -o /dev/null: nothing to do then.
    if (fstat(out, &st) == 0 && S_ISREG(st.st_mode) &&
        write(out, r->append_text, len) != (ssize_t)len) {
        errprintf(errp, "%.300s: %s", r->append_path, strerror(errno));
        close(out);
        return stage_refuse(fd, "space", errp->text);
    }
    close(out);
    line_send(fd, agreed(NULL));
    return 0;
}

static int do_paths(int fd, const struct stage_request *r, const char *home, int keep,
                    burst_error_t *errp)
{
    struct stage_paths *paths =
        stage_paths_create(cJSON_GetObjectItemCaseSensitive(r->json, "paths"), home, errp);

    if (!paths)
        return stage_refuse(fd, "request", errp->text);
    int rc = r->op == STAGE_PACK     ? do_pack(fd, r, paths, errp)
             : r->op == STAGE_SURVEY ? do_survey(fd, r, paths, errp)
             : r->op == STAGE_KEEP   ? do_keep(fd, r, paths, keep, errp)
                                     : do_unpack(fd, r, paths, errp);
    stage_paths_destroy(paths);
    return rc;
}

int stage_serve(int fd, gid_t site_gid)
{
    struct timeval wait = {.tv_sec = REQUEST_WAIT_S}, idle = {.tv_sec = IDLE_S};
    struct stage_request r; // points into json
    burst_error_t err = {""};
    char *home = NULL;
    int keep = -1, rc;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &idle, sizeof(idle));
    cJSON *json = read_request(fd, &err);
    if (!json || stage_request_parse(json, &r, &err) < 0) {
        rc = stage_refuse(fd, "request", err.text);
    } else if (become(&r, site_gid, &home, &keep, &err) < 0) {
        log_warn("refused: %s", err.text);
        rc = stage_refuse(fd, "denied", err.text);
    } else {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle));
        rc = r.op == STAGE_APPEND ? do_append(fd, &r, &err) : do_paths(fd, &r, home, keep, &err);
    }
    if (keep >= 0)
        close(keep);
    free(home);
    cJSON_Delete(json);
    return rc;
}
