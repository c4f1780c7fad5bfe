/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: one file of any kind copied with everything that is on it
 */
#ifndef NODEVOL_SYS_TREENODE_H
#define NODEVOL_SYS_TREENODE_H

#include <stdint.h>
#include <sys/stat.h>

#include "bootstrap/base/err.h"

/**
 * struct treenode - what to copy
 * @source: directory that it is in
 * @destination: directory that it is made in, which has nothing of that name
 * @name: in both
 * @stat: lstat() of it
 */
struct treenode {
	int source;
	int destination;
	const char *name;
	struct stat stat;
};

/**
 * treenode_copy - copy an ordinary file, symlink, fifo or device node
 * @node: which
 * @bytes: data bytes written are added
 * @err: what failed, without the path
 *
 * Holes stay holes. Between two filesystems copy_file_range() only moves the same pages through the kernel, so plain
 * reads and writes are used. A file that changes meanwhile is -ESTALE.
 *
 * Return: 0, -ENOSPC, -EIO, ...
 */
int treenode_copy(const struct treenode *node, uint64_t *bytes, struct err *err);

/*
 * Owner, mode, extended attributes and times of the directory @source, with the times in @stat, put on the directory
 * @destination, after all that is in it was made.
 */
int treenode_copy_directory(int source, int destination, const struct stat *stat, struct err *err);

#endif
