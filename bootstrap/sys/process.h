/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: child processes, by argv, never a shell
 */
#ifndef NODEVOL_SYS_PROCESS_H
#define NODEVOL_SYS_PROCESS_H

#include "bootstrap/base/buf.h"
#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"

/**
 * process_run - run a program to its end
 * @argv: program (looked for in the usual system folders when it has no slash; PATH is not trusted) and arguments
 * @deadline: when it is killed
 * @output: what it printed on stdout and stderr, as far as it fits; NULL to drop it
 * @status: its exit status, 128 + signal when it was killed
 * @err: only for failures to run it
 *
 * The child dies with its parent, has /dev/null as standard input, default signal handling, LC_ALL=C and no descriptor
 * of ours.
 *
 * Return: 0, whatever the status; -ENOENT when there is no such program, -ETIMEDOUT.
 */
int process_run(const char *const *argv, const struct deadline *deadline, struct buf *output, int *status,
		struct err *err);

#endif
