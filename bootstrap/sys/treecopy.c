/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/treecopy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/hardlinks.h"
#include "bootstrap/sys/treenode.h"
#include "bootstrap/sys/treewalk.h"

#define PATH_BYTES_MAX	(1 << 20)
#define NAMES_BYTES_MAX (64 << 20)

/**
 * struct level - a directory on the way from the top to where the copy is
 * @subdirectories: their names, each with its NUL
 * @next: where in there the next to be entered begins
 * @stat: of the directory copied
 * @made: inode of its copy
 * @path_length: of its path
 */
struct level {
	struct buf subdirectories;
	size_t next;
	struct stat stat;
	ino_t made;
	size_t path_length;
};

/**
 * struct copy - one treecopy_copy() at work
 * @source: where it is
 * @destination: the same place in the copy
 * @top: of the copy
 * @path: of where it is, relative to the top
 * @levels: from the top to where it is
 * @depth: how many
 * @allocated: room in @levels
 * @last: see treecopy_copy()
 * @deadline: see treecopy_copy()
 * @links: files with several names
 * @result: counts
 */
struct copy {
	int source;
	int destination;
	int top;
	struct buf path;
	struct level *levels;
	size_t depth;
	size_t allocated;
	const char *last;
	const struct deadline *deadline;
	struct hardlinks links;
	struct treecopy_result result;
};

static void copy_done(struct copy *copy)
{
	cleanup_close(&copy->source);
	cleanup_close(&copy->destination);
	cleanup_close(&copy->top);
	buf_done(&copy->path);
	for (size_t i = 0; i < copy->depth; i++)
		buf_done(&copy->levels[i].subdirectories);
	free(copy->levels);
	hardlinks_done(&copy->links);
}

static int push(struct copy *copy, const struct stat *stat, struct err *err)
{
	struct level *level;
	struct stat made;

	if (copy->depth == copy->allocated) {
		size_t allocated = copy->allocated ? copy->allocated * 2 : 32;
		struct level *levels = realloc(copy->levels, allocated * sizeof(*levels));

		if (!levels)
			return err_sys(err, ENOMEM, "descend");
		copy->levels = levels;
		copy->allocated = allocated;
	}
	if (fstat(copy->destination, &made) < 0)
		return err_sys(err, errno, "look at the copy");
	level = &copy->levels[copy->depth++];
	*level = (struct level){ .stat = *stat, .made = made.st_ino, .path_length = copy->path.length };
	buf_init(&level->subdirectories, NAMES_BYTES_MAX);
	return 0;
}

static int path_add(struct copy *copy, const char *name, struct err *err)
{
	if (buf_printf(&copy->path, "%s%s", copy->path.length ? "/" : "", name) < 0)
		return err_set(err, ENAMETOOLONG, "the path is too long");
	return 0;
}

static void path_cut(struct copy *copy, size_t length)
{
	copy->path.length = length;
	copy->path.data[length] = '\0';
}

static const char *path_text(const struct copy *copy)
{
	return copy->path.length ? copy->path.data : ".";
}

/*
 * Gives the file one more name in the copy. Return: 1 when that was possible, 0 when it has to be copied, or an error.
 */
static int link_copy(struct copy *copy, const struct treenode *node, struct err *err)
{
	const char *first = hardlinks_find(&copy->links, node->stat.st_ino);
	CLEANUP_CLOSE int folder = -1;
	const char *name;

	if (!first)
		return 0;
	folder = treewalk_open_folder_of(copy->top, first);
	if (folder < 0)
		return err_sys(err, -folder, "find its first copy '%s'", first);
	name = strrchr(first, '/') ? strrchr(first, '/') + 1 : first;
	if (linkat(folder, name, node->destination, node->name, 0) < 0)
		/* One whiteout may have more names on one filesystem than another takes. */
		return errno == EMLINK ? 0 : err_sys(err, errno, "link it to '%s'", first);
	return 1;
}

/* The file @copy->path names. */
static int copy_file(struct copy *copy, const struct treenode *node, struct err *err)
{
	bool has_names = node->stat.st_nlink > 1;
	int ret = has_names ? link_copy(copy, node, err) : 0;

	if (ret < 0)
		return ret;
	copy->result.files++;
	if (ret == 1) {
		hardlinks_used(&copy->links, node->stat.st_ino);
		return 0;
	}
	ret = treenode_copy(node, &copy->result.bytes, err);
	if (ret == 0 && has_names &&
	    hardlinks_add(&copy->links, node->stat.st_ino, node->stat.st_nlink - 1, copy->path.data) < 0)
		ret = err_sys(err, ENOMEM, "remember its name");
	return ret;
}

static int copy_entry(struct copy *copy, const char *name, struct level *level, struct err *err)
{
	struct treenode node = { .source = copy->source, .destination = copy->destination, .name = name };
	int ret;

	if (!deadline_left_ms(copy->deadline))
		return err_set(err, ETIMEDOUT, "the deadline passed after %" PRIu64 " files and %" PRIu64 " bytes",
			       copy->result.files, copy->result.bytes);
	if (fstatat(copy->source, name, &node.stat, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "look at it");
	if (S_ISDIR(node.stat.st_mode)) {
		ret = buf_add(&level->subdirectories, name, strlen(name) + 1);
		return ret < 0 ? err_sys(err, -ret, "remember a directory") : 0;
	}
	if (S_ISSOCK(node.stat.st_mode) || node.stat.st_dev != level->stat.st_dev)
		return 0;
	if (copy->last && strcmp(copy->last, copy->path.data) == 0)
		return 0;
	return copy_file(copy, &node, err);
}

/* Copies all that is here but directories, and notes these. */
static int copy_here(struct copy *copy, struct err *err)
{
	CLEANUP_CLOSEDIR DIR *stream = treewalk_list(copy->source);
	struct level *level = &copy->levels[copy->depth - 1];
	struct dirent *entry;
	int ret;

	if (!stream)
		return err_sys(err, errno, "list it");
	while ((ret = treewalk_next(stream, &entry)) == 1) {
		ret = path_add(copy, entry->d_name, err);
		if (ret == 0)
			ret = copy_entry(copy, entry->d_name, level, err);
		if (ret < 0)
			return ret;
		path_cut(copy, level->path_length);
	}
	return ret < 0 ? err_sys(err, -ret, "list it") : 0;
}

/* Makes the directory and goes into it. A mount is left empty. */
static int enter(struct copy *copy, const char *name, struct err *err)
{
	CLEANUP_CLOSE int source = treewalk_open_child(copy->source, name);
	CLEANUP_CLOSE int destination = -1;
	struct stat status;
	int ret;

	if (source == -EXDEV) {
		if (mkdirat(copy->destination, name, 0755) < 0)
			return err_sys(err, errno, "make the directory");
		path_cut(copy, copy->levels[copy->depth - 1].path_length);
		return 0;
	}
	if (source < 0 || fstat(source, &status) < 0)
		return err_sys(err, source < 0 ? -source : errno, "open the directory");
	/* The top of a fresh ext4 has a lost+found of its own. */
	if (mkdirat(copy->destination, name, 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "make the directory");
	destination = treewalk_open_child(copy->destination, name);
	if (destination < 0)
		return err_sys(err, -destination, "open the directory that was made");
	close(copy->source);
	copy->source = TAKE_FD(source);
	close(copy->destination);
	copy->destination = TAKE_FD(destination);
	ret = push(copy, &status, err);
	return ret < 0 ? ret : copy_here(copy, err);
}

/* All below is done: puts the attributes on and goes up. */
static int leave(struct copy *copy, struct err *err)
{
	struct level *level = &copy->levels[copy->depth - 1];
	int source;
	int destination;
	int ret = treenode_copy_directory(copy->source, copy->destination, &level->stat, err);

	if (ret < 0)
		return ret;
	buf_done(&level->subdirectories);
	if (--copy->depth == 0)
		return 0;
	level--;
	source = treewalk_open_parent(copy->source, level->stat.st_ino);
	if (source < 0)
		return err_sys(err, -source, "go up");
	close(copy->source);
	copy->source = source;
	destination = treewalk_open_parent(copy->destination, level->made);
	if (destination < 0)
		return err_sys(err, -destination, "go up in the copy");
	close(copy->destination);
	copy->destination = destination;
	path_cut(copy, level->path_length);
	return 0;
}

static int copy_tree(struct copy *copy, struct err *err)
{
	struct stat status;
	int ret;

	if (fstat(copy->source, &status) < 0)
		return err_sys(err, errno, "look at it");
	ret = push(copy, &status, err);
	if (ret == 0)
		ret = copy_here(copy, err);
	while (ret == 0 && copy->depth) {
		struct level *level = &copy->levels[copy->depth - 1];
		const char *name = level->subdirectories.data + level->next;

		if (level->next == level->subdirectories.length) {
			ret = leave(copy, err);
			continue;
		}
		level->next += strlen(name) + 1;
		ret = path_add(copy, name, err);
		if (ret == 0)
			ret = enter(copy, name, err);
	}
	return ret;
}

/* The last file changes its folder's times once more, so they are put back. */
static int copy_last(struct copy *copy, int top, struct err *err)
{
	CLEANUP_CLOSE int source = treewalk_open_folder_of(top, copy->last);
	CLEANUP_CLOSE int destination = -1;
	struct treenode node = { .source = source, .name = copy->last };
	struct stat folder;
	int ret;

	if (source == -ENOENT)
		return 0;
	if (source < 0 || fstat(source, &folder) < 0)
		return err_sys(err, source < 0 ? -source : errno, "open its directory");
	if (strrchr(node.name, '/'))
		node.name = strrchr(node.name, '/') + 1;
	if (fstatat(source, node.name, &node.stat, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "look at it");
	destination = treewalk_open_folder_of(copy->top, copy->last);
	if (destination < 0)
		return err_sys(err, -destination, "open the directory of its copy");
	node.destination = destination;
	ret = copy_file(copy, &node, err);
	return ret < 0 ? ret : treenode_copy_directory(source, destination, &folder, err);
}

static int sync_copy(const struct copy *copy, struct err *err)
{
	if (syncfs(copy->top) < 0)
		return err_sys(err, errno, "sync the copy");
	return 0;
}

int treecopy_copy(const char *source, const char *destination, const char *last, const struct deadline *deadline,
		  struct treecopy_result *out, struct err *err)
{
	CLEANUP(copy_done) struct copy copy = {
		.source = -1, .destination = -1, .top = -1, .last = last, .deadline = deadline,
	};
	CLEANUP_CLOSE int top = treewalk_open_top(source);
	int ret;

	buf_init(&copy.path, PATH_BYTES_MAX);
	copy.top = treewalk_open_top(destination);
	if (top < 0 || copy.top < 0)
		return err_sys(err, top < 0 ? -top : -copy.top, "open '%s'", top < 0 ? source : destination);
	copy.source = treewalk_open_top(source);
	copy.destination = treewalk_open_top(destination);
	if (copy.source < 0 || copy.destination < 0)
		return err_sys(err, EIO, "open '%s' again", copy.source < 0 ? source : destination);
	ret = copy_tree(&copy, err);
	if (ret < 0)
		return err_wrap(err, "copy '%s/%s'", source, path_text(&copy));
	ret = sync_copy(&copy, err);
	if (ret < 0 || !last)
		goto out;
	ret = path_add(&copy, last, err);
	if (ret == 0)
		ret = copy_last(&copy, top, err);
	if (ret < 0)
		return err_wrap(err, "copy '%s/%s'", source, last);
	ret = sync_copy(&copy, err);
out:
	if (ret == 0)
		*out = copy.result;
	return ret < 0 ? err_wrap(err, "copy '%s' to '%s'", source, destination) : 0;
}
