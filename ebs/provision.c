/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/provision.h"

#include <errno.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/log.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/disk/fsinfo.h"
#include "ebs/config-conflicts.h"
#include "ebs/format.h"
#include "ebs/mount.h"
#include "ebs/readahead.h"
#include "ebs/source.h"

/* The last part of the deadline is for saying what was not reached. */
#define RESERVE_MS 1000

static enum report_outcome outcome_of(const struct provision *provision, bool changed)
{
	if (!changed)
		return REPORT_UNCHANGED;
	return provision->dry_run ? REPORT_WOULD : REPORT_DONE;
}

/* Why noise may be taken for blank. Return: 0 and @source->new_because, the configuration's word or NULL, or an error. */
static int find_permission(const struct provision *provision, const struct config_volume *volume, struct source *source,
			   const char **out, struct err *err)
{
	int ret;

	*out = NULL;
	if (volume->accept_noise) {
		*out = "the configuration says accept-noise";
		return 0;
	}
	ret = source_ask_if_new(provision, volume, source, err);
	if (source->new_because[0])
		*out = source->new_because;
	return ret;
}

static int make_filesystem(const struct provision *provision, const struct config_volume *volume, struct source *source,
			   struct blkdev *held, struct err *err)
{
	struct format_request request = {
		.filesystem = volume->filesystem,
		.label = volume->label,
		.dry_run = provision->dry_run,
		.deadline = provision->deadline,
	};
	struct format_result result;
	int ret = find_permission(provision, volume, source, &request.noise_permission, err);

	if (ret == 0)
		ret = format_device(held, &request, &result, err);
	if (ret < 0)
		return ret;
	report_end(provision->report, outcome_of(provision, result.outcome != FORMAT_PRESENT), "%s %s%s%s; found %s%s%s",
		   result.outcome == FORMAT_PRESENT    ? "holds" :
		   result.outcome == FORMAT_WOULD_MAKE ? "would make" :
							 "made",
		   result.filesystem, result.label[0] ? " " : "", result.label, result.found,
		   result.noise_because[0] ? ", taken for blank: " : "", result.noise_because);
	return result.outcome == FORMAT_WOULD_MAKE;
}

/*
 * The way of nearly every boot is that there is a filesystem already: a few reads of its superblock say so, where proving
 * a device blank takes thousands, each of them slow on a volume that was just made from a snapshot.
 * Return: 1 when a dry run would make a filesystem, 0, or an error.
 */
static int format(const struct provision *provision, const struct config_volume *volume, struct source *source,
		  struct blkdev *held, struct err *err)
{
	struct fsinfo info;
	int ret;

	report_begin(provision->report, volume->name, "format");
	ret = device_open(provision->root, &source->device, &provision->deadline, held, err);
	supervise_stage("%s: reading the superblock of '%s'", volume->name, source->device.host_path);
	if (ret == 0)
		ret = fsinfo_probe(held->lock_fd, held->size_bytes, &info, err);
	if (ret < 0)
		return ret;
	if (!info.valid)
		return make_filesystem(provision, volume, source, held, err);
	report_drop(provision->report);
	return 0;
}

static int run_stages(const struct provision *provision, const struct config_volume *volume, struct mount *mount,
		      struct err *err)
{
	struct mount_outcome outcome;
	int ret = 0;

	for (enum mount_stage stage = MOUNT_CHECK; ret == 0 && stage < MOUNT_STAGES; stage++) {
		report_begin(provision->report, volume->name, mount_stage_name(stage));
		ret = mount_run(mount, stage, &outcome, err);
		if (ret < 0)
			break;
		if (outcome.text[0])
			report_end(provision->report, outcome_of(provision, outcome.changed), "%s", outcome.text);
		else
			report_drop(provision->report);
	}
	return ret;
}

static int set_read_ahead(const struct provision *provision, const struct config_volume *volume,
			  const struct device *device, struct err *err)
{
	struct readahead_result result;
	int ret;

	if (volume->read_ahead != CONFIG_READ_AHEAD_KIB)
		return 0;
	report_begin(provision->report, volume->name, "read-ahead");
	ret = readahead_set(device, volume->read_ahead_kib, provision->dry_run, &result, err);
	if (ret < 0)
		return ret;
	report_end(provision->report, outcome_of(provision, result.before_kib != volume->read_ahead_kib),
		   "%u KiB, was %u KiB", provision->dry_run ? volume->read_ahead_kib : result.after_kib,
		   result.before_kib);
	return 0;
}

static void fill_request(const struct provision *provision, const struct config_volume *volume,
			 struct mount_directory directories[CONFIG_DIRECTORIES_MAX], struct mount_request *out)
{
	for (size_t i = 0; i < volume->directory_count; i++)
		directories[i] = (struct mount_directory){ .name = volume->directories[i].name,
							   .path = volume->directories[i].path };
	*out = (struct mount_request){
		.root = provision->root,
		.volume_name = volume->name,
		.target = volume->mount,
		.directories = directories,
		.directory_count = volume->directory_count,
		.filesystem = volume->filesystem,
		.label = volume->label,
		.options = volume->options,
		.set_owner = volume->has_owner,
		.owner = volume->owner,
		.set_mode = volume->has_mode,
		.mode = volume->mode,
		.grow = volume->grow,
		.persist = UNIT_RUNTIME,
		.dry_run = provision->dry_run,
		.deadline = provision->deadline,
	};
}

static int provision_volume(const struct provision *provision, const struct config_volume *volume, struct err *err)
{
	struct mount_directory directories[CONFIG_DIRECTORIES_MAX];
	struct blkdev held CLEANUP_BLKDEV = BLKDEV_INIT;
	struct mount_request request;
	struct source source;
	struct mount mount;
	int ret = source_find(provision, volume, &source, err);

	if (ret < 0 || !source.is_here)
		return ret;
	fill_request(provision, volume, directories, &request);
	report_begin(provision->report, volume->name, "host");
	ret = mount_begin(&request, &source.device, &mount, err);
	if (ret < 0)
		return ret;
	report_drop(provision->report);
	if (!mount.is_mounted) {
		ret = format(provision, volume, &source, &held, err);
		if (ret < 0)
			return ret;
		request.is_unmade = ret > 0;
		mount.held = &held;
	}
	ret = run_stages(provision, volume, &mount, err);
	return ret < 0 ? ret : set_read_ahead(provision, volume, &source.device, err);
}

/* What the configuration asks for and this version does not do: the volume is usable without. */
static void warn_of_missing(const struct config *config)
{
	for (size_t i = 0; i < config->volume_count; i++) {
		const struct config_volume *volume = &config->volumes[i];

		if (volume->hydrate != CONFIG_HYDRATE_OFF)
			log_warn("%s: this version does not hydrate; a volume from a snapshot is slow at first reads",
				 volume->name);
		if (volume->read_ahead == CONFIG_READ_AHEAD_AUTO)
			log_warn("%s: this version does not measure read-ahead; it is kept as it is", volume->name);
	}
	if (config->warn_optimized)
		log_warn("this version does not check EBS optimization");
}

/**
 * struct progress - what became of the volumes so far
 * @failed: which failed
 * @stopping: one that "on-failure" says to stop at is among them
 * @first: the first of those
 */
struct progress {
	bool failed[CONFIG_VOLUMES_MAX];
	bool stopping;
	struct err first;
};

/* A volume below one that failed would be mounted on the wrong disk, and hidden when the other is mounted at last. */
static const struct config_volume *failed_above(const struct config *config, const struct progress *progress,
						size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (progress->failed[i] && config_conflicts_is_below(&config->volumes[index], &config->volumes[i]))
			return &config->volumes[i];
	return NULL;
}

static void note_failure(const struct provision *provision, const struct config *config, size_t index, struct err *err,
			 struct progress *progress)
{
	const struct config_volume *volume = &config->volumes[index];

	progress->failed[index] = true;
	report_end_err(provision->report, err);
	err_wrap(err, "volume '%s'", volume->name);
	if (volume->on_failure == CONFIG_CONTINUE) {
		provision->report->degraded = true;
		log_warn("%s; the node goes on without it, degraded (on-failure: continue)", err->message);
		return;
	}
	if (!progress->stopping)
		progress->first = *err;
	progress->stopping = true;
}

int provision_volumes(const struct provision *provision, const struct config *config, struct err *err)
{
	struct progress progress = { 0 };
	struct provision inner = *provision;
	int reserve = deadline_left_ms(&inner.deadline) / 4;

	inner.deadline.at_ms -= reserve < RESERVE_MS ? reserve : RESERVE_MS;
	warn_of_missing(config);
	for (size_t i = 0; i < config->volume_count; i++) {
		const struct config_volume *above = failed_above(config, &progress, i);
		const struct config_volume *volume = &config->volumes[i];
		struct err failure = { 0 };

		if (above) {
			report_begin(inner.report, volume->name, "host");
			err_set(&failure, EIO, "it is mounted below volume '%s', which failed", above->name);
		} else if (provision_volume(&inner, volume, &failure) == 0) {
			continue;
		}
		note_failure(&inner, config, i, &failure, &progress);
	}
	if (inner.cloud->ec2)
		inner.report->aws_calls = ec2_calls(inner.cloud->ec2);
	if (!progress.stopping)
		return 0;
	*err = progress.first;
	return -err->code;
}

bool provision_may_ask_aws(const struct config *config)
{
	for (size_t i = 0; i < config->volume_count; i++)
		if (config->volumes[i].source.kind != CONFIG_DEVICE)
			return true;
	return false;
}
