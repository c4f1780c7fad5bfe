/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the body of a request to EC2's Query API
 *
 * Action=...&Version=2016-11-15 and then names and values as application/x-www-form-urlencoded. Names are those of the
 * API Reference; a list is Name.1, Name.2 and so on. A failure is kept and told by whoever sends the form.
 */
#ifndef NODEVOL_AWS_EC2_FORM_H
#define NODEVOL_AWS_EC2_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootstrap/base/buf.h"

/* A tag, borrowed. */
struct ec2_form_tag {
	const char *key;
	const char *value;
};

/**
 * struct ec2_form - a body being written
 * @action: "DescribeVolumes"
 * @body: what was added so far
 * @failure: 0, or the first failure of @body
 */
struct ec2_form {
	const char *action;
	struct buf body;
	int failure;
};

/* @action is borrowed. */
void ec2_form_begin(struct ec2_form *form, const char *action);
void ec2_form_done(struct ec2_form *form);

/* The name is made from @format. A NULL or empty text and a number of 0 are left out: what EC2 takes as not given. */
void ec2_form_text(struct ec2_form *form, const char *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void ec2_form_u64(struct ec2_form *form, uint64_t value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "Filter.INDEX.Name" and its one value. */
void ec2_form_filter(struct ec2_form *form, unsigned int index, const char *name, const char *value);

/* A filter "tag:KEY" for each tag, from "Filter.FIRST" on. */
void ec2_form_tag_filters(struct ec2_form *form, unsigned int first, const struct ec2_form_tag *tags, size_t count);

/* Tags that the new thing (@resource, such as "volume") gets; @index counts from 1. A value may be empty. */
void ec2_form_tag(struct ec2_form *form, const char *resource, unsigned int index, const struct ec2_form_tag *tag);

#define CLEANUP_EC2_FORM __attribute__((cleanup(ec2_form_done)))

#endif
