// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of a file that is read, for yamltab*.c only.
#ifndef BURST_YAMLTAB_INSIDE_H
#define BURST_YAMLTAB_INSIDE_H

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

struct yt_field;

#define PLACE_MAX 256
#define MAX_ELEMENTS 4096 // of one list
#define TYPO_MAX 64       // longer words are not compared

// A place that was read, for checks that come later.
struct mark {
    char *place; // owned
    size_t line; // from 1
    bool failed; // an error was reported there
};

struct yt {
    const char *file; // for the messages; the caller's
    yaml_document_t doc;
    const struct yt_field *root;
    void (*error)(void *arg, const char *text); // yt_error_cb
    void *arg;
    unsigned failed;       // errors so far
    char place[PLACE_MAX]; // of what is being read: "clouds[0].regions[1]"
    struct mark *marks;
    size_t n_marks, cap_marks;
};

// ---- yamltab_place.c: where we are and what is wrong there

// Appends to the place, cut at PLACE_MAX; the caller restores the returned length with
// yt_place_pop().
size_t yt_place_push(struct yt *y, const char *fmt, ...);
void yt_place_pop(struct yt *y, size_t old);
// The same for a key: with a dot before it, but at the top.
size_t yt_push_key(struct yt *y, const char *key);
// Keeps the present place with the line of node.
void yt_remember(struct yt *y, const yaml_node_t *node);
// Hands one error over and counts it. line from 1, 0: without one; place "": of the whole file.
void yt_report(struct yt *y, size_t line, const char *place, const char *text);
// An error at the present place, with the line of node (NULL: none).
void yt_report_at(struct yt *y, const yaml_node_t *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// ---- yamltab_scalar.c: single values

// Is text one of words ("a|b|c")?
bool yt_in_words(const char *words, const char *text);
// Reports that it is none, with the nearest one or all of them.
void yt_fail_word(struct yt *y, const yaml_node_t *node, const char *words, const char *text);
// Reads text as a value of f's kind and within its bounds into base; a string that was there is
// freed. False after an error, which it has reported: base is then as it was.
bool yt_set_scalar(struct yt *y, const yaml_node_t *node, const struct yt_field *f, void *base,
                   const char *text);

#endif
