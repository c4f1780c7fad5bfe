/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/mount-outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void mount_outcome_say(struct mount_outcome *out, const char *format, ...)
{
	size_t length = strlen(out->text);
	va_list arguments;

	if (length)
		length += (size_t)snprintf(out->text + length, sizeof(out->text) - length, "; ");
	if (length >= sizeof(out->text))
		return;
	va_start(arguments, format);
	vsnprintf(out->text + length, sizeof(out->text) - length, format, arguments);
	va_end(arguments);
}
