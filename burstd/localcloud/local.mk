# SPDX-License-Identifier: GPL-3.0-or-later
# The embedded cloud: a process of its own, root, with an HTTP API.
noinst_LTLIBRARIES += liblocalcloud.la
liblocalcloud_la_SOURCES = \
	burstd/base/log.c burstd/base/log.h \
	burstd/localcloud/api.c burstd/localcloud/api.h \
	burstd/localcloud/conf.c burstd/localcloud/conf.h \
	burstd/localcloud/faults.c burstd/localcloud/faults.h \
	burstd/localcloud/fleet.c burstd/localcloud/fleet.h burstd/localcloud/fleet_inside.h \
	burstd/localcloud/fleet_bill.c burstd/localcloud/fleet_end.c burstd/localcloud/fleet_launch.c \
	burstd/localcloud/guest.c burstd/localcloud/guest.h \
	burstd/localcloud/guest_spec.c burstd/localcloud/guest_spec.h \
	burstd/localcloud/guest_root.c burstd/localcloud/guest_root.h \
	burstd/localcloud/hostkey.c burstd/localcloud/hostkey.h \
	burstd/localcloud/httpd.c burstd/localcloud/httpd.h \
	burstd/localcloud/instance.c burstd/localcloud/instance.h \
	burstd/localcloud/link.c burstd/localcloud/link.h \
	burstd/localcloud/machine.c burstd/localcloud/machine.h \
	burstd/localcloud/metadata.c burstd/localcloud/metadata.h \
	burstd/localcloud/offers.c burstd/localcloud/offers.h
liblocalcloud_la_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS) $(MHD_CFLAGS) $(CRYPTO_CFLAGS)
liblocalcloud_la_LIBADD = libburst.la $(UV_LIBS) $(MHD_LIBS) $(CRYPTO_LIBS)

sbin_PROGRAMS += burst-localcloud
burst_localcloud_SOURCES = burstd/localcloud/main.c
burst_localcloud_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
burst_localcloud_LDFLAGS = $(SAN_LDFLAGS)
burst_localcloud_LDADD = liblocalcloud.la

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/localcloud/test_localcloud
TESTS += tests/unit/localcloud/test_localcloud
tests_unit_localcloud_test_localcloud_SOURCES = tests/unit/localcloud/test_localcloud.c
tests_unit_localcloud_test_localcloud_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
tests_unit_localcloud_test_localcloud_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_localcloud_test_localcloud_LDADD = liblocalcloud.la libburst.la $(CMOCKA_LIBS)
endif
