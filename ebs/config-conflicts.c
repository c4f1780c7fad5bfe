/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/config-conflicts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/disk/blkdev.h"

#define PLACES_MAX (CONFIG_VOLUMES_MAX * CONFIG_DIRECTORIES_MAX)

/* A mount point and the key that asks for it. */
struct place {
	const char *path;
	const char *directory;
	size_t volume;
};

static size_t list_places_of(const struct config_volume *volume, size_t index, struct place *out)
{
	size_t count = 0;

	if (volume->mount)
		out[count++] = (struct place){ .path = volume->mount, .volume = index };
	for (size_t i = 0; i < volume->directory_count; i++)
		out[count++] = (struct place){ .path = volume->directories[i].path,
					       .directory = volume->directories[i].name,
					       .volume = index };
	return count;
}

/* Every mount point, in the order in which they are mounted. */
static size_t list_places(const struct config *config, struct place out[PLACES_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < config->volume_count; i++)
		count += list_places_of(&config->volumes[i], i, out + count);
	return count;
}

/* Is @path the same as @folder or below it? */
static bool is_within(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static int place_error(const struct config *config, const struct place *later, const struct place *earlier,
		       struct err *err)
{
	char key[96];

	if (later->directory)
		snprintf(key, sizeof(key), "volumes[%zu].directories.%s", later->volume, later->directory);
	else
		snprintf(key, sizeof(key), "volumes[%zu].mount", later->volume);
	if (strcmp(later->path, earlier->path) == 0)
		return err_set(err, EINVAL, "%s: '%s' is where volume '%s' is mounted already", key, later->path,
			       config->volumes[earlier->volume].name);
	return err_set(err, EINVAL,
		       "%s: '%s' would hide '%s' of volume '%s', which is mounted before it; swap their order", key,
		       later->path, earlier->path, config->volumes[earlier->volume].name);
}

static int check_places(const struct config *config, struct err *err)
{
	struct place places[PLACES_MAX];
	size_t count = list_places(config, places);

	for (size_t later = 1; later < count; later++)
		for (size_t earlier = 0; earlier < later; earlier++)
			if (is_within(places[earlier].path, places[later].path))
				return place_error(config, &places[later], &places[earlier], err);
	return 0;
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static bool is_same_device(const char *a, const char *b)
{
	char plain_a[40];
	char plain_b[40];

	if (!a || !b)
		return false;
	blkdev_normalise_name(a, plain_a, sizeof(plain_a));
	blkdev_normalise_name(b, plain_b, sizeof(plain_b));
	return strcmp(plain_a, plain_b) == 0;
}

static int check_pair(const struct config_volume *earlier, const struct config_volume *later, size_t index,
		      struct err *err)
{
	if (strcmp(earlier->name, later->name) == 0)
		return err_set(err, EINVAL, "volumes[%zu].name: '%s' is the name of an earlier volume too", index,
			       later->name);
	if (is_same_device(earlier->source.device, later->source.device))
		return err_set(err, EINVAL, "volumes[%zu].source.device: '%s' is the device of volume '%s' too", index,
			       later->source.device, earlier->name);
	if (is_same_text(earlier->source.volume_id, later->source.volume_id))
		return err_set(err, EINVAL, "volumes[%zu].source.volume-id: %s is the volume of '%s' too", index,
			       later->source.volume_id, earlier->name);
	return 0;
}

int config_conflicts_check(const struct config *config, struct err *err)
{
	for (size_t later = 1; later < config->volume_count; later++)
		for (size_t earlier = 0; earlier < later; earlier++)
			if (check_pair(&config->volumes[earlier], &config->volumes[later], later, err) < 0)
				return -err->code;
	return check_places(config, err);
}

bool config_conflicts_is_below(const struct config_volume *later, const struct config_volume *earlier)
{
	struct place below[CONFIG_DIRECTORIES_MAX];
	struct place above[CONFIG_DIRECTORIES_MAX];
	size_t below_count = list_places_of(later, 0, below);
	size_t above_count = list_places_of(earlier, 0, above);

	for (size_t i = 0; i < below_count; i++)
		for (size_t j = 0; j < above_count; j++)
			if (is_within(below[i].path, above[j].path))
				return true;
	return false;
}
