# SPDX-License-Identifier: GPL-3.0-or-later
# What is remembered over a crash.
store_sources = burstd/state/store_charge.c burstd/state/store_inside.h \
	burstd/state/store_rows.c burstd/state/store_sqlite.c burstd/state/store_story.c \
	burstd/state/store_table.c

libcore_la_SOURCES += \
	burstd/state/bounds.c burstd/state/bounds.h burstd/state/instances.c \
	burstd/state/instances.h burstd/state/jobs.c burstd/state/jobs.h burstd/state/journal.c \
	burstd/state/journal.h burstd/state/model.c burstd/state/model.h burstd/state/reader.c \
	burstd/state/reader.h burstd/state/shape_prices.c burstd/state/shape_prices.h \
	burstd/state/ssh_slots.c burstd/state/ssh_slots.h \
	burstd/state/store.h $(store_sources)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/state/test_store
TESTS += tests/unit/state/test_store
tests_unit_state_test_store_SOURCES = tests/unit/state/test_store.c $(store_sources) burstd/state/model.c
tests_unit_state_test_store_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_state_test_store_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_state_test_store_LDADD = libdaemon.la libburst.la $(CMOCKA_LIBS) $(SQLITE_LIBS)

check_PROGRAMS += tests/unit/state/test_reader
TESTS += tests/unit/state/test_reader
tests_unit_state_test_reader_SOURCES = tests/unit/state/test_reader.c $(store_sources) \
	burstd/state/model.c burstd/state/reader.c
tests_unit_state_test_reader_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(SQLITE_CFLAGS) $(UV_CFLAGS)
tests_unit_state_test_reader_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_state_test_reader_LDADD = libdaemon.la libburst.la $(CMOCKA_LIBS) $(SQLITE_LIBS) $(UV_LIBS)

check_PROGRAMS += tests/unit/state/test_instances
TESTS += tests/unit/state/test_instances
tests_unit_state_test_instances_SOURCES = tests/unit/state/test_instances.c
tests_unit_state_test_instances_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(SQLITE_CFLAGS) $(UV_CFLAGS)
tests_unit_state_test_instances_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_state_test_instances_LDADD = libcore.la libdaemon.la libburst.la $(CMOCKA_LIBS) $(SQLITE_LIBS) $(UV_LIBS)
endif
