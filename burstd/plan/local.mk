# SPDX-License-Identifier: GPL-3.0-or-later
# Which place for which job.
libcore_la_SOURCES += \
	burstd/plan/admission.c burstd/plan/admission.h burstd/plan/decision.c \
	burstd/plan/decision.h burstd/plan/limit_use.c burstd/plan/limit_use.h burstd/plan/no_place.c burstd/plan/no_place.h burstd/plan/plan_facts.c burstd/plan/plan_facts.h \
	burstd/plan/plan_request.c burstd/plan/plan_request.h burstd/plan/planner.c \
	burstd/plan/planner.h burstd/plan/price_survey.c burstd/plan/price_survey.h \
	burstd/plan/solver.c burstd/plan/solver.h

# On a clock that the test sets.
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/plan/test_plan_request
TESTS += tests/unit/plan/test_plan_request
tests_unit_plan_test_plan_request_SOURCES = tests/unit/plan/test_plan_request.c \
	burstd/state/bounds.c \
	burstd/plan/no_place.c burstd/plan/plan_request.c burstd/plan/plan_facts.c burstd/job/data_place.c burstd/node/idle.c burstd/money/caps.c \
	burstd/job/fit.c burstd/job/job_need.c burstd/node/free_names.c burstd/cloud/observed.c burstd/state/instances.c burstd/state/ssh_slots.c burstd/money/ledger.c burstd/state/jobs.c \
	burstd/state/journal.c $(store_sources) burstd/state/model.c
tests_unit_plan_test_plan_request_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_plan_test_plan_request_LDFLAGS = $(SAN_LDFLAGS) -Wl,--wrap=clock_now_s,--wrap=clock_mono_ms
tests_unit_plan_test_plan_request_LDADD = liboptimizer.la libplugincore.la libcatalog.la libconf.la \
	libdaemon.la libburst.la $(CMOCKA_LIBS) $(SQLITE_LIBS)
endif
