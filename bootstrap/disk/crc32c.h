/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: CRC-32C, the checksum of ext4, xfs and btrfs
 */
#ifndef NODEVOL_DISK_CRC32C_H
#define NODEVOL_DISK_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from @crc over @length bytes, without inverting at either end: each filesystem does that in its own way. */
uint32_t crc32c_update(uint32_t crc, const void *data, size_t length);

#endif
