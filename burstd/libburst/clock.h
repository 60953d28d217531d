// SPDX-License-Identifier: GPL-3.0-or-later
// Time: wall clock in seconds or milliseconds since the epoch (UTC), monotonic milliseconds, and
// the forms of time that Slurm users write.
#ifndef BURST_CLOCK_H
#define BURST_CLOCK_H

#include <stdint.h>

#include "libburst/error.h"

#define CLOCK_TEXT_MAX 32

int64_t clock_now_s(void);
int64_t clock_now_ms(void);
int64_t clock_mono_ms(void); // never goes back; CLOCK_MONOTONIC

// "2026-12-01T10:00:00" in local time, as Slurm prints it; "Unknown" for 0.
const char *clock_local(int64_t epoch_s, char buf[CLOCK_TEXT_MAX]);
// "2026-12-01T10:00:00Z".
const char *clock_utc(int64_t epoch_s, char buf[CLOCK_TEXT_MAX]);
// Parses the form of clock_utc (what cloud APIs send; a fraction of a second is dropped).
int clock_parse_utc(const char *text, int64_t *epoch_s, burst_error_t *errp);

// A duration as Slurm's --time takes it: "minutes", "minutes:seconds", "hours:minutes:seconds",
// "days-hours", "days-hours:minutes", "days-hours:minutes:seconds". At most 10 years, at least 1 s.
int clock_parse_duration(const char *text, int64_t *seconds, burst_error_t *errp);
// "1-02:03:04" or "02:03:04", as squeue prints it.
const char *clock_duration(int64_t seconds, char buf[CLOCK_TEXT_MAX]);

#endif
