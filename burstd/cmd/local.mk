# SPDX-License-Identifier: GPL-3.0-or-later
# burst.yaml (used by daemon and command) and the command `burst`.
noinst_LTLIBRARIES += libconf.la
libconf_la_SOURCES = \
	burstd/conf.c burstd/conf.h \
	burstd/yamltab.c burstd/yamltab.h
libconf_la_CFLAGS = $(SAN_CFLAGS) $(YAML_CFLAGS)
libconf_la_LIBADD = libburst.la $(YAML_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_conf
TESTS += tests/unit/test_conf
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c
tests_unit_test_conf_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_conf_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_test_conf_LDADD = libconf.la $(CMOCKA_LIBS)
endif
