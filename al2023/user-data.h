/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: a configuration inside the instance's user-data
 *
 * User-data of an EKS node is a MIME multipart document (nodeadm's NodeConfig is one part of it, shell scripts are
 * others); ours is the first part whose type is application/vnd.nodevol+json. As nodeadm does it
 * (awslabs/amazon-eks-ami, nodeadm's user-data provider), the whole and a part are recognised by their content: base64
 * and gzip are unpacked, whether or not a header says so.
 */
#ifndef NODEVOL_AL2023_USER_DATA_H
#define NODEVOL_AL2023_USER_DATA_H

#include <stddef.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/err.h"

#define USER_DATA_CONTENT_TYPE "application/vnd.nodevol+json"

/**
 * user_data_find_config - the configuration in @data, if there is one
 * @data: user-data as IMDS gives it; at most 16 KiB of raw data, says EC2, but unpacked it can be more
 * @length: its size
 * @out: the JSON text is appended here
 * @err: filled on failure
 *
 * Return: 1 and @out, 0 when there is none, -EINVAL (ERR_USAGE) for a part of ours that cannot be read.
 */
int user_data_find_config(const char *data, size_t length, struct buf *out, struct err *err);

#endif
