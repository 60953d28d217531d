// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "cmd/catalog_dir.h"

#include <unistd.h>

#include "base/conf.h"
#include "libburst/xalloc.h"

char *catalog_dir(void)
{
    struct conf_errors errs;
    struct burst_conf *conf;
    char *dir = NULL;

    if (conf_load(conf_default_path(), &conf, &errs) == 0) {
        if (access(conf->catalog_dir, R_OK) == 0)
            dir = xstrdup(conf->catalog_dir);
        conf_free(conf);
    }
    return dir ? dir : xstrdup(BURST_DATADIR "/catalog");
}
