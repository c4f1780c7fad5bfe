/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/credentials.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

static void the_document_of_a_role_has_three_keys(void **state)
{
	static const char document[] =
		"{\"Code\": \"Success\", \"LastUpdated\": \"2026-11-05T12:00:00Z\", \"Type\": \"AWS-HMAC\",\n"
		" \"AccessKeyId\": \"ASIAEXAMPLE\", \"SecretAccessKey\": \"a/b+c\", \"Token\": \"dG9rZW4=\",\n"
		" \"Expiration\": \"2026-11-05T18:00:00Z\"}";
	CLEANUP_CREDENTIALS struct credentials credentials = { 0 };
	struct err err;

	assert_int_equal(credentials_parse(document, strlen(document), &credentials, &err), 0);
	assert_string_equal(credentials.access_key_id, "ASIAEXAMPLE");
	assert_string_equal(credentials.secret_access_key, "a/b+c");
	assert_string_equal(credentials.session_token, "dG9rZW4=");
}

/* None of these may tell the secret. */
static const struct {
	const char *document;
	int ret;
	const char *reason;
} bad_rows[] = {
	{ "", -EAGAIN, "it is not JSON" },
	{ "{\"SecretAccessKey\": \"hush-hush\" nonsense", -EAGAIN, "it is not JSON" },
	{ "[\"hush-hush\"]", -EAGAIN, "it is not what was expected" },
	{ "{}", -EAGAIN, "AccessKeyId is missing" },
	{ "{\"AccessKeyId\": \"A\", \"Token\": \"t\"}", -EAGAIN, "SecretAccessKey is missing" },
	{ "{\"AccessKeyId\": \"A\", \"SecretAccessKey\": 1, \"Token\": \"t\"}", -EAGAIN,
	  "SecretAccessKey is missing" },
	{ "{\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"hush-hush\", \"Token\": null}", -EAGAIN,
	  "Token is missing" },
	{ "{\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"hush-hush\", \"Token\": \"\"}", -EAGAIN,
	  "Token is missing" },
	{ "{\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"hush-hush\\r\\nX-Evil: 1\", \"Token\": \"t\"}", -EAGAIN,
	  "SecretAccessKey has odd characters" },
	{ "{\"Code\": \"AssumeRoleUnauthorizedAccess\", \"Message\": \"EC2 cannot assume the role x.\"}", -EACCES,
	  "the role does not work: AssumeRoleUnauthorizedAccess: EC2 cannot assume the role x." },
	{ "{\"Code\": \"Failed\"}", -EACCES, "the role does not work: Failed: no reason is given" },
};

static void a_document_that_is_not_whole_is_asked_for_again_and_one_that_says_no_is_not(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_rows); i++) {
		struct credentials credentials = { .access_key_id = "untouched" };
		struct err err = { 0 };
		int ret = credentials_parse(bad_rows[i].document, strlen(bad_rows[i].document), &credentials, &err);

		assert_int_equal(ret, bad_rows[i].ret);
		assert_string_equal(err.message, bad_rows[i].reason);
		assert_string_equal(credentials.access_key_id, "untouched");
		assert_null(strstr(err.message, "hush"));
	}
}

static void keys_in_the_environment_come_first(void **state)
{
	struct settings settings = { .access_key_id = "AKID", .secret_access_key = "secret", .session_token = "token" };
	struct deadline deadline = deadline_in_ms(1000);
	CLEANUP_CREDENTIALS struct credentials credentials = { 0 };
	struct err err;

	assert_int_equal(credentials_find(&settings, NULL, &deadline, &credentials, &err), 0);
	assert_string_equal(credentials.access_key_id, "AKID");
	assert_string_equal(credentials.secret_access_key, "secret");
	assert_string_equal(credentials.session_token, "token");
}

static void wiped_credentials_leave_nothing(void **state)
{
	static const struct credentials nothing;
	struct credentials credentials;

	memset(&credentials, 'x', sizeof(credentials));
	credentials_wipe(&credentials);
	assert_memory_equal(&credentials, &nothing, sizeof(nothing));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_of_a_role_has_three_keys),
		cmocka_unit_test(a_document_that_is_not_whole_is_asked_for_again_and_one_that_says_no_is_not),
		cmocka_unit_test(keys_in_the_environment_come_first),
		cmocka_unit_test(wiped_credentials_leave_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
