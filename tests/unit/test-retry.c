/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/retry.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <cmocka.h>

/* Clock, sleep and chance of our own: these definitions are found before the C library's. */
static int64_t fake_now_ms = 1000000;
static int64_t slept_ms;
static uint32_t chance = 1;
static bool no_entropy;

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

ssize_t getrandom(void *out, size_t size, unsigned int flags)
{
	if (no_entropy) {
		errno = EAGAIN;
		return -1;
	}
	chance ^= chance << 13;
	chance ^= chance >> 17;
	chance ^= chance << 5;
	memcpy(out, &chance, size < sizeof(chance) ? size : sizeof(chance));
	return (ssize_t)size;
}

static struct err cause(void)
{
	struct err err = { 0 };

	err_set(&err, EIO, "the server is tired");
	return err;
}

/* The pause before try number @tries, -1 when there was none. */
static int64_t pause_of(const struct deadline *deadline, unsigned int tries, int at_least_ms)
{
	struct retry retry = { .deadline = deadline, .base_ms = 100, .cap_ms = 5000, .tries = tries };
	struct err err = cause();

	slept_ms = -1;
	assert_int_equal(retry_pause(&retry, at_least_ms, &err), 0);
	assert_int_equal(retry.tries, tries + 1);
	assert_string_equal(err.message, "the server is tired");
	assert_int_equal(err.code, EIO);
	return slept_ms;
}

static void pauses_are_drawn_evenly_from_nothing_to_a_bound_that_doubles_up_to_the_cap(void **state)
{
	static const int bounds[] = { 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000 };

	for (unsigned int i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		int in_quarter[4] = { 0 };

		for (int draw = 0; draw < 4000; draw++) {
			struct deadline deadline = deadline_in_ms(1000000);
			int64_t pause = pause_of(&deadline, i, 0);

			assert_in_range(pause, 0, (uintmax_t)bounds[i]);
			in_quarter[pause * 4 / (bounds[i] + 1)]++;
		}
		for (int quarter = 0; quarter < 4; quarter++)
			assert_in_range(in_quarter[quarter], 850, 1150);
	}
}

static void after_very_many_tries_the_bound_is_still_the_cap(void **state)
{
	struct deadline deadline = deadline_in_ms(1000000);

	assert_in_range(pause_of(&deadline, 31, 0), 0, 5000);
	assert_in_range(pause_of(&deadline, UINT_MAX - 1, 0), 0, 5000);
}

static void a_pause_is_no_shorter_than_the_server_asked_for(void **state)
{
	struct deadline deadline = deadline_in_ms(1000000);

	assert_int_equal(pause_of(&deadline, 0, 7000), 7000);
	assert_in_range(pause_of(&deadline, 5, 3000), 3000, 3200);
}

static void without_entropy_pauses_stay_within_the_bound(void **state)
{
	struct deadline deadline = deadline_in_ms(1000000);

	no_entropy = true;
	for (int i = 0; i < 100; i++) {
		assert_in_range(pause_of(&deadline, 3, 0), 0, 800);
		fake_now_ms += 7;
	}
	no_entropy = false;
}

static void a_pause_that_would_end_after_the_deadline_is_not_made(void **state)
{
	struct deadline deadline = deadline_in_ms(5000);
	struct retry retry = { .deadline = &deadline, .base_ms = 100, .cap_ms = 5000, .tries = 2 };
	struct err err = cause();

	slept_ms = -1;
	assert_int_equal(retry_pause(&retry, 5000, &err), -ETIMEDOUT);
	assert_int_equal(slept_ms, -1);
	assert_int_equal(err.code, ETIMEDOUT);
	assert_int_equal(err.status, ERR_RETRY);
	assert_string_equal(err.message, "gave up after 3 tries at the deadline: the server is tired");
}

static void a_series_of_tries_ends_at_the_deadline_and_not_before_half_of_it(void **state)
{
	int64_t begin_ms = fake_now_ms;
	struct deadline deadline = deadline_in_ms(30000);
	struct retry retry = { .deadline = &deadline, .base_ms = 100, .cap_ms = 5000 };
	struct err err = cause();

	while (retry_pause(&retry, 0, &err) == 0)
		;
	assert_in_range(fake_now_ms - begin_ms, 15000, 30000);
	assert_in_range(retry.tries, 5, 100);
}

static void the_first_try_that_is_the_last_is_counted_as_one(void **state)
{
	struct deadline deadline = deadline_in_ms(0);
	struct retry retry = { .deadline = &deadline, .base_ms = 100, .cap_ms = 5000 };
	struct err err = cause();

	assert_int_equal(retry_pause(&retry, 0, &err), -ETIMEDOUT);
	assert_string_equal(err.message, "gave up after 1 try at the deadline: the server is tired");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_are_drawn_evenly_from_nothing_to_a_bound_that_doubles_up_to_the_cap),
		cmocka_unit_test(after_very_many_tries_the_bound_is_still_the_cap),
		cmocka_unit_test(a_pause_is_no_shorter_than_the_server_asked_for),
		cmocka_unit_test(without_entropy_pauses_stay_within_the_bound),
		cmocka_unit_test(a_pause_that_would_end_after_the_deadline_is_not_made),
		cmocka_unit_test(a_series_of_tries_ends_at_the_deadline_and_not_before_half_of_it),
		cmocka_unit_test(the_first_try_that_is_the_last_is_counted_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
