/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: opening directories of a tree without leaving it
 */
#ifndef NODEVOL_SYS_TREEWALK_H
#define NODEVOL_SYS_TREEWALK_H

#include <dirent.h>
#include <sys/types.h>

/* Opens the directory @path. Return: a descriptor or -errno. */
int treewalk_open_top(const char *path);

/* Opens @name in @directory. Return: a descriptor; -EXDEV: it is a mount; -ELOOP, -ENOTDIR: it is no directory; ... */
int treewalk_open_child(int directory, const char *name);

/* Opens the parent of @directory, which has to be inode @ino. Return: a descriptor, -ESTALE: it was moved, ... */
int treewalk_open_parent(int directory, ino_t ino);

/* A stream over @directory, which stays open. Return: NULL with errno. */
DIR *treewalk_list(int directory);

/* The next name that is not "." or "..". Return: 1, 0 at the end, or -errno. */
int treewalk_next(DIR *stream, struct dirent **out);

/*
 * Opens the directory that holds the last part of @path below @top, however long @path is. Return: a descriptor or
 * -errno.
 */
int treewalk_open_folder_of(int top, const char *path);

#endif
