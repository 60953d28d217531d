# SPDX-License-Identifier: GPL-3.0-or-later
# What daemon, command and children share; no Slurm, no libuv in here.
noinst_LTLIBRARIES += libburst.la
libburst_la_SOURCES = \
	burstd/libburst/clock.c burstd/libburst/clock.h \
	burstd/libburst/error.c burstd/libburst/error.h \
	burstd/libburst/fsutil.c burstd/libburst/fsutil.h \
	burstd/libburst/hostlist.c burstd/libburst/hostlist.h \
	burstd/libburst/json.c burstd/libburst/json.h \
	burstd/libburst/money.c burstd/libburst/money.h \
	burstd/libburst/path.c burstd/libburst/path.h \
	burstd/libburst/people.c burstd/libburst/people.h \
	burstd/libburst/printable.c burstd/libburst/printable.h \
	burstd/libburst/rpc_client.c burstd/libburst/rpc_client.h \
	burstd/libburst/strbuf.c burstd/libburst/strbuf.h \
	burstd/libburst/xalloc.c burstd/libburst/xalloc.h
libburst_la_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS)
libburst_la_LIBADD = $(CJSON_LIBS) -lm

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/libburst/test_libburst
TESTS += tests/unit/libburst/test_libburst
tests_unit_libburst_test_libburst_SOURCES = tests/unit/libburst/test_libburst.c
tests_unit_libburst_test_libburst_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_libburst_test_libburst_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_libburst_test_libburst_LDADD = libburst.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/libburst/test_rpc_client
TESTS += tests/unit/libburst/test_rpc_client
tests_unit_libburst_test_rpc_client_SOURCES = tests/unit/libburst/test_rpc_client.c
tests_unit_libburst_test_rpc_client_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_libburst_test_rpc_client_LDFLAGS = $(SAN_LDFLAGS) -pthread
tests_unit_libburst_test_rpc_client_LDADD = libburst.la $(CMOCKA_LIBS)
endif

# `make fuzz-NAME` links the sources themselves, built for the fuzzer.
FUZZ_CC = clang -g -O1 -fsanitize=fuzzer,address,undefined $(DEFS) $(AM_CPPFLAGS) $(CJSON_CFLAGS)
FUZZ_LIBBURST = $(addprefix $(srcdir)/burstd/libburst/,clock.c error.c fsutil.c json.c money.c \
	strbuf.c xalloc.c)
