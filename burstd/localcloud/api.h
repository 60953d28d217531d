// SPDX-License-Identifier: GPL-3.0-or-later
// The HTTP API of the local clouds (docs/design/internals.md, section 9).
#ifndef LOCALCLOUD_API_H
#define LOCALCLOUD_API_H

#include "localcloud/conf.h"
#include "localcloud/fleet.h"
#include "localcloud/httpd.h"

struct api {
    const struct conf *conf;
    struct fleet *fleet;
    void (*changed)(void *arg); // after every request: something may have become due
    void *arg;
};

// An httpd_handler; arg is a struct api *.
void api_handle(void *arg, const struct httpd_request *r, struct httpd_reply *reply);

#endif
