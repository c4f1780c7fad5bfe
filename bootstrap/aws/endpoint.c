/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "bootstrap/base/cleanup.h"

/* The first row whose prefix fits counts; the last fits all. */
static const struct partition {
	const char *prefix;
	const char *suffix;
	const char *dualstack_suffix;
} partitions[] = {
	{ "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn" },
	{ "us-gov-", "amazonaws.com", "api.aws" },
	{ "us-iso-", "c2s.ic.gov", "api.aws.ic.gov" },
	{ "us-isob-", "sc2s.sgov.gov", "api.aws.scloud" },
	{ "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov" },
	{ "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk" },
	{ "eusc-", "amazonaws.eu", "api.amazonwebservices.eu" },
	{ "", "amazonaws.com", "api.aws" },
};

static const struct partition *partition_of(const char *region)
{
	const struct partition *partition = partitions;

	while (strncmp(region, partition->prefix, strlen(partition->prefix)) != 0)
		partition++;
	return partition;
}

static bool host_is(const char *authority, const char *host)
{
	size_t length = strlen(host);

	return strncmp(authority, host, length) == 0 && (authority[length] == ':' || authority[length] == '\0');
}

/* "127." and "169.254." with digits, dots and a port behind it, so that no name can begin like an address. */
static bool is_address_below(const char *authority, const char *prefix)
{
	size_t length = strcspn(authority, ":");

	return strncmp(authority, prefix, strlen(prefix)) == 0 && strspn(authority, "0123456789.") == length;
}

/* A session token must not cross a network in the clear; link-local and loopback addresses stay on this machine. */
static bool is_local(const char *authority)
{
	return host_is(authority, "localhost") || host_is(authority, "[::1]") || is_address_below(authority, "127.") ||
	       is_address_below(authority, "169.254.");
}

static int use_custom(const char *url, struct endpoint *out, struct err *err)
{
	bool is_https = strncasecmp(url, "https://", 8) == 0;
	const char *authority = url + (is_https ? 8 : 7);
	const char *own_port = is_https ? ":443" : ":80";
	size_t length;

	if (!is_https && strncasecmp(url, "http://", 7) != 0)
		return err_set(err, EINVAL, "endpoint '%s' is not a URL with http or https", url);
	length = strcspn(authority, "/?#");
	if (!length || authority[length + strspn(authority + length, "/")] || memchr(authority, '@', length) ||
	    strpbrk(url, " \t\r\n"))
		return err_set(err, EINVAL, "endpoint '%s' is not just scheme, host and port", url);
	for (size_t i = 0; i < length; i++)
		out->host[i] = authority[i] >= 'A' && authority[i] <= 'Z' ? (char)(authority[i] + 32) : authority[i];
	out->host[length] = '\0';
	if (!is_https && !is_local(out->host))
		return err_set(err, EINVAL, "endpoint '%s' would send credentials in the clear; use https", url);
	snprintf(out->url, sizeof(out->url), "%s://%s", is_https ? "https" : "http", out->host);
	if (length > strlen(own_port) && strcmp(out->host + length - strlen(own_port), own_port) == 0)
		out->host[length - strlen(own_port)] = '\0';
	return 0;
}

int endpoint_find(const struct settings *settings, const char *region, struct endpoint *out, struct err *err)
{
	const struct partition *partition = partition_of(region);
	/* GovCloud's EC2 endpoints are FIPS endpoints under the plain name. */
	bool fips = settings->use_fips && strcmp(partition->prefix, "us-gov-") != 0;

	if (settings->endpoint_ec2[0] && (settings->use_fips || settings->use_dualstack))
		return err_set(err, EINVAL,
			       "a FIPS or dual-stack endpoint cannot be had together with AWS_ENDPOINT_URL");
	if (settings->endpoint_ec2[0])
		return use_custom(settings->endpoint_ec2, out, err);
	if (!*region)
		return err_set(err, EINVAL, "no Region: set AWS_REGION");
	snprintf(out->host, sizeof(out->host), "ec2%s.%s.%s", fips ? "-fips" : "", region,
		 settings->use_dualstack ? partition->dualstack_suffix : partition->suffix);
	snprintf(out->url, sizeof(out->url), "https://%s", out->host);
	return 0;
}
