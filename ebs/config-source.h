/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: "source": where a volume of the configuration comes from
 */
#ifndef NODEVOL_EBS_CONFIG_SOURCE_H
#define NODEVOL_EBS_CONFIG_SOURCE_H

#include "bootstrap/sys/jsonx.h"
#include "ebs/config.h"

/* Reads "source" of @volume. Return: 0 or -EINVAL. What was read so far is freed by config_source_done() either way. */
int config_source_read(const struct jsonx *volume, struct config_source *out, struct err *err);

void config_source_done(struct config_source *source);

#endif
