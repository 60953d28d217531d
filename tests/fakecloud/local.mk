# SPDX-License-Identifier: GPL-3.0-or-later
# A fake cloud that speaks the vendors' protocols, for the tests of the drivers.
fake_ec2 = tests/fakecloud/ec2.c tests/fakecloud/ec2.h tests/fakecloud/ec2_answer.c \
	tests/fakecloud/ec2_inside.h tests/fakecloud/ec2_instances.c tests/fakecloud/ec2_launch.c \
	tests/fakecloud/form.c tests/fakecloud/form.h

check_PROGRAMS += tests/fakecloud/fakecloud
tests_fakecloud_fakecloud_SOURCES = tests/fakecloud/main.c \
	$(fake_ec2) \
	tests/fakecloud/sigv4.c tests/fakecloud/sigv4.h
tests_fakecloud_fakecloud_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_fakecloud_fakecloud_CFLAGS = $(SAN_CFLAGS) $(CJSON_CFLAGS) $(UV_CFLAGS) $(CRYPTO_CFLAGS)
tests_fakecloud_fakecloud_LDFLAGS = $(SAN_LDFLAGS)
tests_fakecloud_fakecloud_LDADD = liblocalcloud.la libburst.la $(UV_LIBS) $(CRYPTO_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/fakecloud/test_sigv4
TESTS += tests/unit/fakecloud/test_sigv4
tests_unit_fakecloud_test_sigv4_SOURCES = tests/unit/fakecloud/test_sigv4.c \
	tests/fakecloud/sigv4.c tests/fakecloud/sigv4.h
tests_unit_fakecloud_test_sigv4_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_fakecloud_test_sigv4_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS) $(CRYPTO_CFLAGS)
tests_unit_fakecloud_test_sigv4_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_fakecloud_test_sigv4_LDADD = libburst.la $(CMOCKA_LIBS) $(CRYPTO_LIBS)

check_PROGRAMS += tests/unit/fakecloud/test_ec2
TESTS += tests/unit/fakecloud/test_ec2
tests_unit_fakecloud_test_ec2_SOURCES = tests/unit/fakecloud/test_ec2.c \
	$(fake_ec2)
tests_unit_fakecloud_test_ec2_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_fakecloud_test_ec2_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_fakecloud_test_ec2_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_fakecloud_test_ec2_LDADD = libprovider.la libburst.la $(CMOCKA_LIBS)
endif
