/* SPDX-License-Identifier: Apache-2.0 */
/* A piece of a disk: superblocks, headers and tables in it, what libblkid may have taken it for, and is it noise? */
#include "bootstrap/disk/describe.h"
#include "bootstrap/disk/noise.h"
#include "bootstrap/disk/phantom.h"

#include "tests/fuzz/replay.h"

static void look_for_phantoms(const uint8_t *data, size_t size)
{
	static const char *const types[] = { "ext4", "jbd", "hfs", "hfsplus", "jmicron_raid_member", "atari", "nilfs2" };
	uint8_t block[PHANTOM_BYTES] = { 0 };

	memcpy(block, data, size < sizeof(block) ? size : sizeof(block));
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct hit hit = { .magic_bytes = 2, .bad_checksum = true };

		snprintf(hit.type, sizeof(hit.type), "%s", types[i]);
		phantom_suspected(&hit, block, (uint64_t)size << 20);
		phantom_offset(&hit);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE uint8_t *copy = malloc(size ? size : 1);
	CLEANUP_FREE struct noise *noise = calloc(1, sizeof(*noise));
	struct signature found;
	char text[DESCRIBE_MAX];

	if (!copy || !noise)
		abort();
	/* Of exactly this size, so that a read behind its end is seen. */
	memcpy(copy, data, size);
	if (signature_find(copy, size, 4096, &found)) {
		REPLAY_CHECK(found.offset >= 4096 && found.offset < 4096 + size);
		REPLAY_CHECK(memchr(found.label, '\0', sizeof(found.label)) && memchr(found.uuid, '\0', sizeof(found.uuid)));
		describe_signature(&found, 1 << 30, text);
		for (const char *at = text; *at; at++)
			REPLAY_CHECK((unsigned char)*at >= ' ' && *at != 0x7f);
		/* What has a structure is not noise. */
		REPLAY_CHECK(size < 4096 || noise_judge(copy, size) != NOISE_ZERO);
	}
	noise_judge(copy, size);
	noise_add(noise, copy, size);
	noise_is_random(noise);
	noise_is_lzma(copy, size);
	look_for_phantoms(data, size);
	return 0;
}
