// SPDX-License-Identifier: GPL-3.0-or-later
// fetch-local: what an embedded cloud (burst-localcloud) offers, as CLOUD.csv.
// GET ENDPOINT/v1/CLOUD/offers with the customer's token (docs/design/internals.md, section 9).
#include <stdlib.h>
#include <string.h>

#include "catalog/fetch/fetch.h"
#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

#define NAME "fetch-local"

static const char usage[] =
    "usage: fetch-local --cloud CLOUD --endpoint URL --credentials FILE\n"
    "\n"
    "Writes the offers of a local cloud as CSV. Started by `burst catalog update`.\n";

static int write_offers(const cJSON *offers, burst_error_t *errp)
{
    const cJSON *o;

    if (!cJSON_IsArray(offers))
        return errprintf(errp, "the answer has no list of offers");
    fetch_write_header(stdout);
    cJSON_ArrayForEach(o, offers)
    {
        fetch_write_row(stdout,
                        &(struct fetch_row){.instance_type = json_str(o, "instance_type", ""),
                                            .accelerator = json_str(o, "accelerator", ""),
                                            .region = json_str(o, "region", ""),
                                            .zone = json_str(o, "zone", ""),
                                            .count = json_dbl(o, "accelerator_count", 0),
                                            .vcpus = json_dbl(o, "vcpus", 0),
                                            .memory_gib = json_dbl(o, "memory_gib", 0),
                                            .price = json_str(o, "on_demand_usd_per_hour", ""),
                                            .spot_price = json_str(o, "spot_usd_per_hour", "")});
    }
    return 0;
}

static int fetch(const struct fetch_args *a, burst_error_t *errp)
{
    char *bearer = fetch_bearer(a->credentials, errp), *body = NULL;
    size_t len;
    int rc = -1;

    if (!bearer)
        return -1;
    char *url = xasprintf("%s/v1/%s/offers", a->endpoint, a->cloud);
    const char *const headers[] = {bearer, NULL};
    if (fetch_get(url, headers, true, &body, &len, errp) == 0) {
        cJSON *o = json_parse(body, len, errp);
        rc = o ? write_offers(cJSON_GetObjectItemCaseSensitive(o, "offers"), errp) : -1;
        if (rc < 0)
            errprefix(errp, "%s", url);
        cJSON_Delete(o);
    }
    free(body);
    free(url);
    fs_wipe(bearer, strlen(bearer));
    return rc;
}

int main(int argc, char **argv)
{
    burst_error_t err = {""};
    struct fetch_args a;
    int rc = fetch_args(argc, argv, usage, &a);

    if (rc >= 0)
        return rc;
    if (!*a.cloud || !*a.endpoint || !*a.credentials || a.rest) {
        fputs(usage, stderr);
        return 2;
    }
    if (fetch(&a, &err) == 0)
        return fetch_finish(stdout, NAME);
    fprintf(stderr, NAME ": %s\n", err.text);
    return 1;
}
