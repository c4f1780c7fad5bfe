/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: what two volumes of one configuration must not share: names, mount points, devices
 */
#ifndef NODEVOL_EBS_CONFIG_CONFLICTS_H
#define NODEVOL_EBS_CONFIG_CONFLICTS_H

#include "ebs/config.h"

/* Return: 0 or -EINVAL, naming the later of the two keys and the earlier volume. */
int config_conflicts_check(const struct config *config, struct err *err);

/* Is any mount point of @later below one of @earlier? */
bool config_conflicts_is_below(const struct config_volume *later, const struct config_volume *earlier);

#endif
