// SPDX-License-Identifier: GPL-3.0-or-later
// `burst catalog`: what clouds offer (list, show) and what is wrong with a catalog (check).
#include "config.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/glob.h"
#include "cmd/burst.h"
#include "cmd/catalog_dir.h"
#include "cmd/columns.h"
#include "cmd/options.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

struct filter {
    const char *dir;
    const char *accelerator, *cloud, *region, *zone, *type; // patterns, NULL = any
    double count, vcpus, memory_gib;                        // at least
    money_t max_price;                                      // MONEY_UNKNOWN = any
    int market;                                             // enum market or -1
    unsigned limit;                                         // rows, 0 = all
    const char *sort;
    bool json, noheader, cpu_only;
};

static void price_cell(const cJSON *row, char *buf, size_t size)
{
    money_t m = json_money(row, "price_uusd_per_hour");

    if (m != MONEY_UNKNOWN)
        snprintf(buf, size, "%.4f", money_to_double(m));
}

static void per_cell(const cJSON *row, char *buf, size_t size)
{
    double count = json_dbl(row, "accelerator_count", 0);
    money_t m = json_money(row, "price_uusd_per_hour");

    if (count > 0 && m != MONEY_UNKNOWN)
        snprintf(buf, size, "%.4f", money_to_double(m) / count);
}

static const struct column columns[] = {
    {'c', "cloud", "CLOUD", COLUMN_TEXT, "cloud", NULL},
    {'R', "region", "REGION", COLUMN_TEXT, "region", NULL},
    {'z', "zone", "ZONE", COLUMN_TEXT, "zone", NULL},
    {'y', "type", "INSTANCE", COLUMN_TEXT, "instance_type", NULL},
    {'a', "accelerator", "ACCELERATOR", COLUMN_TEXT, "accelerator", NULL},
    {'n', "count", "COUNT", COLUMN_AMOUNT, "accelerator_count", NULL},
    {'v', "vcpus", "VCPUS", COLUMN_AMOUNT, "vcpus", NULL},
    {'m', "memory", "GIB", COLUMN_AMOUNT, "memory_gib", NULL},
    {'M', "market", "MARKET", COLUMN_TEXT, "market", NULL},
    {'p', "price", "$/HOUR", COLUMN_OWN, NULL, price_cell},
    {'P', "per", "$/ACC/HOUR", COLUMN_OWN, NULL, per_cell},
    {0},
};

#define DEFAULT_COLUMNS "cloud,region,zone,type,accelerator,count,vcpus,memory,market,price,per"

static void help(const char *name)
{
    fputs("usage: burst catalog list [FILTER ...]        offers, cheapest first\n"
          "       burst catalog show INSTANCE [FILTER ...] where an instance type is offered\n"
          "       burst catalog check [--catalog DIR]    rows that are refused, and why\n"
          "       burst catalog update [OPTION ...]      fetches current prices; see its --help\n"
          "\n"
          "Filters:\n"
          "  -a, --accelerator NAME   pattern or usual alias (a100-80gb, nvidia-tesla-t4); none =\n"
          "                           instances without an accelerator\n"
          "  -n, --count N            at least so many accelerators\n"
          "      --vcpus N, --memory GIB   at least\n"
          "      --cloud, --region, --zone PATTERN\n"
          "  -m, --market MARKET      spot or on-demand\n"
          "      --max-price USD      per hour and instance\n"
          "      --sort KEY           price (default), per, cloud, type, memory, vcpus\n"
          "      --limit N            at most so many rows\n"
          "      --catalog DIR, --json, --noheader\n"
          "Exit status: 0, 1 = nothing matches (check: rows were refused), 2 wrong command line.\n",
          stdout);
}

static int usage(const char *text)
{
    fprintf(stderr, "burst catalog: %s; see burst catalog --help\n", text);
    return CMD_USAGE;
}

// --- options: each is checked where it stands, so that the first wrong one is named

static int number(const struct opt *o, const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    if (end != text && !*end && isfinite(*out) && *out >= 0)
        return -1;
    fprintf(stderr, "burst catalog: --%s takes a number of at least 0, not \"%s\"\n", o->name,
            text);
    return CMD_USAGE;
}

static int read_number(const struct opt *o, const char *text)
{
    return number(o, text, o->into);
}

static int read_limit(const struct opt *o, const char *text)
{
    unsigned *limit = o->into;
    double n;
    int status = number(o, text, &n);

    if (status < 0)
        *limit = n > 1e9 ? 1000000000u : (unsigned)n;
    return status;
}

static int read_price(const struct opt *o, const char *text)
{
    burst_error_t err;

    if (money_parse(text, o->into, &err) == 0)
        return -1;
    fprintf(stderr, "burst catalog: --%s: %s\n", o->name, err.text);
    return CMD_USAGE;
}

static int read_accelerator(const struct opt *o, const char *text)
{
    struct filter *f = o->into;

    f->cpu_only = strcmp(text, "none") == 0;
    f->accelerator = f->cpu_only ? NULL : accelerator_alias(text);
    return -1;
}

static int read_market(const struct opt *o, const char *text)
{
    int *market = o->into;

    if (strcmp(text, "spot") == 0)
        *market = MARKET_SPOT;
    else if (strcmp(text, "on-demand") == 0)
        *market = MARKET_ON_DEMAND;
    else if (strcmp(text, "any") != 0)
        return usage("--market takes spot, on-demand or any");
    return -1;
}

static bool matches(const char *pattern, const char *text)
{
    return !pattern || glob_match_nocase(pattern, text);
}

static bool type_matches(const struct filter *f, const struct catalog *cat,
                         const struct catalog_type *t)
{
    if (f->cpu_only && t->count > 0)
        return false;
    return matches(f->accelerator, catalog_str(cat, t->accelerator)) &&
           matches(f->type, catalog_str(cat, t->name)) && t->count >= f->count &&
           t->vcpus >= f->vcpus && t->memory_gib >= f->memory_gib;
}

struct hit {
    uint32_t offer;
    int market;
    double key;
    uint32_t rank;
};

static int sort_key(const struct filter *f, const struct catalog_type *t,
                    const struct catalog_offer *o, int market, double *key)
{
    double price = (double)o->price[market];

    if (strcmp(f->sort, "price") == 0)
        *key = price;
    else if (strcmp(f->sort, "per") == 0)
        *key = t->count > 0 ? price / t->count : price + 1e18;
    else if (strcmp(f->sort, "memory") == 0)
        *key = -t->memory_gib;
    else if (strcmp(f->sort, "vcpus") == 0)
        *key = -t->vcpus;
    else if (strcmp(f->sort, "cloud") == 0)
        *key = 0;
    else if (strcmp(f->sort, "type") == 0)
        *key = o->type;
    else
        return -1;
    return 0;
}

static int by_key(const void *pa, const void *pb)
{
    const struct hit *a = pa, *b = pb;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->market - b->market;
}

static struct hit *find_hits(const struct filter *f, const struct catalog *cat, size_t *n_hits)
{
    uint32_t n, nt, nr, nc;
    const struct catalog_offer *offers = catalog_offers(cat, &n);
    const struct catalog_type *types = catalog_types(cat, &nt);
    const struct catalog_region *regions = catalog_regions(cat, &nr);
    const struct catalog_cloud *clouds = catalog_clouds(cat, &nc);
    struct hit *hits = xcalloc((size_t)n * MARKETS + 1, sizeof(*hits));

    *n_hits = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct catalog_type *t = &types[offers[i].type];
        const struct catalog_region *r = &regions[offers[i].region];
        if (!type_matches(f, cat, t) ||
            !matches(f->cloud, catalog_str(cat, clouds[r->cloud].name)) ||
            !matches(f->region, catalog_str(cat, r->name)) ||
            !matches(f->zone, catalog_str(cat, offers[i].zone)))
            continue;
        for (int m = 0; m < MARKETS; m++) {
            if (offers[i].price[m] == NO_PRICE || (f->market >= 0 && f->market != m) ||
                (f->max_price != MONEY_UNKNOWN &&
                 catalog_price(&offers[i], (enum market)m) > f->max_price))
                continue;
            struct hit *h = &hits[(*n_hits)++];
            *h = (struct hit){i, m, 0, offers[i].rank};
            sort_key(f, t, &offers[i], m, &h->key);
        }
    }
    if (*n_hits)
        qsort(hits, *n_hits, sizeof(*hits), by_key);
    return hits;
}

static cJSON *hit_json(const struct catalog *cat, const struct hit *h)
{
    uint32_t n;
    const struct catalog_offer *f = &catalog_offers(cat, &n)[h->offer];
    const struct catalog_type *t = &catalog_types(cat, &n)[f->type];
    const struct catalog_region *r = &catalog_regions(cat, &n)[f->region];
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "cloud", catalog_str(cat, catalog_clouds(cat, &n)[r->cloud].name));
    json_add_str(o, "region", catalog_str(cat, r->name));
    json_add_str(o, "zone", catalog_str(cat, f->zone));
    json_add_str(o, "instance_type", catalog_str(cat, t->name));
    json_add_str(o, "accelerator", catalog_str(cat, t->accelerator));
    cJSON_AddNumberToObject(o, "accelerator_count", t->count);
    cJSON_AddNumberToObject(o, "vcpus", t->vcpus);
    cJSON_AddNumberToObject(o, "memory_gib", t->memory_gib);
    json_add_str(o, "market", market_name((enum market)h->market));
    cJSON_AddNumberToObject(o, "price_usd_per_hour", (double)f->price[h->market] / 1e9);
    json_add_money(o, "price_uusd_per_hour", catalog_price(f, (enum market)h->market));
    return o;
}

static int list(const struct filter *f)
{
    struct columns_how how = {.dflt = DEFAULT_COLUMNS, .noheader = f->noheader};
    burst_error_t err = {""};
    struct catalog *cat = catalog_open(f->dir, &err);
    size_t n;

    if (!cat) {
        fprintf(stderr, "burst catalog: %s\n", err.text);
        return CMD_REFUSED;
    }
    struct hit *hits = find_hits(f, cat, &n);
    cJSON *rows = cJSON_CreateArray();
    for (size_t i = 0; i < n && (!f->limit || i < f->limit); i++)
        cJSON_AddItemToArray(rows, hit_json(cat, &hits[i]));
    if (f->json)
        cmd_print_json(rows);
    else if (n)
        columns_print(columns, &how, rows, stdout, &err);
    else
        fprintf(stderr, "burst catalog: nothing in %s matches\n", f->dir);
    cJSON_Delete(rows);
    free(hits);
    catalog_destroy(cat);
    return n ? CMD_OK : CMD_REFUSED;
}

struct report {
    cJSON *rows;
    bool json;
};

static void on_complaint(void *arg, const struct catalog_complaint *c)
{
    static const char *const kind[] = {"refused", "quarantined", "skipped"};
    struct report *r = arg;

    if (!r->json) {
        if (c->line)
            printf("%s:%u: %s: %s\n", c->file, c->line, kind[c->kind], c->text);
        else
            printf("%s: %s: %s\n", c->file, kind[c->kind], c->text);
        return;
    }
    cJSON *o = cJSON_CreateObject();
    json_add_str(o, "file", c->file);
    json_add_i64(o, "line", c->line);
    json_add_str(o, "kind", kind[c->kind]);
    json_add_str(o, "reason", c->text);
    cJSON_AddItemToArray(r->rows, o);
}

static int check(const struct filter *f)
{
    struct report r = {cJSON_CreateArray(), f->json};
    burst_error_t err = {""};
    struct catalog *cat = catalog_load(f->dir, on_complaint, &r, &err);
    uint32_t n = 0, n_clouds = 0;

    if (!cat) {
        fprintf(stderr, "burst catalog: %s\n", err.text);
        cJSON_Delete(r.rows);
        return CMD_REFUSED;
    }
    catalog_offers(cat, &n);
    catalog_clouds(cat, &n_clouds);
    if (f->json) {
        cJSON *o = cJSON_CreateObject();
        json_add_i64(o, "clouds", n_clouds);
        json_add_i64(o, "offers", n);
        json_add_i64(o, "refused", catalog_refused(cat));
        json_add_i64(o, "quarantined", catalog_quarantined(cat));
        cJSON_AddItemToObject(o, "rows", r.rows);
        cmd_print_json(o);
        cJSON_Delete(o);
    } else {
        printf("%u clouds, %u offers in use; %u rows refused, %u quarantined\n", n_clouds, n,
               catalog_refused(cat), catalog_quarantined(cat));
        cJSON_Delete(r.rows);
    }
    int rc = catalog_refused(cat) || catalog_quarantined(cat) ? CMD_REFUSED : CMD_OK;
    catalog_destroy(cat);
    return rc;
}

// What a verb takes from its words, and what it does. -1 = go on, else the exit status.
static int read_words(struct filter *f, int argc, char **argv, const char **verb)
{
    double key;

    if (optind == argc)
        return usage("say list, show, check or update");
    *verb = argv[optind++];
    if (sort_key(f, &(struct catalog_type){0}, &(struct catalog_offer){0}, 0, &key) < 0)
        return usage("--sort takes price, per, cloud, type, memory or vcpus");
    if (strcmp(*verb, "show") == 0 && optind < argc)
        f->type = argv[optind++];
    else if (strcmp(*verb, "show") == 0)
        return usage("show needs an instance type");
    return optind < argc ? usage("too many arguments") : -1;
}

static int perform(const struct filter *f, const char *verb)
{
    if (strcmp(verb, "check") == 0)
        return check(f);
    if (strcmp(verb, "list") == 0 || strcmp(verb, "show") == 0)
        return list(f);
    return usage(strcmp(verb, "update") == 0 ? "update comes before its options"
                                             : "the verbs are list, show, check and update");
}

int cmd_catalog(int argc, char **argv)
{
    struct filter f = {.market = -1, .max_price = MONEY_UNKNOWN, .sort = "price"};
    const struct opt options[] = {{'a', "accelerator", .read = read_accelerator, .into = &f},
                                  {'n', "count", .read = read_number, .into = &f.count},
                                  {0, "vcpus", .read = read_number, .into = &f.vcpus},
                                  {0, "memory", .read = read_number, .into = &f.memory_gib},
                                  {0, "cloud", .word = &f.cloud},
                                  {0, "region", .word = &f.region},
                                  {0, "zone", .word = &f.zone},
                                  {'m', "market", .read = read_market, .into = &f.market},
                                  {0, "max-price", .read = read_price, .into = &f.max_price},
                                  {0, "sort", .word = &f.sort},
                                  {0, "limit", .read = read_limit, .into = &f.limit},
                                  {0, "catalog", .word = &f.dir},
                                  {0, "json", .flag = &f.json},
                                  {0, "noheader", .flag = &f.noheader},
                                  {0}};
    const char *verb = "";

    if (argc > 1 && strcmp(argv[1], "update") == 0) {
        char name[] = "burst catalog update";
        argv[1] = name;
        return cmd_catalog_update(argc - 1, argv + 1);
    }
    int status = options_read_as(argc, argv, options, help, OPTIONS_NO_HINT);
    if (status < 0)
        status = read_words(&f, argc, argv, &verb);
    if (status >= 0)
        return status;
    char *dflt = f.dir ? NULL : catalog_dir();
    if (dflt)
        f.dir = dflt;
    status = perform(&f, verb);
    free(dflt);
    return status;
}
