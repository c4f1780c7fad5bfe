/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: a volume that has a filesystem, brought to where the node wants it, and kept there
 *
 * mount_begin() looks at the host and refuses what cannot be; then each stage says what it found and did. In between
 * the caller holds the device, unless mount_begin() found it mounted already:
 *
 *	mount_begin(&request, &device, &mount, err);
 *	if (!mount.is_mounted) { device_open(..., &held, err); mount.held = &held; }
 *	for (stage = 0; stage < MOUNT_STAGES; stage++)
 *		mount_run(&mount, stage, &outcome, err);
 *
 * With a mount point the volume is mounted there. With directories its root is mounted at /run/nodevol/volumes/NAME,
 * and each directory is a bind mount of its own folder of the volume. What a mount would hide is refused or copied
 * onto the volume first (bootstrap/node/store.h); for that the volume is mounted at /run/nodevol/volumes/NAME for a
 * moment also in the first case, so that the mount point shows the old files or all of the new ones.
 */
#ifndef NODEVOL_EBS_MOUNT_H
#define NODEVOL_EBS_MOUNT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"
#include "bootstrap/base/parse.h"
#include "bootstrap/disk/blkdev.h"
#include "bootstrap/disk/fsinfo.h"
#include "bootstrap/node/store.h"
#include "bootstrap/node/unit.h"
#include "bootstrap/sys/root.h"
#include "ebs/device.h"

#define MOUNT_FOLDER	 "/run/nodevol/volumes"
#define MOUNT_PLACES_MAX 8
#define MOUNT_TEXT_MAX	 512

/**
 * struct mount_directory - folder @name of the volume, mounted on @path
 * @name: one name, no slash
 * @path: as the host names it
 */
struct mount_directory {
	const char *name;
	const char *path;
};

/**
 * struct mount_request - what is wanted; everything in it is borrowed for as long as the struct mount is used
 * @root: the host's root
 * @volume_name: one name, no slash, for the folder under MOUNT_FOLDER
 * @target: mount point as the host names it, or NULL when there are @directories
 * @directories: see above
 * @directory_count: at most MOUNT_PLACES_MAX
 * @filesystem: "ext4" or "xfs", NULL for either
 * @label: NULL for any
 * @options: see mounts_options()
 * @set_owner: @owner is wanted, for the root of the filesystem
 * @owner: owner
 * @set_mode: @mode is wanted, for the root of the filesystem
 * @mode: permission bits
 * @grow: to the device's size
 * @persist: see enum unit_persist
 * @unit_what: what the unit is to say the device is; NULL: udev's link for the volume id, else for the UUID
 * @is_unmade: with @dry_run: the device has no filesystem yet and would get one; nothing is read from it
 * @dry_run: say what would be done, change nothing
 * @deadline: for systemctl
 */
struct mount_request {
	const char *root;
	const char *volume_name;
	const char *target;
	const struct mount_directory *directories;
	size_t directory_count;
	const char *filesystem;
	const char *label;
	const char *options;
	bool set_owner;
	struct parse_owner owner;
	bool set_mode;
	mode_t mode;
	bool grow;
	enum unit_persist persist;
	const char *unit_what;
	bool is_unmade;
	bool dry_run;
	struct deadline deadline;
};

/**
 * struct mount_place - where the node sees the volume or a folder of it
 * @path: as the host names it
 * @target: as seen from here
 * @subtree: "/" or "/NAME"
 * @kind: what it is to the node
 * @is_mounted: the volume is there
 * @mounted_here: by this run
 * @hides: it is not mounted, and there are files that it would hide
 */
struct mount_place {
	const char *path;
	struct root_path target;
	char subtree[NAME_MAX + 2];
	enum store_kind kind;
	bool is_mounted;
	bool mounted_here;
	bool hides;
};

/**
 * struct mount - a volume on its way
 * @request: what is wanted
 * @device: which disk
 * @held: the same, held; set by the caller unless @is_mounted. Its O_EXCL is given up for the mount, its lock is not.
 * @rdev: device number
 * @is_mounted: found mounted where it belongs, so the device cannot be held
 * @lock: then the same lock that holding it would take, so that of two runs one waits; -1 otherwise, and after the last
 *	  stage
 * @info: of the filesystem; valid after MOUNT_CHECK unless request->is_unmade
 * @device_bytes: size of the disk, after MOUNT_CHECK
 * @staging_path: MOUNT_FOLDER/NAME, as the host names it
 * @staging: as seen from here
 * @is_staged: the volume is mounted at @staging: for good with directories, else while it is filled
 * @staged_here: by this run
 * @needs_staging: it has to be
 * @places: where it is wanted
 * @place_count: how many
 */
struct mount {
	const struct mount_request *request;
	const struct device *device;
	struct blkdev *held;
	dev_t rdev;
	bool is_mounted;
	int lock;
	struct fsinfo info;
	uint64_t device_bytes;
	char staging_path[sizeof(MOUNT_FOLDER) + NAME_MAX + 1];
	struct root_path staging;
	bool is_staged;
	bool staged_here;
	bool needs_staging;
	struct mount_place places[MOUNT_PLACES_MAX];
	size_t place_count;
};

/**
 * enum mount_stage - the steps, in their order
 * @MOUNT_CHECK: is the filesystem the one that was asked for, and whole; before anything is changed
 * @MOUNT_MOUNT: the volume, at its mount point or at its staging folder
 * @MOUNT_GROW: to the device's size
 * @MOUNT_COPY: what would be hidden, onto a volume that holds nothing
 * @MOUNT_PLACE: bind mounts, where there was a staging folder
 * @MOUNT_OWN: owner and mode of the filesystem's root
 * @MOUNT_KEEP: units
 */
enum mount_stage {
	MOUNT_CHECK,
	MOUNT_MOUNT,
	MOUNT_GROW,
	MOUNT_COPY,
	MOUNT_PLACE,
	MOUNT_OWN,
	MOUNT_KEEP,
	MOUNT_STAGES,
};

/**
 * struct mount_outcome - what a stage did
 * @changed: something; with dry_run: it would
 * @text: what was found or done, for people; "" when the stage had nothing to do with this request
 */
struct mount_outcome {
	bool changed;
	char text[MOUNT_TEXT_MAX];
};

/**
 * mount_begin - look where everything is
 * @request: what is wanted
 * @device: which disk
 * @out: the volume on its way; nothing in it has to be given back once mount_run() failed or did the last stage
 * @err: see below
 *
 * Changes nothing. Waits for another run that is at work on the same disk, until request->deadline.
 *
 * Return: 0; -ETIMEDOUT (ERR_RETRY); -EINVAL (ERR_USAGE) a path, name or option that cannot be; -EPERM, -EBUSY, -ELOOP
 * (ERR_REFUSED): a symlink or file on the way to a mount point, another volume mounted there, this volume mounted
 * elsewhere or read-only, files that would be hidden, a daemon that is at work in them.
 */
int mount_begin(const struct mount_request *request, const struct device *device, struct mount *out, struct err *err);

/**
 * mount_run - one stage
 * @mount: mount_begin()'s
 * @stage: which; they are run in their order
 * @out: what it did
 * @err: see below. What this run has mounted is unmounted again, and stays so.
 *
 * Return: 0; -EPERM, -EUCLEAN, -EROFS, -EBUSY, -EEXIST (ERR_REFUSED); -ENOENT (ERR_ABSENT) there is no filesystem;
 * others.
 */
int mount_run(struct mount *mount, enum mount_stage stage, struct mount_outcome *out, struct err *err);

/* "check", "mount", "grow", "copy", "directories", "owner", "unit". */
const char *mount_stage_name(enum mount_stage stage);

#endif
