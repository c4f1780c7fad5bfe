/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: AWS signature version 4
 *
 * After the IAM User Guide, "Create a signed AWS API request", for services other than S3: the path is encoded once
 * more than on the wire and has its dot segments removed. libcurl signs too, but no version from 7.88 to 8.17 signs
 * everything that EC2 and EBS need, and its date is the local clock's.
 */
#ifndef NODEVOL_AWS_SIGV4_H
#define NODEVOL_AWS_SIGV4_H

#include <stddef.h>
#include <time.h>

#include "bootstrap/aws/credentials.h"
#include "bootstrap/aws/timestamp.h"
#include "bootstrap/base/buf.h"
#include "bootstrap/base/err.h"

#define SIGV4_HEADERS_MAX 32

struct sigv4_header {
	const char *name;
	const char *value;
};

/**
 * struct sigv4_request - what is signed
 * @method: "POST"
 * @host: as in the Host header, with a port that is not the scheme's own; lower case
 * @path: as on the wire, "" or NULL for "/"
 * @query: as on the wire without "?", encoded by sigv4_encode(); NULL or "" for none
 * @headers: those to sign besides Host, X-Amz-Date and X-Amz-Security-Token. A name may be repeated; some are left out
 *	     because proxies and libcurl may change them (see the table in sigv4.c).
 * @header_count: at most SIGV4_HEADERS_MAX
 * @body: NULL for none
 * @body_length: its length
 * @payload_hash: in place of the body's, such as "UNSIGNED-PAYLOAD"; NULL otherwise
 */
struct sigv4_request {
	const char *method;
	const char *host;
	const char *path;
	const char *query;
	const struct sigv4_header *headers;
	size_t header_count;
	const void *body;
	size_t body_length;
	const char *payload_hash;
};

/**
 * struct sigv4_scope - who signs, when, and for what
 * @credentials: borrowed
 * @region: "us-east-1"
 * @service: "ec2"
 * @now: the server's time as far as it is known
 */
struct sigv4_scope {
	const struct credentials *credentials;
	const char *region;
	const char *service;
	time_t now;
};

/**
 * sigv4_sign - make the headers that sign a request
 * @request: what is sent
 * @scope: see above
 * @authorization: the value of the Authorization header is appended
 * @date: the value of the X-Amz-Date header
 * @err: filled on failure
 *
 * The caller sends both, and X-Amz-Security-Token: @scope->credentials->session_token where that is not empty.
 *
 * Return: 0, -E2BIG too many headers, -EMSGSIZE, -ENOMEM, -EIO.
 */
int sigv4_sign(const struct sigv4_request *request, const struct sigv4_scope *scope, struct buf *authorization,
	       char date[TIMESTAMP_BASIC_SIZE], struct err *err);

/* Appends @text with everything but A-Za-z0-9-_.~ as %XX: for queries and forms. Return: 0, -EMSGSIZE, -ENOMEM. */
int sigv4_encode(const char *text, struct buf *out);

#endif
