// SPDX-License-Identifier: GPL-3.0-or-later
// See price_update.h.
#include "cmd/price_update.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/price_source.h"
#include "libburst/fsutil.h"
#include "libburst/xalloc.h"

#define PRICE_FACTOR 5.0 // more than this, up or down, is looked at by a person
#define SHARE_LEFT 0.5   // of the prices, at least

static void set_reason(struct price_update *r, enum price_outcome outcome, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void set_reason(struct price_update *r, enum price_outcome outcome, const char *fmt, ...)
{
    char text[1000];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    r->outcome = outcome;
    free(r->reason);
    r->reason = xstrdup(text);
}

static void on_complaint(void *arg, const struct catalog_complaint *c)
{
    static const char *const kind[] = {"refused", "quarantined", "skipped"};
    struct price_update *r = arg;

    if (r->n_complaints++ < PRICE_COMPLAINTS_KEPT)
        strbuf_addf(&r->complaints, "%s:%u: %s: %s\n", c->file, c->line, kind[c->kind], c->text);
}

// Why a person should look at it first; false when there is nothing.
static bool is_suspicious(struct price_update *r)
{
    const struct comparison *k = &r->cmp;
    const struct compare_move *m = k->move;

    if (k->after < SHARE_LEFT * k->before)
        set_reason(r, PRICES_REFUSED, "%u prices where there are %u now", k->after, k->before);
    else if (k->n_moves && (m->ratio > PRICE_FACTOR || m->ratio < 1 / PRICE_FACTOR))
        set_reason(r, PRICES_REFUSED, "the %s price of %s in %s goes from $%.4f to $%.4f",
                   market_name(m->market), m->instance_type, m->region, (double)m->before / 1e9,
                   (double)m->after / 1e9);
    return r->outcome == PRICES_REFUSED;
}

static void judge(const struct price_target *t, const char *fresh, const char *present,
                  struct price_update *r)
{
    burst_error_t err = {""};

    r->after = catalog_load_cloud(fresh, t->dir, on_complaint, r, &err);
    r->before = catalog_load_cloud(present, t->dir, NULL, NULL, NULL);
    if (!r->after) {
        set_reason(r, PRICES_REFUSED, "%s", err.text);
        return;
    }
    catalog_compare(r->before, r->after, &r->cmp);
    if (r->cmp.after == 0)
        set_reason(r, PRICES_REFUSED, "no row of it can be used");
    else if (!is_suspicious(r) || t->accept)
        r->outcome = PRICES_REPLACED;
}

static bool same_file(const char *path, const char *text, size_t len)
{
    char *present;
    size_t n;

    if (fs_read(path, PRICE_FILE_MAX, &present, &n, NULL) < 0)
        return false;
    bool same = n == len && memcmp(present, text, len) == 0;
    free(present);
    return same;
}

// The name `present` is there all the time: the former file gets a second name first.
static int replace(const struct price_target *t, const char *fresh, const char *present,
                   burst_error_t *errp)
{
    char *old = xasprintf("%s.old", present), *second = xasprintf("%s.second", fresh);
    struct stat st;
    int rc = -1;

    if (stat(present, &st) == 0) {
        // Who cannot give files away leaves them his own.
        if (chown(fresh, st.st_uid, st.st_gid) < 0 && errno != EPERM)
            errprintf(errp, "%s: %s", fresh, strerror(errno));
        else if (chmod(fresh, st.st_mode & 0777) < 0)
            errprintf(errp, "%s: %s", fresh, strerror(errno));
        else if ((unlink(second) < 0 && errno != ENOENT) || link(present, second) < 0 ||
                 rename(second, old) < 0)
            errprintf(errp, "cannot keep the former file as %s: %s", old, strerror(errno));
        else
            rc = 0;
    } else {
        rc = errno == ENOENT ? 0 : errprintf(errp, "%s: %s", present, strerror(errno));
    }
    if (rc == 0 && rename(fresh, present) < 0)
        rc = errprintf(errp, "%s: %s", present, strerror(errno));
    if (rc == 0)
        fsync(t->dir_fd);
    free(old);
    free(second);
    return rc;
}

void price_update(const struct price_target *t, const char *cloud, const char *where,
                  struct price_update *r)
{
    memset(r, 0, sizeof(*r));
    strbuf_init(&r->complaints, 65536);
    char *fresh = xasprintf("%s/" PRICE_SCRATCH "/%s.csv", t->dir, cloud);
    char *present = xasprintf("%s/%s.csv", t->dir, cloud), *text = NULL;
    burst_error_t err = {""};
    size_t len = 0;

    if (price_source_read(t->conf, cloud, where, &text, &len, &r->source, &err) < 0 ||
        fs_write_atomic(fresh, text, len, 0644, &err) < 0) {
        set_reason(r, PRICES_FAILED, "%s", err.text);
    } else if (same_file(present, text, len)) {
        r->outcome = PRICES_UNCHANGED;
    } else {
        judge(t, fresh, present, r);
        if (r->outcome == PRICES_REPLACED && !t->dry_run && replace(t, fresh, present, &err) < 0)
            set_reason(r, PRICES_FAILED, "%s", err.text);
    }
    unlink(fresh);
    free(text);
    free(fresh);
    free(present);
}

void price_update_free(struct price_update *r)
{
    strbuf_free(&r->complaints);
    catalog_destroy(r->before);
    catalog_destroy(r->after);
    free(r->source);
    free(r->reason);
}
