/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: which disk is which volume
 *
 * Kernel names (/dev/nvme1n1) follow the order of discovery and change from boot to boot; udev's links (/dev/xvdb,
 * /dev/disk/by-id/...) can be stale for a moment after a detach and attach. So a device is found by what it says of
 * itself: serial and model in sysfs, then vendor, serial, model and requested name by Identify Controller on the opened
 * device, and once more on the descriptor that is going to be used. EC2 User Guide: "Identify the EBS device"; the
 * requested name has "/dev/" before it when the volume was attached after launch and has not when it was attached at
 * launch.
 */
#ifndef NODEVOL_EBS_DEVICE_H
#define NODEVOL_EBS_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"
#include "bootstrap/disk/blkdev.h"
#include "ebs/volume-id.h"

/**
 * enum device_kind - what Amazon says it is
 * @DEVICE_EBS: model "Amazon Elastic Block Store", vendor 0x1d0f
 * @DEVICE_INSTANCE_STORE: model "Amazon EC2 NVMe Instance Storage", vendor 0x1d0f
 * @DEVICE_OTHER: anything else
 */
enum device_kind {
	DEVICE_EBS,
	DEVICE_INSTANCE_STORE,
	DEVICE_OTHER,
};

/**
 * struct device - one disk of this host
 * @kind: see above
 * @host_path: as the host names it, "/dev/nvme1n1"
 * @path: as seen from here
 * @serial: NVMe serial
 * @model: NVMe model
 * @volume_id: in the API's form, "" when it is no EBS volume
 * @name: the name asked for at attachment, without "/dev/" ("sdb", "xvdb"), "" when unknown; an instance store says
 *	  "ephemeral0:sdb"
 * @size_bytes: capacity
 */
struct device {
	enum device_kind kind;
	char host_path[BLKDEV_PATH_MAX];
	char path[BLKDEV_PATH_MAX];
	char serial[24];
	char model[48];
	char volume_id[VOLUME_ID_MAX];
	char name[40];
	uint64_t size_bytes;
};

/**
 * struct device_query - which EBS volume is meant
 * @volume_id: in the API's form, NULL for any
 * @name: requested name in any form ("/dev/xvdb", "sdb"), NULL for any
 * @size_bytes: what EC2 says its size is, 0 for unknown; another size is refused
 */
struct device_query {
	const char *volume_id;
	const char *name;
	uint64_t size_bytes;
};

/*
 * Calls @each for every NVMe disk of the host, with all that can be found out; stops at anything but 0 and returns it.
 */
int device_each(const char *root, int (*each)(const struct device *, void *context, struct err *err), void *context,
		struct err *err);

/**
 * device_find - the one EBS volume that @query describes
 * @root: the host's root
 * @query: which
 * @out: the disk
 * @err: filled on failure
 *
 * Return: 0, -ENOENT (ERR_ABSENT) with a list of what is there, -EPERM (ERR_REFUSED) when two disks fit or the size is
 * another one than EC2's.
 */
int device_find(const char *root, const struct device_query *query, struct device *out, struct err *err);

/* As device_find(), waiting until it is there. Return: also -ETIMEDOUT (ERR_RETRY). */
int device_wait(const char *root, const struct device_query *query, const struct deadline *deadline, struct device *out,
		struct err *err);

/*
 * Holds @device (see blkdev_open()) and checks on the held descriptor that it is still the same disk; the identity of
 * @out is the volume id, else the serial. Return: as blkdev_open(), -EPERM (ERR_REFUSED) for another disk.
 */
int device_open(const char *root, const struct device *device, const struct deadline *deadline, struct blkdev *out,
		struct err *err);

/* As device_open() for looking only: not held, so also while it is mounted. @out is closed by the caller. */
int device_open_shared(const struct device *device, int *out, struct err *err);

/* Fills in both paths of @device. Return: 0 or -ENAMETOOLONG. */
int device_set_paths(const char *root, const char *host_path, struct device *device, struct err *err);

#endif
