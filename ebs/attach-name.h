/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: which name a volume is attached under
 *
 * /dev/sdf to /dev/sdp are recommended for data volumes (EC2 User Guide, "Device names for volumes on Amazon EC2
 * instances") and are not those that the EBS CSI driver on the same node begins with. A name that this host's disks
 * show, or that EC2 has refused, is left out.
 */
#ifndef NODEVOL_EBS_ATTACH_NAME_H
#define NODEVOL_EBS_ATTACH_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootstrap/base/err.h"

#define ATTACH_NAME_MAX 40

/**
 * struct attach_name_set - names in use
 * @taken: bit n stands for /dev/sd followed by letter n of the alphabet; others are never picked
 */
struct attach_name_set {
	uint32_t taken;
};

/* @name in any form: "/dev/xvdf", "sdf". */
void attach_name_take(struct attach_name_set *set, const char *name);

/* Names that no set holds (such as "/dev/xvdba") are never taken. */
bool attach_name_is_taken(const struct attach_name_set *set, const char *name);

/* The names of the disks of this host. A host that cannot be looked at has none: EC2 refuses a name twice by itself. */
void attach_name_take_local(struct attach_name_set *set, const char *root);

/* Return: 0 and "/dev/sd[f-p]", or -ENOSPC (ERR_FAILED) when all are in use. */
int attach_name_pick(const struct attach_name_set *set, char out[ATTACH_NAME_MAX], struct err *err);

#endif
