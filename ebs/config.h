/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the configuration of a node's volumes
 *
 * JSON, checked completely before anything is touched: an unknown key, a wrong type, a duplicate key or a contradiction
 * is -EINVAL (exit 2) with the path of the offending key and what was expected. ebs/config.schema.json says the same as
 * a JSON Schema, as far as a schema can; a test holds both against the same cases.
 */
#ifndef NODEVOL_EBS_CONFIG_H
#define NODEVOL_EBS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootstrap/base/err.h"
#include "bootstrap/base/parse.h"
#include "ebs/volume-id.h"

#define CONFIG_BYTES_MAX       (256U << 10)
#define CONFIG_VOLUMES_MAX     16
#define CONFIG_DIRECTORIES_MAX 8
#define CONFIG_TAGS_MAX	       16

/**
 * enum config_source_kind - where a volume comes from, and so what IAM permissions the node needs
 * @CONFIG_DEVICE: the launch template attached it: none
 * @CONFIG_VOLUME_ID: found by id: DescribeVolumes, AttachVolume
 * @CONFIG_TAGS: found by tags: the same
 * @CONFIG_CREATE: also CreateVolume, CreateTags
 */
enum config_source_kind {
	CONFIG_DEVICE,
	CONFIG_VOLUME_ID,
	CONFIG_TAGS,
	CONFIG_CREATE,
};

struct config_tag {
	char *key;
	char *value;
};

struct config_tags {
	struct config_tag items[CONFIG_TAGS_MAX];
	size_t count;
};

/**
 * struct config_create - a gp3 volume to be made
 * @size_gib: 0: as large as the snapshot
 * @snapshot_id: "" for an empty volume
 * @iops: 0: EC2's default (3000)
 * @throughput_mibps: 0: EC2's default (125)
 * @initialization_rate_mibps: 0 for none; only with a snapshot
 * @encrypted: true, or whatever the account's default says
 * @kms_key_id: "" for the account's default key
 * @keep: the volume outlives the instance
 * @tags: beside our own
 */
struct config_create {
	uint32_t size_gib;
	char *snapshot_id;
	uint32_t iops;
	uint32_t throughput_mibps;
	uint32_t initialization_rate_mibps;
	bool encrypted;
	char *kms_key_id;
	bool keep;
	struct config_tags tags;
};

struct config_source {
	enum config_source_kind kind;
	char *device;
	char *volume_id;
	struct config_tags tags;
	struct config_create create;
};

/*
 * One of several directories of the node that live on one volume: subdirectory @name of the volume, mounted on @path.
 */
struct config_directory {
	char *name;
	char *path;
};

/**
 * enum config_read_ahead - what happens to the device's read-ahead
 * @CONFIG_READ_AHEAD_KEEP: nothing
 * @CONFIG_READ_AHEAD_AUTO: measured after the boot
 * @CONFIG_READ_AHEAD_KIB: set to a number
 */
enum config_read_ahead {
	CONFIG_READ_AHEAD_KEEP,
	CONFIG_READ_AHEAD_AUTO,
	CONFIG_READ_AHEAD_KIB,
};

enum config_hydrate {
	CONFIG_HYDRATE_OFF,
	CONFIG_HYDRATE_BACKGROUND,
};

/**
 * enum config_on_failure - what a volume that cannot be had means for the node
 * @CONFIG_STOP: the boot fails
 * @CONFIG_CONTINUE: the node joins without it, degraded, and says so
 */
enum config_on_failure {
	CONFIG_STOP,
	CONFIG_CONTINUE,
};

/**
 * struct config_volume - one entry of "volumes"; strings are NULL where the key is absent
 * @name: of the entry, for messages, ids and folders
 * @source: where it comes from
 * @filesystem: "ext4", "xfs", or NULL: whichever is there, ext4 on a blank volume
 * @label: NULL for any
 * @mount: mount point, or NULL when @directories are used
 * @directories: see above
 * @directory_count: how many
 * @options: mount options, NULL for the defaults
 * @has_owner: @owner is set
 * @owner: of the filesystem's root
 * @has_mode: @mode is set
 * @mode: of the filesystem's root
 * @grow: to the device's size
 * @read_ahead: see above
 * @read_ahead_kib: for CONFIG_READ_AHEAD_KIB
 * @hydrate: see above
 * @hot_deadline_s: how long the boot may wait for hot blocks, 0 for not at all
 * @accept_noise: random content counts as blank
 * @is_store: it holds containerd's store
 * @on_failure: see above
 */
struct config_volume {
	char *name;
	struct config_source source;
	char *filesystem;
	char *label;
	char *mount;
	struct config_directory directories[CONFIG_DIRECTORIES_MAX];
	size_t directory_count;
	char *options;
	bool has_owner;
	struct parse_owner owner;
	bool has_mode;
	mode_t mode;
	bool grow;
	enum config_read_ahead read_ahead;
	uint32_t read_ahead_kib;
	enum config_hydrate hydrate;
	uint32_t hot_deadline_s;
	bool accept_noise;
	bool is_store;
	enum config_on_failure on_failure;
};

/**
 * struct config - all of it
 * @volumes: in the order in which they are provisioned
 * @volume_count: how many
 * @warn_optimized: "ebs-optimized" is "warn"
 */
struct config {
	struct config_volume *volumes;
	size_t volume_count;
	bool warn_optimized;
};

/**
 * config_parse - read and check a configuration
 * @text: JSON
 * @length: its size
 * @origin: where it came from, for messages
 * @out: given back by config_done()
 * @err: the path of the offending key and what was expected
 *
 * Return: 0, -EINVAL (ERR_USAGE), -ENOMEM.
 */
int config_parse(const char *text, size_t length, const char *origin, struct config *out, struct err *err);

/* Reads @path, at most CONFIG_BYTES_MAX. Return: as config_parse(), -ENOENT (ERR_ABSENT), -EMSGSIZE, ... */
int config_load(const char *path, struct config *out, struct err *err);

void config_done(struct config *config);

#define CLEANUP_CONFIG __attribute__((cleanup(config_done)))

#endif
