/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* The number that @length digits of @text make in @base. Return: 0 or -EINVAL. */
static int digits(const char *text, size_t length, unsigned int base, uint64_t *out)
{
	uint64_t value = 0;

	if (!length)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		unsigned int digit = (unsigned int)(unsigned char)text[i] - '0';

		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return -EINVAL;
	}
	*out = value;
	return 0;
}

int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *err)
{
	uint64_t value;

	if (digits(text, strlen(text), 10, &value) < 0 || value < min || value > max)
		return err_set(err, EINVAL, "'%s' is not a number from %" PRIu64 " to %" PRIu64, text, min, max);
	*out = value;
	return 0;
}

int parse_owner(const char *text, struct parse_owner *out, struct err *err)
{
	const char *colon = strchr(text, ':');
	uint64_t uid;
	uint64_t gid;

	/* The last value of each is (uid_t)-1, which chown() takes for "leave it". */
	if (!colon || digits(text, (size_t)(colon - text), 10, &uid) < 0 || uid >= UINT32_MAX ||
	    digits(colon + 1, strlen(colon + 1), 10, &gid) < 0 || gid >= UINT32_MAX)
		return err_set(err, EINVAL, "'%s' is not an owner; expected UID:GID in numbers, such as 1000:1000",
			       text);
	*out = (struct parse_owner){ .uid = (uid_t)uid, .gid = (gid_t)gid };
	return 0;
}

int parse_mode(const char *text, mode_t *out, struct err *err)
{
	uint64_t mode;

	if (strlen(text) > 5 || digits(text, strlen(text), 8, &mode) < 0 || mode > 07777)
		return err_set(err, EINVAL, "'%s' is not a mode; expected octal permission bits, such as 0750", text);
	*out = (mode_t)mode;
	return 0;
}

int parse_key_value(const char *text, size_t *key_length, const char **value, struct err *err)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text)
		return err_set(err, EINVAL, "'%s' is not KEY=VALUE", text);
	*key_length = (size_t)(equals - text);
	*value = equals + 1;
	return 0;
}
