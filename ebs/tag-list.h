/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: tags from a command line
 */
#ifndef NODEVOL_EBS_TAG_LIST_H
#define NODEVOL_EBS_TAG_LIST_H

#include <stddef.h>

#include "bootstrap/aws/ec2-form.h"
#include "bootstrap/base/cli.h"
#include "bootstrap/base/err.h"

/**
 * struct tag_list - tags
 * @items: keys are @keys, values lie in the text that was read
 * @keys: owned
 * @count: how many
 */
struct tag_list {
	struct ec2_form_tag items[CLI_LIST_MAX];
	char *keys[CLI_LIST_MAX];
	size_t count;
};

/* Reads KEY=VALUE for each of @texts; @out is zeroed by the caller. Return: 0, -EINVAL (ERR_USAGE), -ENOMEM. */
int tag_list_parse(const struct cli_list *texts, struct tag_list *out, struct err *err);
void tag_list_done(struct tag_list *list);

#define CLEANUP_TAG_LIST __attribute__((cleanup(tag_list_done)))

#endif
