/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the kinds of values that a configuration is made of
 *
 * All return 1 when the key is there, 0 when it is not and -EINVAL with the key's path when its value is no good.
 * Strings are copies that config_done() frees.
 */
#ifndef NODEVOL_EBS_CONFIG_FIELDS_H
#define NODEVOL_EBS_CONFIG_FIELDS_H

#include "bootstrap/sys/jsonx.h"
#include "ebs/config.h"

/* @object has keys out of @keys only (NULL at the end), and none of them is null. Return: 0 or -EINVAL. */
int config_fields_check_keys(const struct jsonx *object, const char *const *keys, struct err *err);

/* Text of 1 to @max bytes without control characters. */
int config_fields_text(const struct jsonx *object, const char *key, size_t max, char **out, struct err *err);

/* A number within [@min, @max]. */
int config_fields_u32(const struct jsonx *object, const char *key, uint32_t min, uint32_t max, uint32_t *out,
		      struct err *err);

/* An id of @prefix ("vol-", "snap-") and 8 or 17 hexadecimal digits. */
int config_fields_id(const struct jsonx *object, const char *key, const char *prefix, char **out, struct err *err);

/*
 * A mount point: absolute, without empty, "." and ".." parts, and no folder of the system's own. Return: 0 or -EINVAL.
 */
int config_fields_path(const struct jsonx *value, char **out, struct err *err);

/* An object of texts. */
int config_fields_tags(const struct jsonx *object, const char *key, struct config_tags *out, struct err *err);

#endif
