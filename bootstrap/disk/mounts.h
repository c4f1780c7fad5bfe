/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: mounting, and what is mounted
 *
 * libmount mounts; what it did is read back from /proc/self/mountinfo, because its fall-back turns a read-write mount
 * that the kernel answers with EBUSY or EROFS into a read-only one and reports success (util-linux, libmount's
 * context_mount.c). Mount points are named as seen from here, with the root before them.
 */
#ifndef NODEVOL_DISK_MOUNTS_H
#define NODEVOL_DISK_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bootstrap/base/err.h"

#define MOUNTS_PATH_MAX	   1024
#define MOUNTS_OPTIONS_MAX 512
#define MOUNTS_DEFAULTS	   "nosuid,nodev"

/**
 * struct mounts_entry - a mount
 * @id: mountinfo's first field
 * @device: device number of the filesystem (the third)
 * @subtree: which folder of the filesystem is mounted here (mountinfo's "root"), "/" for all of it
 * @target: mount point
 * @filesystem: type
 * @read_only: mount or superblock is
 * @options: per-mount options
 */
struct mounts_entry {
	uint64_t id;
	dev_t device;
	char subtree[MOUNTS_PATH_MAX];
	char target[MOUNTS_PATH_MAX];
	char filesystem[32];
	bool read_only;
	char options[MOUNTS_OPTIONS_MAX];
};

/* One line of mountinfo (proc_pid_mountinfo(5)). Return: false for what is none. */
bool mounts_parse(const char *line, struct mounts_entry *out);

/* The topmost mount whose mount point is exactly @target. Return: 1 and @out, 0 for none, or an error. */
int mounts_find(const char *target, struct mounts_entry *out, struct err *err);

/* The first mount point of the filesystem on @device. Return: 1 and @out, 0 for none, or an error. */
int mounts_of_device(dev_t device, char *out, size_t size, struct err *err);

/*
 * What is mounted with when @options (NULL or "": MOUNTS_DEFAULTS) are asked for on a @filesystem: "nouuid" is added
 * for xfs, so that clones of one snapshot mount beside each other. Refused are options that would make another mount
 * of it than a read-write one of this device (ro, bind, remount, loop, norecovery, ...), and those that only programs
 * read (x-..., nofail, user, ...). "defaults" alone is none at all.
 * Return: 0, -EINVAL (ERR_USAGE), -EMSGSIZE.
 */
int mounts_options(const char *filesystem, const char *options, char *out, size_t size, struct err *err);

/**
 * mounts_mount - mount a filesystem read-write and prove it
 * @source: device node
 * @device: its device number, which mountinfo has to show
 * @target: an existing directory, no symlink on the way
 * @filesystem: "ext4" or "xfs"
 * @options: see mounts_options()
 * @err: see below; the kernel's own words from its log, where that may be read
 *
 * Return: 0, or -EUCLEAN (ERR_REFUSED) the kernel finds the filesystem damaged, -EROFS (ERR_REFUSED) it would be
 * read-only, -EBUSY (ERR_REFUSED) somebody else has the device, -EINVAL options that this filesystem does not take,
 * others.
 */
int mounts_mount(const char *source, dev_t device, const char *target, const char *filesystem, const char *options,
		 struct err *err);

/*
 * A bind mount of the folder @source on @target, with the options of the mount that @source is on, proven in the same
 * way. Return: 0, -EROFS (ERR_REFUSED), ...
 */
int mounts_bind(const char *source, const char *target, struct err *err);

/* Unmounts @target. Return: 0, -EBUSY, ... */
int mounts_unmount(const char *target, struct err *err);

#endif
