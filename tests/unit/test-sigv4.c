/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without arguments: the tests. With the word "sign": reads an array of requests as JSON from standard input and
 * prints the Authorization header of each, for a comparison with another signer (tests/cli/test_sigv4.py).
 */
#include "bootstrap/aws/sigv4.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/jsonx.h"

#define INPUT_MAX (4U << 20)
#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"
#define SIGNED_AT 1772714096 /* 2026-03-05T12:34:56Z */

static const struct credentials keys = {
	.access_key_id = "AKIDEXAMPLE",
	.secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};

static const struct credentials keys_with_token = {
	.access_key_id = "AKIDEXAMPLE",
	.secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	.session_token = "IQoJb3JpZ2luX2VjEO///////////wEaCXVzLWVhc3QtMSJHMEUCIQ+/==",
};

static const struct sigv4_header headers_1[] = {
	{ "Content-Type", FORM_TYPE },
};

static const struct sigv4_header headers_2[] = {
	{ "Content-Type", FORM_TYPE },
};

static const struct sigv4_header headers_6[] = {
	{ "x-amz-meta", "b" },
	{ "X-AMZ-META", "a" },
	{ "X-Amz-Meta", "" },
};

static const struct sigv4_header headers_8[] = {
	{ "x-amz-ChangedBlocksCount", "3" },
	{ "x-amz-Checksum", "q83vEg==" },
	{ "x-amz-Checksum-Algorithm", "SHA256" },
	{ "x-amz-Checksum-Aggregation-Method", "LINEAR" },
};

static const struct sigv4_header headers_9[] = {
	{ "x-amz-Data-Length", "524288" },
	{ "x-amz-Progress", "50" },
	{ "x-amz-Checksum-Algorithm", "SHA256" },
	{ "x-amz-Checksum", "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=" },
	{ "X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD" },
};

/* Made with botocore 1.43; tests/cli/test_sigv4.py compares many more with the one that is installed. */
static const struct {
	const char *service;
	const struct credentials *credentials;
	struct sigv4_request request;
	const char *authorization;
} vectors[] = {
	/* nothing but a host */
	{ "ec2", &keys,
	  { .method = "GET", .host = "ec2.eu-central-1.amazonaws.com", .path = "/" },
	  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260305/eu-central-1/ec2/aws4_request, "
	  "SignedHeaders=host;x-amz-date, "
	  "Signature=71081c6ebb2d967cda3b16f59478c43625868db8a979c3bf1d4a648dcf151a3a" },
	/* a form */
	{ "ec2", &keys,
	  { .method = "POST", .host = "ec2.eu-central-1.amazonaws.com", .path = "/", .headers = headers_1,
	    .header_count = ARRAY_SIZE(headers_1), .body = "Action=DescribeVolumes&Version=2016-11-15",
	    .body_length = 41 },
	  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260305/eu-central-1/ec2/aws4_request, "
	  "SignedHeaders=content-type;host;x-amz-date, "
	  "Signature=9528401300a98532742af422c4e2fdc964afffb11b13cb64a6856b680a56e5b7" },
	/* a form with a session token */
	{ "ec2", &keys_with_token,
	  { .method = "POST", .host = "ec2.eu-central-1.amazonaws.com", .path = "/", .headers = headers_2,
	    .header_count = ARRAY_SIZE(headers_2), .body = "Action=DescribeVolumes", .body_length = 22 },
	  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260305/eu-central-1/ec2/aws4_request, "
	  "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
	  "Signature=95f75854e6789fec7b19ec0ff6ae0cab8e4d79adb6b17282b91b4bb46c2c4cf5" },
	/* a path that is encoded already */
	{ "ec2", &keys,
	  { .method = "GET", .host = "ec2.eu-central-1.amazonaws.com", .path = "/a%20b/c%2Fd" },
	  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260305/eu-central-1/ec2/aws4_request, "
	  "SignedHeaders=host;x-amz-date, "
	  "Signature=a37c07d769d70fa26c16aefdbfba401e66bffa588654534bd1bac4f1f12624e5" },
	/* a query with a key that is another's beginning */
	{ "ec2", &keys,
	  { .method = "GET", .host = "ec2.eu-central-1.amazonaws.com", .path = "/",
	    .query = "a-b=1&a=2&ab=3&a.b=4" },
	  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260305/eu-central-1/ec2/aws4_request, "
	  "SignedHeaders=host;x-amz-date, "
	  "Signature=0249cd86573a176af249080edc41cf46c7b9c7974d1ccbe0573fd51335c5bb64" },
	/* a query with keys without a value */
	{ "ec2", &keys,
	  { .method = "GET", .host = "ec2.eu-central-1.amazonaws.com", .path = "/", .query = "b&a&c=1" },
	  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260305/eu-central-1/ec2/aws4_request, "
	  "SignedHeaders=host;x-amz-date, "
	  "Signature=5e53860c54c0e8a58bd335144debee2b999eb54909611a2a755a51f7d9bbfb3f" },
	/* a header repeated in another case */
	{ "ec2", &keys,
	  { .method = "GET", .host = "ec2.eu-central-1.amazonaws.com", .path = "/", .headers = headers_6,
	    .header_count = ARRAY_SIZE(headers_6) },
	  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260305/eu-central-1/ec2/aws4_request, "
	  "SignedHeaders=host;x-amz-date;x-amz-meta, "
	  "Signature=df2723c3b78400537dc24a29efae2328b388791953709d2f3746dc849c3bd091" },
	/* a page of blocks */
	{ "ebs", &keys_with_token,
	  { .method = "GET", .host = "ec2.eu-central-1.amazonaws.com", .path = "/snapshots/snap-1/blocks",
	    .query = "maxResults=100&pageToken=AAIBAdjYtPYTtM6Lxy%2B6eQ%2F%3D&startingBlockIndex=0" },
	  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260305/eu-central-1/ebs/aws4_request, "
	  "SignedHeaders=host;x-amz-date;x-amz-security-token, "
	  "Signature=3eec840435b01a899d41002951bc61bbd8aa850cca5a0b21a28f4cd4086c3f5d" },
	/* the end of a snapshot */
	{ "ebs", &keys_with_token,
	  { .method = "POST", .host = "ec2.eu-central-1.amazonaws.com", .path = "/snapshots/completion/snap-1",
	    .headers = headers_8, .header_count = ARRAY_SIZE(headers_8) },
	  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260305/eu-central-1/ebs/aws4_request, "
	  "SignedHeaders=host;x-amz-changedblockscount;x-amz-checksum;x-amz-checksum-aggregation-method;x-amz-c"
	  "hecksum-algorithm;x-amz-date;x-amz-security-token, "
	  "Signature=e090d9bedaaa568ffcc6937a834fe4f75b044bb5380d57723e55c35124d0e561" },
	/* a block put into a snapshot */
	{ "ebs", &keys_with_token,
	  { .method = "PUT", .host = "ebs.eu-central-1.amazonaws.com", .path = "/snapshots/snap-1/blocks/7",
	    .headers = headers_9, .header_count = ARRAY_SIZE(headers_9),
	    .body = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", .body_length = 64,
	    .payload_hash = "UNSIGNED-PAYLOAD" },
	  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260305/eu-central-1/ebs/aws4_request, "
	  "SignedHeaders=host;x-amz-checksum;x-amz-checksum-algorithm;x-amz-content-sha256;x-amz-data-length;x-"
	  "amz-date;x-amz-progress;x-amz-security-token, "
	  "Signature=e6862c497a09d9371c94c5b1103b64c72e874f632128ac931a46e7aff31d3656" },
};

static void requests_are_signed_as_botocore_signs_them(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct sigv4_scope scope = { .credentials = vectors[i].credentials, .region = "eu-central-1",
					     .service = vectors[i].service, .now = SIGNED_AT };
		CLEANUP_BUF struct buf authorization;
		char date[TIMESTAMP_BASIC_SIZE];
		struct err err;

		buf_init(&authorization, 4096);
		assert_int_equal(sigv4_sign(&vectors[i].request, &scope, &authorization, date, &err), 0);
		assert_string_equal(authorization.data, vectors[i].authorization);
		assert_string_equal(date, "20260305T123456Z");
	}
}

static void what_is_appended_is_only_what_was_made(void **state)
{
	struct sigv4_scope scope = {
		.credentials = &keys, .region = "eu-central-1", .service = "ec2", .now = SIGNED_AT
	};
	struct buf authorization CLEANUP_BUF = BUF_INIT(4096);
	char date[TIMESTAMP_BASIC_SIZE];
	struct err err;

	buf_add_text(&authorization, "Authorization: ");
	assert_int_equal(sigv4_sign(&vectors[0].request, &scope, &authorization, date, &err), 0);
	assert_int_equal(strncmp(authorization.data, "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/", 55), 0);
}

static void too_many_headers_parts_or_pairs_are_an_error(void **state)
{
	struct sigv4_scope scope = {
		.credentials = &keys, .region = "eu-central-1", .service = "ec2", .now = SIGNED_AT
	};
	struct sigv4_header headers[SIGV4_HEADERS_MAX + 1];
	struct sigv4_request request = { .method = "GET", .host = "h", .headers = headers,
					 .header_count = SIGV4_HEADERS_MAX };
	struct buf authorization CLEANUP_BUF = BUF_INIT(4096);
	char date[TIMESTAMP_BASIC_SIZE];
	char pairs[1024] = "";
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		headers[i] = (struct sigv4_header){ .name = "x-amz-meta", .value = "v" };
	assert_int_equal(sigv4_sign(&request, &scope, &authorization, date, &err), 0);
	request.header_count++;
	assert_int_equal(sigv4_sign(&request, &scope, &authorization, date, &err), -E2BIG);
	request.header_count = 0;
	memset(pairs, '&', sizeof(pairs) - 1);
	request.query = pairs;
	assert_int_equal(sigv4_sign(&request, &scope, &authorization, date, &err), -E2BIG);
	memset(pairs, '/', sizeof(pairs) - 1);
	request.query = NULL;
	request.path = pairs;
	assert_int_equal(sigv4_sign(&request, &scope, &authorization, date, &err), -E2BIG);
}

static void a_clock_beyond_the_year_9999_is_an_error(void **state)
{
	struct sigv4_scope scope = { .credentials = &keys, .region = "r", .service = "ec2", .now = 253402300800 };
	struct buf authorization CLEANUP_BUF = BUF_INIT(4096);
	char date[TIMESTAMP_BASIC_SIZE];
	struct err err;

	assert_int_equal(sigv4_sign(&vectors[0].request, &scope, &authorization, date, &err), -EINVAL);
}

static void encoding_leaves_unreserved_characters_only(void **state)
{
	struct buf text CLEANUP_BUF = BUF_INIT(256);

	assert_int_equal(sigv4_encode("AZaz09-_.~ +/=\xc3\xa9*", &text), 0);
	assert_string_equal(text.data, "AZaz09-_.~%20%2B%2F%3D%C3%A9%2A");
}

/* The driver */

static const char *text_of(const struct jsonx *value, const char *key)
{
	const char *text = NULL;
	struct err err;

	if (jsonx_text(value, key, &text, &err) < 0)
		exit(2);
	return text;
}

static size_t read_headers(const struct jsonx *value, struct sigv4_header *out)
{
	struct jsonx headers = { 0 };
	struct err err;

	if (jsonx_array(value, "headers", &headers, &err) <= 0 || jsonx_count(&headers) > SIGV4_HEADERS_MAX)
		exit(2);
	for (size_t i = 0; i < jsonx_count(&headers); i++) {
		struct jsonx pair;
		struct jsonx part;

		jsonx_element(&headers, i, &pair);
		jsonx_element(&pair, 0, &part);
		if (jsonx_as_text(&part, &out[i].name, &err) < 0)
			exit(2);
		jsonx_element(&pair, 1, &part);
		if (jsonx_as_text(&part, &out[i].value, &err) < 0)
			exit(2);
	}
	return jsonx_count(&headers);
}

static int sign_one(const struct jsonx *value)
{
	struct credentials credentials = { 0 };
	struct sigv4_header headers[SIGV4_HEADERS_MAX];
	struct sigv4_request request = { .method = text_of(value, "method"),
					 .host = text_of(value, "host"),
					 .path = text_of(value, "path"),
					 .query = text_of(value, "query"),
					 .headers = headers,
					 .header_count = read_headers(value, headers),
					 .body = text_of(value, "body"),
					 .payload_hash = text_of(value, "payload-hash") };
	struct sigv4_scope scope = { .credentials = &credentials, .region = text_of(value, "region"),
				     .service = text_of(value, "service") };
	struct buf authorization CLEANUP_BUF = BUF_INIT(8192);
	char date[TIMESTAMP_BASIC_SIZE];
	uint64_t now = 0;
	struct err err;

	request.body_length = strlen(request.body);
	snprintf(credentials.access_key_id, sizeof(credentials.access_key_id), "%s", text_of(value, "key"));
	snprintf(credentials.secret_access_key, sizeof(credentials.secret_access_key), "%s", text_of(value, "secret"));
	snprintf(credentials.session_token, sizeof(credentials.session_token), "%s", text_of(value, "token"));
	if (jsonx_u64(value, "time", 0, INT64_MAX, &now, &err) < 0)
		exit(2);
	scope.now = (time_t)now;
	if (sigv4_sign(&request, &scope, &authorization, date, &err) < 0) {
		fprintf(stderr, "%s: %s\n", text_of(value, "name"), err.message);
		return 1;
	}
	puts(authorization.data);
	return 0;
}

static int sign_all(void)
{
	CLEANUP_JSONX struct jsonx document = { 0 };
	struct buf input CLEANUP_BUF = BUF_INIT(INPUT_MAX);
	char piece[4096];
	struct err err;
	size_t length;

	while ((length = fread(piece, 1, sizeof(piece), stdin)) > 0)
		if (buf_add(&input, piece, length) < 0)
			return 2;
	if (jsonx_parse(input.data, input.length, &document, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		return 2;
	}
	for (size_t i = 0; i < jsonx_count(&document); i++) {
		struct jsonx value;

		jsonx_element(&document, i, &value);
		if (sign_one(&value))
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_signed_as_botocore_signs_them),
		cmocka_unit_test(what_is_appended_is_only_what_was_made),
		cmocka_unit_test(too_many_headers_parts_or_pairs_are_an_error),
		cmocka_unit_test(a_clock_beyond_the_year_9999_is_an_error),
		cmocka_unit_test(encoding_leaves_unreserved_characters_only),
	};

	if (argc == 2 && strcmp(argv[1], "sign") == 0)
		return sign_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
