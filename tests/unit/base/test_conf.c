// SPDX-License-Identifier: GPL-3.0-or-later
// burst.yaml: what is read, what is refused and in which words. Expected values are those of the
// manual and of the file that stands in the test.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/conf.h"
#include "base/yamltab.h"
#include "libburst/fsutil.h"

// The least that is a configuration.
#define HEAD "cluster: demo\n"
#define SHAPES "shapes:\n  - {name: cpu2, cpus: 2, memory: 1000MiB, nodes: 4}\n"
#define CLOUD                                                                                      \
    "clouds:\n  - {name: aws, provider: local, endpoint: \"http://127.0.0.1:8700/\", "             \
    "credentials: /etc/burst/aws.token}\n"
#define LEAST HEAD SHAPES CLOUD

static struct conf_errors errs;

static struct burst_conf *parse(const char *text)
{
    struct burst_conf *c = NULL;

    if (conf_parse("t.yaml", text, strlen(text), &c, &errs) < 0)
        return NULL;
    return c;
}

// The text has exactly one error, and it is this one.
static void expect_error(const char *text, const char *error)
{
    struct burst_conf *c = parse(text);

    if (c)
        fail_msg("no error; expected: %s", error);
    char *all = conf_errors_text(&errs);
    if (errs.n != 1 || strcmp(errs.text[0].text, error) != 0)
        fail_msg("expected: %s\ngot:\n%s", error, all);
    free(all);
}

static void least_file_gets_the_documented_defaults(void **state)
{
    struct burst_conf *c = parse(LEAST);

    assert_non_null(c);
    assert_string_equal(c->cluster, "demo");
    assert_string_equal(c->slurm_user, "slurm");
    assert_string_equal(c->listen_host, "");
    assert_int_equal(c->listen_port, 0);
    assert_string_equal(c->slurm_conf, "/etc/slurm/slurm.conf");
    assert_int_equal(c->slurm_poll_s, 1);
    assert_true(c->default_auto);
    assert_true(conf_match(c->partitions, c->n_partitions, "main"));
    assert_int_equal(c->n_deny_users, 0);
    assert_int_equal(c->max_nodes, 16);
    assert_int_equal(c->max_time_s, 7 * 24 * 3600);
    assert_false(c->interactive);
    assert_int_equal(c->wait_threshold_s, 300);
    assert_int_equal(c->max_instances, 64);
    assert_int_equal(c->default_runtime_s, 3600);
    assert_true(conf_cost_of_waiting(c, "main", "normal") == CONF_NO_CAP);
    assert_string_equal(c->data_location, "local/site");
    assert_int_equal(c->max_per_job, 100 * 1000000);
    assert_int_equal(c->max_per_day, 500 * 1000000);
    assert_int_equal(c->max_stage_bytes, 10737418240);
    assert_int_equal(c->spot_signal, 10);
    assert_string_equal(c->spot_signal_name, "USR1");
    assert_int_equal(c->spot_grace_s, 20);
    assert_int_equal(c->spot_changeover_s, 180);
    assert_int_equal(c->ssh_timeout_s, 180);
    assert_int_equal(c->block_s, 60);
    assert_int_equal(c->block_max_s, 3600);
    assert_int_equal(c->bound_pause_s, 3600);
    assert_int_equal(c->bound_pause_max_s, 86400);
    assert_int_equal(c->reap_minimum_age_s, 90);
    assert_int_equal(c->node_idle_s, 300);
    assert_int_equal(c->n_accels, 0);
    assert_int_equal(c->n_clouds, 1);
    const struct cloud_conf *cl = conf_find_cloud(c, "aws");
    assert_non_null(cl);
    assert_string_equal(cl->partition, "aws");
    assert_string_equal(cl->endpoint, "http://127.0.0.1:8700");
    assert_string_equal(cl->ssh_user, "root");
    assert_string_equal(cl->metadata, "local");
    assert_string_equal(cl->image, "");
    assert_true(cl->spot && cl->on_demand);
    assert_true(cl->max_per_day == CONF_NO_CAP);
    assert_true(cloud_has_region(cl, "us-east-1"));
    const struct shape_conf *s = conf_find_shape(c, "cpu2");
    assert_non_null(s);
    assert_int_equal(s->memory, 1000 * 1048576);
    assert_int_equal(shape_real_memory_mib(s), 950);
    assert_int_equal(s->n_catalog_names, 0);
    assert_true(cloud_has_shape(cl, s));
    conf_free(c);
}

static void waiting_is_priced_by_the_first_line_that_matches(void **state)
{
    struct burst_conf *c =
        parse(HEAD SHAPES CLOUD "spill:\n  cost_of_waiting_usd_per_hour: 0.5\n  cost_of_waiting:\n"
                                "    - {partition: [gpu], qos: [\"high*\"], usd_per_hour: 4}\n"
                                "    - {partition: [gpu, big], usd_per_hour: 2.25}\n"
                                "    - {qos: [free], usd_per_hour: none}\n");

    assert_non_null(c);
    assert_int_equal(conf_cost_of_waiting(c, "gpu", "high1"), 4000000);
    assert_int_equal(conf_cost_of_waiting(c, "gpu", "normal"), 2250000);
    assert_int_equal(conf_cost_of_waiting(c, "main,big", "normal"), 2250000);
    assert_int_equal(conf_cost_of_waiting(c, "main", "high1"), 500000);
    assert_true(conf_cost_of_waiting(c, "main", "free") == CONF_NO_CAP);
    conf_free(c);
    expect_error(LEAST "spill: {cost_of_waiting: [{qos: [a]}]}\n",
                 "t.yaml:6: spill.cost_of_waiting[0].usd_per_hour: is missing; it has no "
                 "default");
    expect_error(LEAST "data: {location: home}\n",
                 "t.yaml:6: data.location: must be CLOUD/REGION, the name of this site in "
                 "egress.csv, like local/site");
}

static void example_is_what_the_manual_shows(void **state)
{
    const char *src = getenv("srcdir");
    char path[512];
    struct burst_conf *c = NULL;

    snprintf(path, sizeof(path), "%s/etc/burst.yaml.example", src ? src : ".");
    if (conf_load(path, &c, &errs) < 0) {
        char *all = conf_errors_text(&errs);
        fail_msg("%s", all);
    }
    assert_string_equal(c->listen_host, "10.88.0.1");
    assert_int_equal(c->listen_port, 8899);
    assert_int_equal(c->n_partitions, 1);
    assert_string_equal(c->partitions[0], "main");
    assert_string_equal(c->ssh_key, "/etc/burst/id_ed25519");
    assert_int_equal(c->ssh_connect_timeout_s, 120);
    const struct shape_conf *s = conf_find_shape(c, "a100x2");
    assert_string_equal(s->gpu, "a100");
    assert_int_equal(s->gpus, 2);
    assert_int_equal(s->n_catalog_names, 2);
    assert_string_equal(s->catalog_names[0], "A100");
    assert_string_equal(s->catalog_names[1], "A100-80GB");
    const struct cloud_conf *cl = conf_find_partition(c, "aws");
    assert_int_equal(cl->max_nodes, 8);
    assert_int_equal(cl->max_per_day, 200 * 1000000);
    conf_free(c);
}

static char *slurp(const char *name)
{
    const char *src = getenv("srcdir");
    char path[512], *text;
    burst_error_t err;

    snprintf(path, sizeof(path), "%s/%s", src ? src : ".", name);
    if (fs_read(path, 1 << 20, &text, NULL, &err) < 0)
        fail_msg("%s", err.text);
    return text;
}

// Every key of the example is a tag of the manual (".It Ic key", or "Ic key" in a line with others)
// or the title of a section (".Sh key"). What `accelerators` and names hold is the site's.
static void manual_names_every_key_of_the_example(void **state)
{
    char *example = slurp("etc/burst.yaml.example"), *manual = slurp("docs/man/burst.yaml.5");
    char tag[80], title[80], *save = NULL;
    unsigned keys = 0;

    for (char *line = strtok_r(example, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        line[strcspn(line, "#")] = '\0';
        for (char *colon = strchr(line, ':'); colon; colon = strchr(colon + 1, ':')) {
            char *start = colon;
            while (start > line && strchr("abcdefghijklmnopqrstuvwxyz_", start[-1]))
                start--;
            if (start == colon || (colon[1] && colon[1] != ' ') ||
                (start > line && !strchr(" {-", start[-1])))
                continue;
            snprintf(tag, sizeof(tag), "Ic %.*s :", (int)(colon - start), start);
            snprintf(title, sizeof(title), ".Sh %.*s\n", (int)(colon - start), start);
            if (!strstr(manual, tag) && !strstr(manual, title))
                fail_msg("burst.yaml(5) does not name \"%.*s\"", (int)(colon - start), start);
            keys++;
        }
    }
    assert_true(keys > 70);
    free(example);
    free(manual);
}

static void unknown_keys_are_named_with_their_neighbour(void **state)
{
    expect_error(LEAST "spill:\n  wait_treshold: 5m\n",
                 "t.yaml:7: spill.wait_treshold: unknown key; did you mean \"wait_threshold\"?");
    expect_error(LEAST "spil: {}\n", "t.yaml:6: spil: unknown key; did you mean \"spill\"?");
    expect_error(LEAST "max_usd_per_day: 5\n",
                 "t.yaml:6: max_usd_per_day: unknown key here; it belongs into \"budget\"");
    expect_error(LEAST "reap:\n  node_idle: 5m\n",
                 "t.yaml:7: reap.node_idle: unknown key here; it belongs to the top level (no "
                 "indentation)");
    expect_error(LEAST "reap:\n  colour: red\n",
                 "t.yaml:7: reap.colour: unknown key; known here: minimum_age, interval");
    expect_error(HEAD SHAPES "clouds:\n- name: aws\n  provder: local\n  provider: local\n"
                             "  endpoint: http://x\n  credentials: /t\n",
                 "t.yaml:6: clouds[0].provder: unknown key; did you mean \"provider\"?");
}

static void wrong_values_are_told_what_would_be_right(void **state)
{
    static const struct {
        const char *line, *error;
    } cases[] = {
        {"node_idle: soon", "t.yaml:6: node_idle: \"soon\" is not a duration; write it like 300s, "
                            "5m, 2h or 7d"},
        {"node_idle: 5 m", "t.yaml:6: node_idle: \"5 m\" is not a duration; write it like 300s, "
                           "5m, 2h or 7d"},
        {"node_idle: 0", "t.yaml:6: node_idle: 0 is out of range; allowed: 1s to 30d"},
        {"node_idle: -5m", "t.yaml:6: node_idle: -5m is negative; that makes no sense here"},
        {"node_idle: 99999999999999999999d",
         "t.yaml:6: node_idle: 99999999999999999999d is out of range; allowed: 1s to 30d"},
        {"node_idle: [1]", "t.yaml:6: node_idle: is a list; a single value is expected here"},
        {"node_idle:", "t.yaml:6: node_idle: has no value; write \"\" for nothing, or remove the "
                       "line to use the default"},
        {"budget: {max_usd_per_job: -1}",
         "t.yaml:6: budget.max_usd_per_job: -1 is negative; that makes no sense here"},
        {"budget: {max_usd_per_job: $5}", "t.yaml:6: budget.max_usd_per_job: \"$5\" is not an "
                                          "amount; write dollars like 100 or 0.25, or none"},
        {"budget: {max_usd_per_day: 2000000000}",
         "t.yaml:6: budget.max_usd_per_day: 2000000000 is out of range; allowed: 0.00 to "
         "1000000000.00"},
        {"budget: 5", "t.yaml:6: budget: must be a block of keys (key: value)"},
        {"data: {max_stage: 10}", "t.yaml:6: data.max_stage: \"10\" is not a size; write it with "
                                  "its unit like 512MiB or 10GiB"},
        {"data: {max_stage: 1e3GiB}", "t.yaml:6: data.max_stage: \"1e3GiB\" is not a size; write "
                                      "it with its unit like 512MiB or 10GiB"},
        {"data: {shared_filesystem: yes}",
         "t.yaml:6: data.shared_filesystem: \"yes\" is neither true nor false"},
        {"data: {exclude: \"*.o\"}", "t.yaml:6: data.exclude: must be a list; write [a, b] or one "
                                     "\"- item\" a line"},
        {"eligibility: {max_nodes: many}",
         "t.yaml:6: eligibility.max_nodes: \"many\" is not a whole number"},
        {"eligibility: {default: allways}",
         "t.yaml:6: eligibility.default: \"allways\" is not known; possible: auto|never"},
        {"eligibility: {default: nevr}",
         "t.yaml:6: eligibility.default: \"nevr\" is not known; did you mean \"never\"?"},
        {"eligibility: {users: [\"\"]}", "t.yaml:6: eligibility.users[0]: is empty"},
        {"run_dir: burst", "t.yaml:6: run_dir: \"burst\" is not an absolute path; start it with a "
                           "slash"},
        {"state_dir: /run/burst/", "t.yaml:6: state_dir: is the same directory as run_dir; run_dir "
                                   "is lost at a reboot, state_dir must last"},
        {"spot:", "t.yaml:6: spot: has no value; remove the line to use the defaults"},
        {"data:", "t.yaml:6: data: has no value; remove the line to use the defaults"},
        {"boot:", "t.yaml:6: boot: has no value; remove the line to use the defaults"},
        {"reap:", "t.yaml:6: reap: has no value; remove the line to use the defaults"},
        {"spot: {signal: USR9}", "t.yaml:6: spot.signal: \"USR9\" is not a signal; write USR1, "
                                 "TERM or the like"},
        {"spot: {signal: SIGKILL}", "t.yaml:6: spot.signal: KILL cannot be caught, so no job could "
                                    "write its checkpoint; USR1 is usual"},
        {"boot: {block: 2h}", "t.yaml:6: boot.block_max: is shorter than boot.block (7200s); the "
                              "time grows from one to the other"},
        {"bounds: {pause_max: 10m}",
         "t.yaml:6: bounds.pause_max: is shorter than bounds.pause (3600s); the time grows from "
         "one to the other"},
        {"listen: myhost:80", "t.yaml:6: listen: \"myhost:80\" is not ADDRESS:PORT with a numeric "
                              "address, such as 10.0.0.1:8899"},
        {"listen: 10.0.0.1:70000", "t.yaml:6: listen: \"10.0.0.1:70000\" is not ADDRESS:PORT with "
                                   "a numeric address, such as 10.0.0.1:8899"},
        {"listen: 0.0.0.0:8899",
         "t.yaml:1: controller_address: is missing: with listen on every address (0.0.0.0:8899) "
         "nodes cannot know where to report"},
        {"controller_address: ctl", "t.yaml:6: controller_address: \"ctl\" is not a numeric "
                                    "address; nodes write it into /etc/hosts, such as 10.0.0.1"},
        {"cluster: twice", "t.yaml:6: cluster: is given twice"},
        {"accelerators: {a100: A100}", "t.yaml:6: accelerators.a100: must be a list; write [a, b] "
                                       "or one \"- item\" a line"},
        {"accelerators: {a100: []}", "t.yaml:6: accelerators.a100: names no accelerator of the "
                                     "catalog; write [a100] or remove the line"},
        {"accelerators: {\"a 1\": [A]}", "t.yaml:6: accelerators.a 1: \"a 1\" is no GRES type; it "
                                         "may have letters, digits, '_', '-' and '.'"},
    };
    char text[1024];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), "%s%s\n", LEAST, cases[i].line);
        // Line 1 is all there is of a key that is missing at the top.
        if (strncmp(cases[i].line, "listen: 0.0.0.0", 15) == 0) {
            assert_null(parse(text));
            assert_int_equal(errs.n, 1);
            assert_non_null(strstr(errs.text[0].text, "nodes cannot know where to report"));
            continue;
        }
        expect_error(text, cases[i].error);
    }
}

static void shapes_and_clouds_are_held_against_each_other(void **state)
{
    expect_error(HEAD "shapes:\n- {name: g, gpu: a100, cpus: 2, memory: 1GiB, nodes: 1}\n" CLOUD,
                 "t.yaml:3: shapes[0].gpus: a shape with a GPU needs their number; add \"gpus: "
                 "1\" or more");
    expect_error(HEAD "shapes:\n- {name: g, gpus: 1, cpus: 2, memory: 1GiB, nodes: 1}\n" CLOUD,
                 "t.yaml:3: shapes[0].gpus: which GPU? add \"gpu:\" with Slurm's GRES type, or "
                 "remove \"gpus:\"");
    expect_error(HEAD "accelerators: {a100: [A100]}\nshapes:\n"
                      "- {name: g, gpu: A100, gpus: 1, cpus: 2, memory: 1GiB, nodes: 1}\n" CLOUD,
                 "t.yaml:4: shapes[0].gpu: \"A100\" is written \"a100\" under accelerators; "
                 "Slurm's GRES types are told apart by case");
    expect_error(HEAD "shapes:\n- {name: g, cpus: 2, memory: 1GiB, nodes: 1000}\n" CLOUD,
                 "t.yaml:3: shapes[0].nodes: 1000 is out of range; allowed: 1 to 999");
    expect_error(HEAD "shapes:\n- {name: G, cpus: 2, memory: 1GiB, nodes: 1}\n" CLOUD,
                 "t.yaml:3: shapes[0].name: \"G\" is no name; it may have a-z, 0-9 and '-', starts "
                 "with a letter and does not end in '-'");
    expect_error(HEAD "shapes:\n- {name: g, cpus: 2, memory: 1GiB, nodes: 1}\n"
                      "- {name: g, cpus: 4, memory: 1GiB, nodes: 1}\n" CLOUD,
                 "t.yaml:4: shapes[1].name: \"g\" is the name of shapes[0] too");
    expect_error(HEAD "shapes:\n- {name: g, cpus: 2, nodes: 1}\n" CLOUD,
                 "t.yaml:3: shapes[0].memory: is missing; it has no default");
    expect_error(HEAD "shapes: []\n" CLOUD,
                 "t.yaml:2: shapes: there is no shape; without one no node can be rented");
    expect_error(HEAD SHAPES "clouds: []\n",
                 "t.yaml:4: clouds: there is no cloud; burstd would have nowhere to rent");
}

static void there_may_be_64_clouds(void **state)
{
    char text[16000] = HEAD SHAPES "clouds:\n";
    struct burst_conf *c = NULL;

    for (int k = 0; k < 65; k++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof(text) - len,
                 "- {name: c%d, provider: local, endpoint: \"http://x\", credentials: /t}\n", k);
        if (k == 63) {
            assert_int_equal(conf_parse("t.yaml", text, strlen(text), &c, &errs), 0);
            conf_free(c);
        }
    }
    expect_error(text, "t.yaml:4: clouds: there are 65 clouds; burstd plans for at most 64");
}

static void clouds_are_checked(void **state)
{
#define ONE(extra)                                                                                 \
    HEAD SHAPES "clouds:\n- {name: aws, provider: local, endpoint: \"http://x\", credentials: "    \
                "/t, " extra "}\n"
    expect_error(ONE("shapes: [cpu3]"),
                 "t.yaml:5: clouds[0].shapes[0]: \"cpu3\" is no shape; did you mean \"cpu2\"?");
    expect_error(ONE("shapes: [\"gpu-*\"]"),
                 "t.yaml:5: clouds[0].shapes[0]: \"gpu-*\" matches no name under shapes");
    expect_error(ONE("shapes: []"), "t.yaml:5: clouds[0].shapes: is empty: nothing could be rented "
                                    "there; write [\"*\"] or remove the cloud");
    expect_error(ONE("markets: [spott]"),
                 "t.yaml:5: clouds[0].markets[0]: \"spott\" is not known; did you mean \"spot\"?");
    expect_error(ONE("partition: \"a b\""),
                 "t.yaml:5: clouds[0].partition: \"a b\" is no partition name; it may have "
                 "letters, digits, '_', '-' and '.'");
    expect_error(ONE("partition: DEFAULT"),
                 "t.yaml:5: clouds[0].partition: \"DEFAULT\" means something else in slurm.conf; "
                 "choose another name");
    expect_error(ONE("max_usd_per_day: -3"),
                 "t.yaml:5: clouds[0].max_usd_per_day: -3 is negative; that makes no sense here");
    expect_error(HEAD SHAPES "clouds:\n- {name: aws, provider: lokal, endpoint: \"http://x\", "
                             "credentials: /t}\n",
                 "t.yaml:5: clouds[0].provider: \"lokal\" is not known; did you mean \"local\"?");
    expect_error(HEAD SHAPES "clouds:\n- {name: aws, provider: local, endpoint: \"ftp://x\", "
                             "credentials: /t}\n",
                 "t.yaml:5: clouds[0].endpoint: \"ftp://x\" is no URL; it starts with http:// or "
                 "https://");
    expect_error(HEAD SHAPES "clouds:\n- {name: aws, provider: local, credentials: /t}\n",
                 "t.yaml:5: clouds[0].endpoint: is missing; provider local needs the address of "
                 "burst-localcloud, such as http://127.0.0.1:8700");
#undef ONE
}

static void all_errors_come_at_once_but_not_for_ever(void **state)
{
    assert_null(parse("clusters: demo\nspill: {wait_threshold: x, min_pending: -1}\n" SHAPES));
    assert_int_equal(errs.n, 5); // unknown, missing cluster, missing clouds, two values
    char text[4096] = LEAST "eligibility:\n  users:\n";
    for (int i = 0; i < 30; i++)
        strncat(text, "  - \"\"\n", sizeof(text) - strlen(text) - 1);
    assert_null(parse(text));
    assert_int_equal(errs.n, CONF_ERRORS_MAX);
    assert_int_equal(errs.more, 10);
    char *all = conf_errors_text(&errs);
    assert_non_null(strstr(all, "... and 10 more\n"));
    free(all);
}

static void what_is_no_yaml_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "# nothing\n",
        "cluster: [demo\n",
        "\tcluster: demo\n",
        "- a\n- b\n",
        "just words\n",
        "a: *unknown\n",
        "\xff\xfe\xff",
        "cluster: \"a\\0b\"\n" SHAPES CLOUD,
        LEAST "---\ncluster: second\n",
        "? [a]\n: b\n" LEAST,
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(parse(bad[i]));
        assert_true(errs.n > 0);
    }
    // An alias to itself must end.
    assert_null(parse("cluster: &a [*a]\n" SHAPES CLOUD));
    assert_null(parse(LEAST "accelerators: &b {x: *b}\n"));
    struct burst_conf *c;
    assert_int_equal(conf_load("/nonexistent/burst.yaml", &c, &errs), -1);
    assert_string_equal(errs.text[0].text, "/nonexistent/burst.yaml: No such file or directory");
}

static void node_names_lead_back_to_cloud_and_shape(void **state)
{
    struct burst_conf *c =
        parse(HEAD "shapes:\n- {name: b-c, cpus: 1, memory: 1GiB, nodes: 12}\n"
                   "- {name: d, cpus: 1, memory: 1GiB, nodes: 3}\n"
                   "clouds:\n"
                   "- {name: a, provider: local, endpoint: \"http://x\", credentials: /t}\n"
                   "- {name: a-b, provider: local, endpoint: \"http://x\", credentials: /t}\n");
    const struct cloud_conf *cl;
    const struct shape_conf *s;
    unsigned index;
    char name[CONF_NODE_NAME_MAX];
    burst_error_t e;

    assert_non_null(c);
    assert_int_equal(conf_parse_node(c, "a-b-c-012", &cl, &s, &index), 0);
    assert_string_equal(cl->name, "a");
    assert_string_equal(s->name, "b-c");
    assert_int_equal(index, 12);
    assert_int_equal(conf_parse_node(c, "a-b-b-c-001", &cl, &s, &index), 0);
    assert_string_equal(cl->name, "a-b");
    assert_int_equal(conf_parse_node(c, "a-b-d-003", &cl, NULL, NULL), 0);
    assert_string_equal(cl->name, "a-b");
    static const char *const no[] = {"a-b-d-004", "a-b-d-000", "a-d-1",  "a-d-0001", "a-d",
                                     "node1",     "",          "-001",   "a--001",   "a-d-00x",
                                     "x-d-001",   "a-dd-001",  "ad-001", "a-b-001"};
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_int_equal(conf_parse_node(c, no[i], NULL, NULL, NULL), -1);
    assert_int_equal(conf_node_name(cl, s, 7, name, &e), 0);
    assert_string_equal(name, "a-b-b-c-007");
    assert_int_equal(conf_node_name(cl, s, 1000, name, &e), -1);
    conf_free(c);
    expect_error(HEAD "shapes:\n- {name: b-c, cpus: 1, memory: 1GiB, nodes: 12}\n"
                      "- {name: c, cpus: 1, memory: 1GiB, nodes: 3}\n"
                      "clouds:\n"
                      "- {name: a, provider: local, endpoint: \"http://x\", credentials: /t}\n"
                      "- {name: a-b, provider: local, endpoint: \"http://x\", credentials: /t}\n",
                 "t.yaml:7: clouds[1].name: node names a-b-c-001 would belong to cloud a-b, shape "
                 "c and to cloud a, shape b-c; rename one");
    expect_error(HEAD "shapes:\n"
                      "- {name: b23456789012345678901234567890, cpus: 1, memory: 1GiB, nodes: 1}\n"
                      "clouds:\n"
                      "- {name: a2345678901234567890123456789012, provider: local, endpoint: "
                      "\"http://x\", credentials: /t}\n",
                 "t.yaml:5: clouds[0].name: the node name "
                 "a2345678901234567890123456789012-b23456789012345678901234567890-001 has more "
                 "than 63 characters; shorten the name of the cloud or of the shape");
}

static void operators_are_root_slurm_and_the_listed(void **state)
{
    struct burst_conf *c = parse(LEAST "operators: {users: [eve], groups: [hpc]}\n");
    char hpc[] = "hpc", staff[] = "staff";
    char *in[] = {staff, hpc}, *out[] = {staff};

    assert_true(conf_is_operator(c, 0, "", NULL, 0));
    assert_true(conf_is_operator(c, 64030, "slurm", NULL, 0));
    assert_true(conf_is_operator(c, 1000, "eve", out, 1));
    assert_true(conf_is_operator(c, 1001, "bob", in, 2));
    assert_false(conf_is_operator(c, 1001, "bob", out, 1));
    assert_false(conf_is_operator(c, 1001, "", NULL, 0));
    conf_free(c);
}

static void the_nearest_word_is_near(void **state)
{
    static const char *const words[] = {"wait_threshold", "min_pending", "ssh"};

    assert_string_equal(yt_nearest("ssj", words, 3), "ssh");
    assert_string_equal(yt_nearest("min-pending", words, 3), "min_pending");
    assert_string_equal(yt_nearest("WAIT_THRESHOLD", words, 3), "wait_threshold");
    assert_null(yt_nearest("colour", words, 3));
    assert_null(yt_nearest("x", words, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_file_gets_the_documented_defaults),
        cmocka_unit_test(example_is_what_the_manual_shows),
        cmocka_unit_test(waiting_is_priced_by_the_first_line_that_matches),
        cmocka_unit_test(manual_names_every_key_of_the_example),
        cmocka_unit_test(unknown_keys_are_named_with_their_neighbour),
        cmocka_unit_test(wrong_values_are_told_what_would_be_right),
        cmocka_unit_test(shapes_and_clouds_are_held_against_each_other),
        cmocka_unit_test(there_may_be_64_clouds),
        cmocka_unit_test(clouds_are_checked),
        cmocka_unit_test(all_errors_come_at_once_but_not_for_ever),
        cmocka_unit_test(what_is_no_yaml_is_refused),
        cmocka_unit_test(node_names_lead_back_to_cloud_and_shape),
        cmocka_unit_test(operators_are_root_slurm_and_the_listed),
        cmocka_unit_test(the_nearest_word_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
