/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: writing JSON
 *
 * Values go into a buffer in the order of the calls; commas come by themselves. Text that is not UTF-8 is written with
 * U+FFFD for each bad byte, so that what comes out is always JSON. A failure (the buffer's maximum, no memory) is kept
 * and told by jsontext_end(), so that the calls between need no checks.
 */
#ifndef NODEVOL_BASE_JSONTEXT_H
#define NODEVOL_BASE_JSONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/err.h"

/**
 * struct jsontext - a document being written
 * @out: where to; borrowed
 * @comma: the next value comes after another one
 * @depth: open objects and arrays
 * @failure: the first failure of @out
 */
struct jsontext {
	struct buf *out;
	bool comma;
	unsigned int depth;
	int failure;
};

/* Starts a document at the end of @out. */
void jsontext_begin(struct jsontext *write, struct buf *out);

/* @key is NULL in an array and for the document itself. Each open is closed by a jsontext_close_...(). */
void jsontext_open_object(struct jsontext *write, const char *key);
void jsontext_close_object(struct jsontext *write);
void jsontext_open_array(struct jsontext *write, const char *key);
void jsontext_close_array(struct jsontext *write);

/* A NULL text is written as null. */
void jsontext_text(struct jsontext *write, const char *key, const char *text);
void jsontext_bytes(struct jsontext *write, const char *key, const char *text, size_t length);
void jsontext_u64(struct jsontext *write, const char *key, uint64_t number);
void jsontext_bool(struct jsontext *write, const char *key, bool flag);

/* Return: 0, or the first failure: -EMSGSIZE, -ENOMEM. */
int jsontext_end(struct jsontext *write, struct err *err);

#endif
