// SPDX-License-Identifier: GPL-3.0-or-later
// What keeps jobs from being served now and is nobody's fault but the site's or its clouds': for
// `burst status` and `burst check`, in one list.
#ifndef BURST_API_TROUBLE_H
#define BURST_API_TROUBLE_H

#include <cjson/cJSON.h>

#include "base/burstd.h"

// [{"kind":"cap|stagerd|site|bounds","text","mend","until","fails":bool}], the worst first; owned
// by the caller. text: a sentence; mend: what to do, "" = wait; until: epoch seconds, 0 = until it
// is mended; fails: nothing at all is rented because of it. Clouds and Slurm tell of themselves.
cJSON *trouble_rows(struct burstd *b);

#endif
