/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: where a service is
 */
#ifndef NODEVOL_AWS_ENDPOINT_H
#define NODEVOL_AWS_ENDPOINT_H

#include "bootstrap/aws/settings.h"
#include "bootstrap/base/err.h"

/**
 * struct endpoint - a service's address
 * @url: scheme, host and port, without a slash at the end
 * @host: for the Host header and the signature: lower case, with a port that is not the scheme's own
 */
struct endpoint {
	char url[SETTINGS_URL_MAX + 8];
	char host[SETTINGS_URL_MAX];
};

/**
 * endpoint_find - the endpoint of EC2 in a Region
 * @settings: a URL of the operator's own comes first
 * @region: "us-east-1"
 * @out: see above
 * @err: filled on failure
 *
 * Otherwise https://ec2[-fips].REGION.SUFFIX, by the table of partitions that the AWS SDKs carry (botocore,
 * data/partitions.json and the endpoint rule set of ec2).
 *
 * Return: 0, or -EINVAL (ERR_USAGE): not a URL, http to another machine, FIPS or dual-stack beside a URL of one's own.
 */
int endpoint_find(const struct settings *settings, const char *region, struct endpoint *out, struct err *err);

#endif
