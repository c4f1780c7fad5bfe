/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: EC2's Query API: one signed request, tried again as its error deserves
 *
 * Throttling, server errors and broken connections are tried again under the deadline, with full jitter: repeating is
 * harmless for every request that is made through here (reads; CreateVolume has a client token; AttachVolume says
 * VolumeInUse the second time, after which the caller looks). A clock that is wrong is corrected once from the answer's
 * Date header, for signing only. Every other error is for the caller.
 */
#ifndef NODEVOL_AWS_EC2_H
#define NODEVOL_AWS_EC2_H

#include <time.h>

#include "bootstrap/aws/ec2-error.h"
#include "bootstrap/aws/ec2-form.h"
#include "bootstrap/aws/imds.h"
#include "bootstrap/aws/settings.h"
#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"
#include "bootstrap/sys/xml.h"

struct ec2;

/**
 * struct ec2_options - what a client needs; all borrowed but the deadline
 * @settings: endpoint, proxy, credentials
 * @imds: for credentials that the environment does not have
 * @region: where
 * @deadline: for everything
 */
struct ec2_options {
	const struct settings *settings;
	struct imds *imds;
	const char *region;
	struct deadline deadline;
};

/* Nothing is asked yet. Return: 0 and a client for ec2_close(), -EINVAL (ERR_USAGE) for a bad endpoint, -ENOMEM. */
int ec2_open(const struct ec2_options *options, struct ec2 **out, struct err *err);
void ec2_close(struct ec2 *ec2);

/**
 * ec2_ask - send a form, read the answer
 * @ec2: the client
 * @form: what to ask
 * @out: the answer's root element, for xml_free(); NULL where nobody wants it
 * @err: filled on failure, with the action before EC2's words
 *
 * Return: 0, or as ec2_error_report(), after which ec2_failure() says more; -EACCES also for missing credentials,
 * -ETIMEDOUT (ERR_RETRY) at the deadline, -EPROTO an answer that cannot be read, other errors of imds_get() and
 * http_perform().
 */
int ec2_ask(struct ec2 *ec2, const struct ec2_form *form, struct xml_element **out, struct err *err);

/* The error that EC2 answered to the last ec2_ask(); class EC2_ERROR_NONE when it was something else. */
const struct ec2_error *ec2_failure(const struct ec2 *ec2);

/* Requests sent so far, those that were tried again included. */
unsigned int ec2_calls(const struct ec2 *ec2);

/* The time by EC2's clock, as far as it has answered; by ours before. */
time_t ec2_now(const struct ec2 *ec2);

static inline void ec2_cleanup(struct ec2 **ec2)
{
	ec2_close(*ec2);
}

#define CLEANUP_EC2 __attribute__((cleanup(ec2_cleanup)))

#endif
