// SPDX-License-Identifier: GPL-3.0-or-later
// XML answers as JSON values, so that they are read like the others: an element with text alone is
// a string, one with elements an object, one whose elements are all called "item" or "member" an
// array. Attributes and namespaces are left out. An empty list is an empty string:
// cJSON_ArrayForEach() finds nothing in it.
#ifndef BURST_XML_H
#define BURST_XML_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "libburst/error.h"

// {"ROOT":...}, owned by the caller. NULL: it is no XML, has a document type (entities grow without
// bound), or is nested deeper than 64.
cJSON *xml_to_json(const char *text, size_t len, burst_error_t *errp);

#endif
