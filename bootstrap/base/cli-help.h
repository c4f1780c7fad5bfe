/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the text of --help, made from a tool's table
 */
#ifndef NODEVOL_BASE_CLI_HELP_H
#define NODEVOL_BASE_CLI_HELP_H

#include "bootstrap/base/cli.h"

/* At most 80 columns, which a test checks for every binary. */
void cli_help_print(FILE *out, const struct cli_tool *tool, const struct cli_option *common, size_t common_count);

#endif
