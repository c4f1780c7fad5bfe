/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/hash.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

/* FIPS 180-2, appendix B */
static void sha_256_is_the_standards(void **state)
{
	char hex[HASH_HEX_SIZE];
	struct err err;

	assert_int_equal(hash_sha256_hex("", 0, hex, &err), 0);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_int_equal(hash_sha256_hex("abc", 3, hex, &err), 0);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 4231, test cases 2 and 6 */
static void hmac_is_the_standards(void **state)
{
	uint8_t digest[HASH_BYTES];
	char hex[HASH_HEX_SIZE];
	char key[131];
	struct err err;

	assert_int_equal(hash_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, digest, &err), 0);
	hash_hex(digest, sizeof(digest), hex);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	assert_int_equal(hash_hmac_sha256(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First",
					  54, digest, &err),
			 0);
	hash_hex(digest, sizeof(digest), hex);
	assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 4648, section 10, and all bits of the last two characters of the alphabet */
static const struct {
	const char *bytes;
	const char *text;
} base64_rows[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xff\xef\xfe", "/+/+" },
};

static void base64_goes_both_ways(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(base64_rows); i++) {
		CLEANUP_BUF struct buf text;
		CLEANUP_BUF struct buf bytes;

		buf_init(&text, 64);
		buf_init(&bytes, 64);
		assert_int_equal(hash_base64_encode(base64_rows[i].bytes, strlen(base64_rows[i].bytes), &text), 0);
		assert_string_equal(text.data, base64_rows[i].text);
		assert_int_equal(hash_base64_decode(text.data, text.length, &bytes), 0);
		assert_string_equal(bytes.data, base64_rows[i].bytes);
	}
}

static const struct {
	const char *text;
	const char *bytes; /* NULL: refused */
} decode_rows[] = {
	{ "Zm9v\nYmFy\n", "foobar" },
	{ "Zm9v\r\nYmFy\r\n", "foobar" },
	{ " Z m\t8=", "fo" },
	{ "Zm9vYg", "foob" },
	{ "Zm9vYg==\n", "foob" },
	{ "Z", NULL },
	{ "Zm9vYg=", NULL },
	{ "Zg===", NULL },
	{ "Zg==Zg==", NULL },
	{ "=", NULL },
	{ "Zm9-", NULL },
	{ "Zm9v!", NULL },
};

static void base64_with_line_breaks_is_read_and_anything_else_is_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(decode_rows); i++) {
		CLEANUP_BUF struct buf bytes;
		int ret;

		buf_init(&bytes, 64);
		ret = hash_base64_decode(decode_rows[i].text, strlen(decode_rows[i].text), &bytes);
		assert_int_equal(ret, decode_rows[i].bytes ? 0 : -EINVAL);
		if (decode_rows[i].bytes)
			assert_string_equal(bytes.data, decode_rows[i].bytes);
	}
}

static void base64_over_the_buffers_maximum_is_an_error(void **state)
{
	struct buf small CLEANUP_BUF = BUF_INIT(4);

	assert_int_equal(hash_base64_encode("foobar", 6, &small), -EMSGSIZE);
	buf_clear(&small);
	assert_int_equal(hash_base64_decode("Zm9vYmFy", 8, &small), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha_256_is_the_standards),
		cmocka_unit_test(hmac_is_the_standards),
		cmocka_unit_test(base64_goes_both_ways),
		cmocka_unit_test(base64_with_line_breaks_is_read_and_anything_else_is_refused),
		cmocka_unit_test(base64_over_the_buffers_maximum_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
