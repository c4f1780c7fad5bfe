/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/deadline.h"

#include <limits.h>
#include <time.h>

int64_t deadline_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct deadline deadline_in_ms(int64_t milliseconds)
{
	return (struct deadline){ .at_ms = deadline_now_ms() + milliseconds };
}

int deadline_left_ms(const struct deadline *deadline)
{
	int64_t left = deadline->at_ms - deadline_now_ms();

	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

struct deadline deadline_within_ms(const struct deadline *deadline, int64_t milliseconds)
{
	struct deadline within = deadline_in_ms(milliseconds);

	return within.at_ms < deadline->at_ms ? within : *deadline;
}

void deadline_sleep_ms(const struct deadline *deadline, int milliseconds)
{
	int left = deadline_left_ms(deadline);
	int duration = milliseconds < left ? milliseconds : left;
	struct timespec pause = { .tv_sec = duration / 1000, .tv_nsec = (long)(duration % 1000) * 1000000 };

	/* A signal that the process survives may cut a pause short: callers look at their condition again anyway. */
	nanosleep(&pause, NULL);
}
