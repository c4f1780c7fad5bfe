/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/treenode.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/file.h"

#define CHUNK_BYTES	 (128 << 10)
#define XATTR_BYTES_MAX	 (64 << 10) /* of a list and of a value: linux/limits.h */
/* xfs lists an ACL twice: as everybody does, and in its own form (fs/xfs/libxfs/xfs_format.h, SGI_ACL_FILE). */
#define XFS_RAW_ACL "trusted.SGI_ACL_"

#define PROC_PATH_MAX	 (NAME_MAX + 40)

/*
 * A path by which the extended attributes of a symlink or device node can be reached without following it: there are no
 * *at() calls for them before Linux 6.13.
 */
static void proc_path(int directory, const char *name, char *out)
{
	snprintf(out, PROC_PATH_MAX, "/proc/self/fd/%d/%s", directory, name);
}

static int copy_xattr(const char *from, const char *to, const char *attribute, struct err *err)
{
	char value[XATTR_BYTES_MAX];
	ssize_t length = lgetxattr(from, attribute, value, sizeof(value));

	if (length < 0)
		return err_sys(err, errno, "read attribute %s", attribute);
	if (lsetxattr(to, attribute, value, (size_t)length, 0) == 0)
		return 0;
	/* A filesystem that is mounted with context= has one label for everything and takes no other. */
	if (errno == EOPNOTSUPP && strcmp(attribute, "security.selinux") == 0)
		return 0;
	return err_sys(err, errno, "write attribute %s", attribute);
}

static int copy_xattrs(const char *from, const char *to, struct err *err)
{
	char list[XATTR_BYTES_MAX];
	ssize_t length = llistxattr(from, list, sizeof(list));
	int ret = 0;

	if (length < 0)
		return errno == EOPNOTSUPP ? 0 : err_sys(err, errno, "list attributes");
	for (const char *name = list; name < list + length && ret == 0; name += strlen(name) + 1)
		if (strncmp(name, XFS_RAW_ACL, strlen(XFS_RAW_ACL)) != 0)
			ret = copy_xattr(from, to, name, err);
	return ret;
}

/* The order matters: chown takes away set-id bits and capabilities, chmod changes the mask of an ACL. */
static int copy_attributes(int source, int destination, const char *name, const struct stat *stat, struct err *err)
{
	const struct timespec times[2] = { stat->st_atim, stat->st_mtim };
	char from[PROC_PATH_MAX];
	char to[PROC_PATH_MAX];
	int ret;

	proc_path(source, name, from);
	proc_path(destination, name, to);
	if (fchownat(destination, name, stat->st_uid, stat->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "set owner");
	if (!S_ISLNK(stat->st_mode) && fchmodat(destination, name, stat->st_mode & 07777, 0) < 0)
		return err_sys(err, errno, "set mode");
	ret = copy_xattrs(from, to, err);
	if (ret == 0 && utimensat(destination, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		ret = err_sys(err, errno, "set times");
	return ret;
}

int treenode_copy_directory(int source, int destination, const struct stat *stat, struct err *err)
{
	return copy_attributes(source, destination, ".", stat, err);
}

static int copy_range(int from, int to, off_t start, off_t end, uint64_t *bytes, struct err *err)
{
	char chunk[CHUNK_BYTES];

	while (start < end) {
		size_t wanted = end - start < CHUNK_BYTES ? (size_t)(end - start) : CHUNK_BYTES;
		ssize_t length = pread(from, chunk, wanted, start);
		int ret;

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return err_sys(err, errno, "read");
		if (length == 0)
			return err_set(err, ESTALE, "it became shorter while it was copied");
		ret = file_pwrite_all(to, chunk, (size_t)length, start);
		if (ret < 0)
			return err_sys(err, -ret, "write");
		start += length;
		*bytes += (uint64_t)length;
	}
	return 0;
}

static int copy_data(int from, int to, const struct stat *stat, uint64_t *bytes, struct err *err)
{
	off_t hole = 0;

	if ((off_t)stat->st_blocks * 512 >= stat->st_size)
		return copy_range(from, to, 0, stat->st_size, bytes, err);
	while (hole < stat->st_size) {
		off_t data = lseek(from, hole, SEEK_DATA);
		int ret;

		if (data < 0 && errno == ENXIO)
			break;
		hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return err_sys(err, errno, "find data");
		if (hole > stat->st_size)
			hole = stat->st_size;
		ret = copy_range(from, to, data, hole, bytes, err);
		if (ret < 0)
			return ret;
	}
	if (ftruncate(to, stat->st_size) < 0)
		return err_sys(err, errno, "set size");
	return 0;
}

/* Reading must leave no trace in what is copied; only an owner (or root) may ask for that. */
static int open_source(const struct treenode *node)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(node->source, node->name, flags | O_NOATIME);

	return fd < 0 && errno == EPERM ? openat(node->source, node->name, flags) : fd;
}

static int check_unchanged(int fd, const struct stat *before, struct err *err)
{
	struct stat now;

	if (fstat(fd, &now) < 0)
		return err_sys(err, errno, "look at it again");
	if (now.st_ino != before->st_ino || now.st_dev != before->st_dev || now.st_size != before->st_size ||
	    now.st_mtim.tv_sec != before->st_mtim.tv_sec || now.st_mtim.tv_nsec != before->st_mtim.tv_nsec)
		return err_set(err, ESTALE, "it changed while it was copied");
	return 0;
}

static int copy_file(const struct treenode *node, uint64_t *bytes, struct err *err)
{
	CLEANUP_CLOSE int from = open_source(node);
	CLEANUP_CLOSE int to = -1;
	int ret;

	if (from < 0)
		return err_sys(err, errno, "open it for reading");
	to = openat(node->destination, node->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return err_sys(err, errno, "make it");
	ret = copy_data(from, to, &node->stat, bytes, err);
	if (ret == 0)
		ret = check_unchanged(from, &node->stat, err);
	if (ret == 0 && close(TAKE_FD(to)) < 0)
		ret = err_sys(err, errno, "close it");
	return ret;
}

static int copy_symlink(const struct treenode *node, struct err *err)
{
	char text[PATH_MAX];
	ssize_t length = readlinkat(node->source, node->name, text, sizeof(text) - 1);

	if (length < 0)
		return err_sys(err, errno, "read the link");
	text[length] = '\0';
	if (symlinkat(text, node->destination, node->name) < 0)
		return err_sys(err, errno, "make the link");
	return 0;
}

static int make_node(const struct treenode *node, struct err *err)
{
	mode_t type = node->stat.st_mode & S_IFMT;

	if (mknodat(node->destination, node->name, type | 0600, node->stat.st_rdev) < 0)
		return err_sys(err, errno, S_ISFIFO(type) ? "make a fifo" : "make a device node");
	return 0;
}

int treenode_copy(const struct treenode *node, uint64_t *bytes, struct err *err)
{
	int ret;

	if (S_ISREG(node->stat.st_mode))
		ret = copy_file(node, bytes, err);
	else if (S_ISLNK(node->stat.st_mode))
		ret = copy_symlink(node, err);
	else
		ret = make_node(node, err);
	if (ret == 0)
		ret = copy_attributes(node->source, node->destination, node->name, &node->stat, err);
	return ret;
}
