/* SPDX-License-Identifier: Apache-2.0 */
/* A point in time, as EC2 writes it in an answer and HTTP in a Date header. */
#include "bootstrap/aws/timestamp.h"

#include "tests/fuzz/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = replay_text(data, size);
	char basic[TIMESTAMP_BASIC_SIZE];
	time_t when;

	if (!text)
		return 0;
	if (timestamp_parse(text, &when) == 0) {
		timestamp_basic(when, basic);
		REPLAY_CHECK(memchr(basic, '\0', sizeof(basic)));
	}
	if (timestamp_parse_http(text, &when) == 0)
		REPLAY_CHECK(strchr(text, ','));
	return 0;
}
