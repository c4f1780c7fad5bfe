/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: small files, read whole or replaced whole
 */
#ifndef NODEVOL_SYS_FILE_H
#define NODEVOL_SYS_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/err.h"

/* Appends the whole of @path to @out. Return: 0, -ENOENT (err status ERR_FAILED), -EMSGSIZE over @out's maximum, ... */
int file_read(const char *path, struct buf *out, struct err *err);

/* One line of a sysfs or proc file into @out, blanks at both ends cut off. Return: 0, -ENOENT, ... */
int file_read_line(const char *path, char *out, size_t size, struct err *err);

/*
 * Replaces @path by rename, synced, with mode @mode; whoever reads it sees the old file or the new one. Nothing is left
 * behind on failure. Return: 0, -ENOSPC, ...
 */
int file_replace(const char *path, const void *data, size_t length, mode_t mode, struct err *err);

/* mkdir -p with mode 0755, refusing a symlink on the way from @root (which is trusted) on: -ELOOP, ERR_REFUSED. */
int file_make_directories(const char *root, const char *path, struct err *err);

/* pread() and pwrite() until all is done; a short read at the end of the file is -EIO. */
int file_pread_all(int fd, void *data, size_t length, off_t offset);
int file_pwrite_all(int fd, const void *data, size_t length, off_t offset);

/*
 * Could @part be what is left of a copy of @whole that was cut short: not longer, and wherever it is not zero, the same?
 * Both are ordinary files. Return: 1, 0 (also for another kind of file), -ENOENT when @part is not there, or an error.
 */
int file_is_part_of(const char *part, const char *whole, struct err *err);

#endif
