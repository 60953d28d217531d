# SPDX-License-Identifier: GPL-3.0-or-later
# The core of burstd in a simulated world.
if HAVE_CMOCKA
check_PROGRAMS += tests/sim/test_sim
TESTS += tests/sim/test_sim
tests_sim_test_sim_SOURCES = tests/sim/test_sim.c tests/sim/world.c tests/sim/world.h \
	tests/sim/sim_cloud.c tests/sim/sim_slurm.c tests/sim/sim_solver.c
tests_sim_test_sim_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/sim
tests_sim_test_sim_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS) $(SQLITE_CFLAGS)
tests_sim_test_sim_LDFLAGS = $(SAN_LDFLAGS) \
	-Wl,--wrap=clock_now_s,--wrap=clock_now_ms,--wrap=clock_mono_ms \
	-Wl,--wrap=store_put_instance,--wrap=store_put_job,--wrap=store_put_charge,--wrap=store_commit
tests_sim_test_sim_LDADD = libcore.la libplugincore.la libconf.la libdaemon.la \
	liboptimizer.la libburst.la $(CMOCKA_LIBS)

# Parts of the core alone, on a clock that the test sets.
CLOCKED_TESTS = tests/unit/money/test_ledger tests/unit/cloud/test_observed tests/unit/plan/test_plan_request
check_PROGRAMS += $(CLOCKED_TESTS) tests/unit/slurm/test_spool
TESTS += $(CLOCKED_TESTS) tests/unit/slurm/test_spool
tests_unit_money_test_ledger_SOURCES = tests/unit/money/test_ledger.c burstd/money/ledger.c burstd/node/instance_state.c burstd/state/instances.c \
	burstd/state/jobs.c burstd/state/journal.c $(store_sources) burstd/state/model.c
tests_unit_money_test_ledger_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_money_test_ledger_LDFLAGS = $(SAN_LDFLAGS) -Wl,--wrap=clock_now_s
tests_unit_money_test_ledger_LDADD = libdaemon.la libburst.la $(CMOCKA_LIBS) $(SQLITE_LIBS)
tests_unit_cloud_test_observed_SOURCES = tests/unit/cloud/test_observed.c burstd/cloud/observed.c \
	burstd/state/instances.c burstd/money/ledger.c burstd/state/jobs.c burstd/state/journal.c $(store_sources) \
	burstd/state/model.c
tests_unit_cloud_test_observed_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_cloud_test_observed_LDFLAGS = $(SAN_LDFLAGS) -Wl,--wrap=clock_now_s,--wrap=store_commit
tests_unit_cloud_test_observed_LDADD = libcatalog.la libdaemon.la libburst.la $(CMOCKA_LIBS) $(SQLITE_LIBS)
tests_unit_plan_test_plan_request_SOURCES = tests/unit/plan/test_plan_request.c \
	burstd/state/bounds.c \
	burstd/plan/plan_request.c burstd/plan/plan_facts.c burstd/job/data_place.c burstd/node/idle.c burstd/money/caps.c \
	burstd/job/fit.c burstd/cloud/observed.c burstd/state/instances.c burstd/money/ledger.c burstd/state/jobs.c \
	burstd/state/journal.c $(store_sources) burstd/state/model.c
tests_unit_plan_test_plan_request_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_plan_test_plan_request_LDFLAGS = $(SAN_LDFLAGS) -Wl,--wrap=clock_now_s,--wrap=clock_mono_ms
tests_unit_plan_test_plan_request_LDADD = liboptimizer.la libplugincore.la libcatalog.la libconf.la \
	libdaemon.la libburst.la $(CMOCKA_LIBS) $(SQLITE_LIBS)
tests_unit_slurm_test_spool_SOURCES = tests/unit/slurm/test_spool.c burstd/slurm/spool.c
tests_unit_slurm_test_spool_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_slurm_test_spool_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_slurm_test_spool_LDADD = libdaemon.la libburst.la $(CMOCKA_LIBS)
endif
