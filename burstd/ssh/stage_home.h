// SPDX-License-Identifier: GPL-3.0-or-later
// The user's home directory and its .ssh by identity (device and inode), not by name: passwd may
// say /home/alice where the job says /export/home/alice, and a bind mount has no other name at all.
// Made with the rights of the user, before anything is packed or unpacked.
#ifndef BURST_SSH_STAGE_HOME_H
#define BURST_SSH_STAGE_HOME_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

enum stage_home_place {
    STAGE_ELSEWHERE,
    STAGE_IN_HOME, // the home directory itself: what begins with a dot in it stays where it is
    STAGE_IN_KEYS, // .ssh, wherever it is
};

struct stage_home {
    struct {
        bool known;
        dev_t dev;
        ino_t ino;
    } home, keys;
};

// A home directory that is not there has no identity.
void stage_home_find(struct stage_home *h, const char *home);

enum stage_home_place stage_home_place(const struct stage_home *h, const struct stat *st);
// Of an open directory.
enum stage_home_place stage_home_place_fd(const struct stage_home *h, int dir);

// Is the open directory .ssh, or below it? True also when that cannot be found out.
bool stage_home_below_keys(const struct stage_home *h, int dir);

#endif
