/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: a block device that is held while we look at it and write to it
 *
 * From the first look to the last write it is one open file description: a device that is swapped under its name in
 * between can not be mistaken for the one that was probed. Two descriptors are held. @lock_fd has the BSD lock that
 * systemd-udevd honours on whole disks (systemd, docs/BLOCK_DEVICE_LOCKING.md), so that nobody probes or claims a
 * device half made. @fd has O_EXCL, which the kernel grants on a block device only when nothing has it mounted or
 * claimed (block/bdev.c, bd_prepare_to_claim()), and O_DIRECT, so that what is read is on the device and not in a cache.
 */
#ifndef NODEVOL_DISK_BLKDEV_H
#define NODEVOL_DISK_BLKDEV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"

#define BLKDEV_PATH_MAX     256
#define BLKDEV_IDENTITY_MAX 64

/**
 * struct blkdev - a held device
 * @path: as it was opened, for messages and for children
 * @identity: what names this disk for ever: the volume id, else the NVMe serial, else "". Set by the caller after
 *	      opening (ebs/device.c does); markers and derived UUIDs are made from it.
 * @fd: O_RDONLY, O_EXCL, O_DIRECT; -1 after blkdev_yield()
 * @lock_fd: O_RDONLY, locked
 * @rdev: device number
 * @size_bytes: capacity
 * @sector_bytes: logical sector, the alignment of direct reads
 * @read_only: the kernel says so
 */
struct blkdev {
	char path[BLKDEV_PATH_MAX];
	char identity[BLKDEV_IDENTITY_MAX];
	int fd;
	int lock_fd;
	dev_t rdev;
	uint64_t size_bytes;
	uint32_t sector_bytes;
	bool read_only;
};

#define BLKDEV_INIT { .fd = -1, .lock_fd = -1 }

/**
 * blkdev_open - hold a whole disk
 * @root: the host's root, for sysfs
 * @path: the device node as seen from here, no symlink is refused but what it leads to is what @out->path says
 * @deadline: another holder of the lock is waited for until then (udev's probing takes milliseconds)
 * @out: closed by blkdev_close()
 * @err: see below
 *
 * Return: 0, or -ENOTBLK not a block device (ERR_USAGE), -EPERM (ERR_REFUSED): a partition, a disk with partitions that
 * the kernel sees, mounted, claimed by another program or held by another device (sysfs holders); -ETIMEDOUT locked by
 * somebody else; -ENOENT (ERR_ABSENT); other errors of open().
 */
int blkdev_open(const char *root, const char *path, const struct deadline *deadline, struct blkdev *out,
		struct err *err);

/* An ordinary file in place of a disk, for image files and tests: same shape, no locks but O_DIRECT where it works. */
int blkdev_open_image(const char *path, struct blkdev *out, struct err *err);

void blkdev_close(struct blkdev *device);

/*
 * A second descriptor for buffered reading, for libraries that can not read with O_DIRECT, made like blkdev_open_writer()'s.
 * What the page cache held of the device is dropped first, so that what is read comes from the disk.
 */
int blkdev_open_reader(const struct blkdev *device, int *out, struct err *err);

/*
 * A second descriptor of the same device for buffered writing, made from the held one through /proc/self/fd and checked
 * to have the same device number. Closed by the caller, after fsync(). Return: 0 or -EROFS (ERR_REFUSED), ...
 */
int blkdev_open_writer(const struct blkdev *device, int *out, struct err *err);

/* Gives up O_EXCL but not the lock, for a child that wants O_EXCL itself (mkfs.xfs), and takes it again after it. */
void blkdev_yield(struct blkdev *device);
int blkdev_retake(struct blkdev *device, struct err *err);

/* Read-ahead of the device in KiB; the kernel counts in 512-byte units (BLKRAGET, BLKRASET). @fd is any open descriptor. */
int blkdev_read_ahead_kib(int fd, uint32_t *out, struct err *err);
int blkdev_set_read_ahead_kib(int fd, uint32_t kib, struct err *err);

/* Puts "/dev/sdb" and "/dev/xvdb", "sdb", "xvdb" and the like into one form, "sdb": they are one name to EC2. */
void blkdev_normalise_name(const char *name, char *out, size_t size);

#define CLEANUP_BLKDEV __attribute__((cleanup(blkdev_close)))

#endif
