/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/cli.h"
#include "bootstrap/base/parse.h"
#include "bootstrap/base/jsontext.h"
#include "ebs/mount-report.h"
#include "ebs/resolve.h"

#define OUTPUT_MAX (16U << 10)

struct options {
	const char *filesystem;
	const char *label;
	const char *mount_options;
	const char *owner;
	const char *mode;
	bool no_grow;
	const char *persist;
};

static const struct cli_option option_table[] = {
	{ "filesystem", CLI_CHOICE, "ext4|xfs", "type that is expected (default: either)",
	  offsetof(struct options, filesystem), 0, 0 },
	{ "label", CLI_TEXT, "TEXT", "label that is expected (default: any)", offsetof(struct options, label), 0, 0 },
	{ "options", CLI_TEXT, "TEXT", "mount options (default: nosuid,nodev)", offsetof(struct options, mount_options),
	  0, 0 },
	{ "owner", CLI_TEXT, "UID:GID", "owner of the filesystem's root", offsetof(struct options, owner), 0, 0 },
	{ "mode", CLI_TEXT, "OCTAL", "mode of the filesystem's root", offsetof(struct options, mode), 0, 0 },
	{ "no-grow", CLI_FLAG, NULL, "do not grow it to its device's size", offsetof(struct options, no_grow), 0, 0 },
	{ "persist", CLI_CHOICE, "runtime|unit|no", "where its unit is (default: runtime)",
	  offsetof(struct options, persist), 0, 0 },
};

static const char *const synopsis[] = {
	"[OPTION...] DEVICE DIR",
	NULL,
};

static enum unit_persist persist_of(const char *text)
{
	if (text && strcmp(text, "unit") == 0)
		return UNIT_ETC;
	return text && strcmp(text, "no") == 0 ? UNIT_NO : UNIT_RUNTIME;
}

static int make_request(const struct cli *cli, const struct options *options, const struct device *device,
			struct mount_request *out, struct err *err)
{
	*out = (struct mount_request){
		.root = cli->root,
		.volume_name = device->volume_id[0] ? device->volume_id : strrchr(device->host_path, '/') + 1,
		.target = cli->operands[1],
		.filesystem = options->filesystem,
		.label = options->label,
		.options = options->mount_options,
		.set_owner = options->owner,
		.set_mode = options->mode,
		.grow = !options->no_grow,
		.persist = persist_of(options->persist),
		.dry_run = cli->dry_run,
		.deadline = cli->deadline,
	};
	if (options->owner && parse_owner(options->owner, &out->owner, err) < 0)
		return err_wrap(err, "--owner");
	if (options->mode && parse_mode(options->mode, &out->mode, err) < 0)
		return err_wrap(err, "--mode");
	return 0;
}

static int mount_device(struct cli *cli, const struct options *options, const struct device *device,
			struct jsontext *write, struct err *err)
{
	CLEANUP_BLKDEV struct blkdev held = BLKDEV_INIT;
	struct mount_request request;
	bool changed = false;
	struct mount mount;
	int ret = make_request(cli, options, device, &request, err);

	if (ret == 0)
		ret = mount_begin(&request, device, &mount, err);
	if (ret == 0 && !mount.is_mounted) {
		ret = device_open(cli->root, device, &cli->deadline, &held, err);
		mount.held = &held;
	}
	if (ret == 0)
		ret = mount_report_run(&mount, write, &changed, err);
	if (ret < 0)
		return ret;
	if (!cli->json)
		fprintf(cli->out, "%s: %s at %s%s\n", device->host_path, cli->dry_run ? "would be mounted" : "mounted",
			request.target, changed ? "" : ", nothing to do");
	return 0;
}

static int run(struct cli *cli, const void *argument, struct err *err)
{
	struct buf text CLEANUP_BUF = BUF_INIT(OUTPUT_MAX);
	struct jsontext write;
	struct device device;
	int ret;

	ret = resolve_device(cli->root, cli->operands[0], &device, err);
	if (ret < 0)
		return ret;
	jsontext_begin(&write, &text);
	jsontext_open_object(&write, NULL);
	jsontext_text(&write, "device", device.host_path);
	jsontext_text(&write, "volume-id", device.volume_id[0] ? device.volume_id : NULL);
	jsontext_text(&write, "mount-point", cli->operands[1]);
	ret = mount_device(cli, argument, &device, &write, err);
	if (ret < 0)
		return ret;
	jsontext_close_object(&write);
	ret = jsontext_end(&write, err);
	if (ret == 0 && cli->json)
		fprintf(cli->out, "%s\n", text.data);
	return ret;
}

static const struct cli_tool tool = {
	.name = "ebs-mount",
	.summary = "mount a volume, grow it, and keep it mounted",
	.synopsis = synopsis,
	.options = option_table,
	.option_count = ARRAY_SIZE(option_table),
	.options_size = sizeof(struct options),
	.operands_min = 2,
	.operands_max = 2,
	.deadline_s = 60,
	.run = run,
};

int main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
