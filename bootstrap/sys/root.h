/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the host's root as seen from here
 *
 * On a host it is "", in a bootstrap container the folder where the host's root is mounted, in tests a folder with a
 * small tree. Every path of the host is made by root_path(), and by nothing else.
 */
#ifndef NODEVOL_SYS_ROOT_H
#define NODEVOL_SYS_ROOT_H

#include <stddef.h>

#include "bootstrap/base/err.h"

#define ROOT_PATH_MAX 1024

struct root_path {
	char text[ROOT_PATH_MAX];
};

/* @root + @path (which begins with "/"). Return: 0 or -ENAMETOOLONG. */
int root_path(const char *root, const char *path, struct root_path *out, struct err *err);

/* As root_path(), with @format making the path. */
int root_pathf(const char *root, struct root_path *out, struct err *err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
