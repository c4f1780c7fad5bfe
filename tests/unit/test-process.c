/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

#define PATIENCE_MS 20000

static int run(const char *const *argv, struct buf *output, int *status, struct err *err)
{
	struct deadline deadline = deadline_in_ms(PATIENCE_MS);

	return process_run(argv, &deadline, output, status, err);
}

static const struct {
	const char *argv[4];
	const char *output;
	int status;
} programs[] = {
	{ { "true" }, "", 0 },
	{ { "false" }, "", 1 },
	{ { "echo", "a  b", "*" }, "a  b *\n", 0 },
	{ { "/bin/echo", "by path" }, "by path\n", 0 },
	{ { "sh", "-c", "echo out; echo err >&2; exit 7" }, "out\nerr\n", 7 },
	{ { "sh", "-c", "kill -TERM $$" }, "", 128 + SIGTERM },
	{ { "cat" }, "", 0 },
	{ { "printenv", "LC_ALL" }, "C\n", 0 },
	{ { "printenv", "PATH" }, "/usr/sbin:/usr/bin:/sbin:/bin\n", 0 },
	{ { "printenv", "AWS_SECRET_ACCESS_KEY" }, "", 1 },
	{ { "printenv", "OF_THE_CALLER" }, "kept\n", 0 },
	{ { "sh", "-c", "trap '' PIPE 2>&1; kill -PIPE $$; exit 0" }, "", 0 },
	{ { "sh", "-c", "kill -USR1 $$; exit 0" }, "", 128 + SIGUSR1 },
};

static void a_program_is_run_by_its_words_and_its_status_and_output_are_told(void **state)
{
	setenv("LC_ALL", "de_DE.UTF-8", 1);
	setenv("PATH", "/nonexistent", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	setenv("OF_THE_CALLER", "kept", 1);
	signal(SIGUSR1, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		CLEANUP_BUF struct buf output;
		struct err err = { 0 };
		int status = -1;

		buf_init(&output, 1000);
		assert_int_equal(run(programs[i].argv, &output, &status, &err), 0);
		assert_int_equal(status, programs[i].status);
		assert_string_equal(output.data, programs[i].output);
	}
	signal(SIGUSR1, SIG_DFL);
}

static void a_program_that_is_not_there_is_no_such_file(void **state)
{
	static const char *const words[][2] = { { "no-such-program" }, { "/usr/bin/no-such-program" } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct err err = { 0 };
		int status = -1;

		assert_int_equal(run(words[i], NULL, &status, &err), -ENOENT);
		assert_non_null(strstr(err.message, "no-such-program"));
		assert_int_equal(status, -1);
	}
}

static void a_file_that_is_no_program_is_an_error_and_no_status(void **state)
{
	static const char *const argv[] = { "/etc/passwd", NULL };
	struct err err = { 0 };
	int status = -1;
	int ret = run(argv, NULL, &status, &err);

	assert_true(ret == -EACCES || ret == -ENOEXEC);
	assert_int_equal(status, -1);
}

static void output_that_does_not_fit_is_dropped_and_the_program_still_ends(void **state)
{
	static const char *const argv[] = { "head", "-c", "1000000", "/dev/zero", NULL };
	struct buf output CLEANUP_BUF = BUF_INIT(100);
	struct err err = { 0 };
	int status = -1;

	assert_int_equal(run(argv, &output, &status, &err), 0);
	assert_int_equal(status, 0);
	assert_int_equal(output.length, 100);
}

static void a_program_that_does_not_end_is_killed_at_the_deadline(void **state)
{
	static const char *const argv[] = { "sh", "-c", "echo $$; exec sleep 1000", NULL };
	struct deadline deadline = deadline_in_ms(300);
	struct buf output CLEANUP_BUF = BUF_INIT(100);
	struct err err = { 0 };
	int status = -1;

	assert_int_equal(process_run(argv, &deadline, &output, &status, &err), -ETIMEDOUT);
	assert_int_equal(err.status, ERR_RETRY);
	assert_int_equal(kill((pid_t)strtol(output.data, NULL, 10), 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void what_a_program_leaves_behind_with_its_output_open_is_not_waited_for(void **state)
{
	static const char *const argv[] = { "sh", "-c", "sleep 1000 & echo $!", NULL };
	struct buf output CLEANUP_BUF = BUF_INIT(100);
	struct err err = { 0 };
	int status = -1;

	assert_int_equal(run(argv, &output, &status, &err), 0);
	assert_int_equal(status, 0);
	assert_int_equal(kill((pid_t)strtol(output.data, NULL, 10), SIGKILL), 0);
}

static void no_descriptor_of_ours_is_inherited(void **state)
{
	static const char *const argv[] = { "ls", "/proc/self/fd", NULL };
	struct buf output CLEANUP_BUF = BUF_INIT(100);
	struct err err = { 0 };
	int status = -1;
	int leaked = dup2(STDOUT_FILENO, 77);	/* without O_CLOEXEC, as a library might */

	assert_int_equal(leaked, 77);
	assert_int_equal(run(argv, &output, &status, &err), 0);
	close(leaked);
	assert_string_equal(output.data, "0\n1\n2\n3\n");	/* 3 is the folder that ls itself reads */
}

static void it_works_without_standard_descriptors(void **state)
{
	static const char *const argv[] = { "sh", "-c", "echo out; echo err >&2", NULL };
	int wait_status = 0;
	pid_t child = fork();

	if (child == 0) {
		struct buf output;
		struct err err = { 0 };
		int status = -1;

		for (int fd = 0; fd < 3; fd++)
			close(fd);
		buf_init(&output, 100);
		_exit(run(argv, &output, &status, &err) == 0 && status == 0 && strcmp(output.data, "out\nerr\n") == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &wait_status, 0), child);
	assert_int_equal(wait_status, 0);
}

static void a_program_dies_with_its_parent(void **state)
{
	char path[] = "/tmp/nodevol-test-XXXXXX";
	int fd = mkstemp(path);
	struct deadline deadline = deadline_in_ms(PATIENCE_MS);
	char script[128];
	const char *words[] = { "sh", "-c", script, NULL };
	char text[32] = "";
	pid_t child;

	snprintf(script, sizeof(script), "echo $$ >%s; exec sleep 1000", path);
	child = fork();
	if (child == 0) {
		struct err err = { 0 };
		int status;

		run(words, NULL, &status, &err);
		_exit(0);
	}
	while (pread(fd, text, sizeof(text) - 1, 0) <= 0 && deadline_left_ms(&deadline))
		deadline_sleep_ms(&deadline, 5);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	unlink(path);
	close(fd);
	assert_true(strtol(text, NULL, 10) > 0);
	while (kill((pid_t)strtol(text, NULL, 10), 0) == 0 && deadline_left_ms(&deadline))
		deadline_sleep_ms(&deadline, 5);
	assert_true(deadline_left_ms(&deadline) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_is_run_by_its_words_and_its_status_and_output_are_told),
		cmocka_unit_test(a_program_that_is_not_there_is_no_such_file),
		cmocka_unit_test(a_file_that_is_no_program_is_an_error_and_no_status),
		cmocka_unit_test(output_that_does_not_fit_is_dropped_and_the_program_still_ends),
		cmocka_unit_test(a_program_that_does_not_end_is_killed_at_the_deadline),
		cmocka_unit_test(what_a_program_leaves_behind_with_its_output_open_is_not_waited_for),
		cmocka_unit_test(no_descriptor_of_ours_is_inherited),
		cmocka_unit_test(it_works_without_standard_descriptors),
		cmocka_unit_test(a_program_dies_with_its_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
