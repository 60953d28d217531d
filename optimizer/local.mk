# SPDX-License-Identifier: GPL-3.0-or-later
# The optimizer library and its process burst-solve. GLPK is linked here and nowhere else.
noinst_LTLIBRARIES += liboptimizer.la
liboptimizer_la_SOURCES = \
	optimizer/answer.c \
	optimizer/candidates.c optimizer/candidates.h \
	optimizer/dual.c optimizer/ilp.c optimizer/improve.c \
	optimizer/mrf.c optimizer/mrf.h \
	optimizer/part.c optimizer/part.h \
	optimizer/places.c optimizer/places.h \
	optimizer/plan.c optimizer/plan.h \
	optimizer/problem.c optimizer/problem.h \
	optimizer/reduce.c optimizer/search.c \
	optimizer/request.c optimizer/request.h \
	optimizer/solve.c optimizer/solve.h
liboptimizer_la_CFLAGS = $(SAN_CFLAGS) -O2 $(CJSON_CFLAGS)
liboptimizer_la_LIBADD = libcatalog.la libburst.la $(CJSON_LIBS) $(GLPK_LIBS) -lm

pkglibexec_PROGRAMS += burst-solve
burst_solve_SOURCES = optimizer/burst_solve.c
burst_solve_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS)
burst_solve_LDFLAGS = $(SAN_LDFLAGS)
burst_solve_LDADD = liboptimizer.la

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_plan_random
TESTS += tests/unit/test_plan_random
tests_unit_test_plan_random_SOURCES = tests/unit/test_plan_random.c \
	tests/unit/plan_world.c tests/unit/plan_world.h
tests_unit_test_plan_random_CFLAGS = $(SAN_CFLAGS) -O2 $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_test_plan_random_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_test_plan_random_LDADD = liboptimizer.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_plan
TESTS += tests/unit/test_plan
tests_unit_test_plan_SOURCES = tests/unit/test_plan.c
tests_unit_test_plan_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_test_plan_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_test_plan_LDADD = liboptimizer.la $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/bench/bench_plan
BENCHES += tests/bench/bench_plan
tests_bench_bench_plan_SOURCES = tests/bench/bench_plan.c
tests_bench_bench_plan_CFLAGS = $(SAN_CFLAGS) -O2 $(CJSON_CFLAGS)
tests_bench_bench_plan_LDFLAGS = $(SAN_LDFLAGS)
tests_bench_bench_plan_LDADD = liboptimizer.la
