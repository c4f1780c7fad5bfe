/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/describe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static void sizes_are_said_as_people_say_them(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "byte 0" },	  { 512, "byte 512" },	    { 1024, "1 KiB" },	      { 1536, "byte 1536" },
		{ MIB - 1, "byte 1048575" }, { MIB, "1 MiB" },	    { 128 * MIB, "128 MiB" }, { GIB + GIB / 2, "1.5 GiB" },
		{ 100 * GIB, "100 GiB" }, { 2048 * GIB, "2 TiB" },  { 50 * GIB + 4096, "50.0 GiB" },
		{ UINT64_MAX, "16777216.0 TiB" },
	};
	char out[DESCRIBE_SIZE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		describe_size(rows[i].bytes, out);
		assert_string_equal(out, rows[i].text);
	}
}

static void hits_are_named_for_people(void **state)
{
	static const struct {
		struct hit hit;
		const char *text;
	} rows[] = {
		{ { .type = "ext4", .label = "data", .uuid = "1-2" }, "ext4 (label 'data', UUID 1-2)" },
		{ { .type = "btrfs", .uuid = "1-2" }, "btrfs (UUID 1-2)" },
		{ { .type = "vfat", .label = "x" }, "vfat (label 'x')" },
		{ { .type = "LVM2_member" }, "an LVM physical volume" },
		{ { .type = "hfsplus", .bad_checksum = true }, "a damaged superblock of hfsplus" },
		{ { .type = "gpt", .is_table = true }, "a GPT partition table" },
	};
	char out[DESCRIBE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hits hits = { .list = { rows[i].hit }, .count = 1 };

		describe_hits(&hits, out);
		assert_string_equal(out, rows[i].text);
	}
}

static void several_hits_are_counted_and_all_named(void **state)
{
	struct hits hits = { .list = { { .type = "ext4", .label = "data" }, { .type = "btrfs" }, { .type = "gpt" } } };
	char out[DESCRIBE_MAX];

	hits.count = 2;
	describe_hits(&hits, out);
	assert_string_equal(out, "two signatures at once: ext4 and btrfs");
	hits.count = 3;
	describe_hits(&hits, out);
	assert_string_equal(out, "three signatures at once: ext4, btrfs and a GPT partition table");
	for (size_t i = 0; i < HITS_MAX; i++)
		memset(hits.list[i].type, 'a' + (int)i, sizeof(hits.list[i].type) - 1);
	hits.count = HITS_MAX;
	describe_hits(&hits, out);
	assert_int_equal(strlen(out), DESCRIBE_MAX - 1);
}

static void signatures_are_said_with_their_place(void **state)
{
	static const struct {
		struct signature signature;
		const char *text;
	} rows[] = {
		{ { .filesystem = "ext4", .copy = true, .offset = 128 * MIB, .label = "data", .uuid = "1-2" },
		  "backup superblocks of ext4 (label 'data', UUID 1-2) at 128 MiB; the primary is gone" },
		{ { .filesystem = "ext4", .offset = MIB + 1024, .uuid = "1-2" }, "ext4 (UUID 1-2) at 1.0 MiB" },
		{ { .filesystem = "xfs", .offset = 25 * GIB }, "an allocation group of xfs at 25 GiB; the first is gone" },
		{ { .filesystem = "btrfs", .copy = true, .offset = 64 * MIB },
		  "a copy of the superblock of btrfs at 64 MiB; the primary is gone" },
		{ { .filesystem = "GPT", .copy = true, .offset = 100 * GIB - 512 },
		  "a backup GPT at the end of the disk" },
		{ { .filesystem = "GPT", .offset = 512 }, "a GPT partition table at byte 512" },
	};
	char out[DESCRIBE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		describe_signature(&rows[i].signature, 100 * GIB, out);
		assert_string_equal(out, rows[i].text);
	}
}

static void contents_are_said_with_their_place(void **state)
{
	static const struct {
		struct survey survey;
		const char *text;
	} rows[] = {
		{ { .content = SURVEY_ZERO }, "nothing" },
		{ { .content = SURVEY_NOISE },
		  "random data: an encrypted volume that was never written, or encrypted data" },
		{ { .content = SURVEY_NOISE_WITHIN },
		  "random data: an encrypted volume that was never written, or encrypted data" },
		{ { .content = SURVEY_DENSE }, "dense data that is not random, such as compressed files" },
		{ { .content = SURVEY_DENSE, .stream = "xz data" }, "xz data" },
		{ { .content = SURVEY_MIXED, .offset = 3 * GIB },
		  "zeros mixed with random data, the first of it at 3 GiB: encrypted or compressed files" },
		{ { .content = SURVEY_ORDERLY, .offset = 4096, .orderly_at = 50 * GIB },
		  "data at 50 GiB that no filesystem check recognises" },
	};
	char out[DESCRIBE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		describe_content(&rows[i].survey, out);
		assert_string_equal(out, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_said_as_people_say_them),
		cmocka_unit_test(hits_are_named_for_people),
		cmocka_unit_test(several_hits_are_counted_and_all_named),
		cmocka_unit_test(signatures_are_said_with_their_place),
		cmocka_unit_test(contents_are_said_with_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
