// SPDX-License-Identifier: GPL-3.0-or-later
// Configuration of burst-localcloud: one JSON file, strict (an unknown key is an error).
#ifndef LOCALCLOUD_CONF_H
#define LOCALCLOUD_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "libburst/error.h"

#define CONF_NAME_MAX 32

struct conf_cloud {
    char name[CONF_NAME_MAX + 1]; // [a-z0-9-]
    char *token;                  // secret
    size_t token_len;
    char *catalog;       // path of its CSV file
    int64_t quota_nodes; // -1 = none
};

struct conf {
    char *listen_host; // numeric address
    uint16_t listen_port;
    char *state_dir; // absolute
    char *bridge;
    uint32_t range_first, range_last; // IPv4, host byte order, both included
    unsigned prefix;
    uint32_t gateway;  // 0 = none
    int64_t disk_mib;  // size of an instance's disk (tmpfs), grows as it is used
    char *admin_token; // secret
    size_t admin_token_len;
    struct conf_cloud *clouds;
    size_t n_clouds;
};

// Reads the file, and the tokens from their files. NULL on error, with file and key in the text.
struct conf *conf_load(const char *path, burst_error_t *errp);
// The same from text, for tests; name is for error texts.
struct conf *conf_parse(const char *name, const char *text, size_t len, burst_error_t *errp);
void conf_free(struct conf *c); // wipes the tokens

#endif
