/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: what a filesystem says of itself
 *
 * A few reads, for a device that is expected to have a filesystem already: the way of nearly every boot. It only says
 * yes where there is nothing to doubt; everything else is for blank_check(), which reads much more.
 */
#ifndef NODEVOL_DISK_FSINFO_H
#define NODEVOL_DISK_FSINFO_H

#include <stdbool.h>
#include <stdint.h>

#include "bootstrap/base/err.h"

/**
 * struct fsinfo - what the superblock says
 * @valid: the device holds exactly one filesystem and nothing else that libblkid knows, it is ext4 or xfs, whole and
 *	   not larger than the device, and no format of ours is unfinished. The other fields, but @found, are set only
 *	   then.
 * @filesystem: "ext4" or "xfs"
 * @label: "" for none
 * @uuid: as text
 * @size_bytes: of the filesystem
 * @has_errors: ext4's flag: the kernel found it damaged, and e2fsck has not been run since
 * @found: for people, what is there: fit for "holds %s"
 */
struct fsinfo {
	bool valid;
	char filesystem[8];
	char label[20];
	char uuid[40];
	uint64_t size_bytes;
	bool has_errors;
	char found[160];
};

/*
 * Reads through the page cache of @fd, a device of @device_bytes or an image: where ext4 is mounted that is its live
 * superblock. Return: 0, whatever was found, or a read error.
 */
int fsinfo_probe(int fd, uint64_t device_bytes, struct fsinfo *out, struct err *err);

/*
 * Only the superblock at its place, without looking for anything else. Return: 1 and @out, 0 when there is none,
 * errors.
 */
int fsinfo_superblock(int fd, struct fsinfo *out, struct err *err);

#endif
