// SPDX-License-Identifier: GPL-3.0-or-later
// See stage_spec.h. The text: {"work_dir","in":[paths],"named" (by the user, bool),"out":[paths],
// "name" (the job's),"std_in",
// "std_out","std_err" (patterns, null = none)}. An older burstd wrote the files' names into the
// lists and "log" instead of the last four.
#include "node/stage_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libburst/json.h"
#include "libburst/path.h"
#include "libburst/xalloc.h"
#include "node/io_name.h"
#include "slurm/records.h"
#include "slurm_plugin/directive.h"

static void add(cJSON *list, const char *path)
{
    const cJSON *e;

    cJSON_ArrayForEach(e, list)
    {
        if (path_inside(path, e->valuestring))
            return;
    }
    cJSON_AddItemToArray(list, cJSON_CreateString(path));
}

static void add_resolved(cJSON *list, const char *dir, const char *path)
{
    char *full = path_resolve(dir, path);

    add(list, full);
    free(full);
}

// The user's list; what is relative counts from the submit directory.
static void add_list(cJSON *list, const char *dir, const char *commas)
{
    for (const char *p = commas; *p;) {
        size_t len = strcspn(p, ",");
        char *item = xasprintf("%.*s", (int)len, p);
        if (len)
            add_resolved(list, dir, item);
        free(item);
        p += len + (p[len] == ',');
    }
}

static void fill_list(cJSON *list, const char *work_dir, const char *submit_dir, const char *named)
{
    if (named[0]) {
        add_list(list, submit_dir, named);
        return;
    }
    add_resolved(list, "/", work_dir);
    add_resolved(list, "/", submit_dir);
}

static void add_text(cJSON *o, const char *key, const char *text)
{
    json_add_str(o, key, text[0] ? text : NULL);
}

char *stage_spec_describe(const struct sjob *s, const char *mark)
{
    struct directive d;
    cJSON *o = cJSON_CreateObject();

    if (directive_from_mark(mark, &d) < 0)
        memset(&d, 0, sizeof(d));
    const char *submit_dir = d.submit_dir[0] ? d.submit_dir : s->work_dir;
    json_add_str(o, "work_dir", s->work_dir);
    fill_list(cJSON_AddArrayToObject(o, "in"), s->work_dir, submit_dir, d.stage_in);
    fill_list(cJSON_AddArrayToObject(o, "out"), s->work_dir, submit_dir, d.stage_out);
    cJSON_AddBoolToObject(o, "named", d.stage_in[0] != '\0');
    json_add_str(o, "name", s->name);
    add_text(o, "std_in", s->std_in);
    add_text(o, "std_out", s->std_out);
    add_text(o, "std_err", s->std_err);
    char *text = json_line(o);
    cJSON_Delete(o);
    return text;
}

static cJSON *parse(const struct bjob *j)
{
    return j->stage[0] ? json_parse(j->stage, strlen(j->stage), NULL) : NULL;
}

// What is known of the job. While it waits, a task of an array that has the array's number may get
// another one yet; once it has started that is its own. first: room for the first node's name.
static struct io_name about(const struct bjob *j, const cJSON *spec, bool started,
                            char first[sizeof(((struct instance *)0)->node)])
{
    struct io_name x = {.work_dir = json_str(spec, "work_dir", "/"),
                        .job_id = j->job_id,
                        .user = j->user,
                        .job_name = json_str(spec, "name", "")};

    if (strchr(j->key, '_') && sscanf(j->key, "%u_%u", &x.array_id, &x.task) == 2 &&
        x.job_id == x.array_id && !started && j->restarts == 0)
        x.job_id = 0;
    if (started && j->node_names[0]) {
        snprintf(first, sizeof(((struct instance *)0)->node), "%.*s",
                 (int)strcspn(j->node_names, ",."), j->node_names);
        x.node = first;
    }
    return x;
}

static void add_file(cJSON *list, const struct io_name *x, const char *pattern)
{
    char *name[IO_NAMES_MAX];
    size_t n = pattern ? io_names(x, pattern, name) : 0;

    for (size_t k = 0; k < n; k++) {
        if (strcmp(name[k], "/dev/null") != 0)
            add(list, name[k]);
        free(name[k]);
    }
}

cJSON *stage_spec_paths(const struct bjob *j, bool in)
{
    cJSON *spec = parse(j), *list = cJSON_DetachItemFromObject(spec, in ? "in" : "out");
    char first[sizeof(((struct instance *)0)->node)];
    struct io_name x = about(j, spec, !in, first);

    if (!list)
        list = cJSON_CreateArray();
    if (in)
        add_file(list, &x, json_str(spec, "std_in", NULL));
    // Those of output on the way there, too: the job may append to them, and their directory must
    // be there.
    add_file(list, &x, json_str(spec, "std_out", NULL));
    add_file(list, &x, json_str(spec, "std_err", NULL));
    cJSON_Delete(spec);
    return list;
}

static cJSON *list_in(cJSON *spec)
{
    cJSON *list = cJSON_DetachItemFromObject(spec, "in");

    return list ? list : cJSON_CreateArray();
}

cJSON *stage_spec_needs(const struct bjob *j)
{
    cJSON *spec = parse(j), *list = list_in(spec);
    char first[sizeof(((struct instance *)0)->node)];
    struct io_name x = about(j, spec, false, first);

    add_file(list, &x, json_str(spec, "std_in", NULL));
    cJSON_Delete(spec);
    return list;
}

cJSON *stage_spec_named(const struct bjob *j)
{
    cJSON *spec = parse(j);
    cJSON *list = json_bool(spec, "named", false) ? list_in(spec) : cJSON_CreateArray();

    cJSON_Delete(spec);
    return list;
}

char *stage_spec_work_dir(const struct bjob *j)
{
    cJSON *spec = parse(j);
    char *dir = path_resolve("/", json_str(spec, "work_dir", "/"));

    cJSON_Delete(spec);
    return dir;
}

// The name that does not change with what is not known yet.
static char *whole_name(struct io_name x, const char *pattern)
{
    char *name[IO_NAMES_MAX], *other[IO_NAMES_MAX];
    size_t n = io_names(&x, pattern, name);

    x.job_id = x.job_id ? x.job_id : 1;
    x.node = x.node ? x.node : "node";
    for (size_t k = io_names(&x, pattern, other); k-- > 0;) {
        if (k == 0 && strcmp(name[0], other[0]) != 0) {
            free(name[0]);
            name[0] = NULL;
        }
        free(other[k]);
    }
    if (n > 1)
        free(name[1]);
    return name[0];
}

char *stage_spec_log(const struct bjob *j)
{
    cJSON *spec = parse(j);
    char first[sizeof(((struct instance *)0)->node)];
    const char *pattern = json_str(spec, "std_out", NULL), *old = json_str(spec, "log", NULL);
    struct io_name x = about(j, spec, false, first);
    char *log = pattern ? whole_name(x, pattern) : old ? xstrdup(old) : NULL;

    cJSON_Delete(spec);
    return log;
}
