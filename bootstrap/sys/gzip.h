/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: unpacking gzip, with zlib
 */
#ifndef NODEVOL_SYS_GZIP_H
#define NODEVOL_SYS_GZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/err.h"

/* RFC 1952: the first two bytes. */
bool gzip_is(const void *data, size_t length);

/*
 * Appends what @data unpacks to, as far as @out's maximum. Return: 0, -EMSGSIZE, -EINVAL (ERR_USAGE) for what is no
 * gzip.
 */
int gzip_unpack(const void *data, size_t length, struct buf *out, struct err *err);

#endif
