/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: what ebs-attach prints
 */
#ifndef NODEVOL_EBS_ATTACH_RESULT_H
#define NODEVOL_EBS_ATTACH_RESULT_H

#include "bootstrap/base/cli.h"
#include "bootstrap/base/err.h"
#include "ebs/attach.h"

/*
 * The device's path on a line, or one JSON object; for a dry run what would be done. @path is NULL then.
 * @api_calls: requests that EC2 was sent. Return: 0, -ENOMEM.
 */
int attach_result_print(struct cli *cli, const struct attach_result *result, const char *path, unsigned int api_calls,
			struct err *err);

#endif
