/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include <libmount.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/disk/kernel-log.h"

#define UNMOUNT_TRIES	 25
#define UNMOUNT_PAUSE_NS (20 * 1000 * 1000L)

/*
 * Copies a field up to a space; mountinfo writes space, tab, newline and backslash as \ooo. Return: behind it, or
 * NULL.
 */
static const char *take_field(const char *text, char *out, size_t size)
{
	size_t length = 0;

	while (*text && *text != ' ' && *text != '\n') {
		unsigned int code;

		if (length + 1 >= size)
			return NULL;
		if (*text == '\\' && sscanf(text + 1, "%3o", &code) == 1) {
			out[length++] = (char)code;
			text += 4;
			continue;
		}
		out[length++] = *text++;
	}
	out[length] = '\0';
	if (!length)
		return NULL;
	return *text == ' ' ? text + 1 : text;
}

static bool has_option(const char *options, const char *wanted)
{
	size_t length = strlen(wanted);

	for (;;) {
		size_t here = strcspn(options, ",");

		if (here == length && strncmp(options, wanted, length) == 0)
			return true;
		if (!options[here])
			return false;
		options += here + 1;
	}
}

bool mounts_parse(const char *line, struct mounts_entry *out)
{
	char superblock_options[4096];
	char source[PATH_MAX];
	unsigned int device_major;
	unsigned int device_minor;
	uint64_t parent;
	int length = 0;

	if (sscanf(line, "%" SCNu64 " %" SCNu64 " %u:%u %n", &out->id, &parent, &device_major, &device_minor,
		   &length) < 4 ||
	    !length)
		return false;
	out->device = makedev(device_major, device_minor);
	line = take_field(line + length, out->subtree, sizeof(out->subtree));
	line = line ? take_field(line, out->target, sizeof(out->target)) : NULL;
	line = line ? take_field(line, out->options, sizeof(out->options)) : NULL;
	/* Optional fields end at a lone dash. */
	while (line && strncmp(line, "- ", 2) != 0) {
		line = strchr(line, ' ');
		line = line ? line + 1 : NULL;
	}
	line = line ? take_field(line + 2, out->filesystem, sizeof(out->filesystem)) : NULL;
	if (line && *line == ' ') /* a source that is empty */
		line++;
	else
		line = line ? take_field(line, source, sizeof(source)) : NULL;
	if (!line || !take_field(line, superblock_options, sizeof(superblock_options)))
		return false;
	out->read_only = has_option(out->options, "ro") || has_option(superblock_options, "ro");
	return true;
}

/* Looks through the mounts. Return: 1 and @out for the first that @fits, 0 for none, or an error. */
static int look_for(bool (*fits)(const struct mounts_entry *, const void *wanted), const void *wanted,
		    struct mounts_entry *out, struct err *err)
{
	CLEANUP_FCLOSE FILE *table = fopen("/proc/self/mountinfo", "re");
	CLEANUP_FREE char *line = NULL;
	struct mounts_entry entry;
	size_t size = 0;

	if (!table)
		return err_sys(err, errno, "open /proc/self/mountinfo");
	/* Lines that do not parse are mounts with names too long for any of ours. */
	while (getline(&line, &size, table) > 0) {
		if (mounts_parse(line, &entry) && fits(&entry, wanted)) {
			*out = entry;
			return 1;
		}
	}
	return ferror(table) ? err_sys(err, EIO, "read /proc/self/mountinfo") : 0;
}

static bool has_id(const struct mounts_entry *entry, const void *wanted)
{
	return entry->id == *(const uint64_t *)wanted;
}

static bool has_device(const struct mounts_entry *entry, const void *wanted)
{
	return entry->device == *(const dev_t *)wanted;
}

int mounts_find(const char *target, struct mounts_entry *out, struct err *err)
{
	const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
	struct statx status;
	uint64_t id;
	int ret;

	/* The kernel says which of the mounts that are stacked there, or hidden below others, one would get to. */
	if (statx(AT_FDCWD, target, flags, STATX_MNT_ID, &status) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, errno, "look at '%s'", target);
	if (!(status.stx_mask & STATX_MNT_ID) || !(status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
		return err_set(err, ENOSYS, "the kernel does not tell what is mounted at '%s': 5.8 or later is needed",
			       target);
	if (!(status.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	id = status.stx_mnt_id;
	ret = look_for(has_id, &id, out, err);
	if (ret == 0)
		return err_set(err, EAGAIN, "mounts at '%s' change all the time", target);
	return ret;
}

int mounts_of_device(dev_t device, char *out, size_t size, struct err *err)
{
	struct mounts_entry entry;
	int ret = look_for(has_device, &device, &entry, err);

	if (ret == 1)
		snprintf(out, size, "%s", entry.target);
	return ret;
}

/* Options of which a part is for programs, and others that change what mount(2) does. A "*" stands for any end. */
static const char *const refused_options[] = {
	"ro",     "bind",   "rbind",     "move",    "remount",  "loop*",   "offset=*", "sizelimit=*", "norecovery",
	"noload", "shared", "rshared",   "private", "rprivate", "slave",   "rslave",   "unbindable",  "runbindable",
	"x-*",    "X-*",    "comment=*", "auto",    "noauto",   "nofail",  "user",     "users",       "user=*",
	"nouser", "owner",  "noowner",   "group",   "nogroup",  "_netdev", "helper=*", "uhelper=*",   "verity.*",
};

static bool is_refused(const char *option, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused_options); i++) {
		size_t size = strlen(refused_options[i]);
		bool any_end = refused_options[i][size - 1] == '*';

		size -= any_end;
		if ((any_end ? length >= size : length == size) && strncmp(option, refused_options[i], size) == 0)
			return true;
	}
	return false;
}

int mounts_options(const char *filesystem, const char *options, char *out, size_t size, struct err *err)
{
	const char *text = options && *options ? options : MOUNTS_DEFAULTS;
	bool nouuid = strcmp(filesystem, "xfs") == 0 && !has_option(text, "nouuid");

	if (text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:=,+/@-")])
		return err_set(err, EINVAL, "mount options '%s' have a character that is not allowed in them", text);
	for (const char *option = text;; ) {
		size_t length = strcspn(option, ",");

		if (!length)
			return err_set(err, EINVAL, "mount options '%s' have an empty one", text);
		if (is_refused(option, length))
			return err_set(err, EINVAL,
				       "mount option '%.*s' is not possible here: the volume is mounted whole, "
				       "read-write, and by this program", (int)length, option);
		if (!option[length])
			break;
		option += length + 1;
	}
	if (snprintf(out, size, "%s%s", text, nouuid ? ",nouuid" : "") >= (int)size)
		return err_set(err, EMSGSIZE, "mount options '%.40s...' are too long", text);
	return 0;
}

static int refuse(struct err *err, int code)
{
	err->code = code;
	err->status = ERR_REFUSED;
	return -code;
}

/* What mount(2) said, in words that help. */
static int explain(int code, const char *source, const char *target, const char *reason, struct err *err)
{
	const char *colon = reason[0] ? ": " : "";

	switch (code) {
	case EUCLEAN:
	case EBADMSG:
		err_set(err, code, "the filesystem on '%s' is damaged, check and repair it (e2fsck, xfs_repair)%s%s",
			source, colon, reason);
		return refuse(err, EUCLEAN);
	case EROFS:
	case EACCES:
		err_set(err, code, "'%s' can only be read%s%s", source, colon, reason);
		return refuse(err, EROFS);
	case EBUSY:
		err_set(err, code, "'%s' is in use by somebody else, or mounted read-only elsewhere%s%s", source, colon,
			reason);
		return refuse(err, EBUSY);
	case EINVAL:
		err_set(err, code,
			"the kernel takes either the filesystem on '%s' or the mount options for invalid%s%s", source,
			colon, reason);
		return refuse(err, EINVAL);
	default:
		err_sys(err, code, "mount '%s' on '%s'", source, target);
		return reason[0] ? err_wrap(err, "%s", reason) : -code;
	}
}

/* Return: 0, a positive errno value of the kernel's, or -ENOMEM. */
static int call_mount(const char *source, const char *target, const char *filesystem, const char *options,
		      unsigned long flags)
{
	struct libmnt_context *context = mnt_new_context();
	int ret;

	if (!context)
		return -ENOMEM;
	/* Nothing of its comforts: both ends are given, and files that it keeps are not ours to write. */
	ret = mnt_context_disable_canonicalize(context, 1) | mnt_context_disable_helpers(context, 1) |
	      mnt_context_disable_mtab(context, 1) | mnt_context_enable_rwonly_mount(context, 1) |
	      mnt_context_set_source(context, source) | mnt_context_set_target(context, target) |
	      mnt_context_set_fstype(context, filesystem) | mnt_context_set_mflags(context, flags);
	if (ret == 0 && options)
		ret = mnt_context_set_options(context, options);
	if (ret != 0) {
		mnt_free_context(context);
		return -ENOMEM;
	}
	ret = mnt_context_mount(context);
	if (mnt_context_get_status(context) == 1)
		ret = 0;
	else if (mnt_context_syscall_called(context) && mnt_context_get_syscall_errno(context))
		ret = mnt_context_get_syscall_errno(context);
	else
		ret = ret < 0 && ret > -4096 ? -ret : EIO;
	mnt_free_context(context);
	return ret;
}

/* What is mounted at @target now is what was meant, and can be written to; else it goes again. */
static int prove(const char *target, dev_t device, const char *subtree, struct err *err)
{
	struct mounts_entry entry;
	struct err ignored;
	int ret = mounts_find(target, &entry, err);

	if (ret < 0)
		return ret;
	if (ret == 0)
		return err_set(err, EIO, "'%s' was mounted and is not", target);
	if (entry.device == device && (!subtree || strcmp(entry.subtree, subtree) == 0) && !entry.read_only)
		return 0;
	if (entry.device != device)
		err_set(err, EXDEV, "'%s' became another disk while it was mounted (%u:%u)", target,
			major(entry.device), minor(entry.device));
	else if (entry.read_only)
		err_set(err, EROFS, "the kernel mounted '%s' read-only", target);
	else
		err_set(err, EXDEV, "folder '%s' was mounted at '%s'", entry.subtree, target);
	/* The refusal is what has to be told; a mount that cannot be taken back is seen by the next run. */
	(void)mounts_unmount(target, &ignored);
	return refuse(err, err->code);
}

int mounts_mount(const char *source, dev_t device, const char *target, const char *filesystem, const char *options,
		 struct err *err)
{
	char all_options[MOUNTS_OPTIONS_MAX];
	CLEANUP_CLOSE int log = -1;
	char reason[256];
	int ret = mounts_options(filesystem, options, all_options, sizeof(all_options), err);

	if (ret < 0)
		return ret;
	log = kernel_log_open();
	ret = call_mount(source, target, filesystem, all_options, 0);
	if (ret > 0) {
		kernel_log_reason(log, device, filesystem, reason, sizeof(reason));
		explain(ret, source, target, reason, err);
		if (ret == EINVAL && options && *options && strcmp(options, "defaults") != 0)
			err->status = ERR_USAGE;
		return -err->code;
	}
	if (ret < 0)
		return err_sys(err, -ret, "mount '%s' on '%s'", source, target);
	return prove(target, device, "/", err);
}

int mounts_bind(const char *source, const char *target, struct err *err)
{
	struct stat status;
	int ret;

	if (stat(source, &status) < 0)
		return err_sys(err, errno, "look at '%s'", source);
	ret = call_mount(source, target, "none", NULL, MS_BIND);
	if (ret != 0)
		return err_sys(err, abs(ret), "bind '%s' to '%s'", source, target);
	return prove(target, status.st_dev, NULL, err);
}

int mounts_unmount(const char *target, struct err *err)
{
	const struct timespec pause = { .tv_nsec = UNMOUNT_PAUSE_NS };

	/* udev and its like look at new mounts for a moment. */
	for (int tries = 0; tries < UNMOUNT_TRIES; tries++) {
		if (umount2(target, UMOUNT_NOFOLLOW) == 0)
			return 0;
		if (errno != EBUSY)
			return err_sys(err, errno, "unmount '%s'", target);
		nanosleep(&pause, NULL);
	}
	return err_sys(err, EBUSY, "unmount '%s'", target);
}
