/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/log.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/disk/grow.h"
#include "bootstrap/disk/mounts.h"
#include "ebs/mount-copy.h"
#include "ebs/mount-outcome.h"
#include "ebs/mount-places.h"
#include "ebs/mount-units.h"

#define LOCK_POLL_MS	  20
#define BLOCK_BYTES_MAX	  65536U
#define UNMADE_FILESYSTEM "ext4" /* what a blank device gets when nobody asks for another: ebs/format.h */

/* A second run must not go on where another still copies, so it looks only when that is done. */
static int lock_device(const struct mount_request *request, const struct device *device, int *out, struct err *err)
{
	CLEANUP_CLOSE int fd = open(device->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "open '%s'", device->path);
	supervise_stage("wait for the lock of '%s'", device->host_path);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, errno, "lock '%s'", device->path);
		if (!deadline_left_ms(&request->deadline))
			return err_set(err, ETIMEDOUT, "'%s' is locked by another program", device->path);
		deadline_sleep_ms(&request->deadline, LOCK_POLL_MS);
	}
	*out = TAKE_FD(fd);
	return 0;
}

int mount_begin(const struct mount_request *request, const struct device *device, struct mount *out, struct err *err)
{
	struct mount mount = { .request = request, .device = device, .lock = -1 };
	CLEANUP_CLOSE int lock = -1;
	char options[MOUNTS_OPTIONS_MAX];
	struct stat status;
	int ret = mounts_options(request->filesystem ? request->filesystem : "", request->options, options,
				 sizeof(options), err);

	if (ret == 0)
		ret = mount_places_plan(&mount, err);
	if (ret < 0)
		return ret;
	if (stat(device->path, &status) < 0)
		return err_sys(err, errno, "look at '%s'", device->path);
	if (!S_ISBLK(status.st_mode))
		return err_set(err, EINVAL, "'%s' is not a block device", device->path);
	mount.rdev = status.st_rdev;
	ret = lock_device(request, device, &lock, err);
	if (ret < 0)
		return ret;
	supervise_stage("look at what is mounted");
	ret = mount_places_look(&mount, err);
	if (ret < 0)
		return ret;
	/* A disk that is not mounted is locked by whoever holds it next. */
	if (mount.is_mounted)
		mount.lock = TAKE_FD(lock);
	*out = mount;
	return 0;
}

/* The folder at which the whole volume can be seen, by this run's time: "" with dry_run while it is nowhere. */
static const char *whole(const struct mount *mount)
{
	if (mount->is_staged)
		return mount->staging.text;
	return mount->request->target && mount->places[0].is_mounted ? mount->places[0].target.text : "";
}

static int check_wanted(const struct mount *mount, struct err *err)
{
	const struct mount_request *request = mount->request;
	const struct fsinfo *info = &mount->info;
	const char *disk = mount->device->host_path;

	if (!info->valid && !info->filesystem[0] && strncmp(info->found, "nothing", 7) == 0)
		return err_absent(err, "'%s' holds %s: ebs-format makes a filesystem on a volume that is blank", disk,
				  info->found);
	if (!info->valid)
		return err_refuse(err, "'%s' holds %s: only a whole ext4 or xfs is mounted", disk, info->found);
	if (request->filesystem && strcmp(request->filesystem, info->filesystem) != 0)
		return err_refuse(err, "'%s' holds %s, expected %s: it may be another volume", disk, info->filesystem,
				  request->filesystem);
	if (request->label && strcmp(request->label, info->label) != 0)
		return err_refuse(err, "'%s' holds %s with the label '%s', expected '%s': it may be another volume",
				  disk, info->filesystem, info->label, request->label);
	if (info->has_errors)
		return err_refuse(err, "'%s' holds an ext4 that the kernel has found errors in: run e2fsck on it first",
				  disk);
	return 0;
}

static int check(struct mount *mount, struct mount_outcome *out, struct err *err)
{
	CLEANUP_CLOSE int shared = -1;
	int read_only = 0;
	int fd;
	int ret = 0;

	if (mount->request->is_unmade) {
		snprintf(mount->info.filesystem, sizeof(mount->info.filesystem), "%s",
			 mount->request->filesystem ? mount->request->filesystem : UNMADE_FILESYSTEM);
		mount_outcome_say(out, "would hold %s", mount->info.filesystem);
		return 0;
	}
	if (!mount->held)
		ret = device_open_shared(mount->device, &shared, err);
	if (ret < 0)
		return ret;
	fd = mount->held ? mount->held->lock_fd : shared;
	if (ioctl(fd, BLKGETSIZE64, &mount->device_bytes) < 0 || ioctl(fd, BLKROGET, &read_only) < 0)
		return err_sys(err, errno, "ask for the size of '%s'", mount->device->host_path);
	ret = fsinfo_probe(fd, mount->device_bytes, &mount->info, err);
	if (ret < 0)
		return err_wrap(err, "'%s'", mount->device->host_path);
	ret = check_wanted(mount, err);
	if (ret == 0 && read_only) {
		err_refuse(err, "'%s' is read-only", mount->device->host_path);
		err->code = EROFS;
		return -EROFS;
	}
	mount_outcome_say(out, "%s holds %s, %" PRIu64 " bytes, UUID %s%s%s", mount->device->host_path,
			  mount->info.filesystem, mount->info.size_bytes, mount->info.uuid,
			  mount->info.label[0] ? ", label " : "", mount->info.label);
	return ret;
}

/*
 * Errors that only the journal knows of become ext4's flag when it is mounted (fs/ext4/super.c,
 * ext4_clear_journal_err()).
 */
static int check_again(const struct mount *mount, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct fsinfo info;
	int ret = device_open_shared(mount->device, &fd, err);

	if (ret == 0)
		ret = fsinfo_superblock(fd, &info, err);
	if (ret < 0)
		return ret;
	if (info.has_errors)
		return err_refuse(err, "'%s' holds an ext4 whose journal has errors on record: run e2fsck on it first",
				  mount->device->host_path);
	return 0;
}

static int mount_at(struct mount *mount, const char *path, const char *target, struct err *err)
{
	int ret = mount_places_make(mount, path, err);

	if (ret < 0)
		return ret;
	supervise_stage("mount '%s' on '%s'", mount->device->host_path, target);
	if (mount->held)
		blkdev_yield(mount->held);
	return mounts_mount(mount->device->path, mount->rdev, target, mount->info.filesystem, mount->request->options,
			    err);
}

static int mount_volume(struct mount *mount, struct mount_outcome *out, struct err *err)
{
	struct mount_place *first = &mount->places[0];
	const char *target = mount->needs_staging ? mount->staging.text : first->target.text;
	int ret;

	if (*whole(mount)) {
		mount_outcome_say(out, "is mounted at %s", whole(mount));
		return 0;
	}
	out->changed = true;
	mount_outcome_say(out, "%s %s at %s", mount->request->dry_run ? "would mount" : "mounted",
		 mount->device->host_path, target);
	if (mount->request->dry_run)
		return 0;
	ret = mount_at(mount, mount->needs_staging ? mount->staging_path : first->path, target, err);
	if (ret < 0)
		return ret;
	if (mount->needs_staging)
		mount->is_staged = mount->staged_here = true;
	else
		first->is_mounted = first->mounted_here = true;
	return check_again(mount, err);
}

static int grow(struct mount *mount, struct mount_outcome *out, struct err *err)
{
	struct grow sizes = { .before = mount->info.size_bytes, .after = mount->device_bytes };
	int ret = 0;

	if (!mount->request->grow)
		return 0;
	if (mount->request->is_unmade) {
		mount_outcome_say(out, "would have its device's size");
		return 0;
	}
	/*
	 * In a dry run what is not mounted cannot be asked; its superblock has been. Less than a block is not missing.
	 */
	if (sizes.after - sizes.before < BLOCK_BYTES_MAX)
		sizes.after = sizes.before;
	supervise_stage("grow '%s'", whole(mount));
	if (*whole(mount))
		ret = grow_mounted(whole(mount), mount->device->path, mount->info.filesystem, mount->request->dry_run,
				   &sizes, err);
	/* A volume that is smaller than it could be is still the volume: containers may lack what growing takes. */
	if (ret == -EPERM || ret == -EACCES) {
		log_warn("%s: goes on with the size it has", err->message);
		mount_outcome_say(out, "could not be grown: %s", err->message);
		return 0;
	}
	if (ret < 0)
		return ret;
	out->changed = sizes.after != sizes.before;
	if (out->changed)
		mount_outcome_say(out, "%s from %" PRIu64 " to %" PRIu64 " bytes",
			 mount->request->dry_run ? "would grow" : "grown", sizes.before, sizes.after);
	else
		mount_outcome_say(out, "has its device's size");
	return 0;
}

static int place(struct mount *mount, struct mount_outcome *out, struct err *err)
{
	const struct mount_request *request = mount->request;

	for (size_t i = 0; i < mount->place_count; i++) {
		struct mount_place *here = &mount->places[i];
		struct root_path source;
		int ret;

		if (here->is_mounted || (!mount->needs_staging && request->dry_run))
			continue;
		out->changed = true;
		mount_outcome_say(out, "%s %s", here->path,
				  request->dry_run ? "would show the volume" : "shows the volume");
		if (request->dry_run)
			continue;
		ret = root_path(mount->staging.text, here->subtree, &source, err);
		if (ret == 0)
			ret = mount_places_make(mount, here->path, err);
		if (ret == 0)
			ret = mounts_bind(source.text, here->target.text, err);
		if (ret < 0)
			return ret;
		here->is_mounted = here->mounted_here = true;
	}
	return 0;
}

/* With a single mount point the staging folder has served. */
static void unstage(struct mount *mount)
{
	struct err err;

	if (!mount->request->target || !mount->is_staged || mount->request->dry_run)
		return;
	if (mounts_unmount(mount->staging.text, &err) < 0) {
		/* The volume is where it is wanted; it is only seen in one place too many. */
		log_warn("%s", err.message);
		return;
	}
	mount->is_staged = mount->staged_here = false;
	rmdir(mount->staging.text);
}

static int place_and_unstage(struct mount *mount, struct mount_outcome *out, struct err *err)
{
	int ret = place(mount, out, err);

	if (ret == 0)
		unstage(mount);
	return ret;
}

static int set_owner(const struct mount_request *request, int fd, struct stat *status, struct mount_outcome *out,
		     struct err *err)
{
	mode_t mode = request->set_mode ? request->mode : status->st_mode & 07777;
	uid_t uid = request->set_owner ? request->owner.uid : status->st_uid;
	gid_t gid = request->set_owner ? request->owner.gid : status->st_gid;
	bool chown = uid != status->st_uid || gid != status->st_gid;

	out->changed = chown || mode != (status->st_mode & 07777);
	mount_outcome_say(out, "%s%" PRIu32 ":%" PRIu32 " %04o",
		 !out->changed ? "is " : request->dry_run ? "would become " : "became ", uid, gid, mode);
	if (!out->changed || request->dry_run)
		return 0;
	/* chown clears set-id bits, so the mode comes after it. */
	if ((chown && fchown(fd, uid, gid) < 0) || fchmod(fd, mode) < 0)
		return err_sys(err, errno, "set owner and mode");
	return 0;
}

static int own(struct mount *mount, struct mount_outcome *out, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct stat status;
	int ret;

	if (!mount->request->set_owner && !mount->request->set_mode)
		return 0;
	if (!*whole(mount)) { /* a dry run of what is not mounted */
		out->changed = true;
		mount_outcome_say(out, "would set what differs");
		return 0;
	}
	fd = open(whole(mount), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return err_sys(err, errno, "open '%s'", whole(mount));
	ret = set_owner(mount->request, fd, &status, out, err);
	return ret < 0 ? err_wrap(err, "'%s'", whole(mount)) : 0;
}

static const struct stage {
	const char *name;
	int (*run)(struct mount *mount, struct mount_outcome *out, struct err *err);
} stages[MOUNT_STAGES] = {
	[MOUNT_CHECK] = { "check", check },
	[MOUNT_MOUNT] = { "mount", mount_volume },
	[MOUNT_GROW] = { "grow", grow },
	[MOUNT_COPY] = { "copy", mount_copy },
	[MOUNT_PLACE] = { "directories", place_and_unstage },
	[MOUNT_OWN] = { "owner", own },
	[MOUNT_KEEP] = { "unit", mount_units_keep },
};

const char *mount_stage_name(enum mount_stage stage)
{
	return stages[stage].name;
}

/* A failure leaves the host as it was: nothing that is half filled can be seen where the node looks. */
static void undo(struct mount *mount)
{
	struct err err;

	for (size_t i = mount->place_count; i-- > 0;) {
		struct mount_place *place_here = &mount->places[i];

		if (!place_here->mounted_here)
			continue;
		if (mounts_unmount(place_here->target.text, &err) < 0)
			log_warn("%s", err.message);
		else
			place_here->is_mounted = place_here->mounted_here = false;
	}
	if (!mount->staged_here)
		return;
	if (mounts_unmount(mount->staging.text, &err) < 0)
		log_warn("%s", err.message);
	else
		mount->is_staged = mount->staged_here = false;
}

int mount_run(struct mount *mount, enum mount_stage stage, struct mount_outcome *out, struct err *err)
{
	int ret;

	*out = (struct mount_outcome){ 0 };
	ret = stages[stage].run(mount, out, err);
	if (ret < 0)
		undo(mount);
	if ((ret < 0 || stage + 1 == MOUNT_STAGES) && mount->lock >= 0)
		close(TAKE_FD(mount->lock));
	return ret;
}
