/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: retry
 *
 * Full-jitter exponential back-off under a deadline: before try i the pause is drawn evenly from 0 to
 * min(@cap_ms, @base_ms * 2^i). There is no count of tries; the deadline is the only end. The formula is the one of the
 * AWS SDKs' standard mode (botocore, retries/standard.py), which stops after three tries: too few for a boot storm.
 */
#ifndef NODEVOL_BASE_RETRY_H
#define NODEVOL_BASE_RETRY_H

#include <stdint.h>

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"

/**
 * struct retry - the state of one series of tries
 * @deadline: when to give up; borrowed
 * @base_ms: upper bound of the first pause
 * @cap_ms: upper bound of any pause
 * @tries: pauses made so far
 */
struct retry {
	const struct deadline *deadline;
	int base_ms;
	int cap_ms;
	unsigned int tries;
};

/**
 * retry_pause - wait before the next try
 * @retry: the series
 * @at_least_ms: a lower bound that the server gave, 0 for none
 * @err: the failure that makes another try necessary. It is left as it is, so that the last cause is what people read;
 *	 when the deadline passes, its status becomes ERR_RETRY and "gave up after N tries" is put before it.
 *
 * Return: 0 to try again, or -ETIMEDOUT: the pause would end after the deadline.
 */
int retry_pause(struct retry *retry, int at_least_ms, struct err *err);

#endif
