// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/fsutil.h"
#include "libburst/xalloc.h"

#define BLOCK 512
#define FILE_MAX_BYTES (1u << 20)

struct ustar {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
    char linkname[100], magic[6], version[2], uname[32], gname[32], major[8], minor[8];
    char prefix[155], pad[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a tar header is one block");

static int header(struct strbuf *b, const char *name, unsigned mode, char type, size_t size,
                  burst_error_t *errp)
{
    struct ustar h;
    unsigned sum = 0;

    memset(&h, 0, sizeof(h));
    if (strlen(name) >= sizeof(h.name))
        return errprintf(errp, "%s: a name of at most 99 bytes is needed here", name);
    snprintf(h.name, sizeof(h.name), "%s", name);
    snprintf(h.mode, sizeof(h.mode), "%07o", mode & 0777);
    snprintf(h.uid, sizeof(h.uid), "%07o", 0u);
    snprintf(h.gid, sizeof(h.gid), "%07o", 0u);
    snprintf(h.size, sizeof(h.size), "%011zo", size);
    snprintf(h.mtime, sizeof(h.mtime), "%011o", 0u);
    h.type = type;
    memcpy(h.magic, "ustar", 6);
    memcpy(h.version, "00", 2);
    // The checksum counts its own field as blanks.
    memset(h.checksum, ' ', sizeof(h.checksum));
    for (size_t i = 0; i < sizeof(h); i++)
        sum += ((const unsigned char *)&h)[i];
    snprintf(h.checksum, sizeof(h.checksum), "%06o", sum);
    if (strbuf_add(b, &h, sizeof(h)) < 0)
        return errprintf(errp, "%s: the files for the node are too large together", name);
    return 0;
}

int bundle_file(struct strbuf *b, const char *name, unsigned mode, const void *data, size_t len,
                burst_error_t *errp)
{
    static const char zero[BLOCK];
    size_t rest = (BLOCK - len % BLOCK) % BLOCK;

    if (header(b, name, mode, '0', len, errp) < 0)
        return -1;
    if (strbuf_add(b, data, len) < 0 || strbuf_add(b, zero, rest) < 0)
        return errprintf(errp, "%s: the files for the node are too large together", name);
    return 0;
}

int bundle_dir(struct strbuf *b, const char *name, burst_error_t *errp)
{
    return header(b, name, 0700, '5', 0, errp);
}

int bundle_end(struct strbuf *b, burst_error_t *errp)
{
    static const char zero[2 * BLOCK];

    if (strbuf_add(b, zero, sizeof(zero)) < 0)
        return errprintf(errp, "the files for the node are too large together");
    return 0;
}

static int add_path(struct strbuf *b, const char *path, const char *name, unsigned mode,
                    burst_error_t *errp)
{
    char *data = NULL;
    size_t len = 0;

    if (fs_read(path, FILE_MAX_BYTES, &data, &len, errp) < 0)
        return -1;
    int rc = bundle_file(b, name, mode, data, len, errp);
    free(data);
    return rc;
}

int bundle_tree(struct strbuf *b, const char *dir, const char *suffix, const char *prefix,
                unsigned mode, burst_error_t *errp)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int rc = 0, n = 0;

    if (!d)
        return errprintf(errp, "%s: %s", dir, strerror(errno));
    while (rc == 0 && (e = readdir(d))) {
        size_t len = strlen(e->d_name), slen = strlen(suffix);
        if (e->d_name[0] == '.' || len <= slen || strcmp(e->d_name + len - slen, suffix) != 0)
            continue;
        char *path = xasprintf("%s/%s", dir, e->d_name);
        char *name = xasprintf("%s%s", prefix, e->d_name);
        rc = add_path(b, path, name, mode, errp);
        free(name);
        free(path);
        n++;
    }
    closedir(d);
    if (rc == 0 && n == 0)
        return errprintf(errp, "%s: no file *%s is there", dir, suffix);
    return rc;
}
