# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon. Parts with their own libraries live in sub-areas (slurm_link, ssh, provider).
noinst_LTLIBRARIES += libdaemon.la
libdaemon_la_SOURCES = \
	burstd/base/log.c burstd/base/log.h \
	burstd/base/child.c burstd/base/child.h
libdaemon_la_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
libdaemon_la_LIBADD = libburst.la $(UV_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/base/test_child
TESTS += tests/unit/base/test_child
tests_unit_base_test_child_SOURCES = tests/unit/base/test_child.c
tests_unit_base_test_child_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_base_test_child_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_base_test_child_LDADD = libdaemon.la $(CMOCKA_LIBS)
endif

store_sources = burstd/state/store_inside.h burstd/state/store_charge.c \
	burstd/state/store_sqlite.c burstd/state/store_story.c

# The core: everything but main(), so that tests link it.
noinst_LTLIBRARIES += libcore.la
libcore_la_SOURCES = \
	burstd/rpc/api.c burstd/rpc/api.h burstd/rpc/api_operators.c burstd/rpc/api_operators.h \
	burstd/rpc/api_people.c burstd/rpc/api_people.h burstd/rpc/api_rows.c burstd/rpc/api_rows.h \
	burstd/node/bind.c burstd/node/bind.h \
	burstd/base/burstd.h \
	burstd/cloud/clouds.c burstd/cloud/clouds.h \
	burstd/money/comment.c burstd/money/comment.h \
	burstd/job/fit.c burstd/job/fit.h \
	burstd/node/gang.c burstd/node/gang.h burstd/job/hold.c burstd/job/hold.h \
	burstd/node/instance_call.c burstd/node/instance_call.h \
	burstd/node/instance_state.c burstd/node/instance_state.h \
	burstd/state/instances.c burstd/state/instances.h \
	burstd/job/jobflow.c burstd/job/jobflow.h \
	burstd/job/bounds_of.c burstd/job/bounds_of.h \
	burstd/job/reasons.c burstd/job/reasons.h \
	burstd/job/attempt.c burstd/job/attempt.h \
	burstd/job/cancel.c burstd/job/cancel.h \
	burstd/job/leave.c burstd/job/leave.h \
	burstd/job/move.c burstd/job/move.h \
	burstd/job/place.c burstd/job/place.h \
	burstd/job/placed.c burstd/job/placed.h \
	burstd/job/running.c burstd/job/running.h \
	burstd/job/securing.c burstd/job/securing.h \
	burstd/job/stageout.c burstd/job/stageout.h \
	burstd/state/jobs.c burstd/state/jobs.h \
	burstd/state/journal.c burstd/state/journal.h \
	burstd/money/ledger.c burstd/money/ledger.h \
	burstd/state/bounds.c burstd/state/bounds.h \
	burstd/state/shape_prices.c burstd/state/shape_prices.h \
	burstd/state/model.c burstd/state/model.h \
	burstd/node/node_http.c burstd/node/node_http.h \
	burstd/cloud/observed.c burstd/cloud/observed.h \
	burstd/job/data_place.c burstd/job/data_place.h \
	burstd/plan/plan_facts.c burstd/plan/plan_facts.h burstd/plan/plan_request.c burstd/plan/plan_request.h \
	burstd/plan/planner.c burstd/plan/planner.h \
	burstd/plan/admission.c burstd/plan/admission.h \
	burstd/plan/price_survey.c burstd/plan/price_survey.h \
	burstd/plan/decision.c burstd/plan/decision.h burstd/node/idle.c burstd/node/idle.h burstd/money/caps.c burstd/money/caps.h \
	burstd/node/preempt.c burstd/node/preempt.h \
	burstd/node/provision.c burstd/node/provision.h \
	burstd/node/boot.c burstd/node/boot.h \
	burstd/node/end.c burstd/node/end.h \
	burstd/node/join.c burstd/node/join.h \
	burstd/node/launch.c burstd/node/launch.h \
	burstd/node/sighting.c burstd/node/sighting.h \
	burstd/node/stray.c burstd/node/stray.h \
	burstd/node/overdue.c burstd/node/overdue.h \
	burstd/node/sweep.c burstd/node/sweep.h \
	burstd/slurm/publish.c burstd/slurm/publish.h \
	burstd/node/purchase.c burstd/node/purchase.h \
	burstd/rpc/ready.c burstd/rpc/ready.h \
	burstd/cloud/reap.c burstd/cloud/reap.h \
	burstd/reload.c burstd/reload.h \
	burstd/plan/solver.c burstd/plan/solver.h \
	burstd/job/spill.c burstd/job/spill.h \
	burstd/slurm/spool.c burstd/slurm/spool.h \
	burstd/node/stage.c burstd/node/stage.h \
	burstd/node/stagerd_client.c burstd/node/stagerd_client.h \
	burstd/state/store.h $(store_sources) \
	burstd/tick.c burstd/tick.h \
	burstd/job/waiting.c burstd/job/waiting.h
libcore_la_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS) $(SQLITE_CFLAGS) $(MHD_CFLAGS)
libcore_la_LIBADD = libdaemon.la libcatalog.la libburst.la $(SQLITE_LIBS) $(MHD_LIBS) $(MUNGE_LIBS) $(UV_LIBS)

# The program bears the name of this folder, so it is built beside it and installed as burstd.
sbin_PROGRAMS += burstd/burstd
burstd_burstd_SOURCES = burstd/main.c
burstd_burstd_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
burstd_burstd_LDFLAGS = $(SAN_LDFLAGS)
burstd_burstd_LDADD = libcore.la librpcserver.la libslurm_link.la libssh_op.la libprovider.la \
	libplugincore.la libconf.la libdaemon.la libburst.la $(UV_LIBS)

if HAVE_CMOCKA
# The pure parts, each with what it needs and nothing else.
PURE_TESTS = tests/unit/job/test_spill tests/unit/job/test_fit tests/unit/cloud/test_reap tests/unit/state/test_store
check_PROGRAMS += $(PURE_TESTS)
TESTS += $(PURE_TESTS)
tests_unit_job_test_spill_SOURCES = tests/unit/job/test_spill.c burstd/job/spill.c burstd/job/reasons.c
tests_unit_job_test_spill_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_job_test_spill_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_job_test_spill_LDADD = $(CMOCKA_LIBS)
tests_unit_job_test_fit_SOURCES = tests/unit/job/test_fit.c burstd/job/fit.c
tests_unit_job_test_fit_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_job_test_fit_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_job_test_fit_LDADD = $(CMOCKA_LIBS)
tests_unit_cloud_test_reap_SOURCES = tests/unit/cloud/test_reap.c burstd/cloud/reap.c
tests_unit_cloud_test_reap_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(UV_CFLAGS)
tests_unit_cloud_test_reap_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_cloud_test_reap_LDADD = $(CMOCKA_LIBS)
tests_unit_state_test_store_SOURCES = tests/unit/state/test_store.c $(store_sources) burstd/state/model.c
tests_unit_state_test_store_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_state_test_store_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_state_test_store_LDADD = libdaemon.la libburst.la $(CMOCKA_LIBS) $(SQLITE_LIBS)
endif
