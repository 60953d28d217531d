// SPDX-License-Identifier: GPL-3.0-or-later
// Requests of EC2's Query protocol (API version 2016-11-15) as the body of a form. Pure. The names
// of parameters are those of the wire, which the published service model holds them to
// (tests/unit/cloud/provider/test_aws_query.c).
#ifndef BURST_AWS_QUERY_H
#define BURST_AWS_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AWS_EC2_VERSION "2016-11-15"
#define AWS_PAGE 1000 // rows of a listing

struct aws_tag {
    const char *key, *value;
};

// NULL or "" where a text is left out.
struct aws_launch {
    const char *token; // ClientToken: the same one launches once, in a region and zone
    unsigned count;    // all or none
    const char *image, *instance_type;
    const char *zone, *subnet;
    const char *const *security_groups;
    size_t n_security_groups;
    bool public_address; // needs a subnet
    bool spot;
    const char *max_price;                     // dollars per hour; "" = up to the on-demand price
    const char *user_data;                     // as it is; encoded here
    const char *profile;                       // name of an instance profile
    const char *placement_group, *reservation; // capacity reservation id
    const char *disk_device;                   // of the root disk, "" = as the image says
    unsigned disk_gib;
    const struct aws_tag *tags; // of instances and volumes
    size_t n_tags;
};

// Which instances: by ids, or by a tag; page: NextToken of the answer before, "" = the first.
struct aws_which {
    const char *const *ids;
    size_t n_ids;
    const char *tag_key, *tag_value;
    const char *page;
};

// Bodies; the caller frees them.
char *aws_run_instances(const struct aws_launch *l);
char *aws_describe_instances(const struct aws_which *w);
char *aws_terminate_instances(const char *const *ids, size_t n_ids);
// The latest price of each type and zone; types: NULL = all.
char *aws_spot_prices(const char *const *types, size_t n_types, int64_t now, const char *page);
// Nothing is looked up: are the credentials good, and may they do what is needed? (a dry run)
char *aws_probe(void);

#endif
