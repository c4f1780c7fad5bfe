/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "al2023/find-config.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/cli.h"
#include "bootstrap/base/log.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/node/report.h"
#include "ebs/provision.h"

#define DEADLINE_S	    600
#define DEADLINE_ATTACHED_S 60
#define REPORT_BYTES_MAX    (256U << 10)

struct options {
	const char *config;
	const char *check_config;
};

static const struct cli_option option_table[] = {
	{ "config", CLI_TEXT, "FILE", "read this configuration", offsetof(struct options, config), 0, 0 },
	{ "check-config", CLI_TEXT, "FILE", "check this configuration and do nothing else",
	  offsetof(struct options, check_config), 0, 0 },
};

static const char *const synopsis[] = {
	"[--config FILE] [--dry-run] [--json]",
	"--check-config FILE",
	NULL,
};

static int check_config(struct cli *cli, const char *path, struct err *err)
{
	struct config config CLEANUP_CONFIG = { 0 };
	int ret = config_load(path, &config, err);

	if (ret < 0)
		return ret;
	if (cli->json)
		fprintf(cli->out, "{\"volumes\": %zu}\n", config.volume_count);
	else
		fprintf(cli->out, "%s: good, %zu volume%s\n", path, config.volume_count,
			config.volume_count == 1 ? "" : "s");
	return 0;
}

static int print_report(struct cli *cli, const struct report *report, struct err *err)
{
	struct buf text CLEANUP_BUF = BUF_INIT(REPORT_BYTES_MAX);
	int ret;

	ret = report_json(report, &text, err);
	if (ret == 0)
		fprintf(cli->out, "%s\n", text.data);
	return ret;
}

static int load_config(struct cli *cli, const struct options *options, struct cloud *cloud, struct report *report,
		       struct config *out, struct err *err)
{
	/* A node whose metadata service is out of reach has no configuration to wait ten minutes for. */
	struct deadline soon = deadline_within_ms(&cli->deadline, DEADLINE_ATTACHED_S * 1000 - 2000);
	struct cloud early CLEANUP_CLOUD = { 0 };
	struct find_config_result found;
	int ret;

	report_begin(report, "", "configuration");
	ret = find_config(cli->root, options->config, NULL, &found, err);
	if (ret == -ENOENT && !options->config) {
		ret = cloud_open(getenv, &soon, &early, err);
		if (ret == 0)
			ret = find_config(cli->root, NULL, early.imds, &found, err);
	}
	if (ret == 0) {
		*out = found.config;
		ret = cloud_open(getenv, &cli->deadline, cloud, err);
	}
	if (ret < 0) {
		report_end_err(report, err);
		return ret;
	}
	report_end(report, REPORT_UNCHANGED, "%s, %zu volume%s", found.origin, out->volume_count,
		   out->volume_count == 1 ? "" : "s");
	return 0;
}

static int boot(struct cli *cli, const struct options *options, struct report *report, struct err *err)
{
	struct config config CLEANUP_CONFIG = { 0 };
	struct cloud cloud CLEANUP_CLOUD = { 0 };
	struct provision provision = { .root = cli->root, .cloud = &cloud, .report = report, .dry_run = cli->dry_run };
	int ret = load_config(cli, options, &cloud, report, &config, err);

	if (ret < 0)
		return ret;
	if (!provision_may_ask_aws(&config))
		cli_shorten_deadline(cli, DEADLINE_ATTACHED_S);
	provision.deadline = cli->deadline;
	return provision_volumes(&provision, &config, err);
}

static int run(struct cli *cli, const void *argument, struct err *err)
{
	const struct options *options = argument;
	CLEANUP_FREE struct report *report = NULL;
	struct err report_err;
	int ret;

	if (options->check_config)
		return check_config(cli, options->check_config, err);
	report = calloc(1, sizeof(*report));
	if (!report)
		return err_sys(err, ENOMEM, "make a report");
	report_init(report, "al2023-bootstrap", cli->root, cli->dry_run);
	ret = boot(cli, options, report, err);
	report_finish(report, ret < 0 ? (int)err->status : ERR_DONE);
	if (cli->json && print_report(cli, report, &report_err) == 0)
		cli->answered = true;
	return ret;
}

static const struct cli_tool tool = {
	.name = "al2023-bootstrap",
	.summary = "prepare the data volumes of an AL2023 node",
	.synopsis = synopsis,
	.options = option_table,
	.option_count = ARRAY_SIZE(option_table),
	.options_size = sizeof(struct options),
	.deadline_s = DEADLINE_S,
	.run = run,
};

int main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
