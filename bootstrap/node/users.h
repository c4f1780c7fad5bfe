/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: processes that are at work in a directory
 */
#ifndef NODEVOL_NODE_USERS_H
#define NODEVOL_NODE_USERS_H

#include <stddef.h>

#include "bootstrap/base/err.h"

/*
 * The first process of the host that has something open at or below @directory (as seen from here, @root before it) or
 * stands there. This one does not count. Return: 1 with "containerd (pid 12)" in @who, 0 for none, or an error.
 */
int users_find(const char *root, const char *directory, char *who, size_t size, struct err *err);

#endif
