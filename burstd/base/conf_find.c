// SPDX-License-Identifier: GPL-3.0-or-later
// Questions to a configuration (conf.h).
#include "base/conf.h"
#include "base/conf_inside.h"

bool conf_match(char *const *patterns, unsigned n, const char *text)
{
    for (unsigned i = 0; i < n; i++)
        if (fnmatch(patterns[i], text, 0) == 0)
            return true;
    return false;
}

static bool any_partition(const struct waiting_conf *w, const char *list)
{
    char name[256];

    for (const char *p = list; *p;) {
        size_t len = strcspn(p, ",");
        snprintf(name, sizeof(name), "%.*s", (int)len, p);
        if (conf_match(w->partitions, w->n_partitions, name))
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}

money_t conf_cost_of_waiting(const struct burst_conf *conf, const char *partition, const char *qos)
{
    for (unsigned i = 0; i < conf->n_waiting; i++)
        if (any_partition(&conf->waiting[i], partition) &&
            conf_match(conf->waiting[i].qos, conf->waiting[i].n_qos, qos))
            return conf->waiting[i].usd;
    return conf->waiting_usd;
}

const struct cloud_conf *conf_find_cloud(const struct burst_conf *conf, const char *name)
{
    for (unsigned i = 0; i < conf->n_clouds; i++)
        if (strcmp(conf->clouds[i].name, name) == 0)
            return &conf->clouds[i];
    return NULL;
}

const struct shape_conf *conf_find_shape(const struct burst_conf *conf, const char *name)
{
    for (unsigned i = 0; i < conf->n_shapes; i++)
        if (strcmp(conf->shapes[i].name, name) == 0)
            return &conf->shapes[i];
    return NULL;
}

const struct cloud_conf *conf_find_partition(const struct burst_conf *conf, const char *partition)
{
    for (unsigned i = 0; i < conf->n_clouds; i++)
        if (strcmp(conf->clouds[i].partition, partition) == 0)
            return &conf->clouds[i];
    return NULL;
}

bool cloud_has_shape(const struct cloud_conf *cloud, const struct shape_conf *shape)
{
    return conf_match(cloud->shapes, cloud->n_shapes, shape->name);
}

bool cloud_has_region(const struct cloud_conf *cloud, const char *region)
{
    return conf_match(cloud->regions, cloud->n_regions, region);
}

uint64_t shape_real_memory_mib(const struct shape_conf *shape)
{
    return (uint64_t)(shape->memory >> 20) * 95 / 100;
}

bool conf_is_operator(const struct burst_conf *conf, uid_t uid, const char *user,
                      char *const *groups, unsigned n_groups)
{
    if (uid == 0)
        return true;
    if (*user && strcmp(user, conf->slurm_user) == 0)
        return true;
    for (unsigned i = 0; i < conf->n_operator_users; i++)
        if (*user && strcmp(user, conf->operator_users[i]) == 0)
            return true;
    for (unsigned i = 0; i < conf->n_operator_groups; i++)
        for (unsigned g = 0; g < n_groups; g++)
            if (strcmp(groups[g], conf->operator_groups[i]) == 0)
                return true;
    return false;
}

uint64_t shape_tmp_disk_mib(const struct shape_conf *shape)
{
    return (uint64_t)(shape->tmp_disk >> 20);
}

void conf_features(const struct cloud_conf *cloud, const struct shape_conf *shape,
                   char buf[CONF_FEATURES_MAX])
{
    size_t n = (size_t)snprintf(buf, CONF_FEATURES_MAX, "burst,%s,%s", cloud->name, shape->name);

    for (unsigned k = 0; k < shape->n_features && n < CONF_FEATURES_MAX; k++)
        n += (size_t)snprintf(buf + n, CONF_FEATURES_MAX - n, ",%s", shape->features[k]);
}

int conf_node_name(const struct cloud_conf *cloud, const struct shape_conf *shape, unsigned index,
                   char buf[CONF_NODE_NAME_MAX], burst_error_t *errp)
{
    if (index < 1 || index > CONF_NODES_MAX)
        return errprintf(errp, "node number %u of %s-%s: 1 to %d exist", index, cloud->name,
                         shape->name, CONF_NODES_MAX);
    int n = snprintf(buf, CONF_NODE_NAME_MAX, "%s-%s-%03u", cloud->name, shape->name, index);
    if (n >= CONF_NODE_NAME_MAX)
        return errprintf(errp, "node name %s-%s-%03u is too long", cloud->name, shape->name, index);
    return 0;
}

// The shape between "CLOUD-" and "-NNN", NULL when there is none of that name in that cloud.
static const struct shape_conf *shape_within(const struct burst_conf *conf,
                                             const struct cloud_conf *cloud, const char *node,
                                             size_t len)
{
    size_t skip = strlen(cloud->name) + 1;

    if (len <= skip || strncmp(node, cloud->name, skip - 1) != 0 || node[skip - 1] != '-')
        return NULL;
    for (unsigned i = 0; i < conf->n_shapes; i++) {
        const struct shape_conf *s = &conf->shapes[i];
        if (strlen(s->name) == len - skip && strncmp(node + skip, s->name, len - skip) == 0 &&
            cloud_has_shape(cloud, s))
            return s;
    }
    return NULL;
}

int conf_parse_node(const struct burst_conf *conf, const char *node,
                    const struct cloud_conf **cloud, const struct shape_conf **shape,
                    unsigned *index)
{
    const char *dash = strrchr(node, '-');
    unsigned n = 0;

    if (!dash || strlen(dash) != 4 || strspn(dash + 1, "0123456789") != 3)
        return -1;
    for (const char *d = dash + 1; *d; d++)
        n = 10 * n + (unsigned)(*d - '0');
    for (unsigned i = 0; i < conf->n_clouds; i++) {
        const struct shape_conf *s =
            shape_within(conf, &conf->clouds[i], node, (size_t)(dash - node));
        if (!s)
            continue;
        if (n < 1 || n > s->nodes)
            return -1;
        if (cloud)
            *cloud = &conf->clouds[i];
        if (shape)
            *shape = s;
        if (index)
            *index = n;
        return 0;
    }
    return -1;
}
