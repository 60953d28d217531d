// SPDX-License-Identifier: GPL-3.0-or-later
// See conf.h: the keys of burst.yaml, all but those of shapes and clouds; load, free, errors.
#include "base/conf.h"
#include "base/conf_inside.h"

#define FILE_MAX (1 << 20)

#define AT(m) offsetof(struct burst_conf, m)
static const struct yt_field operators_table[] = {
    LIST("users", operator_users, ""),
    LIST("groups", operator_groups, ""),
    {0},
};

static const struct yt_field slurm_table[] = {
    DIRECTORY("conf", slurm_conf, "/etc/slurm/slurm.conf"),
    TIME("poll", slurm_poll_s, "1s", 1, 60),
    {.key = "node_sharing",
     .kind = YT_WORD,
     .off = AT(node_sharing),
     .dflt = "user",
     .words = "user|exclusive|none"},
    LIST("allow_qos", allow_qos, ""),
    {0},
};

// `default` is a word in the file and a flag in the structure; see conf_check().
static const struct yt_field eligibility_table[] = {
    {.key = "default",
     .kind = YT_WORD,
     .off = AT(default_word),
     .dflt = "auto",
     .words = "auto|never"},
    LIST("partitions", partitions, "*"),
    LIST("accounts", accounts, "*"),
    LIST("deny_accounts", deny_accounts, ""),
    LIST("users", users, "*"),
    LIST("deny_users", deny_users, ""),
    UINT("max_nodes", max_nodes, "16", 1, 10000),
    TIME("max_time", max_time_s, "7d", 60, 3650 * DAY),
    {.key = "interactive", .kind = YT_BOOL, .off = AT(interactive), .dflt = "false"},
    TIME("accept_while_down", accept_while_down_s, "15m", 0, 7 * DAY),
    LIST("local_gpu_types", local_gpu_types, ""),
    {0},
};

#undef AT
#define AT(m) offsetof(struct waiting_conf, m)
static const struct yt_field waiting_table[] = {
    LIST("partition", partitions, "*"),
    LIST("qos", qos, "*"),
    CAP("usd_per_hour", usd, NULL),
    {0},
};

#undef AT
#define AT(m) offsetof(struct burst_conf, m)
static const struct yt_field spill_table[] = {
    TIME("wait_threshold", wait_threshold_s, "5m", 0, 365 * DAY),
    TIME("min_pending", min_pending_s, "0s", 0, 365 * DAY),
    CAP("cost_of_waiting_usd_per_hour", waiting_usd, "none"),
    {.key = "cost_of_waiting",
     .kind = YT_ARRAY,
     .off = AT(waiting),
     .off_n = AT(n_waiting),
     .dflt = "",
     .sub = waiting_table,
     .size = sizeof(struct waiting_conf)},
    UINT("max_instances", max_instances, "64", 0, 100000),
    TIME("default_runtime", default_runtime_s, "1h", 60, 365 * DAY),
    {0},
};

static const struct yt_field budget_table[] = {
    CAP("max_usd_per_job", max_per_job, "100"),
    CAP("max_usd_per_day", max_per_day, "500"),
    {0},
};

static const struct yt_field data_table[] = {
    {.key = "shared_filesystem", .kind = YT_BOOL, .off = AT(shared_filesystem), .dflt = "false"},
    {.key = "max_stage",
     .kind = YT_SIZE,
     .off = AT(max_stage_bytes),
     .dflt = "10GiB",
     .min = 0,
     .max = INT64_C(1) << 50},
    TIME("sync_interval", sync_interval_s, "0s", 0, 30 * DAY),
    TIME("keep_results", keep_results_s, "30m", 0, 30 * DAY),
    CAP("keep_results_max_usd", keep_results_cost, "10"),
    DIRECTORY("results_dir", results_dir, BURST_RESULTSDIR),
    STRING("location", data_location, "local/site", 120),
    LIST("exclude", exclude, ""),
    {0},
};

static const struct yt_field ssh_table[] = {
    DIRECTORY("key", ssh_key, BURST_SYSCONFDIR "/id_ed25519"),
    {.key = "user", .kind = YT_STR, .off = AT(ssh_user), .dflt = "root", .min = 1, .max = 32},
    TIME("connect_timeout", ssh_connect_timeout_s, "120s", 1, 3600),
    {0},
};

static const struct yt_field spot_table[] = {
    {.key = "signal",
     .kind = YT_STR,
     .off = AT(spot_signal_name),
     .dflt = "USR1",
     .min = 1,
     .max = 16},
    TIME("grace", spot_grace_s, "20s", 0, 3600),
    TIME("changeover", spot_changeover_s, "3m", 0, DAY),
    {0},
};

static const struct yt_field boot_table[] = {
    TIME("launch_timeout", launch_timeout_s, "60s", 1, 3600),
    TIME("ssh_timeout", ssh_timeout_s, "180s", 1, 7200),
    TIME("join_timeout", join_timeout_s, "60s", 1, 3600),
    TIME("block", block_s, "60s", 1, DAY),
    TIME("block_max", block_max_s, "1h", 1, 30 * DAY),
    {0},
};

static const struct yt_field bounds_table[] = {
    TIME("pause", bound_pause_s, "1h", 1, 30 * DAY),
    TIME("pause_max", bound_pause_max_s, "1d", 1, 365 * DAY),
    {0},
};

static const struct yt_field reap_table[] = {
    TIME("minimum_age", reap_minimum_age_s, "90s", 0, DAY),
    TIME("interval", reap_interval_s, "30s", 1, 3600),
    {0},
};

static const struct yt_field root_table[] = {
    {.key = "cluster", .kind = YT_NAME, .off = AT(cluster), .min = 1, .max = CONF_NAME_MAX},
    DIRECTORY("run_dir", run_dir, BURST_RUNDIR),
    DIRECTORY("state_dir", state_dir, BURST_STATEDIR),
    DIRECTORY("catalog_dir", catalog_dir, BURST_SYSCONFDIR "/catalog"),
    {.key = "slurm_user",
     .kind = YT_STR,
     .off = AT(slurm_user),
     .dflt = "slurm",
     .min = 1,
     .max = 32},
    SECTION("operators", operators_table),
    STRING("listen", listen, "", 80),
    STRING("controller_address", controller_address, "", 63),
    SECTION("slurm", slurm_table),
    LIST("licenses", licenses, ""),
    SECTION("eligibility", eligibility_table),
    SECTION("spill", spill_table),
    SECTION("budget", budget_table),
    SECTION("data", data_table),
    SECTION("ssh", ssh_table),
    DIRECTORY("munge_key", munge_key, BURST_SYSCONFDIR "/munge.key"),
    SECTION("spot", spot_table),
    SECTION("boot", boot_table),
    SECTION("bounds", bounds_table),
    SECTION("reap", reap_table),
    TIME("node_idle", node_idle_s, "5m", 1, 30 * DAY),
    {.key = "accelerators",
     .kind = YT_DICT,
     .off = AT(accels),
     .off_n = AT(n_accels),
     .dflt = "",
     .sub = conf_accel_table,
     .size = sizeof(struct accel_conf)},
    {.key = "shapes",
     .kind = YT_ARRAY,
     .off = AT(shapes),
     .off_n = AT(n_shapes),
     .sub = conf_shape_table,
     .size = sizeof(struct shape_conf)},
    {.key = "clouds",
     .kind = YT_ARRAY,
     .off = AT(clouds),
     .off_n = AT(n_clouds),
     .sub = conf_cloud_table,
     .size = sizeof(struct cloud_conf)},
    {0},
};

static void collect(void *arg, const char *text)
{
    struct conf_errors *errs = arg;

    if (errs->n == CONF_ERRORS_MAX) {
        errs->more++;
        return;
    }
    snprintf(errs->text[errs->n].text, sizeof(errs->text[0].text), "%s", text);
    errs->n++;
}

const char *conf_default_path(void)
{
    const char *path = getenv("BURST_CONF");

    return path && *path ? path : BURST_CONF_PATH;
}

int conf_parse(const char *path, const char *text, size_t len, struct burst_conf **conf,
               struct conf_errors *errs)
{
    struct burst_conf *c = xmalloc(sizeof(*c));

    memset(errs, 0, sizeof(*errs));
    c->path = xstrdup(path);
    struct yt *y = yt_open(c->path, text, len, root_table, c, collect, errs);
    // A file that is no YAML at all has left nothing to compare.
    if (c->default_word)
        conf_check(y, c);
    bool failed = yt_failed(y) > 0;
    yt_close(y);
    if (failed) {
        conf_free(c);
        return -1;
    }
    *conf = c;
    return 0;
}

int conf_load(const char *path, struct burst_conf **conf, struct conf_errors *errs)
{
    char *text;
    size_t len;

    memset(errs, 0, sizeof(*errs));
    if (fs_read(path, FILE_MAX, &text, &len, &errs->text[0]) < 0) {
        errs->n = 1;
        return -1;
    }
    int rc = conf_parse(path, text, len, conf, errs);
    free(text);
    return rc;
}

void conf_free(struct burst_conf *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->n_shapes; i++) {
        for (unsigned j = 0; j < c->shapes[i].n_catalog_names; j++)
            free(c->shapes[i].catalog_names[j]);
        free(c->shapes[i].catalog_names);
    }
    yt_free(root_table, c);
    free(c->listen_host);
    free(c->path);
    free(c);
}

char *conf_errors_text(const struct conf_errors *errs)
{
    struct strbuf b;

    strbuf_init(&b, sizeof(*errs) + 256);
    strbuf_adds(&b, "");
    for (unsigned i = 0; i < errs->n; i++)
        strbuf_addf(&b, "%s\n", errs->text[i].text);
    if (errs->more)
        strbuf_addf(&b, "... and %u more\n", errs->more);
    char *text = strbuf_take(&b);
    strbuf_free(&b);
    return text;
}
