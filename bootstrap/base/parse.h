/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: text that people typed, turned into values
 *
 * Nothing is skipped: no leading space or sign, no trailing text. Failures are -EINVAL (exit 2) with the text quoted
 * and what was expected.
 */
#ifndef NODEVOL_BASE_PARSE_H
#define NODEVOL_BASE_PARSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bootstrap/base/err.h"

/* A decimal number within [@min, @max]. */
int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *err);

/**
 * struct parse_owner - UID:GID, as numbers: names would need a database that early boot may not have
 */
struct parse_owner {
	uid_t uid;
	gid_t gid;
};

/* Both, with a colon between them. */
int parse_owner(const char *text, struct parse_owner *out, struct err *err);

/* Permission bits in octal, 0 to 07777. */
int parse_mode(const char *text, mode_t *out, struct err *err);

/* KEY=VALUE with a key that is not empty. Return: 0 and where the value starts in @text. */
int parse_key_value(const char *text, size_t *key_length, const char **value, struct err *err);

#endif
