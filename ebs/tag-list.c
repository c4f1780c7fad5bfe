/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/tag-list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/base/parse.h"

int tag_list_parse(const struct cli_list *texts, struct tag_list *out, struct err *err)
{
	for (size_t i = 0; i < texts->count; i++) {
		const char *value;
		size_t length;
		char *key;

		if (parse_key_value(texts->items[i], &length, &value, err) < 0)
			return -EINVAL;
		key = strndup(texts->items[i], length);
		if (!key)
			return err_sys(err, ENOMEM, "read tags");
		out->keys[out->count] = key;
		out->items[out->count++] = (struct ec2_form_tag){ .key = key, .value = value };
	}
	return 0;
}

void tag_list_done(struct tag_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->keys[i]);
	list->count = 0;
}
