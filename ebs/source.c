/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/base/log.h"
#include "ebs/attach.h"
#include "ebs/stamp.h"

#define NEW_S	      3600 /* older than this, somebody else may have written to it */
#define WITH_LAUNCH_S 300  /* RunInstances makes an instance's volumes within seconds of it */

/* Why a volume is known to be new: created empty less than an hour ago, by us or together with this instance. */
static void judge_age(const struct attach_result *volume, const struct imds_identity *instance, struct source *source)
{
	int64_t since_launch = (int64_t)volume->create_time - (int64_t)instance->launch_time;

	source->asked_ec2 = true;
	source->new_because[0] = '\0';
	if (!volume->empty || !volume->create_time || volume->age_s < 0 || volume->age_s >= NEW_S)
		return;
	if (volume->ours)
		snprintf(source->new_because, sizeof(source->new_because),
			 "nodevol created %s empty for this instance %" PRId64 " s ago", volume->volume_id,
			 volume->age_s);
	else if (instance->launch_time && since_launch > -WITH_LAUNCH_S && since_launch < WITH_LAUNCH_S)
		snprintf(source->new_because, sizeof(source->new_because),
			 "EC2 says %s was created empty with this instance %" PRId64 " s ago", volume->volume_id,
			 volume->age_s);
}

static void report_found(const struct provision *provision, const struct device *device)
{
	report_end(provision->report, REPORT_UNCHANGED, "%s is %s%s%s, %.1f GiB", device->host_path, device->volume_id,
		   device->name[0] ? ", attached as /dev/" : "", device->name, (double)device->size_bytes / (1 << 30));
}

static int wait_for(const struct provision *provision, const struct device_query *query, struct source *out,
		    struct err *err)
{
	/* A dry run says what is; waiting would only make it slow. */
	int ret = provision->dry_run ? device_find(provision->root, query, &out->device, err) :
				       device_wait(provision->root, query, &provision->deadline, &out->device, err);

	if (ret < 0)
		return ret;
	out->is_here = true;
	report_found(provision, &out->device);
	return 0;
}

static void copy_tags(const struct config_tags *tags, struct ec2_form_tag out[CONFIG_TAGS_MAX])
{
	for (size_t i = 0; i < tags->count; i++)
		out[i] = (struct ec2_form_tag){ .key = tags->items[i].key, .value = tags->items[i].value };
}

static void fill_create(const struct config_volume *volume, const struct ec2_form_tag *tags, struct attach_create *out)
{
	const struct config_create *create = &volume->source.create;

	*out = (struct attach_create){
		.name = volume->name,
		.size_gib = create->size_gib,
		.snapshot_id = create->snapshot_id,
		.iops = create->iops,
		.throughput_mibps = create->throughput_mibps,
		.initialization_rate_mibps = create->initialization_rate_mibps,
		.encrypted = create->encrypted,
		.kms_key_id = create->kms_key_id,
		.tags = tags,
		.tag_count = create->tags.count,
		.keep = create->keep,
	};
}

static const char *attach_words(const struct attach_result *result, bool dry_run)
{
	switch (result->done) {
	case ATTACH_CREATED:
		return dry_run ? "would create and attach" : "created and attached";
	case ATTACH_ATTACHED:
		return dry_run ? "would attach" : "attached";
	case ATTACH_NOTHING:
		break;
	}
	return "attached already:";
}

static void report_attached(const struct provision *provision, const struct attach_result *result)
{
	enum report_outcome changed = provision->dry_run ? REPORT_WOULD : REPORT_DONE;

	report_end(provision->report, result->done == ATTACH_NOTHING ? REPORT_UNCHANGED : changed,
		   "%s %s%s%s (%u EC2 %s)", attach_words(result, provision->dry_run),
		   result->volume_id[0] ? result->volume_id : "a new gp3 volume", result->device_name[0] ? " as " : "",
		   result->device_name, ec2_calls(provision->cloud->ec2),
		   ec2_calls(provision->cloud->ec2) == 1 ? "call" : "calls");
}

/* A stamp only saves a request at the next boot, so a disk that is full does not fail this one. */
static void write_stamp(const struct provision *provision, const struct config_volume *volume, const char *instance_id,
			const char *volume_id)
{
	struct err err;

	if (!provision->dry_run && stamp_write(provision->root, volume->name, instance_id, volume_id, &err) < 0)
		log_warn("%s: not written down for the next boot: %s", volume->name, err.message);
}

static int attach(const struct provision *provision, const struct config_volume *volume, struct source *out,
		  struct err *err)
{
	const struct config_source *source = &volume->source;
	struct ec2_form_tag tags[CONFIG_TAGS_MAX];
	struct attach_create create;
	struct attach_request request = { .root = provision->root,
					  .deadline = &provision->deadline,
					  .dry_run = provision->dry_run };
	struct attach_result result;
	struct device_query query = { 0 };
	struct ec2 *ec2;

	if (cloud_identity(provision->cloud, &request.instance, err) < 0 || cloud_ec2(provision->cloud, &ec2, err) < 0)
		return -err->code;
	copy_tags(source->kind == CONFIG_CREATE ? &source->create.tags : &source->tags, tags);
	if (source->kind == CONFIG_CREATE) {
		fill_create(volume, tags, &create);
		request.create = &create;
	} else if (source->kind == CONFIG_TAGS) {
		request.tags = tags;
		request.tag_count = source->tags.count;
	} else {
		request.volume_id = source->volume_id;
	}
	report_begin(provision->report, volume->name, "attach");
	if (attach_volume(ec2, &request, &result, err) < 0)
		return -err->code;
	report_attached(provision, &result);
	judge_age(&result, request.instance, out);
	if (provision->dry_run && result.done != ATTACH_NOTHING)
		return 0;
	write_stamp(provision, volume, request.instance->instance_id, result.volume_id);
	report_begin(provision->report, volume->name, "device");
	query.volume_id = result.volume_id;
	query.size_bytes = result.size_bytes;
	if (wait_for(provision, &query, out, err) < 0)
		return -err->code;
	return attach_confirm(ec2, &request, &result, err);
}

/* The volume id to look for on this host before EC2 is asked. Return: 1, 0 when none is known, or errors of IMDS. */
static int known_volume(const struct provision *provision, const struct config_volume *volume,
			char volume_id[VOLUME_ID_MAX], struct err *err)
{
	const struct imds_identity *instance;
	int ret;

	if (volume->source.kind == CONFIG_VOLUME_ID) {
		snprintf(volume_id, VOLUME_ID_MAX, "%s", volume->source.volume_id);
		return 1;
	}
	ret = cloud_identity(provision->cloud, &instance, err);
	return ret < 0 ? ret : stamp_read(provision->root, volume->name, instance->instance_id, volume_id);
}

int source_find(const struct provision *provision, const struct config_volume *volume, struct source *out,
		struct err *err)
{
	struct device_query query = { .name = volume->source.device };
	char volume_id[VOLUME_ID_MAX];
	int ret;

	*out = (struct source){ 0 };
	report_begin(provision->report, volume->name, "device");
	if (volume->source.kind == CONFIG_DEVICE)
		return wait_for(provision, &query, out, err);
	ret = known_volume(provision, volume, volume_id, err);
	if (ret < 0)
		return ret;
	if (ret) {
		query.volume_id = volume_id;
		ret = device_find(provision->root, &query, &out->device, err);
		if (ret == 0) {
			out->is_here = true;
			report_found(provision, &out->device);
			return 0;
		}
		if (ret != -ENOENT)
			return ret;
	}
	report_drop(provision->report);
	return attach(provision, volume, out, err);
}

int source_ask_if_new(const struct provision *provision, const struct config_volume *volume, struct source *source,
		      struct err *err)
{
	/* It is attached, so there is nothing to do but to say what it is. */
	struct attach_request request = { .volume_id = source->device.volume_id,
					  .root = provision->root,
					  .deadline = &provision->deadline,
					  .dry_run = true };
	struct attach_result result;
	struct ec2 *ec2;

	if (volume->source.kind == CONFIG_DEVICE || source->asked_ec2)
		return 0;
	if (cloud_identity(provision->cloud, &request.instance, err) < 0 ||
	    cloud_ec2(provision->cloud, &ec2, err) < 0 || attach_volume(ec2, &request, &result, err) < 0)
		return -err->code;
	judge_age(&result, request.instance, source);
	return 0;
}
