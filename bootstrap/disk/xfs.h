/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: making xfs, with mkfs.xfs (no library makes it)
 */
#ifndef NODEVOL_DISK_XFS_H
#define NODEVOL_DISK_XFS_H

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"
#include "bootstrap/disk/blank.h"

#define XFS_MIN_BYTES ((uint64_t)300 << 20) /* mkfs.xfs of xfsprogs 5.19 and later refuses less */
#define XFS_LABEL_MAX 12

/* Can it be made? Asked before anything is written. Return: 0, -ENOSPC too small, -EINVAL (ERR_USAGE) label too long. */
int xfs_check(uint64_t size_bytes, const char *label, struct err *err);

/**
 * xfs_make - a whole xfs on a device that the caller has found blank, or unfinished by ourselves
 * @device: held; its O_EXCL is given up while mkfs.xfs runs, its lock is not
 * @blank: what blank_check() said: zero, accepted noise, or our own unfinished xfs, whose leavings are wiped first, its
 *	   superblock last
 * @label: "" for none
 * @deadline: when mkfs.xfs is killed
 * @err: see below
 *
 * Never -f: mkfs.xfs looks for itself once more. -K: a fresh volume has nothing to discard.
 *
 * Return: 0, as xfs_check(), -ENOENT no mkfs.xfs (ERR_FAILED), -EPERM (ERR_REFUSED) mkfs.xfs found
 * something, -EIO it failed.
 */
int xfs_make(struct blkdev *device, const struct blank *blank, const char *label, const struct deadline *deadline,
	     struct err *err);

#endif
