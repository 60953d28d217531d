// SPDX-License-Identifier: GPL-3.0-or-later
// What EC2 answers, in the terms of provider.h. Pure.
#ifndef BURST_AWS_REPLY_H
#define BURST_AWS_REPLY_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "cloud/provider/provider.h"
#include "libburst/error.h"

// The class of an error by AWS's code. status decides only between codes that are in no table: one
// that refuses (4xx) is PROVIDER_INVALID, anything else may have happened all the same.
enum provider_class aws_error_class(const char *code, int status);

// An answer's text. NULL with *error: it says no, or nothing that can be read; code (of size bytes)
// is AWS's, "" = none, and errp has the sentence. Else the object below the root, owned by the
// caller together with *document, which it is part of.
const cJSON *aws_answer(int status, const char *text, size_t len, cJSON **document,
                        enum provider_class *error, char *code, size_t size, burst_error_t *errp);

// All instances of a DescribeInstances or RunInstances answer; *out is owned by the caller. tags:
// those of ours that are read are named in provider.h.
size_t aws_instances(const cJSON *answer, const char *region, struct provider_instance **out);

// nextToken, "" = that was the last page. Borrowed.
const char *aws_next(const cJSON *answer);

#endif
