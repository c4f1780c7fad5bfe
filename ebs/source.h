/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: from a configuration's "source" to a disk of this host
 *
 * Cheapest first: a volume that is attached already is found without a request to EC2, by the name it is attached
 * under, by its id, or by what an earlier boot of this instance wrote down.
 */
#ifndef NODEVOL_EBS_SOURCE_H
#define NODEVOL_EBS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "bootstrap/base/err.h"
#include "ebs/device.h"
#include "ebs/provision.h"

/**
 * struct source - a volume of the configuration as it was found
 * @device: the disk
 * @is_here: @device is filled; not so only with dry_run, where a volume would be attached
 * @new_because: why it is known to be new and never written to, "" when that is not known
 * @asked_ec2: EC2 was asked about it, so @new_because is all that can be known
 */
struct source {
	struct device device;
	bool is_here;
	char new_because[160];
	bool asked_ec2;
};

/*
 * Finds it, or attaches it and waits; reports its own steps. Return: 0 or errors of device_wait() and attach_volume().
 */
int source_find(const struct provision *provision, const struct config_volume *volume, struct source *out,
		struct err *err);

/*
 * For a volume that was found without asking EC2 and looks unwritten: asks EC2 whether it is new. In the device tier
 * the node may have no permission to ask, and nothing is asked. Return: 0 or errors of ec2_volume_describe().
 */
int source_ask_if_new(const struct provision *provision, const struct config_volume *volume, struct source *source,
		      struct err *err);

#endif
