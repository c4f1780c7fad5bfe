/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/parse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

#define UNTOUCHED 4711

static const struct {
	const char *text;
	uint64_t min;
	uint64_t max;
	uint64_t value;
	bool valid;
} numbers[] = {
	{ "0", 0, 10, 0, true },
	{ "10", 0, 10, 10, true },
	{ "007", 0, 10, 7, true },
	{ "18446744073709551615", 0, UINT64_MAX, UINT64_MAX, true },
	{ "18446744073709551616", 0, UINT64_MAX, 0, false },
	{ "99999999999999999999999", 0, UINT64_MAX, 0, false },
	{ "11", 0, 10, 0, false },
	{ "4", 5, 10, 0, false },
	{ "", 0, 10, 0, false },
	{ " 1", 0, 10, 0, false },
	{ "1 ", 0, 10, 0, false },
	{ "+1", 0, 10, 0, false },
	{ "-1", 0, UINT64_MAX, 0, false },
	{ "1k", 0, 10, 0, false },
	{ "0x1", 0, 10, 0, false },
	{ "1.0", 0, 10, 0, false },
	{ "1\n", 0, 10, 0, false },
	{ "\xd9\xa1", 0, 10, 0, false },	/* a digit, in Arabic */
};

static void a_number_is_digits_within_its_bounds_and_nothing_else(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct err err = { 0 };
		uint64_t value = UNTOUCHED;
		int ret = parse_u64(numbers[i].text, numbers[i].min, numbers[i].max, &value, &err);

		assert_int_equal(ret, numbers[i].valid ? 0 : -EINVAL);
		assert_int_equal(value, numbers[i].valid ? numbers[i].value : UNTOUCHED);
		assert_int_equal(err.status, numbers[i].valid ? ERR_DONE : ERR_USAGE);
	}
}

static void a_wrong_number_is_quoted_with_what_was_expected(void **state)
{
	struct err err = { 0 };
	uint64_t value;

	assert_int_equal(parse_u64("12GiB", 1, 65536, &value, &err), -EINVAL);
	assert_string_equal(err.message, "'12GiB' is not a number from 1 to 65536");
}

static const struct {
	const char *text;
	struct parse_owner owner;
	bool valid;
} owners[] = {
	{ "0:0", { 0, 0 }, true },
	{ "1000:100", { 1000, 100 }, true },
	{ "4294967294:4294967294", { 4294967294U, 4294967294U }, true },
	{ "4294967295:0", { 0, 0 }, false },	/* (uid_t)-1 */
	{ "0:4294967295", { 0, 0 }, false },
	{ "1000", { 0, 0 }, false },
	{ "1000:", { 0, 0 }, false },
	{ ":1000", { 0, 0 }, false },
	{ ":", { 0, 0 }, false },
	{ "1:2:3", { 0, 0 }, false },
	{ "root:root", { 0, 0 }, false },
	{ "1000: 1000", { 0, 0 }, false },
	{ "", { 0, 0 }, false },
};

static void an_owner_is_two_numbers_with_a_colon_between_them(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		struct parse_owner owner = { UNTOUCHED, UNTOUCHED };
		struct err err = { 0 };
		int ret = parse_owner(owners[i].text, &owner, &err);

		assert_int_equal(ret, owners[i].valid ? 0 : -EINVAL);
		assert_int_equal(owner.uid, owners[i].valid ? owners[i].owner.uid : UNTOUCHED);
		assert_int_equal(owner.gid, owners[i].valid ? owners[i].owner.gid : UNTOUCHED);
	}
}

static const struct {
	const char *text;
	mode_t mode;
	bool valid;
} modes[] = {
	{ "0", 0, true },
	{ "750", 0750, true },
	{ "0750", 0750, true },
	{ "7777", 07777, true },
	{ "07777", 07777, true },
	{ "00755", 0755, true },
	{ "10000", 0, false },
	{ "000755", 0, false },
	{ "0780", 0, false },
	{ "0x1ed", 0, false },
	{ "u=rwx", 0, false },
	{ "-755", 0, false },
	{ "", 0, false },
};

static void a_mode_is_permission_bits_in_octal(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		mode_t mode = UNTOUCHED;
		struct err err = { 0 };

		assert_int_equal(parse_mode(modes[i].text, &mode, &err), modes[i].valid ? 0 : -EINVAL);
		assert_int_equal(mode, modes[i].valid ? modes[i].mode : UNTOUCHED);
	}
}

static const struct {
	const char *text;
	size_t key_length;
	const char *value;
} pairs[] = {
	{ "a=b", 1, "b" },
	{ "key=", 3, "" },
	{ "key=a=b", 3, "a=b" },
	{ "kubernetes.io/cluster/x=owned", 23, "owned" },
	{ " k = v ", 3, " v " },
	{ "=b", 0, NULL },
	{ "=", 0, NULL },
	{ "key", 0, NULL },
	{ "", 0, NULL },
};

static void a_pair_is_a_key_that_is_not_empty_and_any_value(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		const char *value = NULL;
		size_t key_length = 0;
		struct err err = { 0 };
		int ret = parse_key_value(pairs[i].text, &key_length, &value, &err);

		assert_int_equal(ret, pairs[i].value ? 0 : -EINVAL);
		assert_int_equal(key_length, pairs[i].key_length);
		if (pairs[i].value)
			assert_string_equal(value, pairs[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_digits_within_its_bounds_and_nothing_else),
		cmocka_unit_test(a_wrong_number_is_quoted_with_what_was_expected),
		cmocka_unit_test(an_owner_is_two_numbers_with_a_colon_between_them),
		cmocka_unit_test(a_mode_is_permission_bits_in_octal),
		cmocka_unit_test(a_pair_is_a_key_that_is_not_empty_and_any_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
