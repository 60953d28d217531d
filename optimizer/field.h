// SPDX-License-Identifier: GPL-3.0-or-later
// Fields of a request as JSON. Whatever is wrong is said with the path of the field
// ("tasks[3].inputs[0].size_gb: ...") and with what would be right. Functions return -1 then.
//
// up is the path of the object that holds the field; key NULL means that object itself.
#ifndef BURST_FIELD_H
#define BURST_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"
#include "optimizer/request_types.h"

#define FIELD_LIST_MAX 10000 // entries of lists in one task and the like

// Where we are, for messages; the text of a level is only put together when it is needed.
struct field_path {
    const struct field_path *up;
    const char *key; // NULL = the index
    size_t index;
};

int field_fail(burst_error_t *errp, const struct field_path *up, const char *key, const char *fmt,
               ...) __attribute__((format(printf, 4, 5)));
// A value as it stands in the request, short enough for a message.
const char *field_shown(const cJSON *v, char buf[64]);

// NULL when it is missing or null.
const cJSON *field_item(const cJSON *o, const char *key);
// o must be an object with no other keys than these (ends with NULL) and those that begin with
// "x-", none of them twice.
int field_keys(const cJSON *o, const struct field_path *up, const char *const *keys,
               burst_error_t *errp);

// A field that is missing gives dflt, false, NULL or an empty list.
int field_number(const cJSON *o, const struct field_path *up, const char *key, double min,
                 double max, double dflt, double *out, burst_error_t *errp);
int field_bool(const cJSON *o, const struct field_path *up, const char *key, bool *out,
               burst_error_t *errp);
int field_text(const cJSON *o, const struct field_path *up, const char *key, char **out,
               burst_error_t *errp);
int field_list(const cJSON *o, const struct field_path *up, const char *key, struct rq_list *out,
               burst_error_t *errp);
// An array or nothing; *n = its length.
int field_array(const cJSON *o, const struct field_path *up, const char *key, size_t max,
                const cJSON **out, size_t *n, burst_error_t *errp);

// v must be a text that is not empty. *out is the caller's.
int field_name(const cJSON *v, const struct field_path *up, const char *key, char **out,
               burst_error_t *errp);

#endif
