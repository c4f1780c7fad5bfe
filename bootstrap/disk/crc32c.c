/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/crc32c.h"

/* Bit by bit: a superblock is a few kilobytes, and is checked only when its magic is there. */
uint32_t crc32c_update(uint32_t crc, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return crc;
}
