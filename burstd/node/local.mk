# SPDX-License-Identifier: GPL-3.0-or-later
# The life of an instance.
libcore_la_SOURCES += \
	burstd/node/bind.c burstd/node/bind.h burstd/node/boot.c burstd/node/boot.h \
	burstd/node/data_check.c burstd/node/data_check.h burstd/node/end.c burstd/node/end.h burstd/node/free_names.c burstd/node/free_names.h burstd/node/gang.c burstd/node/gang.h burstd/node/idle.c \
	burstd/node/idle.h burstd/node/io_name.c burstd/node/io_name.h burstd/node/instance_call.c burstd/node/instance_call.h \
	burstd/node/keep.c burstd/node/keep.h burstd/node/instance_state.c burstd/node/instance_state.h burstd/node/join.c \
	burstd/node/join.h burstd/node/launch.c burstd/node/launch.h burstd/node/node_http.c \
	burstd/node/node_http.h burstd/node/orphan.c burstd/node/orphan.h burstd/node/overdue.c burstd/node/overdue.h burstd/node/preempt.c \
	burstd/node/preempt.h burstd/node/provision.c burstd/node/provision.h burstd/node/purchase.c \
	burstd/node/purchase.h burstd/node/sighting.c burstd/node/sighting.h burstd/node/stage.c \
	burstd/node/stage.h burstd/node/stage_spec.c burstd/node/stage_spec.h burstd/node/stagerd_client.c burstd/node/stagerd_client.h burstd/node/stagerd_probe.c burstd/node/stagerd_probe.h \
	burstd/node/stray.c burstd/node/stray.h burstd/node/sweep.c burstd/node/sweep.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/node/test_boot
TESTS += tests/unit/node/test_boot
tests_unit_node_test_boot_SOURCES = tests/unit/node/test_boot.c
tests_unit_node_test_boot_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS)
tests_unit_node_test_boot_LDFLAGS = $(SAN_LDFLAGS) -Wl,--wrap=clock_mono_ms
tests_unit_node_test_boot_LDADD = libcore.la libplugincore.la libconf.la libprovider.la libdaemon.la \
	libburst.la $(CMOCKA_LIBS) $(UV_LIBS)

check_PROGRAMS += tests/unit/node/test_node_http
TESTS += tests/unit/node/test_node_http
tests_unit_node_test_node_http_SOURCES = tests/unit/node/test_node_http.c burstd/node/node_http.c
tests_unit_node_test_node_http_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS) $(MHD_CFLAGS)
tests_unit_node_test_node_http_LDFLAGS = $(SAN_LDFLAGS) -pthread
tests_unit_node_test_node_http_LDADD = libdaemon.la libburst.la $(CMOCKA_LIBS) $(MHD_LIBS) $(UV_LIBS)

check_PROGRAMS += tests/unit/node/test_stagerd_probe
TESTS += tests/unit/node/test_stagerd_probe
tests_unit_node_test_stagerd_probe_SOURCES = tests/unit/node/test_stagerd_probe.c burstd/node/stagerd_probe.c
tests_unit_node_test_stagerd_probe_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_node_test_stagerd_probe_LDFLAGS = $(SAN_LDFLAGS) -Wl,--wrap=clock_mono_ms
tests_unit_node_test_stagerd_probe_LDADD = libdaemon.la libburst.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/node/test_stage_spec
TESTS += tests/unit/node/test_stage_spec
tests_unit_node_test_stage_spec_SOURCES = tests/unit/node/test_stage_spec.c burstd/node/io_name.c burstd/node/stage_spec.c
tests_unit_node_test_stage_spec_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_node_test_stage_spec_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_node_test_stage_spec_LDADD = libplugincore.la libburst.la $(CMOCKA_LIBS)
endif
