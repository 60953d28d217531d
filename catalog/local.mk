# SPDX-License-Identifier: GPL-3.0-or-later
# The catalog library: CSV, validation, compiled index. The starter catalog is installed.
noinst_LTLIBRARIES += libcatalog.la
libcatalog_la_SOURCES = \
	catalog/catalog.c catalog/catalog.h catalog/image.h \
	catalog/csv.c catalog/csv.h \
	catalog/glob.c catalog/glob.h \
	catalog/index.c catalog/load.c
libcatalog_la_CFLAGS = $(SAN_CFLAGS) -O2
libcatalog_la_LIBADD = libburst.la -lm
