/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/aws/imds.h"
#include "bootstrap/aws/settings.h"
#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/cli.h"
#include "bootstrap/base/jsontext.h"

#define OUTPUT_MAX (8U << 20)

static const char *const synopsis[] = {
	"[--json] PATH...",
	NULL,
};

/* A line break after text that has none of its own; what is not text (compressed user-data) is left as it is. */
static void print_item(FILE *out, const struct buf *item)
{
	fwrite(item->data, 1, item->length, out);
	if (!memchr(item->data, '\0', item->length) && (!item->length || item->data[item->length - 1] != '\n'))
		fputc('\n', out);
}

static int get_all(struct cli *cli, struct imds *imds, struct jsontext *json, struct err *err)
{
	for (int i = 0; i < cli->operand_count; i++) {
		struct buf item CLEANUP_BUF = BUF_INIT(IMDS_BODY_MAX);
		int ret = imds_get(imds, cli->operands[i], &item, err);

		if (ret < 0)
			return ret;
		if (cli->json)
			jsontext_bytes(json, cli->operands[i], item.data, item.length);
		else
			print_item(cli->out, &item);
	}
	return 0;
}

static int run(struct cli *cli, const void *argument, struct err *err)
{
	CLEANUP_SETTINGS struct settings settings = { 0 };
	CLEANUP_IMDS struct imds *imds = NULL;
	struct buf text CLEANUP_BUF = BUF_INIT(OUTPUT_MAX);
	struct jsontext json;
	int ret;

	ret = settings_read(getenv, &settings, err);
	if (ret == 0)
		ret = imds_open(&settings, &cli->deadline, &imds, err);
	if (ret < 0)
		return ret;
	jsontext_begin(&json, &text);
	jsontext_open_object(&json, NULL);
	ret = get_all(cli, imds, &json, err);
	jsontext_close_object(&json);
	if (ret == 0 && cli->json)
		ret = jsontext_end(&json, err);
	if (ret == 0 && cli->json)
		fprintf(cli->out, "%s\n", text.data);
	return ret;
}

static const struct cli_tool tool = {
	.name = "imds-get",
	.summary = "print items of the instance metadata service",
	.synopsis = synopsis,
	.operands_min = 1,
	.operands_max = -1,
	.deadline_s = 60,
	.run = run,
};

int main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
