# SPDX-License-Identifier: GPL-3.0-or-later
# Bootstrap and staging over SSH: the helper burst-ssh, and what it shares with burst-stagerd.
# Requests and paths: no library beneath but cJSON, shared by all three.
noinst_LTLIBRARIES += libssh_request.la
libssh_request_la_SOURCES = \
	burstd/ssh/line.c burstd/ssh/line.h \
	burstd/ssh/request.c burstd/ssh/request.h \
	burstd/ssh/stage_paths.c burstd/ssh/stage_paths.h
libssh_request_la_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS)
libssh_request_la_LIBADD = libburst.la

# burstd's side: burst-ssh as a child.
noinst_LTLIBRARIES += libssh_op.la
libssh_op_la_SOURCES = burstd/ssh/port_wait.c burstd/ssh/port_wait.h \
	burstd/ssh/site_ready.c burstd/ssh/site_ready.h \
	burstd/ssh/ssh_op.c burstd/ssh/ssh_op.h
libssh_op_la_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
libssh_op_la_LIBADD = libssh_request.la libdaemon.la

noinst_LTLIBRARIES += libssh_ops.la
libssh_ops_la_SOURCES = \
	burstd/ssh/bundle.c burstd/ssh/bundle.h \
	burstd/ssh/host_key.c burstd/ssh/host_key.h \
	burstd/ssh/session.c burstd/ssh/session.h \
	burstd/ssh/slurm_files.c burstd/ssh/slurm_files.h \
	burstd/ssh/ssh_error.c burstd/ssh/ssh_error.h \
	burstd/ssh/tcp.c burstd/ssh/tcp.h \
	burstd/ssh/transfer.c burstd/ssh/transfer.h
libssh_ops_la_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS) $(SSH2_CFLAGS) $(CRYPTO_CFLAGS)
libssh_ops_la_LIBADD = libssh_request.la libburst.la $(SSH2_LIBS) $(CRYPTO_LIBS)

pkglibexec_PROGRAMS += burst-ssh
burst_ssh_SOURCES = \
	burstd/base/start.c burstd/base/start.h \
	burstd/ssh/account.c burstd/ssh/account.h \
	burstd/ssh/burst-ssh.c \
	burstd/ssh/event.c burstd/ssh/event.h \
	burstd/ssh/node_command.c burstd/ssh/node_command.h \
	burstd/ssh/prepare.c burstd/ssh/prepare.h \
	burstd/ssh/stage_peer.c burstd/ssh/stage_peer.h \
	burstd/ssh/staging.c burstd/ssh/staging.h
burst_ssh_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS)
burst_ssh_LDFLAGS = $(SAN_LDFLAGS)
burst_ssh_LDADD = libssh_ops.la

noinst_LTLIBRARIES += libstage.la
libstage_la_SOURCES = \
	burstd/ssh/stage_content.c burstd/ssh/stage_content.h \
	burstd/ssh/stage_dirs.c burstd/ssh/stage_dirs.h \
	burstd/ssh/stage_holes.c burstd/ssh/stage_holes.h burstd/ssh/stage_home.c burstd/ssh/stage_home.h \
	burstd/ssh/stage_keep.c burstd/ssh/stage_keep.h \
	burstd/ssh/stage_named.c burstd/ssh/stage_named.h \
	burstd/ssh/stage_pack.c burstd/ssh/stage_pack.h \
	burstd/ssh/stage_places.c burstd/ssh/stage_places.h \
	burstd/ssh/stage_request.c burstd/ssh/stage_request.h \
	burstd/ssh/stage_stream.c burstd/ssh/stage_stream.h \
	burstd/ssh/stage_sync.c burstd/ssh/stage_sync.h \
	burstd/ssh/stage_unpack.c burstd/ssh/stage_unpack.h
libstage_la_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS) $(ARCHIVE_CFLAGS)
libstage_la_LIBADD = libssh_request.la libburst.la $(ARCHIVE_LIBS)

sbin_PROGRAMS += burst-stagerd
burst_stagerd_SOURCES = \
	burstd/base/log.c burstd/base/log.h \
	burstd/base/start.c burstd/base/start.h \
	burstd/ssh/stage_serve.c burstd/ssh/stage_serve.h \
	burstd/ssh/stagerd.c
burst_stagerd_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS)
burst_stagerd_LDFLAGS = $(SAN_LDFLAGS)
burst_stagerd_LDADD = libstage.la

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/ssh/test_ssh_request tests/unit/ssh/test_stage tests/unit/ssh/test_ssh_op \
	tests/unit/ssh/test_port_wait tests/unit/ssh/test_site_ready
TESTS += tests/unit/ssh/test_ssh_request tests/unit/ssh/test_stage tests/unit/ssh/test_ssh_op \
	tests/unit/ssh/test_port_wait tests/unit/ssh/test_site_ready
tests_unit_ssh_test_port_wait_SOURCES = tests/unit/ssh/test_port_wait.c
tests_unit_ssh_test_port_wait_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(UV_CFLAGS)
tests_unit_ssh_test_port_wait_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_ssh_test_port_wait_LDADD = libssh_op.la $(CMOCKA_LIBS)
tests_unit_ssh_test_ssh_request_SOURCES = tests/unit/ssh/test_ssh_request.c
tests_unit_ssh_test_ssh_request_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(ARCHIVE_CFLAGS)
tests_unit_ssh_test_ssh_request_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_ssh_test_ssh_request_LDADD = libssh_ops.la $(ARCHIVE_LIBS) $(CMOCKA_LIBS)
tests_unit_ssh_test_stage_SOURCES = tests/unit/ssh/test_stage.c
tests_unit_ssh_test_stage_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(ARCHIVE_CFLAGS)
tests_unit_ssh_test_stage_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_ssh_test_stage_LDADD = libstage.la $(CMOCKA_LIBS)
tests_unit_ssh_test_site_ready_SOURCES = tests/unit/ssh/test_site_ready.c
tests_unit_ssh_test_site_ready_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_ssh_test_site_ready_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_ssh_test_site_ready_LDADD = libssh_op.la $(CMOCKA_LIBS)
tests_unit_ssh_test_ssh_op_SOURCES = tests/unit/ssh/test_ssh_op.c
tests_unit_ssh_test_ssh_op_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_ssh_test_ssh_op_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_ssh_test_ssh_op_LDADD = libssh_op.la $(CMOCKA_LIBS)
endif

# Fuzz targets, replayed over their corpora
check_PROGRAMS += tests/fuzz/replay_unpack
TESTS += tests/fuzz/replay_unpack
tests_fuzz_replay_unpack_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_unpack.c
tests_fuzz_replay_unpack_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"unpack"'
tests_fuzz_replay_unpack_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS) $(ARCHIVE_CFLAGS)
tests_fuzz_replay_unpack_LDFLAGS = $(SAN_LDFLAGS)
tests_fuzz_replay_unpack_LDADD = libstage.la

check_PROGRAMS += tests/fuzz/replay_ssh
TESTS += tests/fuzz/replay_ssh
tests_fuzz_replay_ssh_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_ssh.c
tests_fuzz_replay_ssh_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"ssh"'
tests_fuzz_replay_ssh_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS)
tests_fuzz_replay_ssh_LDFLAGS = $(SAN_LDFLAGS)
tests_fuzz_replay_ssh_LDADD = libssh_request.la libburst.la
