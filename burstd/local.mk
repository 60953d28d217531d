# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon. Parts with their own libraries live in sub-areas (slurm_link, ssh, provider).
noinst_LTLIBRARIES += libdaemon.la
libdaemon_la_SOURCES = \
	burstd/log.c burstd/log.h \
	burstd/child.h
libdaemon_la_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
libdaemon_la_LIBADD = libburst.la $(UV_LIBS)
