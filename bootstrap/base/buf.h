/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: bytes that grow, up to a maximum that whoever makes the buffer has to name
 */
#ifndef NODEVOL_BASE_BUF_H
#define NODEVOL_BASE_BUF_H

#include <stddef.h>

/**
 * struct buf - a growing string of bytes
 * @data: the bytes, always followed by a NUL that @length does not count; never NULL ("" when empty)
 * @length: how many
 * @allocated: size of the allocation, 0 for none
 * @max: more than this is -EMSGSIZE
 */
struct buf {
	char *data;
	size_t length;
	size_t allocated;
	size_t max;
};

/*
 * An empty one: "struct buf text CLEANUP_BUF = BUF_INIT(MAX);". It needs no memory; what was grown is given back by
 * buf_done(), which CLEANUP_BUF calls.
 */
#define BUF_INIT(maximum) { .data = buf_empty, .max = (maximum) }

extern char buf_empty[1];

/* As BUF_INIT, for what is not a variable of one's own. */
void buf_init(struct buf *buf, size_t max);
void buf_done(struct buf *buf);

/* As buf_done(), after overwriting what was in it: for secrets. */
void buf_wipe(struct buf *buf);

/* Empties it, keeps the memory. */
void buf_clear(struct buf *buf);

/* Return: 0, -EMSGSIZE over the maximum, -ENOMEM. Nothing is added on failure. */
int buf_add(struct buf *buf, const void *data, size_t length);
int buf_add_text(struct buf *buf, const char *text);
int buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define CLEANUP_BUF  __attribute__((cleanup(buf_done)))
#define CLEANUP_WIPE __attribute__((cleanup(buf_wipe)))

#endif
