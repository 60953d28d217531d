// SPDX-License-Identifier: GPL-3.0-or-later
// Is a request signed as AWS Signature Version 4 demands? The fake cloud's side of it, so that
// neither burstd's client nor this decides alone what a signature is: tested against the published
// vectors, and in use against clients that others wrote.
#ifndef FAKECLOUD_SIGV4_H
#define FAKECLOUD_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libburst/error.h"

struct sigv4_header {
    const char *name, *value;
};

// As it came; all pointers are borrowed. Headers of one name follow in their order.
struct sigv4_request {
    const char *method;
    const char *target; // of the request line: path and query
    const struct sigv4_header *headers;
    size_t n_headers;
    const void *body;
    size_t body_len;
};

// What the header Authorization says.
struct sigv4_authorization {
    char access_key[128];
    char date[16]; // YYYYMMDD
    char region[64];
    char service[64];
    char signed_headers[1024]; // names with ; between
    char signature[65];
};

enum sigv4_verdict {
    SIGV4_GOOD,
    SIGV4_NONE,      // not signed
    SIGV4_MALFORMED, // the header, the date, or a header that must be signed and is not
    SIGV4_SKEWED,    // its time is more than a quarter of an hour away
    SIGV4_WRONG,     // another key, or another request
};

struct sigv4_key {
    const char *access_key, *secret;
    const char *token; // of a session, NULL = none
};

// normalize: of all services but S3, the path without "." ".." and double slashes. Texts are owned
// by the caller.
char *sigv4_canonical(const struct sigv4_request *r, const struct sigv4_authorization *a,
                      bool normalize);
char *sigv4_to_sign(const struct sigv4_request *r, const struct sigv4_authorization *a,
                    const char *canonical);

// errp: a sentence when it is not good. said (may be NULL) is filled as far as it was understood.
enum sigv4_verdict sigv4_verify(const struct sigv4_request *r, const struct sigv4_key *key,
                                bool normalize, int64_t now, struct sigv4_authorization *said,
                                burst_error_t *errp);

// The value of a header, NULL = there is none; of several, the first.
const char *sigv4_header_of(const struct sigv4_request *r, const char *name);

#endif
