// SPDX-License-Identifier: GPL-3.0-or-later
// See options.h.
#include "cmd/options.h"

#include <getopt.h>
#include <stddef.h>

#include "cmd/burst.h"

#define OPTIONS_MAX 30
#define OPT_FIRST 256 // getopt's value of table[0]; below are letters

static int find(const struct opt *table, int n, int got)
{
    if (got >= OPT_FIRST && got < OPT_FIRST + n)
        return got - OPT_FIRST;
    for (int i = 0; i < n; i++)
        if (table[i].letter && table[i].letter == got)
            return i;
    return -1;
}

static bool has_word(const struct opt *o)
{
    return o->word || o->read;
}

// -1 = go on, else the exit status.
static int take(const struct opt *o, const char *word)
{
    if (o->read)
        return o->read(o, word);
    if (o->word)
        *o->word = word;
    else
        *o->flag = true;
    return -1;
}

int options_read_as(int argc, char **argv, const struct opt *table, void (*help)(const char *name),
                    unsigned how)
{
    struct option longs[OPTIONS_MAX + 2] = {{0}};
    char letters[2 * OPTIONS_MAX + 2] = "", *p = letters;
    int n, got, status = -1;

    for (n = 0; table[n].name && n < OPTIONS_MAX; n++) {
        int word = has_word(&table[n]) ? required_argument : no_argument;
        longs[n] = (struct option){table[n].name, word, NULL, OPT_FIRST + n};
        if (table[n].letter)
            *p++ = table[n].letter;
        if (table[n].letter && has_word(&table[n]))
            *p++ = ':';
    }
    longs[n] = (struct option){"help", no_argument, NULL, OPT_FIRST + n};
    if (find(table, n, 'h') < 0 && !(how & OPTIONS_NO_H))
        *p++ = 'h'; // in tables it is --noheader, as in squeue
    while (status < 0 && (got = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        int i = find(table, n, got);
        if (got == OPT_FIRST + n || (got == 'h' && i < 0))
            return help(argv[0]), CMD_OK;
        if (i < 0)
            return how & OPTIONS_NO_HINT ? CMD_USAGE : cmd_usage(argv[0], NULL);
        status = take(&table[i], optarg);
    }
    return status;
}

int options_read(int argc, char **argv, const struct opt *table, void (*help)(const char *name))
{
    return options_read_as(argc, argv, table, help, 0);
}

int options_words(int argc, char **argv, int min, int max, const char *missing)
{
    int n = argc - optind;

    if (n < min)
        return cmd_usage(argv[0], "%s", missing);
    if (n > max)
        return cmd_usage(argv[0], "\"%s\" is one word too many", argv[optind + max]);
    return -1;
}

int options_line(int argc, char **argv, const struct opt *table, void (*help)(const char *name),
                 int min, int max, const char *missing)
{
    int status = options_read(argc, argv, table, help);

    return status < 0 ? options_words(argc, argv, min, max, missing) : status;
}
