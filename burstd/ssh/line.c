// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "libburst/json.h"
#include "libburst/xalloc.h"

int line_send(int fd, cJSON *msg)
{
    char *text = json_line(msg), *line = xasprintf("%s\n", text);
    size_t off = 0, len = strlen(line);

    while (off < len) {
        ssize_t n = send(fd, line + off, len - off, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        off += (size_t)n;
    }
    free(line);
    free(text);
    cJSON_Delete(msg);
    return off == len ? 0 : -1;
}
