/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration: what root wrote, or what came with user-data. */
#include "ebs/config.h"

#include "tests/fuzz/replay.h"

/* What the rest of the house relies on once a configuration was taken. */
static void check_volume(const struct config_volume *volume)
{
	REPLAY_CHECK(volume->name && volume->name[0] && !strchr(volume->name, '/'));
	REPLAY_CHECK((volume->mount != NULL) != (volume->directory_count > 0));
	REPLAY_CHECK(!volume->mount || (volume->mount[0] == '/' && !strstr(volume->mount, "/../")));
	REPLAY_CHECK(volume->directory_count <= CONFIG_DIRECTORIES_MAX);
	for (size_t i = 0; i < volume->directory_count; i++) {
		REPLAY_CHECK(!strchr(volume->directories[i].name, '/'));
		REPLAY_CHECK(volume->directories[i].path[0] == '/');
	}
	REPLAY_CHECK(!volume->filesystem || strcmp(volume->filesystem, "ext4") == 0 ||
		     strcmp(volume->filesystem, "xfs") == 0);
	REPLAY_CHECK(volume->source.kind != CONFIG_DEVICE || volume->source.device[0]);
	REPLAY_CHECK(volume->source.kind != CONFIG_VOLUME_ID || volume_id_is_valid(volume->source.volume_id));
	REPLAY_CHECK(volume->source.kind != CONFIG_TAGS || volume->source.tags.count > 0);
	REPLAY_CHECK(!volume->has_mode || volume->mode <= 07777);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_CONFIG struct config config = { 0 };
	struct err err = { 0 };

	if (config_parse((const char *)data, size, "user-data", &config, &err) < 0) {
		REPLAY_CHECK(err.message[0]);
		return 0;
	}
	REPLAY_CHECK(config.volume_count > 0 && config.volume_count <= CONFIG_VOLUMES_MAX);
	for (size_t i = 0; i < config.volume_count; i++)
		check_volume(&config.volumes[i]);
	return 0;
}
