/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the mark of a format that has begun
 *
 * In the first kilobyte of a device, which ext4 leaves free (fs/ext4: the superblock is at byte 1024). It is synced before
 * anything else is written and removed after the superblock, which is written last: so whatever moment the power goes,
 * the device is blank, marked, or whole. It names the disk and its size, so a clone of another size or another disk's
 * copy is not taken for ours. A disk without a name (no EBS volume or NVMe disk is, but loop devices are) has the name "": its
 * marker is trusted on any other disk without a name of the same size, and two such disks get filesystems of one UUID.
 */
#ifndef NODEVOL_DISK_MARKER_H
#define NODEVOL_DISK_MARKER_H

#include <stdbool.h>
#include <stdint.h>

#include "bootstrap/base/err.h"
#include "bootstrap/disk/blkdev.h"

#define MARKER_BYTES	 1024
#define MARKER_UUID_SIZE 37 /* of a UUID as text, NUL included */

/**
 * struct marker - what it says
 * @filesystem: "ext4" or "xfs"
 * @uuid: of the filesystem that is being made; backup superblocks of a cut format carry it
 * @identity: struct blkdev's
 * @size_bytes: of the device
 */
struct marker {
	char filesystem[8];
	uint8_t uuid[16];
	char identity[BLKDEV_IDENTITY_MAX];
	uint64_t size_bytes;
};

/* Fills @out for @device; the UUID is derived from identity, size and filesystem, so that a redone format has the same. */
int marker_make(const struct blkdev *device, const char *filesystem, struct marker *out, struct err *err);

/* The UUID as people and libblkid write it, in lower case. */
void marker_uuid_text(const struct marker *marker, char out[MARKER_UUID_SIZE]);

/* The MARKER_BYTES that stand for @marker, checksum included. */
int marker_encode(const struct marker *marker, uint8_t out[MARKER_BYTES], struct err *err);

/* Return: true when @block is a whole marker with its checksum right. */
bool marker_decode(const uint8_t block[MARKER_BYTES], struct marker *out);

/* Return: true when @marker is about this device: identity and size both fit. */
bool marker_fits(const struct marker *marker, const struct blkdev *device);

/* Write it and sync; clear it and sync. @fd is blkdev_open_writer()'s. */
int marker_write(int fd, const struct marker *marker, struct err *err);
int marker_clear(int fd, struct err *err);

#endif
