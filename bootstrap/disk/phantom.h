/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: hits of libblkid's that chance makes
 *
 * libblkid believes some kinds on two bytes, or on a few fields without any magic. On a disk of random bytes each such kind
 * shows up once in some 10,000 to 100,000 disks (an atari table once in about 1,800 disks of 1 TiB), which in a fleet of
 * encrypted volumes is every week. Here are the checks that libblkid leaves out.
 */
#ifndef NODEVOL_DISK_PHANTOM_H
#define NODEVOL_DISK_PHANTOM_H

#include <stdbool.h>
#include <stdint.h>

#include "bootstrap/disk/hits.h"

#define PHANTOM_BYTES 1024

/**
 * phantom_suspected - does the structure behind a hit fail to hold
 * @hit: libblkid's
 * @data: PHANTOM_BYTES of the device from phantom_offset() on, zeros behind the end of the device
 * @device_bytes: its size
 *
 * By itself this is a suspicion only: a damaged superblock looks the same. It becomes a phantom where everything around is
 * random as well.
 *
 * Return: true for a kind that is believed too easily (ext2 to ext4 and jbd, hfs, hfsplus, jmicron_raid_member, atari, and
 * a wrong checksum with a magic of two bytes or less) and whose structure does not hold; false for every other hit.
 */
bool phantom_suspected(const struct hit *hit, const uint8_t *data, uint64_t device_bytes);

/* Where the structure that @hit stands for begins. */
uint64_t phantom_offset(const struct hit *hit);

#endif
