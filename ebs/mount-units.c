/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/mount-units.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/base/log.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/disk/mounts.h"
#include "ebs/mount-outcome.h"

/*
 * udev's link, 60-persistent-storage.rules: model and serial, and the serial of an EBS volume is its id without the
 * dash.
 */
#define BY_ID_FORMAT   "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol%s"
#define BY_UUID_FORMAT "/dev/disk/by-uuid/%s"
#define VOLUME_PREFIX  "vol-"
#define WHAT_MAX       128

static void find_what(const struct mount *mount, char *out, size_t size)
{
	const char *volume_id = mount->device->volume_id;

	if (mount->request->unit_what)
		snprintf(out, size, "%s", mount->request->unit_what);
	else if (volume_id[0])
		snprintf(out, size, BY_ID_FORMAT, volume_id + strlen(VOLUME_PREFIX));
	else
		snprintf(out, size, BY_UUID_FORMAT, mount->info.uuid);
}

static int keep(const struct mount *mount, const struct unit_mount *unit, struct mount_outcome *out, struct err *err)
{
	const struct mount_request *request = mount->request;
	char name[UNIT_NAME_MAX];
	enum unit_outcome outcome;
	int ret = unit_name(unit->where, ".mount", name, sizeof(name), err);

	if (ret == 0)
		ret = unit_write(request->root, unit, request->persist, request->dry_run, &outcome, err);
	if (ret < 0)
		return err_wrap(err, "unit for '%s'", unit->where);
	if (outcome == UNIT_FOREIGN)
		log_warn("%s is there and was not written by this program: left as it is", name);
	out->changed |= outcome == UNIT_WRITTEN;
	mount_outcome_say(out, "%s %s", name,
			  outcome == UNIT_SAME	  ? "is there" :
			  outcome == UNIT_FOREIGN ? "is somebody else's" :
			  request->dry_run	  ? "would be written" :
						    "written");
	return 0;
}

static int keep_volume(const struct mount *mount, const char *where, struct mount_outcome *out, struct err *err)
{
	char options[MOUNTS_OPTIONS_MAX];
	char what[WHAT_MAX];
	struct unit_mount unit = { .what = what, .where = where, .type = mount->info.filesystem, .options = options };
	int ret = mounts_options(mount->info.filesystem, mount->request->options, options, sizeof(options), err);

	if (ret < 0)
		return ret;
	find_what(mount, what, sizeof(what));
	return keep(mount, &unit, out, err);
}

static int keep_place(const struct mount *mount, const struct mount_place *place, struct mount_outcome *out,
		      struct err *err)
{
	char what[sizeof(mount->staging_path) + sizeof(place->subtree)];
	struct unit_mount unit = {
		.what = what, .where = place->path, .type = "none", .options = "bind", .after = mount->staging_path,
	};

	snprintf(what, sizeof(what), "%s%s", mount->staging_path, place->subtree);
	return keep(mount, &unit, out, err);
}

int mount_units_keep(struct mount *mount, struct mount_outcome *out, struct err *err)
{
	const struct mount_request *request = mount->request;
	int ret;

	if (request->persist == UNIT_NO)
		return 0;
	if (request->target)
		ret = keep_volume(mount, request->target, out, err);
	else
		ret = keep_volume(mount, mount->staging_path, out, err);
	for (size_t i = 0; i < mount->place_count && ret == 0 && !request->target; i++)
		ret = keep_place(mount, &mount->places[i], out, err);
	if (ret < 0 || !out->changed || request->dry_run)
		return ret;
	supervise_stage("have systemd read its units");
	/* The mount is made and the unit written; systemd will read it at the latest when it boots or is told again. */
	if (unit_reload(request->root, &request->deadline, err) < 0)
		log_warn("%s", err->message);
	return 0;
}
