# SPDX-License-Identifier: GPL-3.0-or-later
# What was spent, and what may be.
libcore_la_SOURCES += \
	burstd/money/caps.c burstd/money/caps.h burstd/money/comment.c burstd/money/comment.h \
	burstd/money/ledger.c burstd/money/ledger.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/money/test_ledger
TESTS += tests/unit/money/test_ledger
tests_unit_money_test_ledger_SOURCES = tests/unit/money/test_ledger.c burstd/money/ledger.c burstd/node/instance_state.c burstd/state/instances.c \
	burstd/state/jobs.c burstd/state/journal.c burstd/state/ssh_slots.c $(store_sources) burstd/state/model.c
tests_unit_money_test_ledger_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_money_test_ledger_LDFLAGS = $(SAN_LDFLAGS) -Wl,--wrap=clock_now_s
tests_unit_money_test_ledger_LDADD = libdaemon.la libburst.la $(CMOCKA_LIBS) $(SQLITE_LIBS)
endif
