/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: what the environment says about AWS
 *
 * The names are those of the AWS SDKs (AWS SDKs and Tools Reference Guide, "Settings reference"). This is the only
 * place that knows them; everything else gets this struct.
 */
#ifndef NODEVOL_AWS_SETTINGS_H
#define NODEVOL_AWS_SETTINGS_H

#include <stdbool.h>

#include "bootstrap/base/err.h"

#define SETTINGS_URL_MAX    512
#define SETTINGS_REGION_MAX 48
#define SETTINGS_KEY_MAX    256
#define SETTINGS_TOKEN_MAX  8192

/**
 * struct settings - AWS_... and the proxy; "" and false for what is not set
 * @region: AWS_REGION, else AWS_DEFAULT_REGION
 * @endpoint_ec2: AWS_ENDPOINT_URL_EC2, else AWS_ENDPOINT_URL
 * @use_fips: AWS_USE_FIPS_ENDPOINT
 * @use_dualstack: AWS_USE_DUALSTACK_ENDPOINT
 * @ca_bundle: AWS_CA_BUNDLE
 * @imds_disabled: AWS_EC2_METADATA_DISABLED
 * @imds_endpoint: AWS_EC2_METADATA_SERVICE_ENDPOINT, without a slash at the end
 * @imds_ipv6: AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is IPv6
 * @imds_ipv4: it is IPv4; neither: both are tried
 * @https_proxy: HTTPS_PROXY or https_proxy
 * @no_proxy: NO_PROXY or no_proxy
 * @access_key_id: AWS_ACCESS_KEY_ID
 * @secret_access_key: AWS_SECRET_ACCESS_KEY
 * @session_token: AWS_SESSION_TOKEN
 *
 * AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true leaves the endpoints of services empty.
 */
struct settings {
	char region[SETTINGS_REGION_MAX];
	char endpoint_ec2[SETTINGS_URL_MAX];
	bool use_fips;
	bool use_dualstack;
	char ca_bundle[SETTINGS_URL_MAX];
	bool imds_disabled;
	char imds_endpoint[SETTINGS_URL_MAX];
	bool imds_ipv6;
	bool imds_ipv4;
	char https_proxy[SETTINGS_URL_MAX];
	char no_proxy[SETTINGS_URL_MAX];
	char access_key_id[SETTINGS_KEY_MAX];
	char secret_access_key[SETTINGS_KEY_MAX];
	char session_token[SETTINGS_TOKEN_MAX];
};

/**
 * settings_read - fill in all of it
 * @get: getenv(), or a test's
 * @out: holds secrets: give it to settings_wipe() when done
 * @err: names the variable and what is wrong with it
 *
 * Return: 0 or -EINVAL (ERR_USAGE): too long, not a Region's name, not true or false, one key of a pair only.
 */
int settings_read(char *(*get)(const char *name), struct settings *out, struct err *err);

void settings_wipe(struct settings *settings);

#define CLEANUP_SETTINGS __attribute__((cleanup(settings_wipe)))

#endif
