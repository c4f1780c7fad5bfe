/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char buf_empty[1];

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .data = buf_empty, .max = max };
}

void buf_done(struct buf *buf)
{
	if (buf->allocated)
		free(buf->data);
	buf_init(buf, buf->max);
}

void buf_wipe(struct buf *buf)
{
	if (buf->allocated)
		explicit_bzero(buf->data, buf->allocated);
	buf_done(buf);
}

void buf_clear(struct buf *buf)
{
	buf->length = 0;
	if (buf->allocated)
		buf->data[0] = '\0';
}

/*
 * Room for @more bytes and the NUL. A new block is filled by hand so that the old one can be wiped: it may hold
 * secrets.
 */
static int reserve(struct buf *buf, size_t more)
{
	size_t want = buf->allocated ? buf->allocated : 256;
	char *data;

	if (more > buf->max || buf->length > buf->max - more)
		return -EMSGSIZE;
	if (buf->length + more < buf->allocated)
		return 0;
	while (want <= buf->length + more)
		want *= 2;
	data = malloc(want);
	if (!data)
		return -ENOMEM;
	memcpy(data, buf->data, buf->length + 1);
	if (buf->allocated) {
		explicit_bzero(buf->data, buf->allocated);
		free(buf->data);
	}
	buf->data = data;
	buf->allocated = want;
	return 0;
}

int buf_add(struct buf *buf, const void *data, size_t length)
{
	int ret;

	if (!length)
		return 0;
	ret = reserve(buf, length);
	if (ret < 0)
		return ret;
	memcpy(buf->data + buf->length, data, length);
	buf->length += length;
	buf->data[buf->length] = '\0';
	return 0;
}

int buf_add_text(struct buf *buf, const char *text)
{
	return buf_add(buf, text, strlen(text));
}

int buf_printf(struct buf *buf, const char *format, ...)
{
	va_list arguments;
	int length;
	int ret;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length <= 0)
		return length < 0 ? -EINVAL : 0;
	ret = reserve(buf, (size_t)length);
	if (ret < 0)
		return ret;
	va_start(arguments, format);
	vsnprintf(buf->data + buf->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	buf->length += (size_t)length;
	return 0;
}
