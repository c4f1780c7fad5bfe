/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: growing a mounted filesystem to the size of its device, by ioctl
 *
 * ext4: EXT4_IOC_RESIZE_FS, in blocks (fs/ext4/ioctl.c; needs CAP_SYS_RESOURCE). xfs: XFS_IOC_FSGROWFSDATA
 * (fs/xfs/xfs_ioctl.c; needs CAP_SYS_ADMIN). libext2fs has no resize.
 */
#ifndef NODEVOL_DISK_GROW_H
#define NODEVOL_DISK_GROW_H

#include <stdbool.h>
#include <stdint.h>

#include "bootstrap/base/err.h"

/**
 * struct grow - sizes in bytes
 * @device: of the device
 * @before: of the filesystem
 * @after: of the filesystem now; equal to @before when there was nothing to do, and after a dry run what it would be.
 *	   A remainder too small for what a further block group needs stays unused.
 */
struct grow {
	uint64_t device;
	uint64_t before;
	uint64_t after;
};

/**
 * grow_mounted - grow the filesystem mounted at @target to the size of its device
 * @target: its mount point
 * @source: node of its device
 * @filesystem: "ext4" or "xfs"
 * @dry_run: only say whether it would grow
 * @out: sizes
 * @err: filled on failure
 *
 * Return: 0 or a negative errno value: -EXDEV @source is not what is mounted there; -EPERM and -EACCES where the host
 * does not allow it.
 */
int grow_mounted(const char *target, const char *source, const char *filesystem, bool dry_run, struct grow *out,
		 struct err *err);

#endif
