/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: deadlines
 *
 * One point in time by which a binary has to be done, on CLOCK_BOOTTIME: a clock that nobody sets, and that counts
 * while the machine sleeps. Every wait takes one; a timeout of a single step is the smaller of its own and this.
 */
#ifndef NODEVOL_BASE_DEADLINE_H
#define NODEVOL_BASE_DEADLINE_H

#include <stdint.h>

struct deadline {
	int64_t at_ms;
};

/* Milliseconds of CLOCK_BOOTTIME. */
int64_t deadline_now_ms(void);

/* The point @milliseconds from now. */
struct deadline deadline_in_ms(int64_t milliseconds);

/* What is left, 0 when it has passed, at most INT_MAX: fit for poll(). */
int deadline_left_ms(const struct deadline *deadline);

/* The earlier of @deadline and @milliseconds from now. */
struct deadline deadline_within_ms(const struct deadline *deadline, int64_t milliseconds);

/* Sleeps for @milliseconds, cut short at @deadline. */
void deadline_sleep_ms(const struct deadline *deadline, int milliseconds);

#endif
