// SPDX-License-Identifier: GPL-3.0-or-later
// burst-ssh: one operation on one node over SSH. A request line on stdin, event lines on stdout,
// exit status 0 (done) or 1 (an error event was written); see internals, section 7.
//
// Failure policy: every operation may be repeated; nothing is tried again here but the connection.
// Secrets (private key, munge key) are read, used and wiped; no core dump is made of us.
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"
#include "ssh/bundle.h"
#include "ssh/request.h"
#include "ssh/session.h"
#include "ssh/slurm_files.h"
#include "ssh/transfer.h"

#define REQUEST_MAX (4u << 20)
#define BUNDLE_MAX (16u << 20)
#define MUNGE_KEY_MAX 4096
#define PARAMS_MAX (2u << 20)
#define STAGE_HEADER_MAX 65536
#define STAGE_WAIT_S 600 // for burst-stagerd to look through the user's files
#define NO_SPACE 28      // exit status of the node's scripts

// All that ever runs on a node, with and without sudo. No parameter is put in.
#define RUN_UNPACK                                                                                 \
    "umask 077; mkdir -p /run/burst-node && cd /run/burst-node && tar -xf - && "                   \
    "exec sh ./prepare.sh <params"
#define AS_ROOT(script) "sudo -n env SSH_CONNECTION=\"$SSH_CONNECTION\" sh -c '" script "'"
// 127 without a word: there is no such script.
#define FIND(file) "test -r /run/burst-node/" file " || exit 127; exec sh /run/burst-node/" file
#define SCRIPT(file)                                                                               \
    {                                                                                              \
        FIND(file), AS_ROOT(FIND(file))                                                            \
    }
static const char *const commands[][2] = {
    [SSH_OP_PREPARE] = {RUN_UNPACK, AS_ROOT(RUN_UNPACK)},
    [SSH_OP_JOIN] = SCRIPT("join.sh"),
    [SSH_OP_STAGE_IN] = SCRIPT("stage-in.sh"),
    [SSH_OP_STAGE_OUT] = SCRIPT("stage-out.sh"),
    [SSH_OP_CHECK] = SCRIPT("check.sh"),
    [SSH_OP_POWEROFF] = SCRIPT("poweroff.sh"),
    [SSH_OP_SIGNAL] = SCRIPT("signal.sh"),
};

// ---- events

static void emit(cJSON *msg)
{
    char *text = json_line(msg);

    printf("%s\n", text);
    fflush(stdout);
    free(text);
    cJSON_Delete(msg);
}

static cJSON *event(const char *name)
{
    cJSON *msg = cJSON_CreateObject();

    json_add_str(msg, "event", name);
    return msg;
}

static int emit_error(const struct ssh_error *err)
{
    cJSON *msg = event("error");

    json_add_str(msg, "class", err->errclass);
    json_add_str(msg, "error", err->e.text);
    emit(msg);
    return 1;
}

static void on_progress(void *arg, int64_t bytes)
{
    cJSON *msg = event("progress");

    (void)arg;
    json_add_i64(msg, "bytes", bytes);
    emit(msg);
}

// ---- the request

static cJSON *read_request(struct ssh_error *err)
{
    struct strbuf b;
    cJSON *json = NULL;
    char buf[4096], *end = NULL;
    ssize_t n;

    strbuf_init(&b, REQUEST_MAX);
    while (!end && (n = read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
        if (strbuf_add(&b, buf, (size_t)n) < 0)
            break;
        end = memchr(b.data, '\n', b.len);
    }
    if (end)
        json = json_parse(b.data, (size_t)(end - b.data), &err->e);
    else
        errprintf(&err->e, "no request line on standard input");
    strbuf_free(&b);
    if (json && !cJSON_IsObject(json)) {
        cJSON_Delete(json);
        json = NULL;
        errprintf(&err->e, "the request is no object");
    }
    err->errclass = "internal";
    return json;
}

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

// home and groups of the job's user, from the accounts of this host, when the request lacks them.
static int complete_user(cJSON *json, burst_error_t *errp)
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

// ---- commands

static const char *command_of(const struct ssh_request *req)
{
    return commands[req->op][strcmp(req->user, "root") != 0];
}

static void tidy(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
        text[--len] = '\0';
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = *p == '\n' ? ';' : ' ';
}

// What the script said on standard error, as one line; "" when nothing. Borrowed.
static const char *said(struct ssh_transfer *t)
{
    if (t->errors.len == 0)
        return "";
    tidy(t->errors.data);
    return t->errors.data;
}

static int command_failed(const struct ssh_request *req, struct ssh_transfer *t,
                          struct ssh_error *err)
{
    const char *text = said(t);

    if (t->status == 0)
        return 0;
    if (t->status == NO_SPACE)
        return ssh_fail(err, "space", "no space left on the node: %.300s", text);
    if (*text)
        return ssh_fail(err, "command", "%.400s", text);
    if (t->status == 127)
        return ssh_fail(err, "command",
                        "the node lacks the scripts of slurm-burst: was it not "
                        "prepared, or restarted since?");
    return ssh_fail(err, "command", "%s on the node ended with status %d and said nothing",
                    json_str(req->json, "op", ""), t->status);
}

// Runs the op's script on its parameters; the output stays in t->out.
static int run_script(struct ssh_session *s, const struct ssh_request *req, const char *head,
                      size_t len, struct ssh_transfer *t, struct ssh_error *err)
{
    t->head = head;
    t->head_len = len;
    t->limit_s = req->command_s;
    if (ssh_transfer_run(s, command_of(req), t, err) < 0)
        return -1;
    return command_failed(req, t, err);
}

// The value of a line "KEY VALUE" of the script's output into out (NULL: no such line).
static char *answer_value(const struct ssh_transfer *t, const char *key)
{
    size_t klen = strlen(key);

    for (const char *p = t->out.len ? t->out.data : ""; *p;) {
        size_t len = strcspn(p, "\n");
        if (len > klen && strncmp(p, key, klen) == 0 && p[klen] == ' ' && len - klen < 256)
            return xasprintf("%.*s", (int)(len - klen - 1), p + klen + 1);
        p += len + (p[len] == '\n');
    }
    return NULL;
}

// ---- prepare

static const char *node_dir(void)
{
    const char *env = getenv("BURST_NODE_DIR");

    return env && *env ? env : BURST_DATADIR "/node";
}

static int slurm_user_ids(const char *name, struct ssh_slurm_user *su, burst_error_t *errp)
{
    const struct passwd *pw = getpwnam(name);

    if (!pw)
        return errprintf(errp, "SlurmUser %s of slurm.conf is not known on this host", name);
    *su = (struct ssh_slurm_user){name, pw->pw_uid, pw->pw_gid};
    return 0;
}

static int build_bundle(const struct ssh_request *req, struct strbuf *b, struct ssh_error *err)
{
    const char *conf_dir = json_str(req->json, "slurm_conf_dir", "");
    const char *on_node = req->conf_on_node ? req->conf_on_node : "/etc/slurm";
    char name[65] = "root", *key = NULL;
    size_t key_len = 0;
    struct ssh_slurm_user su;
    struct strbuf params;
    int rc = -1;

    err->errclass = "internal";
    strbuf_init(&params, PARAMS_MAX);
    if (bundle_tree(b, node_dir(), ".sh", "", 0600, &err->e) < 0 ||
        bundle_dir(b, "slurm", &err->e) < 0 ||
        slurm_files_bundle(b, conf_dir, on_node, name, sizeof(name), &err->e) < 0)
        goto out;
    if (strcmp(name, "root") != 0 && slurm_user_ids(name, &su, &err->e) < 0)
        goto out;
    if (ssh_request_params(req, strcmp(name, "root") != 0 ? &su : NULL, NULL, false, &params,
                           &err->e) < 0 ||
        bundle_file(b, "params", 0600, params.data, params.len, &err->e) < 0)
        goto out;
    if (fs_read_secret(json_str(req->json, "munge_key_file", ""), MUNGE_KEY_MAX, &key, &key_len,
                       &err->e) < 0 ||
        bundle_file(b, "munge.key", 0600, key, key_len, &err->e) < 0 || bundle_end(b, &err->e) < 0)
        goto out;
    rc = 0;
out:
    fs_wipe(key, key_len);
    strbuf_free(&params);
    return rc;
}

static int do_prepare(struct ssh_session *s, const struct ssh_request *req, struct strbuf *bundle,
                      cJSON *done, struct ssh_error *err)
{
    struct ssh_transfer t;

    ssh_transfer_init(&t);
    int rc = run_script(s, req, bundle->data, bundle->len, &t, err);
    if (rc == 0) {
        char *version = answer_value(&t, "slurmd_version");
        json_add_str(done, "slurmd_version", version);
        free(version);
    }
    ssh_transfer_free(&t);
    return rc;
}

// ---- join, check, poweroff

static void add_answers(const struct ssh_request *req, const struct ssh_transfer *t, cJSON *done)
{
    char *pid = answer_value(t, "slurmd_pid"), *node = answer_value(t, "slurmd");
    char *agent = answer_value(t, "agent"), *munged = answer_value(t, "munged");
    char *told = answer_value(t, "told");

    if (req->op == SSH_OP_JOIN)
        json_add_i64(done, "slurmd_pid", pid ? strtoll(pid, NULL, 10) : 0);
    if (req->op == SSH_OP_CHECK) {
        cJSON_AddBoolToObject(done, "munged", munged != NULL);
        json_add_str(done, "slurmd", node);
        cJSON_AddBoolToObject(done, "agent", agent != NULL);
    }
    if (req->op == SSH_OP_SIGNAL)
        json_add_i64(done, "told", told ? strtoll(told, NULL, 10) : 0);
    free(told);
    free(pid);
    free(node);
    free(agent);
    free(munged);
}

static int do_simple(struct ssh_session *s, const struct ssh_request *req, cJSON *done,
                     struct ssh_error *err)
{
    struct ssh_transfer t;
    struct strbuf params;
    int rc = -1;

    ssh_transfer_init(&t);
    strbuf_init(&params, PARAMS_MAX);
    err->errclass = "internal";
    if (ssh_request_params(req, NULL, NULL, false, &params, &err->e) == 0)
        rc = run_script(s, req, params.data, params.len, &t, err);
    if (rc == 0)
        add_answers(req, &t, done);
    strbuf_free(&params);
    ssh_transfer_free(&t);
    return rc;
}

// ---- staging: burst-stagerd on one side, the node on the other

static int stagerd_connect(const char *path, struct ssh_error *err)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct timeval tv = {.tv_sec = STAGE_WAIT_S};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return ssh_fail(err, "internal", "socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
    if (strlen(path) >= sizeof(addr.sun_path)) {
        close(fd);
        return ssh_fail(err, "internal", "stage_socket: %s is too long for a socket", path);
    }
    memcpy(addr.sun_path, path, strlen(path) + 1);
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        ssh_fail(err, "internal",
                 "burst-stagerd does not answer at %s: %s (is the service "
                 "burst-stagerd running?)",
                 path, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static int stagerd_send(int fd, const struct ssh_request *req, const char *op,
                        struct ssh_error *err)
{
    static const char *const keys[] = {"uid", "gid", "user", "paths", "exclude", "max_bytes"};
    cJSON *msg = cJSON_CreateObject();
    size_t off = 0;

    json_add_str(msg, "op", op);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(req->json, keys[i]);
        if (v)
            cJSON_AddItemToObject(msg, keys[i], cJSON_Duplicate(v, 1));
    }
    char *text = json_line(msg), *line = xasprintf("%s\n", text);
    size_t len = strlen(line);
    while (off < len) {
        ssize_t n = send(fd, line + off, len - off, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        off += (size_t)n;
    }
    free(line);
    free(text);
    cJSON_Delete(msg);
    return off == len ? 0 : ssh_fail(err, "internal", "burst-stagerd: %s", strerror(errno));
}

static cJSON *stagerd_answer(const char *line, struct ssh_error *err)
{
    cJSON *msg = json_parse(line, strlen(line), &err->e);
    const char *errclass = json_str(msg, "class", "io");

    if (msg && json_bool(msg, "ok", false))
        return msg;
    // What burst-stagerd forbids, another node would not change either.
    if (msg)
        ssh_fail(err,
                 strcmp(errclass, "limit") == 0   ? "limit"
                 : strcmp(errclass, "space") == 0 ? "space"
                                                  : "io",
                 "%s", json_str(msg, "error", "burst-stagerd gave no reason"));
    else
        err->errclass = "internal";
    cJSON_Delete(msg);
    return NULL;
}

// The first line of a pack's answer, read byte by byte: the archive follows it.
static cJSON *stagerd_header(int fd, struct ssh_error *err)
{
    char *line = xmalloc(STAGE_HEADER_MAX);
    size_t len = 0;
    cJSON *msg = NULL;

    for (;;) {
        ssize_t n = read(fd, line + len, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || len == STAGE_HEADER_MAX - 1) {
            ssh_fail(err, "internal", "burst-stagerd ended without an answer");
            break;
        }
        if (line[len] == '\n') {
            line[len] = '\0';
            msg = stagerd_answer(line, err);
            break;
        }
        len++;
    }
    free(line);
    return msg;
}

static void add_totals(cJSON *done, const cJSON *answer, struct ssh_transfer *t)
{
    const char *mine = said(t), *its = json_str(answer, "warning", "");

    json_add_i64(done, "bytes", json_i64(answer, "bytes", 0));
    json_add_i64(done, "files", json_i64(answer, "files", 0));
    json_add_i64(done, "skipped", json_i64(answer, "skipped", 0));
    json_add_i64(done, "stream_bytes", t->bytes);
    if (*mine || *its) {
        char *text = xasprintf("%s%s%s", mine, *mine && *its ? "; " : "", its);
        json_add_str(done, "warning", text);
        free(text);
    }
}

static bool has_paths(const struct ssh_request *req)
{
    return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(req->json, "paths")) > 0;
}

// The files are looked through before the node is called: a job that is too large costs it nothing.
static int stage_in_open(const struct ssh_request *req, cJSON **header, int *fd,
                         struct ssh_error *err)
{
    if (!has_paths(req))
        return 0;
    *fd = stagerd_connect(json_str(req->json, "stage_socket", ""), err);
    if (*fd < 0 || stagerd_send(*fd, req, "pack", err) < 0)
        return -1;
    *header = stagerd_header(*fd, err);
    if (!*header)
        return -1;
    fcntl(*fd, F_SETFL, O_NONBLOCK);
    return 0;
}

static int do_stage_in(struct ssh_session *s, const struct ssh_request *req, int fd,
                       const cJSON *header, cJSON *done, struct ssh_error *err)
{
    struct ssh_transfer t;
    struct strbuf params;
    int rc = -1;

    ssh_transfer_init(&t);
    strbuf_init(&params, PARAMS_MAX);
    err->errclass = "internal";
    if (ssh_request_params(req, NULL, cJSON_GetObjectItemCaseSensitive(header, "types"), fd >= 0,
                           &params, &err->e) < 0)
        goto out;
    t.head = params.data;
    t.head_len = params.len;
    t.in_fd = fd;
    t.idle_s = req->idle_s;
    t.progress = on_progress;
    rc = ssh_transfer_run(s, command_of(req), &t, err);
    if (rc == 0)
        rc = command_failed(req, &t, err);
    if (rc == 0)
        add_totals(done, header, &t);
out:
    strbuf_free(&params);
    ssh_transfer_free(&t);
    return rc;
}

struct stage_out {
    cJSON *answer;
};

static int on_unpacked(void *arg, const char *line, struct ssh_error *err)
{
    struct stage_out *o = arg;

    o->answer = stagerd_answer(line, err);
    return o->answer ? 0 : -1;
}

static void on_out_progress(void *arg, int64_t bytes)
{
    on_progress(NULL, bytes);
}

static int do_stage_out(struct ssh_session *s, const struct ssh_request *req, cJSON *done,
                        struct ssh_error *err)
{
    struct ssh_transfer t;
    struct strbuf params;
    struct stage_out o = {NULL};
    int rc = -1, fd = -1;

    ssh_transfer_init(&t);
    strbuf_init(&params, PARAMS_MAX);
    err->errclass = "internal";
    if (!has_paths(req)) {
        add_totals(done, NULL, &t);
        rc = 0;
        goto out;
    }
    if (ssh_request_params(req, NULL, NULL, false, &params, &err->e) < 0)
        goto out;
    fd = stagerd_connect(json_str(req->json, "stage_socket", ""), err);
    if (fd < 0 || stagerd_send(fd, req, "unpack", err) < 0)
        goto out;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    t.head = params.data;
    t.head_len = params.len;
    t.out_fd = fd;
    t.answer = on_unpacked;
    t.progress = on_out_progress;
    t.arg = &o;
    t.idle_s = req->idle_s + json_i64(req->json, "wait_job_s", 0);
    rc = ssh_transfer_run(s, command_of(req), &t, err);
    if (rc == 0)
        rc = command_failed(req, &t, err);
    if (rc == 0)
        add_totals(done, o.answer, &t);
out:
    if (fd >= 0)
        close(fd);
    cJSON_Delete(o.answer);
    strbuf_free(&params);
    ssh_transfer_free(&t);
    return rc;
}

// ---- all together

static struct ssh_session *log_in(const struct ssh_request *req, struct ssh_error *err)
{
    char *host_key = NULL;
    struct ssh_session *s = ssh_session_open(req, &host_key, err);

    if (s && !req->host_key) {
        cJSON *msg = event("host_key");
        json_add_str(msg, "host_key", host_key);
        emit(msg);
    }
    if (s)
        emit(event("ssh_up"));
    free(host_key);
    return s;
}

static int perform(const struct ssh_request *req, cJSON *done, struct ssh_error *err)
{
    struct ssh_session *s = NULL;
    struct strbuf bundle;
    cJSON *header = NULL;
    int fd = -1, rc = -1;

    // Of fixed size: growing would leave copies of the munge key behind.
    strbuf_init(&bundle, BUNDLE_MAX);
    if (req->op == SSH_OP_PREPARE) {
        free(bundle.data);
        bundle.data = xmalloc(BUNDLE_MAX + 1);
        bundle.cap = BUNDLE_MAX + 1;
        if (build_bundle(req, &bundle, err) < 0)
            goto out;
    }
    if (req->op == SSH_OP_STAGE_IN && stage_in_open(req, &header, &fd, err) < 0)
        goto out;
    s = log_in(req, err);
    if (!s)
        goto out;
    if (req->op == SSH_OP_PREPARE)
        rc = do_prepare(s, req, &bundle, done, err);
    else if (req->op == SSH_OP_STAGE_IN)
        rc = do_stage_in(s, req, fd, header, done, err);
    else if (req->op == SSH_OP_STAGE_OUT)
        rc = do_stage_out(s, req, done, err);
    else
        rc = do_simple(s, req, done, err);
out:
    if (bundle.data)
        explicit_bzero(bundle.data, bundle.len);
    strbuf_free(&bundle);
    ssh_session_close(s);
    if (fd >= 0)
        close(fd);
    cJSON_Delete(header);
    return rc;
}

int main(void)
{
    struct ssh_error err = {.errclass = "internal"};
    struct ssh_request req;
    struct rlimit none = {0, 0};
    int rc = -1;

    prctl(PR_SET_DUMPABLE, 0);
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGPIPE, SIG_IGN);
    cJSON *json = read_request(&err);
    if (!json)
        return emit_error(&err);
    cJSON *done = event("done");
    if (complete_user(json, &err.e) == 0 && ssh_request_parse(json, &req, &err.e) == 0)
        rc = perform(&req, done, &err);
    if (rc == 0)
        emit(done);
    else {
        emit_error(&err);
        cJSON_Delete(done);
    }
    cJSON_Delete(json);
    return rc == 0 ? 0 : 1;
}
