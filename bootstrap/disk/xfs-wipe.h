/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: taking away what a mkfs.xfs that was cut short has left
 */
#ifndef NODEVOL_DISK_XFS_WIPE_H
#define NODEVOL_DISK_XFS_WIPE_H

#include "bootstrap/base/err.h"
#include "bootstrap/disk/blkdev.h"
#include "bootstrap/disk/marker.h"

/**
 * xfs_wipe_leavings - make a device with an unfinished xfs of ours as blank as it was
 * @device: held
 * @marker: of the xfs that was being made; its UUID has to be the superblock's
 * @err: see below
 *
 * mkfs.xfs writes the head of each allocation group, the log, the root inodes and both ends, after a superblock with
 * sb_inprogress set (xfsprogs, mkfs/xfs_mkfs.c), which says where all of these are. They get zeros; where a device reads
 * as noise, they get noise, but for the ends, so that the device stays what blank_check() knows. The superblock goes last,
 * after a sync: wiping that is cut short is begun again.
 *
 * Return: 0, -EPERM (ERR_REFUSED) when the superblock is not what it should be or the xfs was ever mounted, read and write
 * errors.
 */
int xfs_wipe_leavings(const struct blkdev *device, const struct marker *marker, struct err *err);

#endif
