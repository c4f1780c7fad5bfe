/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: where a filesystem keeps its copies
 *
 * Whatever overwrote the beginning of a disk, these are the places where its filesystem still says that it is there.
 */
#ifndef NODEVOL_DISK_PLACES_H
#define NODEVOL_DISK_PLACES_H

#include <stddef.h>
#include <stdint.h>

#include "bootstrap/base/err.h"

#define PLACES_PAGE  4096
#define PLACES_BYTES 16384 /* to be read at each place: the four headers of an xfs group with sectors of 4 KiB */

/**
 * struct places - offsets, ascending, each once
 * @offsets: multiples of PLACES_PAGE, below the end of the device; freed by places_done()
 * @count: how many
 * @allocated: room in @offsets
 */
struct places {
	uint64_t *offsets;
	size_t count;
	size_t allocated;
};

#define PLACES_INIT { 0 }

/**
 * places_find - all places of copies
 * @size_bytes: of the device
 * @out: closed by places_done()
 * @err: filled on failure
 *
 * - Both ends: superblocks, a GPT and its copy.
 * - ext2 to ext4, block sizes from 1 to 64 KiB, groups of default size, with and without clusters of 16 blocks: groups 1 and
 *   the powers of 3, 5 and 7 (sparse_super), and the last one (sparse_super2); the same behind a partition's start at 1 MiB.
 * - xfs: the second and last group where the device is cut into 2 to 64 groups (mkfs.xfs makes 4, and as many as there are
 *   processors in newer versions), and groups of 1 TiB.
 * - btrfs: 64 MiB and 256 GiB. LUKS2's second header: 16 KiB to 4 MiB.
 *
 * Return: 0, -ENOMEM.
 */
int places_find(uint64_t size_bytes, struct places *out, struct err *err);

void places_done(struct places *places);

#define CLEANUP_PLACES __attribute__((cleanup(places_done)))

#endif
