// SPDX-License-Identifier: GPL-3.0-or-later
// See price_source.h.
#include "config.h"

#include "cmd/price_source.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "cmd/capture.h"
#include "cmd/libexec.h"
#include "libburst/fsutil.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define FETCH_MS (15 * 60 * 1000)

// Every {cloud} replaced by the name.
static char *with_cloud(const char *text, const char *cloud)
{
    struct strbuf b;
    const char *p;

    strbuf_init(&b, 65536);
    strbuf_adds(&b, "");
    for (; (p = strstr(text, "{cloud}")); text = p + strlen("{cloud}")) {
        strbuf_add(&b, text, (size_t)(p - text));
        strbuf_adds(&b, cloud);
    }
    strbuf_adds(&b, text);
    char *out = strbuf_take(&b);
    strbuf_free(&b);
    return out;
}

// Who talks to clouds has no need to be root, and the secrets are SlurmUser's.
static const struct passwd *fetcher_user(const struct burst_conf *conf)
{
    const struct passwd *pw = geteuid() == 0 && conf ? getpwnam(conf->slurm_user) : NULL;

    return pw && pw->pw_uid != 0 ? pw : NULL;
}

// Runs a fetcher (catalog/fetch/fetch.h). url may be NULL.
static int run_fetcher(const struct burst_conf *conf, const char *program, const char *cloud,
                       const char *url, char **text, size_t *len, char **source,
                       burst_error_t *errp)
{
    const struct cloud_conf *c = conf ? conf_find_cloud(conf, cloud) : NULL;
    const char *slash = strrchr(program, '/'), *base = slash ? slash + 1 : program;
    const char *argv[10] = {program, "--cloud", cloud};
    int n = 3;

    if (url) {
        argv[n++] = url;
    } else if (c) {
        if (*c->endpoint) {
            argv[n++] = "--endpoint";
            argv[n++] = c->endpoint;
        }
        if (*c->credentials) {
            argv[n++] = "--credentials";
            argv[n++] = c->credentials;
        }
    }
    *source = url                 ? xstrdup(url)
              : c && *c->endpoint ? xasprintf("%s, %s", base, c->endpoint)
                                  : xstrdup(base);
    return capture_as(fetcher_user(conf), (char *const *)argv, FETCH_MS, PRICE_FILE_MAX, text, len,
                      errp);
}

static int from_file(const char *path, char **text, size_t *len, char **source, burst_error_t *errp)
{
    *source = xstrdup(path);
    return fs_read(path, PRICE_FILE_MAX, text, len, errp);
}

// A directory holds CLOUD.csv, or CLOUD/vms.csv as the public catalogs have it.
static int from_path(const struct burst_conf *conf, const char *path, const char *cloud,
                     char **text, size_t *len, char **source, burst_error_t *errp)
{
    struct stat st;
    int rc;

    if (stat(path, &st) < 0)
        return errprintf(errp, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return st.st_mode & S_IXUSR ? run_fetcher(conf, path, cloud, NULL, text, len, source, errp)
                                    : from_file(path, text, len, source, errp);
    char *file = xasprintf("%s/%s.csv", path, cloud);
    if (access(file, F_OK) < 0) {
        free(file);
        file = xasprintf("%s/%s/vms.csv", path, cloud);
    }
    if (access(file, F_OK) < 0)
        rc = errprintf(errp, "%s has neither %s.csv nor %s/vms.csv", path, cloud, cloud);
    else
        rc = from_file(file, text, len, source, errp);
    free(file);
    return rc;
}

// The program fetch-NAME of our own, or NULL.
static char *own_fetcher(const char *name)
{
    char *file = xasprintf("fetch-%s", name), *path = libexec_path(file);

    free(file);
    if (access(path, X_OK) == 0)
        return path;
    free(path);
    return NULL;
}

// fetch-CLOUD goes before the fetcher of the cloud's provider: a site may have its own.
static int from_fetcher(const struct burst_conf *conf, const char *name, const char *cloud,
                        char **text, size_t *len, char **source, burst_error_t *errp)
{
    const struct cloud_conf *c = conf ? conf_find_cloud(conf, cloud) : NULL;
    char *program = own_fetcher(name ? name : cloud);
    int rc;

    if (!program && !name && c)
        program = own_fetcher(c->provider);
    if (!program) {
        char *place = libexec_path("");
        rc =
            errprintf(errp,
                      "there is no program fetch-%s%s%s in %s; --from takes a file, a directory or "
                      "an address",
                      name ? name : cloud, !name && c ? " or fetch-" : "",
                      !name && c ? c->provider : "", place);
        free(place);
        return rc;
    }
    rc = run_fetcher(conf, program, cloud, NULL, text, len, source, errp);
    free(program);
    return rc;
}

int price_source_read(const struct burst_conf *conf, const char *cloud, const char *where,
                      char **text, size_t *len, char **source, burst_error_t *errp)
{
    int rc;

    if (!where)
        return from_fetcher(conf, NULL, cloud, text, len, source, errp);
    char *from = with_cloud(where, cloud);
    if (strstr(from, "://")) {
        char *program = libexec_path("fetch-url");
        rc = run_fetcher(conf, program, cloud, from, text, len, source, errp);
        free(program);
    } else if (strchr(from, '/') || access(from, F_OK) == 0) {
        rc = from_path(conf, from, cloud, text, len, source, errp);
    } else {
        rc = from_fetcher(conf, from, cloud, text, len, source, errp);
    }
    free(from);
    return rc;
}
