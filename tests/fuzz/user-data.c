/* SPDX-License-Identifier: Apache-2.0 */
/* User-data: MIME, base64 and gzip around whatever somebody put there. */
#include "al2023/user-data.h"

#include "tests/fuzz/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out CLEANUP_BUF = BUF_INIT(1 << 20);
	struct err err = { 0 };
	int ret;

	ret = user_data_find_config((const char *)data, size, &out, &err);
	REPLAY_CHECK(ret <= 1);
	REPLAY_CHECK(ret >= 0 || err.message[0]);
	REPLAY_CHECK(ret == 1 || out.length == 0 || ret < 0);
	return 0;
}
