# SPDX-License-Identifier: GPL-3.0-or-later
# What runs inside Slurm and what Slurm runs. Two builds of the same sources: the plugins (modules
# of exactly one Slurm release, never with sanitizers: slurmctld is not built with them) and
# libplugincore, for burstd, the hooks and the tests.
plugin_core = \
	slurm_plugin/classify.c slurm_plugin/classify.h \
	slurm_plugin/need.c slurm_plugin/need.h \
	slurm_plugin/snapshot.c slurm_plugin/snapshot.h \
	slurm_plugin/directive.c slurm_plugin/directive.h

noinst_LTLIBRARIES += libplugincore.la
libplugincore_la_SOURCES = $(plugin_core)
libplugincore_la_CFLAGS = $(SAN_CFLAGS)
libplugincore_la_LIBADD = libburst.la

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_directive
TESTS += tests/unit/test_directive
tests_unit_test_directive_SOURCES = tests/unit/test_directive.c
tests_unit_test_directive_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_directive_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_test_directive_LDADD = libplugincore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_snapshot
TESTS += tests/unit/test_snapshot
tests_unit_test_snapshot_SOURCES = tests/unit/test_snapshot.c
tests_unit_test_snapshot_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_snapshot_LDFLAGS = $(SAN_LDFLAGS) -pthread
tests_unit_test_snapshot_LDADD = libplugincore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_need tests/unit/test_classify
TESTS += tests/unit/test_need tests/unit/test_classify
tests_unit_test_need_SOURCES = tests/unit/test_need.c
tests_unit_test_need_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_need_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_test_need_LDADD = libplugincore.la $(CMOCKA_LIBS)
tests_unit_test_classify_SOURCES = tests/unit/test_classify.c
tests_unit_test_classify_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_classify_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_test_classify_LDADD = libplugincore.la $(CMOCKA_LIBS)
endif
