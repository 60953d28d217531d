// SPDX-License-Identifier: GPL-3.0-or-later
// The file format is that of PROTOCOL.key in OpenSSH's sources: "openssh-key-v1".
#include "localcloud/hostkey.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "libburst/strbuf.h"

#define KEY_LEN 32
#define BLOB_MAX 512
static const char key_type[] = "ssh-ed25519";

static void put_u32(struct strbuf *b, uint32_t v)
{
    unsigned char be[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16),
                           (unsigned char)(v >> 8), (unsigned char)v};

    strbuf_add(b, be, 4);
}

static void put_string(struct strbuf *b, const void *data, size_t len)
{
    put_u32(b, (uint32_t)len);
    strbuf_add(b, data, len);
}

static int make_pair(unsigned char pub[KEY_LEN], unsigned char priv[KEY_LEN])
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
    size_t pub_len = KEY_LEN, priv_len = KEY_LEN;
    int ok = ctx && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_keygen(ctx, &key) == 1 &&
             EVP_PKEY_get_raw_public_key(key, pub, &pub_len) == 1 &&
             EVP_PKEY_get_raw_private_key(key, priv, &priv_len) == 1;

    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(ctx);
    return ok ? 0 : -1;
}

// The part of the file that would be encrypted if there were a passphrase.
static void put_private_section(struct strbuf *b, const unsigned char *pub,
                                const unsigned char *priv, uint32_t check)
{
    unsigned char both[2 * KEY_LEN];

    put_u32(b, check);
    put_u32(b, check);
    put_string(b, key_type, strlen(key_type));
    put_string(b, pub, KEY_LEN);
    memcpy(both, priv, KEY_LEN);
    memcpy(both + KEY_LEN, pub, KEY_LEN);
    put_string(b, both, sizeof(both));
    explicit_bzero(both, sizeof(both));
    put_string(b, "", 0); // comment
    for (unsigned char pad = 1; b->len % 8; pad++)
        strbuf_add(b, &pad, 1);
}

static char *armour(const struct strbuf *file)
{
    unsigned char base64[2 * BLOB_MAX];
    struct strbuf out;
    int n = EVP_EncodeBlock(base64, (const unsigned char *)file->data, (int)file->len);

    strbuf_init(&out, 4096);
    strbuf_adds(&out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    for (int i = 0; i < n; i += 70)
        strbuf_addf(&out, "%.*s\n", n - i < 70 ? n - i : 70, (const char *)base64 + i);
    strbuf_adds(&out, "-----END OPENSSH PRIVATE KEY-----\n");
    explicit_bzero(base64, sizeof(base64));
    char *text = strbuf_take(&out);
    strbuf_free(&out);
    return text;
}

static void wipe(struct strbuf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->len);
    strbuf_free(b);
}

int hostkey_make(char public_line[HOSTKEY_PUBLIC_MAX], char **private_text, burst_error_t *errp)
{
    unsigned char pub[KEY_LEN], priv[KEY_LEN];
    unsigned char base64[112]; // of 51 bytes
    struct strbuf blob, section, file;
    uint32_t check;

    if (make_pair(pub, priv) < 0 || RAND_bytes((unsigned char *)&check, sizeof(check)) != 1)
        return errprintf(errp, "libcrypto cannot make an ed25519 key");
    strbuf_init(&blob, BLOB_MAX);
    strbuf_init(&section, BLOB_MAX);
    strbuf_init(&file, BLOB_MAX);
    put_string(&blob, key_type, strlen(key_type));
    put_string(&blob, pub, KEY_LEN);
    put_private_section(&section, pub, priv, check);
    strbuf_add(&file, "openssh-key-v1", sizeof("openssh-key-v1")); // with its NUL byte
    put_string(&file, "none", 4);                                  // cipher
    put_string(&file, "none", 4);                                  // key derivation
    put_string(&file, "", 0);
    put_u32(&file, 1); // one key
    put_string(&file, blob.data, blob.len);
    put_string(&file, section.data, section.len);
    EVP_EncodeBlock(base64, (const unsigned char *)blob.data, (int)blob.len);
    snprintf(public_line, HOSTKEY_PUBLIC_MAX, "%s %s", key_type, (const char *)base64);
    *private_text = armour(&file);
    explicit_bzero(priv, sizeof(priv));
    wipe(&section);
    wipe(&file);
    strbuf_free(&blob);
    return 0;
}
