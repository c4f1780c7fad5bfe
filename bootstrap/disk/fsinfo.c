/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/fsinfo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <blkid.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/disk/marker.h"
#include "bootstrap/disk/ondisk.h"
#include "bootstrap/sys/file.h"

#define SUPERBLOCK_BYTES 1024

/* Places in ext4's superblock, which is at byte 1024: Linux, Documentation/filesystems/ext4/super.rst. */
#define EXT4_PLACE	      1024
#define EXT4_BLOCKS	      0x04
#define EXT4_LOG_BLOCK_SIZE   0x18
#define EXT4_MAGIC	      0x38
#define EXT4_STATE	      0x3a
#define EXT4_INCOMPAT	      0x60
#define EXT4_UUID	      0x68
#define EXT4_LABEL	      0x78
#define EXT4_BLOCKS_HIGH      0x150
#define EXT4_MAGIC_VALUE      0xef53
#define EXT4_STATE_ERRORS     2
#define EXT4_INCOMPAT_EXTENTS 0x40
#define EXT4_INCOMPAT_64BIT   0x80

/* Places in xfs's superblock, which is at byte 0, big-endian: fs/xfs/libxfs/xfs_format.h, struct xfs_dsb. */
#define XFS_BLOCK_SIZE	0x04
#define XFS_BLOCKS	0x08
#define XFS_UUID	0x20
#define XFS_LABEL	0x6c
#define XFS_IN_PROGRESS 0x7e

static void name_it(const uint8_t *uuid, const uint8_t *label, int label_max, struct fsinfo *out)
{
	snprintf(out->uuid, sizeof(out->uuid), "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 uuid[0], uuid[1], uuid[2], uuid[3], uuid[4], uuid[5], uuid[6], uuid[7], uuid[8], uuid[9], uuid[10],
		 uuid[11], uuid[12], uuid[13], uuid[14], uuid[15]);
	snprintf(out->label, sizeof(out->label), "%.*s", label_max, (const char *)label);
}

static bool parse_ext4(const uint8_t *block, struct fsinfo *out)
{
	uint64_t blocks = ondisk_le32(block + EXT4_BLOCKS);
	uint32_t log_block_size = ondisk_le32(block + EXT4_LOG_BLOCK_SIZE);
	uint32_t incompat = ondisk_le32(block + EXT4_INCOMPAT);

	/* Without extents it is ext2 or ext3. */
	if (ondisk_le16(block + EXT4_MAGIC) != EXT4_MAGIC_VALUE || log_block_size > 6 || !(incompat & EXT4_INCOMPAT_EXTENTS))
		return false;
	if (incompat & EXT4_INCOMPAT_64BIT)
		blocks |= (uint64_t)ondisk_le32(block + EXT4_BLOCKS_HIGH) << 32;
	if (blocks > UINT64_MAX >> (10 + log_block_size))
		return false;
	snprintf(out->filesystem, sizeof(out->filesystem), "ext4");
	out->size_bytes = blocks << (10 + log_block_size);
	out->has_errors = ondisk_le16(block + EXT4_STATE) & EXT4_STATE_ERRORS;
	name_it(block + EXT4_UUID, block + EXT4_LABEL, 16, out);
	return true;
}

static bool parse_xfs(const uint8_t *block, struct fsinfo *out)
{
	uint64_t blocks = ondisk_be64(block + XFS_BLOCKS);
	uint32_t block_size = ondisk_be32(block + XFS_BLOCK_SIZE);

	if (memcmp(block, "XFSB", 4) != 0 || block_size < 512 || block_size > 65536 ||
	    (block_size & (block_size - 1)) || blocks > UINT64_MAX / block_size || block[XFS_IN_PROGRESS])
		return false;
	snprintf(out->filesystem, sizeof(out->filesystem), "xfs");
	out->size_bytes = blocks * block_size;
	name_it(block + XFS_UUID, block + XFS_LABEL, 12, out);
	return true;
}

static int look(int fd, struct fsinfo *out, bool *marked, struct err *err)
{
	uint8_t front[EXT4_PLACE + SUPERBLOCK_BYTES];
	struct marker marker;
	int ret = file_pread_all(fd, front, sizeof(front), 0);

	if (ret < 0)
		return err_sys(err, -ret, "read the superblock");
	*marked = marker_decode(front, &marker);
	return parse_xfs(front, out) || parse_ext4(front + EXT4_PLACE, out);
}

int fsinfo_superblock(int fd, struct fsinfo *out, struct err *err)
{
	bool marked;

	*out = (struct fsinfo){ 0 };
	return look(fd, out, &marked, err);
}

static const char *value_of(blkid_probe probe, const char *name)
{
	const char *value = NULL;

	return blkid_probe_lookup_value(probe, name, &value, NULL) == 0 ? value : NULL;
}

/*
 * Says in @out->found what libblkid sees. Return: true when that is one filesystem of the type in @out and nothing
 * else.
 */
static bool judge(blkid_probe probe, int probed, struct fsinfo *out)
{
	const char *type = probed == 0 ? value_of(probe, "TYPE") : NULL;
	const char *table = probed == 0 ? value_of(probe, "PTTYPE") : NULL;

	if (probed == -2)
		snprintf(out->found, sizeof(out->found), "more than one thing that libblkid knows");
	else if (!type && !table)
		snprintf(out->found, sizeof(out->found), "nothing that libblkid knows");
	else
		snprintf(out->found, sizeof(out->found), "%s%s%s%s", type ? type : "", type && table ? " and " : "",
			 table ? "a partition table of type " : "", table ? table : "");
	return type && !table && strcmp(type, out->filesystem) == 0;
}

static int ask_libblkid(int fd, bool *out, struct fsinfo *info, struct err *err)
{
	blkid_probe probe = blkid_new_probe();
	int probed;

	if (!probe)
		return err_sys(err, ENOMEM, "prepare libblkid");
	if (blkid_probe_set_device(probe, fd, 0, 0) != 0 || blkid_probe_enable_superblocks(probe, 1) != 0 ||
	    blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE) != 0 ||
	    blkid_probe_enable_partitions(probe, 1) != 0) {
		blkid_free_probe(probe);
		return err_set(err, EIO, "libblkid does not take the device");
	}
	errno = 0;
	probed = blkid_do_safeprobe(probe);
	if (probed == -1) {
		int code = errno ? errno : EIO;

		blkid_free_probe(probe);
		return err_sys(err, code, "probe the device");
	}
	*out = judge(probe, probed, info);
	blkid_free_probe(probe);
	return 0;
}

int fsinfo_probe(int fd, uint64_t device_bytes, struct fsinfo *out, struct err *err)
{
	bool marked = false;
	bool alone = false;
	int ret;

	*out = (struct fsinfo){ 0 };
	ret = look(fd, out, &marked, err);
	if (ret < 0 || (ret = ask_libblkid(fd, &alone, out, err)) < 0)
		return ret;
	if (!alone)
		return 0;
	if (marked)
		snprintf(out->found, sizeof(out->found), "%s whose making was cut short", out->filesystem);
	else if (out->size_bytes > device_bytes)
		snprintf(out->found, sizeof(out->found), "%s of %llu bytes, more than the device's %llu",
			 out->filesystem, (unsigned long long)out->size_bytes, (unsigned long long)device_bytes);
	else
		out->valid = true;
	return 0;
}
