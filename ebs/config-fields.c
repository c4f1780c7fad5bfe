/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/config-fields.h"

#include <errno.h>
#include <string.h>

#include "bootstrap/base/cleanup.h"

#define PATH_LENGTH_MAX	     255
#define TAG_KEY_LENGTH_MAX   128 /* EC2 User Guide, tag restrictions */
#define TAG_VALUE_LENGTH_MAX 256

int config_fields_check_keys(const struct jsonx *object, const char *const *keys, struct err *err)
{
	struct jsonx member;
	void *iterator = NULL;
	const char *key;
	int ret = jsonx_as_object(object, err);

	if (ret == 0)
		ret = jsonx_check_keys(object, keys, err);
	while (ret == 0 && jsonx_next(object, &iterator, &key, &member))
		if (jsonx_type(&member) == JSONX_NULL)
			ret = jsonx_error(&member, err, "null is no value here; leave the key out");
	return ret;
}

/* A copy of @text, which has 1 to @max bytes (0 too if @may_be_empty) and no control characters. */
static int copy_text(const struct jsonx *value, const char *text, size_t max, char **out, struct err *err)
{
	if (!*text)
		return jsonx_error(value, err, "the text is empty");
	if (strlen(text) > max)
		return jsonx_error(value, err, "the text is longer than %zu bytes", max);
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return jsonx_error(value, err, "the text has control characters");
	*out = strdup(text);
	return *out ? 0 : err_sys(err, ENOMEM, "copy a text");
}

int config_fields_text(const struct jsonx *object, const char *key, size_t max, char **out, struct err *err)
{
	struct jsonx value;
	const char *text;
	int ret;

	if (!jsonx_member(object, key, &value))
		return 0;
	ret = jsonx_as_text(&value, &text, err);
	if (ret == 0)
		ret = copy_text(&value, text, max, out, err);
	return ret < 0 ? ret : 1;
}

int config_fields_u32(const struct jsonx *object, const char *key, uint32_t min, uint32_t max, uint32_t *out,
		      struct err *err)
{
	uint64_t number;
	int ret = jsonx_u64(object, key, min, max, &number, err);

	if (ret > 0)
		*out = (uint32_t)number;
	return ret;
}

int config_fields_id(const struct jsonx *object, const char *key, const char *prefix, char **out, struct err *err)
{
	size_t length = strlen(prefix);
	struct jsonx value;
	size_t digits;
	int ret = config_fields_text(object, key, 32, out, err);

	if (ret <= 0)
		return ret;
	digits = strncmp(*out, prefix, length) == 0 ? strspn(*out + length, "0123456789abcdef") : 0;
	if ((digits == 8 || digits == 17) && (*out)[length + digits] == '\0')
		return 1;
	jsonx_member(object, key, &value);
	return jsonx_error(&value, err, "'%s' is no id; expected %s and 8 or 17 hexadecimal digits", *out, prefix);
}

/*
 * The system's own, which a volume must not hide; below the kernel's file systems and /run there is no place for one.
 */
static bool is_forbidden(const char *path)
{
	static const char *const kernel[] = { "/dev", "/proc", "/run", "/sys" };
	static const char *const exact[] = {
		"/bin", "/boot", "/etc", "/lib", "/lib64", "/sbin", "/usr", "/var", "/var/lib", "/var/log",
	};

	for (size_t i = 0; i < ARRAY_SIZE(kernel); i++) {
		size_t length = strlen(kernel[i]);

		if (strncmp(path, kernel[i], length) == 0 && (path[length] == '/' || path[length] == '\0'))
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		if (strcmp(path, exact[i]) == 0)
			return true;
	return false;
}

/* "/a/b": every part has a name. */
static bool is_plain(const char *path)
{
	while (*path == '/') {
		size_t length = strcspn(path + 1, "/");

		if (!length || (length == 1 && path[1] == '.') || (length == 2 && path[1] == '.' && path[2] == '.'))
			return false;
		path += 1 + length;
	}
	return *path == '\0';
}

int config_fields_path(const struct jsonx *value, char **out, struct err *err)
{
	const char *text;
	int ret = jsonx_as_text(value, &text, err);

	if (ret < 0)
		return ret;
	if (text[0] != '/' || !is_plain(text))
		return jsonx_error(value, err, "'%s' is no mount point; expected an absolute path such as /mnt/data",
				   text);
	if (is_forbidden(text))
		return jsonx_error(value, err, "'%s' belongs to the system; a volume over it would hide it", text);
	return copy_text(value, text, PATH_LENGTH_MAX, out, err);
}

static int add_tag(const struct jsonx *value, const char *key, struct config_tags *out, struct err *err)
{
	const char *text;
	struct config_tag *tag;
	int ret = jsonx_as_text(value, &text, err);

	if (ret < 0)
		return ret;
	if (out->count == CONFIG_TAGS_MAX)
		return jsonx_error(value, err, "more than %d tags", CONFIG_TAGS_MAX);
	if (!*key || strlen(key) > TAG_KEY_LENGTH_MAX || strlen(text) > TAG_VALUE_LENGTH_MAX)
		return jsonx_error(value, err, "a tag's key has 1 to %d bytes and its value up to %d",
				   TAG_KEY_LENGTH_MAX, TAG_VALUE_LENGTH_MAX);
	tag = &out->items[out->count++];
	tag->key = strdup(key);
	tag->value = strdup(text);
	return tag->key && tag->value ? 0 : err_sys(err, ENOMEM, "copy a tag");
}

int config_fields_tags(const struct jsonx *object, const char *key, struct config_tags *out, struct err *err)
{
	void *iterator = NULL;
	struct jsonx value;
	struct jsonx tags;
	const char *name;
	int ret;

	if (!jsonx_member(object, key, &tags))
		return 0;
	ret = jsonx_as_object(&tags, err);
	while (ret == 0 && jsonx_next(&tags, &iterator, &name, &value))
		ret = add_tag(&value, name, out, err);
	return ret < 0 ? ret : 1;
}
