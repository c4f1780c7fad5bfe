/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: this instance and its EC2, opened as far as they are needed
 *
 * A volume that is already attached needs none of it: nothing is asked before cloud_identity() or cloud_ec2().
 */
#ifndef NODEVOL_EBS_CLOUD_H
#define NODEVOL_EBS_CLOUD_H

#include <stdbool.h>

#include "bootstrap/aws/ec2.h"
#include "bootstrap/aws/imds.h"
#include "bootstrap/aws/settings.h"
#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"

/**
 * struct cloud - what was opened so far
 * @settings: from the environment
 * @deadline: for all of it
 * @imds: IMDS
 * @ec2: EC2 in this instance's Region, NULL before cloud_ec2()
 * @has_identity: @identity is filled
 * @identity: who this instance is
 */
struct cloud {
	struct settings settings;
	struct deadline deadline;
	struct imds *imds;
	struct ec2 *ec2;
	bool has_identity;
	struct imds_identity identity;
};

/*
 * Reads the environment through @get (getenv() outside of tests). @out is zeroed first and given back by cloud_close(),
 * also after a failure. Return: 0, -EINVAL (ERR_USAGE), -ENOMEM.
 */
int cloud_open(char *(*get)(const char *name), const struct deadline *deadline, struct cloud *out, struct err *err);
void cloud_close(struct cloud *cloud);

/* One request to IMDS the first time. @out is borrowed. Return: as imds_get_identity(). */
int cloud_identity(struct cloud *cloud, const struct imds_identity **out, struct err *err);

/* @out is borrowed. Return: as cloud_identity() and ec2_open(). */
int cloud_ec2(struct cloud *cloud, struct ec2 **out, struct err *err);

#define CLEANUP_CLOUD __attribute__((cleanup(cloud_close)))

#endif
