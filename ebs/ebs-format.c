/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/cli.h"
#include "bootstrap/base/jsontext.h"
#include "bootstrap/base/log.h"
#include "ebs/format.h"
#include "ebs/resolve.h"

#define OUTPUT_MAX 4096

struct options {
	const char *filesystem;
	const char *label;
	bool accept_noise;
};

static const struct cli_option option_table[] = {
	{ "filesystem", CLI_CHOICE, "ext4|xfs", "type (default: what is there, else ext4)",
	  offsetof(struct options, filesystem), 0, 0 },
	{ "label", CLI_TEXT, "TEXT", "label, also of one that is there", offsetof(struct options, label), 0, 0 },
	{ "accept-noise", CLI_FLAG, NULL, "a device that reads as noise counts as blank",
	  offsetof(struct options, accept_noise), 0, 0 },
};

static const char *const synopsis[] = {
	"[--filesystem ext4|xfs] [--label TEXT] [--accept-noise] DEVICE",
	NULL,
};

static int print_json(struct cli *cli, const struct device *device, uint64_t size_bytes,
		      const struct format_result *result, struct err *err)
{
	struct buf text CLEANUP_BUF = BUF_INIT(OUTPUT_MAX);
	struct jsontext write;
	int ret;

	jsontext_begin(&write, &text);
	jsontext_open_object(&write, NULL);
	jsontext_text(&write, "device", device->host_path);
	jsontext_u64(&write, "size-bytes", size_bytes);
	jsontext_text(&write, "outcome", format_outcome_text(result->outcome));
	jsontext_text(&write, "filesystem", result->filesystem);
	jsontext_text(&write, "label", result->label);
	jsontext_text(&write, "uuid", result->uuid[0] ? result->uuid : NULL);
	jsontext_text(&write, "found", result->found);
	jsontext_close_object(&write);
	ret = jsontext_end(&write, err);
	if (ret == 0)
		fprintf(cli->out, "%s\n", text.data);
	return ret;
}

static int run(struct cli *cli, const void *argument, struct err *err)
{
	const struct options *options = argument;
	const struct format_request request = {
		.filesystem = options->filesystem,
		.label = options->label,
		.noise_permission = options->accept_noise ? "--accept-noise" : NULL,
		.dry_run = cli->dry_run,
		.deadline = cli->deadline,
	};
	CLEANUP_BLKDEV struct blkdev disk = BLKDEV_INIT;
	struct format_result result;
	struct device device;
	int ret = resolve_and_open(cli, cli->operands[0], &device, &disk, err);

	if (ret == 0)
		ret = format_device(&disk, &request, &result, err);
	if (ret < 0)
		return ret;
	log_step("%s: found %s%s%s", device.host_path, result.found, result.noise_because[0] ? ", taken for blank: " : "",
		 result.noise_because);
	if (cli->json)
		return print_json(cli, &device, disk.size_bytes, &result, err);
	fprintf(cli->out, "%s: %s %s%s%s%s%s\n", device.host_path, format_outcome_text(result.outcome), result.filesystem,
		result.label[0] ? " LABEL=" : "", result.label, result.uuid[0] ? " UUID=" : "", result.uuid);
	return 0;
}

static const struct cli_tool tool = {
	.name = "ebs-format",
	.summary = "make a filesystem on a blank volume, and on nothing else",
	.synopsis = synopsis,
	.options = option_table,
	.option_count = ARRAY_SIZE(option_table),
	.options_size = sizeof(struct options),
	.operands_min = 1,
	.operands_max = 1,
	.deadline_s = 60,
	.run = run,
};

int main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
