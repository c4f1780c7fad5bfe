/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/deadline.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

/* A clock of our own: these definitions are found before the C library's. */
static int64_t fake_now_ms = 1000000;
static int64_t slept_ms;

int clock_gettime(clockid_t clock, struct timespec *out)
{
	*out = (struct timespec){ .tv_sec = fake_now_ms / 1000, .tv_nsec = fake_now_ms % 1000 * 1000000 };
	return 0;
}

int nanosleep(const struct timespec *duration, struct timespec *left)
{
	slept_ms = (int64_t)duration->tv_sec * 1000 + duration->tv_nsec / 1000000;
	fake_now_ms += slept_ms;
	return 0;
}

static void time_is_left_until_the_deadline_and_none_after_it(void **state)
{
	struct deadline deadline = deadline_in_ms(1500);

	assert_int_equal(deadline_left_ms(&deadline), 1500);
	fake_now_ms += 1499;
	assert_int_equal(deadline_left_ms(&deadline), 1);
	fake_now_ms += 1;
	assert_int_equal(deadline_left_ms(&deadline), 0);
	fake_now_ms += 100000;
	assert_int_equal(deadline_left_ms(&deadline), 0);
}

static void a_deadline_in_a_hundred_years_fits_poll(void **state)
{
	struct deadline deadline = deadline_in_ms((int64_t)100 * 365 * 86400 * 1000);

	assert_int_equal(deadline_left_ms(&deadline), INT_MAX);
}

static void a_step_may_take_less_than_the_whole_and_never_more(void **state)
{
	struct deadline whole = deadline_in_ms(1000);
	struct deadline shorter = deadline_within_ms(&whole, 400);
	struct deadline longer = deadline_within_ms(&whole, 5000);

	assert_int_equal(deadline_left_ms(&shorter), 400);
	assert_int_equal(deadline_left_ms(&longer), 1000);
}

static const struct {
	int left_ms;
	int asked_ms;
	int expected_ms;
} sleeps[] = {
	{ 5000, 1200, 1200 },
	{ 1200, 5000, 1200 },
	{ 1200, 1200, 1200 },
	{ 0, 5000, 0 },
	{ -10, 5000, 0 },
	{ 5000, 0, 0 },
	{ 5000, 999, 999 },
};

static void a_sleep_is_cut_short_at_the_deadline(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sleeps); i++) {
		struct deadline deadline = deadline_in_ms(sleeps[i].left_ms);

		slept_ms = -1;
		deadline_sleep_ms(&deadline, sleeps[i].asked_ms);
		assert_int_equal(slept_ms, sleeps[i].expected_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_is_left_until_the_deadline_and_none_after_it),
		cmocka_unit_test(a_deadline_in_a_hundred_years_fits_poll),
		cmocka_unit_test(a_step_may_take_less_than_the_whole_and_never_more),
		cmocka_unit_test(a_sleep_is_cut_short_at_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
