// SPDX-License-Identifier: GPL-3.0-or-later
// See listing.h.
#include "cmd/listing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd/burst.h"
#include "cmd/text.h"
#include "libburst/json.h"
#include "libburst/xalloc.h"

void listing_help(const char *example_letters, const char *example_names, const char *more,
                  const struct column *columns)
{
    printf("  -o, --format=FORMAT  columns by letter as in squeue: \"%s\"\n"
           "  -O, --Format=LIST    columns by name with width: \"%s\"\n"
           "  -h, --noheader       no line of titles%s\n"
           "      --json           everything, as JSON\n"
           "      --help           this text\n"
           "\n"
           "Columns:\n",
           example_letters, example_names, more);
    columns_help(columns, stdout);
}

void listing_place(const cJSON *row, char *buf, size_t size)
{
    char place[TEXT_MAX];

    snprintf(buf, size, "%s", text_place(row, place));
}

void listing_sort(cJSON *rows, int (*compare)(const void *, const void *))
{
    int n = cJSON_GetArraySize(rows);
    cJSON **v = xcalloc((size_t)n + 1, sizeof(*v));

    for (int i = 0; i < n; i++)
        v[i] = cJSON_DetachItemFromArray(rows, 0);
    qsort(v, (size_t)n, sizeof(*v), compare);
    for (int i = 0; i < n; i++)
        cJSON_AddItemToArray(rows, v[i]);
    free(v);
}

static bool listed(const char *list, const char *word)
{
    size_t len = strlen(word);

    while (*list) {
        size_t n = strcspn(list, ",");
        if (n == len && strncasecmp(list, word, n) == 0)
            return true;
        list += n + (list[n] == ',');
    }
    return false;
}

static void drop(cJSON *rows, cJSON *row)
{
    cJSON_Delete(cJSON_DetachItemViaPointer(rows, row));
}

static void keep_listed(cJSON *rows, const char *key, const char *list)
{
    cJSON *row = rows->child, *next;

    for (; list && row; row = next) {
        next = row->next;
        if (!listed(list, json_str(row, key, "")))
            drop(rows, row);
    }
}

void listing_keep_if(cJSON *rows, bool (*keep)(const cJSON *row))
{
    cJSON *row = rows->child, *next;

    for (; row; row = next) {
        next = row->next;
        if (!keep(row))
            drop(rows, row);
    }
}

int listing_show(const struct listing *l, const char *name, cJSON *params, int *n_rows)
{
    int status;
    cJSON *rows = cmd_ask(l->method, params, &status);

    if (n_rows)
        *n_rows = 0;
    if (!rows)
        return status;
    listing_sort(rows, l->compare);
    for (size_t i = 0; i < LISTING_KEEPS; i++)
        keep_listed(rows, l->keep[i].key, l->keep[i].list);
    if (n_rows)
        *n_rows = cJSON_GetArraySize(rows);
    status = listing_print(l, name, l->columns, rows, rows);
    cJSON_Delete(rows);
    return status;
}

int listing_print(const struct listing *l, const char *name, const struct column *columns,
                  const cJSON *rows, const cJSON *value)
{
    burst_error_t err = {""};

    if (l->json) {
        cmd_print_json(value);
        return CMD_OK;
    }
    if (columns_print(columns, &l->how, rows, stdout, &err) == 0)
        return CMD_OK;
    return cmd_usage(name, "%s", err.text);
}
