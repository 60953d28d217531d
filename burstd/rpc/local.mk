# SPDX-License-Identifier: GPL-3.0-or-later
# What people, operators and hooks ask.
noinst_LTLIBRARIES += librpcserver.la
librpcserver_la_SOURCES = \
	burstd/rpc/rpc_connection.c burstd/rpc/rpc_server_inside.h burstd/rpc/rpc_peer.c \
	burstd/rpc/rpc_request.c burstd/rpc/rpc_server.c burstd/rpc/rpc_server.h
librpcserver_la_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
librpcserver_la_LIBADD = libconf.la $(UV_LIBS)

libcore_la_SOURCES += \
	burstd/rpc/api.c burstd/rpc/api.h burstd/rpc/api_history.c burstd/rpc/api_history.h \
	burstd/rpc/api_listing.c burstd/rpc/api_listing.h burstd/rpc/api_operators.c \
	burstd/rpc/api_operators.h burstd/rpc/api_people.c burstd/rpc/api_people.h \
	burstd/rpc/api_rows.c burstd/rpc/api_rows.h burstd/rpc/asked.c burstd/rpc/asked.h \
	burstd/rpc/api_bounds.c burstd/rpc/api_bounds.h burstd/rpc/api_trouble.c burstd/rpc/api_trouble.h \
	burstd/rpc/api_why.c burstd/rpc/api_why.h \
	burstd/rpc/ready.c burstd/rpc/ready.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/rpc/test_rpc_server
TESTS += tests/unit/rpc/test_rpc_server
tests_unit_rpc_test_rpc_server_SOURCES = tests/unit/rpc/test_rpc_server.c
tests_unit_rpc_test_rpc_server_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_rpc_test_rpc_server_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_rpc_test_rpc_server_LDADD = librpcserver.la libdaemon.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/rpc/test_api
TESTS += tests/unit/rpc/test_api
tests_unit_rpc_test_api_SOURCES = tests/unit/rpc/test_api.c
tests_unit_rpc_test_api_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_rpc_test_api_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_rpc_test_api_LDADD = libcore.la librpcserver.la libslurm_link.la libssh_op.la libprovider.la \
	libplugincore.la libconf.la libdaemon.la libburst.la $(CMOCKA_LIBS) $(UV_LIBS)
check_PROGRAMS += tests/unit/rpc/test_api_answers
TESTS += tests/unit/rpc/test_api_answers
tests_unit_rpc_test_api_answers_SOURCES = tests/unit/rpc/test_api_answers.c \
	burstd/rpc/api_bounds.c burstd/rpc/api_why.c burstd/state/bounds.c burstd/state/jobs.c \
	burstd/state/journal.c $(store_sources) burstd/state/model.c
tests_unit_rpc_test_api_answers_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_rpc_test_api_answers_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_rpc_test_api_answers_LDADD = libplugincore.la libconf.la libdaemon.la libburst.la \
	$(CMOCKA_LIBS) $(SQLITE_LIBS)
endif

# A fuzz target, replayed over its corpus
check_PROGRAMS += tests/fuzz/replay_rpc
TESTS += tests/fuzz/replay_rpc
tests_fuzz_replay_rpc_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_rpc.c
tests_fuzz_replay_rpc_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"rpc"'
tests_fuzz_replay_rpc_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_fuzz_replay_rpc_LDFLAGS = $(SAN_LDFLAGS)
tests_fuzz_replay_rpc_LDADD = librpcserver.la libdaemon.la
