/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/mount-places.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "bootstrap/disk/mounts.h"
#include "bootstrap/sys/file.h"

static bool is_name(const char *text)
{
	return *text && *text != '.' && !strchr(text, '/') && strlen(text) <= NAME_MAX;
}

/* An absolute path other than "/", in the one form that the mount table has for it. */
static bool is_mount_point(const char *path)
{
	if (path[0] != '/' || !path[1])
		return false;
	while (*path) {
		size_t length = strcspn(++path, "/");

		if (!length || (length == 1 && path[0] == '.') || (length == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += length;
	}
	return true;
}

static int add(struct mount *mount, const char *name, const char *path, struct err *err)
{
	struct mount_place *place = &mount->places[mount->place_count++];

	if (!is_mount_point(path))
		return err_set(err, EINVAL,
			       "mount point '%s' is not an absolute path below '/' without '.', '..' and '//'", path);
	*place = (struct mount_place){ .path = path, .kind = store_kind_of(path) };
	snprintf(place->subtree, sizeof(place->subtree), "/%s", name);
	return root_path(mount->request->root, path, &place->target, err);
}

int mount_places_plan(struct mount *mount, struct err *err)
{
	const struct mount_request *request = mount->request;
	int ret = 0;

	if (!is_name(request->volume_name))
		return err_set(err, EINVAL, "'%s' cannot be the name of a volume", request->volume_name);
	if (!request->target == !request->directory_count || request->directory_count > MOUNT_PLACES_MAX)
		return err_set(err, EINVAL, "a volume has a mount point or 1 to %d directories", MOUNT_PLACES_MAX);
	snprintf(mount->staging_path, sizeof(mount->staging_path), MOUNT_FOLDER "/%s", request->volume_name);
	if (root_path(request->root, mount->staging_path, &mount->staging, err) < 0)
		return -err->code;
	if (request->target)
		return add(mount, "", request->target, err);
	for (size_t i = 0; i < request->directory_count && ret == 0; i++) {
		if (!is_name(request->directories[i].name))
			return err_set(err, EINVAL, "'%s' cannot be the name of a directory on the volume",
				       request->directories[i].name);
		ret = add(mount, request->directories[i].name, request->directories[i].path, err);
	}
	return ret;
}

static int refuse_way(int code, const char *path, const char *what, struct err *err)
{
	err_set(err, code, "'%s' is %s: a mount point has to be a directory, with nothing but directories on the way",
		path, what);
	err->status = ERR_REFUSED;
	return -code;
}

/* Every step from the root to @path is a directory, or is not there yet. */
static int check_way(const char *root, const char *path, struct err *err)
{
	size_t length = strlen(path);
	struct stat status;

	for (size_t end = 1; end <= length; end++) {
		struct root_path step;
		int ret;

		if (path[end] && path[end] != '/')
			continue;
		ret = root_pathf(root, &step, err, "%.*s", (int)end, path);
		if (ret < 0)
			return ret;
		if (lstat(step.text, &status) < 0)
			return errno == ENOENT ? 0 : err_sys(err, errno, "look at '%s'", step.text);
		if (S_ISLNK(status.st_mode))
			return refuse_way(ELOOP, step.text, "a symlink", err);
		if (!S_ISDIR(status.st_mode))
			return refuse_way(ENOTDIR, step.text, "a file", err);
	}
	return 0;
}

/* Return: 1 when folder @subtree of our volume is mounted there, 0 when nothing is, or a refusal. */
static int is_ours(const struct mount *mount, const char *target, const char *subtree, struct err *err)
{
	struct mounts_entry entry;
	int ret = mounts_find(target, &entry, err);

	if (ret <= 0)
		return ret;
	if (entry.device != mount->rdev)
		return err_refuse(err, "something else is mounted at '%s': %s of device %u:%u", target,
				  entry.filesystem, major(entry.device), minor(entry.device));
	if (strcmp(entry.subtree, subtree) != 0)
		return err_refuse(err, "'%s' shows '%s' of '%s', not '%s'", target, entry.subtree,
				  mount->device->host_path, subtree);
	if (!entry.read_only)
		return 1;
	err_refuse(err, "'%s' is mounted read-only at '%s'", mount->device->host_path, target);
	err->code = EROFS;
	return -EROFS;
}

static int look_at_hidden(const struct mount *mount, struct mount_place *place, struct err *err)
{
	char name[NAME_MAX + 1];
	int ret = store_has_content(place->target.text, name, sizeof(name), err);

	if (ret <= 0)
		return ret;
	if (place->kind == STORE_NONE)
		return err_refuse(err, "'%s' holds files ('%s' is one), which a mount would hide: move them away, or "
				  "mount elsewhere", place->target.text, name);
	place->hides = true;
	return store_check_stopped(mount->request->root, place->kind, place->target.text, err);
}

static int look_at(struct mount *mount, struct mount_place *place, struct err *err)
{
	int ret = check_way(mount->request->root, place->path, err);

	if (ret == 0)
		ret = is_ours(mount, place->target.text, place->subtree, err);
	place->is_mounted = ret == 1;
	return ret == 0 ? look_at_hidden(mount, place, err) : ret < 0 ? ret : 0;
}

int mount_places_look(struct mount *mount, struct err *err)
{
	char elsewhere[MOUNTS_PATH_MAX];
	int ret = check_way(mount->request->root, mount->staging_path, err);

	if (ret == 0)
		ret = is_ours(mount, mount->staging.text, "/", err);
	mount->is_staged = ret == 1;
	mount->is_mounted = ret == 1;
	for (size_t i = 0; i < mount->place_count && ret >= 0; i++) {
		ret = look_at(mount, &mount->places[i], err);
		mount->is_mounted |= mount->places[i].is_mounted;
		mount->needs_staging |= mount->places[i].hides;
	}
	if (ret < 0)
		return ret;
	mount->needs_staging |= !mount->request->target || (mount->is_staged && !mount->places[0].is_mounted);
	if (mount->is_mounted)
		return 0;
	ret = mounts_of_device(mount->rdev, elsewhere, sizeof(elsewhere), err);
	if (ret <= 0)
		return ret;
	return err_refuse(err, "'%s' is mounted at '%s'", mount->device->host_path, elsewhere);
}

int mount_places_make(const struct mount *mount, const char *path, struct err *err)
{
	return file_make_directories(mount->request->root, path, err);
}
