// SPDX-License-Identifier: GPL-3.0-or-later
// Which files of a job are staged: described once, when it becomes a candidate, as the JSON text
// that its row keeps (`stage` of struct bjob); the names of its input and output files are filled
// in at each use, when more of them is known. Pure.
#ifndef BURST_STAGE_SPEC_H
#define BURST_STAGE_SPEC_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "state/model.h"

struct sjob;

// The text for the row: what the user named, else the working directory and the submit directory,
// with the job's files of input, output and error. mark: the job's. Caller frees.
char *stage_spec_describe(const struct sjob *s, const char *mark);

// The paths to bring there (in), or home: absolute, without "..". Owned by the caller; empty when
// the job has no description.
cJSON *stage_spec_paths(const struct bjob *j, bool in);

// Of what is brought there, what must be looked at before: without the files that the job writes.
// Owned by the caller.
cJSON *stage_spec_needs(const struct bjob *j);
// Those that the user has named himself: they must be there. Owned by the caller.
cJSON *stage_spec_named(const struct bjob *j);

// The working directory; caller frees. "/" when there is no description.
char *stage_spec_work_dir(const struct bjob *j);

// The file of its output, caller frees. NULL: it has none, or the name is not known yet.
char *stage_spec_log(const struct bjob *j);

#endif
