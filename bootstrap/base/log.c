/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/log.h"

#include <stdarg.h>
#include <stdio.h>

static const char *log_program = "nodevol";
static enum log_level log_up_to = LOG_NORMAL;

void log_clean(char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line < 0x20 || *line == 0x7f)
			*line = '?';
}

void log_open(const char *program, enum log_level level)
{
	log_program = program;
	log_up_to = level;
}

/*
 * One write per line, so that lines of processes that share a console do not mix. A console that is gone is no error.
 */
__attribute__((format(printf, 2, 0)))
static void print_line(const char *mark, const char *format, va_list arguments)
{
	char line[2048];
	int head = snprintf(line, sizeof(line), "%s: %s", log_program, mark);

	if (head < 0 || (size_t)head >= sizeof(line))
		return;
	vsnprintf(line + head, sizeof(line) - (size_t)head, format, arguments);
	log_clean(line);
	fprintf(stderr, "%s\n", line);
}

#define PRINT_LINE(mark, format)                             \
	do {                                                 \
		va_list arguments_;                          \
		va_start(arguments_, format);                \
		print_line((mark), (format), arguments_);    \
		va_end(arguments_);                          \
	} while (0)

void log_warn(const char *format, ...)
{
	PRINT_LINE("warning: ", format);
}

void log_step(const char *format, ...)
{
	if (log_up_to >= LOG_NORMAL)
		PRINT_LINE("", format);
}

void log_detail(const char *format, ...)
{
	if (log_up_to >= LOG_VERBOSE)
		PRINT_LINE("", format);
}
