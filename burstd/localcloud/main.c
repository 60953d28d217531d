// SPDX-License-Identifier: GPL-3.0-or-later
// burst-localcloud: rents "instances" on this machine over HTTP, as a cloud does. One thread, one
// loop; every state is on disk; instances do not depend on this process: it may be killed and
// started again at any time.
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uv.h>

#include "config.h"

#include "base/log.h"
#include "libburst/fsutil.h"
#include "libburst/xalloc.h"
#include "localcloud/api.h"
#include "localcloud/conf.h"
#include "localcloud/fleet.h"
#include "localcloud/guest.h"
#include "localcloud/httpd.h"
#include "localcloud/machine.h"

struct options {
    const char *config;
    const char *purge;
    const char *log_file;
    bool terminate_on_exit;
    bool check;
};

struct daemon {
    uv_loop_t loop;
    const struct options *options;
    struct conf *conf;
    struct fleet *fleet;
    struct machines *machines;
    struct httpd *httpd;
    struct api api;
    uv_timer_t due;
    uv_signal_t term, intr, chld, hup;
    int lock_fd;
    bool stopping;
};

static void usage(FILE *out)
{
    fputs(
        "usage: burst-localcloud --config FILE [--terminate-on-exit] [--log-file FILE] [--debug]\n"
        "       burst-localcloud --config FILE --check\n"
        "       burst-localcloud --purge STATE_DIR\n"
        "\n"
        "Rents instances on this machine over HTTP. See burst-localcloud(8).\n",
        out);
}

// One process per state directory. The descriptor is kept open for life; instances do not get it.
static int lock_state(const char *state_dir, burst_error_t *errp)
{
    char *path = xasprintf("%s/lock", state_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        errprintf(errp, "%s: %s", path, strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        errprintf(errp,
                  errno == EWOULDBLOCK ? "%s: a burst-localcloud runs on this state directory; end "
                                         "it first"
                                       : "%s: cannot lock",
                  path);
        close(fd);
        fd = -1;
    }
    free(path);
    return fd;
}

static int purge(const char *dir)
{
    burst_error_t err;
    char *state_dir = realpath(dir, NULL);
    int lock = -1, n = -1;

    if (!state_dir)
        errprintf(&err, "%s: %s", dir, strerror(errno));
    else if ((lock = lock_state(state_dir, &err)) >= 0)
        n = fleet_purge(state_dir, &err);
    free(state_dir);
    if (lock >= 0)
        close(lock);
    if (n < 0) {
        fprintf(stderr, "burst-localcloud: %s\n", err.text);
        return 1;
    }
    printf("burst-localcloud: %d instance%s ended\n", n, n == 1 ? "" : "s");
    return 0;
}

// ---- the loop ---------------------------------------------------------------------------------

static void on_due(uv_timer_t *t);

static void schedule(void *arg)
{
    struct daemon *d = arg;

    if (d->stopping && fleet_alive(d->fleet) == 0) {
        uv_stop(&d->loop);
        return;
    }
    int64_t ms = fleet_run_due(d->fleet);
    if (ms < 0)
        uv_timer_stop(&d->due);
    else
        uv_timer_start(&d->due, on_due, (uint64_t)(ms < 3600000 ? ms : 3600000), 0);
}

static void on_due(uv_timer_t *t)
{
    schedule(t->data);
}

static void on_machine(void *arg, struct instance *i, enum machine_event event, const char *text)
{
    struct daemon *d = arg;

    fleet_event(d->fleet, i, event, text);
    schedule(d);
}

static void on_term(uv_signal_t *s, int signum)
{
    struct daemon *d = s->data;

    if (!d->options->terminate_on_exit) {
        log_info("ends; %zu instances stay", fleet_alive(d->fleet));
        uv_stop(&d->loop);
        return;
    }
    log_info("ends, and %zu instances with it", fleet_alive(d->fleet));
    d->stopping = true;
    fleet_terminate_all(d->fleet);
    schedule(d);
}

// Instances are our children as long as we live; their end is seen through their pidfd.
static void on_chld(uv_signal_t *s, int signum)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static void on_hup(uv_signal_t *s, int signum)
{
    struct daemon *d = s->data;

    if (d->options->log_file && log_open(d->options->log_file) < 0)
        log_error("%s: %s", d->options->log_file, strerror(errno));
}

static void add_signal(struct daemon *d, uv_signal_t *s, int signum, uv_signal_cb cb)
{
    uv_signal_init(&d->loop, s);
    s->data = d;
    uv_signal_start(s, cb, signum);
}

// ---- start and stop ---------------------------------------------------------------------------

static int start_machines(struct daemon *d, burst_error_t *errp)
{
    const struct machines_config config = {
        .state_dir = d->conf->state_dir,
        .bridge = d->conf->bridge,
        .prefix = d->conf->prefix,
        .gateway = d->conf->gateway,
        .disk_mib = d->conf->disk_mib,
    };

    d->machines = machines_create(&d->loop, &config, on_machine, d, errp);
    return d->machines ? 0 : -1;
}

static int start_http(struct daemon *d, burst_error_t *errp)
{
    uint16_t port = d->conf->listen_port;
    int fd = httpd_listen(d->conf->listen_host, &port, false, errp);

    if (fd < 0)
        return -1;
    d->api = (struct api){.conf = d->conf, .fleet = d->fleet, .changed = schedule, .arg = d};
    d->httpd = httpd_create(&d->loop, fd, api_handle, &d->api, errp);
    if (!d->httpd)
        return -1;
    log_info("ready on %s:%u, %zu clouds, %zu instances", d->conf->listen_host, port,
             d->conf->n_clouds, fleet_alive(d->fleet));
    return 0;
}

static int start(struct daemon *d, burst_error_t *errp)
{
    if (fs_mkdirs(d->conf->state_dir, 0700, errp) < 0)
        return -1;
    d->lock_fd = lock_state(d->conf->state_dir, errp);
    if (d->lock_fd < 0)
        return -1;
    d->fleet = fleet_create(d->conf, &machine_ops_real, NULL, errp);
    if (!d->fleet || start_machines(d, errp) < 0)
        return -1;
    uv_timer_init(&d->loop, &d->due);
    d->due.data = d;
    add_signal(d, &d->chld, SIGCHLD, on_chld);
    add_signal(d, &d->term, SIGTERM, on_term);
    add_signal(d, &d->intr, SIGINT, on_term);
    add_signal(d, &d->hup, SIGHUP, on_hup);
    fleet_attach(d->fleet, d->machines);
    if (start_http(d, errp) < 0)
        return -1;
    schedule(d);
    return 0;
}

static void close_handle(uv_handle_t *h, void *arg)
{
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

// In reverse order of start(); every part may be missing. The instances live on.
static void stop(struct daemon *d)
{
    struct instance *i;
    size_t k = 0;

    httpd_destroy(d->httpd);
    while (d->fleet && (i = fleet_next(d->fleet, NULL, &k, true)))
        machine_let_go(i);
    // What is left are our own timer and signals; what was closed above frees itself.
    uv_walk(&d->loop, close_handle, NULL);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    uv_loop_close(&d->loop);
    machines_destroy(d->machines);
    fleet_destroy(d->fleet);
    if (d->lock_fd >= 0)
        close(d->lock_fd);
}

static int run(const struct options *options, struct conf *conf)
{
    struct daemon d = {.options = options, .conf = conf, .lock_fd = -1};
    burst_error_t err;
    int rc = 0;

    uv_loop_init(&d.loop);
    if (start(&d, &err) < 0) {
        log_error("%s", err.text);
        rc = 1;
    } else {
        uv_run(&d.loop, UV_RUN_DEFAULT);
    }
    stop(&d);
    return rc;
}

static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"terminate-on-exit", no_argument, NULL, 't'},
                                          {"purge", required_argument, NULL, 'p'},
                                          {"check", no_argument, NULL, 'k'},
                                          {"log-file", required_argument, NULL, 'l'},
                                          {"debug", no_argument, NULL, 'd'},
                                          {"version", no_argument, NULL, 'V'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->config = optarg;
            break;
        case 't':
            o->terminate_on_exit = true;
            break;
        case 'p':
            o->purge = optarg;
            break;
        case 'k':
            o->check = true;
            break;
        case 'l':
            o->log_file = optarg;
            break;
        case 'd':
            log_set_level(LOG_LEVEL_DEBUG);
            break;
        case 'V':
            puts("burst-localcloud " PACKAGE_VERSION);
            return 1;
        case 'h':
            usage(stdout);
            return 1;
        default:
            usage(stderr);
            return -1;
        }
    }
    if (optind != argc || !o->config == !o->purge) {
        usage(stderr);
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options o = {0};
    burst_error_t err;

    if (argc == 2 && strcmp(argv[1], "--instance") == 0)
        _exit(guest_main());
    int rc = parse_options(argc, argv, &o);
    if (rc != 0)
        return rc < 0 ? 2 : 0;
    // Tokens and host keys are in memory: no core dumps.
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);
    if (geteuid() != 0 && !o.check) {
        fprintf(stderr, "burst-localcloud: needs root: it makes namespaces, mounts and links\n");
        return 1;
    }
    if (o.purge)
        return purge(o.purge);
    if (o.log_file && log_open(o.log_file) < 0) {
        fprintf(stderr, "burst-localcloud: %s: %s\n", o.log_file, strerror(errno));
        return 1;
    }
    struct conf *conf = conf_load(o.config, &err);
    if (!conf) {
        fprintf(stderr, "burst-localcloud: %s\n", err.text);
        return 1;
    }
    if (o.check)
        printf("%s: ok\n", o.config);
    rc = o.check ? 0 : run(&o, conf);
    conf_free(conf);
    return rc;
}
