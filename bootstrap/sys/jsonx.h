/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the door to jansson: reading JSON, with errors that say where
 *
 * A value is a struct jsonx: the place in the document together with its path, so that whatever is wrong with it can be
 * said as "volumes[0].source.create.iops: 'many' is a string, expected a number from 1 to 80000". It is small, copied
 * freely, and lives as long as the document. Every failure is -EINVAL, exit 2: what people wrote is wrong; a reader of
 * what a server wrote wraps it.
 *
 * Getters that take a key return 1 when the key is there and its value is good, 0 when it is absent (@out is left as it
 * is, so it can hold the default), and -EINVAL when the value is of another type or out of range. A null counts as
 * absent. jsonx_missing() makes the error for a key that has to be there.
 */
#ifndef NODEVOL_SYS_JSONX_H
#define NODEVOL_SYS_JSONX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootstrap/base/err.h"

#define JSONX_DEPTH_MAX 32
#define JSONX_PATH_MAX	256

struct json_t;

/**
 * struct jsonx - a value in a document
 * @value: jansson's; borrowed from the document
 * @path: where it is, "" for the document itself, such as "volumes[0].source"
 */
struct jsonx {
	struct json_t *value;
	char path[JSONX_PATH_MAX];
};

enum jsonx_type {
	JSONX_NULL,
	JSONX_BOOL,
	JSONX_NUMBER,
	JSONX_TEXT,
	JSONX_ARRAY,
	JSONX_OBJECT,
};

/**
 * jsonx_parse - read a whole document
 * @text: UTF-8
 * @length: how many bytes
 * @out: its value, given back with jsonx_done()
 * @err: says line and column
 *
 * Duplicate keys, nesting deeper than JSONX_DEPTH_MAX, NUL characters and anything after the document are refused.
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int jsonx_parse(const char *text, size_t length, struct jsonx *out, struct err *err);

/* Gives back a document; one that is zeroed or was given back is nothing. Only for what jsonx_parse() filled. */
void jsonx_done(struct jsonx *document);

/* What @value is. */
enum jsonx_type jsonx_type(const struct jsonx *value);

/* The value as what the name says, or -EINVAL. Text is borrowed from the document. */
int jsonx_as_text(const struct jsonx *value, const char **out, struct err *err);
int jsonx_as_bool(const struct jsonx *value, bool *out, struct err *err);
int jsonx_as_u64(const struct jsonx *value, uint64_t min, uint64_t max, uint64_t *out, struct err *err);
int jsonx_as_object(const struct jsonx *value, struct err *err);
int jsonx_as_array(const struct jsonx *value, struct err *err);

/* Any member of @object, whatever its type, null too. Return: false when it is absent. */
bool jsonx_member(const struct jsonx *object, const char *key, struct jsonx *out);

/* Members of a type: 1, 0 or -EINVAL as told above. */
int jsonx_text(const struct jsonx *object, const char *key, const char **out, struct err *err);
int jsonx_bool(const struct jsonx *object, const char *key, bool *out, struct err *err);
int jsonx_u64(const struct jsonx *object, const char *key, uint64_t min, uint64_t max, uint64_t *out, struct err *err);
int jsonx_object(const struct jsonx *object, const char *key, struct jsonx *out, struct err *err);
int jsonx_array(const struct jsonx *object, const char *key, struct jsonx *out, struct err *err);

/* A text that is one of @words (NULL at the end); @out is its index. */
int jsonx_choice(const struct jsonx *object, const char *key, const char *const *words, size_t *out, struct err *err);

/* Elements of an array, or members of an object; 0 for everything else. */
size_t jsonx_count(const struct jsonx *value);

/* Element @index of @array, which is below jsonx_count(). */
void jsonx_element(const struct jsonx *array, size_t index, struct jsonx *out);

/*
 * Walks the members of @object, in the order in which they were written: @iterator is NULL at first.
 * Return: false at the end. @key is borrowed from the document.
 */
bool jsonx_next(const struct jsonx *object, void **iterator, const char **key, struct jsonx *out);

/* Every key of @object is one of @keys (NULL at the end). Return: 0 or -EINVAL, naming the key and those expected. */
int jsonx_check_keys(const struct jsonx *object, const char *const *keys, struct err *err);

/* "PATH: " and our own words; for "" just the words. Return: -EINVAL. */
int jsonx_error(const struct jsonx *value, struct err *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "PATH.KEY: missing, expected EXPECTED". Return: -EINVAL. */
int jsonx_missing(const struct jsonx *object, const char *key, const char *expected, struct err *err);

#define CLEANUP_JSONX __attribute__((cleanup(jsonx_done)))

#endif
