/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/attach-result.h"

#include <stdio.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/jsontext.h"

static const char *const done_words[] = {
	[ATTACH_NOTHING] = "nothing",
	[ATTACH_ATTACHED] = "attached",
	[ATTACH_CREATED] = "created",
};

static int print_json(struct cli *cli, const struct attach_result *result, const char *path, unsigned int api_calls,
		      struct err *err)
{
	struct buf text CLEANUP_BUF = BUF_INIT(4096);
	struct jsontext json;
	int ret;

	jsontext_begin(&json, &text);
	jsontext_open_object(&json, NULL);
	jsontext_text(&json, "device", path);
	jsontext_text(&json, "volume-id", result->volume_id[0] ? result->volume_id : NULL);
	jsontext_text(&json, "name", result->device_name);
	jsontext_text(&json, "done", done_words[result->done]);
	jsontext_bool(&json, "dry-run", cli->dry_run);
	jsontext_u64(&json, "size-bytes", result->size_bytes);
	jsontext_bool(&json, "encrypted", result->encrypted);
	jsontext_bool(&json, "empty", result->empty);
	jsontext_bool(&json, "delete-on-termination", result->delete_on_termination);
	jsontext_u64(&json, "api-calls", api_calls);
	jsontext_close_object(&json);
	ret = jsontext_end(&json, err);
	if (ret == 0)
		fprintf(cli->out, "%s\n", text.data);
	return ret;
}

int attach_result_print(struct cli *cli, const struct attach_result *result, const char *path, unsigned int api_calls,
			struct err *err)
{
	if (cli->json)
		return print_json(cli, result, path, api_calls, err);
	if (path)
		fprintf(cli->out, "%s\n", path);
	else if (result->done == ATTACH_CREATED)
		fprintf(cli->out, "would create a volume and attach it as %s\n", result->device_name);
	else if (result->done == ATTACH_ATTACHED)
		fprintf(cli->out, "would attach %s as %s\n", result->volume_id, result->device_name);
	else
		fprintf(cli->out, "%s is attached as %s\n", result->volume_id, result->device_name);
	return 0;
}
