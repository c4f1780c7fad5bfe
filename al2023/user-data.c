/* SPDX-License-Identifier: Apache-2.0 */
#include "al2023/user-data.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "bootstrap/sys/gzip.h"
#include "bootstrap/sys/hash.h"

#define UNPACKED_MAX (1U << 20)
#define BOUNDARY_MAX 128

/* A stretch of text; never changed, never owned. */
struct text {
	const char *at;
	size_t length;
};

/* Takes the first line off @rest, without its LF or CRLF. Return: false when there is none. */
static bool next_line(struct text *rest, struct text *line)
{
	const char *end;

	if (!rest->length)
		return false;
	end = memchr(rest->at, '\n', rest->length);
	line->at = rest->at;
	line->length = end ? (size_t)(end - rest->at) : rest->length;
	rest->at += line->length + (end ? 1 : 0);
	rest->length -= line->length + (end ? 1 : 0);
	if (line->length && line->at[line->length - 1] == '\r')
		line->length--;
	return true;
}

static bool has_prefix(struct text line, const char *prefix)
{
	return line.length >= strlen(prefix) && strncasecmp(line.at, prefix, strlen(prefix)) == 0;
}

static struct text skip_blanks(struct text text)
{
	while (text.length && isspace((unsigned char)*text.at)) {
		text.at++;
		text.length--;
	}
	return text;
}

/* The boundary parameter of a multipart Content-Type. Return: false when it has none that fits. */
static bool read_boundary(struct text type, char out[BOUNDARY_MAX])
{
	static const char key[] = "boundary=";
	struct text value;
	size_t length;

	while (type.length && !has_prefix(type, key)) {
		type.at++;
		type.length--;
	}
	if (!type.length)
		return false;
	value = (struct text){ type.at + sizeof(key) - 1, type.length - (sizeof(key) - 1) };
	if (value.length && *value.at == '"') {
		const char *quote = memchr(value.at + 1, '"', value.length - 1);

		value.at++;
		length = quote ? (size_t)(quote - value.at) : 0;
	} else {
		for (length = 0; length < value.length && !strchr("; \t", value.at[length]); length++)
			;
	}
	if (!length || length >= BOUNDARY_MAX)
		return false;
	memcpy(out, value.at, length);
	out[length] = '\0';
	return true;
}

/**
 * struct headers - what matters of a document's or a part's header
 * @is_config: its type is ours
 * @is_multipart: it has parts, with @boundary between them
 * @boundary: see above
 * @count: header fields seen
 */
struct headers {
	bool is_config;
	bool is_multipart;
	char boundary[BOUNDARY_MAX];
	unsigned int count;
};

static void read_content_type(struct text value, struct headers *out)
{
	struct text type = skip_blanks(value);
	size_t ours = strlen(USER_DATA_CONTENT_TYPE);

	if (has_prefix(type, USER_DATA_CONTENT_TYPE))
		out->is_config = type.length == ours || strchr("; \t", type.at[ours]);
	if (has_prefix(type, "multipart/"))
		out->is_multipart = read_boundary(type, out->boundary);
}

static bool is_field(struct text line)
{
	const char *colon = memchr(line.at, ':', line.length);

	if (!colon || colon == line.at)
		return false;
	for (const char *at = line.at; at < colon; at++)
		if (!isgraph((unsigned char)*at))
			return false;
	return true;
}

/* A line that begins with a blank goes on with the field before it (RFC 5322, section 2.2.3). */
static bool is_continuation(struct text rest)
{
	return rest.length && (*rest.at == ' ' || *rest.at == '\t');
}

/* Takes the header off @rest, up to and with the empty line. Return: false when this is no header. */
static bool read_headers(struct text *rest, struct headers *out)
{
	struct text line;

	*out = (struct headers){ 0 };
	while (next_line(rest, &line) && line.length) {
		struct text field = line;

		while (is_continuation(*rest) && next_line(rest, &line))
			field.length = (size_t)(line.at + line.length - field.at);
		if (!is_field(field))
			return false;
		out->count++;
		if (has_prefix(field, "content-type:"))
			read_content_type((struct text){ field.at + 13, field.length - 13 }, out);
	}
	return out->count > 0;
}

/* "--BOUNDARY", and "--BOUNDARY--" at the end. Return: 0 for another line, 1 for a boundary, 2 for the last. */
static int boundary_kind(struct text line, const char *boundary)
{
	size_t length = strlen(boundary);

	if (line.length < length + 2 || memcmp(line.at, "--", 2) != 0 || memcmp(line.at + 2, boundary, length) != 0)
		return 0;
	line.at += length + 2;
	line.length -= length + 2;
	if (line.length >= 2 && memcmp(line.at, "--", 2) == 0)
		return 2;
	return skip_blanks(line).length ? 0 : 1;
}

/* Takes the text up to the next boundary off @rest. Return: boundary_kind() of that line, 2 at the end of the text. */
static int next_part(struct text *rest, const char *boundary, struct text *part)
{
	struct text line;
	int kind = 0;

	part->at = rest->at;
	part->length = 0;
	while (!kind && next_line(rest, &line)) {
		kind = boundary_kind(line, boundary);
		if (!kind)
			part->length = (size_t)(line.at + line.length - part->at);
	}
	return kind ? kind : 2;
}

static bool is_base64(struct text text)
{
	size_t characters = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (isspace((unsigned char)text.at[i]))
			continue;
		if (!isalnum((unsigned char)text.at[i]) && !strchr("+/=", text.at[i]))
			return false;
		characters++;
	}
	return characters >= 4;
}

/* Appends @data to @out, with base64 and then gzip taken off where its content says so. */
static int unpack(struct text data, struct buf *out, struct err *err)
{
	struct buf plain CLEANUP_BUF = BUF_INIT(UNPACKED_MAX);

	if (is_base64(data) && hash_base64_decode(data.at, data.length, &plain) == 0)
		data = (struct text){ plain.data, plain.length };
	if (gzip_is(data.at, data.length))
		return gzip_unpack(data.at, data.length, out, err);
	if (buf_add(out, data.at, data.length) < 0)
		return err_set(err, EMSGSIZE, "more than %zu bytes", out->max);
	return 0;
}

static int take_config(struct text part, struct buf *out, struct err *err)
{
	int ret = unpack(part, out, err);

	if (ret < 0) {
		err_wrap(err, "read the user-data part of type " USER_DATA_CONTENT_TYPE);
		err->status = ERR_USAGE;
		return ret;
	}
	return 1;
}

static int search_parts(struct text body, const char *boundary, struct buf *out, struct err *err)
{
	struct headers headers;
	struct text part;
	int kind = next_part(&body, boundary, &part);

	while (kind == 1) {
		kind = next_part(&body, boundary, &part);
		if (read_headers(&part, &headers) && headers.is_config)
			return take_config(part, out, err);
	}
	return 0;
}

int user_data_find_config(const char *data, size_t length, struct buf *out, struct err *err)
{
	struct buf whole CLEANUP_BUF = BUF_INIT(UNPACKED_MAX);
	struct headers headers;
	struct text document;

	/* User-data that cannot be unpacked is somebody else's: no configuration of ours is in it. */
	if (unpack((struct text){ data, length }, &whole, err) < 0)
		return 0;
	document = skip_blanks((struct text){ whole.data, whole.length });
	if (!read_headers(&document, &headers))
		return 0;
	if (headers.is_config)
		return take_config(document, out, err);
	return headers.is_multipart ? search_parts(document, headers.boundary, out, err) : 0;
}
