/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/disk/ext4.h"
#include "bootstrap/disk/xfs.h"
#include "bootstrap/node/store.h"
#include "bootstrap/sys/file.h"
#include "bootstrap/sys/jsonx.h"
#include "ebs/config-conflicts.h"
#include "ebs/config-fields.h"
#include "ebs/config-source.h"
#include "ebs/readahead.h"

#define NAME_MAX_BYTES	    32
#define DIRECTORY_MAX_BYTES 64
#define OPTIONS_MAX_BYTES   255
#define HOT_DEADLINE_MAX_S  3600

static bool is_name(const char *text)
{
	size_t length = strlen(text);

	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length && text[0] != '-' &&
	       text[length - 1] != '-';
}

static int read_name(const struct jsonx *object, struct config_volume *volume, struct err *err)
{
	struct jsonx value;
	int ret = config_fields_text(object, "name", NAME_MAX_BYTES, &volume->name, err);

	if (ret == 0)
		return jsonx_missing(object, "name", "a name of lower-case letters, digits and dashes", err);
	if (ret < 0 || is_name(volume->name))
		return ret < 0 ? ret : 0;
	jsonx_member(object, "name", &value);
	return jsonx_error(&value, err, "'%s' is no name; expected lower-case letters, digits and dashes",
			   volume->name);
}

static int read_filesystem(const struct jsonx *object, struct config_volume *volume, struct err *err)
{
	static const char *const words[] = { "ext4", "xfs", NULL };
	bool is_xfs;
	struct jsonx value;
	size_t choice = 0;
	int ret = jsonx_choice(object, "filesystem", words, &choice, err);

	if (ret > 0 && !(volume->filesystem = strdup(words[choice])))
		ret = err_sys(err, ENOMEM, "copy a text");
	if (ret >= 0)
		ret = config_fields_text(object, "label", EXT4_LABEL_MAX, &volume->label, err);
	if (ret <= 0)
		return ret;
	is_xfs = volume->filesystem && strcmp(volume->filesystem, "xfs") == 0;
	if (!is_xfs || strlen(volume->label) <= XFS_LABEL_MAX)
		return 0;
	jsonx_member(object, "label", &value);
	return jsonx_error(&value, err, "'%s' is too long; a label of xfs has up to %d bytes", volume->label,
			   XFS_LABEL_MAX);
}

static bool is_directory_name(const char *name)
{
	if (!isalnum((unsigned char)name[0]) || strlen(name) > DIRECTORY_MAX_BYTES)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("._-", *name))
			return false;
	return true;
}

static int read_directory(const struct jsonx *value, const char *name, struct config_volume *volume, struct err *err)
{
	struct config_directory *directory;

	if (!is_directory_name(name))
		return jsonx_error(value, err,
				   "'%s' is no directory name; expected letters, digits, dots, dashes and underscores",
				   name);
	if (volume->directory_count == CONFIG_DIRECTORIES_MAX)
		return jsonx_error(value, err, "more than %d directories", CONFIG_DIRECTORIES_MAX);
	directory = &volume->directories[volume->directory_count++];
	directory->name = strdup(name);
	if (!directory->name)
		return err_sys(err, ENOMEM, "copy a text");
	return config_fields_path(value, &directory->path, err);
}

static int read_places(const struct jsonx *object, struct config_volume *volume, struct err *err)
{
	struct jsonx directories;
	void *iterator = NULL;
	struct jsonx value;
	const char *name;
	bool has_directories = jsonx_member(object, "directories", &directories);
	bool has_mount = jsonx_member(object, "mount", &value);
	int ret;

	if (has_mount == has_directories)
		return jsonx_error(object, err, "expected either \"mount\" or \"directories\"");
	if (has_mount)
		return config_fields_path(&value, &volume->mount, err);
	ret = jsonx_as_object(&directories, err);
	if (ret == 0 && !jsonx_count(&directories))
		ret = jsonx_error(&directories, err, "no directory");
	while (ret == 0 && jsonx_next(&directories, &iterator, &name, &value))
		ret = read_directory(&value, name, volume, err);
	return ret;
}

static int read_root_attributes(const struct jsonx *object, struct config_volume *volume, struct err *err)
{
	struct jsonx value;
	const char *text;

	if (jsonx_member(object, "owner", &value)) {
		volume->has_owner = true;
		if (jsonx_as_text(&value, &text, err) < 0)
			return -err->code;
		if (parse_owner(text, &volume->owner, err) < 0)
			return err_wrap(err, "%s", value.path);
	}
	if (jsonx_member(object, "mode", &value)) {
		volume->has_mode = true;
		if (jsonx_as_text(&value, &text, err) < 0)
			return -err->code;
		if (parse_mode(text, &volume->mode, err) < 0)
			return err_wrap(err, "%s", value.path);
	}
	return 0;
}

static int read_read_ahead(const struct jsonx *object, struct config_volume *volume, struct err *err)
{
	struct jsonx value;
	const char *text;
	uint64_t kib;
	int ret;

	if (!jsonx_member(object, "read-ahead-kib", &value))
		return 0;
	if (jsonx_type(&value) == JSONX_NUMBER) {
		ret = jsonx_as_u64(&value, 0, READAHEAD_MAX_KIB, &kib, err);
		volume->read_ahead = CONFIG_READ_AHEAD_KIB;
		volume->read_ahead_kib = ret < 0 ? 0 : (uint32_t)kib;
		return ret;
	}
	if (jsonx_type(&value) == JSONX_TEXT && jsonx_as_text(&value, &text, err) == 0) {
		if (strcmp(text, "keep") == 0)
			return 0;
		volume->read_ahead = CONFIG_READ_AHEAD_AUTO;
		if (strcmp(text, "auto") == 0)
			return 0;
	}
	return jsonx_error(&value, err, "expected \"keep\", \"auto\" or a number from 0 to %u", READAHEAD_MAX_KIB);
}

static int read_hydrate(const struct jsonx *object, struct config_volume *volume, struct err *err)
{
	static const char *const keys[] = { "hot-deadline-seconds", NULL };
	struct jsonx value;
	const char *text;
	int ret;

	if (!jsonx_member(object, "hydrate", &value))
		return 0;
	if (jsonx_type(&value) == JSONX_OBJECT) {
		volume->hydrate = CONFIG_HYDRATE_BACKGROUND;
		if (config_fields_check_keys(&value, keys, err) < 0)
			return -err->code;
		ret = config_fields_u32(&value, "hot-deadline-seconds", 1, HOT_DEADLINE_MAX_S, &volume->hot_deadline_s,
					err);
		if (ret == 0)
			return jsonx_missing(&value, "hot-deadline-seconds", "a number of seconds", err);
		return ret < 0 ? ret : 0;
	}
	if (jsonx_type(&value) == JSONX_TEXT && jsonx_as_text(&value, &text, err) == 0) {
		if (strcmp(text, "off") == 0)
			return 0;
		volume->hydrate = CONFIG_HYDRATE_BACKGROUND;
		if (strcmp(text, "background") == 0)
			return 0;
	}
	return jsonx_error(&value, err, "expected \"off\", \"background\" or {\"hot-deadline-seconds\": N}");
}

/* Told by the path, unless the configuration says so itself. */
static bool holds_store(const struct config_volume *volume)
{
	if (volume->mount)
		return store_kind_of(volume->mount) == STORE_CONTAINERD;
	for (size_t i = 0; i < volume->directory_count; i++)
		if (store_kind_of(volume->directories[i].path) == STORE_CONTAINERD)
			return true;
	return false;
}

static int read_failure(const struct jsonx *object, struct config_volume *volume, struct err *err)
{
	static const char *const words[] = { "stop", "continue", NULL };
	size_t choice;

	volume->is_store = holds_store(volume);
	if (jsonx_bool(object, "containerd-store", &volume->is_store, err) < 0)
		return -err->code;
	/* A cache of images must never keep a node from joining; everything else was asked for because it is needed. */
	choice = volume->is_store ? 1 : 0;
	if (jsonx_choice(object, "on-failure", words, &choice, err) < 0)
		return -err->code;
	volume->on_failure = choice ? CONFIG_CONTINUE : CONFIG_STOP;
	return 0;
}

static int read_volume(const struct jsonx *object, struct config_volume *volume, struct err *err)
{
	static const char *const keys[] = {
		"name",       "source", "filesystem", "label",          "mount",   "directories",  "options",
		"owner",      "mode",   "grow",       "read-ahead-kib", "hydrate", "accept-noise", "containerd-store",
		"on-failure", NULL
	};

	volume->grow = true;
	if (config_fields_check_keys(object, keys, err) < 0 || read_name(object, volume, err) < 0 ||
	    config_source_read(object, &volume->source, err) < 0 || read_filesystem(object, volume, err) < 0 ||
	    read_places(object, volume, err) < 0 ||
	    config_fields_text(object, "options", OPTIONS_MAX_BYTES, &volume->options, err) < 0 ||
	    read_root_attributes(object, volume, err) < 0 || jsonx_bool(object, "grow", &volume->grow, err) < 0 ||
	    read_read_ahead(object, volume, err) < 0 || read_hydrate(object, volume, err) < 0 ||
	    jsonx_bool(object, "accept-noise", &volume->accept_noise, err) < 0)
		return -err->code;
	return read_failure(object, volume, err);
}

static int read_volumes(const struct jsonx *document, struct config *out, struct err *err)
{
	struct jsonx volumes;
	struct jsonx object;
	size_t count;
	int ret = jsonx_array(document, "volumes", &volumes, err);

	if (ret == 0)
		return jsonx_missing(document, "volumes", "an array of volumes", err);
	if (ret < 0)
		return ret;
	count = jsonx_count(&volumes);
	if (!count || count > CONFIG_VOLUMES_MAX)
		return jsonx_error(&volumes, err, "expected 1 to %d volumes", CONFIG_VOLUMES_MAX);
	out->volumes = calloc(count, sizeof(*out->volumes));
	if (!out->volumes)
		return err_sys(err, ENOMEM, "make room for %zu volumes", count);
	for (size_t i = 0; i < count; i++) {
		jsonx_element(&volumes, i, &object);
		out->volume_count++;
		ret = read_volume(&object, &out->volumes[i], err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_document(const struct jsonx *document, struct config *out, struct err *err)
{
	static const char *const keys[] = { "version", "volumes", "ebs-optimized", NULL };
	static const char *const optimized[] = { "off", "warn", NULL };
	uint64_t version = 0;
	size_t choice = 0;
	int ret = config_fields_check_keys(document, keys, err);

	if (ret == 0)
		ret = jsonx_u64(document, "version", 0, UINT32_MAX, &version, err);
	if (ret == 0)
		return jsonx_missing(document, "version", "1", err);
	if (ret > 0 && version != 1)
		return jsonx_error(document, err, "version: this program reads version 1, not %llu",
				   (unsigned long long)version);
	if (ret < 0 || jsonx_choice(document, "ebs-optimized", optimized, &choice, err) < 0 ||
	    read_volumes(document, out, err) < 0)
		return -err->code;
	out->warn_optimized = choice == 1;
	return config_conflicts_check(out, err);
}

int config_parse(const char *text, size_t length, const char *origin, struct config *out, struct err *err)
{
	struct jsonx document CLEANUP_JSONX = { 0 };
	struct config config = { 0 };
	int ret = jsonx_parse(text, length, &document, err);

	if (ret == 0)
		ret = read_document(&document, &config, err);
	if (ret < 0) {
		config_done(&config);
		return err_wrap(err, "%s", origin);
	}
	*out = config;
	return 0;
}

int config_load(const char *path, struct config *out, struct err *err)
{
	struct buf text CLEANUP_BUF = BUF_INIT(CONFIG_BYTES_MAX);
	int ret;

	ret = file_read(path, &text, err);
	if (ret == -ENOENT)
		return err_absent(err, "%s does not exist", path);
	return ret < 0 ? ret : config_parse(text.data, text.length, path, out, err);
}

static void free_volume(struct config_volume *volume)
{
	free(volume->name);
	config_source_done(&volume->source);
	free(volume->filesystem);
	free(volume->label);
	free(volume->mount);
	for (size_t i = 0; i < volume->directory_count; i++) {
		free(volume->directories[i].name);
		free(volume->directories[i].path);
	}
	free(volume->options);
}

void config_done(struct config *config)
{
	for (size_t i = 0; i < config->volume_count; i++)
		free_volume(&config->volumes[i]);
	free(config->volumes);
	*config = (struct config){ 0 };
}
