/* SPDX-License-Identifier: Apache-2.0 */
/* The first kilobyte of a disk: is it our mark of a format that has begun? */
#include "bootstrap/disk/marker.h"

#include "tests/fuzz/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t block[MARKER_BYTES] = { 0 };
	uint8_t again[MARKER_BYTES];
	struct marker marker;
	struct marker reread;
	struct err err = { 0 };

	memcpy(block, data, size < sizeof(block) ? size : sizeof(block));
	if (!marker_decode(block, &marker))
		return 0;
	REPLAY_CHECK(memchr(marker.filesystem, '\0', sizeof(marker.filesystem)));
	REPLAY_CHECK(memchr(marker.identity, '\0', sizeof(marker.identity)));
	/* What is taken for a mark is one that this program writes and reads again. */
	REPLAY_CHECK(marker_encode(&marker, again, &err) == 0);
	REPLAY_CHECK(marker_decode(again, &reread));
	REPLAY_CHECK(strcmp(marker.filesystem, reread.filesystem) == 0 && marker.size_bytes == reread.size_bytes);
	REPLAY_CHECK(strcmp(marker.identity, reread.identity) == 0);
	REPLAY_CHECK(memcmp(marker.uuid, reread.uuid, sizeof(marker.uuid)) == 0);
	return 0;
}
