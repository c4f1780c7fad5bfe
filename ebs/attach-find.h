/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the volume that a request means: looked up, or created
 */
#ifndef NODEVOL_EBS_ATTACH_FIND_H
#define NODEVOL_EBS_ATTACH_FIND_H

#include <stdbool.h>

#include "bootstrap/aws/ec2-volume.h"
#include "bootstrap/base/err.h"
#include "ebs/attach.h"

/*
 * Looks it up, by id, by tags or by our own tags. Of several that fit, one that is on this instance comes first, then
 * what can be attached here soonest, then the lowest id. Return: 0, -ENOENT (ERR_ABSENT), others of ec2_ask().
 */
int attach_find_volume(struct ec2 *ec2, const struct attach_request *request, struct ec2_volume *out, struct err *err);

/*
 * Creates it. @request->create is set; *@generation is 0 at first, then what the last call made of it: so a volume that
 * failed after it was created is replaced. Return: 0, -EIO (ERR_FAILED) too many failed, others of ec2_ask().
 */
int attach_find_create(struct ec2 *ec2, const struct attach_request *request, unsigned int *generation,
		       struct ec2_volume *out, struct err *err);

/* In error, being deleted, or gone. */
bool attach_find_is_dead(const struct ec2_volume *volume);

/*
 * The client token of a volume: the same for the same instance, volume name and generation; 64 characters, which is as
 * long as EC2 takes. Return: 0 or -EIO.
 */
int attach_find_token(const char *instance_id, const char *name, unsigned int generation, char out[65],
		      struct err *err);

/*
 * A volume with Multi-Attach: two instances that both find it blank would both format it, and no lock of ours reaches from
 * one to the other. Return: 0, -EPERM (ERR_REFUSED) when it is attached to another instance than @instance_id.
 */
int attach_find_check_alone(const struct ec2_volume *volume, const char *instance_id, struct err *err);

#endif
