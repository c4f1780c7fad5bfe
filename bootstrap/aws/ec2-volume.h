/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: volumes and their attachments, as EC2 sees them
 */
#ifndef NODEVOL_AWS_EC2_VOLUME_H
#define NODEVOL_AWS_EC2_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "bootstrap/aws/ec2.h"
#include "bootstrap/aws/ec2-form.h"
#include "bootstrap/base/err.h"

#define EC2_VOLUME_ID_MAX	   32
#define EC2_VOLUME_ATTACHMENTS_MAX 16 /* the most that EBS Multi-Attach allows */

/**
 * struct ec2_volume_attachment - one attachment
 * @instance_id: "" for one of AWS's own
 * @device: the name that was asked for
 * @status: attaching, attached, detaching, detached, busy
 * @delete_on_termination: the volume goes with the instance
 */
struct ec2_volume_attachment {
	char instance_id[EC2_VOLUME_ID_MAX];
	char device[40];
	char status[16];
	bool delete_on_termination;
};

/**
 * struct ec2_volume - one volume
 * @id: "vol-..."
 * @status: creating, available, in-use, deleting, deleted, error
 * @zone: availability zone
 * @size_gib: its size
 * @encrypted: it is
 * @snapshot_id: what it was made from, "" for nothing
 * @source_volume_id: the same for a copy of a volume
 * @create_time: when, 0 when EC2 did not say
 * @attachments: to instances
 * @attachment_count: how many
 */
struct ec2_volume {
	char id[EC2_VOLUME_ID_MAX];
	char status[16];
	char zone[64];
	uint64_t size_gib;
	bool encrypted;
	char snapshot_id[EC2_VOLUME_ID_MAX];
	char source_volume_id[EC2_VOLUME_ID_MAX];
	time_t create_time;
	struct ec2_volume_attachment attachments[EC2_VOLUME_ATTACHMENTS_MAX];
	size_t attachment_count;
};

/* The attachment of @volume to @instance_id, or NULL. */
const struct ec2_volume_attachment *ec2_volume_attachment_to(const struct ec2_volume *volume, const char *instance_id);

/**
 * struct ec2_volume_query - which volumes
 * @id: one by its id; the rest is not looked at then
 * @tags: those that have all of these, at least one
 * @tag_count: how many
 * @usable: only creating, available and in-use ones
 */
struct ec2_volume_query {
	const char *id;
	const struct ec2_form_tag *tags;
	size_t tag_count;
	bool usable;
};

/*
 * DescribeVolumes, page by page: calls @each for every volume, stops at anything but 0 and returns it.
 * Return: also as ec2_ask(); -ENOENT (ERR_ABSENT) for an id that EC2 does not know.
 */
int ec2_volume_each(struct ec2 *ec2, const struct ec2_volume_query *query,
		    int (*each)(const struct ec2_volume *volume, void *context, struct err *err), void *context,
		    struct err *err);

/* DescribeVolumes for one id. Return: as ec2_volume_each(). */
int ec2_volume_describe(struct ec2 *ec2, const char *id, struct ec2_volume *out, struct err *err);

/**
 * struct ec2_volume_spec - a gp3 volume to be made; "", NULL and 0 leave it to EC2
 * @zone: availability zone
 * @size_gib: at least the snapshot's
 * @snapshot_id: what to make it from
 * @iops: provisioned
 * @throughput_mibps: provisioned
 * @initialization_rate_mibps: of the snapshot's blocks
 * @encrypted: false leaves it to the account's default
 * @kms_key_id: key
 * @client_token: makes repeating it harmless
 * @tags: on the volume
 * @tag_count: how many
 */
struct ec2_volume_spec {
	const char *zone;
	uint64_t size_gib;
	const char *snapshot_id;
	uint64_t iops;
	uint64_t throughput_mibps;
	uint64_t initialization_rate_mibps;
	bool encrypted;
	const char *kms_key_id;
	const char *client_token;
	const struct ec2_form_tag *tags;
	size_t tag_count;
};

/* CreateVolume. Return: as ec2_ask(). */
int ec2_volume_create(struct ec2 *ec2, const struct ec2_volume_spec *spec, struct ec2_volume *out, struct err *err);

/* AttachVolume; @out->status is attaching as a rule. Return: as ec2_ask(). */
int ec2_volume_attach(struct ec2 *ec2, const char *id, const char *instance_id, const char *device,
		      struct ec2_volume_attachment *out, struct err *err);

/* ModifyInstanceAttribute: the volume under @device goes with the instance. Return: as ec2_ask(). */
int ec2_volume_delete_on_termination(struct ec2 *ec2, const char *instance_id, const char *device, struct err *err);

/* DescribeSnapshots: our newest completed one with all of @tags. Return: as ec2_ask(), -ENOENT (ERR_ABSENT). */
int ec2_volume_newest_snapshot(struct ec2 *ec2, const struct ec2_form_tag *tags, size_t count,
			       char out[EC2_VOLUME_ID_MAX], struct err *err);

#endif
