/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/jsontext.h"

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
	struct buf text CLEANUP_BUF = BUF_INIT(1024);
	struct jsontext json;
	struct err err;

	jsontext_begin(&json, &text);
	jsontext_open_object(&json, NULL);
	jsontext_text(&json, "a", "b");
	jsontext_open_array(&json, "list");
	jsontext_u64(&json, NULL, UINT64_MAX);
	jsontext_bool(&json, NULL, false);
	jsontext_open_object(&json, NULL);
	jsontext_close_object(&json);
	jsontext_close_array(&json);
	jsontext_text(&json, "nothing", NULL);
	jsontext_close_object(&json);
	assert_int_equal(jsontext_end(&json, &err), 0);
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
		struct jsontext json;
		struct err err = { 0 };

		buf_init(&text, 1024);
		jsontext_begin(&json, &text);
		jsontext_text(&json, NULL, rows[i].text);
		assert_int_equal(jsontext_end(&json, &err), 0);
		assert_string_equal(text.data, rows[i].written);
		assert_int_equal(jsonx_parse(text.data, text.length, &document, &err), 0);
	}
}

static void the_first_failure_is_kept_until_the_end(void **state)
{
	struct buf text CLEANUP_BUF = BUF_INIT(8);
	struct jsontext json;
	struct err err = { 0 };

	jsontext_begin(&json, &text);
	jsontext_open_array(&json, NULL);
	jsontext_text(&json, NULL, "longer than eight");
	jsontext_u64(&json, NULL, 1);
	jsontext_close_array(&json);
	assert_int_equal(jsontext_end(&json, &err), -EMSGSIZE);
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
