/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: progress, for people, on standard error
 *
 * One line per step. Errors are not logged: they rise to cli_main(), which prints the one that nobody handled. A
 * failure that the program goes on from is a log_warn() at the place that decides to go on.
 */
#ifndef NODEVOL_BASE_LOG_H
#define NODEVOL_BASE_LOG_H

enum log_level {
	LOG_QUIET,
	LOG_NORMAL,
	LOG_VERBOSE,
};

/* Once, from cli_main(). @program is put before every line; borrowed. */
void log_open(const char *program, enum log_level level);

/* Labels and file names come from disks: control characters in them must not look like lines of ours. */
void log_clean(char *line);

/* Something that went on in spite of a failure; printed also by --quiet. */
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A step that was done, or found done. */
void log_step(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* With --verbose. */
void log_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
