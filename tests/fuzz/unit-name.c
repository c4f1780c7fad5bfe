/* SPDX-License-Identifier: Apache-2.0 */
/* A mount point, turned into systemd's name for its unit. */
#include "bootstrap/node/unit.h"

#include "tests/fuzz/replay.h"

static const char unit_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.\\:";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *path = replay_text(data, size);
	struct err err = { 0 };
	char name[256];

	if (!path)
		return 0;
	if (unit_name(path, ".mount", name, sizeof(name), &err) < 0) {
		REPLAY_CHECK(err.message[0]);
		return 0;
	}
	/* It becomes a file's name in systemd's folder: no way out of there, and no byte that systemd does not take. */
	REPLAY_CHECK(strlen(name) > strlen(".mount"));
	REPLAY_CHECK(strcmp(name + strlen(name) - strlen(".mount"), ".mount") == 0);
	REPLAY_CHECK(name[0] != '.');
	REPLAY_CHECK(!name[strspn(name, unit_bytes)]);
	return 0;
}
