// SPDX-License-Identifier: GPL-3.0-or-later
#include "cloud/provider/xml.h"

#include <stdbool.h>
#include <string.h>

#include <expat.h>

#include "libburst/strbuf.h"

#define DEPTH 64
#define TEXT_CEILING (1u << 20) // of one element

struct reading {
    XML_Parser parser;
    cJSON *open[DEPTH + 1]; // objects of the elements that are not closed yet; [0] holds the root
    const char *name[DEPTH + 1];
    unsigned depth;
    struct strbuf text;
    const char *fault;
};

static void stop(struct reading *r, const char *fault)
{
    r->fault = fault;
    XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *r = arg;
    const char *colon = strchr(name, ':');
    cJSON *o;

    if (r->depth == DEPTH) {
        stop(r, "it is nested too deep");
        return;
    }
    o = cJSON_CreateObject();
    cJSON_AddItemToObject(r->open[r->depth], colon ? colon + 1 : name, o);
    r->open[++r->depth] = o;
    strbuf_reset(&r->text);
}

static bool is_item(const cJSON *e)
{
    return strcmp(e->string, "item") == 0 || strcmp(e->string, "member") == 0;
}

static bool list_of_items(const cJSON *o)
{
    const cJSON *e;

    cJSON_ArrayForEach(e, o) if (!is_item(e)) return false;
    return o->child;
}

// The element of the innermost object becomes a string or an array.
static void become(cJSON *parent, cJSON *o, cJSON *value)
{
    while (o->child)
        cJSON_AddItemToArray(value, cJSON_DetachItemViaPointer(o, o->child));
    cJSON_ReplaceItemViaPointer(parent, o, value);
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
    struct reading *r = arg;
    cJSON *o = r->open[r->depth], *value = NULL;

    if (!o->child)
        value = cJSON_CreateString(r->text.data);
    else if (list_of_items(o))
        value = cJSON_CreateArray();
    if (value) {
        value->string = NULL;
        char *key = o->string;
        o->string = NULL;
        become(r->open[r->depth - 1], o, value);
        value->string = key;
    }
    r->depth--;
    strbuf_reset(&r->text);
}

static void XMLCALL on_text(void *arg, const XML_Char *text, int len)
{
    struct reading *r = arg;

    if (strbuf_add(&r->text, text, (size_t)len) < 0)
        stop(r, "an element is too long");
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int internal)
{
    stop(arg, "it has a document type");
}

cJSON *xml_to_json(const char *text, size_t len, burst_error_t *errp)
{
    struct reading r = {.parser = XML_ParserCreate(NULL)};
    enum XML_Status status;

    strbuf_init(&r.text, TEXT_CEILING);
    r.open[0] = cJSON_CreateObject();
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    status = XML_Parse(r.parser, text, (int)len, XML_TRUE);
    if (status != XML_STATUS_OK) {
        errprintf(errp, "the answer cannot be read: %s (line %lu)",
                  r.fault ? r.fault : XML_ErrorString(XML_GetErrorCode(r.parser)),
                  (unsigned long)XML_GetCurrentLineNumber(r.parser));
        cJSON_Delete(r.open[0]);
        r.open[0] = NULL;
    }
    XML_ParserFree(r.parser);
    strbuf_free(&r.text);
    return r.open[0];
}
