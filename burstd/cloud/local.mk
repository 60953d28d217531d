# SPDX-License-Identifier: GPL-3.0-or-later
# The configured clouds and what was seen of them.
libcore_la_SOURCES += \
	burstd/cloud/clouds.c burstd/cloud/clouds.h burstd/cloud/observed.c burstd/cloud/observed.h \
	burstd/cloud/reap.c burstd/cloud/reap.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/cloud/test_reap
TESTS += tests/unit/cloud/test_reap
tests_unit_cloud_test_reap_SOURCES = tests/unit/cloud/test_reap.c burstd/cloud/reap.c
tests_unit_cloud_test_reap_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(UV_CFLAGS)
tests_unit_cloud_test_reap_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_cloud_test_reap_LDADD = $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/cloud/test_observed
TESTS += tests/unit/cloud/test_observed
tests_unit_cloud_test_observed_SOURCES = tests/unit/cloud/test_observed.c burstd/cloud/observed.c \
	burstd/state/instances.c burstd/state/ssh_slots.c burstd/money/ledger.c burstd/state/jobs.c burstd/state/journal.c $(store_sources) \
	burstd/state/model.c
tests_unit_cloud_test_observed_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_cloud_test_observed_LDFLAGS = $(SAN_LDFLAGS) -Wl,--wrap=clock_now_s,--wrap=store_commit
tests_unit_cloud_test_observed_LDADD = libcatalog.la libdaemon.la libburst.la $(CMOCKA_LIBS) $(SQLITE_LIBS)
endif
