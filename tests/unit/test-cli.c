/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/cli.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/log.h"

#define ARGUMENTS_MAX 80

struct options {
	bool flag;
	const char *text;
	uint64_t number;
	const char *choice;
	struct cli_list list;
};

static const struct cli_option options[] = {
	{ "flag", CLI_FLAG, NULL, "a flag", offsetof(struct options, flag), 0, 0 },
	{ "text", CLI_TEXT, "TEXT", "a text", offsetof(struct options, text), 0, 0 },
	{ "number", CLI_NUMBER, "N", "a number", offsetof(struct options, number), 5, 10 },
	{ "choice", CLI_CHOICE, "ext4|xfs", "a choice", offsetof(struct options, choice), 0, 0 },
	{ "list", CLI_LIST, "K=V", "a list whose explanation is so long that it does not fit beside the option",
	  offsetof(struct options, list), 0, 0 },
};

static void set_defaults(void *data)
{
	struct options *set = data;

	set->number = 7;
	set->choice = "ext4";
}

/* Prints what it was given; operands that are orders are carried out. */
static int run(struct cli *cli, const void *data, struct err *err)
{
	const struct options *given = data;
	const char *order = cli->operand_count ? cli->operands[0] : "";

	if (strcmp(order, "shorten") == 0)
		cli_shorten_deadline(cli, 1);
	fprintf(cli->out, "flag=%d text=%s number=%d choice=%s list=%zu json=%d dry-run=%d root=%s deadline=%d",
		given->flag, given->text ? given->text : "none", (int)given->number, given->choice, given->list.count,
		cli->json, cli->dry_run, cli->root, (int)(cli->deadline.at_ms - cli->start_ms) / 1000);
	for (int i = 0; i < cli->operand_count; i++)
		fprintf(cli->out, " [%s]", cli->operands[i]);
	fprintf(cli->out, "\n");
	log_warn("a warning");
	log_step("a step");
	log_detail("a detail");
	if (strcmp(order, "answer") == 0)
		cli->answered = true;
	if (strcmp(order, "refuse") == 0 || cli->answered)
		return err_refuse(err, "'%s' holds \"ext4\"\n", order);
	if (strcmp(order, "absent") == 0)
		return err_absent(err, "there is no '%s'", order);
	if (strcmp(order, "crash") == 0)
		raise(SIGKILL);
	if (strcmp(order, "hang") == 0 || (order[0] == 's' && !cli->deadline_given))
		pause();
	return 0;
}

static const char *const synopsis[] = { "[OPTION...] ORDER [OPERAND]", NULL };

static const struct cli_tool tool = {
	.name = "a-tool",
	.summary = "does what tools do",
	.synopsis = synopsis,
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.options_size = sizeof(struct options),
	.defaults = set_defaults,
	.operands_min = 1,
	.operands_max = 2,
	.deadline_s = 60,
	.run = run,
};

struct outcome {
	int status;
	char out[8192];
	char err[4096];
};

static void read_back(FILE *file, char *text, size_t size)
{
	rewind(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}

/* The tool in a process of its own, as a shell would start it: @line is split at its blanks. */
static void invoke(const char *line, struct outcome *outcome)
{
	char words[1024];
	char *arguments[ARGUMENTS_MAX] = { NULL };
	int count = 0;
	FILE *out = tmpfile();
	FILE *error = tmpfile();
	int wait_status;
	pid_t child;

	snprintf(words, sizeof(words), "a-tool %s", line);
	for (char *rest = words, *word; (word = strsep(&rest, " ")) && count < ARGUMENTS_MAX - 1;)
		if (*word)
			arguments[count++] = word;
	fflush(NULL);
	child = fork();
	if (child == 0) {
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(error), STDERR_FILENO);
		_exit(cli_main(&tool, count, arguments));
	}
	assert_int_equal(waitpid(child, &wait_status, 0), child);
	assert_true(WIFEXITED(wait_status));
	outcome->status = WEXITSTATUS(wait_status);
	read_back(out, outcome->out, sizeof(outcome->out));
	read_back(error, outcome->err, sizeof(outcome->err));
}

/* A command line, its exit status, and a text that has to be on standard output (0) or in the error (others). */
static const struct {
	const char *line;
	int status;
	const char *text;
} lines[] = {
	{ "go", 0, "flag=0 text=none number=7 choice=ext4 list=0 json=0 dry-run=0 root= deadline=60 [go]\n" },
	{ "--flag --text x --number 5 --choice xfs go", 0, "flag=1 text=x number=5 choice=xfs" },
	{ "--text=x=y --number=10 go", 0, "text=x=y number=10" },
	{ "go --flag", 0, "flag=1" },
	{ "go --flag more", 0, "[go] [more]" },
	{ "-- --flag", 0, "[--flag]" },
	{ "--list a=b --list c=d --list e=f go", 0, "list=3" },
	{ "--json --dry-run --deadline 9 go", 0, "json=1 dry-run=1 root= deadline=9" },
	{ "--root / go", 0, "root= " },
	{ "--root /a/b// go", 0, "root=/a/b " },
	{ "", 2, "an operand is missing; see a-tool --help" },
	{ "a b c", 2, "'c' is one operand too many; see a-tool --help" },
	{ "--bogus go", 2, "--bogus is not an option here; see a-tool --help" },
	{ "-x go", 2, "-x is not an option here" },
	{ "-xy go", 2, "-x is not an option here" },
	{ "--flag=yes go", 2, "--flag=yes is not an option here" },
	{ "go --text", 2, "--text needs a value" },
	{ "--text= go", 2, "--text: the TEXT is empty" },
	{ "--number 4 go", 2, "--number: '4' is not a number from 5 to 10" },
	{ "--number 11 go", 2, "--number: '11' is not a number from 5 to 10" },
	{ "--number five go", 2, "--number: 'five' is not a number" },
	{ "--choice btrfs go", 2, "--choice: 'btrfs' is none of ext4|xfs" },
	{ "--choice ext go", 2, "'ext' is none of" },
	{ "--choice= go", 2, "'' is none of" },
	{ "--root relative go", 2, "--root: 'relative' is not an absolute path" },
	{ "--deadline 0 go", 2, "--deadline: '0' is not a number from 1" },
	{ "refuse", 3, "'refuse' holds \"ext4\"" },
	{ "absent", 4, "there is no 'absent'" },
	{ "crash", 75, "killed by SIGKILL" },
	{ "--deadline 50 shorten", 0, "deadline=50" },
	{ "shorten", 75, "the deadline passed" },
	{ "--deadline 1 hang", 75, "the deadline passed" },
};

static void a_command_line_gives_its_status_and_its_text(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct outcome outcome;
		const char *text = outcome.err;

		invoke(lines[i].line, &outcome);
		if (!lines[i].status)
			text = outcome.out;
		if (outcome.status != lines[i].status || !strstr(text, lines[i].text))
			fail_msg("'%s' gives status %d, out '%s', err '%s'", lines[i].line, outcome.status, outcome.out,
				 outcome.err);
	}
}

static void an_error_is_printed_once_with_the_name_of_the_tool(void **state)
{
	struct outcome outcome;

	invoke("--quiet absent", &outcome);
	assert_string_equal(outcome.err, "a-tool: warning: a warning\na-tool: there is no 'absent'\n");
}

static void quiet_and_verbose_choose_what_is_logged(void **state)
{
	struct outcome outcome;

	invoke("go", &outcome);
	assert_string_equal(outcome.err, "a-tool: warning: a warning\na-tool: a step\n");
	invoke("--quiet go", &outcome);
	assert_string_equal(outcome.err, "a-tool: warning: a warning\n");
	invoke("--verbose go", &outcome);
	assert_string_equal(outcome.err, "a-tool: warning: a warning\na-tool: a step\na-tool: a detail\n");
}

static void with_json_a_failure_is_an_object_with_everything_escaped(void **state)
{
	struct outcome outcome;

	invoke("--json refuse", &outcome);
	assert_string_equal(outcome.out, "{\"error\": \"'refuse' holds \\\"ext4\\\"\\n\", \"exit-status\": 3}\n");
}

static void with_json_a_tool_that_has_answered_is_not_answered_for(void **state)
{
	struct outcome outcome;

	invoke("--json answer", &outcome);
	assert_int_equal(outcome.status, 3);
	assert_null(strstr(outcome.out, "\"error\""));
	assert_non_null(strstr(outcome.err, "holds"));
}

static void with_json_a_wrong_option_is_an_object_as_well(void **state)
{
	struct outcome outcome;

	invoke("--json --bogus", &outcome);
	assert_int_equal(outcome.status, 2);
	assert_string_equal(outcome.out, "{\"error\": \"--bogus is not an option here; see a-tool --help\", "
					 "\"exit-status\": 2}\n");
}

static void a_list_has_a_maximum(void **state)
{
	char line[1024] = "";
	struct outcome outcome;

	for (int i = 0; i < CLI_LIST_MAX + 1; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " --list=a=b");
	invoke(line, &outcome);
	assert_int_equal(outcome.status, 2);
	assert_non_null(strstr(outcome.err, "--list is given more than 64 times"));
}

static void version_and_help_go_to_standard_output_and_need_no_operand(void **state)
{
	struct outcome outcome;

	invoke("--version", &outcome);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.out, "a-tool " NODEVOL_VERSION "\n");
	invoke("--help", &outcome);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.err, "");
	assert_ptr_equal(strstr(outcome.out, "a-tool - does what tools do\n\n"), outcome.out);
	assert_non_null(strstr(outcome.out, "\nusage: a-tool [OPTION...] ORDER [OPERAND]\n"));
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		assert_non_null(strstr(outcome.out, options[i].name));
		assert_non_null(strstr(outcome.out, options[i].argument ? options[i].argument : "a flag"));
	}
	for (char *line = outcome.out, *end; (end = strchr(line, '\n')); line = end + 1)
		assert_in_range(end - line, 0, 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_line_gives_its_status_and_its_text),
		cmocka_unit_test(an_error_is_printed_once_with_the_name_of_the_tool),
		cmocka_unit_test(quiet_and_verbose_choose_what_is_logged),
		cmocka_unit_test(with_json_a_failure_is_an_object_with_everything_escaped),
		cmocka_unit_test(with_json_a_tool_that_has_answered_is_not_answered_for),
		cmocka_unit_test(with_json_a_wrong_option_is_an_object_as_well),
		cmocka_unit_test(a_list_has_a_maximum),
		cmocka_unit_test(version_and_help_go_to_standard_output_and_need_no_operand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
