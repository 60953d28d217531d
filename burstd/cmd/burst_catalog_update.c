// SPDX-License-Identifier: GPL-3.0-or-later
// `burst catalog update`: brings the prices of each cloud up to date (price_update.h) and tells
// burstd. One cloud after the other; what goes wrong with one does not hold up the next.
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "cmd/burst.h"
#include "cmd/options.h"
#include "cmd/price_update.h"
#include "cmd/text.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

#define CLOUDS_MAX 64

struct cloud {
    char *name;
    const char *from; // as written behind --from, NULL = the cloud's fetcher
};

struct update {
    struct price_target to; // its directory is locked
    bool json;
    struct cloud cloud[CLOUDS_MAX];
    unsigned n_clouds;
    unsigned replaced, failed;
    cJSON *rows; // for --json
};

static const char *const outcome_names[] = {"unchanged", "replaced", "refused", "failed"};

// --- telling

static const char *change_text(double ratio, char buf[TEXT_MAX])
{
    if (ratio < 0.5 || ratio > 2)
        snprintf(buf, TEXT_MAX, "%.3g times", ratio);
    else
        snprintf(buf, TEXT_MAX, "%+.1f %%", 100 * (ratio - 1));
    return buf;
}

static void print_moves(const struct comparison *k)
{
    char change[TEXT_MAX];

    for (unsigned i = 0; i < k->n_moves; i++) {
        const struct compare_move *m = &k->move[i];
        printf("    %s %s %s: $%.4f -> $%.4f an hour (%s)\n", m->instance_type,
               *m->zone ? m->zone : m->region, market_name(m->market), (double)m->before / 1e9,
               (double)m->after / 1e9, change_text(m->ratio, change));
    }
}

static void print_result(const struct update *u, const char *name, const struct price_update *r)
{
    const struct comparison *k = &r->cmp;

    if (r->outcome == PRICES_UNCHANGED || r->outcome == PRICES_FAILED) {
        FILE *out = r->outcome == PRICES_FAILED ? stderr : stdout;
        if (r->outcome == PRICES_UNCHANGED)
            fprintf(out, "%s: nothing has changed (%s)\n", name, r->source);
        else
            fprintf(out, "%s: not updated: %s\n", name, r->reason);
        return;
    }
    printf("%s: %u prices (%s)", name, k->after, r->source);
    if (r->before)
        printf(": %u new, %u gone, %u changed", k->added, k->gone, k->changed);
    puts("");
    print_moves(k);
    if (r->n_complaints)
        printf("    %u rows are left out%s\n", r->n_complaints,
               r->n_complaints > PRICE_COMPLAINTS_KEPT ? ", the first of them:" : ":");
    for (const char *p = r->complaints.data; p && *p;) {
        size_t n = strcspn(p, "\n");
        printf("      %.*s\n", (int)n, p);
        p += n + (p[n] == '\n');
    }
    if (r->outcome == PRICES_REFUSED) {
        fflush(stdout);
        fprintf(stderr, "%s: not replaced: %s%s\n", name, r->reason,
                k->after ? "; if that is right, say --accept" : "");
    } else if (u->to.dry_run) {
        printf("    %s.csv would be %s\n", name, r->before ? "replaced" : "written");
    } else if (r->before) {
        printf("    replaced; the prices before are in %s.csv.old\n", name);
    } else {
        puts("    written");
    }
}

static cJSON *result_json(const char *name, const struct price_update *r)
{
    const struct comparison *k = &r->cmp;
    cJSON *o = cJSON_CreateObject(), *moves = cJSON_CreateArray();

    json_add_str(o, "cloud", name);
    json_add_str(o, "result", outcome_names[r->outcome]);
    json_add_str(o, "source", r->source);
    json_add_str(o, "reason", r->reason);
    json_add_i64(o, "prices", k->after);
    json_add_i64(o, "before", k->before);
    json_add_i64(o, "new", k->added);
    json_add_i64(o, "gone", k->gone);
    json_add_i64(o, "changed", k->changed);
    json_add_i64(o, "rows_refused", r->after ? catalog_refused(r->after) : 0);
    json_add_i64(o, "rows_quarantined", r->after ? catalog_quarantined(r->after) : 0);
    for (unsigned i = 0; i < k->n_moves; i++) {
        const struct compare_move *m = &k->move[i];
        cJSON *j = cJSON_CreateObject();
        json_add_str(j, "instance_type", m->instance_type);
        json_add_str(j, "region", m->region);
        json_add_str(j, "zone", m->zone);
        json_add_str(j, "market", market_name(m->market));
        cJSON_AddNumberToObject(j, "before_usd_per_hour", (double)m->before / 1e9);
        cJSON_AddNumberToObject(j, "usd_per_hour", (double)m->after / 1e9);
        cJSON_AddItemToArray(moves, j);
    }
    cJSON_AddItemToObject(o, "largest_changes", moves);
    return o;
}

static void update_and_tell(struct update *u, const struct cloud *c)
{
    struct price_update r;

    price_update(&u->to, c->name, c->from, &r);
    u->replaced += r.outcome == PRICES_REPLACED;
    u->failed += r.outcome == PRICES_REFUSED || r.outcome == PRICES_FAILED;
    if (u->json)
        cJSON_AddItemToArray(u->rows, result_json(c->name, &r));
    else
        print_result(u, c->name, &r);
    fflush(stdout);
    price_update_free(&r);
}

// Whether burstd plans with this directory.
static bool is_in_use(const struct update *u)
{
    struct stat ours, theirs;

    return u->to.conf && stat(u->to.conf->catalog_dir, &theirs) == 0 &&
           fstat(u->to.dir_fd, &ours) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

// Has burstd read the new prices. *told: NULL = nobody asked.
static int tell_burstd(const struct update *u, const char **told)
{
    burst_error_t err = {""};
    int status;

    *told = NULL;
    if (!u->replaced || u->to.dry_run || !is_in_use(u))
        return CMD_OK;
    cJSON *answer = cmd_try("reload", NULL, &status, &err);
    cJSON_Delete(answer);
    if (answer)
        *told = "burstd plans with the new prices";
    else if (status == CMD_UNREACHABLE)
        *told = "burstd does not run; it reads the new prices when it starts";
    else
        fprintf(stderr, "burst catalog update: burstd still plans with the former prices: %s\n",
                err.text);
    return answer || status == CMD_UNREACHABLE ? CMD_OK : CMD_REFUSED;
}

// --- the directory

static int open_dir(struct update *u)
{
    char *egress = xasprintf("%s/egress.csv", u->to.dir),
         *scratch = xasprintf("%s/" PRICE_SCRATCH, u->to.dir);
    int rc = -1;

    u->to.dir_fd = -1;
    if (mkdir(u->to.dir, 0755) < 0 && errno != EEXIST)
        fprintf(stderr, "burst catalog update: %s: %s\n", u->to.dir, strerror(errno));
    else if ((u->to.dir_fd = open(u->to.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        fprintf(stderr, "burst catalog update: %s: %s\n", u->to.dir, strerror(errno));
    else if (flock(u->to.dir_fd, LOCK_EX | LOCK_NB) < 0)
        fprintf(stderr, "burst catalog update: another update of %s is under way\n", u->to.dir);
    else if (mkdir(scratch, 0755) < 0 && errno != EEXIST)
        fprintf(stderr, "burst catalog update: cannot write to %s: %s\n", u->to.dir,
                strerror(errno));
    else
        rc = 0;
    if (rc == 0 && access(egress, F_OK) < 0)
        fprintf(stderr,
                "burst catalog update: %s has no egress.csv: without it no data can be moved to "
                "or from a cloud; one to start with is %s/catalog/egress.csv\n",
                u->to.dir, BURST_DATADIR);
    free(egress);
    free(scratch);
    return rc;
}

static void close_dir(const struct update *u)
{
    char *scratch = xasprintf("%s/" PRICE_SCRATCH, u->to.dir);

    if (u->to.dir_fd >= 0) {
        rmdir(scratch);
        close(u->to.dir_fd);
    }
    free(scratch);
}

// --- the command line

static void help(const char *name)
{
    puts("usage: burst catalog update [OPTION ...]\n"
         "\n"
         "Fetches current prices, checks them, compares them with those in use and puts them in\n"
         "their place: CLOUD.csv as a whole, or not at all. The file before stays as "
         "CLOUD.csv.old.\n"
         "\n"
         "  --clouds LIST         only these (default: the clouds of burst.yaml)\n"
         "  --from [CLOUD=]WHERE  not from the cloud's own fetcher but from WHERE, once or per\n"
         "                        cloud: the name of a fetcher (local: fetch-local), an address, "
         "a\n"
         "                        file, a program, a directory with CLOUD.csv or CLOUD/vms.csv;\n"
         "                        {cloud} in it stands for the cloud's name\n"
         "  --dir DIR             the catalog (also --catalog; default: catalog_dir of "
         "burst.yaml)\n"
         "  --accept              also what looks wrong: less than half as many prices as before, "
         "a\n"
         "                        price more than 5 times as high or low\n"
         "  --dry-run             fetches, checks and compares only\n"
         "  --json                what was found, as JSON\n"
         "\n"
         "Exit status: 0 all clouds are up to date, 1 not all, 2 wrong command line.");
}

static bool is_cloud_name(const char *s, size_t len)
{
    return len > 0 && len <= CONF_NAME_MAX &&
           strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") >= len &&
           !(len == 6 && strncmp(s, "egress", 6) == 0);
}

static struct cloud *add_cloud(struct update *u, const char *name, size_t len)
{
    for (unsigned i = 0; i < u->n_clouds; i++)
        if (strlen(u->cloud[i].name) == len && strncmp(u->cloud[i].name, name, len) == 0)
            return &u->cloud[i];
    if (u->n_clouds == CLOUDS_MAX || !is_cloud_name(name, len))
        return NULL;
    struct cloud *c = &u->cloud[u->n_clouds++];
    c->name = xasprintf("%.*s", (int)len, name);
    return c;
}

static int add_list(struct update *u, const char *list)
{
    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
        if (!add_cloud(u, p, strcspn(p, ",")))
            return cmd_usage("catalog update", "\"%.*s\" is no name of a cloud",
                             (int)strcspn(p, ","), p);
    return 0;
}

// Length of the cloud's name in CLOUD=WHERE, 0 when it is only WHERE.
static size_t named_cloud(const char *from)
{
    size_t n = strcspn(from, "=");

    return from[n] && is_cloud_name(from, n) ? n : 0;
}

// Clouds from --clouds, else from the names in --from, else from burst.yaml.
static int choose_clouds(struct update *u, const char *list, const char *const *from,
                         unsigned n_from)
{
    const char *all = NULL;
    int rc = list ? add_list(u, list) : 0;

    if (rc)
        return rc;
    for (unsigned i = 0; i < n_from; i++) {
        size_t n = named_cloud(from[i]);
        struct cloud *c = n ? add_cloud(u, from[i], n) : NULL;
        if (c)
            c->from = from[i] + n + 1;
        else
            all = from[i];
    }
    if (!u->n_clouds && !u->to.conf)
        return cmd_usage("catalog update", "which clouds? There is no burst.yaml to tell; name "
                                           "them with --clouds");
    if (!u->n_clouds)
        for (unsigned i = 0; i < u->to.conf->n_clouds && i < CLOUDS_MAX; i++)
            add_cloud(u, u->to.conf->clouds[i].name, strlen(u->to.conf->clouds[i].name));
    for (unsigned i = 0; i < u->n_clouds; i++)
        if (!u->cloud[i].from)
            u->cloud[i].from = all;
    // One file or address cannot be the prices of two clouds.
    struct stat st;
    if (all && u->n_clouds > 1 && strchr(all, '/') && !strstr(all, "{cloud}") &&
        (stat(all, &st) < 0 || S_ISREG(st.st_mode)))
        return cmd_usage("catalog update",
                         "\"%s\" is for one cloud; put {cloud} where the name belongs, or write "
                         "--from CLOUD=WHERE for each",
                         all);
    return 0;
}

static int run(struct update *u)
{
    const char *told;
    int rc = CMD_REFUSED;

    if (open_dir(u) == 0) {
        u->rows = cJSON_CreateArray();
        for (unsigned i = 0; i < u->n_clouds; i++)
            update_and_tell(u, &u->cloud[i]);
        rc = tell_burstd(u, &told);
        if (u->json) {
            cJSON *o = cJSON_CreateObject();
            cJSON_AddItemToObject(o, "clouds", u->rows);
            json_add_str(o, "burstd", told);
            cmd_print_json(o);
            cJSON_Delete(o);
        } else {
            cJSON_Delete(u->rows);
            if (told)
                printf("%s\n", told);
        }
        rc = u->failed ? CMD_REFUSED : rc;
    }
    close_dir(u);
    return rc;
}

struct from_list {
    const char *where[CLOUDS_MAX];
    unsigned n;
};

static int read_from(const struct opt *o, const char *word)
{
    struct from_list *from = o->into;

    if (from->n == CLOUDS_MAX)
        return cmd_usage("catalog update", NULL);
    from->where[from->n++] = word;
    return -1;
}

// burst.yaml, where there is one, and the directory. -1 = go on, else the exit status.
static int find_dir(struct update *u, struct burst_conf **conf)
{
    struct conf_errors errs;

    if (conf_load(conf_default_path(), conf, &errs) == 0)
        u->to.conf = *conf;
    if (!u->to.dir && !*conf) {
        char *text = conf_errors_text(&errs);
        fputs(text, stderr);
        free(text);
        return cmd_usage("catalog update", "which catalog? Name its directory with --dir");
    }
    if (!u->to.dir)
        u->to.dir = (*conf)->catalog_dir;
    return -1;
}

int cmd_catalog_update(int argc, char **argv)
{
    struct update u = {.to = {.dir_fd = -1}};
    struct burst_conf *conf = NULL;
    struct from_list from = {.n = 0};
    const char *clouds = NULL;
    const struct opt options[] = {
        {0, "clouds", .word = &clouds},      {0, "from", .read = read_from, .into = &from},
        {0, "dir", .word = &u.to.dir},       {0, "catalog", .word = &u.to.dir},
        {0, "accept", .flag = &u.to.accept}, {0, "dry-run", .flag = &u.to.dry_run},
        {0, "json", .flag = &u.json},        {0}};
    int status = options_read_as(argc, argv, options, help, OPTIONS_NO_H);

    if (status < 0)
        status = options_words(argc, argv, 0, 0, "");
    if (status < 0)
        status = find_dir(&u, &conf);
    if (status >= 0)
        return status;
    status = choose_clouds(&u, clouds, from.where, from.n);
    if (status == 0)
        status = run(&u);
    for (unsigned i = 0; i < u.n_clouds; i++)
        free(u.cloud[i].name);
    conf_free(conf);
    return status;
}
