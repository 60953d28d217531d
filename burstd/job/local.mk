# SPDX-License-Identifier: GPL-3.0-or-later
# The life of a marked job.
libcore_la_SOURCES += \
	burstd/job/attempt.c burstd/job/attempt.h burstd/job/bounds_of.c burstd/job/bounds_of.h \
	burstd/job/cancel.c burstd/job/cancel.h burstd/job/data_place.c burstd/job/data_place.h \
	burstd/job/fit.c burstd/job/fit.h burstd/job/held_note.c burstd/job/held_note.h burstd/job/hold.c burstd/job/hold.h burstd/job/job_need.c burstd/job/job_need.h burstd/job/jobflow.c \
	burstd/job/jobflow.h burstd/job/leave.c burstd/job/leave.h burstd/job/move.c \
	burstd/job/move.h burstd/job/place.c burstd/job/place.h burstd/job/placed.c \
	burstd/job/placed.h burstd/job/reasons.c burstd/job/reasons.h burstd/job/rules.c \
	burstd/job/rules.h burstd/job/running.c \
	burstd/job/running.h burstd/job/securing.c burstd/job/securing.h burstd/job/spill.c \
	burstd/job/spill.h burstd/job/stageout.c burstd/job/stageout.h \
	burstd/job/unmarked.c burstd/job/unmarked.h burstd/job/waiting.c \
	burstd/job/waiting.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/job/test_spill
TESTS += tests/unit/job/test_spill
tests_unit_job_test_spill_SOURCES = tests/unit/job/test_spill.c burstd/job/spill.c burstd/job/reasons.c
tests_unit_job_test_spill_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_job_test_spill_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_job_test_spill_LDADD = libburst.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/job/test_fit
TESTS += tests/unit/job/test_fit
tests_unit_job_test_fit_SOURCES = tests/unit/job/test_fit.c burstd/job/fit.c slurm_plugin/constraint.c slurm_plugin/need.c
tests_unit_job_test_fit_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_job_test_fit_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_job_test_fit_LDADD = $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/job/test_rules
TESTS += tests/unit/job/test_rules
tests_unit_job_test_rules_SOURCES = tests/unit/job/test_rules.c burstd/job/rules.c
tests_unit_job_test_rules_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_job_test_rules_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_job_test_rules_LDADD = libconf.la libburst.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/job/test_job_need
TESTS += tests/unit/job/test_job_need
tests_unit_job_test_job_need_SOURCES = tests/unit/job/test_job_need.c burstd/job/job_need.c \
	burstd/job/fit.c burstd/job/reasons.c
tests_unit_job_test_job_need_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_job_test_job_need_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_job_test_job_need_LDADD = libplugincore.la libconf.la libburst.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/job/test_unmarked
TESTS += tests/unit/job/test_unmarked
tests_unit_job_test_unmarked_SOURCES = tests/unit/job/test_unmarked.c burstd/job/unmarked.c \
	burstd/job/job_need.c burstd/job/fit.c burstd/job/rules.c
tests_unit_job_test_unmarked_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_job_test_unmarked_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_job_test_unmarked_LDADD = libplugincore.la libconf.la libburst.la $(CMOCKA_LIBS)
endif
