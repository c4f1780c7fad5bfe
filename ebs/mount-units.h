/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the units that keep a volume mounted
 */
#ifndef NODEVOL_EBS_MOUNT_UNITS_H
#define NODEVOL_EBS_MOUNT_UNITS_H

#include "ebs/mount.h"

/* The stage MOUNT_KEEP. */
int mount_units_keep(struct mount *mount, struct mount_outcome *out, struct err *err);

#endif
