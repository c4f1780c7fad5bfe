/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict on images of noise, by the thousand, and on noise in which somebody planted something. What real
 * filesystems are called is tested on real ones: tests/root/test_blank.py.
 */
#include "bootstrap/disk/blank.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/disk/crc32c.h"
#include "bootstrap/disk/hits.h"

#define MIB	 ((size_t)1 << 20)
#define MOST	 (80 * MIB)
#define IDENTITY "vol0123456789abcdef0"

static int memory = -1;
static uint8_t *image;
static char path[32];

static int set_up(void **state)
{
	memory = memfd_create("image", MFD_CLOEXEC);
	if (memory < 0 || ftruncate(memory, (off_t)MOST) < 0)
		return -1;
	image = mmap(NULL, MOST, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	return image == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
	munmap(image, MOST);
	return close(memory);
}

/* AES in counter mode, as an encrypted volume reads where nothing was written; another one for each @key. */
static void fill(size_t from, size_t to, uint64_t key)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t key_bytes[16] = { 0 };
	uint8_t counter[16] = { 0 };
	int written;

	/* The last image may have been smaller. */
	assert_int_equal(ftruncate(memory, (off_t)MOST), 0);
	memcpy(key_bytes, &key, sizeof(key));
	memset(image + from, 0, to - from);
	assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, key_bytes, counter), 1);
	assert_int_equal(EVP_EncryptUpdate(context, image + from, &written, image + from, (int)(to - from)), 1);
	EVP_CIPHER_CTX_free(context);
}

static void open_image(size_t size, struct blkdev *device)
{
	struct err err = { 0 };

	assert_int_equal(ftruncate(memory, (off_t)size), 0);
	assert_int_equal(blkdev_open_image(path, device, &err), 0);
	snprintf(device->identity, sizeof(device->identity), "%s", IDENTITY);
}

static struct blank check(size_t size)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	struct blank blank;
	struct err err = { 0 };

	open_image(size, &device);
	if (blank_check(&device, &blank, &err) < 0)
		fail_msg("%s", err.message);
	return blank;
}

/* Sanitizers and valgrind look at memory and not at chance: with them a few images do. */
static unsigned int images_wanted(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return 200;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
	return 200;
#endif
#endif
	return getenv("LD_PRELOAD") && strstr(getenv("LD_PRELOAD"), "valgrind") ? 20 : 10000;
}

static void ten_thousand_images_of_noise_are_noise(void **state)
{
	unsigned int wanted = images_wanted();

	for (unsigned int i = 0; i < wanted; i++) {
		size_t size = MIB + (i % 16 ? 0 : (i / 16 % 256) * 4096 + i % 8 * 512);
		struct blank blank;

		fill(0, size, i);
		blank = check(size);
		if (blank.verdict != BLANK_NOISE)
			fail_msg("image %u of %zu bytes is %s", i, size, blank.found);
	}
}

/* A magic that libblkid believes by itself. */
static const struct planted {
	const char *what;
	size_t offset;
	const char *magic;
	size_t length;
} planted[] = {
	{ "ext4's magic", 1080, "\x53\xef", 2 },
	{ "HFS+'s magic", 1024, "H+", 2 },
	{ "HFSX's magic", 1024, "HX", 2 },
	{ "JMicron's magic", 2 * MIB - 512, "JM", 2 },
	{ "nilfs2's magic", 1030, "\x34\x34", 2 },
};

static void a_magic_of_two_bytes_in_noise_is_chance(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(planted); i++) {
		for (uint64_t key = 0; key < 20; key++) {
			fill(0, 2 * MIB, 1000 + key);
			memcpy(image + planted[i].offset, planted[i].magic, planted[i].length);
			if (check(2 * MIB).verdict != BLANK_NOISE)
				fail_msg("%s in noise %u is %s", planted[i].what, (unsigned int)key, check(2 * MIB).found);
		}
	}
}

static size_t hits_of(size_t size)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	struct hits hits;
	struct err err = { 0 };

	open_image(size, &device);
	assert_int_equal(hits_find(&device, &hits, &err), 0);
	return hits.count;
}

/* The test above says something only if libblkid falls for these. */
static void libblkid_believes_these_magics(void **state)
{
	for (size_t i = 0; i < 3; i++) {
		fill(0, 2 * MIB, 1000);
		assert_int_equal(hits_of(2 * MIB), 0);
		memcpy(image + planted[i].offset, planted[i].magic, planted[i].length);
		assert_int_equal(hits_of(2 * MIB), 1);
	}
}

/* One entry that libblkid finds valid, a second one that no Atari would have written, sizes that fit the disk. */
static void plant_atari(void)
{
	memcpy(image + 0x1c2, "\0\0\x1e\x5a", 4);
	memcpy(image + 0x1c6, "\1GEM\0\0\3\x11\0\0\4\x22", 12);
	memcpy(image + 0x1f6, "\0\0\1\x37\0\0\2\x91", 8);
	image[0x1d2] |= 1;
	image[0x1d3] = '?';
}

static void an_atari_table_in_noise_is_chance(void **state)
{
	fill(0, 4 * MIB, 7);
	plant_atari();
	assert_int_equal(hits_of(4 * MIB), 1);
	assert_int_equal(check(4 * MIB).verdict, BLANK_NOISE);
}

static void put32(size_t offset, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		image[offset + i] = (uint8_t)(value >> 8 * i);
}

/* A superblock of ext4 with all that e2fsck wants of it. */
static void plant_ext4(size_t offset, uint32_t blocks)
{
	memset(image + offset, 0, 1024);
	put32(offset, 1024);
	put32(offset + 0x4, blocks);
	put32(offset + 0x18, 2);
	put32(offset + 0x1c, 2);
	put32(offset + 0x20, 32768);
	put32(offset + 0x28, 1024);
	put32(offset + 0x38, 0x1ef53);
	put32(offset + 0x4c, 1);
	put32(offset + 0x60, 0x40);
	put32(offset + 0x64, 0x400);
	put32(offset + 0x68, 0x12345678);
	memcpy(image + offset + 0x78, "planted", 7);
	put32(offset + 0x3fc, crc32c_update(~0U, image + offset, 0x3fc));
}

static void a_superblock_in_noise_is_a_filesystem(void **state)
{
	struct blank blank;

	fill(0, 2 * MIB, 5);
	plant_ext4(1024, 512);
	blank = check(2 * MIB);
	assert_int_equal(blank.verdict, BLANK_FILESYSTEM);
	assert_string_equal(blank.filesystem, "ext4");
	assert_string_equal(blank.label, "planted");
	assert_string_equal(blank.uuid, "78563412-0000-0000-0000-000000000000");
	assert_false(blank.stale_marker);
}

static void a_damaged_superblock_in_noise_is_taken(void **state)
{
	struct blank blank;

	fill(0, 2 * MIB, 5);
	plant_ext4(1024, 512);
	image[1024 + 0x200] ^= 1;
	blank = check(2 * MIB);
	assert_int_equal(blank.verdict, BLANK_TAKEN);
	assert_non_null(strstr(blank.found, "a damaged superblock of ext4 (label 'planted'"));
	/* Half of it is noise: its fields do not hold, but what is left is not random either. */
	fill(1024, 1024 + 0x38, 6);
	blank = check(2 * MIB);
	assert_int_equal(blank.verdict, BLANK_TAKEN);
	assert_string_equal(blank.found, "a damaged superblock of ext4 (label 'planted', UUID "
					 "78563412-0000-0000-0000-000000000000)");
}

static void a_backup_superblock_in_noise_is_taken(void **state)
{
	struct blank blank;

	fill(0, 70 * MIB, 5);
	plant_ext4(32 * MIB, 1 << 20);
	image[32 * MIB + 0x5a] = 1;
	put32(32 * MIB + 0x3fc, crc32c_update(~0U, image + 32 * MIB, 0x3fc));
	blank = check(70 * MIB);
	assert_int_equal(blank.verdict, BLANK_TAKEN);
	assert_string_equal(blank.found, "backup superblocks of ext4 (label 'planted', UUID "
					 "78563412-0000-0000-0000-000000000000) at 32 MiB; the primary is gone");
}

static void two_signatures_are_taken_by_both_names(void **state)
{
	struct blank blank;

	fill(0, 2 * MIB, 5);
	memset(image, 0, 2 * MIB);
	plant_ext4(1024, 512);
	memcpy(image + 65536 + 64, "_BHRfS_M", 8);
	put32(65536 + 0x30, 65536);
	put32(65536, ~crc32c_update(~0U, image + 65536 + 32, 4096 - 32));
	blank = check(2 * MIB);
	assert_int_equal(blank.verdict, BLANK_TAKEN);
	assert_string_equal(blank.found, "two signatures at once: ext4 and btrfs");
}

static void a_hole_of_one_page_in_noise_is_taken(void **state)
{
	for (size_t hole = 0; hole < 2 * MIB; hole += MIB - 4096) {
		fill(0, 2 * MIB, 6);
		memset(image + hole, 0, 4096);
		assert_int_equal(check(2 * MIB).verdict, BLANK_TAKEN);
	}
}

static void marker_of(size_t size, const char *filesystem, struct marker *marker)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	struct err err = { 0 };

	open_image(size, &device);
	assert_int_equal(marker_make(&device, filesystem, marker, &err), 0);
}

static void a_marker_in_noise_with_a_chance_magic_is_unfinished_work(void **state)
{
	struct marker marker;
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(planted); i++) {
		fill(0, 2 * MIB, 8);
		marker_of(2 * MIB, "ext4", &marker);
		assert_int_equal(marker_encode(&marker, image, &err), 0);
		memcpy(image + planted[i].offset, planted[i].magic, planted[i].length);
		assert_int_equal(check(2 * MIB).verdict, BLANK_UNFINISHED);
	}
}

static void the_ends_are_zeroed_and_nothing_else(void **state)
{
	const size_t size = 40 * MIB;

	for (unsigned int keep = 0; keep < 2; keep++) {
		CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
		uint8_t kept[64];
		struct marker marker;
		struct err err = { 0 };

		fill(0, size, 9);
		marker_of(size, "ext4", &marker);
		memcpy(kept, image + 16 * MIB, sizeof(kept));
		open_image(size, &device);
		assert_int_equal(blank_zero_ends(&device, &marker, keep, &err), 0);
		assert_memory_equal(image + 16 * MIB, kept, sizeof(kept));
		assert_true(image[MARKER_BYTES] == 0 && memcmp(image + MARKER_BYTES, image + MARKER_BYTES + 1,
							       16 * MIB - MARKER_BYTES - 1) == 0);
		assert_true(image[size - 16 * MIB] == 0 &&
			    memcmp(image + size - 16 * MIB, image + size - 16 * MIB + 1, 16 * MIB - 1) == 0);
		assert_int_equal(image[0] != 0, keep);
		assert_int_equal(check(size).verdict, keep ? BLANK_UNFINISHED : BLANK_NOISE);
	}
}

static void the_ends_of_a_small_disk_are_all_of_it(void **state)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	struct marker marker;
	struct err err = { 0 };

	fill(0, 20 * MIB, 9);
	marker_of(20 * MIB, "ext4", &marker);
	open_image(20 * MIB, &device);
	assert_int_equal(blank_zero_ends(&device, &marker, false, &err), 0);
	assert_int_equal(check(20 * MIB).verdict, BLANK_ZERO);
}

static void the_ends_are_not_zeroed_with_the_marker_of_another_disk(void **state)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	struct marker marker;
	struct err err = { 0 };

	fill(0, 2 * MIB, 9);
	marker_of(2 * MIB, "ext4", &marker);
	open_image(2 * MIB, &device);
	marker.size_bytes++;
	assert_int_equal(blank_zero_ends(&device, &marker, false, &err), -EINVAL);
	assert_int_equal(check(2 * MIB).verdict, BLANK_NOISE);
}

static void what_shows_up_when_the_ends_are_zero_is_refused(void **state)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	struct marker marker;
	struct err err = { 0 };

	fill(0, 70 * MIB, 9);
	plant_ext4(32 * MIB, 1 << 20);
	image[32 * MIB + 0x5a] = 1;
	marker_of(70 * MIB, "ext4", &marker);
	open_image(70 * MIB, &device);
	assert_int_equal(blank_zero_ends(&device, &marker, false, &err), -EPERM);
	assert_int_equal(err.status, ERR_REFUSED);
	assert_non_null(strstr(err.message, "backup superblocks of ext4"));
}

static void no_size_is_an_error(void **state)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	struct blank blank;
	struct err err = { 0 };

	open_image(0, &device);
	assert_int_equal(blank_check(&device, &blank, &err), -ENOMEDIUM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_images_of_noise_are_noise),
		cmocka_unit_test(libblkid_believes_these_magics),
		cmocka_unit_test(a_magic_of_two_bytes_in_noise_is_chance),
		cmocka_unit_test(an_atari_table_in_noise_is_chance),
		cmocka_unit_test(a_superblock_in_noise_is_a_filesystem),
		cmocka_unit_test(a_damaged_superblock_in_noise_is_taken),
		cmocka_unit_test(a_backup_superblock_in_noise_is_taken),
		cmocka_unit_test(two_signatures_are_taken_by_both_names),
		cmocka_unit_test(a_hole_of_one_page_in_noise_is_taken),
		cmocka_unit_test(a_marker_in_noise_with_a_chance_magic_is_unfinished_work),
		cmocka_unit_test(the_ends_are_zeroed_and_nothing_else),
		cmocka_unit_test(the_ends_of_a_small_disk_are_all_of_it),
		cmocka_unit_test(the_ends_are_not_zeroed_with_the_marker_of_another_disk),
		cmocka_unit_test(what_shows_up_when_the_ends_are_zero_is_refused),
		cmocka_unit_test(no_size_is_an_error),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
