/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: what mounts would hide, copied onto a volume that holds nothing
 */
#ifndef NODEVOL_EBS_MOUNT_COPY_H
#define NODEVOL_EBS_MOUNT_COPY_H

#include "ebs/mount.h"

/* The stage MOUNT_COPY; makes the folders of the volume that directories need as well. */
int mount_copy(struct mount *mount, struct mount_outcome *out, struct err *err);

#endif
