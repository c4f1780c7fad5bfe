/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the door to libcurl: one request, one answer, both bounded
 *
 * Every transfer has a time limit and every answer a size limit. http and https only, no redirects, no .netrc, no
 * cookies, and nothing is taken from the environment: proxy and certificates come in by argument. One handle keeps its
 * connection for the next request to the same place.
 */
#ifndef NODEVOL_SYS_HTTP_H
#define NODEVOL_SYS_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/err.h"

#define HTTP_HEADER_VALUE_MAX 160

/**
 * struct http_options - what holds for all requests of a handle
 * @ca_bundle: file with the certificates to trust, NULL for the system's
 * @https_proxy: proxy for https URLs, NULL for none; http URLs never go through a proxy
 * @no_proxy: hosts that are reached without it, as in NO_PROXY; NULL for none
 */
struct http_options {
	const char *ca_bundle;
	const char *https_proxy;
	const char *no_proxy;
};

/**
 * struct http_header - a header of the answer that is asked for
 * @name: set by the caller, any case
 * @value: its last value, "" when it did not come or is longer than this
 */
struct http_header {
	const char *name;
	char value[HTTP_HEADER_VALUE_MAX];
};

/**
 * struct http_request - one request
 * @method: "GET", "PUT" or "POST"
 * @url: whole, sent as it is: no dot segments are removed and nothing is encoded
 * @headers: "Name: value" each, NULL at the end; NULL for none. Copied, and the copy is wiped.
 * @body: for PUT and POST, may be NULL
 * @body_length: its length
 * @connect_ms: limit for name, connection and TLS
 * @total_ms: limit for all of it; above 0
 */
struct http_request {
	const char *method;
	const char *url;
	const char *const *headers;
	const void *body;
	size_t body_length;
	int connect_ms;
	int total_ms;
};

/**
 * struct http_response - one answer
 * @status: the HTTP status
 * @body: initialised by the caller with the size limit; cleared, then filled
 * @headers: wanted headers, may be NULL
 * @header_count: how many
 */
struct http_response {
	int status;
	struct buf *body;
	struct http_header *headers;
	size_t header_count;
};

struct http;

/* Return: 0 and a handle that is given back with http_close(), or -ENOMEM. */
int http_open(const struct http_options *options, struct http **out, struct err *err);
void http_close(struct http *http);

/**
 * http_perform - send a request, wait for the whole answer
 * @http: the handle
 * @request: what to send
 * @response: filled on success, whatever the status is
 * @err: names method and URL up to its query
 *
 * Return: 0, or -ETIMEDOUT no answer in time, -EAGAIN the connection failed or broke (both ERR_RETRY); -EMSGSIZE the
 * answer is larger than allowed, -EPROTO TLS or HTTP is wrong there, -EINVAL (ERR_USAGE) no such URL can be, -ENOMEM.
 */
int http_perform(struct http *http, const struct http_request *request, struct http_response *response,
		 struct err *err);

static inline void http_cleanup(struct http **http)
{
	http_close(*http);
}

#define CLEANUP_HTTP __attribute__((cleanup(http_cleanup)))

#endif
