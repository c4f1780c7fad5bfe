/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/jsonx.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"

#define UNTOUCHED 4711

static struct jsonx parse(const char *text)
{
	struct jsonx document = { 0 };
	struct err err = { 0 };

	if (jsonx_parse(text, strlen(text), &document, &err) < 0)
		fail_msg("%s", err.message);
	return document;
}

static const struct {
	const char *text;
	const char *reason;
} bad_rows[] = {
	{ "", "line 1" },
	{ "{", "line 1" },
	{ "{\"a\": 1,\n \"b\": }", "line 2, column" },
	{ "{\"a\": 1, \"a\": 2}", "duplicate" },
	{ "{\"a\": {\"b\": 1, \"b\": 1}}", "duplicate" },
	{ "{} {}", "end of file expected" },
	{ "{\"a\": \"\\u0000\"}", "line 1" },
	{ "{\"a\": \"\xff\"}", "line 1" },
	{ "{'a': 1}", "line 1" },
	{ "{\"a\": 1,}", "line 1" },
	{ "{\"a\": 99999999999999999999}", "too big integer" },
};

static void what_is_wrong_is_said_with_line_and_column(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_rows); i++) {
		struct jsonx document = { 0 };
		struct err err = { 0 };

		assert_int_equal(jsonx_parse(bad_rows[i].text, strlen(bad_rows[i].text), &document, &err), -EINVAL);
		assert_null(document.value);
		assert_int_equal(err.status, ERR_USAGE);
		assert_non_null(strstr(err.message, bad_rows[i].reason));
	}
}

static void nesting_is_bounded_before_anything_recursive_sees_it(void **state)
{
	enum { DEEP = 1 << 20 };
	CLEANUP_FREE char *text = malloc(2 * DEEP);
	struct jsonx document = { 0 };
	struct err err = { 0 };

	assert_non_null(text);
	memset(text, '[', DEEP);
	memset(text + DEEP, ']', DEEP);
	assert_int_equal(jsonx_parse(text, 2 * DEEP, &document, &err), -EINVAL);
	assert_string_equal(err.message, "nested more than 32 deep");
	assert_int_equal(jsonx_parse(text + DEEP - 32, 64, &document, &err), 0);
	jsonx_done(&document);
	assert_int_equal(jsonx_parse(text + DEEP - 33, 66, &document, &err), -EINVAL);
}

static void brackets_in_strings_do_not_count_as_nesting(void **state)
{
	CLEANUP_JSONX struct jsonx document =
		parse("[\"[[[[[[[[[[[[[[[[[[[[\", \"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\", \"{{{{{{\\\\\"]");

	assert_int_equal(jsonx_count(&document), 3);
}

static const char sample[] =
	"{\"name\": \"data\", \"size\": 20, \"keep\": true, \"none\": null, \"real\": 1.5, \"minus\": -1,"
	" \"list\": [{\"iops\": \"many\"}, 2], \"sub\": {\"key\": \"value\"}}";

static void a_getter_says_1_for_there_and_0_for_absent_or_null(void **state)
{
	CLEANUP_JSONX struct jsonx document = parse(sample);
	const char *text = "default";
	uint64_t number = UNTOUCHED;
	struct jsonx member = { 0 };
	bool flag = false;
	struct err err;

	assert_int_equal(jsonx_text(&document, "absent", &text, &err), 0);
	assert_int_equal(jsonx_text(&document, "none", &text, &err), 0);
	assert_string_equal(text, "default");
	assert_int_equal(jsonx_text(&document, "name", &text, &err), 1);
	assert_string_equal(text, "data");
	assert_int_equal(jsonx_u64(&document, "none", 1, 10, &number, &err), 0);
	assert_int_equal(number, UNTOUCHED);
	assert_int_equal(jsonx_u64(&document, "size", 20, 20, &number, &err), 1);
	assert_int_equal(number, 20);
	assert_int_equal(jsonx_bool(&document, "absent", &flag, &err), 0);
	assert_int_equal(jsonx_bool(&document, "keep", &flag, &err), 1);
	assert_true(flag);
	assert_int_equal(jsonx_object(&document, "absent", &member, &err), 0);
	assert_int_equal(jsonx_object(&document, "sub", &member, &err), 1);
	assert_string_equal(member.path, "sub");
	assert_int_equal(jsonx_array(&document, "none", &member, &err), 0);
	assert_int_equal(jsonx_array(&document, "list", &member, &err), 1);
	assert_int_equal(jsonx_count(&member), 2);
	assert_true(jsonx_member(&document, "none", &member));
	assert_int_equal(jsonx_type(&member), JSONX_NULL);
}

static void a_wrong_value_is_named_with_its_path_and_what_was_expected(void **state)
{
	CLEANUP_JSONX struct jsonx document = parse(sample);
	struct jsonx list = { 0 };
	struct jsonx first;
	uint64_t number = UNTOUCHED;
	const char *text = NULL;
	bool flag = true;
	struct err err = { 0 };

	assert_int_equal(jsonx_array(&document, "list", &list, &err), 1);
	jsonx_element(&list, 0, &first);
	assert_int_equal(jsonx_u64(&first, "iops", 1, 80000, &number, &err), -EINVAL);
	assert_string_equal(err.message, "list[0].iops: 'many' is a string, expected a whole number from 1 to 80000");
	assert_int_equal(err.status, ERR_USAGE);
	assert_int_equal(jsonx_u64(&document, "size", 1, 10, &number, &err), -EINVAL);
	assert_string_equal(err.message, "size: 20 is out of range, expected a whole number from 1 to 10");
	assert_int_equal(jsonx_u64(&document, "minus", 0, UINT64_MAX, &number, &err), -EINVAL);
	assert_string_equal(err.message,
			    "minus: -1 is out of range, expected a whole number from 0 to 18446744073709551615");
	assert_int_equal(jsonx_u64(&document, "real", 0, 10, &number, &err), -EINVAL);
	assert_string_equal(err.message, "real: 1.5 is a number, expected a whole number from 0 to 10");
	assert_int_equal(jsonx_text(&document, "size", &text, &err), -EINVAL);
	assert_string_equal(err.message, "size: 20 is a number, expected a string");
	assert_int_equal(jsonx_bool(&document, "name", &flag, &err), -EINVAL);
	assert_string_equal(err.message, "name: 'data' is a string, expected true or false");
	assert_int_equal(jsonx_object(&document, "list", &list, &err), -EINVAL);
	assert_string_equal(err.message, "list: it is an array, expected an object");
	assert_int_equal(jsonx_array(&document, "keep", &list, &err), -EINVAL);
	assert_string_equal(err.message, "keep: true is a boolean, expected an array");
	assert_int_equal(jsonx_missing(&first, "size-gib", "a number of GiB", &err), -EINVAL);
	assert_string_equal(err.message, "list[0].size-gib: missing, expected a number of GiB");
	assert_int_equal(jsonx_error(&document, &err, "'%s' is odd", "it"), -EINVAL);
	assert_string_equal(err.message, "'it' is odd");
	assert_int_equal(number, UNTOUCHED);
	assert_null(text);
	assert_true(flag);
}

static void an_unknown_key_is_named_with_those_that_are_known(void **state)
{
	static const char *const two[] = { "key", "other", NULL };
	static const char *const three[] = { "device", "tags", "create", NULL };
	static const char *const one[] = { "device", NULL };
	CLEANUP_JSONX struct jsonx document = parse(sample);
	struct jsonx sub = { 0 };
	struct err err = { 0 };

	assert_int_equal(jsonx_object(&document, "sub", &sub, &err), 1);
	assert_int_equal(jsonx_check_keys(&sub, two, &err), 0);
	assert_int_equal(jsonx_check_keys(&sub, three, &err), -EINVAL);
	assert_string_equal(err.message, "sub: unknown key 'key', expected one of device, tags or create");
	assert_int_equal(jsonx_check_keys(&sub, one, &err), -EINVAL);
	assert_string_equal(err.message, "sub: unknown key 'key', expected device");
}

static void a_choice_is_one_of_its_words(void **state)
{
	static const char *const words[] = { "ext4", "xfs", NULL };
	CLEANUP_JSONX struct jsonx document = parse("{\"a\": \"xfs\", \"b\": \"ntfs\", \"c\": 1}");
	size_t index = UNTOUCHED;
	struct err err = { 0 };

	assert_int_equal(jsonx_choice(&document, "absent", words, &index, &err), 0);
	assert_int_equal(index, UNTOUCHED);
	assert_int_equal(jsonx_choice(&document, "a", words, &index, &err), 1);
	assert_int_equal(index, 1);
	assert_int_equal(jsonx_choice(&document, "b", words, &index, &err), -EINVAL);
	assert_string_equal(err.message, "b: 'ntfs' is unknown, expected ext4 or xfs");
	assert_int_equal(jsonx_choice(&document, "c", words, &index, &err), -EINVAL);
	assert_string_equal(err.message, "c: 1 is a number, expected ext4 or xfs");
}

static void members_are_walked_with_their_paths(void **state)
{
	CLEANUP_JSONX struct jsonx document = parse("{\"tags\": {\"b\": \"2\", \"a\": \"1\"}}");
	struct jsonx tags = { 0 };
	struct jsonx member;
	struct err err = { 0 };
	void *iterator = NULL;
	struct buf seen CLEANUP_BUF = BUF_INIT(64);
	const char *key;

	assert_int_equal(jsonx_object(&document, "tags", &tags, &err), 1);
	while (jsonx_next(&tags, &iterator, &key, &member)) {
		const char *text = "";

		assert_int_equal(jsonx_as_text(&member, &text, &err), 0);
		buf_printf(&seen, "%s=%s ", member.path, text);
	}
	assert_string_equal(seen.data, "tags.b=2 tags.a=1 ");
}

static void a_path_that_is_too_long_is_cut_visibly(void **state)
{
	char text[700] = "{\"";
	struct jsonx document = { 0 };
	struct jsonx member;
	void *iterator = NULL;
	const char *key;
	struct err err;

	memset(text + 2, 'k', 600);
	memcpy(text + 602, "\": 1}", 6);
	assert_int_equal(jsonx_parse(text, strlen(text), &document, &err), 0);
	assert_true(jsonx_next(&document, &iterator, &key, &member));
	assert_int_equal(strlen(member.path), JSONX_PATH_MAX - 1);
	assert_string_equal(member.path + JSONX_PATH_MAX - 5, "k...");
	jsonx_done(&document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_said_with_line_and_column),
		cmocka_unit_test(nesting_is_bounded_before_anything_recursive_sees_it),
		cmocka_unit_test(brackets_in_strings_do_not_count_as_nesting),
		cmocka_unit_test(a_getter_says_1_for_there_and_0_for_absent_or_null),
		cmocka_unit_test(a_wrong_value_is_named_with_its_path_and_what_was_expected),
		cmocka_unit_test(an_unknown_key_is_named_with_those_that_are_known),
		cmocka_unit_test(a_choice_is_one_of_its_words),
		cmocka_unit_test(members_are_walked_with_their_paths),
		cmocka_unit_test(a_path_that_is_too_long_is_cut_visibly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
