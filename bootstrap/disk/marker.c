/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/marker.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bootstrap/sys/file.h"
#include "bootstrap/sys/hash.h"

#define MAGIC	"nodevol: a format has begun here"
#define VERSION 1

/*
 * What is on the disk, little-endian. All of it is in the first sector, which a disk writes whole or not at all: a power
 * cut leaves the marker or what was there before, never a half. The second sector is written as zeros and not looked at.
 */
struct marker_block {
	char magic[32];
	uint32_t version;
	uint32_t reserved;
	uint64_t size_bytes;
	char filesystem[8];
	uint8_t uuid[16];
	char identity[BLKDEV_IDENTITY_MAX];
	uint8_t digest[HASH_BYTES];
	uint8_t zero[MARKER_BYTES - 136 - HASH_BYTES];
};

_Static_assert(sizeof(struct marker_block) == MARKER_BYTES, "the marker fills its place");
_Static_assert(offsetof(struct marker_block, zero) < 446, "no part of it can look like a partition table");
_Static_assert(sizeof(MAGIC) - 1 == sizeof(((struct marker_block *)0)->magic), "the magic fills its place");

static bool is_ours(const char *filesystem)
{
	return strcmp(filesystem, "ext4") == 0 || strcmp(filesystem, "xfs") == 0;
}

/* A text that fits its field, NUL included, with zeros behind it. */
static bool is_text(const char *field, size_t size)
{
	size_t length = strnlen(field, size);

	for (size_t i = length; i < size; i++)
		if (field[i])
			return false;
	for (size_t i = 0; i < length; i++)
		if (field[i] < ' ' || field[i] > '~')
			return false;
	return length < size;
}

int marker_make(const struct blkdev *device, const char *filesystem, struct marker *out, struct err *err)
{
	struct marker marker = { .size_bytes = device->size_bytes };
	char text[BLKDEV_IDENTITY_MAX + 128];
	uint8_t digest[HASH_BYTES];
	int length;

	if (!is_ours(filesystem))
		return err_set(err, EINVAL, "'%s' is not a filesystem that can be made; expected ext4 or xfs",
			       filesystem);
	snprintf(marker.filesystem, sizeof(marker.filesystem), "%s", filesystem);
	memcpy(marker.identity, device->identity, strnlen(device->identity, sizeof(marker.identity) - 1));
	length = snprintf(text, sizeof(text), "nodevol filesystem UUID\n%s\n%" PRIu64 "\n%s\n", marker.identity,
			  marker.size_bytes, filesystem);
	if (hash_sha256(text, (size_t)length, digest, err) < 0)
		return err_wrap(err, "derive the UUID of the filesystem");
	memcpy(marker.uuid, digest, sizeof(marker.uuid));
	/* RFC 9562: version 8, "vendor-specific", and its variant. */
	marker.uuid[6] = (uint8_t)((marker.uuid[6] & 0x0f) | 0x80);
	marker.uuid[8] = (uint8_t)((marker.uuid[8] & 0x3f) | 0x80);
	*out = marker;
	return 0;
}

void marker_uuid_text(const struct marker *marker, char out[MARKER_UUID_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(marker->uuid); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[marker->uuid[i] >> 4];
		*out++ = digits[marker->uuid[i] & 15];
	}
	*out = '\0';
}

int marker_encode(const struct marker *marker, uint8_t out[MARKER_BYTES], struct err *err)
{
	struct marker_block block = {
		.version = htole32(VERSION),
		.size_bytes = htole64(marker->size_bytes),
	};

	memcpy(block.magic, MAGIC, sizeof(block.magic));
	memcpy(block.filesystem, marker->filesystem, sizeof(block.filesystem));
	memcpy(block.uuid, marker->uuid, sizeof(block.uuid));
	memcpy(block.identity, marker->identity, sizeof(block.identity));
	if (!is_ours(marker->filesystem) || !is_text(block.identity, sizeof(block.identity)))
		return err_set(err, EINVAL, "a marker can not name '%.64s' on '%.64s'", marker->filesystem,
			       marker->identity);
	if (hash_sha256(&block, offsetof(struct marker_block, digest), block.digest, err) < 0)
		return err_wrap(err, "make a marker");
	memcpy(out, &block, sizeof(block));
	return 0;
}

bool marker_decode(const uint8_t block[MARKER_BYTES], struct marker *out)
{
	struct marker_block found;
	uint8_t digest[HASH_BYTES];
	struct err ignored; /* a digest that can not be made fits nothing */

	memcpy(&found, block, sizeof(found));
	if (memcmp(found.magic, MAGIC, sizeof(found.magic)) != 0 || le32toh(found.version) != VERSION)
		return false;
	if (hash_sha256(&found, offsetof(struct marker_block, digest), digest, &ignored) < 0 ||
	    memcmp(digest, found.digest, sizeof(digest)) != 0)
		return false;
	if (!is_text(found.filesystem, sizeof(found.filesystem)) || !is_ours(found.filesystem) ||
	    !is_text(found.identity, sizeof(found.identity)))
		return false;
	*out = (struct marker){ .size_bytes = le64toh(found.size_bytes) };
	memcpy(out->filesystem, found.filesystem, sizeof(out->filesystem));
	memcpy(out->uuid, found.uuid, sizeof(out->uuid));
	memcpy(out->identity, found.identity, sizeof(out->identity));
	return true;
}

bool marker_fits(const struct marker *marker, const struct blkdev *device)
{
	return marker->size_bytes == device->size_bytes && strcmp(marker->identity, device->identity) == 0;
}

static int put(int fd, const uint8_t block[MARKER_BYTES], const char *what, struct err *err)
{
	int ret = file_pwrite_all(fd, block, MARKER_BYTES, 0);

	if (ret < 0)
		return err_sys(err, -ret, "%s the marker", what);
	/* fdatasync() of a block device flushes the disk's write cache too (block/fops.c, blkdev_fsync()). */
	if (fdatasync(fd) < 0)
		return err_sys(err, errno, "sync the marker");
	return 0;
}

int marker_write(int fd, const struct marker *marker, struct err *err)
{
	uint8_t block[MARKER_BYTES];
	int ret = marker_encode(marker, block, err);

	return ret < 0 ? ret : put(fd, block, "write", err);
}

int marker_clear(int fd, struct err *err)
{
	static const uint8_t zero[MARKER_BYTES];

	return put(fd, zero, "clear", err);
}
