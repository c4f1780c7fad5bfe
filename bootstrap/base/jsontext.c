/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/jsontext.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static void add(struct jsontext *write, const void *data, size_t length)
{
	if (write->failure == 0)
		write->failure = buf_add(write->out, data, length);
}

static void add_text(struct jsontext *write, const char *text)
{
	add(write, text, strlen(text));
}

/* How long a sequence is that begins with @first, 0 when none does. */
static size_t length_by_first(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Length of the UTF-8 sequence at @text, 0 when it is none (overlong, surrogate, beyond U+10FFFF, cut off). */
static size_t sequence_length(const unsigned char *text, size_t left)
{
	static const unsigned char second_min[] = { [0xe0 - 0xc2] = 0xa0, [0xf0 - 0xc2] = 0x90 };
	unsigned char first = text[0];
	size_t length = length_by_first(first);

	if (length > left)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if (length >= 3 && (size_t)(first - 0xc2) < sizeof(second_min) && text[1] < second_min[first - 0xc2])
		return 0;
	if ((first == 0xed && text[1] > 0x9f) || (first == 0xf4 && text[1] > 0x8f))
		return 0;
	return length;
}

static void add_escaped(struct jsontext *write, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char text[] = { '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] };

	switch (c) {
	case '"':
		return add_text(write, "\\\"");
	case '\\':
		return add_text(write, "\\\\");
	case '\n':
		return add_text(write, "\\n");
	case '\t':
		return add_text(write, "\\t");
	default:
		return add(write, text, sizeof(text));
	}
}

static void add_string(struct jsontext *write, const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t step;

	add_text(write, "\"");
	for (size_t i = 0; i < length; i += step) {
		step = sequence_length(bytes + i, length - i);
		if (step == 0) {
			add_text(write, "\\ufffd");
			step = 1;
		} else if (bytes[i] < 0x20 || bytes[i] == 0x7f || bytes[i] == '"' || bytes[i] == '\\') {
			add_escaped(write, bytes[i]);
		} else {
			add(write, bytes + i, step);
		}
	}
	add_text(write, "\"");
}

/* What stands before a value. */
static void begin_value(struct jsontext *write, const char *key)
{
	if (write->comma)
		add_text(write, ", ");
	if (key) {
		add_string(write, key, strlen(key));
		add_text(write, ": ");
	}
	write->comma = true;
}

static void open_nested(struct jsontext *write, const char *key, const char *bracket)
{
	begin_value(write, key);
	add_text(write, bracket);
	write->comma = false;
	write->depth++;
}

static void close_nested(struct jsontext *write, const char *bracket)
{
	assert(write->depth > 0);
	add_text(write, bracket);
	write->comma = true;
	write->depth--;
}

void jsontext_begin(struct jsontext *write, struct buf *out)
{
	*write = (struct jsontext){ .out = out };
}

void jsontext_open_object(struct jsontext *write, const char *key)
{
	open_nested(write, key, "{");
}

void jsontext_close_object(struct jsontext *write)
{
	close_nested(write, "}");
}

void jsontext_open_array(struct jsontext *write, const char *key)
{
	open_nested(write, key, "[");
}

void jsontext_close_array(struct jsontext *write)
{
	close_nested(write, "]");
}

void jsontext_text(struct jsontext *write, const char *key, const char *text)
{
	if (text)
		return jsontext_bytes(write, key, text, strlen(text));
	begin_value(write, key);
	add_text(write, "null");
}

void jsontext_bytes(struct jsontext *write, const char *key, const char *text, size_t length)
{
	begin_value(write, key);
	add_string(write, text, length);
}

void jsontext_u64(struct jsontext *write, const char *key, uint64_t number)
{
	begin_value(write, key);
	if (write->failure == 0)
		write->failure = buf_printf(write->out, "%" PRIu64, number);
}

void jsontext_bool(struct jsontext *write, const char *key, bool flag)
{
	begin_value(write, key);
	add_text(write, flag ? "true" : "false");
}

int jsontext_end(struct jsontext *write, struct err *err)
{
	assert(write->depth == 0);
	if (write->failure < 0)
		return err_sys(err, -write->failure, "write JSON");
	return 0;
}
