/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/jsonx.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"

#define EXPECTED_MAX 512

/* Brackets outside of strings: how deep it goes, before anything recursive looks at it. */
static bool is_too_deep(const char *text, size_t length)
{
	unsigned int depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '[') && ++depth > JSONX_DEPTH_MAX)
			return true;
		else if (!in_string && (c == '}' || c == ']') && depth)
			depth--;
	}
	return false;
}

int jsonx_parse(const char *text, size_t length, struct jsonx *out, struct err *err)
{
	json_error_t error;
	json_t *value;

	if (is_too_deep(text, length))
		return err_set(err, EINVAL, "nested more than %d deep", JSONX_DEPTH_MAX);
	value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!value && json_error_code(&error) == json_error_out_of_memory)
		return err_sys(err, ENOMEM, "read JSON");
	if (!value)
		return err_set(err, EINVAL, "line %d, column %d: %s", error.line, error.column, error.text);
	*out = (struct jsonx){ .value = value };
	return 0;
}

void jsonx_done(struct jsonx *document)
{
	json_decref(document->value);
	document->value = NULL;
}

enum jsonx_type jsonx_type(const struct jsonx *value)
{
	switch (json_typeof(value->value)) {
	case JSON_OBJECT:
		return JSONX_OBJECT;
	case JSON_ARRAY:
		return JSONX_ARRAY;
	case JSON_STRING:
		return JSONX_TEXT;
	case JSON_INTEGER:
	case JSON_REAL:
		return JSONX_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE:
		return JSONX_BOOL;
	case JSON_NULL:
		break;
	}
	return JSONX_NULL;
}

/* What is there, for people: 'text', 12, true, "an object". */
static void describe(const struct jsonx *value, char *out, size_t size)
{
	const json_t *json = value->value;

	switch (json_typeof(json)) {
	case JSON_STRING:
		snprintf(out, size, "'%.80s' is a string", json_string_value(json));
		break;
	case JSON_INTEGER:
		snprintf(out, size, "%" JSON_INTEGER_FORMAT " is a number", json_integer_value(json));
		break;
	case JSON_REAL:
		snprintf(out, size, "%g is a number", json_real_value(json));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		snprintf(out, size, "%s is a boolean", json_is_true(json) ? "true" : "false");
		break;
	case JSON_OBJECT:
		snprintf(out, size, "it is an object");
		break;
	case JSON_ARRAY:
		snprintf(out, size, "it is an array");
		break;
	case JSON_NULL:
		snprintf(out, size, "it is null");
		break;
	}
}

static int wrong_type(const struct jsonx *value, const char *expected, struct err *err)
{
	char found[128];

	describe(value, found, sizeof(found));
	return jsonx_error(value, err, "%s, expected %s", found, expected);
}

int jsonx_error(const struct jsonx *value, struct err *err, const char *format, ...)
{
	char message[ERR_MESSAGE_MAX - JSONX_PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	return err_set(err, EINVAL, "%s%s%s", value->path, value->path[0] ? ": " : "", message);
}

static void member_path(const struct jsonx *object, const char *key, char out[JSONX_PATH_MAX])
{
	int length = snprintf(out, JSONX_PATH_MAX, "%s%s%s", object->path, object->path[0] ? "." : "", key);

	/* A path that is cut must look cut. */
	if (length >= JSONX_PATH_MAX)
		memcpy(out + JSONX_PATH_MAX - 4, "...", 4);
}

int jsonx_missing(const struct jsonx *object, const char *key, const char *expected, struct err *err)
{
	char path[JSONX_PATH_MAX];

	member_path(object, key, path);
	return err_set(err, EINVAL, "%s: missing, expected %s", path, expected);
}

int jsonx_as_text(const struct jsonx *value, const char **out, struct err *err)
{
	if (!json_is_string(value->value))
		return wrong_type(value, "a string", err);
	*out = json_string_value(value->value);
	return 0;
}

int jsonx_as_bool(const struct jsonx *value, bool *out, struct err *err)
{
	if (!json_is_boolean(value->value))
		return wrong_type(value, "true or false", err);
	*out = json_is_true(value->value);
	return 0;
}

int jsonx_as_u64(const struct jsonx *value, uint64_t min, uint64_t max, uint64_t *out, struct err *err)
{
	json_int_t number = json_integer_value(value->value);
	char expected[80];

	snprintf(expected, sizeof(expected), "a whole number from %" PRIu64 " to %" PRIu64, min, max);
	if (!json_is_integer(value->value))
		return wrong_type(value, expected, err);
	if (number < 0 || (uint64_t)number < min || (uint64_t)number > max)
		return jsonx_error(value, err, "%" JSON_INTEGER_FORMAT " is out of range, expected %s", number,
				   expected);
	*out = (uint64_t)number;
	return 0;
}

int jsonx_as_object(const struct jsonx *value, struct err *err)
{
	return json_is_object(value->value) ? 0 : wrong_type(value, "an object", err);
}

int jsonx_as_array(const struct jsonx *value, struct err *err)
{
	return json_is_array(value->value) ? 0 : wrong_type(value, "an array", err);
}

bool jsonx_member(const struct jsonx *object, const char *key, struct jsonx *out)
{
	json_t *value = json_object_get(object->value, key);

	if (!value)
		return false;
	member_path(object, key, out->path);
	out->value = value;
	return true;
}

/* As jsonx_member(), for getters: a null is nothing. */
static bool has_value(const struct jsonx *object, const char *key, struct jsonx *out)
{
	return jsonx_member(object, key, out) && !json_is_null(out->value);
}

int jsonx_text(const struct jsonx *object, const char *key, const char **out, struct err *err)
{
	struct jsonx member;
	int ret;

	if (!has_value(object, key, &member))
		return 0;
	ret = jsonx_as_text(&member, out, err);
	return ret < 0 ? ret : 1;
}

int jsonx_bool(const struct jsonx *object, const char *key, bool *out, struct err *err)
{
	struct jsonx member;
	int ret;

	if (!has_value(object, key, &member))
		return 0;
	ret = jsonx_as_bool(&member, out, err);
	return ret < 0 ? ret : 1;
}

int jsonx_u64(const struct jsonx *object, const char *key, uint64_t min, uint64_t max, uint64_t *out, struct err *err)
{
	struct jsonx member;
	int ret;

	if (!has_value(object, key, &member))
		return 0;
	ret = jsonx_as_u64(&member, min, max, out, err);
	return ret < 0 ? ret : 1;
}

int jsonx_object(const struct jsonx *object, const char *key, struct jsonx *out, struct err *err)
{
	struct jsonx member;

	if (!has_value(object, key, &member))
		return 0;
	if (jsonx_as_object(&member, err) < 0)
		return -EINVAL;
	*out = member;
	return 1;
}

int jsonx_array(const struct jsonx *object, const char *key, struct jsonx *out, struct err *err)
{
	struct jsonx member;

	if (!has_value(object, key, &member))
		return 0;
	if (jsonx_as_array(&member, err) < 0)
		return -EINVAL;
	*out = member;
	return 1;
}

/* "a", "a or b", "a, b or c" */
static void list_words(const char *const *words, char *out, size_t size)
{
	size_t length = 0;

	out[0] = '\0';
	for (size_t i = 0; words[i] && length < size; i++) {
		const char *before = i == 0 ? "" : words[i + 1] ? ", " : " or ";
		int added = snprintf(out + length, size - length, "%s%s", before, words[i]);

		if (added > 0)
			length += (size_t)added;
	}
}

int jsonx_choice(const struct jsonx *object, const char *key, const char *const *words, size_t *out, struct err *err)
{
	char expected[EXPECTED_MAX];
	struct jsonx member;
	const char *text;

	if (!has_value(object, key, &member))
		return 0;
	list_words(words, expected, sizeof(expected));
	text = json_string_value(member.value);
	if (!text)
		return wrong_type(&member, expected, err);
	for (size_t i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = i;
			return 1;
		}
	}
	return jsonx_error(&member, err, "'%.80s' is unknown, expected %s", text, expected);
}

size_t jsonx_count(const struct jsonx *value)
{
	return json_is_object(value->value) ? json_object_size(value->value) : json_array_size(value->value);
}

void jsonx_element(const struct jsonx *array, size_t index, struct jsonx *out)
{
	char suffix[32];
	struct jsonx element = { .value = json_array_get(array->value, index) };
	int length;

	snprintf(suffix, sizeof(suffix), "[%zu]", index);
	length = snprintf(element.path, sizeof(element.path), "%.*s%s", (int)(JSONX_PATH_MAX - sizeof(suffix)),
			  array->path, suffix);
	if (length < 0)
		element.path[0] = '\0';
	*out = element;
}

bool jsonx_next(const struct jsonx *object, void **iterator, const char **key, struct jsonx *out)
{
	struct jsonx member;

	*iterator = *iterator ? json_object_iter_next(object->value, *iterator) : json_object_iter(object->value);
	if (!*iterator)
		return false;
	*key = json_object_iter_key(*iterator);
	member_path(object, *key, member.path);
	member.value = json_object_iter_value(*iterator);
	*out = member;
	return true;
}

static bool is_one_of(const char *const *words, const char *text)
{
	for (size_t i = 0; words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return true;
	return false;
}

int jsonx_check_keys(const struct jsonx *object, const char *const *keys, struct err *err)
{
	char expected[EXPECTED_MAX];
	void *iterator = NULL;
	struct jsonx member;
	const char *key;

	while (jsonx_next(object, &iterator, &key, &member)) {
		if (is_one_of(keys, key))
			continue;
		list_words(keys, expected, sizeof(expected));
		return jsonx_error(object, err, "unknown key '%.80s', expected %s%s", key, keys[1] ? "one of " : "",
				   expected);
	}
	return 0;
}
