/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the door to libcrypto: SHA-256, HMAC-SHA-256, and the two ways in which AWS writes bytes as text
 */
#ifndef NODEVOL_SYS_HASH_H
#define NODEVOL_SYS_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/err.h"

#define HASH_BYTES    32
#define HASH_HEX_SIZE (2 * HASH_BYTES + 1)

/* Return: 0, or -EIO when libcrypto refuses (no memory, no provider). */
int hash_sha256(const void *data, size_t length, uint8_t out[HASH_BYTES], struct err *err);

/* As hash_sha256(), written as lower-case hex. */
int hash_sha256_hex(const void *data, size_t length, char out[HASH_HEX_SIZE], struct err *err);

/* HMAC (RFC 2104) with SHA-256. Return: as hash_sha256(). */
int hash_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length, uint8_t out[HASH_BYTES],
		     struct err *err);

/* Lower-case hex of @length bytes into @out, which has room for 2 * @length + 1. */
void hash_hex(const void *data, size_t length, char *out);

/* Appends base64 (RFC 4648, section 4) of @data to @out. Return: 0, -EMSGSIZE, -ENOMEM. */
int hash_base64_encode(const void *data, size_t length, struct buf *out);

/*
 * Appends the bytes that @text stands for. Line breaks, spaces and tabs between characters are skipped, as MIME writes
 * them; everything else outside the alphabet, and text after the padding, is -EINVAL. The padding may be left out.
 * Return: 0, -EINVAL, -EMSGSIZE, -ENOMEM.
 */
int hash_base64_decode(const char *text, size_t length, struct buf *out);

#endif
