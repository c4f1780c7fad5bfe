/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/ec2-volume.h"

#include <errno.h>
#include <string.h>

#include "bootstrap/aws/timestamp.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/parse.h"

#define PAGE	  100 /* volumes or snapshots: with 50 tags each an answer stays small */
#define PAGES_MAX 1000
#define GIB_MAX	  (1U << 24)

/* The text of a child, "" where it is absent. It goes into messages, paths and requests: visible ASCII only. */
static int copy_text(const struct xml_element *element, const char *name, char *out, size_t size, struct err *err)
{
	const char *text = xml_text(element, name);
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return err_set(err, EPROTO, "EC2's answer: %s has odd characters", name);
	if (length >= size)
		return err_set(err, EPROTO, "EC2's answer: %s is longer than %zu characters", name, size - 1);
	memcpy(out, text, length + 1);
	return 0;
}

#define COPY(element, name, field) copy_text((element), (name), (field), sizeof(field), err)

static bool flag(const struct xml_element *element, const char *name)
{
	return strcmp(xml_text(element, name), "true") == 0;
}

static int read_attachment(const struct xml_element *element, struct ec2_volume_attachment *out, struct err *err)
{
	*out = (struct ec2_volume_attachment){ .delete_on_termination = flag(element, "deleteOnTermination") };
	return COPY(element, "instanceId", out->instance_id) ?: COPY(element, "device", out->device) ?:
	       COPY(element, "status", out->status);
}

static int read_attachments(const struct xml_element *set, struct ec2_volume *out, struct err *err)
{
	const struct xml_element *item = xml_child(set, "item");

	for (; item && out->attachment_count < EC2_VOLUME_ATTACHMENTS_MAX; item = xml_next(item)) {
		int ret = read_attachment(item, &out->attachments[out->attachment_count++], err);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_volume(const struct xml_element *element, struct ec2_volume *out, struct err *err)
{
	*out = (struct ec2_volume){ .encrypted = flag(element, "encrypted") };
	if (COPY(element, "volumeId", out->id) < 0 || COPY(element, "status", out->status) < 0 ||
	    COPY(element, "availabilityZone", out->zone) < 0 || COPY(element, "snapshotId", out->snapshot_id) < 0 ||
	    COPY(element, "sourceVolumeId", out->source_volume_id) < 0)
		return -EPROTO;
	if (!out->id[0] || !out->status[0] || !out->zone[0])
		return err_set(err, EPROTO, "EC2's answer: a volume without id, status or zone");
	if (parse_u64(xml_text(element, "size"), 1, GIB_MAX, &out->size_gib, err) < 0)
		return err_set(err, EPROTO, "EC2's answer: the size of %s is no number of GiB", out->id);
	if (timestamp_parse(xml_text(element, "createTime"), &out->create_time) < 0)
		out->create_time = 0;
	return read_attachments(xml_child(element, "attachmentSet"), out, err);
}

const struct ec2_volume_attachment *ec2_volume_attachment_to(const struct ec2_volume *volume, const char *instance_id)
{
	for (size_t i = 0; i < volume->attachment_count; i++)
		if (strcmp(volume->attachments[i].instance_id, instance_id) == 0 &&
		    strcmp(volume->attachments[i].status, "detached") != 0)
			return &volume->attachments[i];
	return NULL;
}

static void write_query(struct ec2_form *form, const struct ec2_volume_query *query)
{
	static const char *const usable[] = { "creating", "available", "in-use" };
	unsigned int next = (unsigned int)query->tag_count + 1;

	if (query->id) {
		ec2_form_text(form, query->id, "VolumeId.1");
		return;
	}
	ec2_form_tag_filters(form, 1, query->tags, query->tag_count);
	if (query->usable) {
		ec2_form_text(form, "status", "Filter.%u.Name", next);
		for (unsigned int i = 0; i < ARRAY_SIZE(usable); i++)
			ec2_form_text(form, usable[i], "Filter.%u.Value.%u", next, i + 1);
	}
	ec2_form_u64(form, PAGE, "MaxResults");
}

/* One page. @next becomes the token of the page after it, "" for the last. */
static int each_of_page(struct ec2 *ec2, const struct ec2_volume_query *query, struct buf *next,
			int (*each)(const struct ec2_volume *, void *, struct err *), void *context, struct err *err)
{
	struct ec2_form form CLEANUP_EC2_FORM = { 0 };
	CLEANUP_XML struct xml_element *root = NULL;
	const struct xml_element *item;
	struct ec2_volume volume;
	int ret;

	ec2_form_begin(&form, "DescribeVolumes");
	write_query(&form, query);
	ec2_form_text(&form, next->data, "NextToken");
	ret = ec2_ask(ec2, &form, &root, err);
	for (item = xml_child(xml_child(root, "volumeSet"), "item"); item && ret == 0; item = xml_next(item)) {
		ret = read_volume(item, &volume, err);
		if (ret == 0)
			ret = each(&volume, context, err);
	}
	if (ret != 0)
		return ret;
	buf_clear(next);
	if (buf_add_text(next, xml_text(root, "nextToken")) < 0)
		return err_set(err, EPROTO, "DescribeVolumes: the token of the next page is too long");
	return 0;
}

int ec2_volume_each(struct ec2 *ec2, const struct ec2_volume_query *query,
		    int (*each)(const struct ec2_volume *volume, void *context, struct err *err), void *context,
		    struct err *err)
{
	struct buf next CLEANUP_BUF = BUF_INIT(8192);

	/* Without any condition EC2 would describe every volume of the account. */
	if (!query->id && !query->tag_count)
		return err_set(err, EINVAL, "neither a volume id nor a tag to look for");
	for (int page = 0; page < PAGES_MAX; page++) {
		int ret = each_of_page(ec2, query, &next, each, context, err);

		if (ret != 0 || !next.length)
			return ret;
	}
	return err_set(err, EPROTO, "DescribeVolumes: more than %d pages", PAGES_MAX);
}

struct one {
	struct ec2_volume *out;
	bool found;
};

static int keep_one(const struct ec2_volume *volume, void *context, struct err *err)
{
	struct one *one = context;

	*one->out = *volume;
	one->found = true;
	return 0;
}

int ec2_volume_describe(struct ec2 *ec2, const char *id, struct ec2_volume *out, struct err *err)
{
	struct ec2_volume_query query = { .id = id };
	struct one one = { .out = out };
	int ret = ec2_volume_each(ec2, &query, keep_one, &one, err);

	if (ret == 0 && (!one.found || strcmp(out->id, id) != 0))
		return err_absent(err, "EC2 has no volume %s", id);
	return ret;
}

int ec2_volume_create(struct ec2 *ec2, const struct ec2_volume_spec *spec, struct ec2_volume *out, struct err *err)
{
	struct ec2_form form CLEANUP_EC2_FORM = { 0 };
	CLEANUP_XML struct xml_element *root = NULL;
	int ret;

	ec2_form_begin(&form, "CreateVolume");
	ec2_form_text(&form, spec->zone, "AvailabilityZone");
	/* Always said: the API's own default is gp2. */
	ec2_form_text(&form, "gp3", "VolumeType");
	ec2_form_u64(&form, spec->size_gib, "Size");
	ec2_form_text(&form, spec->snapshot_id, "SnapshotId");
	ec2_form_u64(&form, spec->iops, "Iops");
	ec2_form_u64(&form, spec->throughput_mibps, "Throughput");
	ec2_form_u64(&form, spec->initialization_rate_mibps, "VolumeInitializationRate");
	ec2_form_text(&form, spec->encrypted ? "true" : NULL, "Encrypted");
	ec2_form_text(&form, spec->kms_key_id, "KmsKeyId");
	ec2_form_text(&form, spec->client_token, "ClientToken");
	for (size_t i = 0; i < spec->tag_count; i++)
		ec2_form_tag(&form, "volume", (unsigned int)i + 1, &spec->tags[i]);
	ret = ec2_ask(ec2, &form, &root, err);
	return ret < 0 ? ret : read_volume(root, out, err);
}

int ec2_volume_attach(struct ec2 *ec2, const char *id, const char *instance_id, const char *device,
		      struct ec2_volume_attachment *out, struct err *err)
{
	struct ec2_form form CLEANUP_EC2_FORM = { 0 };
	CLEANUP_XML struct xml_element *root = NULL;
	int ret;

	ec2_form_begin(&form, "AttachVolume");
	ec2_form_text(&form, device, "Device");
	ec2_form_text(&form, instance_id, "InstanceId");
	ec2_form_text(&form, id, "VolumeId");
	ret = ec2_ask(ec2, &form, &root, err);
	return ret < 0 ? ret : read_attachment(root, out, err);
}

int ec2_volume_delete_on_termination(struct ec2 *ec2, const char *instance_id, const char *device, struct err *err)
{
	struct ec2_form form CLEANUP_EC2_FORM = { 0 };

	ec2_form_begin(&form, "ModifyInstanceAttribute");
	ec2_form_text(&form, instance_id, "InstanceId");
	ec2_form_text(&form, device, "BlockDeviceMapping.1.DeviceName");
	ec2_form_text(&form, "true", "BlockDeviceMapping.1.Ebs.DeleteOnTermination");
	return ec2_ask(ec2, &form, NULL, err);
}

/**
 * struct newest - the best snapshot so far
 */
struct newest {
	char id[EC2_VOLUME_ID_MAX];
	time_t time;
};

static int keep_newest(const struct xml_element *set, struct newest *newest, struct err *err)
{
	const struct xml_element *item = xml_child(set, "item");

	for (; item; item = xml_next(item)) {
		time_t started;

		if (timestamp_parse(xml_text(item, "startTime"), &started) < 0)
			started = 0;
		if (newest->id[0] && started <= newest->time)
			continue;
		if (COPY(item, "snapshotId", newest->id) < 0)
			return -EPROTO;
		newest->time = started;
	}
	return 0;
}

static int snapshot_page(struct ec2 *ec2, const struct ec2_form_tag *tags, size_t count, struct buf *next,
			 struct newest *newest, struct err *err)
{
	struct ec2_form form CLEANUP_EC2_FORM = { 0 };
	CLEANUP_XML struct xml_element *root = NULL;
	int ret;

	ec2_form_begin(&form, "DescribeSnapshots");
	ec2_form_text(&form, "self", "Owner.1");
	ec2_form_filter(&form, 1, "status", "completed");
	ec2_form_tag_filters(&form, 2, tags, count);
	ec2_form_u64(&form, PAGE, "MaxResults");
	ec2_form_text(&form, next->data, "NextToken");
	ret = ec2_ask(ec2, &form, &root, err);
	if (ret < 0)
		return ret;
	buf_clear(next);
	if (buf_add_text(next, xml_text(root, "nextToken")) < 0)
		return err_set(err, EPROTO, "DescribeSnapshots: the token of the next page is too long");
	return keep_newest(xml_child(root, "snapshotSet"), newest, err);
}

int ec2_volume_newest_snapshot(struct ec2 *ec2, const struct ec2_form_tag *tags, size_t count,
			       char out[EC2_VOLUME_ID_MAX], struct err *err)
{
	struct buf next CLEANUP_BUF = BUF_INIT(8192);
	struct newest newest = { 0 };
	int pages = 0;

	do {
		int ret = snapshot_page(ec2, tags, count, &next, &newest, err);

		if (ret < 0)
			return ret;
	} while (next.length && ++pages < PAGES_MAX);
	if (!newest.id[0])
		return err_absent(err, "no completed snapshot of this account has the tags that are asked for");
	memcpy(out, newest.id, sizeof(newest.id));
	return 0;
}
