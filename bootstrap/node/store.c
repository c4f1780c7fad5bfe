/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/node/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/node/users.h"
#include "bootstrap/sys/file.h"
#include "bootstrap/sys/root.h"
#include "bootstrap/sys/treeclear.h"
#include "bootstrap/sys/treecopy.h"

#define MARK	 ".nodevol-copy-unfinished"
#define LOST	 "lost+found"
#define META_DB	 "io.containerd.metadata.v1.bolt/meta.db"
#define MARK_MAX 256

/**
 * struct kind - a row of the table
 * @path: as the host names it
 * @name: for people and for the mark
 * @daemon: who works in it
 * @last: what makes the copy look whole, and so is copied last
 */
struct kind {
	const char *path;
	const char *name;
	const char *daemon;
	const char *last;
};

static const struct kind kinds[] = {
	[STORE_NONE] = { "", "a directory", "a process", NULL },
	[STORE_CONTAINERD] = { "/var/lib/containerd", "containerd's store", "containerd", META_DB },
	[STORE_KUBELET] = { "/var/lib/kubelet", "kubelet's directory", "kubelet", NULL },
	[STORE_LOGS] = { "/var/log/pods", "the pods' logs", "kubelet", NULL },
};

enum store_kind store_kind_of(const char *path)
{
	for (size_t i = STORE_NONE + 1; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(path, kinds[i].path) == 0)
			return (enum store_kind)i;
	return STORE_NONE;
}

/* What e2fsck saved into lost+found is somebody's. Return: 1, 0, or -errno. */
static int is_empty_directory(int directory, const char *name)
{
	CLEANUP_CLOSEDIR DIR *stream = NULL;
	int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *entry;

	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
	stream = fdopendir(fd);
	if (!stream) {
		close(fd);
		return -ENOMEM;
	}
	errno = 0;
	while ((entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return 0;
	return errno ? -errno : 1;
}

/* Return: 1 when @name means that a directory holds something, 0 when it does not, or -errno. */
static int is_content(int directory, const char *name)
{
	int ret;

	/* file_replace() may have left one with another ending when it was cut short. */
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strncmp(name, MARK, sizeof(MARK) - 1) == 0)
		return 0;
	if (strcmp(name, LOST) != 0)
		return 1;
	ret = is_empty_directory(directory, name);
	return ret < 0 ? ret : !ret;
}

int store_has_content(const char *directory, char *name, size_t size, struct err *err)
{
	CLEANUP_CLOSEDIR DIR *stream = opendir(directory);
	struct dirent *entry;
	int ret = 0;

	if (!stream)
		return errno == ENOENT ? 0 : err_sys(err, errno, "list '%s'", directory);
	for (errno = 0; (entry = readdir(stream)); errno = 0) {
		ret = is_content(dirfd(stream), entry->d_name);
		if (ret < 0)
			return err_sys(err, -ret, "look into '%s/%s'", directory, entry->d_name);
		if (ret == 0)
			continue;
		if (name)
			snprintf(name, size, "%s", entry->d_name);
		return 1;
	}
	return errno ? err_sys(err, errno, "list '%s'", directory) : 0;
}

static int mark_path(const char *directory, struct root_path *out, struct err *err)
{
	return root_path(directory, "/" MARK, out, err);
}

int store_copy_unfinished(const char *directory, struct err *err)
{
	struct root_path mark;
	struct stat status;
	int ret = mark_path(directory, &mark, err);

	if (ret < 0)
		return ret;
	if (lstat(mark.text, &status) == 0)
		return 1;
	return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, errno, "look for '%s'", mark.text);
}

bool store_is_whole(enum store_kind kind, const char *directory)
{
	struct root_path path;
	struct stat status;
	struct err err;

	if (kind != STORE_CONTAINERD)
		return true;
	return root_path(directory, "/" META_DB, &path, &err) == 0 && lstat(path.text, &status) == 0 &&
	       S_ISREG(status.st_mode);
}

static int refuse_busy(struct err *err)
{
	err->code = EBUSY;
	err->status = ERR_REFUSED;
	return -EBUSY;
}

/* Return: 1 when bolt's lock is taken, 0 when it is free or there is no meta.db, or an error. */
static int is_locked(const char *directory, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct root_path path;
	int ret = root_path(directory, "/" META_DB, &path, err);

	if (ret < 0)
		return ret;
	fd = open(path.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, errno, "open '%s'", path.text);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? 1 : err_sys(err, errno, "lock '%s'", path.text);
}

int store_check_stopped(const char *root, enum store_kind kind, const char *directory, struct err *err)
{
	char who[128];
	int ret = users_find(root, directory, who, sizeof(who), err);

	if (ret < 0)
		return ret;
	if (ret == 1) {
		err_set(err, EBUSY, "%s is at work in '%s': stop it first", who, directory);
		return refuse_busy(err);
	}
	ret = kind == STORE_CONTAINERD ? is_locked(directory, err) : 0;
	if (ret == 1) {
		err_set(err, EBUSY, "%s holds the lock of '%s/" META_DB "': stop it first", kinds[kind].daemon,
			directory);
		return refuse_busy(err);
	}
	return ret;
}

static int refuse_taken(struct err *err)
{
	err->code = EEXIST;
	err->status = ERR_REFUSED;
	return -EEXIST;
}

/* The mark of another kind's copy is not ours to finish. */
static int check_mark(const struct store_move *move, const char *path, struct err *err)
{
	char found[MARK_MAX];
	struct stat status;
	int ret;

	if (lstat(path, &status) < 0)
		return err_sys(err, errno, "look at '%s'", path);
	if (!S_ISREG(status.st_mode))
		return err_refuse(err, "'%s' is no file of ours: nothing is copied beside it", path);
	ret = file_read_line(path, found, sizeof(found), err);
	if (ret < 0)
		return ret;
	if (strcmp(found, kinds[move->kind].name) == 0)
		return 0;
	err_set(err, EEXIST, "'%s' has an unfinished copy of '%s', not of %s", move->destination, found,
		kinds[move->kind].name);
	return refuse_taken(err);
}

/*
 * The database is the last file of a copy. One that is not a part of the source's is in use: somebody mounted the volume by
 * hand after the copy was cut short, and a daemon has worked on it since.
 */
static int check_database(const struct store_move *move, struct err *err)
{
	struct root_path copy;
	struct root_path source;
	int ret;

	if (!kinds[move->kind].last)
		return 0;
	if (root_pathf(move->destination, &copy, err, "/%s", kinds[move->kind].last) < 0 ||
	    root_pathf(move->source, &source, err, "/%s", kinds[move->kind].last) < 0)
		return -err->code;
	if (access(copy.text, F_OK) < 0 && errno == ENOENT)
		return 0;
	ret = file_is_part_of(copy.text, source.text, err);
	if (ret > 0)
		return 0;
	err_set(err, EEXIST, "'%s' has a copy that was cut short, but its database is not the one of '%s': it was used since",
		move->destination, move->source);
	return refuse_taken(err);
}

/* Before what a cut copy left is removed: all of it has to be in the source too, or else it is somebody's. */
static int check_leavings(const struct store_move *move, struct err *err)
{
	CLEANUP_CLOSEDIR DIR *directory = opendir(move->destination);
	const struct dirent *entry;
	struct root_path path;
	struct stat status;
	int ret;

	if (!directory)
		return err_sys(err, errno, "open '%s'", move->destination);
	for (errno = 0; (entry = readdir(directory)); errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    strncmp(entry->d_name, MARK, strlen(MARK)) == 0 || strcmp(entry->d_name, LOST) == 0)
			continue;
		ret = root_pathf(move->source, &path, err, "/%s", entry->d_name);
		if (ret < 0)
			return ret;
		if (lstat(path.text, &status) == 0)
			continue;
		err_set(err, EEXIST,
			"'%s' has a copy that was cut short, but also '%s', which is not in '%s': it is not removed",
			move->destination, entry->d_name, move->source);
		return refuse_taken(err);
	}
	return errno ? err_sys(err, errno, "read '%s'", move->destination) : check_database(move, err);
}

static int check_destination(const struct store_move *move, const char *mark, struct err *err)
{
	char name[NAME_MAX + 1];
	int ret = store_copy_unfinished(move->destination, err);

	if (ret < 0)
		return ret;
	if (ret == 1) {
		ret = check_mark(move, mark, err);
		if (ret < 0)
			return ret;
		ret = store_has_content(move->source, NULL, 0, err);
		if (ret != 0)
			return ret < 0 ? ret : check_leavings(move, err);
		err_set(err, EEXIST, "'%s' has a copy that was cut short, and there is nothing in '%s' to copy anew",
			move->destination, move->source);
		return refuse_taken(err);
	}
	ret = store_has_content(move->destination, name, sizeof(name), err);
	if (ret <= 0)
		return ret;
	err_set(err, EEXIST, "'%s' already holds '%s': nothing is copied over it", move->destination, name);
	return refuse_taken(err);
}

/* The mark goes when all is on the disk. Its removal changes the directory's times, which are part of the copy. */
static int remove_mark(const struct store_move *move, const char *mark, struct err *err)
{
	CLEANUP_CLOSE int fd = open(move->destination, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct timespec times[2];
	struct stat source;

	if (fd < 0 || stat(move->source, &source) < 0)
		return err_sys(err, errno, "open '%s'", move->destination);
	if (unlink(mark) < 0)
		return err_sys(err, errno, "remove '%s'", mark);
	times[0] = source.st_atim;
	times[1] = source.st_mtim;
	if (futimens(fd, times) < 0 || fsync(fd) < 0)
		return err_sys(err, errno, "sync '%s'", move->destination);
	return 0;
}

int store_move_onto(const struct store_move *move, uint64_t *files, uint64_t *bytes, struct err *err)
{
	static const char *const kept[] = { MARK, LOST, NULL };
	const struct kind *kind = &kinds[move->kind];
	struct treecopy_result copied;
	struct root_path mark;
	int ret = mark_path(move->destination, &mark, err);

	if (ret == 0)
		ret = check_destination(move, mark.text, err);
	if (ret == 0)
		ret = store_check_stopped(move->root, move->kind, move->source, err);
	if (ret < 0)
		return ret;
	supervise_stage("copy '%s' to '%s'", move->source, move->destination);
	ret = file_replace(mark.text, kind->name, strlen(kind->name), 0600, err);
	if (ret == 0)
		ret = treeclear_all_but(move->destination, kept, err);
	if (ret == 0)
		ret = treecopy_copy(move->source, move->destination, kind->last, &move->deadline, &copied, err);
	/* Whoever came while it was copied made the copy worthless; the mark stays. */
	if (ret == 0)
		ret = store_check_stopped(move->root, move->kind, move->source, err);
	if (ret == 0)
		ret = remove_mark(move, mark.text, err);
	if (ret < 0)
		return ret;
	*files = copied.files;
	*bytes = copied.bytes;
	return 0;
}
