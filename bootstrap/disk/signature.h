/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: what filesystems and partition tables leave where libblkid does not look
 *
 * ext4's backup superblocks, xfs's allocation-group headers, btrfs's mirrors, LUKS2's second header, a GPT's copy at the
 * end. A signature counts when its structure holds, so random bytes with a magic of two bytes in them are none. Offsets are
 * those of the filesystems' own headers: fs/ext4/ext4.h, fs/xfs/libxfs/xfs_format.h, include/uapi/linux/btrfs_tree.h of
 * the kernel, the LUKS2 on-disk format specification section 2.1, and the UEFI specification section 5.3.2.
 */
#ifndef NODEVOL_DISK_SIGNATURE_H
#define NODEVOL_DISK_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct signature - one that was recognised
 * @filesystem: "ext4" (for ext2 and ext3 too), "xfs", "btrfs", "LUKS" or "GPT"
 * @offset: where on the device
 * @sound: its checksum is right, or it has none
 * @copy: it says of itself that it is not the first of its filesystem
 * @in_progress: mkfs.xfs had not finished
 * @was_mounted: an ext4 that has a time or a count of mounts
 * @size_bytes: of the filesystem, 0 where it does not say
 * @label: "" for none
 * @uuid: as text, "" for none
 */
struct signature {
	char filesystem[8];
	uint64_t offset;
	bool sound;
	bool copy;
	bool in_progress;
	bool was_mounted;
	uint64_t size_bytes;
	char label[20];
	char uuid[40];
};

#define SIGNATURE_EXT_BYTES 1024
#define SIGNATURE_XFS_BYTES 512

/* An ext2, ext3 or ext4 superblock or its external journal's, SIGNATURE_EXT_BYTES long. @offset is only noted. */
bool signature_ext(const uint8_t *data, uint64_t offset, struct signature *out);

/* An xfs superblock; @length is what may be read, at least SIGNATURE_XFS_BYTES. */
bool signature_xfs(const uint8_t *data, size_t length, uint64_t offset, struct signature *out);

/**
 * signature_find - the first signature of any kind in a piece of a device
 * @data: the piece
 * @length: its length
 * @offset: where on the device it begins, a multiple of 512
 * @out: what was found
 */
bool signature_find(const uint8_t *data, size_t length, uint64_t offset, struct signature *out);

/* Copies text that was found on a disk: up to a NUL or @length, control characters replaced, cut to @size. */
void signature_text(char *out, size_t size, const void *from, size_t length);

#endif
