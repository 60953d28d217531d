// SPDX-License-Identifier: GPL-3.0-or-later
// Times one look of burstd at everything (tick.c) at a large site: 2,000 node names, 1,000 rented
// nodes that run a job each, 10,000 jobs that wait here and may burst, or all want capacity now;
// with a listing of each cloud; the plugin's snapshot; and the longest turn of the loop while each
// request of people is answered, over a journal with 200,000 charges. One JSON object a line.
//
// Slurm, clouds, SSH and the optimizer are silent stand-ins; the tables are filled by the messages
// that burst-slurm sends. `first` is the look that meets all of it, and asks the optimizer. Times
// are of the processor: the disk that the first look waits for is not in them.
//
// usage: bench_look [--steps]: also what each part of a look takes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "cloud/clouds.h"
#include "cloud/observed.h"
#include "job/jobflow.h"
#include "libburst/clock.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"
#include "money/comment.h"
#include "node/join.h"
#include "node/preempt.h"
#include "node/provision.h"
#include "node/stage.h"
#include "node/stagerd_client.h"
#include "node/stray.h"
#include "node/sweep.h"
#include "plan/planner.h"
#include "plan/solver.h"
#include "rpc/api_history.h"
#include "rpc/api_why.h"
#include "rpc/api_listing.h"
#include "rpc/api_people.h"
#include "rpc/ready.h"
#include "rpc/rpc_server.h"
#include "slurm/publish.h"
#include "slurm/limits.h"
#include "slurm/slurm_link.h"
#include "slurm/spool.h"
#include "slurm/tables.h"
#include "ssh/port_wait.h"
#include "ssh/site_ready.h"
#include "ssh/ssh_op.h"
#include "state/bounds.h"
#include "state/instances.h"
#include "state/jobs.h"
#include "state/reader.h"
#include "state/shape_prices.h"
#include "state/store.h"
#include "tick.h"

#define CLOUDS 5
#define SHAPES 2
#define NAMES 200 // of each cloud and shape
#define LOCAL_NODES 500
#define LOOKS 21
#define CHARGES 200000

static struct tables *tables;
static char dir[] = "/tmp/burst-look-XXXXXX";
static bool steps;
static int64_t begun_s;

// ---- stand-ins

bool slurm_link_ready(const struct slurm_link *l)
{
    return true;
}

const struct sjob *slurm_link_job(const struct slurm_link *l, const char *job)
{
    return tables_job(tables, job);
}

const struct sjob *slurm_link_job_by_id(const struct slurm_link *l, uint32_t job_id)
{
    return tables_job_by_id(tables, job_id);
}

const struct snode *slurm_link_node(const struct slurm_link *l, const char *name)
{
    return tables_node(tables, name);
}

size_t slurm_link_jobs(const struct slurm_link *l, const struct sjob *const **jobs)
{
    return tables_jobs(tables, jobs);
}

size_t slurm_link_nodes(const struct slurm_link *l, const struct snode *const **nodes)
{
    return tables_nodes(tables, nodes);
}

size_t slurm_link_parts(const struct slurm_link *l, const struct spart *const **parts)
{
    return tables_parts(tables, parts);
}

const struct spart *slurm_link_part(const struct slurm_link *l, const char *name)
{
    const struct spart *const *parts;
    size_t n = tables_parts(tables, &parts);

    for (size_t k = 0; k < n; k++)
        if (strcmp(parts[k]->name, name) == 0)
            return parts[k];
    return NULL;
}

void slurm_link_poke(struct slurm_link *l)
{
}

void slurm_link_fast(struct slurm_link *l, bool on)
{
}

void slurm_link_command(struct slurm_link *l, cJSON *cmd, slurm_cmd_cb cb, void *arg)
{
    cJSON_Delete(cmd); // no answer ever comes
}

bool slurm_link_limits_ready(struct slurm_link *l, const char *const *users, size_t n)
{
    return true;
}

const struct limits *slurm_link_limits(const struct slurm_link *l)
{
    static struct limits *none;

    if (!none)
        none = limits_create();
    return none;
}

int64_t slurm_link_last_update(const struct slurm_link *l)
{
    return begun_s;
}

void spool_scan(struct spool *s)
{
}

int spool_waiting(const struct spool *s)
{
    return 0;
}

bool ready_waiting(const struct ready *r)
{
    return false;
}

void ready_step(struct burstd *b)
{
}

void stagerd_append(struct burstd *b, uint32_t uid, uint32_t gid, const char *user,
                    const char *path, const char *text)
{
}

void stagerd_ask(struct burstd *b, cJSON *request, stagerd_answer *cb, void *arg)
{
    cJSON_Delete(request); // the site's file system is shared
}

int site_ready(const struct site_needs *needs, burst_error_t *errp)
{
    return 0;
}

struct ssh_op *ssh_op_start(uv_loop_t *loop, cJSON *request, const struct ssh_op_callbacks *cb,
                            void *arg, burst_error_t *errp)
{
    cJSON_Delete(request);
    errprintf(errp, "there is no SSH here");
    return NULL;
}

void ssh_op_cancel(struct ssh_op *op)
{
}

struct port_wait *port_wait_start(uv_loop_t *loop, const char *address, int port, int64_t limit_ms,
                                  port_wait_cb done, void *arg)
{
    return xmalloc(1); // never answers
}

void port_wait_cancel(struct port_wait *w)
{
    free(w);
}

static unsigned questions, tasks;

void solver_ask(struct solver *s, cJSON *request, solver_cb cb, void *arg)
{
    questions++;
    tasks = (unsigned)cJSON_GetArraySize(cJSON_GetObjectItem(request, "tasks"));
    cJSON_Delete(request); // no answer ever comes
}

static struct provider *create(uv_loop_t *loop, struct http *http,
                               const struct provider_config *config, burst_error_t *errp)
{
    return xmalloc(1);
}

static void destroy(struct provider *p)
{
    free(p);
}

static void list_owned(struct provider *p, provider_cb cb, void *arg)
{
}

static void one(struct provider *p, const char *id, const char *region, provider_cb cb, void *arg)
{
}

static const struct provider_ops silent = {.name = "local",
                                           .create = create,
                                           .destroy = destroy,
                                           .list_owned = list_owned,
                                           .describe = one,
                                           .terminate = one};

const struct provider_ops *provider_find(const char *name, burst_error_t *errp)
{
    return &silent;
}

const char *provider_class_name(enum provider_class c)
{
    return "ok";
}

// ---- the site

static char *yaml(bool waits)
{
    char *y =
        xasprintf("cluster: bench\nrun_dir: %s\nstate_dir: /nowhere\n"
                  "eligibility: {partitions: [main], accounts: ['*'], users: ['*'], max_time: 7d}\n"
                  "spill: {wait_threshold: %s, max_instances: 5000}\n"
                  "budget: {max_usd_per_job: 100, max_usd_per_day: 500000}\n"
                  "munge_key: /etc/burst/munge.key\ndata: {shared_filesystem: true}\nssh: {key: "
                  "/etc/burst/id, user: root}\n"
                  "shapes:\n  - {name: a, cpus: 8, memory: 1000MiB, nodes: %d}\n"
                  "  - {name: b, cpus: 16, memory: 1000MiB, nodes: %d}\nclouds:\n",
                  dir, waits ? "300d" : "0s", NAMES, NAMES);

    for (int c = 0; c < CLOUDS; c++) {
        char *old = y;
        y = xasprintf("%s  - {name: c%d, provider: local, endpoint: 'http://127.0.0.1:1',"
                      " credentials: /x, max_nodes: %d, max_usd_per_day: 100000}\n",
                      old, c, SHAPES * NAMES);
        free(old);
    }
    return y;
}

static void poke(struct burstd *b)
{
}

static char public_key[] = "ssh-ed25519 AAAA";

static struct burstd *start(bool waits)
{
    struct burstd *b = xmalloc(sizeof(*b));
    struct conf_errors errs;
    burst_error_t err = {""};
    char *text = yaml(waits), *journal = xasprintf("%s/journal.db", dir);

    if (conf_parse("bench.yaml", text, strlen(text), &b->conf, &errs) < 0) {
        fputs(conf_errors_text(&errs), stderr);
        exit(1);
    }
    free(text);
    tables = tables_create();
    b->poke = poke;
    b->ssh_public_key = public_key;
    b->instances = instances_create(b);
    b->jobs = jobs_create(b);
    b->planner = planner_create(b);
    b->prices = shape_prices_create();
    b->store = store_open(journal, &err);
    b->bounds = b->store ? bounds_create(b) : NULL;
    b->observed = b->store ? observed_create(b) : NULL;
    b->clouds = clouds_create(b, &err);
    b->publisher = publisher_create(b, &err);
    if (!b->store || !b->clouds || !b->publisher) {
        fprintf(stderr, "bench: %s\n", err.text);
        exit(1);
    }
    for (unsigned k = 0; k < CLOUDS; k++)
        clouds_at(b->clouds, k)->listed_once = true;
    free(journal);
    return b;
}

static void remove_file(const char *name)
{
    char *path = xasprintf("%s/%s", dir, name);

    unlink(path);
    free(path);
}

static void stop(struct burstd *b)
{
    planner_destroy(b->planner);
    shape_prices_destroy(b->prices);
    publisher_destroy(b->publisher);
    instances_destroy(b->instances);
    jobs_destroy(b->jobs);
    clouds_destroy(b->clouds);
    observed_destroy(b->observed);
    bounds_destroy(b->bounds);
    store_close(b->store);
    conf_free(b->conf);
    tables_destroy(tables);
    free(b);
    remove_file("journal.db");
    remove_file("snapshot");
}

// ---- Slurm's tables, as burst-slurm tells them

static void tell(const char *type, const char *key, cJSON *rows)
{
    cJSON *msg = cJSON_CreateObject();

    json_add_str(msg, "type", type);
    cJSON_AddItemToObject(msg, key, rows);
    tables_take(tables, msg);
    cJSON_Delete(msg);
}

static cJSON *a_partition(const char *name, bool is_default)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "name", name);
    cJSON_AddBoolToObject(o, "default", is_default);
    json_add_str(o, "state", "UP");
    return o;
}

static void tell_partitions(void)
{
    cJSON *list = cJSON_CreateArray();

    cJSON_AddItemToArray(list, a_partition("main", true));
    for (int c = 0; c < CLOUDS; c++) {
        char name[16];
        snprintf(name, sizeof(name), "c%d", c);
        cJSON_AddItemToArray(list, a_partition(name, false));
    }
    tell("partitions", "partitions", list);
}

static cJSON *a_node(const char *name, const char *partition, const char *const *states)
{
    cJSON *o = cJSON_CreateObject(), *list;

    json_add_str(o, "name", name);
    list = cJSON_AddArrayToObject(o, "state");
    for (; *states; states++)
        cJSON_AddItemToArray(list, cJSON_CreateString(*states));
    list = cJSON_AddArrayToObject(o, "partitions");
    cJSON_AddItemToArray(list, cJSON_CreateString(partition));
    json_add_i64(o, "cpus", 16);
    json_add_i64(o, "memory_mib", 64000);
    return o;
}

// The name with this number, of all names in turn; false: there are no more.
static bool name_of(struct burstd *b, unsigned k, char *name, const struct cloud_conf **cloud,
                    const struct shape_conf **shape)
{
    if (k >= CLOUDS * SHAPES * NAMES)
        return false;
    *cloud = &b->conf->clouds[k % CLOUDS];
    *shape = &b->conf->shapes[k / CLOUDS % SHAPES];
    return conf_node_name(*cloud, *shape, k / (CLOUDS * SHAPES) + 1, name, NULL) == 0;
}

static void tell_nodes(struct burstd *b, unsigned used)
{
    static const char *const busy[] = {"ALLOCATED", "CLOUD", NULL};
    static const char *const off[] = {"IDLE", "CLOUD", "POWERED_DOWN", NULL};
    static const char *const local[] = {"ALLOCATED", NULL};
    cJSON *list = cJSON_CreateArray();
    const struct cloud_conf *c;
    const struct shape_conf *s;
    char name[CONF_NODE_NAME_MAX];

    for (unsigned k = 0; name_of(b, k, name, &c, &s); k++)
        cJSON_AddItemToArray(list, a_node(name, c->name, k < used ? busy : off));
    for (int k = 0; k < LOCAL_NODES; k++) {
        snprintf(name, sizeof(name), "n%03d", k);
        cJSON_AddItemToArray(list, a_node(name, "main", local));
    }
    tell("nodes", "nodes", list);
}

static cJSON *a_job(unsigned id, const char *state, const char *partition, const char *node)
{
    cJSON *o = cJSON_CreateObject();
    char key[16];

    snprintf(key, sizeof(key), "%u", id);
    json_add_str(o, "job", key);
    json_add_i64(o, "job_id", id);
    json_add_i64(o, "uid", 1000 + id % 50);
    json_add_str(o, "user", "alice");
    json_add_str(o, "account", "physics");
    json_add_str(o, "partition", partition);
    json_add_str(o, "state", state);
    json_add_str(o, "reason", "Resources");
    json_add_str(o, "work_dir", "/home/alice");
    json_add_str(o, "std_out", "/home/alice/out");
    json_add_str(o, "admin_comment", "burst:1 eligible part=main");
    json_add_str(o, "nodes", node);
    json_add_i64(o, "gid", 1000);
    json_add_i64(o, "submit", begun_s - 300);
    json_add_i64(o, "start", node ? begun_s - 50 : 0);
    json_add_i64(o, "time_limit_s", 3600);
    json_add_i64(o, "priority", 1000 + id % 100);
    json_add_i64(o, "num_nodes_min", 1);
    json_add_i64(o, "num_cpus", 8);
    json_add_i64(o, "cpus_per_task", 1);
    json_add_i64(o, "num_tasks", 8);
    cJSON_AddBoolToObject(o, "batch", true);
    cJSON_AddBoolToObject(o, "requeue", true);
    return o;
}

static void tell_pending(unsigned n)
{
    cJSON *list = cJSON_CreateArray();

    for (unsigned k = 0; k < n; k++)
        cJSON_AddItemToArray(list, a_job(100000 + k, "PENDING", "main", NULL));
    tell("jobs", "jobs", list);
}

// ---- what runs on rented nodes

static void rent(struct burstd *b, unsigned k, const char *node, const struct cloud_conf *c,
                 const struct shape_conf *s)
{
    struct instance *i = xmalloc(sizeof(*i));
    struct bjob *j = bjob_create();

    snprintf(i->id, sizeof(i->id), "bench-%016x-0", k);
    snprintf(i->group, sizeof(i->group), "bench-%016x", k);
    snprintf(i->cloud_id, sizeof(i->cloud_id), "i-%06u", k);
    snprintf(i->cloud, sizeof(i->cloud), "%s", c->name);
    snprintf(i->partition, sizeof(i->partition), "%s", c->name);
    snprintf(i->shape, sizeof(i->shape), "%s", s->name);
    snprintf(i->itype, sizeof(i->itype), "m8");
    snprintf(i->region, sizeof(i->region), "r1");
    snprintf(i->address, sizeof(i->address), "10.0.%u.%u", k / 200, k % 200 + 1);
    snprintf(i->node, sizeof(i->node), "%s", node);
    snprintf(i->job, sizeof(i->job), "%u", k + 1);
    i->price = 1000000;
    i->state = INST_BUSY;
    i->flags = INST_F_RESUMED | INST_F_STAGED_IN | INST_F_STAGE_OUT;
    i->created = i->launched = i->charged_to = i->since = begun_s - 200;
    i->join_done = i->addr_set = true;
    i->spot = true;
    instances_add(b->instances, i);
    snprintf(j->key, sizeof(j->key), "%u", k + 1);
    j->job_id = k + 1;
    j->uid = 1000 + (k + 1) % 50;
    snprintf(j->user, sizeof(j->user), "alice");
    snprintf(j->account, sizeof(j->account), "physics");
    snprintf(j->origin, sizeof(j->origin), "main");
    snprintf(j->cloud, sizeof(j->cloud), "%s", c->name);
    snprintf(j->partition, sizeof(j->partition), "%s", c->name);
    snprintf(j->shape, sizeof(j->shape), "%s", s->name);
    snprintf(j->group, sizeof(j->group), "%s", i->group);
    bjob_set(&j->mark, "burst:1 eligible part=main");
    bjob_set(&j->node_names, node);
    j->nodes = 1;
    j->state = JOB_RUNNING;
    j->started = j->placed_at = begun_s - 50;
    j->submit = j->met = begun_s - 300;
    j->limit_s = 3600;
    j->price = i->price;
    j->stored = true;
    jobs_add(b->jobs, j);
}

static void run_on(struct burstd *b, unsigned n)
{
    cJSON *list = cJSON_CreateArray();
    const struct cloud_conf *c;
    const struct shape_conf *s;
    char name[CONF_NODE_NAME_MAX];

    for (unsigned k = 0; k < n && name_of(b, k, name, &c, &s); k++) {
        cJSON_AddItemToArray(list, a_job(k + 1, "RUNNING", c->name, name));
        rent(b, k, name, c, s);
    }
    tell("jobs", "jobs", list);
}

// A listing of each cloud that has all of its instances.
static void hear_listings(struct burstd *b)
{
    for (unsigned k = 0; k < CLOUDS; k++) {
        struct cloud *c = clouds_at(b->clouds, k);
        c->listed = xcalloc(instances_count(b->instances) + 1, sizeof(*c->listed));
        c->n_listed = 0;
        c->heard = true;
        INSTANCES_EACH(b->instances, i)
        {
            struct provider_instance *p = &c->listed[c->n_listed];
            if (strcmp(i->cloud, c->conf->name) != 0)
                continue;
            c->n_listed++;
            snprintf(p->id, sizeof(p->id), "%s", i->cloud_id);
            snprintf(p->tag_instance, sizeof(p->tag_instance), "%s", i->id);
            snprintf(p->address, sizeof(p->address), "%s", i->address);
            snprintf(p->region, sizeof(p->region), "%s", i->region);
            snprintf(p->instance_type, sizeof(p->instance_type), "%s", i->itype);
            p->state = PROVIDER_RUNNING;
            p->spot = i->spot;
            p->price = i->price;
            p->launched_at = i->launched;
        }
    }
}

// ---- measuring

// The loop's own time on a processor: other programs on this machine do not count, and neither does
// the disk.
static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double timed(void (*f)(struct burstd *b), struct burstd *b)
{
    double begun = now_ms();

    f(b);
    return now_ms() - begun;
}

static void provision(struct burstd *b)
{
    provision_step(b);
    clouds_step(b->clouds);
    jobs_flush(b);
    instances_sweep(b->instances);
}

static void show_steps(struct burstd *b, const char *name)
{
    static const struct {
        const char *name;
        void (*f)(struct burstd *b);
    } part[] = {{"sweep", sweep_step}, {"jobflow", jobflow_step}, {"planner", planner_step},
                {"stage", stage_step}, {"preempt", preempt_step}, {"join", join_step},
                {"stray", stray_step}, {"comment", comment_step}, {"provision", provision},
                {"publish", publish}};

    for (size_t k = 0; steps && k < sizeof(part) / sizeof(part[0]); k++)
        printf("{\"bench\":\"%s: %s\",\"value\":%.3f,\"unit\":\"ms\"}\n", name, part[k].name,
               timed(part[k].f, b));
}

// first: the look before, which met everything.
static void measure(struct burstd *b, const char *name, void (*before)(struct burstd *b),
                    void (*look)(struct burstd *b), double first)
{
    double ms[LOOKS];

    for (int k = 0; k < LOOKS; k++) {
        if (before)
            before(b);
        ms[k] = timed(look, b);
    }
    qsort(ms, LOOKS, sizeof(ms[0]), by_value);
    printf("{\"bench\":\"%s\",\"value\":%.3f,\"unit\":\"ms\",\"min\":%.3f,\"max\":%.3f,\"n\":%d",
           name, ms[LOOKS / 2], ms[0], ms[LOOKS - 1], LOOKS);
    if (first >= 0)
        printf(",\"first\":%.1f", first);
    printf("}\n");
    show_steps(b, name);
    fflush(stdout);
}

// ---- what people ask

static const struct rpc_method methods[] = {
    {"status", people_status, false, false}, {"jobs", listing_jobs, false, false},
    {"nodes", listing_nodes, false, false},  {"why", why_answer, false, false},
    {"cost", history_cost, false, false},    {NULL, NULL, false, false},
};

static void add_charges(struct burstd *b)
{
    burst_error_t err;

    store_begin(b->store, &err);
    for (unsigned k = 0; k < CHARGES; k++) {
        char job[16], instance[32];
        snprintf(job, sizeof(job), "%u", k / 4);
        snprintf(instance, sizeof(instance), "old-%u", k / 4);
        struct charge c = {.instance = instance,
                           .job = job,
                           .cloud = "c1",
                           .partition = "c1",
                           .user = "alice",
                           .account = "physics",
                           .kind = "busy",
                           .from = begun_s - 100000 + k / 4,
                           .to = begun_s - 99000 + k / 4,
                           .amount = 1000};
        store_put_charge(b->store, &c, &err);
    }
    store_commit(b->store, &err);
}

static int connect_to(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

// The longest turn until the whole answer is there.
static void ask(struct burstd *b, int fd, const char *name, const char *request)
{
    static char buf[1 << 20];
    double worst = 0;
    size_t total = 0;
    unsigned turns = 0;
    ssize_t n;

    if (write(fd, request, strlen(request)) < 0)
        exit(1);
    for (bool whole = false; !whole; turns++) {
        double begun = now_ms();
        uv_run(b->loop, UV_RUN_ONCE);
        double took = now_ms() - begun;
        worst = took > worst ? took : worst;
        while (!whole && (n = read(fd, buf, sizeof(buf))) > 0) {
            total += (size_t)n;
            whole = buf[n - 1] == '\n';
        }
    }
    printf("{\"bench\":\"request-%s\",\"value\":%.3f,\"unit\":\"ms\",\"turns\":%u,\"bytes\":%zu}\n",
           name, worst, turns, total);
    fflush(stdout);
}

static void requests(struct burstd *b)
{
    char *path = xasprintf("%s/burstd.sock", dir), *journal = xasprintf("%s/journal.db", dir);
    burst_error_t err = {""};

    add_charges(b);
    b->loop = uv_default_loop();
    b->reader = reader_create(b->loop, journal, &err);
    b->rpc = b->reader ? rpc_server_create(b->loop, path, methods, b->conf, b, &err) : NULL;
    if (!b->rpc) {
        fprintf(stderr, "bench: %s\n", err.text);
        exit(1);
    }
    int fd = connect_to(path);
    ask(b, fd, "status", "{\"method\":\"status\"}\n");
    ask(b, fd, "jobs", "{\"method\":\"jobs\",\"params\":{\"all\":true}}\n");
    ask(b, fd, "nodes", "{\"method\":\"nodes\",\"params\":{\"all\":true}}\n");
    ask(b, fd, "why", "{\"method\":\"why\",\"params\":{\"job\":\"1\"}}\n");
    ask(b, fd, "cost", "{\"method\":\"cost\"}\n");
    ask(b, fd, "cost-by-job", "{\"method\":\"cost\",\"params\":{\"by\":\"job\"}}\n");
    close(fd);
    rpc_server_destroy(b->rpc);
    reader_destroy(b->reader);
    b->rpc = NULL;
    b->reader = NULL;
    uv_run(b->loop, UV_RUN_DEFAULT);
    free(path);
    free(journal);
}

static void look_at(const char *name, unsigned instances, unsigned pending, bool wait)
{
    struct burstd *b = start(wait);

    tell_partitions();
    tell_nodes(b, instances);
    tell_pending(pending);
    run_on(b, instances);
    double first = timed(tick, b);
    measure(b, name, NULL, tick, first);
    if (instances && pending && wait) {
        measure(b, "listings-1000", hear_listings, tick, -1);
        measure(b, "publish", NULL, publish, -1);
        requests(b);
    }
    if (questions)
        printf("{\"bench\":\"%s-questions\",\"value\":%u,\"unit\":\"tasks\"}\n", name, tasks);
    questions = 0;
    stop(b);
}

int main(int argc, char **argv)
{
    steps = argc > 1 && strcmp(argv[1], "--steps") == 0;
    if (!mkdtemp(dir)) {
        perror(dir);
        return 1;
    }
    log_set_level(LOG_LEVEL_ERROR);
    begun_s = clock_now_s();
    look_at("look-1000-instances", 1000, 0, true);
    look_at("look-10000-pending", 0, 10000, true);
    look_at("look-all", 1000, 10000, true);
    look_at("look-all-candidates", 1000, 10000, false);
    rmdir(dir);
    return 0;
}
