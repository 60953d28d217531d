# SPDX-License-Identifier: GPL-3.0-or-later
# What runs inside Slurm and what Slurm runs. Two builds of the same sources: the plugins (modules
# of exactly one Slurm release, never with sanitizers: slurmctld is not built with them) and
# libplugincore, for burstd, the hooks and the tests.
plugin_directive = \
	burstd/libburst/clock.c burstd/libburst/clock.h \
	burstd/libburst/error.c burstd/libburst/error.h \
	burstd/libburst/money.c burstd/libburst/money.h \
	slurm_plugin/compat.h \
	slurm_plugin/directive.c slurm_plugin/directive.h
plugin_core = \
	slurm_plugin/classify.c slurm_plugin/classify.h \
	slurm_plugin/directive.c slurm_plugin/directive.h \
	slurm_plugin/hostconf.c slurm_plugin/hostconf.h \
	slurm_plugin/constraint.c slurm_plugin/constraint.h slurm_plugin/need.c slurm_plugin/need.h \
	slurm_plugin/snapshot.c slurm_plugin/snapshot.h

noinst_LTLIBRARIES += libplugincore.la
libplugincore_la_SOURCES = $(plugin_core)
libplugincore_la_CFLAGS = $(SAN_CFLAGS)
libplugincore_la_LIBADD = libburst.la

# Not through libtool: the loader wants NAME.so and nothing beside it.
slurmplugin_PROGRAMS = job_submit_burst.so spank_burst.so
plugin_cflags = $(AM_CFLAGS) $(SLURM_CFLAGS) -fPIC
plugin_link = $(CC) $(AM_CFLAGS) $(CFLAGS) $(LDFLAGS) -shared \
	-Wl,--version-script=$(srcdir)/slurm_plugin/plugin.map -o $@
EXTRA_DIST += slurm_plugin/plugin.map

job_submit_burst_so_SOURCES = slurm_plugin/job_submit_burst.c $(plugin_directive) \
	slurm_plugin/classify.c slurm_plugin/classify.h \
	slurm_plugin/hostconf.c slurm_plugin/hostconf.h \
	slurm_plugin/constraint.c slurm_plugin/constraint.h slurm_plugin/need.c slurm_plugin/need.h \
	slurm_plugin/request.c slurm_plugin/request.h \
	slurm_plugin/snapshot.c slurm_plugin/snapshot.h
job_submit_burst_so_CFLAGS = $(plugin_cflags)
job_submit_burst_so_LINK = $(plugin_link)
job_submit_burst_so_LDADD = -lm
job_submit_burst_so_DEPENDENCIES = slurm_plugin/plugin.map

spank_burst_so_SOURCES = slurm_plugin/spank_burst.c $(plugin_directive)
spank_burst_so_CFLAGS = $(plugin_cflags)
spank_burst_so_LINK = $(plugin_link)
spank_burst_so_LDADD = -lm
spank_burst_so_DEPENDENCIES = slurm_plugin/plugin.map

dist_pkgdata_DATA += etc/plugstack-burst.conf etc/burst.conf.example

# Programs that slurmctld starts
pkglibexec_PROGRAMS += burst-resume burst-resume-fail burst-suspend burst-prolog burst-epilog
noinst_LTLIBRARIES += libhook.la
libhook_la_SOURCES = slurm_plugin/hooks/hook.c slurm_plugin/hooks/hook.h \
	slurm_plugin/hooks/spool_file.c slurm_plugin/hooks/spool_file.h
libhook_la_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS)
libhook_la_LIBADD = libplugincore.la
hook_cflags = $(SAN_CFLAGS) $(CJSON_CFLAGS)
burst_resume_SOURCES = slurm_plugin/hooks/burst-spool.c
burst_resume_CPPFLAGS = $(AM_CPPFLAGS) -DHOOK_KIND='"resume"' -DHOOK_NAME='"burst-resume"'
burst_resume_CFLAGS = $(hook_cflags)
burst_resume_LDFLAGS = $(SAN_LDFLAGS)
burst_resume_LDADD = libhook.la
burst_resume_fail_SOURCES = slurm_plugin/hooks/burst-spool.c
burst_resume_fail_CPPFLAGS = $(AM_CPPFLAGS) -DHOOK_KIND='"resume_fail"' -DHOOK_NAME='"burst-resume-fail"'
burst_resume_fail_CFLAGS = $(hook_cflags)
burst_resume_fail_LDFLAGS = $(SAN_LDFLAGS)
burst_resume_fail_LDADD = libhook.la
burst_suspend_SOURCES = slurm_plugin/hooks/burst-spool.c
burst_suspend_CPPFLAGS = $(AM_CPPFLAGS) -DHOOK_KIND='"suspend"' -DHOOK_NAME='"burst-suspend"'
burst_suspend_CFLAGS = $(hook_cflags)
burst_suspend_LDFLAGS = $(SAN_LDFLAGS)
burst_suspend_LDADD = libhook.la
burst_prolog_SOURCES = slurm_plugin/hooks/burst-prolog.c
burst_prolog_CFLAGS = $(hook_cflags)
burst_prolog_LDFLAGS = $(SAN_LDFLAGS)
burst_prolog_LDADD = libhook.la
burst_epilog_SOURCES = slurm_plugin/hooks/burst-epilog.c
burst_epilog_CFLAGS = $(hook_cflags)
burst_epilog_LDFLAGS = $(SAN_LDFLAGS)
burst_epilog_LDADD = libhook.la

# make bench
check_PROGRAMS += tests/bench/bench_plugin
BENCHES += tests/bench/bench_plugin
tests_bench_bench_plugin_SOURCES = tests/bench/bench_plugin.c tests/unit/slurm_plugin/plugin_host.h tests/unit/slurm_plugin/site.h
tests_bench_bench_plugin_CFLAGS = $(SAN_CFLAGS) $(SLURM_CFLAGS)
tests_bench_bench_plugin_LDFLAGS = $(SAN_LDFLAGS) -Wl,--export-dynamic
tests_bench_bench_plugin_LDADD = libplugincore.la $(SLURM_LIBS) -ldl
EXTRA_tests_bench_bench_plugin_DEPENDENCIES = job_submit_burst.so

# Fuzz targets, replayed over their corpora
check_PROGRAMS += tests/fuzz/replay_directive tests/fuzz/replay_snapshot
TESTS += tests/fuzz/replay_directive tests/fuzz/replay_snapshot
tests_fuzz_replay_directive_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_directive.c
tests_fuzz_replay_directive_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"directive"'
tests_fuzz_replay_directive_CFLAGS = $(SAN_CFLAGS)
tests_fuzz_replay_directive_LDFLAGS = $(SAN_LDFLAGS)
tests_fuzz_replay_directive_LDADD = libplugincore.la
tests_fuzz_replay_snapshot_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_snapshot.c tests/unit/slurm_plugin/site.h
tests_fuzz_replay_snapshot_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"snapshot"'
tests_fuzz_replay_snapshot_CFLAGS = $(SAN_CFLAGS)
tests_fuzz_replay_snapshot_LDFLAGS = $(SAN_LDFLAGS)
tests_fuzz_replay_snapshot_LDADD = libplugincore.la
check_PROGRAMS += tests/fuzz/replay_spank
TESTS += tests/fuzz/replay_spank
tests_fuzz_replay_spank_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_spank.c tests/unit/slurm_plugin/site.h
tests_fuzz_replay_spank_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"spank"'
tests_fuzz_replay_spank_CFLAGS = $(SAN_CFLAGS)
tests_fuzz_replay_spank_LDFLAGS = $(SAN_LDFLAGS)
tests_fuzz_replay_spank_LDADD = libplugincore.la
EXTRA_DIST += tests/fuzz/corpus

# For tests/t/25-plugin.t
check_PROGRAMS += tests/t/publish_site
tests_t_publish_site_SOURCES = tests/t/publish_site.c tests/unit/slurm_plugin/site.h
tests_t_publish_site_CFLAGS = $(SAN_CFLAGS)
tests_t_publish_site_LDFLAGS = $(SAN_LDFLAGS)
tests_t_publish_site_LDADD = libplugincore.la

# For tests/t/26-need.t
check_PROGRAMS += tests/t/job_submit_need.so
tests_t_job_submit_need_so_SOURCES = tests/t/job_submit_need.c slurm_plugin/compat.h \
	slurm_plugin/constraint.c slurm_plugin/constraint.h slurm_plugin/need.c slurm_plugin/need.h slurm_plugin/request.c slurm_plugin/request.h
tests_t_job_submit_need_so_CFLAGS = $(plugin_cflags)
tests_t_job_submit_need_so_LINK = $(plugin_link)
tests_t_job_submit_need_so_DEPENDENCIES = slurm_plugin/plugin.map

if HAVE_CMOCKA
plugin_tests = tests/unit/slurm_plugin/test_directive tests/unit/slurm_plugin/test_snapshot tests/unit/slurm_plugin/test_need \
	tests/unit/slurm_plugin/test_classify tests/unit/slurm_plugin/test_hooks tests/unit/slurm_plugin/test_plugin
check_PROGRAMS += $(plugin_tests)
TESTS += $(plugin_tests)
tests_unit_slurm_plugin_test_directive_SOURCES = tests/unit/slurm_plugin/test_directive.c
tests_unit_slurm_plugin_test_directive_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_slurm_plugin_test_directive_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_slurm_plugin_test_directive_LDADD = libplugincore.la $(CMOCKA_LIBS)
tests_unit_slurm_plugin_test_snapshot_SOURCES = tests/unit/slurm_plugin/test_snapshot.c
tests_unit_slurm_plugin_test_snapshot_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_slurm_plugin_test_snapshot_LDFLAGS = $(SAN_LDFLAGS) -pthread
tests_unit_slurm_plugin_test_snapshot_LDADD = libplugincore.la $(CMOCKA_LIBS)
tests_unit_slurm_plugin_test_need_SOURCES = tests/unit/slurm_plugin/test_need.c
tests_unit_slurm_plugin_test_need_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_slurm_plugin_test_need_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_slurm_plugin_test_need_LDADD = libplugincore.la $(CMOCKA_LIBS)
tests_unit_slurm_plugin_test_classify_SOURCES = tests/unit/slurm_plugin/test_classify.c
tests_unit_slurm_plugin_test_classify_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_slurm_plugin_test_classify_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_slurm_plugin_test_classify_LDADD = libplugincore.la $(CMOCKA_LIBS)
tests_unit_slurm_plugin_test_hooks_SOURCES = tests/unit/slurm_plugin/test_hooks.c
tests_unit_slurm_plugin_test_hooks_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_slurm_plugin_test_hooks_LDFLAGS = $(SAN_LDFLAGS) -pthread
tests_unit_slurm_plugin_test_hooks_LDADD = libhook.la $(CMOCKA_LIBS)
EXTRA_tests_unit_slurm_plugin_test_hooks_DEPENDENCIES = burst-resume burst-resume-fail burst-suspend \
	burst-prolog burst-epilog
# The plugin is loaded into the test as into slurmctld: the test provides slurmctld's functions.
tests_unit_slurm_plugin_test_plugin_SOURCES = tests/unit/slurm_plugin/test_plugin.c tests/unit/slurm_plugin/plugin_host.h tests/unit/slurm_plugin/site.h
tests_unit_slurm_plugin_test_plugin_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(SLURM_CFLAGS)
tests_unit_slurm_plugin_test_plugin_LDFLAGS = $(SAN_LDFLAGS) -pthread -Wl,--export-dynamic
tests_unit_slurm_plugin_test_plugin_LDADD = libplugincore.la $(CMOCKA_LIBS) $(SLURM_LIBS) -ldl
EXTRA_tests_unit_slurm_plugin_test_plugin_DEPENDENCIES = job_submit_burst.so
endif
