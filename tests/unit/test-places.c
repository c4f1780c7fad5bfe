/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)

static const uint64_t sizes[] = {
	1,	   512,		  4096,	     4097,	20 * KIB,  64 * KIB,	    8 * MIB + 512, 64 * MIB, GIB,
	100 * GIB, 100 * GIB + 512, 1500 * GIB, 5 * TIB, 64 * TIB, UINT64_MAX / 2,
};

static void places_ascend_on_whole_pages_within_the_disk(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		CLEANUP_PLACES struct places places = PLACES_INIT;
		struct err err = { 0 };

		assert_int_equal(places_find(sizes[i], &places, &err), 0);
		assert_true(places.count > 0 && places.count < 4000);
		assert_int_equal(places.offsets[0], 0);
		for (size_t at = 0; at < places.count; at++) {
			assert_int_equal(places.offsets[at] % PLACES_PAGE, 0);
			assert_true(places.offsets[at] < sizes[i]);
			assert_true(at == 0 || places.offsets[at] > places.offsets[at - 1]);
		}
		/* Whatever lies in the last sector is read. */
		assert_true(sizes[i] - places.offsets[places.count - 1] <= PLACES_PAGE);
	}
}

static bool covers(const struct places *places, uint64_t offset)
{
	for (size_t i = 0; i < places->count; i++)
		if (offset >= places->offsets[i] && offset < places->offsets[i] + PLACES_BYTES)
			return true;
	return false;
}

/* Where other people's tools put copies: dumpe2fs(8), xfs_db(8) and btrfs inspect-internal(8) show them. */
static void copies_of_known_filesystems_are_covered(void **state)
{
	static const struct {
		const char *what;
		uint64_t size;
		uint64_t offset;
	} rows[] = {
		{ "ext4, 4 KiB, group 1", GIB, 128 * MIB },
		{ "ext4, 4 KiB, group 25", 100 * GIB, 3200 * MIB },
		{ "ext4, 4 KiB, group 729", 100 * GIB, 93312 * MIB },
		{ "ext4, 1 KiB, group 1", 64 * MIB, 8 * MIB + KIB },
		{ "ext4, 1 KiB, group 7", 64 * MIB, 56 * MIB + KIB },
		{ "ext4, 2 KiB, group 3", 384 * MIB, 96 * MIB },
		{ "ext4, 64 KiB, group 1", 20 * GIB, 65528 * 64 * KIB },
		{ "ext4, bigalloc, group 1", 100 * GIB, 2 * GIB },
		{ "ext4, sparse_super2, the last group", 100 * GIB, 799 * 128 * MIB },
		{ "ext4 in a partition", 100 * GIB, 129 * MIB },
		{ "xfs, 4 groups, the second", 100 * GIB, 25 * GIB },
		{ "xfs, 4 groups, the last", 100 * GIB, 75 * GIB },
		{ "xfs, 3 groups, rounded up", 100 * GIB, (26214400 / 3 + 1) * 4 * KIB },
		{ "xfs, 64 groups", 100 * GIB, 100 * GIB / 64 },
		{ "xfs, groups of 1 TiB, the second", 5 * TIB, TIB - 4 * KIB },
		{ "xfs, groups of 1 TiB, the fifth", 5 * TIB, 4 * (TIB - 4 * KIB) },
		{ "btrfs, the second copy", GIB, 64 * MIB },
		{ "btrfs, the third copy", 300 * GIB, 256 * GIB },
		{ "LUKS2, the second header", GIB, 16 * KIB },
		{ "a GPT's copy", 100 * GIB, 100 * GIB - 512 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP_PLACES struct places places = PLACES_INIT;
		struct err err = { 0 };

		assert_int_equal(places_find(rows[i].size, &places, &err), 0);
		if (!covers(&places, rows[i].offset))
			fail_msg("%s is not covered", rows[i].what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_ascend_on_whole_pages_within_the_disk),
		cmocka_unit_test(copies_of_known_filesystems_are_covered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
