/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/signature.h"

#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include "bootstrap/disk/crc32c.h"
#include "bootstrap/disk/marker.h"
#include "bootstrap/disk/ondisk.h"

#define SECTOR 512

static bool is_power_of_two(uint32_t value)
{
	return value && !(value & (value - 1));
}

static void begin(struct signature *out, const char *filesystem, uint64_t offset)
{
	*out = (struct signature){ .offset = offset, .sound = true };
	snprintf(out->filesystem, sizeof(out->filesystem), "%s", filesystem);
}

void signature_text(char *out, size_t size, const void *from, size_t length)
{
	const char *text = from;
	size_t i;

	for (i = 0; i < length && i + 1 < size && text[i]; i++)
		out[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
	out[i] = '\0';
}

static void set_uuid(struct signature *out, const uint8_t *uuid)
{
	static const uint8_t none[16];
	struct marker marker;

	memcpy(marker.uuid, uuid, sizeof(marker.uuid));
	if (memcmp(uuid, none, sizeof(none)) != 0)
		marker_uuid_text(&marker, out->uuid);
}

/* ext4 */

#define EXT_MAGIC_OFFSET	 0x38
#define EXT_CHECKSUM_OFFSET	 0x3fc
#define EXT_INCOMPAT_JOURNAL_DEV 0x8
#define EXT_INCOMPAT_64BIT	 0x80
#define EXT_RO_METADATA_CSUM	 0x400

/* A volume of exactly 16 TiB, or a multiple, has 0 in the low half. */
static uint64_t ext_blocks(const uint8_t *data)
{
	uint64_t blocks = ondisk_le32(data + 0x4);

	if (ondisk_le32(data + 0x60) & EXT_INCOMPAT_64BIT)
		blocks |= (uint64_t)ondisk_le32(data + 0x150) << 32;
	return blocks;
}

/* Only what can not change in any version to come: a filesystem that is newer than this program is one all the same. */
static bool ext_is_plausible(const uint8_t *data)
{
	uint32_t block_log = ondisk_le32(data + 0x18);
	uint32_t cluster_log = ondisk_le32(data + 0x1c);
	uint64_t bits;

	if (block_log > 6 || ext_blocks(data) == 0 || ondisk_le32(data + 0x4c) > 1 || ondisk_le32(data + 0x48) > 4)
		return false;
	/* An external journal has a superblock without groups. */
	if (ondisk_le32(data + 0x60) & EXT_INCOMPAT_JOURNAL_DEV)
		return true;
	/* Bits of a bitmap block: the most blocks, clusters or inodes that a group can have. */
	bits = 8ULL * (1024ULL << block_log);
	if (cluster_log < block_log || cluster_log > 30 || ondisk_le32(data + 0x14) > 1)
		return false;
	return ondisk_le32(data + 0x28) > 0 && ondisk_le32(data + 0x28) <= bits && ondisk_le32(data + 0x20) > 0 &&
	       ondisk_le32(data + 0x20) <= bits << (cluster_log - block_log);
}

static bool ext_is_sound(const uint8_t *data)
{
	if (!(ondisk_le32(data + 0x64) & EXT_RO_METADATA_CSUM))
		return true;
	return crc32c_update(~0U, data, EXT_CHECKSUM_OFFSET) == ondisk_le32(data + EXT_CHECKSUM_OFFSET);
}

bool signature_ext(const uint8_t *data, uint64_t offset, struct signature *out)
{
	if (ondisk_le16(data + EXT_MAGIC_OFFSET) != 0xef53 || !ext_is_plausible(data))
		return false;
	begin(out, "ext4", offset);
	out->sound = ext_is_sound(data);
	out->copy = ondisk_le16(data + 0x5a) != 0;
	out->was_mounted = ondisk_le32(data + 0x2c) != 0 || ondisk_le16(data + 0x34) != 0;
	if (__builtin_mul_overflow(ext_blocks(data), 1024ULL << ondisk_le32(data + 0x18), &out->size_bytes))
		out->size_bytes = UINT64_MAX;
	signature_text(out->label, sizeof(out->label), data + 0x78, 16);
	set_uuid(out, data + 0x68);
	return true;
}

/* xfs */

#define XFS_CHECKSUM_OFFSET 224

/* The checksum covers the sector with zeros in its own place; it is inverted and, unlike all else, little-endian. */
static bool xfs_is_sound(const uint8_t *data, size_t sector)
{
	static const uint8_t zero[4];
	uint32_t crc;

	if ((ondisk_be16(data + 100) & 15) < 5)
		return true;
	crc = crc32c_update(~0U, data, XFS_CHECKSUM_OFFSET);
	crc = crc32c_update(crc, zero, sizeof(zero));
	crc = crc32c_update(crc, data + XFS_CHECKSUM_OFFSET + 4, sector - XFS_CHECKSUM_OFFSET - 4);
	return ~crc == ondisk_le32(data + XFS_CHECKSUM_OFFSET);
}

bool signature_xfs(const uint8_t *data, size_t length, uint64_t offset, struct signature *out)
{
	uint32_t block = ondisk_be32(data + 4);
	uint32_t sector = ondisk_be16(data + 102);

	if (memcmp(data, "XFSB", 4) != 0 || !is_power_of_two(block) || block < 512 || block > 65536 ||
	    data[120] != __builtin_ctz(block) || !is_power_of_two(sector) || sector < SECTOR || sector > 32768 ||
	    ondisk_be32(data + 84) == 0 || ondisk_be32(data + 88) == 0)
		return false;
	begin(out, "xfs", offset);
	/* Sectors of more than a page are seen on no disk; what can not be checked is not called sound. */
	out->sound = sector <= length && xfs_is_sound(data, sector);
	out->in_progress = data[126] != 0;
	if (__builtin_mul_overflow(ondisk_be64(data + 8), block, &out->size_bytes))
		out->size_bytes = UINT64_MAX;
	signature_text(out->label, sizeof(out->label), data + 108, 12);
	set_uuid(out, data + 32);
	return true;
}

/* The headers of free space and inodes, in the sectors after each group's superblock. */
static bool find_xfs_group(const uint8_t *data, uint64_t offset, struct signature *out)
{
	bool is_space = memcmp(data, "XAGF", 4) == 0;

	if ((!is_space && memcmp(data, "XAGI", 4) != 0) || ondisk_be32(data + 4) != 1)
		return false;
	begin(out, "xfs", offset);
	out->copy = ondisk_be32(data + 8) != 0;
	if (is_space)
		set_uuid(out, data + 64);
	return true;
}

/* The others */

static bool find_btrfs(const uint8_t *data, uint64_t offset, struct signature *out)
{
	if (memcmp(data + 64, "_BHRfS_M", 8) != 0)
		return false;
	begin(out, "btrfs", offset);
	/* Type 0 is CRC-32C; the other kinds are taken on the word of a magic of eight bytes. */
	out->sound = ondisk_le16(data + 0xc4) != 0 || ~crc32c_update(~0U, data + 32, 4096 - 32) == ondisk_le32(data);
	out->copy = ondisk_le64(data + 0x30) != 65536;
	out->size_bytes = ondisk_le64(data + 0x70);
	signature_text(out->label, sizeof(out->label), data + 0x12b, 256);
	set_uuid(out, data + 32);
	return true;
}

static bool find_luks(const uint8_t *data, uint64_t offset, struct signature *out)
{
	bool is_second = memcmp(data, "SKUL\xba\xbe", 6) == 0;

	if (!is_second && memcmp(data, "LUKS\xba\xbe", 6) != 0)
		return false;
	begin(out, "LUKS", offset);
	out->copy = is_second;
	signature_text(out->uuid, sizeof(out->uuid), data + 168, 40);
	return true;
}

static bool find_gpt(const uint8_t *data, uint64_t offset, struct signature *out)
{
	static const uint8_t zero[4];
	uint32_t header = ondisk_le32(data + 12);
	unsigned long crc;

	if (memcmp(data, "EFI PART", 8) != 0)
		return false;
	begin(out, "GPT", offset);
	out->sound = header >= 92 && header <= SECTOR;
	if (out->sound) {
		crc = crc32(0, data, 16);
		crc = crc32(crc, zero, sizeof(zero));
		out->sound = crc32(crc, data + 20, header - 20) == ondisk_le32(data + 16);
	}
	out->copy = ondisk_le64(data + 24) != 1;
	return true;
}

bool signature_find(const uint8_t *data, size_t length, uint64_t offset, struct signature *out)
{
	for (size_t at = 0; at + SECTOR <= length; at += SECTOR) {
		const uint8_t *here = data + at;
		size_t left = length - at;

		if (left >= SIGNATURE_EXT_BYTES && signature_ext(here, offset + at, out))
			return true;
		if (here[0] == 'X' && (signature_xfs(here, left, offset + at, out) ||
				       find_xfs_group(here, offset + at, out)))
			return true;
		if (left >= 4096 && find_btrfs(here, offset + at, out))
			return true;
		if (find_luks(here, offset + at, out) || find_gpt(here, offset + at, out))
			return true;
	}
	return false;
}
