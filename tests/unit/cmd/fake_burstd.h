// SPDX-License-Identifier: GPL-3.0-or-later
// For tests of what talks to burstd: a socket that gives scripted answers, and the run of a program
// with its output caught.
#ifndef BURST_TEST_FAKE_BURSTD_H
#define BURST_TEST_FAKE_BURSTD_H

// An answer to the next request of that method. Several for one method are given in turn, the last
// one for ever. {NULL, NULL} ends a script.
struct fake_answer {
    const char *method;
    const char *line; // without a line end
};

// Starts a process that listens at path. Ends with fake_burstd_stop().
void fake_burstd_start(const char *path, const struct fake_answer *script);
// Ends it; the requests that came, one a line, in order (caller frees). NULL when none runs.
char *fake_burstd_stop(void);

struct ran {
    int status; // exit status, or 128 + signal
    char *out, *err;
};

// Runs argv (argv[0] is a path) and waits at most 20 s.
struct ran run(const char *const argv[]);
void ran_free(struct ran *r);

#endif
