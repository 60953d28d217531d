// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzz target: the files of a catalog. The first byte says what the rest is: c the CSV of a cloud,
// e egress.csv, i a compiled index, p patches of a sound index that is sealed again afterwards
// (offset: 2 bytes, value: 4 bytes, in the machine's order), which gets behind the checksum.
// Nothing may crash, hang or leak, and what was read can be walked through. See replay.c.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/compare.h"
#include "catalog/image.h"
#include "libburst/xalloc.h"

static const char small_csv[] =
    "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,"
    "Region,AvailabilityZone\n"
    "p3,V100,1,8,61,,3.06,0.9,us-east-1,us-east-1a\n"
    "p3,V100,1,8,61,,3.06,1.1,us-west-2,us-west-2a\n"
    "m5,,,4,16,,0.2,0.1,us-east-1,\n";
static const char small_egress[] = "SrcCloud,SrcRegion,DstCloud,DstRegion,UpToGB,USDPerGB\n"
                                   "aws,*,aws,*,,0.02\n*,*,*,*,100,0.1\n*,*,*,*,,0.05\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct catalog *from_texts(const char *csv, size_t len, const char *egress,
                                  size_t egress_len)
{
    return catalog_from_text("aws", csv, len, egress, egress_len, NULL, NULL, NULL);
}

// Looks at all that a user of the catalog would look at.
static void walk(const struct catalog *c)
{
    uint32_t n, nt, nr, nc;
    const struct catalog_offer *o = catalog_offers(c, &n);
    const struct catalog_type *t = catalog_types(c, &nt);
    const struct catalog_region *r = catalog_regions(c, &nr);
    const struct catalog_cloud *k = catalog_clouds(c, &nc);
    struct comparison diff;
    volatile size_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += strlen(catalog_str(c, o[i].zone)) + strlen(catalog_str(c, t[o[i].type].name)) +
               strlen(catalog_str(c, k[r[o[i].region].cloud].name)) +
               (size_t)catalog_price(&o[i], MARKET_SPOT);
    for (uint32_t i = 0; i < nt; i++)
        for (uint32_t x = t[i].first_offer; x < t[i].first_offer + t[i].n_offers; x++)
            sum += o[x].line;
    uint32_t route = catalog_route_find(c, "aws", "us-east-1", "gcp", "x");
    if (route != NO_ROUTE)
        sum += (size_t)catalog_route_price(c, route, 1e6);
    sum += catalog_find_region(c, "aws", "us-east-1");
    catalog_compare(c, c, &diff);
    if (diff.added || diff.gone || diff.changed)
        abort();
}

static struct catalog *patched(const uint8_t *data, size_t size)
{
    struct catalog *c =
        from_texts(small_csv, strlen(small_csv), small_egress, strlen(small_egress));
    size_t len = (size_t)c->h->size;
    char *block = xmalloc(len);

    memcpy(block, c->h, len);
    catalog_destroy(c);
    for (; size >= 6; data += 6, size -= 6) {
        uint16_t at;
        memcpy(&at, data, 2);
        memcpy(block + at % (len - 3), data + 2, 4);
    }
    struct image_header *h = (struct image_header *)block;
    if (h->size == len)
        h->checksum = image_checksum(h);
    c = catalog_index_parse(block, len, NULL);
    free(block);
    return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data + 1;
    struct catalog *c = NULL;

    if (!size)
        return 0;
    if (*data == 'c')
        c = from_texts(text, size - 1, small_egress, strlen(small_egress));
    else if (*data == 'e')
        c = from_texts(small_csv, strlen(small_csv), text, size - 1);
    else if (*data == 'i')
        c = catalog_index_parse(text, size - 1, NULL);
    else if (*data == 'p')
        c = patched(data + 1, size - 1);
    if (c)
        walk(c);
    catalog_destroy(c);
    return 0;
}
