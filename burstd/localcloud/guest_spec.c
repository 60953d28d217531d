// SPDX-License-Identifier: GPL-3.0-or-later
// See guest_spec.h.
#include "localcloud/guest_spec.h"

#include <stdlib.h>
#include <string.h>

#include "libburst/fsutil.h"
#include "libburst/json.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

char *guest_spec_print(const struct guest_spec *s)
{
    cJSON *o = cJSON_CreateObject();

    json_add_str(o, "id", s->id);
    json_add_str(o, "mountpoint", s->mountpoint);
    json_add_i64(o, "address", s->address);
    json_add_i64(o, "prefix", s->prefix);
    json_add_i64(o, "gateway", s->gateway);
    json_add_i64(o, "accelerators", s->accelerators);
    json_add_i64(o, "boot_delay_ms", s->boot_delay_ms);
    json_add_i64(o, "disk_mib", s->disk_mib);
    json_add_str(o, "ssh_public_key", s->ssh_public_key);
    json_add_str(o, "host_private_key", s->host_private_key);
    char *line = json_line(o);
    cJSON *secret = cJSON_GetObjectItemCaseSensitive(o, "host_private_key");
    if (cJSON_IsString(secret))
        explicit_bzero(secret->valuestring, strlen(secret->valuestring));
    cJSON_Delete(o);
    char *out = xasprintf("%s\n", line);
    fs_wipe(line, strlen(line));
    return out;
}

int guest_spec_parse(const char *text, size_t len, struct guest_spec *s, burst_error_t *errp)
{
    cJSON *o = json_parse(text, len, errp);

    memset(s, 0, sizeof(*s));
    if (!o)
        return -1;
    s->id = xstrdup(json_str(o, "id", NULL));
    s->mountpoint = xstrdup(json_str(o, "mountpoint", NULL));
    s->address = (uint32_t)json_i64(o, "address", 0);
    s->prefix = (unsigned)json_i64(o, "prefix", 0);
    s->gateway = (uint32_t)json_i64(o, "gateway", 0);
    s->accelerators = (unsigned)json_i64(o, "accelerators", 0);
    s->boot_delay_ms = json_i64(o, "boot_delay_ms", 0);
    s->disk_mib = json_i64(o, "disk_mib", 0);
    s->ssh_public_key = xstrdup(json_str(o, "ssh_public_key", NULL));
    s->host_private_key = xstrdup(json_str(o, "host_private_key", NULL));
    cJSON *secret = cJSON_GetObjectItemCaseSensitive(o, "host_private_key");
    if (cJSON_IsString(secret))
        explicit_bzero(secret->valuestring, strlen(secret->valuestring));
    cJSON_Delete(o);
    if (s->id && s->mountpoint && s->ssh_public_key && s->host_private_key && s->disk_mib > 0 &&
        s->prefix <= 32 && s->accelerators <= 64)
        return 0;
    guest_spec_clear(s);
    return errprintf(errp, "the specification of the instance is not complete");
}

void guest_spec_clear(struct guest_spec *s)
{
    free(s->id);
    free(s->mountpoint);
    free(s->ssh_public_key);
    if (s->host_private_key)
        fs_wipe(s->host_private_key, strlen(s->host_private_key));
    memset(s, 0, sizeof(*s));
}
