# SPDX-License-Identifier: GPL-3.0-or-later
# Drivers of the clouds and the HTTP client that they share.
noinst_LTLIBRARIES += libprovider.la
libprovider_la_SOURCES = \
	burstd/cloud/provider/http.c burstd/cloud/provider/http.h \
	burstd/cloud/provider/provider.c burstd/cloud/provider/provider.h \
	burstd/cloud/provider/provider_local.c
libprovider_la_SOURCES += burstd/cloud/provider/aws_query.c burstd/cloud/provider/aws_query.h \
	burstd/cloud/provider/aws_reply.c burstd/cloud/provider/aws_reply.h \
	burstd/cloud/provider/xml.c burstd/cloud/provider/xml.h
libprovider_la_CFLAGS = $(SAN_CFLAGS) $(UV_CFLAGS) $(CURL_CFLAGS) $(CJSON_CFLAGS) $(CRYPTO_CFLAGS) $(EXPAT_CFLAGS)
libprovider_la_LIBADD = libburst.la $(UV_LIBS) $(CURL_LIBS) $(CRYPTO_LIBS) $(EXPAT_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/cloud/provider/test_provider_local
TESTS += tests/unit/cloud/provider/test_provider_local
tests_unit_cloud_provider_test_provider_local_SOURCES = tests/unit/cloud/provider/test_provider_local.c
tests_unit_cloud_provider_test_provider_local_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
tests_unit_cloud_provider_test_provider_local_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_cloud_provider_test_provider_local_LDADD = libprovider.la libburst.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/cloud/provider/test_aws_query
TESTS += tests/unit/cloud/provider/test_aws_query
tests_unit_cloud_provider_test_aws_query_SOURCES = tests/unit/cloud/provider/test_aws_query.c
tests_unit_cloud_provider_test_aws_query_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_cloud_provider_test_aws_query_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_cloud_provider_test_aws_query_LDADD = libprovider.la libburst.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/cloud/provider/test_aws_reply
TESTS += tests/unit/cloud/provider/test_aws_reply
tests_unit_cloud_provider_test_aws_reply_SOURCES = tests/unit/cloud/provider/test_aws_reply.c
tests_unit_cloud_provider_test_aws_reply_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
tests_unit_cloud_provider_test_aws_reply_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_cloud_provider_test_aws_reply_LDADD = libprovider.la libburst.la $(CMOCKA_LIBS)

# the driver against the cloud's own server
check_PROGRAMS += tests/unit/localcloud/test_localcloud_api
TESTS += tests/unit/localcloud/test_localcloud_api
tests_unit_localcloud_test_localcloud_api_SOURCES = tests/unit/localcloud/test_localcloud_api.c
tests_unit_localcloud_test_localcloud_api_CFLAGS = $(SAN_CFLAGS) $(CMOCKA_CFLAGS) $(UV_CFLAGS) $(CJSON_CFLAGS)
tests_unit_localcloud_test_localcloud_api_LDFLAGS = $(SAN_LDFLAGS)
tests_unit_localcloud_test_localcloud_api_LDADD = libprovider.la liblocalcloud.la libburst.la $(CMOCKA_LIBS)
EXTRA_tests_unit_localcloud_test_localcloud_api_DEPENDENCIES = fetch-local$(EXEEXT)
endif
