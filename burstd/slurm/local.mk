# SPDX-License-Identifier: GPL-3.0-or-later
# libslurm_json: Slurm's records as JSON, calls nothing of libslurm. burst-slurm: the only program
# that links it.
noinst_LTLIBRARIES += libslurm_json.la
libslurm_json_la_SOURCES = \
	burstd/slurm/child/array_tasks.c burstd/slurm/child/array_tasks.h \
	burstd/slurm/child/compat_slurm.h \
	burstd/slurm/child/delta.c burstd/slurm/child/delta.h \
	burstd/slurm/child/estimate.c burstd/slurm/child/estimate.h \
	burstd/slurm/child/job_json.c burstd/slurm/child/job_json.h \
	burstd/slurm/child/limits_json.c burstd/slurm/child/limits_json.h \
	burstd/slurm/child/node_json.c burstd/slurm/child/node_json.h
libslurm_json_la_CFLAGS = $(SAN_CFLAGS) $(SLURM_CFLAGS) $(CJSON_CFLAGS)
libslurm_json_la_LIBADD = libburst.la

pkglibexec_PROGRAMS += burst-slurm
burst_slurm_SOURCES = \
	burstd/slurm/child/burst_slurm.c \
	burstd/slurm/child/command.c burstd/slurm/child/command.h \
	burstd/slurm/child/dbd.c burstd/slurm/child/dbd.h \
	burstd/slurm/child/limits.c burstd/slurm/child/limits.h \
	burstd/slurm/child/lineio.c burstd/slurm/child/lineio.h \
	burstd/slurm/child/watch.c burstd/slurm/child/watch.h
burst_slurm_CFLAGS = $(SAN_CFLAGS) $(SLURM_CFLAGS) $(CJSON_CFLAGS)
# Slurm's plugins look up functions in the program, see dbd.c.
burst_slurm_LDFLAGS = $(SAN_LDFLAGS) -Wl,--dynamic-list=$(srcdir)/burstd/slurm/child/burst-slurm.list
EXTRA_burst_slurm_DEPENDENCIES = burstd/slurm/child/burst-slurm.list
EXTRA_DIST += burstd/slurm/child/burst-slurm.list
burst_slurm_LDADD = libslurm_json.la libburst.la $(SLURM_LIBS) $(CJSON_LIBS)

# burstd's side; knows nothing of libslurm.
noinst_LTLIBRARIES += libslurm_link.la
libslurm_link_la_SOURCES = \
	burstd/slurm/limits.c burstd/slurm/limits.h \
	burstd/slurm/records.h \
	burstd/slurm/slurm_link.c burstd/slurm/slurm_link.h \
	burstd/slurm/tables.c burstd/slurm/tables.h
libslurm_link_la_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
libslurm_link_la_LIBADD = libdaemon.la

# For tests/t/26-need.t
check_PROGRAMS += tests/t/need_table
tests_t_need_table_SOURCES = tests/t/need_table.c burstd/job/fit.c burstd/slurm/tables.c slurm_plugin/constraint.c slurm_plugin/need.c
tests_t_need_table_CFLAGS = $(SAN_CFLAGS) $(SLURM_CFLAGS) $(CJSON_CFLAGS)
tests_t_need_table_LDFLAGS = $(SAN_LDFLAGS)
tests_t_need_table_LDADD = libburst.la $(SLURM_LIBS) $(CJSON_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/slurm/child/test_slurm_json tests/unit/slurm/test_slurm_link
TESTS += tests/unit/slurm/child/test_slurm_json tests/unit/slurm/test_slurm_link
tests_unit_slurm_child_test_slurm_json_SOURCES = tests/unit/slurm/child/test_slurm_json.c
tests_unit_slurm_child_test_slurm_json_CFLAGS = $(SAN_CFLAGS) $(SLURM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_slurm_child_test_slurm_json_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_slurm_child_test_slurm_json_LDADD = libslurm_json.la libburst.la $(CMOCKA_LIBS) $(CJSON_LIBS)
check_PROGRAMS += tests/unit/slurm/test_limits
TESTS += tests/unit/slurm/test_limits
tests_unit_slurm_test_limits_SOURCES = tests/unit/slurm/test_limits.c
tests_unit_slurm_test_limits_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_slurm_test_limits_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_slurm_test_limits_LDADD = libslurm_link.la libdaemon.la libburst.la $(CMOCKA_LIBS)
tests_unit_slurm_test_slurm_link_SOURCES = tests/unit/slurm/test_slurm_link.c
tests_unit_slurm_test_slurm_link_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_slurm_test_slurm_link_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_slurm_test_slurm_link_LDADD = libslurm_link.la libdaemon.la $(CMOCKA_LIBS)
endif

# The core's part.
libcore_la_SOURCES += \
	burstd/slurm/drain.c burstd/slurm/drain.h burstd/slurm/publish.c burstd/slurm/publish.h burstd/slurm/spool.c burstd/slurm/spool.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/slurm/test_spool
TESTS += tests/unit/slurm/test_spool
tests_unit_slurm_test_spool_SOURCES = tests/unit/slurm/test_spool.c burstd/slurm/spool.c
tests_unit_slurm_test_spool_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_slurm_test_spool_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_slurm_test_spool_LDADD = libdaemon.la libburst.la $(CMOCKA_LIBS)
endif
