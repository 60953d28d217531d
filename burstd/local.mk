# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon. Parts with their own libraries live in sub-areas (slurm_link, ssh, provider).
noinst_LTLIBRARIES += libdaemon.la
libdaemon_la_SOURCES = \
	burstd/log.c burstd/log.h \
	burstd/child.c burstd/child.h
libdaemon_la_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
libdaemon_la_LIBADD = libburst.la $(UV_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_child
TESTS += tests/unit/test_child
tests_unit_test_child_SOURCES = tests/unit/test_child.c
tests_unit_test_child_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_test_child_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_test_child_LDADD = libdaemon.la $(CMOCKA_LIBS)
endif

# The core: everything but main(), so that tests link it.
noinst_LTLIBRARIES += libcore.la
libcore_la_SOURCES = \
	burstd/api.c burstd/api.h \
	burstd/bind.c burstd/bind.h \
	burstd/burstd.h \
	burstd/clouds.c burstd/clouds.h \
	burstd/comment.c burstd/comment.h \
	burstd/fit.c burstd/fit.h \
	burstd/gang.c burstd/gang.h burstd/hold.c burstd/hold.h \
	burstd/instance_call.c burstd/instance_call.h \
	burstd/instances.c burstd/instances.h \
	burstd/jobflow.c burstd/jobflow.h \
	burstd/jobs.c burstd/jobs.h \
	burstd/journal.c burstd/journal.h \
	burstd/ledger.c burstd/ledger.h \
	burstd/model.c burstd/model.h \
	burstd/node_http.c burstd/node_http.h \
	burstd/observed.c burstd/observed.h \
	burstd/data_place.c burstd/data_place.h \
	burstd/plan_facts.c burstd/plan_facts.h burstd/plan_request.c burstd/plan_request.h \
	burstd/planner.c burstd/planner.h \
	burstd/decision.c burstd/decision.h burstd/idle.c burstd/idle.h burstd/caps.c burstd/caps.h \
	burstd/preempt.c burstd/preempt.h \
	burstd/provision.c burstd/provision.h \
	burstd/publish.c burstd/publish.h \
	burstd/purchase.c burstd/purchase.h \
	burstd/ready.c burstd/ready.h \
	burstd/reap.c burstd/reap.h \
	burstd/reload.c burstd/reload.h \
	burstd/solver.c burstd/solver.h \
	burstd/spill.c burstd/spill.h \
	burstd/spool.c burstd/spool.h \
	burstd/stage.c burstd/stage.h \
	burstd/stagerd_client.c burstd/stagerd_client.h \
	burstd/store.h burstd/store_sqlite.c \
	burstd/tick.c burstd/tick.h \
	burstd/waiting.c burstd/waiting.h
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
PURE_TESTS = tests/unit/test_spill tests/unit/test_fit tests/unit/test_reap tests/unit/test_store
check_PROGRAMS += $(PURE_TESTS)
TESTS += $(PURE_TESTS)
tests_unit_test_spill_SOURCES = tests/unit/test_spill.c burstd/spill.c
tests_unit_test_spill_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_spill_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_test_spill_LDADD = $(CMOCKA_LIBS)
tests_unit_test_fit_SOURCES = tests/unit/test_fit.c burstd/fit.c
tests_unit_test_fit_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_test_fit_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_test_fit_LDADD = $(CMOCKA_LIBS)
tests_unit_test_reap_SOURCES = tests/unit/test_reap.c burstd/reap.c
tests_unit_test_reap_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(UV_CFLAGS)
tests_unit_test_reap_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_test_reap_LDADD = $(CMOCKA_LIBS)
tests_unit_test_store_SOURCES = tests/unit/test_store.c burstd/store_sqlite.c burstd/model.c
tests_unit_test_store_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_test_store_LDADD = libdaemon.la libburst.la $(CMOCKA_LIBS) $(SQLITE_LIBS)
endif
