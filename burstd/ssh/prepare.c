// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/prepare.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "ssh/bundle.h"
#include "ssh/node_command.h"
#include "ssh/slurm_files.h"
#include "ssh/transfer.h"

#define BUNDLE_MAX (16u << 20)
#define MUNGE_KEY_MAX 4096
#define PARAMS_MAX (2u << 20)

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

static int build(const struct ssh_request *req, struct strbuf *b, struct ssh_error *err)
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

int prepare_bundle(const struct ssh_request *req, struct strbuf *b, struct ssh_error *err)
{
    strbuf_init(b, BUNDLE_MAX);
    // Of fixed size: growing would leave copies of the munge key behind.
    free(b->data);
    b->data = xmalloc(BUNDLE_MAX + 1);
    b->cap = BUNDLE_MAX + 1;
    return build(req, b, err);
}

void prepare_bundle_free(struct strbuf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->len);
    strbuf_free(b);
}

int prepare_run(struct ssh_session *s, const struct ssh_request *req, const struct strbuf *bundle,
                cJSON *done, struct ssh_error *err)
{
    struct ssh_transfer t;

    ssh_transfer_init(&t);
    int rc = node_command_script(s, req, bundle->data, bundle->len, &t, err);
    if (rc == 0) {
        char *version = node_command_answer(&t, "slurmd_version");
        json_add_str(done, "slurmd_version", version);
        free(version);
    }
    ssh_transfer_free(&t);
    return rc;
}
