/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/settings.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "bootstrap/base/cleanup.h"

/* A variable that is copied as it is. Of two rows with one field the first that is set counts. */
static const struct text_row {
	const char *name;
	size_t offset;
	size_t size;
} text_rows[] = {
#define ROW(name, field) { name, offsetof(struct settings, field), sizeof(((struct settings *)NULL)->field) }
	ROW("AWS_REGION", region),
	ROW("AWS_DEFAULT_REGION", region),
	ROW("AWS_ENDPOINT_URL_EC2", endpoint_ec2),
	ROW("AWS_ENDPOINT_URL", endpoint_ec2),
	ROW("AWS_CA_BUNDLE", ca_bundle),
	ROW("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds_endpoint),
	ROW("HTTPS_PROXY", https_proxy),
	ROW("https_proxy", https_proxy),
	ROW("NO_PROXY", no_proxy),
	ROW("no_proxy", no_proxy),
	ROW("AWS_ACCESS_KEY_ID", access_key_id),
	ROW("AWS_SECRET_ACCESS_KEY", secret_access_key),
	ROW("AWS_SESSION_TOKEN", session_token),
#undef ROW
};

typedef char *(*get_function)(const char *name);

/* An empty variable is one that is not set, as in the SDKs. */
static const char *value_of(get_function get, const char *name)
{
	const char *value = get(name);

	return value && *value ? value : NULL;
}

static int read_texts(get_function get, struct settings *out, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(text_rows); i++) {
		const struct text_row *row = &text_rows[i];
		const char *value = value_of(get, row->name);
		char *field = (char *)out + row->offset;
		size_t length = value ? strlen(value) : 0;

		if (!value || *field)
			continue;
		if (length >= row->size)
			return err_set(err, EINVAL, "%s is longer than %zu characters", row->name, row->size - 1);
		memcpy(field, value, length + 1);
	}
	return 0;
}

static int read_flag(get_function get, const char *name, bool *out, struct err *err)
{
	const char *value = value_of(get, name);

	*out = value && strcasecmp(value, "true") == 0;
	if (value && !*out && strcasecmp(value, "false") != 0)
		return err_set(err, EINVAL, "%s is '%s', expected true or false", name, value);
	return 0;
}

static int read_imds_mode(get_function get, struct settings *out, struct err *err)
{
	const char *name = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
	const char *value = value_of(get, name);

	out->imds_ipv4 = value && strcasecmp(value, "IPv4") == 0;
	out->imds_ipv6 = value && strcasecmp(value, "IPv6") == 0;
	if (value && !out->imds_ipv4 && !out->imds_ipv6)
		return err_set(err, EINVAL, "%s is '%s', expected IPv4 or IPv6", name, value);
	return 0;
}

static void cut_slashes(char *url)
{
	size_t length = strlen(url);

	while (length && url[length - 1] == '/')
		url[--length] = '\0';
}

static int check(const struct settings *settings, struct err *err)
{
	/* It becomes part of a host name. */
	if (settings->region[strspn(settings->region, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return err_set(err, EINVAL, "AWS_REGION: '%s' is not the name of a Region", settings->region);
	if (!settings->access_key_id[0] != !settings->secret_access_key[0])
		return err_set(err, EINVAL, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: only one of them is set");
	return 0;
}

int settings_read(get_function get, struct settings *out, struct err *err)
{
	bool ignore_endpoints;

	*out = (struct settings){ 0 };
	if (read_texts(get, out, err) < 0 || read_imds_mode(get, out, err) < 0 ||
	    read_flag(get, "AWS_USE_FIPS_ENDPOINT", &out->use_fips, err) < 0 ||
	    read_flag(get, "AWS_USE_DUALSTACK_ENDPOINT", &out->use_dualstack, err) < 0 ||
	    read_flag(get, "AWS_EC2_METADATA_DISABLED", &out->imds_disabled, err) < 0 ||
	    read_flag(get, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", &ignore_endpoints, err) < 0 || check(out, err) < 0) {
		settings_wipe(out);
		return -EINVAL;
	}
	if (ignore_endpoints)
		out->endpoint_ec2[0] = '\0';
	cut_slashes(out->imds_endpoint);
	return 0;
}

void settings_wipe(struct settings *settings)
{
	explicit_bzero(settings, sizeof(*settings));
}
