/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/cli.h"
#include "bootstrap/disk/blkdev.h"
#include "ebs/attach.h"
#include "ebs/attach-result.h"
#include "ebs/cloud.h"
#include "ebs/device.h"
#include "ebs/tag-list.h"

struct options {
	const char *volume_id;
	struct cli_list find_tags;
	bool create;
	struct cli_list snapshot_tags;
	struct cli_list set_tags;
	const char *device_name;
	struct attach_create spec;
};

#define FIELD(name) offsetof(struct options, name)

static const struct cli_option option_table[] = {
	{ "volume-id", CLI_TEXT, "ID", "attach this volume", FIELD(volume_id), 0, 0 },
	{ "find-tag", CLI_LIST, "KEY=VALUE", "attach a volume with this tag; again for more tags", FIELD(find_tags),
	  0, 0 },
	{ "create", CLI_FLAG, NULL, "create a gp3 volume, once, and attach it", FIELD(create), 0, 0 },
	{ "size", CLI_NUMBER, "GIB", "create: its size", FIELD(spec.size_gib), 1, 65536 },
	{ "snapshot", CLI_TEXT, "ID", "create: from this snapshot", FIELD(spec.snapshot_id), 0, 0 },
	{ "snapshot-tag", CLI_LIST, "KEY=VALUE", "create: from the newest snapshot with this tag",
	  FIELD(snapshot_tags), 0, 0 },
	{ "iops", CLI_NUMBER, "N", "create: provisioned IOPS", FIELD(spec.iops), 1, 1000000 },
	{ "throughput", CLI_NUMBER, "MIBPS", "create: provisioned throughput", FIELD(spec.throughput_mibps), 1,
	  1000000 },
	{ "initialization-rate", CLI_NUMBER, "MIBPS", "create: how fast the snapshot is loaded",
	  FIELD(spec.initialization_rate_mibps), 1, 1000000 },
	{ "encrypted", CLI_FLAG, NULL, "create: encrypt it in any case", FIELD(spec.encrypted), 0, 0 },
	{ "kms-key", CLI_TEXT, "ID", "create: with this key", FIELD(spec.kms_key_id), 0, 0 },
	{ "set-tag", CLI_LIST, "KEY=VALUE", "create: a tag for it; again for more tags", FIELD(set_tags), 0, 0 },
	{ "device", CLI_TEXT, "NAME|auto", "attach it under this name (default: auto)", FIELD(device_name), 0, 0 },
	{ "keep", CLI_FLAG, NULL, "create: keep it when the instance is terminated", FIELD(spec.keep), 0, 0 },
};

static const char *const synopsis[] = {
	"--volume-id ID [--device NAME|auto]",
	"--find-tag KEY=VALUE... [--device NAME|auto]",
	"--create (--size GIB | --snapshot ID) [OPTION...]",
	NULL,
};

static bool has_create_options(const struct options *options)
{
	const struct attach_create *spec = &options->spec;

	return spec->size_gib || spec->snapshot_id || spec->iops || spec->throughput_mibps || spec->encrypted ||
	       spec->initialization_rate_mibps || spec->kms_key_id || spec->keep || options->snapshot_tags.count ||
	       options->set_tags.count;
}

static int attach(struct cli *cli, struct ec2 *ec2, const struct attach_request *request, struct err *err)
{
	struct attach_result result;
	struct device_query query = { .volume_id = result.volume_id };
	struct device device;
	int ret = attach_volume(ec2, request, &result, err);

	if (ret < 0)
		return ret;
	if (cli->dry_run)
		return attach_result_print(cli, &result, NULL, ec2_calls(ec2), err);
	query.size_bytes = result.size_bytes;
	ret = device_wait(cli->root, &query, &cli->deadline, &device, err);
	if (ret == 0)
		ret = attach_confirm(ec2, request, &result, err);
	return ret < 0 ? ret : attach_result_print(cli, &result, device.host_path, ec2_calls(ec2), err);
}

/* A volume that is created from the command line is known by the name that it is to have on the instance. */
static void make_name(const struct options *options, char *out, size_t size)
{
	char device[ATTACH_NAME_MAX] = "auto";

	if (options->device_name)
		blkdev_normalise_name(options->device_name, device, sizeof(device));
	snprintf(out, size, "ebs-attach/%s", device);
}

static int run(struct cli *cli, const void *argument, struct err *err)
{
	const struct options *options = argument;
	CLEANUP_TAG_LIST struct tag_list find_tags = { 0 };
	CLEANUP_TAG_LIST struct tag_list snapshot_tags = { 0 };
	CLEANUP_TAG_LIST struct tag_list set_tags = { 0 };
	CLEANUP_CLOUD struct cloud cloud = { 0 };
	char name[64 + ATTACH_NAME_MAX];
	struct attach_create create = options->spec;
	struct attach_request request;
	struct ec2 *ec2;

	if (tag_list_parse(&options->find_tags, &find_tags, err) < 0 ||
	    tag_list_parse(&options->snapshot_tags, &snapshot_tags, err) < 0 ||
	    tag_list_parse(&options->set_tags, &set_tags, err) < 0)
		return -err->code;
	if (!options->create && has_create_options(options))
		return err_set(err, EINVAL,
			       "size, snapshot, performance, encryption, tags and --keep go with --create only");
	make_name(options, name, sizeof(name));
	create.name = name;
	create.snapshot_tags = snapshot_tags.items;
	create.snapshot_tag_count = snapshot_tags.count;
	create.tags = set_tags.items;
	create.tag_count = set_tags.count;
	request = (struct attach_request){ .volume_id = options->volume_id, .tags = find_tags.items,
					   .tag_count = find_tags.count, .create = options->create ? &create : NULL,
					   .device_name = options->device_name, .root = cli->root,
					   .deadline = &cli->deadline, .dry_run = cli->dry_run };
	/* What is wrong with the command line is said before anything is asked. */
	if (attach_check(&request, err) < 0 || cloud_open(getenv, &cli->deadline, &cloud, err) < 0 ||
	    cloud_identity(&cloud, &request.instance, err) < 0 || cloud_ec2(&cloud, &ec2, err) < 0)
		return -err->code;
	return attach(cli, ec2, &request, err);
}

static const struct cli_tool tool = {
	.name = "ebs-attach",
	.summary = "find or create an EBS volume and attach it to this instance",
	.synopsis = synopsis,
	.options = option_table,
	.option_count = ARRAY_SIZE(option_table),
	.options_size = sizeof(struct options),
	.deadline_s = 600,
	.run = run,
};

int main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
