/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/xfs-wipe.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/log.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/disk/noise.h"
#include "bootstrap/sys/file.h"

#define MIB	      ((uint64_t)1 << 20)
#define ENDS_BYTES    (16 * MIB)  /* as blank_zero_ends() zeroes them */
#define HEAD_BYTES    (64 * 1024) /* of an allocation group: four sectors of headers and seven blocks of 4 KiB at most */
#define LOG_HEAD_BYTES MIB	  /* the one record that mkfs.xfs writes into a log of zeros */
#define BUFFER_BYTES  MIB
#define PAGE_BYTES    4096
#define SECTOR_BYTES  512
#define GROUP_LEAST_BYTES (16 * MIB) /* mkfs.xfs makes no smaller ones */
#define SAMPLES	      1024

/* Begins each record of the log, at a sector (kernel, fs/xfs/libxfs/xfs_log_format.h: XLOG_HEADER_MAGIC_NUM). */
#define LOG_RECORD_MAGIC 0xfeedbabeU

/**
 * struct geometry - where an xfs has what
 * @group_bytes: distance of allocation groups
 * @groups: how many
 * @log_offset: byte offset of the log
 * @log_bytes: its size
 */
struct geometry {
	uint64_t group_bytes;
	uint32_t groups;
	uint64_t log_offset;
	uint64_t log_bytes;
};

/* The beginning of a superblock, big-endian (kernel, fs/xfs/libxfs/xfs_format.h: struct xfs_dsb). */
struct superblock {
	char magic[4];
	uint32_t block_bytes;
	uint64_t blocks;
	uint64_t realtime[2];
	uint8_t uuid[16];
	uint64_t log_start;
	uint64_t inodes[3];
	uint32_t realtime_extent;
	uint32_t group_blocks;
	uint32_t groups;
	uint32_t realtime_bitmap_blocks;
	uint32_t log_blocks;
	uint16_t version;
	uint16_t sector_bytes;
	uint16_t inode_bytes;
	uint16_t inodes_per_block;
	char name[12];
	uint8_t block_log;
	uint8_t sector_log;
	uint8_t inode_log;
	uint8_t inodes_per_block_log;
	uint8_t group_blocks_log;
	uint8_t realtime_extent_log;
	uint8_t in_progress;
	uint8_t inode_maximum;
} __attribute__((packed));

_Static_assert(sizeof(struct superblock) == 128, "the superblock is laid out as in xfs_format.h");

/* Nothing is written by numbers that do not fit together: the superblock's checksum was blank_check()'s business. */
static bool derive(const struct superblock *super, const struct blkdev *device, struct geometry *out)
{
	uint32_t block = be32toh(super->block_bytes);
	uint64_t blocks = be64toh(super->blocks);
	uint64_t group_blocks = be32toh(super->group_blocks);
	uint64_t groups = be32toh(super->groups);
	uint64_t log_start = be64toh(super->log_start);
	uint64_t log_blocks = be32toh(super->log_blocks);
	uint64_t log_group;
	uint64_t log_block;

	if (block < 512 || block > 65536 || (block & (block - 1)) || blocks > device->size_bytes / block)
		return false;
	if (group_blocks < GROUP_LEAST_BYTES / block || groups < 1 || blocks > group_blocks * groups ||
	    blocks <= group_blocks * (groups - 1))
		return false;
	if (super->group_blocks_log > 31 || group_blocks > (1ULL << super->group_blocks_log))
		return false;
	log_group = log_start >> super->group_blocks_log;
	log_block = log_start & ((1ULL << super->group_blocks_log) - 1);
	if (!log_start || log_group >= groups || log_block + log_blocks > group_blocks ||
	    log_group * group_blocks + log_block + log_blocks > blocks)
		return false;
	*out = (struct geometry){
		.group_bytes = group_blocks * block,
		.groups = (uint32_t)groups,
		.log_offset = (log_group * group_blocks + log_block) * block,
		.log_bytes = log_blocks * block,
	};
	return true;
}

static int read_page(const struct blkdev *device, uint64_t offset, uint8_t *page, struct err *err)
{
	int ret = file_pread_all(device->fd, page, PAGE_BYTES, (off_t)offset);

	return ret < 0 ? err_sys(err, -ret, "read '%s' at byte %" PRIu64, device->path, offset) : 0;
}

static int read_geometry(const struct blkdev *device, const struct marker *marker, uint8_t *page, struct geometry *out,
			 struct err *err)
{
	struct superblock super;
	int ret = read_page(device, 0, page, err);

	if (ret < 0)
		return ret;
	memcpy(&super, page, sizeof(super));
	if (memcmp(super.magic, "XFSB", 4) != 0 || super.in_progress != 1 ||
	    memcmp(super.uuid, marker->uuid, sizeof(super.uuid)) != 0 || !derive(&super, device, out))
		return err_refuse(err, "'%s' holds an xfs superblock that is not the one of an unfinished format of ours",
				  device->path);
	return 0;
}

/* A place that mkfs.xfs does not write to: between the ends, outside the log and the heads of groups. */
static bool is_untouched(const struct geometry *geometry, const struct blkdev *device, uint64_t offset)
{
	if (offset < ENDS_BYTES || offset + PAGE_BYTES > device->size_bytes - ENDS_BYTES)
		return false;
	if (offset % geometry->group_bytes < HEAD_BYTES)
		return false;
	return offset + PAGE_BYTES <= geometry->log_offset || offset >= geometry->log_offset + geometry->log_bytes;
}

/*
 * What mkfs.xfs wrote into: zeros or noise, but nothing else and not both, for then somebody has used the disk since, and it
 * is refused before anything is wiped. Return: 1 for noise, 0 for zeros, or an error.
 */
static int is_noise(const struct blkdev *device, const struct geometry *geometry, uint8_t *page, struct err *err)
{
	uint64_t step = device->size_bytes / SAMPLES / PAGE_BYTES * PAGE_BYTES;
	bool seen[3] = { false, false, false };
	int ret;

	for (unsigned int i = 0; i < SAMPLES; i++) {
		uint64_t offset = i * step + step / 2 / PAGE_BYTES * PAGE_BYTES;

		if (!is_untouched(geometry, device, offset))
			continue;
		ret = read_page(device, offset, page, err);
		if (ret < 0)
			return ret;
		seen[noise_judge(page, PAGE_BYTES)] = true;
		if (seen[NOISE_ORDERLY] || (seen[NOISE_ZERO] && seen[NOISE_RANDOM]))
			return err_refuse(err, "'%s' holds an unfinished xfs, but also data at byte %" PRIu64
					  " that mkfs.xfs does not write: it is not touched", device->path, offset);
	}
	return seen[NOISE_RANDOM];
}

/*
 * No kernel mounts an xfs that is in progress. But the copies of the superblock stay marked so for ever, and somebody who
 * lost the first may have put a copy in its place: then the log tells, because mkfs.xfs writes one record and every mount
 * adds to it.
 */
static int check_never_mounted(const struct blkdev *device, const struct geometry *geometry, uint8_t *buffer,
			       struct err *err)
{
	size_t length = geometry->log_bytes < BUFFER_BYTES ? (size_t)geometry->log_bytes : BUFFER_BYTES;
	int ret = file_pread_all(device->fd, buffer, length, (off_t)geometry->log_offset);

	if (ret < 0)
		return err_sys(err, -ret, "read the log of an unfinished xfs on '%s'", device->path);
	for (size_t at = SECTOR_BYTES; at + SECTOR_BYTES <= length; at += SECTOR_BYTES) {
		uint32_t magic;

		memcpy(&magic, buffer + at, sizeof(magic));
		if (be32toh(magic) == LOG_RECORD_MAGIC)
			return err_refuse(err, "'%s' holds an xfs that is marked as unfinished but was mounted before: it is "
					  "not touched; look at it with xfs_repair -n", device->path);
	}
	return 0;
}

static int fill_random(uint8_t *buffer, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t drawn = getrandom(buffer + done, length - done, 0);

		if (drawn < 0 && errno != EINTR)
			return -errno;
		done += drawn > 0 ? (size_t)drawn : 0;
	}
	return 0;
}

/**
 * struct wiper - how to overwrite
 * @fd: blkdev_open_writer()'s
 * @random: with noise
 * @buffer: BUFFER_BYTES, zeros unless @random
 */
struct wiper {
	int fd;
	bool random;
	uint8_t *buffer;
};

static int overwrite(const struct wiper *wiper, uint64_t offset, uint64_t length, struct err *err)
{
	int ret = 0;

	while (ret == 0 && length) {
		size_t part = length < BUFFER_BYTES ? (size_t)length : BUFFER_BYTES;

		if (wiper->random)
			ret = fill_random(wiper->buffer, part);
		if (ret == 0)
			ret = file_pwrite_all(wiper->fd, wiper->buffer, part, (off_t)offset);
		offset += part;
		length -= part;
	}
	return ret < 0 ? err_sys(err, -ret, "wipe an unfinished xfs at byte %" PRIu64, offset) : 0;
}

static int sync_wiped(const struct wiper *wiper, struct err *err)
{
	return fsync(wiper->fd) < 0 ? err_sys(err, errno, "sync what was wiped") : 0;
}

static int wipe_middle(const struct wiper *wiper, const struct geometry *geometry, struct err *err)
{
	uint64_t log_bytes = geometry->log_bytes;
	int ret = 0;

	if (!wiper->random && log_bytes > LOG_HEAD_BYTES)
		log_bytes = LOG_HEAD_BYTES;
	for (uint32_t group = 1; ret == 0 && group < geometry->groups; group++)
		ret = overwrite(wiper, group * geometry->group_bytes, HEAD_BYTES, err);
	if (ret == 0)
		ret = overwrite(wiper, geometry->log_offset, log_bytes, err);
	return ret;
}

/* Zeros over both ends, but for the superblock's sector; then over that. */
static int wipe_ends(struct wiper *wiper, const struct blkdev *device, struct err *err)
{
	uint32_t keep = 512;
	int ret;

	wiper->random = false;
	memset(wiper->buffer, 0, BUFFER_BYTES);
	ret = overwrite(wiper, keep, ENDS_BYTES - keep, err);
	if (ret == 0)
		ret = overwrite(wiper, device->size_bytes - ENDS_BYTES, ENDS_BYTES, err);
	if (ret == 0)
		ret = sync_wiped(wiper, err);
	if (ret == 0)
		ret = overwrite(wiper, 0, keep, err);
	return ret < 0 ? ret : sync_wiped(wiper, err);
}

int xfs_wipe_leavings(const struct blkdev *device, const struct marker *marker, struct err *err)
{
	CLEANUP_FREE uint8_t *buffer = aligned_alloc(PAGE_BYTES, BUFFER_BYTES);
	struct wiper wiper = { .fd = -1, .buffer = buffer };
	struct geometry geometry = { 0 };
	CLEANUP_CLOSE int fd = -1;
	int noise;
	int ret;

	if (!buffer)
		return err_sys(err, ENOMEM, "wipe an unfinished xfs");
	supervise_stage("wiping an unfinished xfs on '%s'", device->path);
	ret = read_geometry(device, marker, buffer, &geometry, err);
	if (ret < 0)
		return ret;
	ret = check_never_mounted(device, &geometry, buffer, err);
	if (ret < 0)
		return ret;
	noise = is_noise(device, &geometry, buffer, err);
	if (noise < 0)
		return noise;
	ret = blkdev_open_writer(device, &fd, err);
	if (ret < 0)
		return ret;
	log_detail("xfs: wiping %" PRIu32 " groups and a log of %" PRIu64 " MiB with %s", geometry.groups,
		   geometry.log_bytes / MIB, noise ? "noise" : "zeros");
	memset(buffer, 0, BUFFER_BYTES);
	wiper.fd = fd;
	wiper.random = noise;
	ret = wipe_middle(&wiper, &geometry, err);
	return ret < 0 ? ret : wipe_ends(&wiper, device, err);
}
