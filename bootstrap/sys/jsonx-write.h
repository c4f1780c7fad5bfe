/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: writing JSON
 *
 * Values go into a buffer in the order of the calls; commas come by themselves. Text that is not UTF-8 is written with
 * U+FFFD for each bad byte, so that what comes out is always JSON. A failure (the buffer's maximum, no memory) is kept
 * and told by jsonx_write_end(), so that the calls between need no checks.
 */
#ifndef NODEVOL_SYS_JSONX_WRITE_H
#define NODEVOL_SYS_JSONX_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/err.h"

/**
 * struct jsonx_write - a document being written
 * @out: where to; borrowed
 * @comma: the next value comes after another one
 * @depth: open objects and arrays
 * @failure: the first failure of @out
 */
struct jsonx_write {
	struct buf *out;
	bool comma;
	unsigned int depth;
	int failure;
};

/* Starts a document at the end of @out. */
void jsonx_write_begin(struct jsonx_write *write, struct buf *out);

/* @key is NULL in an array and for the document itself. Each open is closed by a jsonx_write_close_...(). */
void jsonx_write_open_object(struct jsonx_write *write, const char *key);
void jsonx_write_close_object(struct jsonx_write *write);
void jsonx_write_open_array(struct jsonx_write *write, const char *key);
void jsonx_write_close_array(struct jsonx_write *write);

/* A NULL text is written as null. */
void jsonx_write_text(struct jsonx_write *write, const char *key, const char *text);
void jsonx_write_bytes(struct jsonx_write *write, const char *key, const char *text, size_t length);
void jsonx_write_u64(struct jsonx_write *write, const char *key, uint64_t number);
void jsonx_write_bool(struct jsonx_write *write, const char *key, bool flag);

/* Return: 0, or the first failure: -EMSGSIZE, -ENOMEM. */
int jsonx_write_end(struct jsonx_write *write, struct err *err);

#endif
