/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: a binary's command line
 *
 * One table per tool drives the parser and --help; a test compares it with the man page. A binary's own file holds its
 * table, its options struct, run() and a main() that calls cli_main(). Common options (--help, --version, --json,
 * --quiet, --verbose, --deadline, --dry-run, --root) are added here and nowhere else.
 */
#ifndef NODEVOL_BASE_CLI_H
#define NODEVOL_BASE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"

#define CLI_LIST_MAX 64

/**
 * enum cli_kind - what an option takes, and the type of its field in the tool's options struct
 * @CLI_FLAG: nothing; bool
 * @CLI_TEXT: any text; const char *, borrowed from argv
 * @CLI_NUMBER: a decimal number within the option's min and max; uint64_t
 * @CLI_CHOICE: one of the words that the option's argument lists with | between them; const char *
 * @CLI_LIST: may be given again and again; struct cli_list
 */
enum cli_kind {
	CLI_FLAG,
	CLI_TEXT,
	CLI_NUMBER,
	CLI_CHOICE,
	CLI_LIST,
};

struct cli_list {
	const char *items[CLI_LIST_MAX];
	size_t count;
};

/**
 * struct cli_option - one row of a tool's table
 * @name: without the dashes
 * @kind: see above
 * @argument: its metavariable in --help, NULL for a flag
 * @help: one line
 * @offset: of its field in the options struct
 * @min: for CLI_NUMBER
 * @max: for CLI_NUMBER
 */
struct cli_option {
	const char *name;
	enum cli_kind kind;
	const char *argument;
	const char *help;
	size_t offset;
	uint64_t min;
	uint64_t max;
};

/**
 * struct cli - what every run() gets
 * @out: standard output, for results; flushed and checked by cli_main()
 * @json: print one JSON object instead of lines. On a failure cli_main() prints {"error": ..., "exit-status": ...},
 *	  unless run() has set @answered because its own object says it.
 * @answered: set by run()
 * @dry_run: say what would be done, change nothing
 * @root: the host's root as seen from here, "" for "/": paths are made by putting it before an absolute path
 * @start_ms: when the program started, on the deadline's clock
 * @deadline: kept by the parent process for everything; for waits that want to end with a better message
 * @deadline_given: it was asked for on the command line
 * @operands: what is left of argv
 * @operand_count: how many
 */
struct cli {
	FILE *out;
	bool json;
	bool answered;
	bool dry_run;
	const char *root;
	int64_t start_ms;
	struct deadline deadline;
	bool deadline_given;
	char **operands;
	int operand_count;
};

/**
 * struct cli_tool - one binary
 * @name: its name
 * @summary: one line, as in its man page's NAME section
 * @synopsis: the lines after "usage: NAME ", NULL at the end
 * @options: its own options
 * @option_count: how many
 * @options_size: size of the struct that holds them; zeroed, so a default that is not zero is set by @defaults
 * @defaults: NULL, or sets defaults in the options struct
 * @operands_min: fewest operands
 * @operands_max: most operands, -1 for any number
 * @deadline_s: default of --deadline; a run() that learns that less is enough calls cli_shorten_deadline()
 * @run: does the work; returns 0 or what err_*() returned
 */
struct cli_tool {
	const char *name;
	const char *summary;
	const char *const *synopsis;
	const struct cli_option *options;
	size_t option_count;
	size_t options_size;
	void (*defaults)(void *options);
	int operands_min;
	int operands_max;
	uint64_t deadline_s;
	int (*run)(struct cli *cli, const void *options, struct err *err);
};

/* Where no deadline was asked for: @seconds from the start instead of the tool's default, which is later. */
void cli_shorten_deadline(struct cli *cli, uint64_t seconds);

/* The whole of a main(): parses, runs under the deadline, prints the error once. Return: the exit status. */
int cli_main(const struct cli_tool *tool, int argc, char **argv);

#endif
