/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/ext4-io.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bootstrap/base/parse.h"
#include "bootstrap/sys/file.h"

#define HELD_FROM SUPERBLOCK_OFFSET
#define HELD_TO	  (SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE)

/**
 * struct ext4_io - what is behind a channel
 * @fd: borrowed
 * @error: errno value of the first failure
 * @has_primary: @primary was written by libext2fs
 * @primary: the superblock that is held back
 * @stats: bytes read and written
 */
struct ext4_io {
	int fd;
	int error;
	bool has_primary;
	uint8_t primary[SUPERBLOCK_SIZE];
	struct struct_io_stats stats;
};

/* A negative count is a number of bytes, a positive one a number of blocks: libext2fs's convention. */
static size_t length_of(io_channel channel, int count)
{
	return count < 0 ? (size_t)-(long)count : (size_t)count * (size_t)channel->block_size;
}

static errcode_t remember(struct ext4_io *io, int ret)
{
	if (ret < 0 && !io->error)
		io->error = -ret;
	return -ret;
}

static errcode_t open_channel(const char *name, int flags, io_channel *out)
{
	io_channel channel = calloc(1, sizeof(*channel));
	struct ext4_io *io = calloc(1, sizeof(*io));
	char *copy = strdup(name);
	struct err err;
	uint64_t fd;

	if (!channel || !io || !copy || parse_u64(name, 0, INT32_MAX, &fd, &err) < 0) {
		free(channel);
		free(io);
		free(copy);
		return ENOMEM;
	}
	io->fd = (int)fd;
	io->stats.num_fields = 2;
	channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	channel->manager = ext4_io_manager();
	channel->name = copy;
	channel->block_size = SUPERBLOCK_SIZE;
	channel->refcount = 1;
	channel->private_data = io;
	*out = channel;
	return 0;
}

/* The descriptor is the caller's and stays open; nothing is flushed, because the order of syncs is ours. */
static errcode_t close_channel(io_channel channel)
{
	if (--channel->refcount > 0)
		return 0;
	free(channel->private_data);
	free(channel->name);
	free(channel);
	return 0;
}

static errcode_t set_block_size(io_channel channel, int block_size)
{
	channel->block_size = block_size;
	return 0;
}

static errcode_t read_blocks(io_channel channel, unsigned long long block, int count, void *data)
{
	struct ext4_io *io = channel->private_data;
	size_t length = length_of(channel, count);

	io->stats.bytes_read += length;
	return remember(io, file_pread_all(io->fd, data, length, (off_t)(block * (unsigned int)channel->block_size)));
}

/* Writes [@offset, @offset + @length) without the first two kilobytes of the device. */
static errcode_t write_bytes(struct ext4_io *io, uint64_t offset, size_t length, const uint8_t *data)
{
	uint64_t end = offset + length;

	if (offset < HELD_TO && end > HELD_FROM) {
		uint64_t from = offset > HELD_FROM ? offset : HELD_FROM;
		uint64_t to = end < HELD_TO ? end : HELD_TO;

		memcpy(io->primary + (from - HELD_FROM), data + (from - offset), to - from);
		io->has_primary = true;
	}
	if (end <= HELD_TO)
		return 0;
	if (offset < HELD_TO) {
		data += HELD_TO - offset;
		offset = HELD_TO;
	}
	io->stats.bytes_written += end - offset;
	return remember(io, file_pwrite_all(io->fd, data, end - offset, (off_t)offset));
}

static errcode_t write_blocks(io_channel channel, unsigned long long block, int count, const void *data)
{
	return write_bytes(channel->private_data, block * (unsigned int)channel->block_size, length_of(channel, count), data);
}

static errcode_t read_blocks_32(io_channel channel, unsigned long block, int count, void *data)
{
	return read_blocks(channel, block, count, data);
}

static errcode_t write_blocks_32(io_channel channel, unsigned long block, int count, const void *data)
{
	return write_blocks(channel, block, count, data);
}

static errcode_t flush_nothing(io_channel channel)
{
	return 0;
}

static errcode_t get_stats(io_channel channel, io_stats *out)
{
	struct ext4_io *io = channel->private_data;

	*out = &io->stats;
	return 0;
}

/*
 * No discard and no zeroout: libext2fs then writes the few zero blocks that it needs. No write_byte: the superblock is
 * then written whole.
 */
static struct struct_io_manager manager = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "held device",
	.open = open_channel,
	.close = close_channel,
	.set_blksize = set_block_size,
	.read_blk = read_blocks_32,
	.write_blk = write_blocks_32,
	.read_blk64 = read_blocks,
	.write_blk64 = write_blocks,
	.flush = flush_nothing,
	.get_stats = get_stats,
};

io_manager ext4_io_manager(void)
{
	return &manager;
}

void ext4_io_name(int fd, char out[EXT4_IO_NAME_MAX])
{
	snprintf(out, EXT4_IO_NAME_MAX, "%d", fd);
}

int ext4_io_commit(io_channel channel, struct err *err)
{
	struct ext4_io *io = channel->private_data;
	int ret;

	if (!io->has_primary)
		return err_set(err, EIO, "libext2fs wrote no superblock");
	if (fsync(io->fd) < 0)
		return err_sys(err, errno, "sync the metadata");
	ret = file_pwrite_all(io->fd, io->primary, sizeof(io->primary), HELD_FROM);
	if (ret < 0)
		return err_sys(err, -ret, "write the superblock");
	io->stats.bytes_written += sizeof(io->primary);
	if (fsync(io->fd) < 0)
		return err_sys(err, errno, "sync the superblock");
	return 0;
}

int ext4_io_error(io_channel channel)
{
	const struct ext4_io *io = channel->private_data;

	return io->error;
}

uint64_t ext4_io_written(io_channel channel)
{
	const struct ext4_io *io = channel->private_data;

	return io->stats.bytes_written;
}
