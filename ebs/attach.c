/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/attach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/base/log.h"
#include "bootstrap/base/supervise.h"
#include "ebs/attach-find.h"
#include "ebs/volume-id.h"

#define GIB			(1ULL << 30)
#define CREATION_FIRST_MS	2000 /* half of all volumes are there after 1.5 s, 99 % after 4 s: the CSI driver */
#define ATTACHMENT_FIRST_MS	1000 /* most attachments take 1 to 4 s: aws-ebs-csi-driver, cloud.go */
#define POLL_CAP_MS		10000
#define UNKNOWN_MS		20000 /* how long a volume just created may be unknown to EC2's other servers */
#define LAST_WORDS_MS		300

/**
 * struct poll - a wait for EC2, with pauses that grow
 * @deadline: its end
 * @pause_ms: the next pause
 */
struct poll {
	struct deadline deadline;
	int pause_ms;
};

static struct poll poll_begin(const struct deadline *deadline, int first_ms)
{
	struct poll poll = { .deadline = *deadline, .pause_ms = first_ms };

	poll.deadline.at_ms -= LAST_WORDS_MS;
	return poll;
}

/* Return: false when the deadline comes first. */
static bool poll_pause(struct poll *poll)
{
	if (poll->pause_ms >= deadline_left_ms(&poll->deadline))
		return false;
	deadline_sleep_ms(&poll->deadline, poll->pause_ms);
	poll->pause_ms = poll->pause_ms * 8 / 5;
	if (poll->pause_ms > POLL_CAP_MS)
		poll->pause_ms = POLL_CAP_MS;
	return true;
}

/**
 * struct work - one attach_volume()
 * @ec2: asked
 * @request: what is wanted
 * @volume: as EC2 last described it
 * @names: in use
 * @poll: for all waits
 * @generation: of a volume that we created
 * @created_ms: when, 0 when we did not
 * @refused: AttachVolume was refused since the volume was looked up
 * @refusal: why, the last time
 */
struct work {
	struct ec2 *ec2;
	const struct attach_request *request;
	struct ec2_volume volume;
	struct attach_name_set names;
	struct poll poll;
	unsigned int generation;
	int64_t created_ms;
	bool refused;
	struct err refusal;
};

static bool is_auto(const struct attach_request *request)
{
	return !request->device_name || strcmp(request->device_name, "auto") == 0;
}

static int check_tags(const struct ec2_form_tag *tags, size_t count, bool is_new, struct err *err)
{
	if (count > ATTACH_TAGS_MAX)
		return err_set(err, EINVAL, "more than %d tags", ATTACH_TAGS_MAX);
	for (size_t i = 0; i < count; i++) {
		/* EC2 User Guide, "Tag restrictions", counts characters; a character has at most 4 bytes. */
		if (!tags[i].key[0] || strlen(tags[i].key) > 4 * 128 || strlen(tags[i].value) > 4 * 256)
			return err_set(err, EINVAL, "tag '%.80s' is empty or too long", tags[i].key);
		if (is_new && (strncmp(tags[i].key, "nodevol/", 8) == 0 || strncmp(tags[i].key, "aws:", 4) == 0))
			return err_set(err, EINVAL, "tag '%.80s' cannot be set: nodevol/ and aws: are reserved",
				       tags[i].key);
	}
	return 0;
}

static int check_create(const struct attach_create *create, struct err *err)
{
	bool from_snapshot = (create->snapshot_id && create->snapshot_id[0]) || create->snapshot_tag_count;

	if (!create->size_gib && !from_snapshot)
		return err_set(err, EINVAL, "a new volume needs a size or a snapshot");
	if (create->snapshot_id && create->snapshot_id[0] && create->snapshot_tag_count)
		return err_set(err, EINVAL, "a snapshot is given by id or by tags, not by both");
	if (create->initialization_rate_mibps && !from_snapshot)
		return err_set(err, EINVAL, "an initialization rate needs a snapshot");
	if (create->kms_key_id && create->kms_key_id[0] && !create->encrypted)
		return err_set(err, EINVAL, "a KMS key needs an encrypted volume");
	if (check_tags(create->snapshot_tags, create->snapshot_tag_count, false, err) < 0)
		return -EINVAL;
	return check_tags(create->tags, create->tag_count, true, err);
}

int attach_check(const struct attach_request *request, struct err *err)
{
	if (!!request->volume_id + !!request->tag_count + !!request->create != 1)
		return err_set(err, EINVAL,
			       "exactly one of a volume id, tags to find, and a volume to create is needed");
	if (!is_auto(request) && (strncmp(request->device_name, "/dev/", 5) != 0 ||
				  strlen(request->device_name) >= ATTACH_NAME_MAX))
		return err_set(err, EINVAL, "'%.80s' is not a device name, such as /dev/sdf", request->device_name);
	if (request->volume_id)
		return volume_id_check(request->volume_id, err);
	return request->create ? check_create(request->create, err)
			       : check_tags(request->tags, request->tag_count, false, err);
}

static void fill_result(const struct work *work, const struct ec2_volume_attachment *attachment, enum attach_done done,
			struct attach_result *out)
{
	const struct ec2_volume *volume = &work->volume;

	*out = (struct attach_result){
		.done = work->created_ms ? ATTACH_CREATED : done,
		.size_bytes = volume->size_gib * GIB,
		.encrypted = volume->encrypted,
		.empty = !volume->snapshot_id[0] && !volume->source_volume_id[0],
		.ours = work->request->create != NULL,
		.create_time = volume->create_time,
		.age_s = volume->create_time ? (int64_t)(ec2_now(work->ec2) - volume->create_time) : -1,
		.attached = strcmp(attachment->status, "attached") == 0,
		.delete_on_termination = attachment->delete_on_termination,
	};
	snprintf(out->volume_id, sizeof(out->volume_id), "%s", volume->id);
	snprintf(out->device_name, sizeof(out->device_name), "%s", attachment->device);
}

static int gave_up(const struct work *work, struct err *err)
{
	if (!work->refusal.code)
		return err_set(err, ETIMEDOUT, "volume %s is still '%s' at the deadline", work->volume.id,
			       work->volume.status);
	return err_again(err, "gave up at the deadline: %.900s", work->refusal.message);
}

/* A volume of ours that died after CreateVolume had succeeded is replaced; EC2 says why only in its events. */
static int replace_dead(struct work *work, struct err *err)
{
	if (!work->created_ms)
		return err_set(err, EIO, "volume %s is in state '%s'", work->volume.id, work->volume.status);
	log_warn("volume %s failed after it was created (is the KMS key usable?); creating another one",
		 work->volume.id);
	work->created_ms = deadline_now_ms();
	work->poll = poll_begin(work->request->deadline, CREATION_FIRST_MS);
	return attach_find_create(work->ec2, work->request, &work->generation, &work->volume, err);
}

/* Looks at the volume again after a pause. Just after its creation EC2 may not have heard of it. */
static int look_again(struct work *work, struct err *err)
{
	int ret;

	supervise_stage("wait for volume %s, which is %s", work->volume.id, work->volume.status);
	if (!poll_pause(&work->poll))
		return gave_up(work, err);
	if (work->refused && work->request->tag_count) {
		/* Somebody else may have taken it: another one may do as well. */
		work->refused = false;
		return attach_find_volume(work->ec2, work->request, &work->volume, err);
	}
	ret = ec2_volume_describe(work->ec2, work->volume.id, &work->volume, err);
	if (ret != -ENOENT || !work->created_ms)
		return ret;
	return deadline_now_ms() - work->created_ms < UNKNOWN_MS ? 0 : replace_dead(work, err);
}

/* Who has it, when it is not us. Return: 0 when nobody has it for good. */
static int check_elsewhere(const struct ec2_volume *volume, struct err *err)
{
	for (size_t i = 0; i < volume->attachment_count; i++) {
		const struct ec2_volume_attachment *attachment = &volume->attachments[i];

		if (strcmp(attachment->status, "detaching") == 0 || strcmp(attachment->status, "detached") == 0)
			continue;
		return err_set(err, EBUSY, "volume %s is attached to %s as %s", volume->id,
			       attachment->instance_id[0] ? attachment->instance_id : "a resource of AWS's own",
			       attachment->device[0] ? attachment->device : "an unnamed device");
	}
	return 0;
}

static int check_zone(const struct work *work, struct err *err)
{
	const struct imds_identity *instance = work->request->instance;

	if (strcmp(work->volume.zone, instance->zone) == 0)
		return 0;
	return err_set(err, EXDEV, "volume %s is in zone %s and %s is in %s: a volume cannot leave its zone",
		       work->volume.id, work->volume.zone, instance->instance_id, instance->zone);
}

/* After AttachVolume was refused. Return: 0 when it may work later or in another way. */
static int judge_refusal(struct work *work, const char *name, struct err *err)
{
	enum ec2_error_class class = ec2_failure(work->ec2)->class;

	work->refused = true;
	if (class == EC2_ERROR_NAME_TAKEN && is_auto(work->request)) {
		log_detail("device name %s is in use, says EC2", name);
		attach_name_take(&work->names, name);
		return 0;
	}
	if (class == EC2_ERROR_STATE || (class == EC2_ERROR_NOT_FOUND && work->created_ms)) {
		log_detail("%s", err->message);
		err_wrap(err, "attach %s as %s", work->volume.id, name);
		work->refusal = *err;
		return look_again(work, err);
	}
	return err_wrap(err, "attach %s as %s", work->volume.id, name);
}

static int pick_name(const struct work *work, char out[ATTACH_NAME_MAX], struct err *err)
{
	if (is_auto(work->request))
		return attach_name_pick(&work->names, out, err);
	snprintf(out, ATTACH_NAME_MAX, "%s", work->request->device_name);
	return 0;
}

/* Return: 0 attached, 1 to be looked at again, or an error. */
static int try_attach(struct work *work, struct ec2_volume_attachment *out, struct err *err)
{
	const struct attach_request *request = work->request;
	char name[ATTACH_NAME_MAX];
	int ret = pick_name(work, name, err);

	if (ret < 0)
		return ret;
	if (request->dry_run) {
		memcpy(out->device, name, sizeof(out->device));
		return 0;
	}
	ret = ec2_volume_attach(work->ec2, work->volume.id, request->instance->instance_id, name, out, err);
	if (ret == 0) {
		log_detail("%s is being attached as %s", work->volume.id, name);
		return 0;
	}
	ret = judge_refusal(work, name, err);
	return ret < 0 ? ret : 1;
}

/* Found again, a volume of ours stays as it was made. */
static void warn_of_size(const struct work *work)
{
	const struct attach_create *create = work->request->create;

	if (create && create->size_gib && work->volume.size_gib && create->size_gib != work->volume.size_gib)
		log_warn("%s is there with %llu GiB, asked for are %llu: it is used as it is; ModifyVolume changes its size",
			 work->volume.id, (unsigned long long)work->volume.size_gib, (unsigned long long)create->size_gib);
}

/* From whatever state the volume is in to an attachment. */
static int settle(struct work *work, struct attach_result *out, struct err *err)
{
	const char *instance_id = work->request->instance->instance_id;
	int ret = 0;

	warn_of_size(work);
	while (ret >= 0) {
		const struct ec2_volume_attachment *ours = ec2_volume_attachment_to(&work->volume, instance_id);
		struct ec2_volume_attachment new = { 0 };

		if (ours && strcmp(ours->status, "detaching") != 0) {
			ret = attach_find_check_alone(&work->volume, instance_id, err);
			if (ret < 0)
				return ret;
			fill_result(work, ours, work->refused ? ATTACH_ATTACHED : ATTACH_NOTHING, out);
			return 0;
		}
		if (attach_find_is_dead(&work->volume)) {
			ret = replace_dead(work, err);
			continue;
		}
		ret = check_zone(work, err) ?: check_elsewhere(&work->volume, err);
		if (ret < 0)
			return ret;
		if (strcmp(work->volume.status, "available") != 0 && !work->request->dry_run) {
			ret = look_again(work, err);
			continue;
		}
		ret = try_attach(work, &new, err);
		if (ret == 0) {
			fill_result(work, &new, ATTACH_ATTACHED, out);
			return 0;
		}
	}
	return ret;
}

static int create(struct work *work, struct attach_result *out, struct err *err)
{
	const struct attach_create *create = work->request->create;
	struct ec2_volume_attachment none = { 0 };
	int ret;

	if (!is_auto(work->request) && attach_name_is_taken(&work->names, work->request->device_name))
		return err_set(err, EBUSY, "create volume '%s': a volume is attached as %s already; nothing is created",
			       create->name, work->request->device_name);
	if (work->request->dry_run) {
		work->volume = (struct ec2_volume){ .size_gib = create->size_gib };
		work->created_ms = 1;
		fill_result(work, &none, ATTACH_CREATED, out);
		return pick_name(work, out->device_name, err);
	}
	ret = attach_find_create(work->ec2, work->request, &work->generation, &work->volume, err);
	if (ret < 0)
		return err_wrap(err, "create volume '%s'", create->name);
	work->created_ms = deadline_now_ms();
	log_step("created %s, %llu GiB", work->volume.id, (unsigned long long)work->volume.size_gib);
	ret = settle(work, out, err);
	if (ret < 0)
		err_wrap(err, "%s was created and is not attached (the next run goes on with it, or delete it)",
			 work->volume.id);
	return ret;
}

int attach_volume(struct ec2 *ec2, const struct attach_request *request, struct attach_result *out, struct err *err)
{
	struct work work = { .ec2 = ec2, .request = request };
	int ret = attach_check(request, err);

	if (ret < 0)
		return ret;
	work.poll = poll_begin(request->deadline, CREATION_FIRST_MS);
	attach_name_take_local(&work.names, request->root);
	ret = attach_find_volume(ec2, request, &work.volume, err);
	if (ret == -ENOENT && request->create)
		return create(&work, out, err);
	if (ret < 0)
		return ret;
	return settle(&work, out, err);
}

/* The attachment as it is now, until it is complete. */
static int wait_attached(struct ec2 *ec2, const struct attach_request *request, struct attach_result *result,
			 struct err *err)
{
	struct poll poll = poll_begin(request->deadline, ATTACHMENT_FIRST_MS);

	while (!result->attached) {
		const struct ec2_volume_attachment *ours;
		struct ec2_volume volume;
		int ret = ec2_volume_describe(ec2, result->volume_id, &volume, err);

		if (ret < 0)
			return ret;
		ours = ec2_volume_attachment_to(&volume, request->instance->instance_id);
		result->attached = ours && strcmp(ours->status, "attached") == 0;
		if (result->attached) {
			result->delete_on_termination = ours->delete_on_termination;
			break;
		}
		supervise_stage("wait for volume %s, which is %s", result->volume_id,
				ours ? ours->status : "not attached yet");
		if (!poll_pause(&poll))
			return err_set(err, ETIMEDOUT, "volume %s is still %s at the deadline", result->volume_id,
				       ours ? ours->status : "not attached");
	}
	return 0;
}

int attach_confirm(struct ec2 *ec2, const struct attach_request *request, struct attach_result *result, struct err *err)
{
	int ret = wait_attached(ec2, request, result, err);

	if (ret < 0 || !request->create || request->create->keep || result->delete_on_termination)
		return ret;
	ret = ec2_volume_delete_on_termination(ec2, request->instance->instance_id, result->device_name, err);
	if (ret == -EACCES) {
		/* The permission is broad, so a policy may well leave it out; the volume is as useful without. */
		log_warn("%s stays when the instance is terminated: %s", result->volume_id, err->message);
		return 0;
	}
	result->delete_on_termination = ret == 0;
	return ret;
}
