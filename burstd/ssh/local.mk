# SPDX-License-Identifier: GPL-3.0-or-later
# Bootstrap and staging over SSH: the helper burst-ssh, and what it shares with burst-stagerd.
noinst_LTLIBRARIES += libssh_ops.la
libssh_ops_la_SOURCES = \
	burstd/ssh/bundle.c burstd/ssh/bundle.h \
	burstd/ssh/request.c burstd/ssh/request.h \
	burstd/ssh/session.c burstd/ssh/session.h \
	burstd/ssh/slurm_files.c burstd/ssh/slurm_files.h \
	burstd/ssh/stage_paths.c burstd/ssh/stage_paths.h
libssh_ops_la_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS) $(SSH2_CFLAGS) $(CRYPTO_CFLAGS)
libssh_ops_la_LIBADD = libburst.la $(SSH2_LIBS) $(CRYPTO_LIBS)

pkglibexec_PROGRAMS += burst-ssh
burst_ssh_SOURCES = burstd/ssh/burst-ssh.c
burst_ssh_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS)
burst_ssh_LDFLAGS = $(SAN_LDFLAGS)
burst_ssh_LDADD = libssh_ops.la
