/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/ext4.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/log.h"
#include "bootstrap/disk/ext4-io.h"

#define BLOCK_BYTES	   4096
#define INODE_BYTES	   256
#define GROUPS_PER_FLEX_LOG 4
#define LOST_FOUND_BYTES   (16 * 1024)
#define MIB		   ((uint64_t)1 << 20)
#define TIB		   ((uint64_t)1 << 40)

/* Where the first transaction's number is in a journal's superblock (fs/jbd2: struct journal_superblock_s, s_sequence). */
#define JOURNAL_SEQUENCE_OFFSET 24

/*
 * One 4 KiB block size for all sizes: mke2fs takes 1 KiB below 512 MiB, where no EBS volume is, and a device with 4 KiB
 * sectors can not have that. Bytes per inode are mke2fs's by size (mke2fs.conf of e2fsprogs: small, default, big, huge).
 */
static uint64_t bytes_per_inode(uint64_t size_bytes)
{
	if (size_bytes < 512 * MIB)
		return 4096;
	if (size_bytes < 4 * TIB)
		return 16384;
	return size_bytes < 16 * TIB ? 32768 : 65536;
}

/*
 * What mke2fs 1.46 and 1.47 make by default in common: kernel 5.10 mounts all of it. Nothing is reserved for root (mke2fs:
 * 5 %): that is for system disks whose daemons must go on when users have filled them, and on a data volume of a node it
 * would only be lost, 51 GiB of each TiB.
 */
static void describe(uint64_t size_bytes, struct ext2_super_block *out)
{
	uint64_t blocks = size_bytes / BLOCK_BYTES;
	uint64_t inodes = size_bytes / bytes_per_inode(size_bytes);

	*out = (struct ext2_super_block){
		.s_rev_level = EXT2_DYNAMIC_REV,
		.s_log_block_size = 2,
		.s_log_cluster_size = 2,
		.s_inode_size = INODE_BYTES,
		.s_inodes_count = inodes < UINT32_MAX ? (uint32_t)inodes : UINT32_MAX,
		.s_log_groups_per_flex = GROUPS_PER_FLEX_LOG,
		.s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL,
		.s_feature_compat = EXT2_FEATURE_COMPAT_DIR_INDEX | EXT2_FEATURE_COMPAT_EXT_ATTR,
		.s_feature_incompat = EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS |
				      EXT4_FEATURE_INCOMPAT_FLEX_BG | EXT4_FEATURE_INCOMPAT_64BIT,
		.s_feature_ro_compat = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
				       EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
				       EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM,
	};
	/* The resize inode has 32-bit block numbers; beyond them the kernel grows with meta_bg. */
	if (blocks <= UINT32_MAX)
		out->s_feature_compat |= EXT2_FEATURE_COMPAT_RESIZE_INODE;
	ext2fs_blocks_count_set(out, blocks);
}

/* The filesystem's own values, which ext2fs_initialize() does not take from the description. */
static int personalise(ext2_filsys fs, const struct marker *marker, const char *label, struct err *err)
{
	struct ext2_super_block *super = fs->super;

	if (getrandom(super->s_hash_seed, sizeof(super->s_hash_seed), 0) != (ssize_t)sizeof(super->s_hash_seed))
		return err_sys(err, errno, "draw a hash seed");
	memcpy(super->s_uuid, marker->uuid, sizeof(super->s_uuid));
	memcpy(super->s_volume_name, label, strnlen(label, EXT4_LABEL_MAX));
	super->s_def_hash_version = EXT2_HASH_HALF_MD4;
	super->s_checksum_type = EXT2_CRC32C_CHKSUM;
	super->s_max_mnt_count = (uint16_t)-1;
	super->s_kbytes_written = 1;
	ext2fs_init_csum_seed(fs);
	return 0;
}

/*
 * Only the blocks that hold the reserved inodes are written. The rest of the tables is marked as not initialised in the
 * group descriptors, whose checksums cover that, and the kernel zeroes it after the first mount (fs/ext4/ialloc.c,
 * ext4_init_inode_table()): what is in there now, zeros or noise, nobody reads.
 */
static errcode_t write_reserved_inodes(ext2_filsys fs)
{
	uint32_t first = EXT2_FIRST_INO(fs->super);
	uint32_t bytes = first * EXT2_INODE_SIZE(fs->super);
	CLEANUP_FREE struct ext2_inode *empty = calloc(1, EXT2_INODE_SIZE(fs->super));
	errcode_t code;

	if (!empty)
		return ENOMEM;
	code = ext2fs_zero_blocks2(fs, ext2fs_inode_table_loc(fs, 0), (int)((bytes + BLOCK_BYTES - 1) / BLOCK_BYTES), NULL,
				   NULL);
	for (ext2_ino_t inode = 1; !code && inode < first; inode++)
		code = ext2fs_write_inode_full(fs, inode, empty, EXT2_INODE_SIZE(fs->super));
	return code;
}

/* lost+found is grown now, because e2fsck has nowhere to take blocks from when it needs them. */
static errcode_t make_directories(ext2_filsys fs)
{
	static const char name[] = "lost+found";
	ext2_ino_t inode;
	errcode_t code;

	code = ext2fs_mkdir(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, NULL);
	if (code)
		return code;
	fs->umask = 077;
	code = ext2fs_mkdir(fs, EXT2_ROOT_INO, 0, name);
	if (code)
		return code;
	code = ext2fs_lookup(fs, EXT2_ROOT_INO, name, sizeof(name) - 1, NULL, &inode);
	for (int bytes = BLOCK_BYTES; !code && bytes < LOST_FOUND_BYTES; bytes += BLOCK_BYTES)
		code = ext2fs_expand_dir(fs, inode);
	return code;
}

static errcode_t reserve_inodes(ext2_filsys fs)
{
	for (ext2_ino_t inode = 1; inode < EXT2_FIRST_INO(fs->super); inode++)
		if (inode != EXT2_ROOT_INO)
			ext2fs_inode_alloc_stats2(fs, inode, +1, 0);
	ext2fs_mark_inode_bitmap2(fs->inode_map, EXT2_BAD_INO);
	ext2fs_mark_ib_dirty(fs);
	return ext2fs_update_bb_inode(fs, NULL);
}

/*
 * A journal whose blocks are not written, but for its superblock. Recovery takes a block for a part of the log when the
 * transaction number fits and a checksum over it, seeded with the UUID, holds. Our UUID is the same whenever this disk is
 * formatted, so an earlier journal of the same disk would pass if the numbers began at 1 each time: they begin anywhere.
 */
static errcode_t make_journal(ext2_filsys fs)
{
	int blocks = ext2fs_default_journal_size(ext2fs_blocks_count(fs->super));
	uint8_t journal[BLOCK_BYTES];
	uint32_t sequence;
	blk64_t first;
	errcode_t code;

	if (blocks < 0)
		return EXT2_ET_JOURNAL_TOO_SMALL;
	code = ext2fs_add_journal_inode2(fs, (blk_t)blocks, ~0ULL, EXT2_MKJOURNAL_LAZYINIT | EXT2_MKJOURNAL_NO_MNT_CHECK);
	if (code)
		return code;
	code = ext2fs_bmap2(fs, EXT2_JOURNAL_INO, NULL, NULL, 0, 0, NULL, &first);
	if (code)
		return code;
	code = io_channel_read_blk64(fs->io, first, 1, journal);
	if (code)
		return code;
	if (getrandom(&sequence, sizeof(sequence), 0) != (ssize_t)sizeof(sequence))
		return errno;
	/* Half of the range, because the numbers are compared with wrap-around; never 0. */
	sequence = htonl((sequence >> 1) | 1);
	memcpy(journal + JOURNAL_SEQUENCE_OFFSET, &sequence, sizeof(sequence));
	return io_channel_write_blk64(fs->io, first, 1, journal);
}

static errcode_t fill(ext2_filsys fs)
{
	errcode_t code;

	code = ext2fs_allocate_tables(fs);
	if (!code)
		code = write_reserved_inodes(fs);
	if (!code)
		code = make_directories(fs);
	if (!code)
		code = reserve_inodes(fs);
	if (!code && ext2fs_has_feature_resize_inode(fs->super))
		code = ext2fs_create_resize_inode(fs);
	if (!code)
		code = make_journal(fs);
	if (!code)
		code = ext2fs_flush2(fs, EXT2_FLAG_FLUSH_NO_SYNC);
	return code;
}

/* The door of libext2fs: its codes are errno values below its own table's base. */
static int fail(errcode_t code, const char *what, struct err *err)
{
	if (code == EXT2_ET_TOOSMALL || code == EXT2_ET_JOURNAL_TOO_SMALL)
		return err_set(err, ENOSPC, "%s: the device is too small for ext4", what);
	if (code > 0 && code < 1024)
		return err_sys(err, (int)code, "%s", what);
	return err_set(err, EIO, "%s: %s", what, error_message(code));
}

static int make(int fd, const struct marker *marker, const char *label, struct err *err)
{
	struct ext2_super_block description;
	char name[EXT4_IO_NAME_MAX];
	ext2_filsys fs = NULL;
	errcode_t code;
	int ret;

	describe(marker->size_bytes, &description);
	ext4_io_name(fd, name);
	code = ext2fs_initialize(name, EXT2_FLAG_64BITS, &description, ext4_io_manager(), &fs);
	if (code)
		return fail(code, "lay out ext4", err);
	ret = personalise(fs, marker, label, err);
	if (ret == 0) {
		code = fill(fs);
		if (ext4_io_error(fs->io))
			ret = err_sys(err, ext4_io_error(fs->io), "write ext4");
		else if (code)
			ret = fail(code, "make ext4", err);
		else
			ret = ext4_io_commit(fs->io, err);
	}
	if (ret == 0)
		log_detail("ext4: %" PRIu64 " blocks of %d bytes, %" PRIu32 " inodes, %" PRIu64 " bytes written",
			   (uint64_t)ext2fs_blocks_count(fs->super), BLOCK_BYTES, (uint32_t)fs->super->s_inodes_count,
			   ext4_io_written(fs->io));
	ext2fs_free(fs);
	/* Its static buffer of zeros. */
	ext2fs_zero_blocks2(NULL, 0, 0, NULL, NULL);
	return ret;
}

int ext4_check(uint64_t size_bytes, const char *label, struct err *err)
{
	if (size_bytes < EXT4_MIN_BYTES)
		return err_set(err, ENOSPC, "the device has %" PRIu64 " MiB; ext4 needs at least %" PRIu64 " MiB",
			       size_bytes / MIB, EXT4_MIN_BYTES / MIB);
	if (strlen(label) > EXT4_LABEL_MAX)
		return err_set(err, EINVAL, "label '%s' is longer than the %d bytes that ext4 keeps", label,
			       EXT4_LABEL_MAX);
	return 0;
}

int ext4_make(int fd, const struct marker *marker, const char *label, struct err *err)
{
	int ret = ext4_check(marker->size_bytes, label, err);

	if (ret < 0)
		return ret;
	add_error_table(&et_ext2_error_table);
	ret = make(fd, marker, label, err);
	remove_error_table(&et_ext2_error_table);
	return ret < 0 ? ret : marker_clear(fd, err);
}
