// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of a file that is read, for yamltab*.c only.
#ifndef BURST_YAMLTAB_INSIDE_H
#define BURST_YAMLTAB_INSIDE_H

#include "base/yamltab.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "libburst/error.h"
#include "libburst/money.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define PLACE_MAX 256
#define MAX_ELEMENTS 4096 // of one list
#define TYPO_MAX 64       // longer words are not compared

struct mark {
    char *place;
    size_t line;
    bool failed;
};

struct yt {
    const char *file;
    yaml_document_t doc;
    const struct yt_field *root;
    yt_error_cb error;
    void *arg;
    unsigned failed;
    char place[PLACE_MAX];
    struct mark *marks;
    size_t n_marks, cap_marks;
};

// Appends to the place; the caller restores the returned length with yt_place_pop().
size_t yt_place_push(struct yt *y, const char *fmt, ...);
void yt_place_pop(struct yt *y, size_t old);
size_t yt_push_key(struct yt *y, const char *key);
void yt_remember(struct yt *y, const yaml_node_t *node);
void yt_report(struct yt *y, size_t line, const char *place, const char *text);
// An error at the present place.
void yt_report_at(struct yt *y, const yaml_node_t *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool yt_in_words(const char *words, const char *text);
void yt_fail_word(struct yt *y, const yaml_node_t *node, const char *words, const char *text);
bool yt_set_scalar(struct yt *y, const yaml_node_t *node, const struct yt_field *f, void *base,
                   const char *text);

#endif
