/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/mount-copy.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "ebs/mount-outcome.h"

/* The folder of the volume that is going to be seen at @place. */
static int make_folder(const struct mount_place *place, const char *folder, struct err *err)
{
	struct stat status;

	if (!place->subtree[1])
		return 0;
	if (lstat(folder, &status) == 0) {
		if (S_ISDIR(status.st_mode))
			return 0;
		return err_refuse(err, "'%s' of the volume is no directory", place->subtree);
	}
	if (errno != ENOENT)
		return err_sys(err, errno, "look at '%s'", folder);
	if (mkdir(folder, 0755) < 0 || chmod(folder, 0755) < 0)
		return err_sys(err, errno, "make '%s'", folder);
	return 0;
}

static int refuse_unfinished(const struct mount_place *place, struct err *err)
{
	err_set(err, EEXIST, "the volume has a copy for '%s' that was cut short, and there is nothing to copy anew: "
		"use another volume, or empty this one", place->path);
	err->status = ERR_REFUSED;
	return -EEXIST;
}

/* The volume has files of its own: they are what is wanted, provided that they are what the node expects there. */
static int use_present(const struct mount_place *place, const char *folder, const char *name, struct mount_outcome *out,
		       struct err *err)
{
	/* Without a database on either side there is no store that would be hidden, only leavings. */
	if (!store_is_whole(place->kind, folder) && store_is_whole(place->kind, place->target.text))
		return err_refuse(err, "the volume holds files ('%s' is one) but no containerd store, and would hide "
				  "the one at '%s'", name, place->path);
	mount_outcome_say(out, "%s: the volume's own files are used", place->path);
	return 0;
}

static int fill(const struct mount *mount, const struct mount_place *place, struct mount_outcome *out, struct err *err)
{
	struct store_move move = { .root = mount->request->root, .kind = place->kind, .source = place->target.text,
				   .deadline = mount->request->deadline };
	struct root_path folder;
	char name[NAME_MAX + 1];
	uint64_t files;
	uint64_t bytes;
	int unfinished;
	int ret = root_path(mount->staging.text, place->subtree, &folder, err);

	if (ret == 0)
		ret = make_folder(place, folder.text, err);
	if (ret < 0)
		return ret;
	unfinished = store_copy_unfinished(folder.text, err);
	if (unfinished < 0)
		return unfinished;
	if (!place->hides)
		return unfinished ? refuse_unfinished(place, err) : 0;
	ret = store_has_content(folder.text, name, sizeof(name), err);
	if (ret < 0)
		return ret;
	if (ret == 1 && !unfinished)
		return use_present(place, folder.text, name, out, err);
	move.destination = folder.text;
	ret = store_move_onto(&move, &files, &bytes, err);
	if (ret < 0)
		return ret;
	out->changed = true;
	mount_outcome_say(out, "%s: %" PRIu64 " files and %" PRIu64 " bytes copied onto the volume%s", place->path,
			  files, bytes, unfinished ? ", anew after a copy that was cut short" : "");
	return 0;
}

/* What is mounted already is only looked at. */
static int check_mounted(const struct mount_place *place, struct err *err)
{
	int ret = store_copy_unfinished(place->target.text, err);

	return ret == 1 ? refuse_unfinished(place, err) : ret;
}

/* With directories the volume's root is nobody's place: a mark there is of a copy that another configuration began. */
static int check_root(const struct mount *mount, struct err *err)
{
	int ret;

	if (!mount->request->directory_count || !mount->is_staged)
		return 0;
	ret = store_copy_unfinished(mount->staging.text, err);
	if (ret <= 0)
		return ret;
	err_set(err, EEXIST,
		"the volume has a copy at its root that was cut short, of a configuration with \"mount\": go back to that "
		"one until it is finished, or use another volume");
	err->status = ERR_REFUSED;
	return -EEXIST;
}

int mount_copy(struct mount *mount, struct mount_outcome *out, struct err *err)
{
	int ret = check_root(mount, err);

	for (size_t i = 0; i < mount->place_count && ret == 0; i++) {
		const struct mount_place *place = &mount->places[i];

		if (place->is_mounted) {
			ret = check_mounted(place, err);
		} else if (mount->is_staged && !mount->request->dry_run) {
			ret = fill(mount, place, out, err);
		} else if (place->hides) {
			out->changed = true;
			mount_outcome_say(out, "%s would be copied onto the volume, if that holds nothing",
					  place->path);
		}
	}
	return ret;
}
