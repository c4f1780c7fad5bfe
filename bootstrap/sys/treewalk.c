/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/treewalk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"

#define FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

int treewalk_open_top(const char *path)
{
	int fd = open(path, FLAGS);

	return fd < 0 ? -errno : fd;
}

static int open_below(int directory, const char *path)
{
	struct open_how how = {
		.flags = FLAGS,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	long fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int treewalk_open_child(int directory, const char *name)
{
	return open_below(directory, name);
}

int treewalk_open_parent(int directory, ino_t ino)
{
	CLEANUP_CLOSE int fd = openat(directory, "..", FLAGS);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	return status.st_ino == ino ? TAKE_FD(fd) : -ESTALE;
}

DIR *treewalk_list(int directory)
{
	/*
	 * A description of its own, so that the position of one does not move the other; root's leaves no access time.
	 */
	CLEANUP_CLOSE int fd = openat(directory, ".", FLAGS | O_NOATIME);
	DIR *stream;

	if (fd < 0 && errno == EPERM)
		fd = openat(directory, ".", FLAGS);
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (stream)
		fd = -1;
	return stream;
}

int treewalk_next(DIR *stream, struct dirent **out)
{
	do {
		errno = 0;
		*out = readdir(stream);
		if (!*out)
			return -errno;
	} while (strcmp((*out)->d_name, ".") == 0 || strcmp((*out)->d_name, "..") == 0);
	return 1;
}

int treewalk_open_folder_of(int top, const char *path)
{
	CLEANUP_CLOSE int fd = openat(top, ".", FLAGS);
	const char *end = strrchr(path, '/');

	if (fd < 0)
		return -errno;
	while (end && path < end) {
		char part[PATH_MAX];
		size_t length = (size_t)(end - path);
		int next;

		/* As many whole names as the kernel takes at once. */
		if (length >= sizeof(part)) {
			length = sizeof(part) - 1;
			while (path[length] != '/')
				length--;
		}
		memcpy(part, path, length);
		part[length] = '\0';
		next = open_below(fd, part);
		if (next < 0)
			return next;
		close(fd);
		fd = next;
		path += length + 1;
	}
	return TAKE_FD(fd);
}
