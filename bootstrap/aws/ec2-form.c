/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/ec2-form.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "bootstrap/aws/sigv4.h"

#define BODY_MAX (64U << 10)
#define FIELD_MAX 160

void ec2_form_begin(struct ec2_form *form, const char *action)
{
	*form = (struct ec2_form){ .action = action };
	buf_init(&form->body, BODY_MAX);
	form->failure = buf_printf(&form->body, "Action=%s&Version=2016-11-15", action);
}

void ec2_form_done(struct ec2_form *form)
{
	buf_done(&form->body);
}

static void add(struct ec2_form *form, const char *name, const char *value)
{
	if (form->failure < 0)
		return;
	form->failure = buf_add_text(&form->body, "&") ?: sigv4_encode(name, &form->body) ?:
			buf_add_text(&form->body, "=") ?: sigv4_encode(value, &form->body);
}

#define MAKE_NAME(name, format)                                     \
	do {                                                        \
		va_list arguments_;                                 \
		va_start(arguments_, format);                       \
		vsnprintf((name), sizeof(name), (format), arguments_); \
		va_end(arguments_);                                 \
	} while (0)

void ec2_form_text(struct ec2_form *form, const char *value, const char *format, ...)
{
	char name[FIELD_MAX];

	MAKE_NAME(name, format);
	if (value && *value)
		add(form, name, value);
}

void ec2_form_u64(struct ec2_form *form, uint64_t value, const char *format, ...)
{
	char name[FIELD_MAX];
	char text[24];

	MAKE_NAME(name, format);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	if (value)
		add(form, name, text);
}

void ec2_form_filter(struct ec2_form *form, unsigned int index, const char *name, const char *value)
{
	char key[FIELD_MAX];

	snprintf(key, sizeof(key), "Filter.%u.Name", index);
	add(form, key, name);
	snprintf(key, sizeof(key), "Filter.%u.Value.1", index);
	add(form, key, value);
}

void ec2_form_tag_filters(struct ec2_form *form, unsigned int first, const struct ec2_form_tag *tags, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char name[4 + 512];

		snprintf(name, sizeof(name), "tag:%s", tags[i].key);
		ec2_form_filter(form, first + (unsigned int)i, name, tags[i].value);
	}
}

void ec2_form_tag(struct ec2_form *form, const char *resource, unsigned int index, const struct ec2_form_tag *tag)
{
	char name[FIELD_MAX];

	if (index == 1)
		add(form, "TagSpecification.1.ResourceType", resource);
	snprintf(name, sizeof(name), "TagSpecification.1.Tag.%u.Key", index);
	add(form, name, tag->key);
	snprintf(name, sizeof(name), "TagSpecification.1.Tag.%u.Value", index);
	add(form, name, tag->value);
}
