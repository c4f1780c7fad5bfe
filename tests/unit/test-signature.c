/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <zlib.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/disk/crc32c.h"

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, (uint16_t)value);
	put16(at + 2, (uint16_t)(value >> 16));
}

static void put32_big(uint8_t *at, uint32_t value)
{
	put32(at, __builtin_bswap32(value));
}

static void put_uuid(uint8_t *at)
{
	for (uint8_t i = 0; i < 16; i++)
		at[i] = (uint8_t)(i * 17);
}

#define UUID "00112233-4455-6677-8899-aabbccddeeff"

/* A backup superblock of a 10 GiB ext4 in group 3, with a checksum. */
static void make_ext(uint8_t *at)
{
	memset(at, 0, SIGNATURE_EXT_BYTES);
	put32(at + 0x0, 655360);
	put32(at + 0x4, 2621440);
	put32(at + 0x18, 2);
	put32(at + 0x1c, 2);
	put32(at + 0x20, 32768);
	put32(at + 0x28, 8192);
	put16(at + 0x38, 0xef53);
	put16(at + 0x3a, 1);
	put32(at + 0x4c, 1);
	put16(at + 0x5a, 3);
	put32(at + 0x64, 0x400);
	put_uuid(at + 0x68);
	memcpy(at + 0x78, "data", 4);
	put32(at + 0x3fc, crc32c_update(~0U, at, 0x3fc));
}

static void make_xfs(uint8_t *at)
{
	memset(at, 0, SIGNATURE_XFS_BYTES);
	memcpy(at, "XFSB", 4);
	put32_big(at + 4, 4096);
	put32_big(at + 12, 2621440);
	put_uuid(at + 32);
	put32_big(at + 84, 655360);
	put32_big(at + 88, 4);
	at[100] = 0xb4;
	at[101] = 0xa5;
	at[102] = 2;
	memcpy(at + 108, "data", 4);
	at[120] = 12;
	put32(at + 224, ~crc32c_update(~0U, at, SIGNATURE_XFS_BYTES));
}

static void make_btrfs(uint8_t *at)
{
	memset(at, 0, 4096);
	memcpy(at + 64, "_BHRfS_M", 8);
	put_uuid(at + 32);
	put32(at + 0x30, 64 << 20);
	put32(at + 0x74, 5);
	memcpy(at + 0x12b, "data", 4);
	put32(at, ~crc32c_update(~0U, at + 32, 4096 - 32));
}

static void make_gpt(uint8_t *at)
{
	memset(at, 0, 512);
	memcpy(at, "EFI PART", 8);
	put32(at + 12, 92);
	put32(at + 24, 999);
	put32(at + 16, (uint32_t)crc32(0, at, 92));
}

static void the_check_value_of_crc_32c_is_the_published_one(void **state)
{
	/* RFC 3720, appendix B.4, and the usual "123456789". */
	uint8_t zeros[32] = { 0 };

	assert_int_equal(~crc32c_update(~0U, "123456789", 9), 0xe3069283);
	assert_int_equal(~crc32c_update(~0U, zeros, sizeof(zeros)), 0x8a9136aa);
}

static void an_ext4_superblock_says_what_it_is(void **state)
{
	uint8_t data[SIGNATURE_EXT_BYTES];
	struct signature found;

	make_ext(data);
	assert_true(signature_ext(data, 3 << 27, &found));
	assert_string_equal(found.filesystem, "ext4");
	assert_string_equal(found.label, "data");
	assert_string_equal(found.uuid, UUID);
	assert_true(found.sound && found.copy && !found.in_progress);
	assert_int_equal(found.offset, 3 << 27);
	assert_int_equal(found.size_bytes, 10ULL << 30);
}

static void a_superblock_of_ext4_with_a_wrong_checksum_is_not_sound(void **state)
{
	uint8_t data[SIGNATURE_EXT_BYTES];
	struct signature found;

	make_ext(data);
	data[0x200] ^= 1;
	assert_true(signature_ext(data, 0, &found));
	assert_false(found.sound);
	/* Without the feature there is nothing to check. */
	put32(data + 0x64, 0);
	assert_true(signature_ext(data, 0, &found));
	assert_true(found.sound);
}

/* One field that no ext4 has like this; the magic is right. */
static void an_implausible_ext4_superblock_is_none(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
	} rows[] = {
		{ 0x4, 0 },	 { 0x14, 2 },	  { 0x18, 7 },	 { 0x1c, 1 },  { 0x1c, 31 }, { 0x20, 0 },
		{ 0x20, 32769 }, { 0x28, 32769 }, { 0x28, 0 },	 { 0x48, 5 },  { 0x4c, 2 },
	};
	uint8_t data[SIGNATURE_EXT_BYTES];
	struct signature found;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		make_ext(data);
		put32(data + rows[i].offset, rows[i].value);
		assert_false(signature_ext(data, 0, &found));
	}
}

static void an_ext4_of_exactly_16_tib_is_one(void **state)
{
	uint8_t data[SIGNATURE_EXT_BYTES];
	struct signature found;

	make_ext(data);
	put32(data + 0x4, 0);
	put32(data + 0x60, 0x80);
	put32(data + 0x150, 1);
	assert_true(signature_ext(data, 0, &found));
	assert_int_equal(found.size_bytes, 16ULL << 40);
	put32(data + 0x150, 0xffffffff);
	assert_true(signature_ext(data, 0, &found));
	assert_true(found.size_bytes == UINT64_MAX);
}

static void an_ext4_knows_whether_it_was_ever_mounted(void **state)
{
	uint8_t data[SIGNATURE_EXT_BYTES];
	struct signature found;

	make_ext(data);
	assert_true(signature_ext(data, 0, &found));
	assert_false(found.was_mounted);
	put16(data + 0x34, 1);
	assert_true(signature_ext(data, 0, &found));
	assert_true(found.was_mounted);
}

static void an_external_journal_is_recognised_without_groups(void **state)
{
	uint8_t data[SIGNATURE_EXT_BYTES];
	struct signature found;

	make_ext(data);
	put32(data + 0x60, 8);
	put32(data + 0x20, 0);
	put32(data + 0x28, 0);
	assert_true(signature_ext(data, 0, &found));
}

static void an_xfs_superblock_says_what_it_is(void **state)
{
	uint8_t data[SIGNATURE_XFS_BYTES];
	struct signature found;

	make_xfs(data);
	assert_true(signature_xfs(data, sizeof(data), 0, &found));
	assert_string_equal(found.filesystem, "xfs");
	assert_string_equal(found.label, "data");
	assert_string_equal(found.uuid, UUID);
	assert_int_equal(found.size_bytes, 10ULL << 30);
	assert_true(found.sound && !found.in_progress);
	data[126] = 1;
	assert_true(signature_xfs(data, sizeof(data), 0, &found));
	assert_true(!found.sound && found.in_progress);
	/* Version 4 has no checksum. */
	data[101] = 0xa4;
	assert_true(signature_xfs(data, sizeof(data), 0, &found));
	assert_true(found.sound);
}

static void an_implausible_xfs_superblock_is_none(void **state)
{
	static const struct {
		size_t offset;
		uint8_t value;
	} rows[] = { { 6, 0x20 }, { 7, 1 }, { 120, 13 }, { 102, 3 }, { 0, 'x' } };
	uint8_t data[SIGNATURE_XFS_BYTES];
	struct signature found;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		make_xfs(data);
		data[rows[i].offset] = rows[i].value;
		assert_false(signature_xfs(data, sizeof(data), 0, &found));
	}
}

static void each_kind_is_found_wherever_it_lies_in_a_piece(void **state)
{
	static const struct {
		const char *filesystem;
		void (*make)(uint8_t *at);
		size_t offset;
	} rows[] = {
		{ "ext4", make_ext, 1024 },   { "ext4", make_ext, 15 * 1024 },	 { "xfs", make_xfs, 8192 },
		{ "xfs", make_xfs, 16384 - 512 }, { "btrfs", make_btrfs, 4096 }, { "btrfs", make_btrfs, 12288 },
		{ "GPT", make_gpt, 512 },     { "GPT", make_gpt, 16384 - 512 },
	};
	uint8_t data[16384];
	struct signature found;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(data, 0, sizeof(data));
		assert_false(signature_find(data, sizeof(data), 1 << 30, &found));
		rows[i].make(data + rows[i].offset);
		assert_true(signature_find(data, sizeof(data), 1 << 30, &found));
		assert_string_equal(found.filesystem, rows[i].filesystem);
		assert_int_equal(found.offset, (1 << 30) + rows[i].offset);
		assert_true(found.sound);
		data[rows[i].offset + 90] ^= 1;
		assert_true(signature_find(data, sizeof(data), 1 << 30, &found));
		assert_false(found.sound);
	}
}

static void headers_of_xfs_groups_and_second_luks_headers_are_found(void **state)
{
	uint8_t data[4096] = { 0 };
	struct signature found;

	memcpy(data + 512, "XAGF\0\0\0\1\0\0\0\2", 12);
	put_uuid(data + 512 + 64);
	assert_true(signature_find(data, sizeof(data), 0, &found));
	assert_string_equal(found.filesystem, "xfs");
	assert_string_equal(found.uuid, UUID);
	assert_true(found.copy);
	memset(data, 0, sizeof(data));
	memcpy(data + 1024, "XAGI\0\0\0\1", 8);
	assert_true(signature_find(data, sizeof(data), 0, &found));
	assert_string_equal(found.uuid, "");
	data[1024 + 7] = 9;
	assert_false(signature_find(data, sizeof(data), 0, &found));
	memcpy(data, "SKUL\xba\xbe\0\2", 8);
	memcpy(data + 168, UUID, 36);
	assert_true(signature_find(data, sizeof(data), 16384, &found));
	assert_string_equal(found.filesystem, "LUKS");
	assert_string_equal(found.uuid, UUID);
}

static void noise_holds_no_signature_even_with_magics_of_two_bytes(void **state)
{
	const size_t length = (size_t)16 << 20;
	CLEANUP_FREE uint8_t *data = calloc(1, length);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	static const uint8_t key[16] = "a key for a test";
	struct signature found;
	int written;

	assert_non_null(data);
	assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, key, key), 1);
	assert_int_equal(EVP_EncryptUpdate(context, data, &written, data, (int)length), 1);
	EVP_CIPHER_CTX_free(context);
	assert_false(signature_find(data, length, 0, &found));
	for (size_t at = 0; at < length; at += 512)
		put16(data + at + 0x38, 0xef53);
	assert_false(signature_find(data, length, 0, &found));
}

static void short_pieces_are_not_read_beyond_their_end(void **state)
{
	for (size_t length = 0; length <= 4096; length += 64) {
		CLEANUP_FREE uint8_t *data = calloc(1, length ? length : 1);
		struct signature found;

		assert_non_null(data);
		for (size_t at = 0; at + 0x3a <= length; at += 512)
			put16(data + at + 0x38, 0xef53);
		assert_false(signature_find(data, length, 0, &found));
	}
}

static void text_from_a_disk_can_not_disturb_a_terminal(void **state)
{
	char out[8];

	signature_text(out, sizeof(out), "a\x1b[2J\nz\x7f", 8);
	assert_string_equal(out, "a?[2J?z");
	signature_text(out, sizeof(out), "ab", 1);
	assert_string_equal(out, "a");
	signature_text(out, sizeof(out), "", 0);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_check_value_of_crc_32c_is_the_published_one),
		cmocka_unit_test(an_ext4_superblock_says_what_it_is),
		cmocka_unit_test(a_superblock_of_ext4_with_a_wrong_checksum_is_not_sound),
		cmocka_unit_test(an_implausible_ext4_superblock_is_none),
		cmocka_unit_test(an_ext4_of_exactly_16_tib_is_one),
		cmocka_unit_test(an_ext4_knows_whether_it_was_ever_mounted),
		cmocka_unit_test(an_external_journal_is_recognised_without_groups),
		cmocka_unit_test(an_xfs_superblock_says_what_it_is),
		cmocka_unit_test(an_implausible_xfs_superblock_is_none),
		cmocka_unit_test(each_kind_is_found_wherever_it_lies_in_a_piece),
		cmocka_unit_test(headers_of_xfs_groups_and_second_luks_headers_are_found),
		cmocka_unit_test(noise_holds_no_signature_even_with_magics_of_two_bytes),
		cmocka_unit_test(short_pieces_are_not_read_beyond_their_end),
		cmocka_unit_test(text_from_a_disk_can_not_disturb_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
