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
