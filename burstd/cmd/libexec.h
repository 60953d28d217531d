// SPDX-License-Identifier: GPL-3.0-or-later
// Where the helper programs are that people do not call themselves.
#ifndef BURST_CMD_LIBEXEC_H
#define BURST_CMD_LIBEXEC_H

// Path of a helper: in $BURST_LIBEXECDIR, the installed place, or beside this program (a build
// tree). It need not exist; then it is the place where it should be. Caller frees.
char *libexec_path(const char *name);

#endif
