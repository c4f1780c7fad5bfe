/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: where a node's configuration is looked for
 */
#ifndef NODEVOL_AL2023_FIND_CONFIG_H
#define NODEVOL_AL2023_FIND_CONFIG_H

#include "bootstrap/aws/imds.h"
#include "bootstrap/base/err.h"
#include "bootstrap/sys/root.h"
#include "ebs/config.h"

#define FIND_CONFIG_FILE "/etc/nodevol/config.json"

/**
 * struct find_config_result - what was found
 * @config: given back with config_done()
 * @origin: where it came from, for people
 */
struct find_config_result {
	struct config config;
	char origin[ROOT_PATH_MAX];
};

/**
 * find_config - the configuration of this node
 * @root: the host's root
 * @file: what --config says, as seen from here; NULL to look for it: FIND_CONFIG_FILE below @root, then user-data
 * @imds: asked when there is no file; NULL to look for a file only
 * @out: filled on success
 * @err: filled on failure
 *
 * Return: 0, -ENOENT (ERR_ABSENT) there is none, -EINVAL (ERR_USAGE) it is no good, errors of IMDS.
 */
int find_config(const char *root, const char *file, struct imds *imds, struct find_config_result *out, struct err *err);

#endif
