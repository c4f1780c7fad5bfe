/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/jsonx-write.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/jsonx.h"

static void objects_arrays_and_values_are_written_with_commas_between_them(void **state)
{
	CLEANUP_BUF struct buf text;
	struct jsonx_write json;
	struct err err;

	buf_init(&text, 1024);
	jsonx_write_begin(&json, &text);
	jsonx_write_open_object(&json, NULL);
	jsonx_write_text(&json, "a", "b");
	jsonx_write_open_array(&json, "list");
	jsonx_write_u64(&json, NULL, UINT64_MAX);
	jsonx_write_bool(&json, NULL, false);
	jsonx_write_open_object(&json, NULL);
	jsonx_write_close_object(&json);
	jsonx_write_close_array(&json);
	jsonx_write_text(&json, "nothing", NULL);
	jsonx_write_close_object(&json);
	assert_int_equal(jsonx_write_end(&json, &err), 0);
	assert_string_equal(text.data,
			    "{\"a\": \"b\", \"list\": [18446744073709551615, false, {}], \"nothing\": null}");
}

static const struct {
	const char *text;
	const char *written;
} rows[] = {
	{ "plain", "\"plain\"" },
	{ "\"\\/\b\n\t\r\x1b\x7f", "\"\\\"\\\\/\\u0008\\n\\t\\u000d\\u001b\\u007f\"" },
	{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xbe", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xbe\"" },
	{ "\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
	  "\"\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"" },
	{ "a\xff" "b", "\"a\\ufffdb\"" },		     /* no UTF-8 at all */
	{ "\xc3", "\"\\ufffd\"" },			     /* cut off */
	{ "\xc0\x80", "\"\\ufffd\\ufffd\"" },		     /* overlong */
	{ "\xe0\x9f\x80", "\"\\ufffd\\ufffd\\ufffd\"" },     /* overlong */
	{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },     /* half of a surrogate pair */
	{ "\xf0\x8f\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
	{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" }, /* beyond U+10FFFF */
	{ "\xf5", "\"\\ufffd\"" },
};

static void whatever_the_text_is_what_comes_out_is_json(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP_JSONX struct jsonx document = { 0 };
		CLEANUP_BUF struct buf text;
		struct jsonx_write json;
		struct err err = { 0 };

		buf_init(&text, 1024);
		jsonx_write_begin(&json, &text);
		jsonx_write_text(&json, NULL, rows[i].text);
		assert_int_equal(jsonx_write_end(&json, &err), 0);
		assert_string_equal(text.data, rows[i].written);
		assert_int_equal(jsonx_parse(text.data, text.length, &document, &err), 0);
	}
}

static void the_first_failure_is_kept_until_the_end(void **state)
{
	CLEANUP_BUF struct buf text;
	struct jsonx_write json;
	struct err err = { 0 };

	buf_init(&text, 8);
	jsonx_write_begin(&json, &text);
	jsonx_write_open_array(&json, NULL);
	jsonx_write_text(&json, NULL, "longer than eight");
	jsonx_write_u64(&json, NULL, 1);
	jsonx_write_close_array(&json);
	assert_int_equal(jsonx_write_end(&json, &err), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_arrays_and_values_are_written_with_commas_between_them),
		cmocka_unit_test(whatever_the_text_is_what_comes_out_is_json),
		cmocka_unit_test(the_first_failure_is_kept_until_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
