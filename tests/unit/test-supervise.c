/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bootstrap/base/supervise.h"

static int answer(void *argument)
{
	return *(int *)argument;
}

static int hang(void *argument)
{
	supervise_stage("hang about");
	while (pause() < 0)
		;
	return 0;
}

static int hang_deaf(void *argument)
{
	signal(SIGTERM, SIG_IGN);
	return hang(argument);
}

static int shorten_and_hang(void *argument)
{
	struct deadline soon = deadline_in_ms(200);

	supervise_shorten(&soon);
	return hang(argument);
}

static int lengthen_and_answer(void *argument)
{
	struct deadline late = deadline_in_ms(3600000);

	supervise_shorten(&late);
	usleep(1000);
	return 5;
}

static int crash(void *argument)
{
	supervise_stage("crash");
	kill(getpid(), SIGKILL);
	return 0;
}

static int ask_to_end(void *argument)
{
	supervise_stage("wait for the end");
	kill(getppid(), SIGTERM);
	while (pause() < 0)
		;
	return 0;
}

static void the_childs_status_is_handed_on(void **state)
{
	struct deadline deadline = deadline_in_ms(60000);
	struct err err = { 0 };
	int wanted = 42;
	int status = 0;

	assert_int_equal(supervise(&deadline, answer, &wanted, &status, &err), 0);
	assert_int_equal(status, 42);
}

static void check_end(int (*work)(void *), int64_t deadline_ms, int code, const char *says)
{
	struct deadline deadline = deadline_in_ms(deadline_ms);
	struct err err = { 0 };
	int status = 0;

	assert_int_equal(supervise(&deadline, work, NULL, &status, &err), -code);
	assert_non_null(strstr(err.message, says));
	assert_int_equal(err.status, ERR_RETRY);
}

static void the_deadline_ends_a_child_that_hangs_and_says_where(void **state)
{
	check_end(hang, 200, ETIMEDOUT, "hang about");
}

static void a_child_that_ignores_signals_ends_too(void **state)
{
	check_end(hang_deaf, 200, ETIMEDOUT, "hang about");
}

static void a_child_may_make_the_deadline_earlier(void **state)
{
	check_end(shorten_and_hang, 3600000, ETIMEDOUT, "hang about");
}

static void a_child_cannot_make_the_deadline_later(void **state)
{
	struct deadline deadline = deadline_in_ms(60000);
	struct err err = { 0 };
	int status = 0;

	assert_int_equal(supervise(&deadline, lengthen_and_answer, NULL, &status, &err), 0);
	assert_int_equal(status, 5);
}

static void a_crash_is_said(void **state)
{
	check_end(crash, 60000, ECHILD, "SIGKILL during: crash");
}

static void sigterm_ends_the_child_and_asks_for_another_run(void **state)
{
	check_end(ask_to_end, 60000, EINTR, "SIGTERM during: wait for the end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_childs_status_is_handed_on),
		cmocka_unit_test(the_deadline_ends_a_child_that_hangs_and_says_where),
		cmocka_unit_test(a_child_that_ignores_signals_ends_too),
		cmocka_unit_test(a_child_may_make_the_deadline_earlier),
		cmocka_unit_test(a_child_cannot_make_the_deadline_later),
		cmocka_unit_test(a_crash_is_said),
		cmocka_unit_test(sigterm_ends_the_child_and_asks_for_another_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
