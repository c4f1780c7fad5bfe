/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the disk that a person names on a command line
 *
 * A volume id; a requested name (/dev/sdb, /dev/xvdb, sdb: all one); or the path of a block device or of a link to one.
 * A link that names a volume (/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol...) is followed only if the disk
 * itself says that it is that volume.
 */
#ifndef NODEVOL_EBS_RESOLVE_H
#define NODEVOL_EBS_RESOLVE_H

#include "bootstrap/base/cli.h"
#include "ebs/device.h"

/*
 * Finds the disk. One that is not NVMe has kind DEVICE_OTHER and no volume id.
 * Return: as device_find(), -EINVAL (ERR_USAGE) for what is no block device.
 */
int resolve_device(const char *root, const char *text, struct device *out, struct err *err);

/* Finds the disk and holds it: resolve_device() and device_open(). */
int resolve_and_open(const struct cli *cli, const char *text, struct device *device, struct blkdev *out,
		     struct err *err);

#endif
