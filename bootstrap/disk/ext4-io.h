/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: how libext2fs writes to a device that we hold
 *
 * An I/O manager of libext2fs over a descriptor that is already open. It never touches the first kilobyte, where the
 * marker is, and keeps the primary superblock (the second kilobyte) in memory until ext4_io_commit(), so that a device
 * has no superblock before everything that the superblock promises is on it.
 */
#ifndef NODEVOL_DISK_EXT4_IO_H
#define NODEVOL_DISK_EXT4_IO_H

#include <stdint.h>

#include <ext2fs/ext2fs.h>

#include "bootstrap/base/err.h"

#define EXT4_IO_NAME_MAX 16

/* For ext2fs_initialize(), with the name that ext4_io_name() makes of a descriptor. */
io_manager ext4_io_manager(void);
void ext4_io_name(int fd, char out[EXT4_IO_NAME_MAX]);

/* Syncs what was written, writes the primary superblock, syncs again. */
int ext4_io_commit(io_channel channel, struct err *err);

/* The errno value of the first write or read that failed, 0 for none: libext2fs does not always hand it on. */
int ext4_io_error(io_channel channel);

/* Bytes written so far. */
uint64_t ext4_io_written(io_channel channel);

#endif
