/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: which volume an entry of the configuration became, kept across reboots
 *
 * /var/lib/nodevol/volumes/NAME.json says it, so that a later boot of the same instance finds its volume without asking
 * EC2. An image of a root volume carries the stamps of the instance that it was taken from: they are trusted only when
 * the instance id fits, and then only if a disk of that volume is really here.
 */
#ifndef NODEVOL_EBS_STAMP_H
#define NODEVOL_EBS_STAMP_H

#include "bootstrap/base/err.h"
#include "ebs/volume-id.h"

/* Return: 1 and @volume_id, 0 when there is no stamp of this instance (a damaged one is none). */
int stamp_read(const char *root, const char *name, const char *instance_id, char volume_id[VOLUME_ID_MAX]);

/* Return: 0, -ENOSPC, ... */
int stamp_write(const char *root, const char *name, const char *instance_id, const char *volume_id, struct err *err);

#endif
