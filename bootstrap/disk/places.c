/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/places.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)

#define EXT_GROUP_BLOCKS_MOST 65528 /* e2fsprogs, lib/ext2fs/ext2_fs.h: EXT2_MAX_BLOCKS_PER_GROUP */
#define EXT_CLUSTER_BLOCKS    16    /* mke2fs(8), -C: the default */
#define PARTITION_START	      MIB   /* where every partitioning tool of the last 15 years puts the first one */
#define XFS_GROUPS_MOST	      64

/**
 * struct finder - a list that is being made
 * @places: the list
 * @size_bytes: of the device
 * @failed: out of memory
 */
struct finder {
	struct places places;
	uint64_t size_bytes;
	bool failed;
};

static void add(struct finder *finder, uint64_t offset)
{
	struct places *places = &finder->places;

	if (offset >= finder->size_bytes || finder->failed)
		return;
	if (places->count == places->allocated) {
		size_t allocated = places->allocated ? 2 * places->allocated : 512;
		uint64_t *grown = reallocarray(places->offsets, allocated, sizeof(*grown));

		if (!grown) {
			finder->failed = true;
			return;
		}
		places->offsets = grown;
		places->allocated = allocated;
	}
	places->offsets[places->count++] = offset / PLACES_PAGE * PLACES_PAGE;
}

/**
 * struct ext - a geometry of ext2 to ext4
 * @block_bytes: size of a block
 * @group_bytes: distance of groups
 * @start_bytes: of the filesystem on the device
 */
struct ext {
	uint64_t block_bytes;
	uint64_t group_bytes;
	uint64_t start_bytes;
};

static void add_ext(struct finder *finder, const struct ext *ext)
{
	static const unsigned int bases[] = { 3, 5, 7 };
	/* With blocks of 1 KiB the boot sector has block 0 for itself, and all groups lie one block later. */
	uint64_t first = ext->start_bytes + (ext->block_bytes == KIB ? KIB : 0);
	uint64_t groups;

	if (first >= finder->size_bytes)
		return;
	groups = (finder->size_bytes - first) / ext->group_bytes + 1;
	add(finder, first + ext->group_bytes);
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
		for (uint64_t group = bases[i]; group < groups; group *= bases[i])
			add(finder, first + group * ext->group_bytes);
	add(finder, first + (groups - 1) * ext->group_bytes);
}

static void add_all_ext(struct finder *finder)
{
	for (uint64_t block = KIB; block <= 64 * KIB; block *= 2) {
		uint64_t blocks = 8 * block < EXT_GROUP_BLOCKS_MOST ? 8 * block : EXT_GROUP_BLOCKS_MOST;
		struct ext ext = { .block_bytes = block, .group_bytes = blocks * block };

		add_ext(finder, &ext);
		ext.start_bytes = PARTITION_START;
		add_ext(finder, &ext);
		ext.start_bytes = 0;
		ext.group_bytes *= EXT_CLUSTER_BLOCKS;
		add_ext(finder, &ext);
	}
}

/* Groups are counted in blocks, rounded up; two block sizes that differ give places that differ by a few pages. */
static void add_xfs(struct finder *finder, uint64_t block)
{
	uint64_t blocks = finder->size_bytes / block;

	for (uint64_t groups = 2; groups <= XFS_GROUPS_MOST; groups++) {
		uint64_t group_bytes = (blocks + groups - 1) / groups * block;

		/* Other block sizes than the default 4 KiB are looked for with the default count only. */
		if (block != 4 * KIB && groups != 4)
			continue;
		add(finder, group_bytes);
		add(finder, (groups - 1) * group_bytes);
	}
	/* fs/xfs/libxfs/xfs_format.h, XFS_AG_MAX_BYTES: one block less than 1 TiB. */
	for (uint64_t group = 1; group <= XFS_GROUPS_MOST; group++)
		add(finder, group * (TIB - block));
}

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void sort(struct places *places)
{
	size_t kept = 0;

	qsort(places->offsets, places->count, sizeof(*places->offsets), compare);
	for (size_t i = 0; i < places->count; i++)
		if (!kept || places->offsets[i] != places->offsets[kept - 1])
			places->offsets[kept++] = places->offsets[i];
	places->count = kept;
}

int places_find(uint64_t size_bytes, struct places *out, struct err *err)
{
	struct finder finder = { .size_bytes = size_bytes };

	add(&finder, 0);
	add(&finder, PARTITION_START);
	add(&finder, 64 * KIB);
	add(&finder, 64 * MIB);
	add(&finder, 256 * GIB);
	for (uint64_t offset = 16 * KIB; offset <= 4 * MIB; offset *= 2)
		add(&finder, offset);
	add(&finder, size_bytes - (size_bytes < PLACES_BYTES ? size_bytes : PLACES_BYTES));
	add(&finder, size_bytes - (size_bytes ? 1 : 0));
	add_all_ext(&finder);
	for (uint64_t block = 512; block <= 64 * KIB; block *= 2)
		add_xfs(&finder, block);
	if (finder.failed) {
		places_done(&finder.places);
		return err_sys(err, ENOMEM, "list the places of superblocks");
	}
	sort(&finder.places);
	*out = finder.places;
	return 0;
}

void places_done(struct places *places)
{
	free(places->offsets);
	*places = (struct places)PLACES_INIT;
}
