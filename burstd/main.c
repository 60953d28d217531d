// SPDX-License-Identifier: GPL-3.0-or-later
// burstd: start, the look at everything ("tick"), stop. This is the one place that knows the order.
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/burstd.h"
#include "base/conf.h"
#include "base/log.h"
#include "cloud/clouds.h"
#include "cloud/observed.h"
#include "cloud/provider/http.h"
#include "libburst/clock.h"
#include "libburst/people.h"
#include "libburst/fsutil.h"
#include "libburst/xalloc.h"
#include "node/bind.h"
#include "node/data_check.h"
#include "node/node_http.h"
#include "plan/planner.h"
#include "plan/price_survey.h"
#include "plan/solver.h"
#include "reload.h"
#include "rpc/api.h"
#include "rpc/ready.h"
#include "rpc/rpc_server.h"
#include "slurm/publish.h"
#include "slurm/slurm_link.h"
#include "slurm/spool.h"
#include "state/bounds.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/journal.h"
#include "state/reader.h"
#include "state/shape_prices.h"
#include "state/store.h"
#include "tick.h"

#define TICK_MS 1000
#define PRUNE_MS 20000      // old rows of the journal go little by little
#define KEEP_S (90 * 86400) // stories of jobs are kept so long; charges for ever
#define FILES_WANTED 4096

struct main {
    struct burstd b;
    uv_timer_t tick, soon;
    uv_poll_t hints; // poke.sock
    int hint_fd;
    uv_signal_t term, intr, hup;
    int64_t prune_ms; // monotonic
    int64_t tick_took_ms;
    int64_t published_ms; // monotonic
};

static struct main m = {.hint_fd = -1};

// ---- tick

static void publish_now(void)
{
    publish(&m.b);
    m.published_ms = clock_mono_ms();
}

static void on_tick(uv_timer_t *t)
{
    publish_now(); // first: whoever submits meanwhile needs a fresh one
    tick(&m.b);
    price_survey_step(m.b.survey);
    if (clock_mono_ms() >= m.prune_ms) {
        m.prune_ms = clock_mono_ms() + PRUNE_MS;
        store_prune(m.b.store, clock_now_s() - KEEP_S);
    }
}

static void on_soon(uv_timer_t *t)
{
    int64_t begun = clock_mono_ms();

    publish_prices(&m.b);
    if (clock_mono_ms() - m.published_ms >= TICK_MS)
        publish_now();
    tick(&m.b);
    m.tick_took_ms = clock_mono_ms() - begun;
}

static void poke(struct burstd *b)
{
    if (!b->stopping && !journal_failing(b) && !uv_is_active((uv_handle_t *)&m.soon))
        // 2 ms gather what comes together; a look over many jobs is not taken back to back.
        uv_timer_start(&m.soon, on_soon, (uint64_t)(2 + 10 * m.tick_took_ms), 0);
}

static void slurm_changed(void *arg)
{
    poke(arg);
}

static void slurm_status(void *arg, bool ok, const char *why)
{
    if (ok)
        log_info("slurmctld answers");
    else
        log_warn("slurmctld does not answer: %s", why);
    poke(arg);
}

static void on_hint(uv_poll_t *p, int status, int events)
{
    char text[64];

    while (recv(m.hint_fd, text, sizeof(text), MSG_DONTWAIT) >= 0)
        ;
    slurm_link_poke(m.b.slurm);
    poke(&m.b);
}

// ---- start

static int listen_for_hints(struct burstd *b, burst_error_t *errp)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/poke.sock", b->conf->run_dir);

    if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
        return errprintf(errp, "%s/poke.sock: the path is too long for a socket", b->conf->run_dir);
    m.hint_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(sa.sun_path);
    if (m.hint_fd < 0 || bind(m.hint_fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
        chmod(sa.sun_path, 0660) < 0)
        return errprintf(errp, "%s: %s", sa.sun_path, strerror(errno));
    uv_poll_init(b->loop, &m.hints, m.hint_fd);
    uv_poll_start(&m.hints, UV_READABLE, on_hint);
    return 0;
}

static int read_public_key(struct burstd *b, burst_error_t *errp)
{
    char *path = xasprintf("%s.pub", b->conf->ssh_key);
    size_t len;
    int rc = fs_read(path, 4096, &b->ssh_public_key, &len, errp);

    if (rc == 0)
        b->ssh_public_key[strcspn(b->ssh_public_key, "\r\n")] = '\0';
    else
        errprefix(errp, "ssh.key (make a pair with: ssh-keygen -t ed25519 -N '' -f %s)",
                  b->conf->ssh_key);
    free(path);
    return rc;
}

static void load_instance(void *arg, struct instance *i)
{
    struct burstd *b = arg;

    instances_add(b->instances, i);
}

static void load_job(void *arg, struct bjob *j)
{
    struct burstd *b = arg;

    j->stored = true;
    jobs_add(b->jobs, j);
}

static int open_state(struct burstd *b, burst_error_t *errp)
{
    char *path = xasprintf("%s/journal.db", b->conf->state_dir);
    int rc = -1;

    if (fs_mkdirs(b->conf->state_dir, 0750, errp) == 0 &&
        fs_mkdirs(b->conf->run_dir, 0755, errp) == 0 && (b->store = store_open(path, errp)))
        rc = store_load(b->store, load_instance, load_job, b, errp);
    if (rc == 0 && store_fresh(b->store))
        log_warn("%s is new: nothing is known of instances, jobs and charges of before", path);
    if (rc == 0 && !(b->reader = reader_create(b->loop, path, errp)))
        rc = -1;
    free(path);
    if (rc == 0 && (instances_count(b->instances) || jobs_count(b->jobs)))
        log_info("journal: going on with %u instances and %u jobs", instances_count(b->instances),
                 jobs_count(b->jobs));
    return rc;
}

static const struct slurm_link_ops slurm_ops = {.changed = slurm_changed, .status = slurm_status};

static int start(struct burstd *b, burst_error_t *errp)
{
    b->instances = instances_create(b);
    b->jobs = jobs_create(b);
    b->ready = ready_create(b);
    b->planner = planner_create(b);
    b->prices = shape_prices_create();
    b->survey = price_survey_create(b);
    if (read_public_key(b, errp) < 0 || open_state(b, errp) < 0)
        return -1;
    b->bounds = bounds_create(b);
    b->data_checks = data_checks_create(b);
    b->observed = observed_create(b);
    if (!(b->http = http_create(b->loop, errp)) || !(b->clouds = clouds_create(b, errp)) ||
        !(b->solver = solver_create(b, errp)) ||
        !(b->spool = spool_create(b, bind_spooled, errp)) ||
        !(b->publisher = publisher_create(b, errp)) || listen_for_hints(b, errp) < 0)
        return -1;
    b->node_http = node_http_create(b, errp);
    if (!b->node_http && errp->text[0])
        return -1;
    b->slurm = slurm_link_create(b->loop, b->conf->slurm_conf, (int)(b->conf->slurm_poll_s * 1000),
                                 &slurm_ops, b, errp);
    return b->slurm ? api_start(b, errp) : -1;
}

// ---- stop: the reverse; instances stay as they are, the journal knows them

static void on_term(uv_signal_t *s, int signum)
{
    log_info("signal %d: stopping; rented nodes and their jobs go on", signum);
    m.b.stopping = true;
    uv_stop(m.b.loop);
}

static void on_hup(uv_signal_t *s, int signum)
{
    char *errors = NULL;

    reload(&m.b, &errors);
    free(errors);
}

static void stop(struct burstd *b)
{
    rpc_server_destroy(b->rpc);
    b->rpc = NULL; // what is read for a request now is for nobody
    reader_destroy(b->reader);
    ready_destroy(b->ready);
    slurm_link_destroy(b->slurm);
    node_http_destroy(b->node_http);
    if (m.hint_fd >= 0) {
        uv_close((uv_handle_t *)&m.hints, NULL);
        close(m.hint_fd);
    }
    publisher_destroy(b->publisher);
    spool_destroy(b->spool);
    solver_destroy(b->solver);
    price_survey_destroy(b->survey);
    shape_prices_destroy(b->prices);
    planner_destroy(b->planner);
    instances_destroy(b->instances); // before the clouds: cancels what is under way
    jobs_destroy(b->jobs);
    clouds_destroy(b->clouds);
    http_destroy(b->http);
    observed_destroy(b->observed);
    bounds_destroy(b->bounds);
    data_checks_destroy(b->data_checks);
    store_close(b->store);
    free(b->ssh_public_key);
}

static void close_handle(uv_handle_t *h)
{
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

static int serve(struct burstd *b)
{
    burst_error_t err = {""};
    int rc = 1;

    b->started = clock_now_s();
    b->uid_min = people_uid_min_here();
    b->poke = poke;
    b->reload = reload;
    uv_timer_init(b->loop, &m.tick);
    uv_timer_init(b->loop, &m.soon);
    uv_signal_init(b->loop, &m.term);
    uv_signal_init(b->loop, &m.intr);
    uv_signal_init(b->loop, &m.hup);
    if (start(b, &err) < 0) {
        log_error("%s", err.text);
    } else {
        uv_signal_start(&m.term, on_term, SIGTERM);
        uv_signal_start(&m.intr, on_term, SIGINT);
        uv_signal_start(&m.hup, on_hup, SIGHUP);
        uv_timer_start(&m.tick, on_tick, 0, TICK_MS);
        log_info("burstd %s is ready: cluster %s, %u clouds", PACKAGE_VERSION, b->conf->cluster,
                 b->conf->n_clouds);
        uv_run(b->loop, UV_RUN_DEFAULT);
        rc = 0;
    }
    stop(b);
    uv_handle_t *own[] = {(uv_handle_t *)&m.tick, (uv_handle_t *)&m.soon, (uv_handle_t *)&m.term,
                          (uv_handle_t *)&m.intr, (uv_handle_t *)&m.hup};
    for (size_t k = 0; k < sizeof(own) / sizeof(own[0]); k++)
        close_handle(own[k]);
    uv_run(b->loop, UV_RUN_DEFAULT);
    return rc;
}

// ---- command line

static void usage(FILE *f)
{
    fputs("usage: burstd [--conf FILE] [--check] [--log-file FILE] [--verbose]\n"
          "  --conf FILE      configuration (default $BURST_CONF or " BURST_CONF_PATH ")\n"
          "  --check          only check the configuration; exit 0 if it is good\n"
          "  --log-file FILE  log there instead of stderr\n"
          "  --verbose        log more\n"
          "See burstd(8) and burst.yaml(5).\n",
          f);
}

static const struct option options[] = {
    {"conf", required_argument, NULL, 'c'},
    {"check", no_argument, NULL, 'k'},
    {"log-file", required_argument, NULL, 'l'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

// Connections, helpers' pipes and files: as many as the site allows, up to what burstd would use.
// Too few are no error: the RPC server shares out those that there are.
static void raise_descriptors(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= FILES_WANTED)
        return;
    files.rlim_cur = files.rlim_max < FILES_WANTED ? files.rlim_max : FILES_WANTED;
    setrlimit(RLIMIT_NOFILE, &files);
}

static int load_conf(struct burstd *b, bool check)
{
    struct conf_errors errs;

    if (conf_load(b->conf_path, &b->conf, &errs) < 0) {
        char *text = conf_errors_text(&errs);
        fputs(text, stderr);
        free(text);
        return -1;
    }
    if (check)
        printf("%s: good\n", b->conf_path);
    return 0;
}

int main(int argc, char **argv)
{
    bool check = false;
    int c, rc;

    m.b.conf_path = conf_default_path();
    while ((c = getopt_long(argc, argv, "c:kl:vhV", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            m.b.conf_path = optarg;
            break;
        case 'k':
            check = true;
            break;
        case 'l':
            if (log_open(optarg) < 0) {
                fprintf(stderr, "burstd: %s: %s\n", optarg, strerror(errno));
                return 1;
            }
            break;
        case 'v':
            log_set_level(LOG_LEVEL_DEBUG);
            break;
        case 'h':
            usage(stdout);
            return 0;
        case 'V':
            puts("burstd " PACKAGE_VERSION);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (optind < argc) {
        usage(stderr);
        return 2;
    }
    // Credentials pass through this process: it leaves no core dump.
    prctl(PR_SET_DUMPABLE, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    raise_descriptors();
    signal(SIGPIPE, SIG_IGN);
    umask(0027);
    if (load_conf(&m.b, check) < 0)
        return 1;
    if (check) {
        conf_free(m.b.conf);
        return 0;
    }
    m.b.loop = uv_default_loop();
    rc = serve(&m.b);
    uv_loop_close(m.b.loop);
    conf_free(m.b.conf);
    return rc;
}
