/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/cli-help.h"
#include "bootstrap/base/jsontext.h"
#include "bootstrap/base/log.h"
#include "bootstrap/base/parse.h"
#include "bootstrap/base/supervise.h"

#define OPTIONS_MAX   48
#define DEADLINE_MAX_S (7 * 86400)

struct common {
	bool help;
	bool version;
	bool json;
	bool quiet;
	bool verbose;
	bool dry_run;
	uint64_t deadline_s;
	const char *root;
};

static const struct cli_option common_options[] = {
	{ "json", CLI_FLAG, NULL, "print one JSON object", offsetof(struct common, json), 0, 0 },
	{ "quiet", CLI_FLAG, NULL, "no progress on standard error, only errors and warnings",
	  offsetof(struct common, quiet), 0, 0 },
	{ "verbose", CLI_FLAG, NULL, "print details too", offsetof(struct common, verbose), 0, 0 },
	{ "dry-run", CLI_FLAG, NULL, "say what would be done, change nothing", offsetof(struct common, dry_run), 0, 0 },
	{ "deadline", CLI_NUMBER, "SECONDS", "end by then, whatever happens", offsetof(struct common, deadline_s), 1,
	  DEADLINE_MAX_S },
	{ "root", CLI_TEXT, "DIR", "the host's root as seen from here", offsetof(struct common, root), 0, 0 },
	{ "help", CLI_FLAG, NULL, "print this", offsetof(struct common, help), 0, 0 },
	{ "version", CLI_FLAG, NULL, "print the version", offsetof(struct common, version), 0, 0 },
};

struct invocation {
	const struct cli_tool *tool;
	const void *options;
	struct cli cli;
};

static const struct cli_option *option_at(const struct cli_tool *tool, int index)
{
	if ((size_t)index < tool->option_count)
		return &tool->options[index];
	return &common_options[(size_t)index - tool->option_count];
}

static bool is_choice(const char *choices, const char *text)
{
	size_t length = strlen(text);

	for (const char *word = choices; word; word = strchr(word, '|') ? strchr(word, '|') + 1 : NULL)
		if (length && strncmp(word, text, length) == 0 && (word[length] == '|' || word[length] == '\0'))
			return true;
	return false;
}

static int store(const struct cli_option *option, const char *text, void *field, struct err *err)
{
	struct cli_list *list = field;

	switch (option->kind) {
	case CLI_FLAG:
		*(bool *)field = true;
		return 0;
	case CLI_NUMBER:
		if (parse_u64(text, option->min, option->max, field, err) < 0)
			return err_wrap(err, "--%s", option->name);
		return 0;
	case CLI_CHOICE:
		if (!is_choice(option->argument, text))
			return err_set(err, EINVAL, "--%s: '%s' is none of %s", option->name, text, option->argument);
		*(const char **)field = text;
		return 0;
	case CLI_TEXT:
		if (!*text)
			return err_set(err, EINVAL, "--%s: the %s is empty", option->name, option->argument);
		*(const char **)field = text;
		return 0;
	case CLI_LIST:
		if (list->count == CLI_LIST_MAX)
			return err_set(err, EINVAL, "--%s is given more than %d times", option->name, CLI_LIST_MAX);
		list->items[list->count++] = text;
		return 0;
	}
	return err_set(err, EINVAL, "--%s has no kind", option->name);
}

static void fill_getopt(const struct cli_tool *tool, struct option *table)
{
	size_t count = tool->option_count + ARRAY_SIZE(common_options);

	for (size_t i = 0; i < count; i++) {
		const struct cli_option *option = option_at(tool, (int)i);

		table[i] = (struct option){ .name = option->name,
					    .has_arg = option->kind == CLI_FLAG ? no_argument : required_argument };
	}
	table[count] = (struct option){ 0 };
}

static int parse(const struct cli_tool *tool, struct common *common, void *options, int argc, char **argv,
		 struct err *err)
{
	struct option table[OPTIONS_MAX];
	int index = -1;
	int found;

	fill_getopt(tool, table);
	opterr = 0;
	while ((found = getopt_long(argc, argv, ":", table, &index)) != -1) {
		const struct cli_option *option;
		void *base;

		if (found == ':')
			return err_set(err, EINVAL, "%s needs a value", argv[optind - 1]);
		/* a letter, perhaps in the middle of several: optind is not past them then */
		if (found == '?' && optopt)
			return err_set(err, EINVAL, "-%c is not an option here; see %s --help", optopt, tool->name);
		if (found == '?')
			return err_set(err, EINVAL, "%s is not an option here; see %s --help", argv[optind - 1],
				       tool->name);
		option = option_at(tool, index);
		base = (size_t)index < tool->option_count ? options : common;
		if (store(option, optarg, (char *)base + option->offset, err) < 0)
			return -err->code;
	}
	if (common->help || common->version)
		return 0;
	if (argc - optind < tool->operands_min)
		return err_set(err, EINVAL, "an operand is missing; see %s --help", tool->name);
	if (tool->operands_max >= 0 && argc - optind > tool->operands_max)
		return err_set(err, EINVAL, "'%s' is one operand too many; see %s --help",
			       argv[optind + tool->operands_max], tool->name);
	return 0;
}

/* Results that did not reach their reader are a failure: a full disk, a closed pipe. */
static int flush_output(FILE *out, struct err *err)
{
	if (fflush(out) != 0 || ferror(out))
		return err_sys(err, errno ? errno : EIO, "write to standard output");
	return 0;
}

static void print_error(const char *program, const struct err *err)
{
	char line[ERR_MESSAGE_MAX];

	snprintf(line, sizeof(line), "%s", err->message);
	log_clean(line);
	fprintf(stderr, "%s: %s\n", program, line);
}

static void print_json_error(FILE *out, const struct err *err)
{
	struct buf text CLEANUP_BUF = BUF_INIT(8 * ERR_MESSAGE_MAX);
	struct jsontext write;
	struct err ignored; /* a message has a bounded size, and JSON of it too */

	jsontext_begin(&write, &text);
	jsontext_open_object(&write, NULL);
	jsontext_text(&write, "error", err->message);
	jsontext_u64(&write, "exit-status", (uint64_t)err->status);
	jsontext_close_object(&write);
	if (jsontext_end(&write, &ignored) == 0)
		fprintf(out, "%s\n", text.data);
}

/* With --json the answer is kept back until it is whole: whoever parses standard output gets one object or another. */
static int run_json(struct invocation *invocation, struct err *err)
{
	struct cli *cli = &invocation->cli;
	CLEANUP_FREE char *text = NULL;
	size_t length = 0;
	int ret;

	cli->out = open_memstream(&text, &length);
	if (!cli->out)
		return err_sys(err, errno, "make a buffer");
	ret = invocation->tool->run(cli, invocation->options, err);
	fclose(cli->out);
	if (ret < 0 && !cli->answered)
		print_json_error(stdout, err);
	else
		fwrite(text, 1, length, stdout);
	return ret;
}

static int run(void *argument)
{
	struct invocation *invocation = argument;
	struct cli *cli = &invocation->cli;
	struct err flush_err = { 0 };
	struct err err = { 0 };
	int ret;

	cli->out = stdout;
	ret = cli->json ? run_json(invocation, &err) : invocation->tool->run(cli, invocation->options, &err);
	if (ret < 0)
		print_error(invocation->tool->name, &err);
	if (flush_output(stdout, &flush_err) < 0 && ret == 0) {
		print_error(invocation->tool->name, &flush_err);
		return flush_err.status;
	}
	return ret < 0 ? (int)err.status : ERR_DONE;
}

/* "/" and "DIR/" become "" and "DIR": a path is always root + "/...". */
static int set_root(struct cli *cli, const char *root, char *buffer, size_t size, struct err *err)
{
	size_t length = root ? strlen(root) : 0;

	cli->root = "";
	if (!root)
		return 0;
	if (root[0] != '/')
		return err_set(err, EINVAL, "--root: '%s' is not an absolute path", root);
	while (length && root[length - 1] == '/')
		length--;
	if (length >= size)
		return err_set(err, EINVAL, "--root: the path is too long");
	memcpy(buffer, root, length);
	buffer[length] = '\0';
	cli->root = buffer;
	return 0;
}

static int answer_without_running(const struct cli_tool *tool, const struct common *common, struct err *err)
{
	if (common->help)
		cli_help_print(stdout, tool, common_options, ARRAY_SIZE(common_options));
	else
		fprintf(stdout, "%s %s\n", tool->name, NODEVOL_VERSION);
	if (flush_output(stdout, err) < 0) {
		print_error(tool->name, err);
		return err->status;
	}
	return ERR_DONE;
}

/* A failure outside of run(): of the command line, or of a child that did not end by itself. */
static int fail(const struct cli_tool *tool, bool json, const struct err *err)
{
	print_error(tool->name, err);
	if (json)
		print_json_error(stdout, err);
	fflush(stdout);
	return err->status;
}

static struct deadline deadline_at(const struct cli *cli, uint64_t seconds)
{
	return (struct deadline){ .at_ms = cli->start_ms + (int64_t)seconds * 1000 };
}

void cli_shorten_deadline(struct cli *cli, uint64_t seconds)
{
	if (cli->deadline_given)
		return;
	cli->deadline = deadline_at(cli, seconds);
	supervise_shorten(&cli->deadline);
}

/*
 * A standard descriptor that the caller has closed would be given to the first thing that is opened, perhaps a disk,
 * and what is printed would land there. These take the place; printing to them fails, as it should.
 */
static bool hold_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC) != fd)
			return false;
	return true;
}

int cli_main(const struct cli_tool *tool, int argc, char **argv)
{
	struct common common = { 0 };
	CLEANUP_FREE void *options = calloc(1, tool->options_size ? tool->options_size : 1);
	struct invocation invocation = { .tool = tool, .options = options };
	struct cli *cli = &invocation.cli;
	const struct rlimit no_core = { 0, 0 }; /* it would hold credentials */
	struct err err = { 0 };
	char root[1024];
	int status = ERR_FAILED;

	if (!hold_standard_descriptors() || setrlimit(RLIMIT_CORE, &no_core) < 0 || !options)
		return ERR_FAILED;
	if (tool->defaults)
		tool->defaults(options);
	if (parse(tool, &common, options, argc, argv, &err) < 0 ||
	    set_root(cli, common.root, root, sizeof(root), &err) < 0) {
		return fail(tool, common.json, &err);
	}
	if (common.help || common.version)
		return answer_without_running(tool, &common, &err);
	log_open(tool->name, common.quiet ? LOG_QUIET : common.verbose ? LOG_VERBOSE : LOG_NORMAL);
	cli->json = common.json;
	cli->dry_run = common.dry_run;
	cli->deadline_given = common.deadline_s != 0;
	cli->start_ms = deadline_now_ms();
	cli->deadline = deadline_at(cli, common.deadline_s ? common.deadline_s : tool->deadline_s);
	cli->operands = argv + optind;
	cli->operand_count = argc - optind;
	if (supervise(&cli->deadline, run, &invocation, &status, &err) < 0) {
		return fail(tool, cli->json, &err);
	}
	return status;
}
