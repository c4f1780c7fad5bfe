/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the way of a volume through the house
 *
 * configuration -> device (found; or created, attached and waited for) -> format if blank -> check -> mount -> grow ->
 * copy what would be hidden -> directories -> owner -> unit -> read-ahead -> report. Each step says what it found and
 * did; with dry_run the same list is printed and nothing is done.
 */
#ifndef NODEVOL_EBS_PROVISION_H
#define NODEVOL_EBS_PROVISION_H

#include <stdbool.h>

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"
#include "bootstrap/node/report.h"
#include "ebs/cloud.h"
#include "ebs/config.h"

/**
 * struct provision - a boot
 * @root: the host's root
 * @cloud: opened as far as it is needed
 * @report: gets every step
 * @deadline: of the whole boot; waits end a little before it, so that there is time to say so
 * @dry_run: change nothing
 */
struct provision {
	const char *root;
	struct cloud *cloud;
	struct report *report;
	struct deadline deadline;
	bool dry_run;
};

/**
 * provision_volumes - all volumes, in their order
 * @provision: see above
 * @config: see above
 * @err: the first failure of a volume whose "on-failure" is "stop"
 *
 * A volume that fails does not keep the others from being provisioned, unless they are mounted below it.
 *
 * Return: 0, also when the boot is degraded (the report says so), or the first failure's code.
 */
int provision_volumes(const struct provision *provision, const struct config *config, struct err *err);

/* Does any of it need IMDS or EC2 when nothing is attached yet? */
bool provision_may_ask_aws(const struct config *config);

#endif
