// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/event.h"

#include <stdio.h>
#include <stdlib.h>

#include "libburst/json.h"

void ssh_event_emit(cJSON *msg)
{
    char *text = json_line(msg);

    printf("%s\n", text);
    fflush(stdout);
    free(text);
    cJSON_Delete(msg);
}

cJSON *ssh_event(const char *name)
{
    cJSON *msg = cJSON_CreateObject();

    json_add_str(msg, "event", name);
    return msg;
}

int ssh_event_error(const struct ssh_error *err)
{
    cJSON *msg = ssh_event("error");

    json_add_str(msg, "class", err->errclass);
    json_add_str(msg, "error", err->e.text);
    ssh_event_emit(msg);
    return 1;
}

void ssh_event_progress(void *arg, int64_t bytes)
{
    cJSON *msg = ssh_event("progress");

    (void)arg;
    json_add_i64(msg, "bytes", bytes);
    ssh_event_emit(msg);
}
