// SPDX-License-Identifier: GPL-3.0-or-later
// The compiled index: the block of a loaded catalog in a file, so that a program that plans one
// job need not read megabytes of CSV.
//
// The file is read into private memory in one go (5 MB take a millisecond): a mapping
// that somebody truncates later would kill the process with SIGBUS in the middle of a plan. The
// copy is believed after its checksum and every offset and id in it were found in bounds.
// Anything else (foreign, torn, of another build, of other CSV files) counts as absent.
#include "catalog/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/image.h"
#include "libburst/fsutil.h"
#include "libburst/xalloc.h"

#define INDEX_NAME ".burst-catalog.idx"
#define INDEX_MAX (512u << 20)

static bool sections_fit(const struct image_header *h)
{
    for (int s = 0; s < SECTIONS; s++) {
        const struct image_section *x = &h->section[s];
        if (x->offset % 8 || x->offset < sizeof(*h) || x->offset > h->size ||
            x->n > UINT32_MAX / 2 || x->n > (h->size - x->offset) / image_element_size[s])
            return false;
    }
    return h->section[SEC_POOL].n > 0 && h->section[SEC_CLOUDS].n > 0;
}

static bool range_fits(uint32_t first, uint32_t n, uint64_t total)
{
    return first <= total && n <= total - first;
}

static bool price_fits(int64_t p)
{
    return p >= NO_PRICE && p <= INT64_C(1000000) * NANO_PER_USD;
}

static bool amount_fits(double v)
{
    return v >= 0 && v <= 1e9; // false for NaN
}

// Ids may point into the middle of a string: harmless, as long as the pool ends with a NUL.
static bool content_fits(const struct catalog *c)
{
    const struct image_section *s = c->h->section;
    uint64_t pool = s[SEC_POOL].n;

    if (c->pool[pool - 1] != '\0' || c->pool[0] != '\0')
        return false;
    for (uint64_t i = 0; i < s[SEC_CLOUDS].n; i++)
        if (c->clouds[i].name >= pool ||
            !range_fits(c->clouds[i].first_type, c->clouds[i].n_types, s[SEC_TYPES].n))
            return false;
    for (uint64_t i = 0; i < s[SEC_REGIONS].n; i++)
        if (c->regions[i].name >= pool || c->regions[i].cloud >= s[SEC_CLOUDS].n)
            return false;
    for (uint64_t i = 0; i < s[SEC_TYPES].n; i++) {
        const struct catalog_type *t = &c->types[i];
        if (t->name >= pool || t->accelerator >= pool || t->cloud >= s[SEC_CLOUDS].n ||
            !range_fits(t->first_offer, t->n_offers, s[SEC_OFFERS].n) || !amount_fits(t->count) ||
            !amount_fits(t->vcpus) || !amount_fits(t->memory_gib))
            return false;
    }
    for (uint64_t i = 0; i < s[SEC_OFFERS].n; i++) {
        const struct catalog_offer *o = &c->offers[i];
        if (o->type >= s[SEC_TYPES].n || o->region >= s[SEC_REGIONS].n || o->zone >= pool ||
            !price_fits(o->price[0]) || !price_fits(o->price[1]))
            return false;
    }
    for (uint64_t i = 0; i < s[SEC_ROUTES].n; i++) {
        const struct catalog_route *r = &c->routes[i];
        if (!range_fits(r->first_tier, r->n_tiers, s[SEC_TIERS].n))
            return false;
        for (int k = 0; k < 4; k++)
            if (r->pattern[k] >= pool)
                return false;
    }
    for (uint64_t i = 0; i < s[SEC_TIERS].n; i++)
        if (!(c->tiers[i].up_to_gb >= 0) || !price_fits(c->tiers[i].per_gb) ||
            c->tiers[i].per_gb < 0)
            return false;
    return true;
}

// Takes h over in every case.
static struct catalog *adopt(struct image_header *h, size_t len, burst_error_t *errp)
{
    struct catalog *c = xmalloc(sizeof(*c));

    c->h = h;
    c->from_index = true;
    if (len < sizeof(*h) || memcmp(h->magic, IMAGE_MAGIC, sizeof(h->magic)) != 0) {
        errprintf(errp, "not a catalog index");
        goto fail;
    }
    if (h->version != IMAGE_VERSION || h->layout != image_layout()) {
        errprintf(errp, "a catalog index of another build");
        goto fail;
    }
    if (h->size != len || h->checksum != image_checksum(h) || !sections_fit(h)) {
        errprintf(errp, "a damaged catalog index");
        goto fail;
    }
    image_attach(c);
    if (content_fits(c))
        return c;
    errprintf(errp, "a catalog index that contradicts itself");
fail:
    catalog_destroy(c);
    return NULL;
}

struct catalog *catalog_index_parse(const void *data, size_t len, burst_error_t *errp)
{
    struct image_header *h = xmalloc(len < sizeof(*h) ? sizeof(*h) : len);

    if (len)
        memcpy(h, data, len);
    return adopt(h, len, errp);
}

static int read_all(int fd, char *to, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, to, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        to += n;
        len -= (size_t)n;
    }
    return 0;
}

struct catalog *catalog_index_read(const char *path, uint64_t fingerprint, burst_error_t *errp)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct catalog *c = NULL;
    struct stat st;

    if (fd < 0) {
        errprintf(errp, "%s: %s", path, strerror(errno));
        return NULL;
    }
    // Somebody else's index could carry any prices.
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_uid != 0 && st.st_uid != geteuid()) ||
        (st.st_mode & (S_IWGRP | S_IWOTH))) {
        errprintf(errp, "%s: not a file that only we or root can write to", path);
    } else if (st.st_size < (off_t)sizeof(struct image_header) || st.st_size > INDEX_MAX) {
        errprintf(errp, "%s: not a catalog index", path);
    } else {
        // Not xmalloc: zeroing what is read over at once would double the time.
        char *block = malloc((size_t)st.st_size);
        if (!block || read_all(fd, block, (size_t)st.st_size) < 0) {
            errprintf(errp, "%s: %s", path, block ? "it became shorter" : "no memory");
            free(block);
        } else if (!(c = adopt((struct image_header *)block, (size_t)st.st_size, errp))) {
            errprefix(errp, "%s", path);
        }
    }
    close(fd);
    if (c && fingerprint && c->h->fingerprint != fingerprint) {
        errprintf(errp, "%s: made from other CSV files", path);
        catalog_destroy(c);
        return NULL;
    }
    return c;
}

int catalog_index_write(const struct catalog *c, const char *path, burst_error_t *errp)
{
    c->h->checksum = image_checksum(c->h);
    return fs_write_atomic(path, c->h, (size_t)c->h->size, 0644, errp);
}

// Where the index of a directory may be: beside the CSV files, else in the user's cache.
static char *cache_path(const char *dir)
{
    char *real = realpath(dir, NULL);
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    char *path = NULL;

    for (const char *p = real; p && *p; p++)
        h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    if (real && cache && *cache == '/')
        path = xasprintf("%s/burst/catalog-%016" PRIx64 ".idx", cache, h);
    else if (real && home && *home == '/')
        path = xasprintf("%s/.cache/burst/catalog-%016" PRIx64 ".idx", home, h);
    free(real);
    return path;
}

// Root may write everywhere; a directory that its owner made read-only is left alone all the same.
static bool may_write(const char *dir)
{
    struct stat st;

    return stat(dir, &st) == 0 && (st.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) &&
           access(dir, W_OK) == 0;
}

static void write_to_cache(const struct catalog *c, const char *path)
{
    char *dir = xstrdup(path), *slash = strrchr(dir, '/');

    *slash = '\0';
    if (fs_mkdirs(dir, 0700, NULL) == 0)
        catalog_index_write(c, path, NULL);
    free(dir);
}

struct catalog *catalog_open(const char *dir, burst_error_t *errp)
{
    uint64_t fingerprint = catalog_fingerprint(dir, errp);
    struct catalog *c;

    if (!fingerprint)
        return NULL;
    char *beside = xasprintf("%s/%s", dir, INDEX_NAME), *cached = cache_path(dir);
    c = catalog_index_read(beside, fingerprint, NULL);
    if (!c && cached)
        c = catalog_index_read(cached, fingerprint, NULL);
    if (!c && (c = catalog_load(dir, NULL, NULL, errp))) {
        if (may_write(dir))
            catalog_index_write(c, beside, NULL);
        else if (cached)
            write_to_cache(c, cached);
    }
    free(beside);
    free(cached);
    return c;
}
