/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/node/users.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/file.h"
#include "bootstrap/sys/root.h"

static bool is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 && (path[length] == '/' || !path[length]);
}

/*
 * A link in /proc names the file as its process's host does, which from inside a bootstrap container is another name
 * than ours: then it must be the very file that we see under that name below @root.
 */
static bool is_in(const char *root, const char *directory, int folder, const char *link)
{
	char path[PATH_MAX];
	struct root_path seen;
	struct stat theirs;
	struct stat ours;
	struct err err;
	ssize_t length = readlinkat(folder, link, path, sizeof(path) - 1);

	if (length < 0)
		return false;
	path[length] = '\0';
	if (is_below(path, directory))
		return true;
	if (!root[0] || !is_below(path, directory + strlen(root)) || root_path(root, path, &seen, &err) < 0)
		return false;
	return fstatat(folder, link, &theirs, 0) == 0 && stat(seen.text, &ours) == 0 && theirs.st_dev == ours.st_dev &&
	       theirs.st_ino == ours.st_ino;
}

/* A process that ends while we look has nothing open any more, so what cannot be read is passed over. */
static bool is_user(const char *root, const char *directory, int process)
{
	CLEANUP_CLOSEDIR DIR *descriptors = NULL;
	CLEANUP_CLOSE int fd = -1;
	struct dirent *entry;

	if (is_in(root, directory, process, "cwd") || is_in(root, directory, process, "root"))
		return true;
	fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	descriptors = fd < 0 ? NULL : fdopendir(fd);
	if (!descriptors)
		return false;
	fd = -1;
	while ((entry = readdir(descriptors)))
		if (entry->d_name[0] != '.' && is_in(root, directory, dirfd(descriptors), entry->d_name))
			return true;
	return false;
}

static void describe(const char *processes, const char *pid, char *who, size_t size)
{
	struct root_path path;
	char name[64];
	struct err err;

	if (root_pathf(processes, &path, &err, "/%s/comm", pid) < 0 ||
	    file_read_line(path.text, name, sizeof(name), &err) < 0)
		snprintf(name, sizeof(name), "a process");
	snprintf(who, size, "%s (pid %s)", name, pid);
}

int users_find(const char *root, const char *directory, char *who, size_t size, struct err *err)
{
	CLEANUP_CLOSEDIR DIR *processes = NULL;
	struct root_path path;
	struct dirent *entry;
	int ret = root_path(root, "/proc", &path, err);

	if (ret < 0)
		return ret;
	processes = opendir(path.text);
	if (!processes)
		return err_sys(err, errno, "list '%s'", path.text);
	while ((entry = readdir(processes))) {
		CLEANUP_CLOSE int process = -1;

		if (entry->d_name[strspn(entry->d_name, "0123456789")] || strtol(entry->d_name, NULL, 10) == getpid())
			continue;
		process = openat(dirfd(processes), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (process >= 0 && is_user(root, directory, process)) {
			describe(path.text, entry->d_name, who, size);
			return 1;
		}
	}
	return 0;
}
