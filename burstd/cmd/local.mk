# SPDX-License-Identifier: GPL-3.0-or-later
# The command `burst`.

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = etc/completion/burst

bin_PROGRAMS += burst
burst_SOURCES = \
	burstd/cmd/burst.c burstd/cmd/burst.h burstd/cmd/burst_bounds.c \
	burstd/cmd/burst_catalog.c burstd/cmd/burst_catalog_update.c burstd/cmd/burst_plan.c \
	burstd/cmd/burst_check.c burstd/cmd/burst_cost.c burstd/cmd/burst_drain.c \
	burstd/cmd/burst_jobs.c burstd/cmd/burst_jobs.h burstd/cmd/burst_nodes.c \
	burstd/cmd/burst_results.c burstd/cmd/burst_slurm_conf.c burstd/cmd/burst_status.c burstd/cmd/burst_why.c \
	burstd/cmd/capture.c burstd/cmd/capture.h \
	burstd/cmd/catalog_dir.c burstd/cmd/catalog_dir.h \
	burstd/cmd/check.c burstd/cmd/check.h \
	burstd/cmd/check_burstd.c burstd/cmd/check_burstd.h \
	burstd/cmd/check_catalog.c burstd/cmd/check_catalog.h \
	burstd/cmd/check_files.c burstd/cmd/check_files.h \
	burstd/cmd/check_slurm.c burstd/cmd/check_slurm.h \
	burstd/cmd/columns.c burstd/cmd/columns.h \
	burstd/cmd/kept.c burstd/cmd/kept.h \
	burstd/cmd/libexec.c burstd/cmd/libexec.h \
	burstd/cmd/listing.c burstd/cmd/listing.h \
	burstd/cmd/options.c burstd/cmd/options.h \
	burstd/cmd/price_source.c burstd/cmd/price_source.h \
	burstd/cmd/price_update.c burstd/cmd/price_update.h \
	burstd/cmd/slurm_fence.c burstd/cmd/slurm_fence.h \
	burstd/cmd/slurm_settings.c burstd/cmd/slurm_settings.h \
	burstd/cmd/slurm_wants.c burstd/cmd/slurm_wants.h \
	burstd/cmd/text.c burstd/cmd/text.h
burst_CPPFLAGS = $(AM_CPPFLAGS) -DBURST_SLURM_PLUGINDIR='"$(slurmplugindir)"'
burst_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS)
burst_LDFLAGS = $(SAN_LDFLAGS)
burst_LDADD = libstage.la libconf.la libcatalog.la libplugincore.la libburst.la $(YAML_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/cmd/test_burst_cmd
TESTS += tests/unit/cmd/test_burst_cmd
tests_unit_cmd_test_burst_cmd_SOURCES = tests/unit/cmd/test_burst_cmd.c \
	tests/unit/cmd/fake_burstd.c tests/unit/cmd/fake_burstd.h
tests_unit_cmd_test_burst_cmd_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_cmd_test_burst_cmd_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_cmd_test_burst_cmd_LDADD = libburst.la $(CMOCKA_LIBS)
EXTRA_tests_unit_cmd_test_burst_cmd_DEPENDENCIES = burst$(EXEEXT)

check_PROGRAMS += tests/unit/cmd/test_catalog_update
TESTS += tests/unit/cmd/test_catalog_update
tests_unit_cmd_test_catalog_update_SOURCES = tests/unit/cmd/test_catalog_update.c \
	tests/unit/cmd/fake_burstd.c tests/unit/cmd/fake_burstd.h
tests_unit_cmd_test_catalog_update_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_cmd_test_catalog_update_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_cmd_test_catalog_update_LDADD = libburst.la $(CMOCKA_LIBS)
EXTRA_tests_unit_cmd_test_catalog_update_DEPENDENCIES = burst$(EXEEXT) fetch-url$(EXEEXT)
endif
