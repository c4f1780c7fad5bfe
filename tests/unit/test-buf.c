/* SPDX-License-Identifier: Apache-2.0 */
#undef _FORTIFY_SOURCE /* explicit_bzero() is defined below */

#include "bootstrap/base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

static void an_empty_buffer_is_an_empty_string_and_owns_no_memory(void **state)
{
	struct buf buf;

	buf_init(&buf, 10);
	assert_string_equal(buf.data, "");
	assert_int_equal(buf.length, 0);
	assert_int_equal(buf.allocated, 0);
	buf_clear(&buf);
	assert_int_equal(buf_add(&buf, NULL, 0), 0);
	assert_int_equal(buf.allocated, 0);
	buf_done(&buf);
}

static void what_is_added_stands_in_order_and_ends_in_nul(void **state)
{
	struct buf buf CLEANUP_BUF = BUF_INIT(1000);

	assert_int_equal(buf_add_text(&buf, "one "), 0);
	assert_int_equal(buf_add(&buf, "two\0three", 9), 0);
	assert_int_equal(buf_printf(&buf, " %d%s", 4, ""), 0);
	assert_int_equal(buf.length, 15);
	assert_memory_equal(buf.data, "one two\0three 4", 16);
}

static void nothing_printed_adds_nothing(void **state)
{
	struct buf buf CLEANUP_BUF = BUF_INIT(10);

	assert_int_equal(buf_printf(&buf, "%s", ""), 0);
	assert_int_equal(buf.length, 0);
}

/* What is there, how much comes, what comes of it: the maximum is 300. */
static const struct {
	size_t before;
	size_t added;
	int expected;
} fillings[] = {
	{ 0, 300, 0 },
	{ 0, 301, -EMSGSIZE },
	{ 299, 1, 0 },
	{ 300, 0, 0 },
	{ 300, 1, -EMSGSIZE },
	{ 255, 1, 0 },	/* the first block is full: its NUL has to fit as well */
	{ 256, 44, 0 },
	{ 150, SIZE_MAX, -EMSGSIZE },
	{ 150, SIZE_MAX - 149, -EMSGSIZE },
};

static void the_maximum_is_kept_and_a_failed_addition_changes_nothing(void **state)
{
	char bytes[400];

	memset(bytes, 'b', sizeof(bytes));
	for (size_t i = 0; i < ARRAY_SIZE(fillings); i++) {
		CLEANUP_BUF struct buf buf;
		size_t length = fillings[i].before + (fillings[i].expected ? 0 : fillings[i].added);

		buf_init(&buf, 300);
		assert_int_equal(buf_add(&buf, bytes, fillings[i].before), 0);
		assert_int_equal(buf_add(&buf, bytes, fillings[i].added), fillings[i].expected);
		assert_int_equal(buf.length, length);
		assert_int_equal(strlen(buf.data), length);
	}
}

static void printing_over_the_maximum_changes_nothing(void **state)
{
	struct buf buf CLEANUP_BUF = BUF_INIT(8);

	assert_int_equal(buf_printf(&buf, "%s", "12345"), 0);
	assert_int_equal(buf_printf(&buf, "%04d", 6789), -EMSGSIZE);
	assert_string_equal(buf.data, "12345");
	assert_int_equal(buf_printf(&buf, "%d", 678), 0);
	assert_string_equal(buf.data, "12345678");
}

static void a_cleared_buffer_is_empty_and_keeps_its_memory(void **state)
{
	struct buf buf CLEANUP_BUF = BUF_INIT(100);
	size_t allocated;

	assert_int_equal(buf_add_text(&buf, "secret"), 0);
	allocated = buf.allocated;
	buf_clear(&buf);
	assert_string_equal(buf.data, "");
	assert_int_equal(buf.length, 0);
	assert_int_equal(buf.allocated, allocated);
}

static void a_buffer_that_is_done_with_can_be_used_again(void **state)
{
	struct buf buf CLEANUP_BUF = BUF_INIT(100);

	assert_int_equal(buf_add_text(&buf, "one"), 0);
	buf_done(&buf);
	assert_string_equal(buf.data, "");
	assert_int_equal(buf.max, 100);
	assert_int_equal(buf_add_text(&buf, "two"), 0);
	assert_string_equal(buf.data, "two");
}

/*
 * What is overwritten before it is given back. These definitions are found before the C library's; the second is what
 * fortified callers call.
 */
static const void *wiped;
static size_t wiped_size;

void explicit_bzero(void *data, size_t size)
{
	wiped = data;
	wiped_size = size;
	memset(data, 0, size);
}

void __explicit_bzero_chk(void *data, size_t size, size_t room);
void __explicit_bzero_chk(void *data, size_t size, size_t room)
{
	assert_true(size <= room);
	explicit_bzero(data, size);
}

static void a_secret_is_overwritten_when_a_buffer_grows_and_when_it_is_wiped(void **state)
{
	char padding[1000];
	struct buf buf;
	struct buf before;

	memset(padding, 'p', sizeof(padding));
	buf_init(&buf, 10000);
	assert_int_equal(buf_add_text(&buf, "correct horse battery staple"), 0);
	before = buf;
	assert_int_equal(buf_add(&buf, padding, sizeof(padding)), 0);
	assert_memory_equal(buf.data, "correct horse battery staplepp", 30);
	assert_ptr_equal(wiped, before.data);
	assert_int_equal(wiped_size, before.allocated);
	before = buf;
	buf_wipe(&buf);
	assert_ptr_equal(wiped, before.data);
	assert_int_equal(wiped_size, before.allocated);
	assert_string_equal(buf.data, "");
	assert_int_equal(buf.allocated, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_is_an_empty_string_and_owns_no_memory),
		cmocka_unit_test(what_is_added_stands_in_order_and_ends_in_nul),
		cmocka_unit_test(nothing_printed_adds_nothing),
		cmocka_unit_test(the_maximum_is_kept_and_a_failed_addition_changes_nothing),
		cmocka_unit_test(printing_over_the_maximum_changes_nothing),
		cmocka_unit_test(a_cleared_buffer_is_empty_and_keeps_its_memory),
		cmocka_unit_test(a_buffer_that_is_done_with_can_be_used_again),
		cmocka_unit_test(a_secret_is_overwritten_when_a_buffer_grows_and_when_it_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
