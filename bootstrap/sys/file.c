/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"

/* Return: bytes read, 0 at the end, or a negative errno value. */
static ssize_t read_some(int fd, void *data, size_t size)
{
	ssize_t length;

	do {
		length = read(fd, data, size);
	} while (length < 0 && errno == EINTR);
	return length < 0 ? -errno : length;
}

int file_read(const char *path, struct buf *out, struct err *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	char data[4096];
	ssize_t length;
	int ret;

	if (fd < 0)
		return err_sys(err, errno, "open %s", path);
	while ((length = read_some(fd, data, sizeof(data))) > 0) {
		ret = buf_add(out, data, (size_t)length);
		if (ret == -EMSGSIZE)
			return err_set(err, EMSGSIZE, "%s is larger than %zu bytes", path, out->max);
		if (ret < 0)
			return err_sys(err, -ret, "read %s", path);
	}
	if (length < 0)
		return err_sys(err, (int)-length, "read %s", path);
	return 0;
}

int file_read_line(const char *path, char *out, size_t size, struct err *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	char data[4096];
	char *from = data;
	ssize_t length;
	char *to;

	if (fd < 0)
		return err_sys(err, errno, "open %s", path);
	length = read_some(fd, data, sizeof(data) - 1);
	if (length < 0)
		return err_sys(err, (int)-length, "read %s", path);
	data[length] = '\0';
	to = data + strcspn(data, "\n");
	while (from < to && isspace((unsigned char)*from))
		from++;
	while (to > from && isspace((unsigned char)to[-1]))
		to--;
	if ((size_t)(to - from) >= size)
		return err_set(err, EMSGSIZE, "the first line of %s is longer than %zu bytes", path, size - 1);
	memcpy(out, from, (size_t)(to - from));
	out[to - from] = '\0';
	return 0;
}

static int write_and_sync(int fd, const void *data, size_t length, mode_t mode)
{
	const char *from = data;
	ssize_t written;

	if (fchmod(fd, mode) < 0)
		return -errno;
	while (length) {
		written = write(fd, from, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		from += written;
		length -= (size_t)written;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* So that the new name is on the disk too. Filesystems that can not sync a folder have nothing to lose there. */
static int sync_folder_of(const char *path)
{
	CLEANUP_CLOSE int fd = -1;
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;

	if (length >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, length);
	folder[length] = '\0';
	fd = open(!slash ? "." : length ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

int file_replace(const char *path, const void *data, size_t length, mode_t mode, struct err *err)
{
	char temporary[PATH_MAX];
	int fd;
	int ret;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= sizeof(temporary))
		return err_set(err, ENAMETOOLONG, "path '%.80s...' is too long", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "create %s", path);
	ret = write_and_sync(fd, data, length, mode);
	if (close(fd) < 0 && ret == 0)
		ret = -errno;
	if (ret == 0 && rename(temporary, path) < 0)
		ret = -errno;
	if (ret < 0) {
		unlink(temporary);
		return err_sys(err, -ret, "write %s", path);
	}
	ret = sync_folder_of(path);
	if (ret < 0)
		return err_sys(err, -ret, "sync the folder of %s", path);
	return 0;
}

/* Goes down from @parent into @name, which is made when it is not there. Return: a descriptor, or -errno. */
static int enter(int parent, const char *name)
{
	struct stat status;
	int fd;

	if (mkdirat(parent, name, 0755) == 0) {
		/* The umask is the caller's business everywhere but here: services of other users pass through. */
		if (fchmodat(parent, name, 0755, 0) < 0)
			return -errno;
	} else if (errno != EEXIST) {
		return -errno;
	}
	fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOTDIR && fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISLNK(status.st_mode) ? -ELOOP : -ENOTDIR;
	return -errno;
}

static int fail_at(const char *root, const char *path, const char *end, int code, struct err *err)
{
	int length = (int)(end - path);

	if (code == ELOOP) {
		err_set(err, ELOOP, "'%s%.*s' is a symlink", root, length, path);
		err->status = ERR_REFUSED;
		return -ELOOP;
	}
	return err_sys(err, code, "make folder %s%.*s", root, length, path);
}

int file_make_directories(const char *root, const char *path, struct err *err)
{
	CLEANUP_CLOSE int fd = open(*root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *from = path;

	if (fd < 0)
		return err_sys(err, errno, "open %s", *root ? root : "/");
	for (;;) {
		char name[NAME_MAX + 1];
		size_t length;
		int next;

		from += strspn(from, "/");
		length = strcspn(from, "/");
		if (!length)
			return 0;
		if (length > NAME_MAX)
			return err_set(err, ENAMETOOLONG, "a name in '%.80s...' is too long", path);
		memcpy(name, from, length);
		name[length] = '\0';
		from += length;
		if (strcmp(name, "..") == 0)
			return err_set(err, EINVAL, "'%s' has '..' in it", path);
		next = enter(fd, name);
		if (next < 0)
			return fail_at(root, path, from, -next, err);
		close(fd);
		fd = next;
	}
}

int file_pread_all(int fd, void *data, size_t length, off_t offset)
{
	char *to = data;

	while (length) {
		ssize_t done = pread(fd, to, length, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		to += done;
		offset += done;
		length -= (size_t)done;
	}
	return 0;
}

int file_pwrite_all(int fd, const void *data, size_t length, off_t offset)
{
	const char *from = data;

	while (length) {
		ssize_t done = pwrite(fd, from, length, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		from += done;
		offset += done;
		length -= (size_t)done;
	}
	return 0;
}

static int open_ordinary(const char *path, struct stat *status, struct err *err)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, status) == 0)
		return fd;
	err_sys(err, errno, "open '%s'", path);
	if (fd >= 0)
		close(fd);
	return -err->code;
}

static bool is_same_or_zero(const uint8_t *part, const uint8_t *whole, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (part[i] && part[i] != whole[i])
			return false;
	return true;
}

int file_is_part_of(const char *part, const char *whole, struct err *err)
{
	uint8_t blocks[2][16384];
	struct stat of_part;
	struct stat of_whole;
	CLEANUP_CLOSE int part_fd = open_ordinary(part, &of_part, err);
	CLEANUP_CLOSE int whole_fd = part_fd < 0 ? -1 : open_ordinary(whole, &of_whole, err);
	size_t length;

	if (part_fd < 0 || whole_fd < 0)
		return -err->code;
	if (!S_ISREG(of_part.st_mode) || !S_ISREG(of_whole.st_mode) || of_part.st_size > of_whole.st_size)
		return 0;
	for (off_t at = 0; at < of_part.st_size; at += (off_t)length) {
		off_t left = of_part.st_size - at;

		length = left < (off_t)sizeof(blocks[0]) ? (size_t)left : sizeof(blocks[0]);
		if (file_pread_all(part_fd, blocks[0], length, at) < 0 || file_pread_all(whole_fd, blocks[1], length, at) < 0)
			return err_set(err, EIO, "compare '%s' with '%s'", part, whole);
		if (!is_same_or_zero(blocks[0], blocks[1], length))
			return 0;
	}
	return 1;
}
