/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: numbers as they lie on a disk, at any alignment
 */
#ifndef NODEVOL_DISK_ONDISK_H
#define NODEVOL_DISK_ONDISK_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t ondisk_le16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return le16toh(value);
}

static inline uint32_t ondisk_le32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static inline uint64_t ondisk_le64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static inline uint16_t ondisk_be16(const uint8_t *at)
{
	return __builtin_bswap16(ondisk_le16(at));
}

static inline uint32_t ondisk_be32(const uint8_t *at)
{
	return __builtin_bswap32(ondisk_le32(at));
}

static inline uint64_t ondisk_be64(const uint8_t *at)
{
	return __builtin_bswap64(ondisk_le64(at));
}

#endif
