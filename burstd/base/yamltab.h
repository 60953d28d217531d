// SPDX-License-Identifier: GPL-3.0-or-later
// Strict YAML by tables: which keys exist, of what kind, within what range, with what default.
// Everything that does not fit is reported with its line and its place in the document, and
// reading goes on, so that one run shows all errors. The tables also free what was read.
//
// Policy: one document, no duplicate keys, no key without a value, no key that no table has.
#ifndef BURST_YAMLTAB_H
#define BURST_YAMLTAB_H

#include <stddef.h>
#include <stdint.h>

enum yt_kind {
    YT_STR,      // char *; min and max bound its length
    YT_NAME,     // char *: [a-z0-9-], starts with a letter, does not end in '-'
    YT_PATH,     // char *: absolute; a slash at the end is removed; "" only if that is the default
    YT_WORD,     // char *: one of .words ("a|b|c")
    YT_BOOL,     // bool
    YT_UINT,     // unsigned
    YT_DURATION, // int64_t seconds: 300, 300s, 5m, 2h, 7d
    YT_MONEY,    // int64_t micro-dollars; "none" gives INT64_MAX
    YT_SIZE,     // int64_t bytes: 512KiB, 1.5GiB
    YT_LIST,     // char ** with unsigned at off_n: no empty string in it; .words bounds the words
    YT_SECTION,  // a mapping whose fields lie in the same struct; .sub
    YT_ARRAY,    // pointer to an array of structs, unsigned at off_n; .sub, .size
    YT_DICT, // the same, from a mapping with free keys: .sub[0] takes the key, .sub[1] the value
};

struct yt_field {
    const char *key; // a table ends with a NULL key
    enum yt_kind kind;
    size_t off, off_n;
    const char *dflt; // as it would be written; lists: words between commas; NULL: must be given
    int64_t min, max; // of the value; both 0: no bounds
    const char *words;
    const struct yt_field *sub;
    size_t size; // of an element
};

struct yt;

// One error: "FILE:LINE: PLACE: what is wrong". Called in the order of the document.
typedef void (*yt_error_cb)(void *arg, const char *text);

// Reads text into base (zeroed by the caller) and sets every default. The reader stays usable for
// yt_fail() until yt_close(). Never NULL; yt_failed() tells whether anything was wrong.
struct yt *yt_open(const char *file, const char *text, size_t len, const struct yt_field *table,
                   void *base, yt_error_cb error, void *arg);
void yt_close(struct yt *y);
unsigned yt_failed(const struct yt *y); // number of errors so far

// Reports an error of a check that looks at several values. The line is that of the place
// ("clouds[1].shapes") or of the nearest thing around it that the file has. A value that could not
// be read is not reported again.
void yt_fail(struct yt *y, const char *place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// Frees everything that the table describes inside base, not base itself.
void yt_free(const struct yt_field *table, void *base);

// The candidate (n of them) nearest to word by edit distance when it is near enough to be a typing
// error; NULL otherwise.
const char *yt_nearest(const char *word, const char *const *candidates, size_t n);

#endif
