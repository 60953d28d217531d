# SPDX-License-Identifier: GPL-3.0-or-later
# The optimizer library and its process burst-solve. GLPK is linked here and nowhere else.
noinst_LTLIBRARIES += liboptimizer.la
liboptimizer_la_SOURCES = \
	optimizer/answer.c \
	optimizer/best.c optimizer/best.h \
	optimizer/blocked.c optimizer/blocked.h \
	optimizer/candidates.c optimizer/candidates.h \
	optimizer/dual.c optimizer/dual.h \
	optimizer/field.c optimizer/field.h \
	optimizer/group.c optimizer/group.h \
	optimizer/ilp.c optimizer/ilp.h optimizer/improve.c optimizer/improve.h \
	optimizer/match.h \
	optimizer/mrf.c optimizer/mrf.h optimizer/mrf_inside.h \
	optimizer/mrf_bound.c optimizer/mrf_eliminate.c optimizer/mrf_fees.c optimizer/mrf_state.c \
	optimizer/names.c optimizer/names.h \
	optimizer/option.c optimizer/option.h \
	optimizer/pair_costs.c optimizer/pair_costs.h \
	optimizer/part.c optimizer/part.h \
	optimizer/places.c optimizer/places.h \
	optimizer/plan.c optimizer/plan.h optimizer/plan_parts.h \
	optimizer/plan_build.c optimizer/plan_build.h \
	optimizer/problem.c optimizer/problem.h \
	optimizer/rates.c optimizer/rates.h \
	optimizer/reason.c optimizer/reason.h \
	optimizer/reduce.c optimizer/reduce.h optimizer/search.c optimizer/search.h \
	optimizer/request.c optimizer/request.h \
	optimizer/request_limit.c optimizer/request_limit.h \
	optimizer/request_parts.c optimizer/request_parts.h \
	optimizer/request_task.c optimizer/request_task.h optimizer/request_types.h \
	optimizer/routes.c optimizer/routes.h \
	optimizer/runners_up.c optimizer/runners_up.h \
	optimizer/scan.c optimizer/scan.h \
	optimizer/signature.c optimizer/signature.h \
	optimizer/solve.c optimizer/solve.h optimizer/solve_options.h \
	optimizer/supply.c optimizer/supply.h
liboptimizer_la_CFLAGS = $(SAN_CFLAGS) -O2 $(CJSON_CFLAGS)
liboptimizer_la_LIBADD = libcatalog.la libburst.la $(CJSON_LIBS) $(GLPK_LIBS) -lm

pkglibexec_PROGRAMS += burst-solve
burst_solve_SOURCES = optimizer/burst_solve.c
burst_solve_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS)
burst_solve_LDFLAGS = $(SAN_LDFLAGS)
burst_solve_LDADD = liboptimizer.la

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/optimizer/test_plan_random
TESTS += tests/unit/optimizer/test_plan_random
tests_unit_optimizer_test_plan_random_SOURCES = tests/unit/optimizer/test_plan_random.c \
	tests/unit/optimizer/plan_world.c tests/unit/optimizer/plan_world.h
tests_unit_optimizer_test_plan_random_CFLAGS = $(SAN_CFLAGS) -O2 $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_optimizer_test_plan_random_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_optimizer_test_plan_random_LDADD = liboptimizer.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/optimizer/test_pipelines
TESTS += tests/unit/optimizer/test_pipelines
tests_unit_optimizer_test_pipelines_SOURCES = tests/unit/optimizer/test_pipelines.c
tests_unit_optimizer_test_pipelines_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_optimizer_test_pipelines_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_optimizer_test_pipelines_LDADD = liboptimizer.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/optimizer/test_plan
TESTS += tests/unit/optimizer/test_plan
tests_unit_optimizer_test_plan_SOURCES = tests/unit/optimizer/test_plan.c
tests_unit_optimizer_test_plan_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_optimizer_test_plan_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_optimizer_test_plan_LDADD = liboptimizer.la $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/bench/bench_plan
BENCHES += tests/bench/bench_plan
tests_bench_bench_plan_SOURCES = tests/bench/bench_plan.c
tests_bench_bench_plan_CFLAGS = $(SAN_CFLAGS) -O2 $(CJSON_CFLAGS)
tests_bench_bench_plan_LDFLAGS = $(SAN_LDFLAGS)
tests_bench_bench_plan_LDADD = liboptimizer.la

# Replays the corpora and mutations of them; `make fuzz-plan` makes the fuzzer (clang).
check_PROGRAMS += tests/fuzz/fuzz_plan
TESTS += tests/fuzz/fuzz_plan
tests_fuzz_fuzz_plan_SOURCES = tests/fuzz/fuzz_plan.c
tests_fuzz_fuzz_plan_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS)
tests_fuzz_fuzz_plan_LDFLAGS = $(SAN_LDFLAGS)
tests_fuzz_fuzz_plan_LDADD = liboptimizer.la
EXTRA_DIST += tests/fuzz/corpus-plan/csv-bad tests/fuzz/corpus-plan/csv-good \
	tests/fuzz/corpus-plan/csv-other tests/fuzz/corpus-plan/egress \
	tests/fuzz/corpus-plan/index-empty tests/fuzz/corpus-plan/request-alternative \
	tests/fuzz/corpus-plan/request-full tests/fuzz/corpus-plan/request-observed \
	tests/fuzz/corpus-plan/request-time

.PHONY: fuzz-plan
fuzz-plan:
	$(FUZZ_CC) -DFUZZER \
		-o fuzz-plan $(srcdir)/tests/fuzz/fuzz_plan.c $(srcdir)/catalog/*.c \
		$(filter-out %burst_solve.c,$(wildcard $(srcdir)/optimizer/*.c)) \
		$(FUZZ_LIBBURST) \
		$(CJSON_LIBS) $(GLPK_LIBS) -lm

dist_man_MANS += docs/man/burst-plan.1 docs/man/burst-catalog.1 docs/man/burst-catalog.5
EXTRA_DIST += docs/design/optimizer.md
TESTS += tests/unit/optimizer/test_burst_solve.sh
EXTRA_DIST += tests/unit/optimizer/test_burst_solve.sh
