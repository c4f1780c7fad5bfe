/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/cli.h"
#include "bootstrap/base/jsontext.h"
#include "ebs/resolve.h"

#define TEXT_MAX (1U << 20)

struct options {
	bool udev;
};

static const struct cli_option option_table[] = {
	{ "udev", CLI_FLAG, NULL, "print only the name that was asked for at attachment, for a udev rule",
	  offsetof(struct options, udev), 0, 0 },
};

static const char *const synopsis[] = {
	"[--json] [DEVICE...]",
	"--udev DEVICE",
	NULL,
};

struct listing {
	struct cli *cli;
	struct jsontext json;
};

static void add_json(struct jsontext *json, const struct device *device)
{
	jsontext_open_object(json, NULL);
	jsontext_text(json, "device", device->host_path);
	jsontext_text(json, "volume-id", device->volume_id[0] ? device->volume_id : NULL);
	jsontext_text(json, "name", device->name[0] ? device->name : NULL);
	jsontext_text(json, "model", device->model[0] ? device->model : NULL);
	jsontext_text(json, "serial", device->serial[0] ? device->serial : NULL);
	jsontext_u64(json, "size-bytes", device->size_bytes);
	jsontext_close_object(json);
}

static int add_device(const struct device *device, void *context, struct err *err)
{
	struct listing *listing = context;

	if (listing->cli->json)
		add_json(&listing->json, device);
	else
		fprintf(listing->cli->out, "%-14s %-22s %-16s %8.1f GiB  %s\n", device->host_path,
			device->volume_id[0] ? device->volume_id : "-", device->name[0] ? device->name : "-",
			(double)device->size_bytes / (1 << 30), device->model[0] ? device->model : "-");
	return 0;
}

static int print_udev_name(struct cli *cli, struct err *err)
{
	const char *colon;
	struct device device;
	int ret;

	if (cli->operand_count != 1)
		return err_set(err, EINVAL, "--udev takes one DEVICE");
	ret = resolve_device(cli->root, cli->operands[0], &device, err);
	if (ret < 0)
		return ret;
	/* "ephemeral0:sdb", and "ephemeral0:none" where no name was asked for. */
	colon = strchr(device.name, ':');
	if (!device.name[0] || (colon && strcmp(colon, ":none") == 0))
		return err_absent(err, "%s was not attached under a name", device.host_path);
	fprintf(cli->out, "%s\n", colon ? colon + 1 : device.name);
	return 0;
}

static int list(struct listing *listing, struct err *err)
{
	struct cli *cli = listing->cli;
	struct device device;
	int ret = 0;

	if (!cli->operand_count)
		return device_each(cli->root, add_device, listing, err);
	for (int i = 0; ret == 0 && i < cli->operand_count; i++) {
		ret = resolve_device(cli->root, cli->operands[i], &device, err);
		if (ret == 0)
			ret = add_device(&device, listing, err);
	}
	return ret;
}

static int run(struct cli *cli, const void *argument, struct err *err)
{
	const struct options *options = argument;
	struct listing listing = { .cli = cli };
	struct buf text CLEANUP_BUF = BUF_INIT(TEXT_MAX);
	int ret;

	if (options->udev)
		return print_udev_name(cli, err);
	jsontext_begin(&listing.json, &text);
	jsontext_open_object(&listing.json, NULL);
	jsontext_open_array(&listing.json, "devices");
	ret = list(&listing, err);
	jsontext_close_array(&listing.json);
	jsontext_close_object(&listing.json);
	if (ret == 0)
		ret = jsontext_end(&listing.json, err);
	if (ret == 0 && cli->json)
		fprintf(cli->out, "%s\n", text.data);
	return ret;
}

static const struct cli_tool tool = {
	.name = "ebs-id",
	.summary = "say which disk is which EBS volume",
	.synopsis = synopsis,
	.options = option_table,
	.option_count = ARRAY_SIZE(option_table),
	.options_size = sizeof(struct options),
	.operands_max = -1,
	.deadline_s = 30,
	.run = run,
};

int main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
