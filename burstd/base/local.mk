# SPDX-License-Identifier: GPL-3.0-or-later
# Configuration, log, children.
noinst_LTLIBRARIES += libdaemon.la
libdaemon_la_SOURCES = \
	burstd/base/burstd.h \
	burstd/base/log.c burstd/base/log.h \
	burstd/base/child.c burstd/base/child.h
libdaemon_la_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
libdaemon_la_LIBADD = libburst.la $(UV_LIBS)

noinst_LTLIBRARIES += libconf.la
libconf_la_SOURCES = \
	burstd/base/conf.c burstd/base/conf.h burstd/base/conf_inside.h \
	burstd/base/conf_check.c burstd/base/conf_clouds.c burstd/base/conf_find.c \
	burstd/base/conf_shapes.c \
	burstd/base/yamltab.c burstd/base/yamltab.h burstd/base/yamltab_inside.h \
	burstd/base/yamltab_place.c burstd/base/yamltab_scalar.c
libconf_la_CFLAGS = $(SAN_CFLAGS) $(YAML_CFLAGS)
libconf_la_LIBADD = libburst.la $(YAML_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/base/test_child
TESTS += tests/unit/base/test_child
tests_unit_base_test_child_SOURCES = tests/unit/base/test_child.c
tests_unit_base_test_child_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_base_test_child_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_base_test_child_LDADD = libdaemon.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/base/test_conf
TESTS += tests/unit/base/test_conf
tests_unit_base_test_conf_SOURCES = tests/unit/base/test_conf.c
tests_unit_base_test_conf_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_base_test_conf_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_base_test_conf_LDADD = libconf.la $(CMOCKA_LIBS)
endif
