# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon. Each room adds its sources to the core (docs/design/house.md); parts with libraries
# of their own lie in slurm, ssh and cloud/provider.

# The core: everything but main(), so that tests link it.
noinst_LTLIBRARIES += libcore.la
libcore_la_SOURCES = \
	burstd/reload.c burstd/reload.h burstd/tick.c burstd/tick.h
libcore_la_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS) $(SQLITE_CFLAGS) $(MHD_CFLAGS)
libcore_la_LIBADD = libdaemon.la libcatalog.la libburst.la $(SQLITE_LIBS) $(MHD_LIBS) $(MUNGE_LIBS) $(UV_LIBS)

# The program bears the name of this folder, so it is built beside it and installed as burstd.
sbin_PROGRAMS += burstd/burstd
burstd_burstd_SOURCES = burstd/main.c
burstd_burstd_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
burstd_burstd_LDFLAGS = $(SAN_LDFLAGS)
burstd_burstd_LDADD = libcore.la librpcserver.la libslurm_link.la libssh_op.la libprovider.la \
	libplugincore.la libconf.la libdaemon.la libburst.la $(UV_LIBS)

# make bench
check_PROGRAMS += tests/bench/bench_look
BENCHES += tests/bench/bench_look
tests_bench_bench_look_SOURCES = tests/bench/bench_look.c
tests_bench_bench_look_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS) $(SQLITE_CFLAGS)
tests_bench_bench_look_LDFLAGS = $(SAN_LDFLAGS)
tests_bench_bench_look_LDADD = libcore.la librpcserver.la libslurm_link.la libplugincore.la libconf.la libdaemon.la \
	libburst.la $(UV_LIBS)
