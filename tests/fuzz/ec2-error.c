/* SPDX-License-Identifier: Apache-2.0 */
/* The body of an answer that is an error, from EC2 or from what stands before it. The first byte picks the status. */
#include "bootstrap/aws/ec2-error.h"

#include "tests/fuzz/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 400, 401, 403, 404, 429, 500, 502, 503, 504 };
	struct ec2_error error;
	struct err err = { 0 };

	if (!size)
		return 0;
	ec2_error_read(statuses[data[0] % ARRAY_SIZE(statuses)], (const char *)data + 1, size - 1, &error);
	REPLAY_CHECK(error.class != EC2_ERROR_NONE);
	REPLAY_CHECK(memchr(error.code, '\0', sizeof(error.code)));
	REPLAY_CHECK(memchr(error.message, '\0', sizeof(error.message)));
	REPLAY_CHECK(ec2_error_report(&error, "DescribeVolumes", &err) < 0);
	REPLAY_CHECK(err.message[0] && err.status != ERR_DONE);
	return 0;
}
