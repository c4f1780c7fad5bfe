/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/treeclear.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/treewalk.h"

#define PATH_BYTES_MAX (1 << 20)

/**
 * struct clear - one treeclear_all_but() at work: it goes down to a directory without directories and back up
 * @directory: where it is
 * @depth: how far below the top
 * @path: of where it is, relative to the top: "a/b"
 * @inodes: of the directories on the way, the top first
 */
struct clear {
	int directory;
	size_t depth;
	struct buf path;
	struct buf inodes;
};

static void clear_done(struct clear *clear)
{
	cleanup_close(&clear->directory);
	buf_done(&clear->path);
	buf_done(&clear->inodes);
}

static bool is_kept(const char *name, const char *const *keep)
{
	for (; *keep; keep++)
		if (strcmp(name, *keep) == 0)
			return true;
	return false;
}

/* Return: 1 when @name was removed, 0 when it is a directory, or an error. */
static int remove_file(int directory, const char *name, struct err *err)
{
	if (unlinkat(directory, name, 0) == 0)
		return 1;
	return errno == EISDIR ? 0 : err_sys(err, errno, "remove '%s'", name);
}

static int descend(struct clear *clear, const char *name, struct err *err)
{
	int next = treewalk_open_child(clear->directory, name);
	struct stat status;

	if (next < 0)
		return err_sys(err, -next, "open '%s'", name);
	if (fstat(clear->directory, &status) < 0 ||
	    buf_add(&clear->inodes, &status.st_ino, sizeof(status.st_ino)) < 0 ||
	    buf_printf(&clear->path, "%s%s", clear->depth ? "/" : "", name) < 0) {
		close(next);
		return err_set(err, ENAMETOOLONG, "'%s' is too deep", name);
	}
	close(clear->directory);
	clear->directory = next;
	clear->depth++;
	return 1;
}

/* Removes the files here. Return: 1 when it went down into a directory, 0 when none is left, or an error. */
static int clear_here(struct clear *clear, const char *const *keep, struct err *err)
{
	CLEANUP_CLOSEDIR DIR *stream = treewalk_list(clear->directory);
	struct dirent *entry;
	int ret;

	if (!stream)
		return err_sys(err, errno, "list it");
	while ((ret = treewalk_next(stream, &entry)) == 1) {
		if (clear->depth == 0 && is_kept(entry->d_name, keep))
			continue;
		ret = remove_file(clear->directory, entry->d_name, err);
		if (ret == 0)
			return descend(clear, entry->d_name, err);
		if (ret < 0)
			return ret;
	}
	return ret < 0 ? err_sys(err, -ret, "list it") : 0;
}

static int ascend(struct clear *clear, struct err *err)
{
	char *name = strrchr(clear->path.data, '/');
	ino_t ino;
	int up;

	clear->inodes.length -= sizeof(ino);
	memcpy(&ino, clear->inodes.data + clear->inodes.length, sizeof(ino));
	up = treewalk_open_parent(clear->directory, ino);
	if (up < 0)
		return err_sys(err, -up, "go up");
	close(clear->directory);
	clear->directory = up;
	clear->depth--;
	name = name ? name + 1 : clear->path.data;
	if (unlinkat(up, name, AT_REMOVEDIR) < 0)
		return err_sys(err, errno, "remove it");
	clear->path.length = name == clear->path.data ? 0 : (size_t)(name - clear->path.data) - 1;
	clear->path.data[clear->path.length] = '\0';
	return 0;
}

int treeclear_all_but(const char *directory, const char *const *keep, struct err *err)
{
	CLEANUP(clear_done) struct clear clear = { .directory = treewalk_open_top(directory) };
	int ret;

	buf_init(&clear.path, PATH_BYTES_MAX);
	buf_init(&clear.inodes, PATH_BYTES_MAX * sizeof(ino_t) / 2);
	if (clear.directory < 0)
		return err_sys(err, -clear.directory, "open '%s'", directory);
	for (;;) {
		ret = clear_here(&clear, keep, err);
		if (ret == 0 && clear.depth == 0)
			return 0;
		if (ret == 0)
			ret = ascend(&clear, err);
		if (ret < 0)
			return err_wrap(err, "empty '%s/%s'", directory, clear.path.data);
	}
}
