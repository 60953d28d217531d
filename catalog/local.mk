# SPDX-License-Identifier: GPL-3.0-or-later
# The catalog library: CSV, validation, compiled index. The starter catalog is installed.
noinst_LTLIBRARIES += libcatalog.la
libcatalog_la_SOURCES = \
	catalog/builder.c catalog/builder.h \
	catalog/catalog.c catalog/catalog.h \
	catalog/cloud_csv.c catalog/cloud_csv.h \
	catalog/compare.c catalog/compare.h \
	catalog/csv.c catalog/csv.h \
	catalog/egress_csv.c catalog/egress_csv.h \
	catalog/glob.c catalog/glob.h \
	catalog/image.c catalog/image.h catalog/index.c catalog/load.c \
	catalog/offer.h \
	catalog/number.c catalog/number.h \
	catalog/quarantine.c catalog/quarantine.h \
	catalog/reader.c catalog/reader.h \
	catalog/tracker.c catalog/tracker.h
libcatalog_la_CFLAGS = $(SAN_CFLAGS) -O2 $(CJSON_CFLAGS)
libcatalog_la_LIBADD = libburst.la $(CJSON_LIBS) -lm

# Price fetchers, started by `burst catalog update`. They speak HTTP as the drivers do.
noinst_LTLIBRARIES += libfetch.la
libfetch_la_SOURCES = catalog/fetch/fetch.c catalog/fetch/fetch.h
libfetch_la_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
libfetch_la_LIBADD = libprovider.la libburst.la $(UV_LIBS)

pkglibexec_PROGRAMS += fetch-local fetch-url
fetch_local_SOURCES = catalog/fetch/fetch_local.c
fetch_local_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS)
fetch_local_LDFLAGS = $(SAN_LDFLAGS)
fetch_local_LDADD = libfetch.la $(CJSON_LIBS)
fetch_url_SOURCES = catalog/fetch/fetch_url.c
fetch_url_CFLAGS = $(SAN_CFLAGS)
fetch_url_LDFLAGS = $(SAN_LDFLAGS)
fetch_url_LDADD = libfetch.la
EXTRA_DIST += scripts/update-catalog

catalogdatadir = $(pkgdatadir)/catalog
dist_catalogdata_DATA = \
	catalog/data/aws.csv catalog/data/azure.csv catalog/data/egress.csv catalog/data/gcp.csv \
	catalog/data/lambda.csv catalog/data/runpod.csv catalog/data/README.md \
	catalog/data/accepted.txt

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/catalog/test_catalog
TESTS += tests/unit/catalog/test_catalog
tests_unit_catalog_test_catalog_SOURCES = tests/unit/catalog/test_catalog.c
tests_unit_catalog_test_catalog_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_catalog_test_catalog_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_catalog_test_catalog_LDADD = libcatalog.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/catalog/test_tracker
TESTS += tests/unit/catalog/test_tracker
tests_unit_catalog_test_tracker_SOURCES = tests/unit/catalog/test_tracker.c
tests_unit_catalog_test_tracker_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_catalog_test_tracker_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_catalog_test_tracker_LDADD = libcatalog.la $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/bench/bench_catalog
BENCHES += tests/bench/bench_catalog
tests_bench_bench_catalog_SOURCES = tests/bench/bench_catalog.c
tests_bench_bench_catalog_CFLAGS = $(SAN_CFLAGS) -O2
tests_bench_bench_catalog_LDFLAGS = $(SAN_LDFLAGS)
tests_bench_bench_catalog_LDADD = libcatalog.la

# Replays corpus/catalog; `make fuzz-catalog` makes the fuzzer (clang).
check_PROGRAMS += tests/fuzz/replay_catalog
TESTS += tests/fuzz/replay_catalog
tests_fuzz_replay_catalog_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_catalog.c
tests_fuzz_replay_catalog_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"catalog"'
tests_fuzz_replay_catalog_CFLAGS = $(SAN_CFLAGS)
tests_fuzz_replay_catalog_LDFLAGS = $(SAN_LDFLAGS)
tests_fuzz_replay_catalog_LDADD = libcatalog.la

.PHONY: fuzz-catalog
fuzz-catalog:
	$(FUZZ_CC) \
		-o fuzz-catalog $(srcdir)/tests/fuzz/fuzz_catalog.c $(srcdir)/catalog/*.c \
		$(FUZZ_LIBBURST) \
		$(CJSON_LIBS) -lm
