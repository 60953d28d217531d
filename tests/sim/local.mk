# SPDX-License-Identifier: GPL-3.0-or-later
# The core of burstd in a simulated world.
if HAVE_CMOCKA
check_PROGRAMS += tests/sim/test_sim
TESTS += tests/sim/test_sim
tests_sim_test_sim_SOURCES = tests/sim/test_sim.c tests/sim/world.c tests/sim/world.h \
	tests/sim/sim_cloud.c tests/sim/sim_slurm.c tests/sim/sim_solver.c \
	tests/sim/vain.c
tests_sim_test_sim_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/sim
tests_sim_test_sim_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS) $(SQLITE_CFLAGS)
tests_sim_test_sim_LDFLAGS = $(SAN_LDFLAGS) \
	-Wl,--wrap=clock_now_s,--wrap=clock_now_ms,--wrap=clock_mono_ms \
	-Wl,--wrap=store_put_instance,--wrap=store_put_job,--wrap=store_put_charge,--wrap=store_commit \
	-Wl,--wrap=store_put_bound,--wrap=store_begin
tests_sim_test_sim_LDADD = libcore.la libslurm_link.la libplugincore.la libconf.la libdaemon.la \
	liboptimizer.la libburst.la $(CMOCKA_LIBS)
endif
