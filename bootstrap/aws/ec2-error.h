/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: what EC2 says when it does not do what was asked
 *
 * Codes are those of the Amazon EC2 API Reference, "Error codes for the Amazon EC2 API", and of the AWS SDKs' retry
 * tables (botocore, retries/standard.py).
 */
#ifndef NODEVOL_AWS_EC2_ERROR_H
#define NODEVOL_AWS_EC2_ERROR_H

#include <stddef.h>

#include "bootstrap/base/err.h"

/**
 * enum ec2_error_class - what is to be done about an error
 * @EC2_ERROR_NONE: there was none
 * @EC2_ERROR_FATAL: nothing
 * @EC2_ERROR_DENIED: nothing, and it is about permissions
 * @EC2_ERROR_THROTTLED: try again, slowly
 * @EC2_ERROR_TRANSIENT: try again
 * @EC2_ERROR_CLOCK: correct the clock or the credentials, sign again, once
 * @EC2_ERROR_STATE: look at the state of the thing, then perhaps try again
 * @EC2_ERROR_NOT_FOUND: it does not exist, or EC2 has not yet heard of it
 * @EC2_ERROR_NAME_TAKEN: take another device name
 * @EC2_ERROR_TOKEN_USED: the client token belongs to a request with other parameters
 */
enum ec2_error_class {
	EC2_ERROR_NONE,
	EC2_ERROR_FATAL,
	EC2_ERROR_DENIED,
	EC2_ERROR_THROTTLED,
	EC2_ERROR_TRANSIENT,
	EC2_ERROR_CLOCK,
	EC2_ERROR_STATE,
	EC2_ERROR_NOT_FOUND,
	EC2_ERROR_NAME_TAKEN,
	EC2_ERROR_TOKEN_USED,
};

/**
 * struct ec2_error - one answer that is an error
 * @class: see above
 * @code: "InvalidVolume.NotFound"
 * @message: EC2's own words
 */
struct ec2_error {
	enum ec2_error_class class;
	char code[96];
	char message[512];
};

/**
 * ec2_error_read - read the body of an answer whose HTTP status is not 200
 * @status: the HTTP status
 * @body: may be XML in EC2's shape, HTML from something on the way, or empty
 * @length: its size
 * @out: always filled
 */
void ec2_error_read(int status, const char *body, size_t length, struct ec2_error *out);

/* As a struct err, whose code and exit status follow the class. Return: a negative errno value. */
int ec2_error_report(const struct ec2_error *error, const char *action, struct err *err);

#endif
