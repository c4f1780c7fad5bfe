/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: what a stage of a mount has to say
 */
#ifndef NODEVOL_EBS_MOUNT_OUTCOME_H
#define NODEVOL_EBS_MOUNT_OUTCOME_H

#include "ebs/mount.h"

/* Adds to @out->text, with "; " before it unless it is the first; what does not fit is cut off. */
void mount_outcome_say(struct mount_outcome *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
