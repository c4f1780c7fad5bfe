/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: making ext4 in this process, with libext2fs
 */
#ifndef NODEVOL_DISK_EXT4_H
#define NODEVOL_DISK_EXT4_H

#include <stdint.h>

#include "bootstrap/base/err.h"
#include "bootstrap/disk/marker.h"

#define EXT4_MIN_BYTES ((uint64_t)64 << 20)
#define EXT4_LABEL_MAX 16

/* Can it be made? Asked before anything is written. Return: 0, -ENOSPC too small, -EINVAL (ERR_USAGE) label too long. */
int ext4_check(uint64_t size_bytes, const char *label, struct err *err);

/**
 * ext4_make - a whole ext4 on a device that the caller has found blank
 * @fd: blkdev_open_writer()'s
 * @marker: already on the device; its UUID and size are the filesystem's
 * @label: "" for none
 * @err: see below
 *
 * Order of writes, each synced before the next: metadata and backup superblocks; the primary superblock; the marker's
 * removal. Features are those that kernel 5.10 and e2fsprogs 1.46 take (no orphan_file, no metadata_csum_seed).
 *
 * Return: 0, as ext4_check(), write errors.
 */
int ext4_make(int fd, const struct marker *marker, const char *label, struct err *err);

#endif
