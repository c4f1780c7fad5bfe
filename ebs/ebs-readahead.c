/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/cli.h"
#include "bootstrap/base/log.h"
#include "ebs/readahead.h"
#include "ebs/resolve.h"

#define UNSET UINT64_MAX

struct options {
	uint64_t set_kib;
};

static const struct cli_option option_table[] = {
	{ "set", CLI_NUMBER, "KIB", "set it, until the next reboot or attachment", offsetof(struct options, set_kib), 0,
	  READAHEAD_MAX_KIB },
};

static const char *const synopsis[] = {
	"[--json] DEVICE",
	"--set KIB DEVICE",
	NULL,
};

static void set_defaults(void *options)
{
	((struct options *)options)->set_kib = UNSET;
}

static int run(struct cli *cli, const void *argument, struct err *err)
{
	const struct options *options = argument;
	struct readahead_result result;
	struct device device;
	int ret = resolve_device(cli->root, cli->operands[0], &device, err);

	if (ret < 0)
		return ret;
	if (options->set_kib == UNSET) {
		ret = readahead_get(&device, &result.after_kib, err);
		if (ret < 0)
			return ret;
	} else {
		ret = readahead_set(&device, (uint32_t)options->set_kib, cli->dry_run, &result, err);
		if (ret < 0)
			return ret;
		log_step("%s: read-ahead %s %u KiB%s", device.host_path,
			 result.before_kib == result.after_kib ? "is" : "set to", result.after_kib,
			 cli->dry_run ? " (nothing changed)" : "");
	}
	if (cli->json)
		fprintf(cli->out, "{\"device\": \"%s\", \"read-ahead-kib\": %u}\n", device.host_path, result.after_kib);
	else
		fprintf(cli->out, "%u\n", result.after_kib);
	return 0;
}

static const struct cli_tool tool = {
	.name = "ebs-readahead",
	.summary = "read or set how far the kernel reads ahead on a volume",
	.synopsis = synopsis,
	.options = option_table,
	.option_count = ARRAY_SIZE(option_table),
	.options_size = sizeof(struct options),
	.defaults = set_defaults,
	.operands_min = 1,
	.operands_max = 1,
	.deadline_s = 30,
	.run = run,
};

int main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
