/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/ext4.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <ext2fs/ext2fs.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/file.h"
#include "bootstrap/sys/process.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)

static char path[64];

static int make_image(void **state)
{
	int fd;

	snprintf(path, sizeof(path), "/var/tmp/nodevol-test-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 || close(fd) < 0 ? -1 : 0;
}

static int remove_image(void **state)
{
	return unlink(path);
}

static struct marker marker_of(uint64_t size_bytes)
{
	struct marker marker = { .filesystem = "ext4", .identity = "vol0123456789abcdef0", .size_bytes = size_bytes };

	for (size_t i = 0; i < sizeof(marker.uuid); i++)
		marker.uuid[i] = (uint8_t)(0xa0 + i);
	return marker;
}

/* A new sparse image with a marker on it, as ext4_make() expects one. */
static int open_image(uint64_t size_bytes)
{
	struct marker marker = marker_of(size_bytes);
	struct err err = { 0 };
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(fd, (off_t)size_bytes), 0);
	assert_int_equal(marker_write(fd, &marker, &err), 0);
	return fd;
}

static void make(uint64_t size_bytes, const char *label)
{
	struct marker marker = marker_of(size_bytes);
	CLEANUP_CLOSE int fd = open_image(size_bytes);
	struct err err = { 0 };

	assert_int_equal(ext4_make(fd, &marker, label, &err), 0);
}

static const uint64_t sizes[] = {
	64 * MIB,  65 * MIB,  100 * MIB,	 128 * MIB, 128 * MIB + 4096, 129 * MIB, 511 * MIB, 512 * MIB,
	GIB,	   GIB + 512, 2 * GIB - 12345 * 512, 8 * GIB,	100 * GIB,    TIB,
};

static void e2fsck_finds_nothing_whatever_the_size(void **state)
{
	const char *const argv[] = { "e2fsck", "-fn", path, NULL };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct deadline deadline = deadline_in_ms(60000);
		CLEANUP_BUF struct buf output;
		struct err err = { 0 };
		int status = -1;

		make(sizes[i], "");
		buf_init(&output, 10000);
		if (process_run(argv, &deadline, &output, &status, &err) == -ENOENT)
			skip();
		if (status != 0)
			fail_msg("%llu bytes: %s", (unsigned long long)sizes[i], output.data);
	}
}

static void a_tebibyte_is_made_with_at_most_32_mib(void **state)
{
	struct stat status;

	make(TIB, "");
	assert_int_equal(stat(path, &status), 0);
	assert_true((uint64_t)status.st_blocks * 512 <= 32 * MIB);
}

static ext2_filsys open_made(void)
{
	ext2_filsys fs = NULL;

	assert_int_equal(ext2fs_open(path, EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs), 0);
	return fs;
}

static void it_has_the_label_the_uuid_and_the_features_of_a_5_10_kernel(void **state)
{
	struct marker marker = marker_of(GIB);
	ext2_filsys fs;

	make(GIB, "sixteen letters.");
	fs = open_made();
	assert_memory_equal(fs->super->s_volume_name, "sixteen letters.", 16);
	assert_memory_equal(fs->super->s_uuid, marker.uuid, 16);
	assert_int_equal(fs->super->s_feature_compat,
			 EXT3_FEATURE_COMPAT_HAS_JOURNAL | EXT2_FEATURE_COMPAT_EXT_ATTR |
				 EXT2_FEATURE_COMPAT_RESIZE_INODE | EXT2_FEATURE_COMPAT_DIR_INDEX);
	assert_int_equal(fs->super->s_feature_incompat,
			 EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS |
				 EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_FLEX_BG);
	assert_int_equal(fs->super->s_feature_ro_compat,
			 EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
				 EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
				 EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM);
	assert_int_equal(fs->super->s_state, EXT2_VALID_FS);
	assert_int_equal((int16_t)fs->super->s_max_mnt_count, -1);
	assert_int_equal(fs->super->s_checkinterval, 0);
	assert_int_equal(ext2fs_r_blocks_count(fs->super), 0);
	ext2fs_close_free(&fs);
}

static const struct {
	uint64_t size_bytes;
	uint32_t bytes_per_inode;
	uint32_t journal_mib;
} defaults[] = {
	{ 64 * MIB, 4096, 4 },	  { 256 * MIB, 4096, 16 }, { 512 * MIB, 16384, 16 },
	{ GIB, 16384, 32 },	  { 8 * GIB, 16384, 64 },  { 100 * GIB, 16384, 512 },
	{ 200 * GIB, 16384, 1024 }, { 4 * TIB, 32768, 1024 },
};

static void inodes_and_journal_are_as_many_as_mke2fs_makes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		struct ext2_inode journal;
		ext2_filsys fs;

		make(defaults[i].size_bytes, "");
		fs = open_made();
		assert_int_equal(fs->super->s_inodes_count, defaults[i].size_bytes / defaults[i].bytes_per_inode);
		assert_int_equal(ext2fs_read_inode(fs, EXT2_JOURNAL_INO, &journal), 0);
		assert_int_equal(EXT2_I_SIZE(&journal), defaults[i].journal_mib * MIB);
		ext2fs_close_free(&fs);
	}
}

static void lost_and_found_has_room(void **state)
{
	struct ext2_inode inode;
	ext2_ino_t number;
	ext2_filsys fs;

	make(GIB, "");
	fs = open_made();
	assert_int_equal(ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, "/lost+found", &number), 0);
	assert_int_equal(ext2fs_read_inode(fs, number, &inode), 0);
	assert_int_equal(inode.i_size, 16384);
	assert_int_equal(inode.i_mode, LINUX_S_IFDIR | 0700);
	assert_int_equal(ext2fs_read_inode(fs, EXT2_ROOT_INO, &inode), 0);
	assert_int_equal(inode.i_mode, LINUX_S_IFDIR | 0755);
	ext2fs_close_free(&fs);
}

static void the_marker_is_gone_at_the_end_and_only_then(void **state)
{
	uint8_t first[MARKER_BYTES];
	struct marker marker = marker_of(64 * MIB);
	struct marker found;
	struct err err = { 0 };
	int fd = open_image(64 * MIB);

	assert_int_equal(file_pread_all(fd, first, sizeof(first), 0), 0);
	assert_true(marker_decode(first, &found));
	assert_int_equal(ext4_make(fd, &marker, "", &err), 0);
	assert_int_equal(file_pread_all(fd, first, sizeof(first), 0), 0);
	assert_false(marker_decode(first, &found));
	close(fd);
}

static void two_journals_do_not_begin_with_the_same_transaction(void **state)
{
	uint8_t block[4096];
	uint32_t sequence[2] = { 0, 0 };

	for (int i = 0; i < 2; i++) {
		ext2_filsys fs;
		blk64_t first;

		make(64 * MIB, "");
		fs = open_made();
		assert_int_equal(ext2fs_bmap2(fs, EXT2_JOURNAL_INO, NULL, NULL, 0, 0, NULL, &first), 0);
		assert_int_equal(io_channel_read_blk64(fs->io, first, 1, block), 0);
		memcpy(&sequence[i], block + 24, 4);
		assert_int_not_equal(sequence[i], 0);
		ext2fs_close_free(&fs);
	}
	assert_int_not_equal(sequence[0], sequence[1]);
}

static const struct {
	uint64_t size_bytes;
	const char *label;
	int code;
	enum err_status status;
	const char *words;
} impossible[] = {
	{ 64 * MIB - 1, "", ENOSPC, ERR_FAILED, "at least 64 MiB" },
	{ 0, "", ENOSPC, ERR_FAILED, "at least 64 MiB" },
	{ GIB, "seventeen letters", EINVAL, ERR_USAGE, "seventeen letters" },
};

static void what_can_not_be_made_is_said_and_nothing_is_written(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(impossible); i++) {
		struct marker marker = marker_of(impossible[i].size_bytes);
		struct err err = { 0 };

		/* -1 as the descriptor: a write would be -EBADF. */
		assert_int_equal(ext4_make(-1, &marker, impossible[i].label, &err), -impossible[i].code);
		assert_int_equal(err.status, impossible[i].status);
		assert_non_null(strstr(err.message, impossible[i].words));
	}
}

static void a_write_that_fails_is_told_and_leaves_the_marker(void **state)
{
	struct marker marker = marker_of(64 * MIB);
	uint8_t first[MARKER_BYTES];
	struct marker found;
	struct err err = { 0 };
	int fd = open_image(64 * MIB);

	close(fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(ext4_make(fd, &marker, "", &err), -EBADF);
	assert_int_equal(err.status, ERR_FAILED);
	assert_int_equal(file_pread_all(fd, first, sizeof(first), 0), 0);
	assert_true(marker_decode(first, &found));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(e2fsck_finds_nothing_whatever_the_size),
		cmocka_unit_test(a_tebibyte_is_made_with_at_most_32_mib),
		cmocka_unit_test(it_has_the_label_the_uuid_and_the_features_of_a_5_10_kernel),
		cmocka_unit_test(inodes_and_journal_are_as_many_as_mke2fs_makes),
		cmocka_unit_test(lost_and_found_has_room),
		cmocka_unit_test(the_marker_is_gone_at_the_end_and_only_then),
		cmocka_unit_test(two_journals_do_not_begin_with_the_same_transaction),
		cmocka_unit_test(what_can_not_be_made_is_said_and_nothing_is_written),
		cmocka_unit_test(a_write_that_fails_is_told_and_leaves_the_marker),
	};

	return cmocka_run_group_tests(tests, make_image, remove_image);
}
