/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: systemd units that keep a mount mounted
 *
 * systemd names a .mount unit after its mount point (systemd.mount(5), systemd-escape(1)); other tools that would mount
 * there (nodeadm, setup-local-disks) find it by that name and stay away. Default dependencies are kept: before
 * local-fs.target, unmounted at shutdown.
 */
#ifndef NODEVOL_NODE_UNIT_H
#define NODEVOL_NODE_UNIT_H

#include <stdbool.h>
#include <stddef.h>

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"

#define UNIT_NAME_MAX	   256 /* basic/unit-name.h of systemd, NUL included */
#define UNIT_DEVICE_WAIT_S 60

/**
 * enum unit_persist - where a unit is written
 * @UNIT_NO: nowhere
 * @UNIT_RUNTIME: /run/systemd/system; the next boot makes it anew
 * @UNIT_ETC: /etc/systemd/system, enabled for multi-user.target; the boot waits UNIT_DEVICE_WAIT_S for the device and
 *	      goes on without it: JobRunningTimeoutSec= of the .device unit, because x-systemd.device-timeout= is for
 *	      fstab only
 */
enum unit_persist {
	UNIT_NO,
	UNIT_RUNTIME,
	UNIT_ETC,
};

/**
 * struct unit_mount - a mount that is to be kept
 * @what: device or directory, as the host names it
 * @where: mount point, as the host names it
 * @type: "ext4", "xfs" or "none" for a bind
 * @options: comma-separated
 * @after: a mount point that has to be mounted first, NULL for none
 */
struct unit_mount {
	const char *what;
	const char *where;
	const char *type;
	const char *options;
	const char *after;
};

/**
 * enum unit_outcome - what unit_write() did
 * @UNIT_SAME: it was the same already
 * @UNIT_WRITTEN: written, or with @dry_run: would be
 * @UNIT_FOREIGN: somebody else's unit of that name is there and was left alone
 */
enum unit_outcome {
	UNIT_SAME,
	UNIT_WRITTEN,
	UNIT_FOREIGN,
};

/* systemd's name for @path with @suffix: "/var/lib/containerd", ".mount" is "var-lib-containerd.mount". */
int unit_name(const char *path, const char *suffix, char *out, size_t size, struct err *err);

/* Writes the unit, and what belongs to it, unless it is the same already. Return: 0 and @out, or an error. */
int unit_write(const char *root, const struct unit_mount *mount, enum unit_persist persist, bool dry_run,
	       enum unit_outcome *out, struct err *err);

/*
 * Has systemd read its units anew, where @root is "" and systemd runs; elsewhere there is nobody to tell. Return: 0,
 * -ETIMEDOUT, -EIO systemctl said no.
 */
int unit_reload(const char *root, const struct deadline *deadline, struct err *err);

#endif
