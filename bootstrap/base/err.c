/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum err_status status_of(int code, enum err_status of_einval)
{
	if (code == EAGAIN || code == ETIMEDOUT)
		return ERR_RETRY;
	return code == EINVAL ? of_einval : ERR_FAILED;
}

__attribute__((format(printf, 2, 0)))
static void format_message(struct err *err, const char *format, va_list arguments)
{
	vsnprintf(err->message, sizeof(err->message), format, arguments);
}

/* Appends to the message; a message that is full stays as it is. */
static void append(struct err *err, const char *separator, const char *text)
{
	size_t length = strlen(err->message);

	snprintf(err->message + length, sizeof(err->message) - length, "%s%s", separator, text);
}

#define FORMAT_MESSAGE(err, format)                              \
	do {                                                     \
		va_list arguments_;                              \
		va_start(arguments_, format);                    \
		format_message((err), (format), arguments_);     \
		va_end(arguments_);                              \
	} while (0)

int err_set(struct err *err, int code, const char *format, ...)
{
	err->code = code;
	err->status = status_of(code, ERR_USAGE);
	FORMAT_MESSAGE(err, format);
	return -code;
}

int err_sys(struct err *err, int code, const char *format, ...)
{
	char text[128];

	err->code = code;
	err->status = status_of(code, ERR_FAILED);
	FORMAT_MESSAGE(err, format);
	append(err, ": ", strerror_r(code, text, sizeof(text)));
	return -code;
}

int err_refuse(struct err *err, const char *format, ...)
{
	err->code = EPERM;
	err->status = ERR_REFUSED;
	FORMAT_MESSAGE(err, format);
	return -EPERM;
}

int err_absent(struct err *err, const char *format, ...)
{
	err->code = ENOENT;
	err->status = ERR_ABSENT;
	FORMAT_MESSAGE(err, format);
	return -ENOENT;
}

int err_again(struct err *err, const char *format, ...)
{
	err->code = EAGAIN;
	err->status = ERR_RETRY;
	FORMAT_MESSAGE(err, format);
	return -EAGAIN;
}

int err_wrap(struct err *err, const char *format, ...)
{
	struct err inner = *err;

	FORMAT_MESSAGE(err, format);
	append(err, ": ", inner.message);
	return -err->code;
}
