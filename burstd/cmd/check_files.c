// SPDX-License-Identifier: GPL-3.0-or-later
// See check_files.h.
#include "cmd/check_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "cmd/check.h"
#include "cmd/slurm_wants.h"
#include "libburst/fsutil.h"
#include "libburst/xalloc.h"
#include "slurm_plugin/hostconf.h"

#define SECRET_MAX 65536

// make: the command that makes it when it is not there, "" when it must come from elsewhere.
static void check_secret(struct check *k, const char *what, const char *path, const char *make)
{
    burst_error_t err = {""};
    char *secret, *mend;
    size_t len;

    if (!check_become_slurm(k))
        return;
    int rc = fs_read_secret(path, SECRET_MAX, &secret, &len, &err);
    check_become_self();
    if (rc == 0 && len == 0) {
        check_report(k, CHECK_FAIL, "put the secret into it", "%s: %s is empty", what, path);
    } else if (rc == 0) {
        check_report(k, CHECK_OK, "", "%s: %s", what, path);
    } else {
        bool missing = access(path, F_OK) < 0 && errno == ENOENT;
        mend = xasprintf("%s%schown %s %s; chmod 600 %s; its directories writable for root only",
                         missing ? (*make ? make : "put it there") : "", missing ? "; " : "",
                         k->conf->slurm_user, path, path);
        check_report(k, CHECK_FAIL, mend, "%s: %s", what, err.text);
        free(mend);
    }
    if (rc == 0)
        fs_wipe(secret, len);
}

void check_secrets(struct check *k)
{
    const struct burst_conf *c = k->conf;
    char *public_key, *mend;

    if (!check_may_see_secrets(k)) {
        mend = xasprintf("run this as root or %s", c->slurm_user);
        check_report(k, CHECK_WARN, mend, "keys and credentials: not looked at");
        free(mend);
        return;
    }
    char *make = xasprintf("ssh-keygen -t ed25519 -N '' -f %s", c->ssh_key);
    check_secret(k, "SSH key", c->ssh_key, make);
    free(make);
    public_key = xasprintf("%s.pub", c->ssh_key);
    if (access(public_key, R_OK) < 0) {
        mend = xasprintf("ssh-keygen -y -f %s > %s", c->ssh_key, public_key);
        check_report(k, CHECK_FAIL, mend, "public SSH key %s: %s", public_key, strerror(errno));
        free(mend);
    }
    free(public_key);
    make = xasprintf("cp /etc/munge/munge.key %s", c->munge_key);
    check_secret(k, "munge key", c->munge_key, make);
    free(make);
    for (unsigned i = 0; i < c->n_clouds; i++) {
        char *what = xasprintf("credentials of cloud %s", c->clouds[i].name);
        if (*c->clouds[i].credentials)
            check_secret(k, what, c->clouds[i].credentials, "");
        free(what);
    }
}

static void check_dir(struct check *k, const char *what, const char *path, const char *sub)
{
    char *inner = xasprintf("%s/%s", path, sub);
    char *mend =
        xasprintf("install -d -o %s -m %s %s", k->conf->slurm_user, *sub ? "700" : "755", path);

    if (!check_become_slurm(k)) {
        free(inner);
        free(mend);
        return;
    }
    // burstd makes what is below; that must be ours to write when it is there.
    bool below = *sub && access(inner, F_OK) == 0;
    int rc = faccessat(AT_FDCWD, below ? inner : path, W_OK | X_OK, AT_EACCESS);
    int err = errno;
    check_become_self();
    if (rc == 0)
        check_report(k, CHECK_OK, "", "%s: %s", what, below ? inner : path);
    else
        check_report(k, CHECK_FAIL, mend, "%s: %s: %s", what, below ? inner : path, strerror(err));
    free(inner);
    free(mend);
}

void check_dirs(struct check *k)
{
    if (!check_may_see_secrets(k))
        return;
    check_dir(k, "run directory", k->conf->run_dir, "");
    check_dir(k, "spool", k->conf->state_dir, "spool");
}

void check_hostconf(struct check *k)
{
    burst_error_t err = {""};
    struct hostconf h;
    char *mend = xasprintf("write RunDir=%s and StateDir=%s into burst.conf beside slurm.conf",
                           k->conf->run_dir, k->conf->state_dir);

    if (hostconf_load(&h, k->conf->slurm_conf, &err) < 0)
        check_report(k, CHECK_FAIL, "mend that line", "%s", err.text);
    else if (strcmp(h.run_dir, k->conf->run_dir) != 0)
        check_report(k, CHECK_FAIL, mend, "plugin and hooks look for burstd in %s, not in %s",
                     h.run_dir, k->conf->run_dir);
    else if (strcmp(h.state_dir, k->conf->state_dir) != 0)
        check_report(k, CHECK_FAIL, mend, "the hooks leave their calls in %s, not in %s",
                     h.state_dir, k->conf->state_dir);
    free(mend);
}

static void check_program(struct check *k, const char *name, bool hook)
{
    char *path = slurm_want_program(name), *mend;
    struct stat st;

    if (stat(path, &st) < 0) {
        check_report(k, CHECK_FAIL, "install slurm-burst completely (make install)", "%s: %s", path,
                     strerror(errno));
    } else if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0) {
        mend = xasprintf("chmod 755 %s", path);
        check_report(k, CHECK_FAIL, mend, "%s cannot be executed", path);
        free(mend);
    } else if (hook && (st.st_mode & (S_IWGRP | S_IWOTH))) {
        mend = xasprintf("chmod go-w %s", path);
        check_report(k, CHECK_FAIL, mend, "%s: others may write to it; Slurm refuses such programs",
                     path);
        free(mend);
    }
    free(path);
}

void check_programs(struct check *k)
{
    static const char *const hooks[] = {"burst-resume", "burst-resume-fail", "burst-suspend",
                                        "burst-prolog", "burst-epilog"};
    static const char *const helpers[] = {"burst-slurm", "burst-solve", "burst-ssh"};
    unsigned before = k->failed;

    for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
        check_program(k, hooks[i], true);
    for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
        check_program(k, helpers[i], false);
    if (k->failed == before) {
        char *dir = slurm_want_program("");
        check_report(k, CHECK_OK, "", "hooks and helpers: %s", dir);
        free(dir);
    }
}
