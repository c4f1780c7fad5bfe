/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/phantom.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/disk/ondisk.h"
#include "bootstrap/disk/signature.h"

static bool ext_holds(const uint8_t *data, uint64_t device_bytes)
{
	struct signature ignored;

	return signature_ext(data, 0, &ignored);
}

/* Apple, Technical Note TN1150, "Volume Header": version 4 (HFS+) or 5 (HFSX), block sizes are powers of two. */
static bool hfsplus_holds(const uint8_t *data, uint64_t device_bytes)
{
	uint32_t block = ondisk_be32(data + 40);
	uint32_t version = ondisk_be16(data + 2);

	/* "BD" is the wrapper of an HFS+ inside an HFS, with the second magic checked by libblkid. */
	if (memcmp(data, "BD", 2) == 0)
		return true;
	return (version == 4 || version == 5) && block >= 512 && !(block & (block - 1)) &&
	       ondisk_be32(data + 44) <= device_bytes / block;
}

/* Apple, Inside Macintosh: Files, "Master Directory Blocks": a count of blocks and their size, a name of at most 27. */
static bool hfs_holds(const uint8_t *data, uint64_t device_bytes)
{
	uint32_t blocks = ondisk_be16(data + 18);
	uint32_t block = ondisk_be32(data + 20);

	return blocks && block && block % 512 == 0 && (uint64_t)blocks * block <= device_bytes && data[36] <= 27;
}

/* libblkid of util-linux 2.40 and later: the 16-bit words of the header add up to 0 or 1, the mode is at most 5. */
static bool jmicron_holds(const uint8_t *data, uint64_t device_bytes)
{
	uint16_t sum = 0;

	for (size_t i = 0; i < 128; i += 2)
		sum = (uint16_t)(sum + ondisk_le16(data + i));
	return sum <= 1 && data[48] <= 5;
}

#define ATARI_TABLE   0x1c6
#define ATARI_ENTRIES 4
#define ATARI_ENTRY   12

/* The table has no magic. In a true one every entry is either a partition within the disk or all zeros. */
static bool atari_holds(const uint8_t *data, uint64_t device_bytes)
{
	static const uint8_t unused[ATARI_ENTRY];
	uint64_t sectors = device_bytes / 512;

	for (size_t i = 0; i < ATARI_ENTRIES; i++) {
		const uint8_t *entry = data + ATARI_TABLE + i * ATARI_ENTRY;
		uint64_t end = (uint64_t)ondisk_be32(entry + 4) + ondisk_be32(entry + 8);

		if (memcmp(entry, unused, sizeof(unused)) == 0)
			continue;
		if (!(entry[0] & 1) || !isalnum(entry[1]) || !isalnum(entry[2]) || !isalnum(entry[3]) || end > sectors)
			return false;
	}
	return true;
}

/* Where a structure begins that is not where its magic is. */
#define AT_MAGIC UINT64_MAX

static const struct kind {
	const char *type;
	uint64_t offset;
	bool (*holds)(const uint8_t *data, uint64_t device_bytes);
} kinds[] = {
	{ "ext2", 1024, ext_holds },	{ "ext3", 1024, ext_holds },
	{ "ext4", 1024, ext_holds },	{ "ext4dev", 1024, ext_holds },
	{ "jbd", 1024, ext_holds },	{ "hfs", 1024, hfs_holds },
	{ "hfsplus", 1024, hfsplus_holds }, { "jmicron_raid_member", AT_MAGIC, jmicron_holds },
	{ "atari", 0, atari_holds },
};

static const struct kind *kind_of(const struct hit *hit)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].type, hit->type) == 0)
			return &kinds[i];
	return NULL;
}

bool phantom_suspected(const struct hit *hit, const uint8_t *data, uint64_t device_bytes)
{
	const struct kind *kind = kind_of(hit);

	if (kind)
		return !kind->holds(data, device_bytes);
	return hit->bad_checksum && hit->magic_bytes <= 2;
}

uint64_t phantom_offset(const struct hit *hit)
{
	const struct kind *kind = kind_of(hit);

	return kind && kind->offset != AT_MAGIC ? kind->offset : hit->magic_offset;
}
