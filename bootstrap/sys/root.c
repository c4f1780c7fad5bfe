/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/root.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int root_path(const char *root, const char *path, struct root_path *out, struct err *err)
{
	return root_pathf(root, out, err, "%s", path);
}

int root_pathf(const char *root, struct root_path *out, struct err *err, const char *format, ...)
{
	size_t length = strlen(root);
	va_list arguments;
	int added;

	if (length >= sizeof(out->text))
		return err_set(err, ENAMETOOLONG, "the path of the root is too long");
	memcpy(out->text, root, length);
	va_start(arguments, format);
	added = vsnprintf(out->text + length, sizeof(out->text) - length, format, arguments);
	va_end(arguments);
	if (added < 0 || (size_t)added >= sizeof(out->text) - length)
		return err_set(err, ENAMETOOLONG, "path '%.80s...' is too long", out->text);
	return 0;
}
