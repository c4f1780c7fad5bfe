/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: where the first copy of a file with several names went
 */
#ifndef NODEVOL_SYS_HARDLINKS_H
#define NODEVOL_SYS_HARDLINKS_H

#include <sys/types.h>

/**
 * struct hardlinks - inodes of which not all names have been met yet; {0} to begin with
 * @tree: tsearch(3)'s
 */
struct hardlinks {
	void *tree;
};

/* The path that was remembered for inode @ino, NULL for none; once all its names were asked for it is forgotten. */
const char *hardlinks_find(const struct hardlinks *links, ino_t ino);

/* Remembers (or replaces) where inode @ino, which has @names more names, can be linked from. Return: 0 or -ENOMEM. */
int hardlinks_add(struct hardlinks *links, ino_t ino, nlink_t names, const char *path);

/* One more name of @ino was made; after the last one its memory is given back. */
void hardlinks_used(struct hardlinks *links, ino_t ino);

/* Gives back what is still remembered. */
void hardlinks_done(struct hardlinks *links);

#endif
