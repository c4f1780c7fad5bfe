/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the places on the host where a volume is wanted, looked at
 */
#ifndef NODEVOL_EBS_MOUNT_PLACES_H
#define NODEVOL_EBS_MOUNT_PLACES_H

#include "ebs/mount.h"

/* Fills in mount->staging and mount->places from the request, checks their names. Return: 0 or -EINVAL (ERR_USAGE). */
int mount_places_plan(struct mount *mount, struct err *err);

/*
 * What is at each of them: sets is_mounted, is_staged, hides, needs_staging. Return: 0, or a refusal as mount_begin()
 * has them.
 */
int mount_places_look(struct mount *mount, struct err *err);

/* Makes the mount point. Return: 0, -ELOOP (ERR_REFUSED), ... */
int mount_places_make(const struct mount *mount, const char *path, struct err *err);

#endif
