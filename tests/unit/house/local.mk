# SPDX-License-Identifier: GPL-3.0-or-later
# The walls between the rooms (docs/design/house.md).
EXTRA_DIST += docs/design/house.md
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/house/test_house
TESTS += tests/unit/house/test_house
tests_unit_house_test_house_SOURCES = tests/unit/house/test_house.c \
	tests/unit/house/house.c tests/unit/house/house.h
tests_unit_house_test_house_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_house_test_house_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_house_test_house_LDADD = libburst.la $(CMOCKA_LIBS)
endif
