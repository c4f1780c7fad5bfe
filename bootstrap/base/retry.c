/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/retry.h"

#include <errno.h>
#include <sys/random.h>

/* A number from 0 to @limit, both included. */
static int draw(int limit)
{
	uint32_t random = 0;

	/* Without entropy at early boot every node would draw 0: the time's low bits are better than that. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		random = (uint32_t)deadline_now_ms() * 2654435761U;
	return (int)(random % ((uint32_t)limit + 1));
}

static int bound_ms(const struct retry *retry)
{
	int bound = retry->base_ms;

	for (unsigned int i = 0; i < retry->tries && bound < retry->cap_ms; i++)
		bound *= 2;
	return bound < retry->cap_ms ? bound : retry->cap_ms;
}

int retry_pause(struct retry *retry, int at_least_ms, struct err *err)
{
	int pause = draw(bound_ms(retry));

	if (pause < at_least_ms)
		pause = at_least_ms;
	retry->tries++;
	if (pause >= deadline_left_ms(retry->deadline)) {
		err_wrap(err, "gave up after %u %s at the deadline", retry->tries, retry->tries == 1 ? "try" : "tries");
		err->code = ETIMEDOUT;
		err->status = ERR_RETRY;
		return -ETIMEDOUT;
	}
	deadline_sleep_ms(retry->deadline, pause);
	return 0;
}
