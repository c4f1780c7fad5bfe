/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/phantom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

#define SIZE ((uint64_t)1 << 30)

static struct hit hit_of(const char *type, size_t magic_bytes, bool bad_checksum)
{
	struct hit hit = { .magic_bytes = magic_bytes, .magic_offset = SIZE - 512, .bad_checksum = bad_checksum };

	snprintf(hit.type, sizeof(hit.type), "%s", type);
	return hit;
}

/* Bytes that look like nothing, with a magic at their start. */
static void fill(uint8_t data[PHANTOM_BYTES], const char *magic)
{
	for (size_t i = 0; i < PHANTOM_BYTES; i++)
		data[i] = (uint8_t)((i * 2654435761U) >> 13);
	memcpy(data, magic, strlen(magic));
}

static void weak_kinds_in_random_bytes_are_suspected(void **state)
{
	static const char *const types[] = { "ext2", "ext3", "ext4", "ext4dev", "jbd",
					     "hfs",  "hfsplus", "jmicron_raid_member", "atari" };
	uint8_t data[PHANTOM_BYTES];

	fill(data, "H+");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct hit hit = hit_of(types[i], 2, false);

		assert_true(phantom_suspected(&hit, data, SIZE));
	}
}

static void other_kinds_are_never_suspected(void **state)
{
	static const char *const types[] = { "xfs", "btrfs", "minix", "vfat", "LVM1_member", "gpt", "dos" };
	uint8_t data[PHANTOM_BYTES];

	fill(data, "");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct hit hit = hit_of(types[i], 2, false);
		struct hit damaged = hit_of(types[i], 4, true);

		assert_false(phantom_suspected(&hit, data, SIZE));
		assert_false(phantom_suspected(&damaged, data, SIZE));
	}
}

static void a_wrong_checksum_behind_two_bytes_is_suspected(void **state)
{
	struct hit hit = hit_of("nilfs2", 2, true);
	uint8_t data[PHANTOM_BYTES];

	fill(data, "");
	assert_true(phantom_suspected(&hit, data, SIZE));
}

static void true_hfs_and_hfsplus_are_believed(void **state)
{
	struct hit plus = hit_of("hfsplus", 2, false);
	struct hit hfs = hit_of("hfs", 2, false);
	uint8_t data[PHANTOM_BYTES] = "H+\0\4";

	data[42] = 0x10; /* blocks of 4 KiB, 1000 of them */
	data[46] = 0x03;
	data[47] = 0xe8;
	assert_false(phantom_suspected(&plus, data, SIZE));
	data[3] = 6;
	assert_true(phantom_suspected(&plus, data, SIZE));
	data[3] = 5;
	assert_true(phantom_suspected(&plus, data, 999 * 4096));
	memset(data, 0, sizeof(data));
	memcpy(data, "BD", 2);
	data[19] = 100; /* 100 blocks of 512 bytes, a name of 4 */
	data[22] = 2;
	data[36] = 4;
	assert_false(phantom_suspected(&hfs, data, SIZE));
	data[36] = 28;
	assert_true(phantom_suspected(&hfs, data, SIZE));
}

static void a_true_jmicron_header_is_believed(void **state)
{
	struct hit hit = hit_of("jmicron_raid_member", 2, false);
	uint8_t data[PHANTOM_BYTES] = "JM";
	uint16_t sum = (uint16_t)-('J' | 'M' << 8);

	memcpy(data + 4, &sum, sizeof(sum));
	assert_false(phantom_suspected(&hit, data, SIZE));
	data[100]++;
	data[100]++;
	assert_true(phantom_suspected(&hit, data, SIZE));
}

static void a_true_atari_table_is_believed(void **state)
{
	struct hit hit = hit_of("atari", 4, false);
	uint8_t data[PHANTOM_BYTES] = { 0 };

	memcpy(data + 0x1c6, "\1GEM\0\0\0\2\0\0\1\0", 12);
	memcpy(data + 0x1d2, "\1BGM\0\0\2\0\0\0\1\0", 12);
	assert_false(phantom_suspected(&hit, data, SIZE));
	data[0x1de + 5] = 1;
	assert_true(phantom_suspected(&hit, data, SIZE));
}

static void structures_begin_where_their_formats_say(void **state)
{
	struct hit ext = hit_of("ext4", 2, false);
	struct hit jmicron = hit_of("jmicron_raid_member", 2, false);
	struct hit atari = hit_of("atari", 4, false);

	assert_int_equal(phantom_offset(&ext), 1024);
	assert_int_equal(phantom_offset(&jmicron), SIZE - 512);
	assert_int_equal(phantom_offset(&atari), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weak_kinds_in_random_bytes_are_suspected),
		cmocka_unit_test(other_kinds_are_never_suspected),
		cmocka_unit_test(a_wrong_checksum_behind_two_bytes_is_suspected),
		cmocka_unit_test(true_hfs_and_hfsplus_are_believed),
		cmocka_unit_test(a_true_jmicron_header_is_believed),
		cmocka_unit_test(a_true_atari_table_is_believed),
		cmocka_unit_test(structures_begin_where_their_formats_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
