/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/endpoint.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

/* botocore, data/partitions.json and data/ec2/2016-11-15/endpoint-rule-set-1.json */
static const struct {
	const char *region;
	bool fips;
	bool dualstack;
	const char *host;
} regions[] = {
	{ "us-east-1", false, false, "ec2.us-east-1.amazonaws.com" },
	{ "us-east-1", true, false, "ec2-fips.us-east-1.amazonaws.com" },
	{ "us-east-1", false, true, "ec2.us-east-1.api.aws" },
	{ "us-east-1", true, true, "ec2-fips.us-east-1.api.aws" },
	{ "eu-central-1", false, false, "ec2.eu-central-1.amazonaws.com" },
	{ "cn-north-1", false, false, "ec2.cn-north-1.amazonaws.com.cn" },
	{ "us-gov-west-1", false, false, "ec2.us-gov-west-1.amazonaws.com" },
	{ "us-gov-west-1", true, false, "ec2.us-gov-west-1.amazonaws.com" },
	{ "us-iso-east-1", false, false, "ec2.us-iso-east-1.c2s.ic.gov" },
	{ "us-isob-east-1", false, false, "ec2.us-isob-east-1.sc2s.sgov.gov" },
	{ "us-isof-south-1", false, false, "ec2.us-isof-south-1.csp.hci.ic.gov" },
	{ "eu-isoe-west-1", false, false, "ec2.eu-isoe-west-1.cloud.adc-e.uk" },
	{ "eusc-de-east-1", false, false, "ec2.eusc-de-east-1.amazonaws.eu" },
	{ "xx-newland-9", false, false, "ec2.xx-newland-9.amazonaws.com" },
};

static void a_region_has_the_endpoint_of_its_partition(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
		struct settings settings = { .use_fips = regions[i].fips, .use_dualstack = regions[i].dualstack };
		struct endpoint endpoint;
		char url[600];
		struct err err;

		assert_int_equal(endpoint_find(&settings, regions[i].region, &endpoint, &err), 0);
		assert_string_equal(endpoint.host, regions[i].host);
		snprintf(url, sizeof(url), "https://%s", regions[i].host);
		assert_string_equal(endpoint.url, url);
	}
}

static const struct {
	const char *custom;
	const char *url;
	const char *host; /* NULL: refused */
} customs[] = {
	{ "https://EC2.Example.com", "https://ec2.example.com", "ec2.example.com" },
	{ "https://ec2.example.com/", "https://ec2.example.com", "ec2.example.com" },
	{ "https://ec2.example.com:443", "https://ec2.example.com:443", "ec2.example.com" },
	{ "https://ec2.example.com:8443", "https://ec2.example.com:8443", "ec2.example.com:8443" },
	{ "https://[fd00::1]:8443", "https://[fd00::1]:8443", "[fd00::1]:8443" },
	{ "http://127.0.0.1:5000", "http://127.0.0.1:5000", "127.0.0.1:5000" },
	{ "http://localhost:80/", "http://localhost:80", "localhost" },
	{ "http://[::1]:5000", "http://[::1]:5000", "[::1]:5000" },
	{ "http://169.254.169.254:8080", "http://169.254.169.254:8080", "169.254.169.254:8080" },
	{ "http://ec2.example.com", NULL, NULL },
	{ "http://127.0.0.1.example.com", NULL, NULL },
	{ "http://127.evil.example", NULL, NULL },
	{ "http://localhost.example.com", NULL, NULL },
	{ "http://10.0.0.1:5000", NULL, NULL },
	{ "https://user@ec2.example.com", NULL, NULL },
	{ "https://ec2.example.com/path", NULL, NULL },
	{ "https://ec2.example.com?a=b", NULL, NULL },
	{ "https://", NULL, NULL },
	{ "ftp://ec2.example.com", NULL, NULL },
	{ "file:///etc/passwd", NULL, NULL },
	{ "ec2.example.com", NULL, NULL },
};

static void a_url_of_ones_own_comes_first_and_never_crosses_a_network_in_the_clear(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(customs); i++) {
		struct settings settings = { 0 };
		struct endpoint endpoint;
		struct err err = { 0 };
		int ret;

		snprintf(settings.endpoint_ec2, sizeof(settings.endpoint_ec2), "%s", customs[i].custom);
		ret = endpoint_find(&settings, "us-east-1", &endpoint, &err);
		assert_int_equal(ret, customs[i].host ? 0 : -EINVAL);
		assert_int_equal(err.status, customs[i].host ? ERR_DONE : ERR_USAGE);
		if (!customs[i].host)
			continue;
		assert_string_equal(endpoint.url, customs[i].url);
		assert_string_equal(endpoint.host, customs[i].host);
	}
}

static void a_url_of_ones_own_contradicts_fips_and_dualstack(void **state)
{
	struct settings settings = { .endpoint_ec2 = "https://ec2.example.com", .use_fips = true };
	struct endpoint endpoint;
	struct err err = { 0 };

	assert_int_equal(endpoint_find(&settings, "us-east-1", &endpoint, &err), -EINVAL);
	settings.use_fips = false;
	settings.use_dualstack = true;
	assert_int_equal(endpoint_find(&settings, "us-east-1", &endpoint, &err), -EINVAL);
	assert_int_equal(err.status, ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_region_has_the_endpoint_of_its_partition),
		cmocka_unit_test(a_url_of_ones_own_comes_first_and_never_crosses_a_network_in_the_clear),
		cmocka_unit_test(a_url_of_ones_own_contradicts_fips_and_dualstack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
