// SPDX-License-Identifier: GPL-3.0-or-later
// The root file system of an instance: an overlay over the machine's own root file system, without
// the file systems mounted on it and without what is private to the machine.
#ifndef LOCALCLOUD_GUEST_ROOT_H
#define LOCALCLOUD_GUEST_ROOT_H

#include "localcloud/guest_spec.h"

// Puts the new root together at spec->mountpoint, enters it and lets go of the old one. Runs in a
// mount and PID namespace of its own. After an error the process must end.
int guest_root_enter(const struct guest_spec *spec, burst_error_t *errp);

#endif
