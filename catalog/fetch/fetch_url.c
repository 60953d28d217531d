// SPDX-License-Identifier: GPL-3.0-or-later
// fetch-url: a CLOUD.csv that somebody publishes (the public SkyPilot catalogs among them), from a
// web server. Certificates are verified; redirects are not followed but named.
#include <stdlib.h>
#include <string.h>

#include "catalog/fetch/fetch.h"

#define NAME "fetch-url"

static const char usage[] = "usage: fetch-url [--cloud CLOUD] URL\n"
                            "\n"
                            "Writes the file at an address to the standard output. Started by "
                            "`burst catalog update`.\n";

int main(int argc, char **argv)
{
    burst_error_t err = {""};
    struct fetch_args a;
    char *body;
    size_t len;
    int rc = fetch_args(argc, argv, usage, &a);

    if (rc >= 0)
        return rc;
    if (!a.rest) {
        fputs(usage, stderr);
        return 2;
    }
    if (fetch_get(a.rest, NULL, false, &body, &len, &err) < 0) {
        fprintf(stderr, NAME ": %s\n", err.text);
        return 1;
    }
    fwrite(body, 1, len, stdout);
    free(body);
    return fetch_finish(stdout, NAME);
}
