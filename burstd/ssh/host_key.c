// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/host_key.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/xalloc.h"

#define HOST_KEY_MAX 16384

static char *base64(const void *data, size_t len)
{
    char *out = xmalloc(4 * ((len + 2) / 3) + 1);

    EVP_EncodeBlock((unsigned char *)out, data, (int)len);
    return out;
}

char *ssh_host_key_text(const void *blob, size_t len)
{
    const unsigned char *b = blob;

    if (!blob || len < 5 || len > HOST_KEY_MAX)
        return NULL;
    size_t n = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    if (n < 1 || n > 64 || n > len - 4)
        return NULL;
    char *data = base64(blob, len), *text = xasprintf("%.*s %s", (int)n, (const char *)b + 4, data);
    free(data);
    return text;
}

bool ssh_host_key_equal(const char *pinned, const void *blob, size_t len)
{
    char *text = ssh_host_key_text(blob, len);
    size_t n = text ? strlen(text) : 0;
    // A comment behind the key, or a line end, does not matter.
    bool equal = text && pinned && strncmp(pinned, text, n) == 0 &&
                 (pinned[n] == '\0' || strchr(" \t\r\n", pinned[n]));

    free(text);
    return equal;
}
