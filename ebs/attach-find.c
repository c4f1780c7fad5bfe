/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/attach-find.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/base/log.h"
#include "bootstrap/sys/hash.h"

/*
 * A token whose volume failed afterwards (a key that may not be used is found out after CreateVolume has succeeded)
 * answers with that dead volume for as long as EC2 remembers it; then the next generation is asked for.
 */
#define GENERATIONS_MAX 3

static bool is_status(const struct ec2_volume *volume, const char *status)
{
	return strcmp(volume->status, status) == 0;
}

/* How soon it can be attached here; more is sooner. */
static int rank(const struct ec2_volume *volume, const struct imds_identity *instance)
{
	if (ec2_volume_attachment_to(volume, instance->instance_id))
		return 5;
	if (strcmp(volume->zone, instance->zone) != 0)
		return 1;
	if (is_status(volume, "available"))
		return 4;
	return is_status(volume, "creating") ? 3 : 2;
}

struct best {
	const struct imds_identity *instance;
	struct ec2_volume *out;
	int rank;
};

static int keep_best(const struct ec2_volume *volume, void *context, struct err *err)
{
	struct best *best = context;
	int found = rank(volume, best->instance);

	if (found < best->rank || (found == best->rank && strcmp(volume->id, best->out->id) >= 0))
		return 0;
	*best->out = *volume;
	best->rank = found;
	return 0;
}

int attach_find_volume(struct ec2 *ec2, const struct attach_request *request, struct ec2_volume *out, struct err *err)
{
	const struct ec2_form_tag ours[] = {
		{ ATTACH_TAG_INSTANCE, request->instance->instance_id },
		{ ATTACH_TAG_VOLUME, request->create ? request->create->name : NULL },
	};
	struct ec2_volume_query query = { .tags = request->tags, .tag_count = request->tag_count, .usable = true };
	struct best best = { .instance = request->instance, .out = out };
	int ret;

	if (request->volume_id)
		return ec2_volume_describe(ec2, request->volume_id, out, err);
	if (request->create) {
		query.tags = ours;
		query.tag_count = 2;
	}
	ret = ec2_volume_each(ec2, &query, keep_best, &best, err);
	if (ret == 0 && !best.rank)
		return err_absent(err, "no volume has the tags that are asked for (first: '%s' = '%s')",
				  query.tags[0].key, query.tags[0].value);
	return ret;
}

int attach_find_token(const char *instance_id, const char *name, unsigned int generation, char out[65], struct err *err)
{
	char text[512];
	int length = snprintf(text, sizeof(text), "nodevol/%s/%u/%s", instance_id, generation, name);

	if (length < 0 || (size_t)length >= sizeof(text))
		return err_set(err, ENAMETOOLONG, "the name of the volume is too long");
	return hash_sha256_hex(text, (size_t)length, out, err);
}

static void fill_spec(const struct attach_request *request, const char *snapshot_id, struct ec2_form_tag *tags,
		      struct ec2_volume_spec *out)
{
	const struct attach_create *create = request->create;

	tags[0] = (struct ec2_form_tag){ ATTACH_TAG_INSTANCE, request->instance->instance_id };
	tags[1] = (struct ec2_form_tag){ ATTACH_TAG_VOLUME, create->name };
	for (size_t i = 0; i < create->tag_count; i++)
		tags[i + 2] = create->tags[i];
	*out = (struct ec2_volume_spec){
		.zone = request->instance->zone,
		.size_gib = create->size_gib,
		.snapshot_id = snapshot_id,
		.iops = create->iops,
		.throughput_mibps = create->throughput_mibps,
		.initialization_rate_mibps = create->initialization_rate_mibps,
		.encrypted = create->encrypted,
		.kms_key_id = create->kms_key_id,
		.tags = tags,
		.tag_count = create->tag_count + 2,
	};
}

bool attach_find_is_dead(const struct ec2_volume *volume)
{
	return is_status(volume, "error") || is_status(volume, "deleting") || is_status(volume, "deleted");
}

/* With the generation after *@generation, which becomes that of the volume. */
static int create_generations(struct ec2 *ec2, const struct attach_request *request, struct ec2_volume_spec *spec,
			      unsigned int *generation, struct ec2_volume *out, struct err *err)
{
	while (*generation < GENERATIONS_MAX) {
		char token[HASH_HEX_SIZE];
		int ret = attach_find_token(request->instance->instance_id, request->create->name, ++*generation,
					    token, err);

		if (ret < 0)
			return ret;
		spec->client_token = token;
		ret = ec2_volume_create(ec2, spec, out, err);
		if (ret == 0 && !attach_find_is_dead(out))
			return 0;
		if (ret < 0 && ec2_failure(ec2)->class != EC2_ERROR_TOKEN_USED)
			return ret;
		log_detail("client token %u of volume '%s' is used up", *generation, request->create->name);
	}
	return err_set(err, EIO,
		       "create volume '%s': earlier ones failed after they were created (is the KMS key usable?)",
		       request->create->name);
}

int attach_find_create(struct ec2 *ec2, const struct attach_request *request, unsigned int *generation,
		       struct ec2_volume *out, struct err *err)
{
	const struct attach_create *create = request->create;
	struct ec2_form_tag tags[ATTACH_TAGS_MAX + 2];
	char snapshot_id[EC2_VOLUME_ID_MAX] = "";
	struct ec2_volume_spec spec;
	int ret;

	if (create->snapshot_tag_count) {
		ret = ec2_volume_newest_snapshot(ec2, create->snapshot_tags, create->snapshot_tag_count, snapshot_id,
						 err);
		if (ret < 0)
			return ret;
	}
	fill_spec(request, snapshot_id[0] ? snapshot_id : create->snapshot_id, tags, &spec);
	return create_generations(ec2, request, &spec, generation, out, err);
}

int attach_find_check_alone(const struct ec2_volume *volume, const char *instance_id, struct err *err)
{
	for (size_t i = 0; i < volume->attachment_count; i++) {
		const struct ec2_volume_attachment *other = &volume->attachments[i];

		if (strcmp(other->instance_id, instance_id) != 0 && strcmp(other->status, "detached") != 0)
			return err_refuse(err, "%s is attached to %s too (Multi-Attach): no filesystem of ours is for two",
					  volume->id, other->instance_id[0] ? other->instance_id : "another instance");
	}
	return 0;
}
