// SPDX-License-Identifier: GPL-3.0-or-later
// Checks of a configuration as a whole; those of shapes and clouds lie with their keys (conf.h).
#include "base/conf.h"
#include "base/conf_inside.h"

const char *conf_at(struct conf_check *k, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(k->place, sizeof(k->place), fmt, ap);
    va_end(ap);
    return k->place;
}

// The address of an HTTP listener: HOST:PORT or [V6]:PORT with a literal address.
static bool split_listen(const char *text, char *host, size_t size, unsigned *port)
{
    const char *colon = strrchr(text, ':');
    const char *start = text, *end = colon;
    unsigned char addr[16];
    char *rest;

    if (!colon || !isdigit((unsigned char)colon[1]))
        return false;
    if (*text == '[') {
        start++;
        end--;
        if (end < start || *end != ']')
            return false;
    }
    if ((size_t)(end - start) >= size)
        return false;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    unsigned long p = strtoul(colon + 1, &rest, 10);
    *port = (unsigned)p;
    return !*rest && p > 0 && p < 65536 &&
           inet_pton(*text == '[' ? AF_INET6 : AF_INET, host, addr) == 1;
}

static void check_addresses(struct conf_check *k)
{
    struct burst_conf *c = k->c;
    unsigned char addr[16];
    char host[80] = "";

    if (*c->listen && !split_listen(c->listen, host, sizeof(host), &c->listen_port))
        yt_fail(k->y, "listen",
                "\"%s\" is not ADDRESS:PORT with a numeric address, such as 10.0.0.1:8899",
                c->listen);
    xstrset(&c->listen_host, host);
    if (*c->controller_address && inet_pton(AF_INET, c->controller_address, addr) != 1 &&
        inet_pton(AF_INET6, c->controller_address, addr) != 1)
        yt_fail(k->y, "controller_address",
                "\"%s\" is not a numeric address; nodes write it into /etc/hosts, such as 10.0.0.1",
                c->controller_address);
    if ((strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0) && !*c->controller_address)
        yt_fail(k->y, "controller_address",
                "is missing: with listen on every address (%s) nodes cannot know where to report",
                c->listen);
}

static void check_dirs(struct conf_check *k)
{
    struct sockaddr_un sun;
    struct burst_conf *c = k->c;

    if (strlen(c->run_dir) + strlen("/burstd.sock") >= sizeof(sun.sun_path))
        yt_fail(k->y, "run_dir", "is too long: a socket below it may have at most %zu characters",
                sizeof(sun.sun_path) - 1);
    if (strcmp(c->run_dir, c->state_dir) == 0)
        yt_fail(k->y, "state_dir",
                "is the same directory as run_dir; run_dir is lost at a reboot, state_dir must "
                "last");
    if (strcmp(c->run_dir, "/") == 0)
        yt_fail(k->y, "run_dir", "must be a directory of its own, not /");
    if (strcmp(c->state_dir, "/") == 0)
        yt_fail(k->y, "state_dir", "must be a directory of its own, not /");
}

static void check_signal(struct conf_check *k)
{
    const char *name = k->c->spot_signal_name;

    if (!name) // the section is there and has errors of its own
        return;
    if (strncasecmp(name, "SIG", 3) == 0)
        name += 3;
    for (int s = 1; s < 32; s++) {
        const char *known = sigabbrev_np(s);
        if (!known || strcasecmp(known, name) != 0)
            continue;
        if (s == SIGKILL || s == SIGSTOP)
            yt_fail(k->y, "spot.signal",
                    "%s cannot be caught, so no job could write its checkpoint; USR1 is usual",
                    known);
        k->c->spot_signal = s;
        xstrset(&k->c->spot_signal_name, known);
        return;
    }
    yt_fail(k->y, "spot.signal", "\"%s\" is not a signal; write USR1, TERM or the like",
            k->c->spot_signal_name);
}

// "cloud/region", as egress.csv and --burst-data have it.
static void check_data(struct conf_check *k)
{
    const char *l = k->c->data_location, *slash = strchr(l, '/');

    if (!slash || slash == l || !slash[1] || strchr(slash + 1, '/') || strpbrk(l, "*?[] \t"))
        yt_fail(k->y, "data.location",
                "must be CLOUD/REGION, the name of this site in egress.csv, like local/site");
}

void conf_check(struct yt *y, struct burst_conf *c)
{
    struct conf_check k = {.y = y, .c = c};

    c->default_auto = strcmp(c->default_word, "auto") == 0;
    check_addresses(&k);
    check_dirs(&k);
    check_signal(&k);
    if (c->data_location)
        check_data(&k);
    if (c->block_max_s < c->block_s)
        yt_fail(y, "boot.block_max",
                "is shorter than boot.block (%" PRId64 "s); the time grows from one to the other",
                c->block_s);
    if (c->bound_pause_max_s < c->bound_pause_s)
        yt_fail(y, "bounds.pause_max",
                "is shorter than bounds.pause (%" PRId64 "s); the time grows from one to the other",
                c->bound_pause_s);
    conf_check_accels(&k);
    conf_check_shapes(&k);
    conf_check_clouds(&k);
    // Only names that are right and unique can be compared.
    if (yt_failed(y) == 0)
        conf_check_node_names(&k);
}
