// SPDX-License-Identifier: GPL-3.0-or-later
#include "cloud/provider/aws_query.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define BODY_CEILING (1u << 20)

// As a form is encoded: a blank becomes '+'.
static void add_value(struct strbuf *b, const char *value)
{
    for (const char *p = value; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (isalnum(c) || strchr("-_.~", c))
            strbuf_add(b, p, 1);
        else if (c == ' ')
            strbuf_adds(b, "+");
        else
            strbuf_addf(b, "%%%02X", c);
    }
}

static void param(struct strbuf *b, const char *value, const char *name, ...)
    __attribute__((format(printf, 3, 4)));

// Left out when there is no value.
static void param(struct strbuf *b, const char *value, const char *name, ...)
{
    char text[160];
    va_list ap;

    if (!value || !*value)
        return;
    va_start(ap, name);
    vsnprintf(text, sizeof(text), name, ap);
    va_end(ap);
    strbuf_addf(b, "&%s=", text);
    add_value(b, value);
}

static void begin(struct strbuf *b, const char *action)
{
    strbuf_init(b, BODY_CEILING);
    strbuf_addf(b, "Action=%s&Version=" AWS_EC2_VERSION, action);
}

static char *base64(const char *text)
{
    size_t len = strlen(text);
    char *out = xmalloc(4 * ((len + 2) / 3) + 1);

    EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text, (int)len);
    return out;
}

static void add_number(struct strbuf *b, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    param(b, text, "%s", name);
}

// Beside a network interface that is described the groups and the subnet are the interface's.
static void add_network(struct strbuf *b, const struct aws_launch *l)
{
    if (!l->subnet || !*l->subnet) {
        for (size_t k = 0; k < l->n_security_groups; k++)
            param(b, l->security_groups[k], "SecurityGroupId.%zu", k + 1);
        return;
    }
    param(b, "0", "NetworkInterface.1.DeviceIndex");
    param(b, l->subnet, "NetworkInterface.1.SubnetId");
    param(b, l->public_address ? "true" : "false", "NetworkInterface.1.AssociatePublicIpAddress");
    param(b, "true", "NetworkInterface.1.DeleteOnTermination");
    for (size_t k = 0; k < l->n_security_groups; k++)
        param(b, l->security_groups[k], "NetworkInterface.1.SecurityGroupId.%zu", k + 1);
}

static void add_market(struct strbuf *b, const struct aws_launch *l)
{
    if (!l->spot)
        return;
    param(b, "spot", "InstanceMarketOptions.MarketType");
    param(b, "one-time", "InstanceMarketOptions.SpotOptions.SpotInstanceType");
    param(b, "terminate", "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior");
    param(b, l->max_price, "InstanceMarketOptions.SpotOptions.MaxPrice");
}

static void add_disk(struct strbuf *b, const struct aws_launch *l)
{
    if (!l->disk_gib || !l->disk_device || !*l->disk_device)
        return;
    param(b, l->disk_device, "BlockDeviceMapping.1.DeviceName");
    add_number(b, "BlockDeviceMapping.1.Ebs.VolumeSize", l->disk_gib);
    param(b, "gp3", "BlockDeviceMapping.1.Ebs.VolumeType");
    param(b, "true", "BlockDeviceMapping.1.Ebs.DeleteOnTermination");
}

// In the launch call itself: a later one could be lost, and nobody would know whose they are.
static void add_tags(struct strbuf *b, const struct aws_launch *l)
{
    static const char *const kinds[] = {"instance", "volume"};

    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]) && l->n_tags; k++) {
        param(b, kinds[k], "TagSpecification.%zu.ResourceType", k + 1);
        for (size_t t = 0; t < l->n_tags; t++) {
            param(b, l->tags[t].key, "TagSpecification.%zu.Tag.%zu.Key", k + 1, t + 1);
            param(b, l->tags[t].value, "TagSpecification.%zu.Tag.%zu.Value", k + 1, t + 1);
        }
    }
}

char *aws_run_instances(const struct aws_launch *l)
{
    struct strbuf b;

    begin(&b, "RunInstances");
    param(&b, l->token, "ClientToken");
    add_number(&b, "MinCount", l->count);
    add_number(&b, "MaxCount", l->count);
    param(&b, l->image, "ImageId");
    param(&b, l->instance_type, "InstanceType");
    param(&b, l->zone, "Placement.AvailabilityZone");
    param(&b, l->placement_group, "Placement.GroupName");
    param(&b, l->reservation,
          "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId");
    param(&b, l->profile, "IamInstanceProfile.Name");
    param(&b, "terminate", "InstanceInitiatedShutdownBehavior");
    // A job must not get at the node's identity: version 2 only, and no container's hop.
    param(&b, "required", "MetadataOptions.HttpTokens");
    param(&b, "1", "MetadataOptions.HttpPutResponseHopLimit");
    add_market(&b, l);
    add_network(&b, l);
    add_disk(&b, l);
    add_tags(&b, l);
    if (l->user_data && *l->user_data) {
        char *coded = base64(l->user_data);
        param(&b, coded, "UserData");
        free(coded);
    }
    return strbuf_take(&b);
}

char *aws_describe_instances(const struct aws_which *w)
{
    struct strbuf b;

    begin(&b, "DescribeInstances");
    for (size_t k = 0; k < w->n_ids; k++)
        param(&b, w->ids[k], "InstanceId.%zu", k + 1);
    if (w->tag_key && *w->tag_key) {
        char *name = xasprintf("tag:%s", w->tag_key);
        param(&b, name, "Filter.1.Name");
        param(&b, w->tag_value, "Filter.1.Value.1");
        free(name);
    }
    if (!w->n_ids) // with ids there are no pages
        add_number(&b, "MaxResults", AWS_PAGE);
    param(&b, w->page, "NextToken");
    return strbuf_take(&b);
}

char *aws_terminate_instances(const char *const *ids, size_t n_ids)
{
    struct strbuf b;

    begin(&b, "TerminateInstances");
    for (size_t k = 0; k < n_ids; k++)
        param(&b, ids[k], "InstanceId.%zu", k + 1);
    return strbuf_take(&b);
}

char *aws_spot_prices(const char *const *types, size_t n_types, int64_t now, const char *page)
{
    time_t t = (time_t)now;
    char at[40];
    struct tm tm;
    struct strbuf b;

    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    begin(&b, "DescribeSpotPriceHistory");
    param(&b, at, "StartTime");
    param(&b, "Linux/UNIX", "ProductDescription.1");
    for (size_t k = 0; k < n_types; k++)
        param(&b, types[k], "InstanceType.%zu", k + 1);
    add_number(&b, "MaxResults", AWS_PAGE);
    param(&b, page, "NextToken");
    return strbuf_take(&b);
}

char *aws_probe(void)
{
    struct strbuf b;

    begin(&b, "DescribeInstances");
    param(&b, "true", "DryRun");
    return strbuf_take(&b);
}
