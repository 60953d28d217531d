// SPDX-License-Identifier: GPL-3.0-or-later
#include "ssh/stage_holes.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "libburst/xalloc.h"

#define HOLE_MIN 65536  // smaller ones are sent as they are
#define PARTS_MAX 65536 // of one file

bool stage_holes_likely(const struct stat *st)
{
    return S_ISREG(st->st_mode) && (int64_t)st->st_blocks * 512 <= st->st_size - HOLE_MIN;
}

static void add(struct stage_parts *p, int64_t from, int64_t to)
{
    struct stage_part *last = p->n ? &p->part[p->n - 1] : NULL;

    if (last && from - last->offset - last->length < HOLE_MIN) {
        last->length = to - last->offset;
        return;
    }
    if ((p->n & (p->n - 1)) == 0) // 0, 1, 2, 4, 8 ...
        p->part = xrealloc(p->part, (p->n ? 2 * p->n : 1) * sizeof(*p->part));
    p->part[p->n++] = (struct stage_part){from, to - from};
}

void stage_parts_find(int fd, int64_t size, struct stage_parts *out)
{
    *out = (struct stage_parts){NULL};
    for (int64_t at = 0; at < size;) {
        off_t from = lseek(fd, at, SEEK_DATA);
        if (from < 0 && errno == ENXIO) // a hole until the end
            break;
        off_t to = from < 0 ? -1 : lseek(fd, from, SEEK_HOLE);
        if (to < 0 || out->n == PARTS_MAX) {
            add(out, from < 0 ? at : from, size);
            break;
        }
        if (from >= size) // it grew meanwhile
            break;
        add(out, from, to < size ? to : size);
        at = to;
    }
    for (size_t k = 0; k < out->n; k++)
        out->bytes += out->part[k].length;
}

void stage_parts_free(struct stage_parts *p)
{
    free(p->part);
    *p = (struct stage_parts){NULL};
}
