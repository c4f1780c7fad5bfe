/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the door to libblkid
 *
 * Every superblock and partition table that libblkid's probing functions see, one after the other as wipefs(8) lists them,
 * and not blkid_do_safeprobe()'s single answer: that one hides hits behind others (a RAID before a filesystem) and answers
 * "ambivalent" without names. Wrong checksums are hits too, and marked.
 */
#ifndef NODEVOL_DISK_HITS_H
#define NODEVOL_DISK_HITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootstrap/base/err.h"
#include "bootstrap/disk/blkdev.h"

#define HITS_MAX 8

/**
 * struct hit - one answer of libblkid's
 * @type: its name for the filesystem or the partition table
 * @is_table: a partition table
 * @bad_checksum: the structure is there but its checksum is wrong
 * @magic_offset: where its magic is, in bytes from the start of the device
 * @magic_bytes: length of the magic
 * @label: "" for none; control characters are replaced
 * @uuid: "" for none
 */
struct hit {
	char type[32];
	bool is_table;
	bool bad_checksum;
	uint64_t magic_offset;
	size_t magic_bytes;
	char label[64];
	char uuid[40];
};

/**
 * struct hits - all of them
 * @list: in libblkid's order, each type once
 * @count: how many are in @list; more than HITS_MAX are not told apart from HITS_MAX
 */
struct hits {
	struct hit list[HITS_MAX];
	size_t count;
};

/**
 * hits_find - ask libblkid
 * @device: held
 * @out: filled on success
 * @err: filled on failure
 *
 * libblkid reads into buffers of any alignment, which a descriptor with O_DIRECT answers with EINVAL, so it gets a second
 * one without (blkdev_open_reader()).
 *
 * Return: 0, -EIO when the device can not be read, -ENOMEM.
 */
int hits_find(const struct blkdev *device, struct hits *out, struct err *err);

#endif
