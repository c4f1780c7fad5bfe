/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: a volume for this instance: found or created, and attached
 *
 * Two halves, so that the wait for the disk costs no request: attach_volume() asks for the attachment; then the caller
 * waits for the disk itself (device_wait()); then attach_confirm() makes sure that EC2 agrees. Both can be repeated at
 * any time and go on from what is there.
 */
#ifndef NODEVOL_EBS_ATTACH_H
#define NODEVOL_EBS_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "bootstrap/aws/ec2.h"
#include "bootstrap/aws/ec2-volume.h"
#include "bootstrap/aws/imds.h"
#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"
#include "ebs/attach-name.h"

#define ATTACH_TAGS_MAX	    40 /* EC2 allows 50; some are ours, some are left for others */
#define ATTACH_TAG_INSTANCE "nodevol/instance"
#define ATTACH_TAG_VOLUME   "nodevol/volume"

/**
 * struct attach_create - a gp3 volume to be made; NULL and 0 where something is not said
 * @name: what this volume is to this instance: with the instance id it is the volume's identity, so that a second run
 *	  finds it and does not make another one
 * @size_gib: 0: as large as the snapshot
 * @snapshot_id: NULL or "" for none
 * @snapshot_tags: in place of @snapshot_id: the newest completed snapshot of this account that has all of them
 * @snapshot_tag_count: how many
 * @iops: provisioned
 * @throughput_mibps: provisioned
 * @initialization_rate_mibps: of the snapshot's blocks
 * @encrypted: or as the account's default says
 * @kms_key_id: key
 * @tags: besides ours; a key may not begin with "nodevol/" or "aws:"
 * @tag_count: how many
 * @keep: the volume outlives the instance
 */
struct attach_create {
	const char *name;
	uint64_t size_gib;
	const char *snapshot_id;
	const struct ec2_form_tag *snapshot_tags;
	size_t snapshot_tag_count;
	uint64_t iops;
	uint64_t throughput_mibps;
	uint64_t initialization_rate_mibps;
	bool encrypted;
	const char *kms_key_id;
	const struct ec2_form_tag *tags;
	size_t tag_count;
	bool keep;
};

/**
 * struct attach_request - what is wanted; exactly one of the first three
 * @volume_id: by id
 * @tags: a volume that has all of these
 * @tag_count: how many
 * @create: a volume of our own
 * @device_name: name to attach it under, NULL or "auto" for a free one
 * @instance: who we are
 * @root: the host's root, to see which names are in use
 * @deadline: when to give up
 * @dry_run: change nothing
 */
struct attach_request {
	const char *volume_id;
	const struct ec2_form_tag *tags;
	size_t tag_count;
	const struct attach_create *create;
	const char *device_name;
	const struct imds_identity *instance;
	const char *root;
	const struct deadline *deadline;
	bool dry_run;
};

/**
 * enum attach_done - what attach_volume() did, or with @dry_run would have done
 * @ATTACH_NOTHING: it was attached
 * @ATTACH_ATTACHED: attached a volume that was there
 * @ATTACH_CREATED: created and attached
 */
enum attach_done {
	ATTACH_NOTHING,
	ATTACH_ATTACHED,
	ATTACH_CREATED,
};

/**
 * struct attach_result - the volume
 * @done: see above
 * @volume_id: "" only for a dry run that would create
 * @size_bytes: by EC2
 * @encrypted: by EC2
 * @empty: made from no snapshot and no other volume
 * @ours: it has our tags for this instance: made by this tool, now or earlier
 * @create_time: by EC2's clock, 0 when unknown
 * @age_s: since then, by EC2's clock; -1 when unknown
 * @device_name: that it is attached under
 * @attached: EC2 says attached, not attaching
 * @delete_on_termination: it goes with the instance
 */
struct attach_result {
	enum attach_done done;
	char volume_id[EC2_VOLUME_ID_MAX];
	uint64_t size_bytes;
	bool encrypted;
	bool empty;
	bool ours;
	time_t create_time;
	int64_t age_s;
	char device_name[ATTACH_NAME_MAX];
	bool attached;
	bool delete_on_termination;
};

/**
 * attach_check - is the request one
 * @request: @instance, @root and @deadline are not looked at
 * @err: says what contradicts what
 *
 * Return: 0, or -EINVAL (ERR_USAGE) for a contradiction, a bad id, a tag of ours or too many tags.
 */
int attach_check(const struct attach_request *request, struct err *err);

/**
 * attach_volume - find or create the volume, wait until it is there, attach it
 * @ec2: asked
 * @request: checked by attach_check() here too
 * @out: see above
 * @err: filled on failure
 *
 * Return: 0, or -ENOENT (ERR_ABSENT) no such volume or snapshot; -EXDEV it is in another zone, -EBUSY it is attached to
 * another instance, -EIO it is in error or being deleted (all ERR_FAILED); -ETIMEDOUT (ERR_RETRY) at the deadline;
 * others of ec2_ask().
 */
int attach_volume(struct ec2 *ec2, const struct attach_request *request, struct attach_result *out, struct err *err);

/**
 * attach_confirm - wait until EC2 says attached; have a volume of ours go with the instance, unless it is to be kept
 * @ec2: asked, when @result does not already say it all
 * @request: the one of attach_volume()
 * @result: attach_volume()'s, brought up to date
 * @err: filled on failure
 *
 * Return: 0, -ETIMEDOUT (ERR_RETRY), others of ec2_ask().
 */
int attach_confirm(struct ec2 *ec2, const struct attach_request *request, struct attach_result *result,
		   struct err *err);

#endif
