/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

struct variable {
	const char *name;
	const char *value;
};

/* The environment of the test that is running; a NULL name ends it. */
static const struct variable *environment;

static char *get(const char *name)
{
	for (const struct variable *variable = environment; variable->name; variable++)
		if (strcmp(variable->name, name) == 0)
			return (char *)variable->value;
	return NULL;
}

static void nothing_in_the_environment_is_nothing_in_the_settings(void **state)
{
	static const struct variable empty[] = { { 0 } };
	static const struct settings nothing;
	struct settings settings;
	struct err err;

	environment = empty;
	memset(&settings, 0xff, sizeof(settings));
	assert_int_equal(settings_read(get, &settings, &err), 0);
	assert_memory_equal(&settings, &nothing, sizeof(settings));
}

static void every_name_arrives_where_it_belongs(void **state)
{
	static const struct variable all[] = {
		{ "AWS_REGION", "eu-central-1" },
		{ "AWS_DEFAULT_REGION", "us-east-1" },
		{ "AWS_ENDPOINT_URL_EC2", "https://ec2.example" },
		{ "AWS_ENDPOINT_URL", "https://all.example" },
		{ "AWS_CA_BUNDLE", "/etc/ca.pem" },
		{ "AWS_USE_FIPS_ENDPOINT", "true" },
		{ "AWS_USE_DUALSTACK_ENDPOINT", "TRUE" },
		{ "AWS_EC2_METADATA_DISABLED", "True" },
		{ "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338///" },
		{ "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv6" },
		{ "HTTPS_PROXY", "http://proxy:3128" },
		{ "NO_PROXY", ".internal" },
		{ "AWS_ACCESS_KEY_ID", "AKID" },
		{ "AWS_SECRET_ACCESS_KEY", "SECRET" },
		{ "AWS_SESSION_TOKEN", "TOKEN" },
		{ 0 },
	};
	CLEANUP_SETTINGS struct settings settings = { 0 };
	struct err err;

	environment = all;
	assert_int_equal(settings_read(get, &settings, &err), 0);
	assert_string_equal(settings.region, "eu-central-1");
	assert_string_equal(settings.endpoint_ec2, "https://ec2.example");
	assert_string_equal(settings.ca_bundle, "/etc/ca.pem");
	assert_true(settings.use_fips && settings.use_dualstack && settings.imds_disabled && settings.imds_ipv6);
	assert_false(settings.imds_ipv4);
	assert_string_equal(settings.imds_endpoint, "http://127.0.0.1:1338");
	assert_string_equal(settings.https_proxy, "http://proxy:3128");
	assert_string_equal(settings.no_proxy, ".internal");
	assert_string_equal(settings.access_key_id, "AKID");
	assert_string_equal(settings.secret_access_key, "SECRET");
	assert_string_equal(settings.session_token, "TOKEN");
}

static void the_second_name_counts_when_the_first_is_not_set_or_empty(void **state)
{
	static const struct variable second[] = {
		{ "AWS_REGION", "" },
		{ "AWS_DEFAULT_REGION", "us-east-1" },
		{ "AWS_ENDPOINT_URL", "https://all" },
		{ "https_proxy", "http://p:1" },
		{ "no_proxy", "*" },
		{ 0 },
	};
	CLEANUP_SETTINGS struct settings settings = { 0 };
	struct err err;

	environment = second;
	assert_int_equal(settings_read(get, &settings, &err), 0);
	assert_string_equal(settings.region, "us-east-1");
	assert_string_equal(settings.endpoint_ec2, "https://all");
	assert_string_equal(settings.https_proxy, "http://p:1");
	assert_string_equal(settings.no_proxy, "*");
}

static void endpoints_can_be_ignored(void **state)
{
	static const struct variable ignored[] = {
		{ "AWS_ENDPOINT_URL_EC2", "https://ec2" },
		{ "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true" },
		{ 0 },
	};
	CLEANUP_SETTINGS struct settings settings = { 0 };
	struct err err;

	environment = ignored;
	assert_int_equal(settings_read(get, &settings, &err), 0);
	assert_string_equal(settings.endpoint_ec2, "");
}

static char long_value[SETTINGS_TOKEN_MAX + 1];

static const struct {
	struct variable variable;
	const char *reason;
} bad_rows[] = {
	{ { "AWS_REGION", "us-east-1/../x" }, "AWS_REGION: 'us-east-1/../x' is not the name of a Region" },
	{ { "AWS_REGION", "US-EAST-1" }, "is not the name of a Region" },
	{ { "AWS_REGION", "us-east-1.evil.example" }, "is not the name of a Region" },
	{ { "AWS_USE_FIPS_ENDPOINT", "1" }, "AWS_USE_FIPS_ENDPOINT is '1', expected true or false" },
	{ { "AWS_EC2_METADATA_DISABLED", "yes" }, "expected true or false" },
	{ { "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "both" }, "is 'both', expected IPv4 or IPv6" },
	{ { "AWS_ACCESS_KEY_ID", "AKID" }, "only one of them is set" },
	{ { "AWS_SECRET_ACCESS_KEY", "very-secret-indeed" }, "only one of them is set" },
	{ { "AWS_SESSION_TOKEN", long_value }, "AWS_SESSION_TOKEN is longer than 8191 characters" },
	{ { "AWS_REGION", long_value }, "AWS_REGION is longer than 47 characters" },
};

static void what_is_wrong_is_named_and_no_secret_is_told_or_kept(void **state)
{
	static const struct settings nothing;

	memset(long_value, 'x', sizeof(long_value) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad_rows); i++) {
		struct variable one[2] = { bad_rows[i].variable };
		struct settings settings;
		struct err err = { 0 };

		environment = one;
		assert_int_equal(settings_read(get, &settings, &err), -EINVAL);
		assert_int_equal(err.status, ERR_USAGE);
		assert_non_null(strstr(err.message, bad_rows[i].reason));
		assert_null(strstr(err.message, "very-secret-indeed"));
		assert_memory_equal(&settings, &nothing, sizeof(settings));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_in_the_environment_is_nothing_in_the_settings),
		cmocka_unit_test(every_name_arrives_where_it_belongs),
		cmocka_unit_test(the_second_name_counts_when_the_first_is_not_set_or_empty),
		cmocka_unit_test(endpoints_can_be_ignored),
		cmocka_unit_test(what_is_wrong_is_named_and_no_secret_is_told_or_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
