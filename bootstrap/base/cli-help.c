/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/cli-help.h"

#include <string.h>

#define HELP_COLUMN 32
#define HELP_WIDTH  80

/* @text in words from column HELP_COLUMN, the cursor being at @column. */
static void print_wrapped(FILE *out, size_t column, const char *text)
{
	size_t at = HELP_COLUMN;

	if (column >= HELP_COLUMN)
		fputc('\n', out);
	fprintf(out, "%*s", column < HELP_COLUMN ? (int)(HELP_COLUMN - column) : HELP_COLUMN, "");
	while (*text) {
		size_t word = strcspn(text, " ");

		if (at > HELP_COLUMN && at + 1 + word > HELP_WIDTH) {
			fprintf(out, "\n%*s", HELP_COLUMN, "");
			at = HELP_COLUMN;
		}
		if (at > HELP_COLUMN)
			at += (size_t)fprintf(out, " ");
		fwrite(text, 1, word, out);
		at += word;
		text += word + strspn(text + word, " ");
	}
	fputc('\n', out);
}

static void print_option(FILE *out, const struct cli_option *option)
{
	int column = fprintf(out, "  --%s", option->name);

	if (option->argument)
		column += fprintf(out, " %s", option->argument);
	if (option->kind == CLI_LIST)
		column += fprintf(out, "...");
	print_wrapped(out, column > 0 ? (size_t)column : 0, option->help);
}

void cli_help_print(FILE *out, const struct cli_tool *tool, const struct cli_option *common, size_t common_count)
{
	fprintf(out, "%s - %s\n\n", tool->name, tool->summary);
	for (size_t i = 0; tool->synopsis[i]; i++)
		fprintf(out, "%s %s %s\n", i ? "      " : "usage:", tool->name, tool->synopsis[i]);
	if (tool->option_count) {
		fprintf(out, "\nOptions:\n");
		for (size_t i = 0; i < tool->option_count; i++)
			print_option(out, &tool->options[i]);
	}
	fprintf(out, "\nCommon options:\n");
	for (size_t i = 0; i < common_count; i++)
		print_option(out, &common[i]);
	fprintf(out, "\nExit status: 0 done, 1 failed, 2 usage or configuration, 3 refused (data could\n"
		     "be lost), 4 does not exist, 7 the answer is no, 75 a later try may succeed.\n");
}
