/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/cloud.h"

int cloud_open(char *(*get)(const char *name), const struct deadline *deadline, struct cloud *out, struct err *err)
{
	int ret;

	*out = (struct cloud){ .deadline = *deadline };
	ret = settings_read(get, &out->settings, err);
	if (ret < 0)
		return ret;
	return imds_open(&out->settings, deadline, &out->imds, err);
}

void cloud_close(struct cloud *cloud)
{
	ec2_close(cloud->ec2);
	imds_close(cloud->imds);
	settings_wipe(&cloud->settings);
	cloud->ec2 = NULL;
	cloud->imds = NULL;
}

int cloud_identity(struct cloud *cloud, const struct imds_identity **out, struct err *err)
{
	int ret = cloud->has_identity ? 0 : imds_get_identity(cloud->imds, &cloud->identity, err);

	if (ret < 0)
		return ret;
	cloud->has_identity = true;
	*out = &cloud->identity;
	return 0;
}

int cloud_ec2(struct cloud *cloud, struct ec2 **out, struct err *err)
{
	const struct imds_identity *identity;
	struct ec2_options options = { .settings = &cloud->settings, .imds = cloud->imds, .deadline = cloud->deadline };
	int ret;

	if (!cloud->ec2) {
		ret = cloud_identity(cloud, &identity, err);
		if (ret < 0)
			return ret;
		options.region = cloud->settings.region[0] ? cloud->settings.region : identity->region;
		ret = ec2_open(&options, &cloud->ec2, err);
		if (ret < 0)
			return ret;
	}
	*out = cloud->ec2;
	return 0;
}
