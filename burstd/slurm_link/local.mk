# SPDX-License-Identifier: GPL-3.0-or-later
# libslurm_json: Slurm's records as JSON, calls nothing of libslurm. burst-slurm: the only program
# that links it.
noinst_LTLIBRARIES += libslurm_json.la
libslurm_json_la_SOURCES = \
	burstd/slurm_link/array_tasks.c burstd/slurm_link/array_tasks.h \
	burstd/slurm_link/compat_slurm.h \
	burstd/slurm_link/delta.c burstd/slurm_link/delta.h \
	burstd/slurm_link/estimate.c burstd/slurm_link/estimate.h \
	burstd/slurm_link/job_json.c burstd/slurm_link/job_json.h \
	burstd/slurm_link/node_json.c burstd/slurm_link/node_json.h \
	burstd/slurm_link/tres.c burstd/slurm_link/tres.h
libslurm_json_la_CFLAGS = $(SAN_CFLAGS) $(SLURM_CFLAGS) $(CJSON_CFLAGS)
libslurm_json_la_LIBADD = libburst.la

pkglibexec_PROGRAMS += burst-slurm
burst_slurm_SOURCES = \
	burstd/slurm_link/burst_slurm.c \
	burstd/slurm_link/command.c burstd/slurm_link/command.h \
	burstd/slurm_link/dbd.c burstd/slurm_link/dbd.h \
	burstd/slurm_link/lineio.c burstd/slurm_link/lineio.h \
	burstd/slurm_link/watch.c burstd/slurm_link/watch.h
burst_slurm_CFLAGS = $(SAN_CFLAGS) $(SLURM_CFLAGS) $(CJSON_CFLAGS)
# Slurm's plugins look up functions in the program, see dbd.c.
burst_slurm_LDFLAGS = $(SAN_LDFLAGS) -Wl,--dynamic-list=$(srcdir)/burstd/slurm_link/burst-slurm.list
EXTRA_burst_slurm_DEPENDENCIES = burstd/slurm_link/burst-slurm.list
EXTRA_DIST += burstd/slurm_link/burst-slurm.list
burst_slurm_LDADD = libslurm_json.la libburst.la $(SLURM_LIBS) $(CJSON_LIBS)

# burstd's side; knows nothing of libslurm.
noinst_LTLIBRARIES += libslurm_link.la
libslurm_link_la_SOURCES = \
	burstd/slurm_link/slurm_link.c burstd/slurm_link/slurm_link.h \
	burstd/slurm_link/tables.c burstd/slurm_link/tables.h
libslurm_link_la_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
libslurm_link_la_LIBADD = libdaemon.la

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_slurm_json tests/unit/test_slurm_link
TESTS += tests/unit/test_slurm_json tests/unit/test_slurm_link
tests_unit_test_slurm_json_SOURCES = tests/unit/test_slurm_json.c
tests_unit_test_slurm_json_CFLAGS = $(SAN_CFLAGS) $(SLURM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_test_slurm_json_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_test_slurm_json_LDADD = libslurm_json.la libburst.la $(CMOCKA_LIBS) $(CJSON_LIBS)
tests_unit_test_slurm_link_SOURCES = tests/unit/test_slurm_link.c
tests_unit_test_slurm_link_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_test_slurm_link_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_test_slurm_link_LDADD = libslurm_link.la libdaemon.la $(CMOCKA_LIBS)
endif
