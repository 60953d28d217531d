// SPDX-License-Identifier: GPL-3.0-or-later
// Command lines of the subcommands: a table of options instead of a loop in each of them.
#ifndef BURST_CMD_OPTIONS_H
#define BURST_CMD_OPTIONS_H

#include <stdbool.h>

// One option: sets *flag, or *word to its argument (borrowed from argv), or has a function read the
// argument at once, for what is checked or may be given more than once. A table ends with {0}.
struct opt {
    char letter; // 0 = none
    const char *name;
    bool *flag;
    const char **word;
    // o: this entry. -1 = go on, else the exit status after saying what is wrong.
    int (*read)(const struct opt *o, const char *word);
    void *into; // for read
};

enum {
    OPTIONS_NO_HINT = 1, // of a wrong option only getopt's message, not where to read on
    OPTIONS_NO_H = 2,    // -h is no option (without this it is --help where no entry has it)
};

// Reads the options of argv (argv[0] = "burst NAME"). --help is understood everywhere:
// help(argv[0]) prints it. -1 = go on with argv[optind] on, else the exit status.
int options_read(int argc, char **argv, const struct opt *table, void (*help)(const char *name));
// The same; how: OPTIONS_... that hold.
int options_read_as(int argc, char **argv, const struct opt *table, void (*help)(const char *name),
                    unsigned how);

// As many words are left as there may be. -1 = yes, else the exit status after saying what is
// missing ("which job?") or too much.
int options_words(int argc, char **argv, int min, int max, const char *missing);

// The whole line: options_read(), then options_words().
int options_line(int argc, char **argv, const struct opt *table, void (*help)(const char *name),
                 int min, int max, const char *missing);

#endif
