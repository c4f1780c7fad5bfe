/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: a directory tree copied whole: hard links, extended attributes (SELinux labels, ACLs and overlayfs's own among
 * them), device nodes, owners, modes, times and holes
 *
 * Two directories are open at a time however deep the tree is, memory is that of the names of the subdirectories on the
 * way and of files with several names. No symlink is followed and no mount is entered, bind mounts among them
 * (openat2(2), RESOLVE_NO_XDEV): the directory that one is mounted on is made, empty. Sockets are not copied: without
 * the process that listens they are nothing.
 */
#ifndef NODEVOL_SYS_TREECOPY_H
#define NODEVOL_SYS_TREECOPY_H

#include <stdbool.h>
#include <stdint.h>

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"

/**
 * struct treecopy_result - what was copied
 * @files: names of any kind, directories not counted
 * @bytes: data bytes written
 */
struct treecopy_result {
	uint64_t files;
	uint64_t bytes;
};

/**
 * treecopy_copy - copy what is in @source into @destination
 * @source: directory; mounts below it are not entered
 * @destination: existing directory; its own owner, mode and attributes become those of @source
 * @last: path of one file relative to @source that is copied after all others are synced, NULL for none; it need not be
 *	  there
 * @deadline: when to give up, looked at before each file
 * @out: counts
 * @err: filled on failure, with the path
 *
 * Everything is on the disk when it returns 0.
 *
 * Return: 0, -ETIMEDOUT (ERR_RETRY), -ENOSPC, -EIO, -ESTALE something changed meanwhile, ... The destination is then
 * partly filled; the caller's marker says so.
 */
int treecopy_copy(const char *source, const char *destination, const char *last, const struct deadline *deadline,
		  struct treecopy_result *out, struct err *err);

#endif
