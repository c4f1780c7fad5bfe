/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

static int make_set(struct err *err, int code)
{
	return err_set(err, code, "'%s' is wrong", "x");
}

static int make_sys(struct err *err, int code)
{
	return err_sys(err, code, "open '%s'", "x");
}

static int make_refuse(struct err *err, int code)
{
	return err_refuse(err, "'%s' holds ext4", "x");
}

static int make_absent(struct err *err, int code)
{
	return err_absent(err, "'%s' does not exist", "x");
}

static int make_again(struct err *err, int code)
{
	return err_again(err, "'%s' is busy", "x");
}

static const struct {
	int (*make)(struct err *err, int code);
	int code;
	int expected_code;
	enum err_status status;
	const char *message;
} makers[] = {
	{ make_set, EINVAL, EINVAL, ERR_USAGE, "'x' is wrong" },
	{ make_set, EIO, EIO, ERR_FAILED, "'x' is wrong" },
	{ make_set, EAGAIN, EAGAIN, ERR_RETRY, "'x' is wrong" },
	{ make_set, ETIMEDOUT, ETIMEDOUT, ERR_RETRY, "'x' is wrong" },
	{ make_sys, ENOENT, ENOENT, ERR_FAILED, "open 'x': No such file or directory" },
	{ make_sys, EINVAL, EINVAL, ERR_FAILED, "open 'x': Invalid argument" },
	{ make_sys, EAGAIN, EAGAIN, ERR_RETRY, "open 'x': Resource temporarily unavailable" },
	{ make_sys, ETIMEDOUT, ETIMEDOUT, ERR_RETRY, "open 'x': Connection timed out" },
	{ make_refuse, 0, EPERM, ERR_REFUSED, "'x' holds ext4" },
	{ make_absent, 0, ENOENT, ERR_ABSENT, "'x' does not exist" },
	{ make_again, 0, EAGAIN, ERR_RETRY, "'x' is busy" },
};

static void each_kind_of_error_has_its_code_status_and_message(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		struct err err = { 0 };

		assert_int_equal(makers[i].make(&err, makers[i].code), -makers[i].expected_code);
		assert_int_equal(err.code, makers[i].expected_code);
		assert_int_equal(err.status, makers[i].status);
		assert_string_equal(err.message, makers[i].message);
	}
}

static void context_goes_before_the_message_and_keeps_code_and_status(void **state)
{
	struct err err = { 0 };

	err_refuse(&err, "'%s' holds ext4", "/dev/x");
	assert_int_equal(err_wrap(&err, "format %s", "vol-1"), -EPERM);
	assert_int_equal(err_wrap(&err, "volume '%s'", "data"), -EPERM);
	assert_int_equal(err.status, ERR_REFUSED);
	assert_string_equal(err.message, "volume 'data': format vol-1: '/dev/x' holds ext4");
}

static void a_message_may_be_made_from_the_message_before(void **state)
{
	struct err err = { 0 };

	err_set(&err, EIO, "read");
	err_wrap(&err, "100%% of %s", "it");
	assert_string_equal(err.message, "100% of it: read");
}

/* What a text of @length times @letter leaves after @rounds of context. */
static void wrap_long(struct err *err, char letter, size_t length, int rounds)
{
	char text[2 * ERR_MESSAGE_MAX];

	memset(text, letter, length);
	text[length] = '\0';
	err_set(err, EIO, "%s", text);
	for (int i = 0; i < rounds; i++)
		err_wrap(err, "context %d", i);
}

static void a_message_that_is_too_long_is_cut_at_its_end(void **state)
{
	struct err err = { 0 };

	wrap_long(&err, 'x', ERR_MESSAGE_MAX - 1, 0);
	assert_int_equal(strlen(err.message), ERR_MESSAGE_MAX - 1);
	wrap_long(&err, 'y', 2 * ERR_MESSAGE_MAX - 1, 0);
	assert_int_equal(strlen(err.message), ERR_MESSAGE_MAX - 1);
	wrap_long(&err, 'z', ERR_MESSAGE_MAX - 1, 3);
	assert_int_equal(strlen(err.message), ERR_MESSAGE_MAX - 1);
	assert_memory_equal(err.message, "context 2: context 1: context 0: zzz", 36);
	assert_int_equal(err.code, EIO);
}

static void a_full_message_stays_whole_when_an_errno_text_does_not_fit(void **state)
{
	char text[ERR_MESSAGE_MAX];
	struct err err = { 0 };

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_sys(&err, ENOSPC, "%s", text);
	assert_string_equal(err.message, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_error_has_its_code_status_and_message),
		cmocka_unit_test(context_goes_before_the_message_and_keeps_code_and_status),
		cmocka_unit_test(a_message_may_be_made_from_the_message_before),
		cmocka_unit_test(a_message_that_is_too_long_is_cut_at_its_end),
		cmocka_unit_test(a_full_message_stays_whole_when_an_errno_text_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
