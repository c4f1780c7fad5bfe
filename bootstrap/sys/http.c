/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bootstrap/base/cleanup.h"

/**
 * struct http - a libcurl handle
 * @curl: the handle
 * @https_proxy: "" for none
 * @no_proxy: "" for none
 * @ca_bundle: NULL for the system's
 * @response: of the request that is under way
 * @body_failure: 0, or why the body could not be stored
 * @message: libcurl's
 */
struct http {
	CURL *curl;
	char *https_proxy;
	char *no_proxy;
	char *ca_bundle;
	struct http_response *response;
	int body_failure;
	char message[CURL_ERROR_SIZE];
};

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct http *http = user;

	http->body_failure = buf_add(http->response->body, data, size * count);
	return http->body_failure < 0 ? 0 : size * count;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void keep_header(struct http_header *header, const char *line, size_t length)
{
	size_t name_length = strlen(header->name);
	const char *value = line + name_length + 1;
	const char *end = line + length;

	if (length <= name_length || line[name_length] != ':' || strncasecmp(line, header->name, name_length) != 0)
		return;
	while (value < end && is_blank(*value))
		value++;
	while (end > value && is_blank(end[-1]))
		end--;
	if ((size_t)(end - value) < sizeof(header->value))
		snprintf(header->value, sizeof(header->value), "%.*s", (int)(end - value), value);
}

static size_t on_header(char *line, size_t size, size_t count, void *user)
{
	struct http *http = user;

	for (size_t i = 0; i < http->response->header_count; i++)
		keep_header(&http->response->headers[i], line, size * count);
	return size * count;
}

static int copy_option(const char *value, const char *otherwise, char **out)
{
	const char *text = value && *value ? value : otherwise;

	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

int http_open(const struct http_options *options, struct http **out, struct err *err)
{
	CLEANUP_HTTP struct http *http = calloc(1, sizeof(*http));

	if (!http || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_sys(err, ENOMEM, "start libcurl");
	http->curl = curl_easy_init();
	if (!http->curl || copy_option(options->https_proxy, "", &http->https_proxy) < 0 ||
	    copy_option(options->no_proxy, "", &http->no_proxy) < 0 ||
	    copy_option(options->ca_bundle, NULL, &http->ca_bundle) < 0)
		return err_sys(err, ENOMEM, "start libcurl");
	*out = TAKE_PTR(http);
	return 0;
}

void http_close(struct http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->curl);
	free(http->https_proxy);
	free(http->no_proxy);
	free(http->ca_bundle);
	free(http);
	curl_global_cleanup();
}

/* CURLOPT_PROTOCOLS_STR came with 7.85.0; the older option is marked as deprecated by newer headers. */
static CURLcode set_protocols(CURL *curl)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

/*
 * An empty CURLOPT_PROXY or CURLOPT_NOPROXY also keeps libcurl from looking into the environment. Without
 * CURLOPT_CAPATH it can keep the parsed certificates between requests (libcurl, CURLOPT_CA_CACHE_TIMEOUT).
 */
static CURLcode set_policy(struct http *http, const struct http_request *request)
{
	CURL *curl = http->curl;
	bool is_https = strncasecmp(request->url, "https:", 6) == 0;
	CURLcode code = set_protocols(curl);

#define SET(option, value)                                            \
	do {                                                          \
		if (code == CURLE_OK)                                 \
			code = curl_easy_setopt(curl, option, value); \
	} while (0)
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, is_https ? http->https_proxy : "");
	SET(CURLOPT_NOPROXY, http->no_proxy);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_CAPATH, NULL);
	if (http->ca_bundle)
		SET(CURLOPT_CAINFO, http->ca_bundle);
	SET(CURLOPT_ERRORBUFFER, http->message);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, http);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, http);
	return code;
}

static CURLcode set_request(struct http *http, const struct http_request *request, struct curl_slist *headers)
{
	CURL *curl = http->curl;
	CURLcode code = CURLE_OK;
	int connect_ms = request->connect_ms < request->total_ms ? request->connect_ms : request->total_ms;

	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	SET(CURLOPT_TIMEOUT_MS, (long)request->total_ms);
	SET(CURLOPT_HTTPHEADER, headers);
	if (strcmp(request->method, "GET") != 0) {
		SET(CURLOPT_POSTFIELDS, request->body ? request->body : "");
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(request->body ? request->body_length : 0));
		SET(CURLOPT_CUSTOMREQUEST, request->method);
	}
#undef SET
	return code;
}

static void free_headers(struct curl_slist **headers)
{
	for (struct curl_slist *header = *headers; header; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(*headers);
}

/* "Expect:" keeps libcurl from waiting for a 100, "Content-Type:" from naming one that was not asked for and signed. */
static int make_headers(const struct http_request *request, struct curl_slist **out)
{
	CLEANUP(free_headers) struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	bool has_type = strcmp(request->method, "GET") == 0;

	for (size_t i = 0; list && request->headers && request->headers[i]; i++) {
		struct curl_slist *longer = curl_slist_append(list, request->headers[i]);

		if (!longer)
			return -ENOMEM;
		list = longer;
		has_type = has_type || strncasecmp(request->headers[i], "Content-Type:", 13) == 0;
	}
	if (!list || (!has_type && !curl_slist_append(list, "Content-Type:")))
		return -ENOMEM;
	*out = TAKE_PTR(list);
	return 0;
}

static int fail(const struct http *http, const struct http_request *request, CURLcode code, struct err *err)
{
	const char *reason = http->message[0] ? http->message : curl_easy_strerror(code);
	int length = (int)strcspn(request->url, "?");

	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, ETIMEDOUT, "%s %.*s: %s", request->method, length, request->url, reason);
	case CURLE_URL_MALFORMAT:
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(err, EINVAL, "%s %.*s: %s", request->method, length, request->url, reason);
	case CURLE_UNSUPPORTED_PROTOCOL: /* what answers does not begin with HTTP/1 */
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return err_set(err, EPROTO, "%s %.*s: %s", request->method, length, request->url, reason);
	case CURLE_OUT_OF_MEMORY:
		return err_sys(err, ENOMEM, "%s %.*s", request->method, length, request->url);
	case CURLE_WRITE_ERROR:
		if (http->body_failure == -EMSGSIZE)
			return err_set(err, EMSGSIZE, "%s %.*s: the answer is larger than %zu bytes", request->method,
				       length, request->url, http->response->body->max);
		return err_sys(err, ENOMEM, "%s %.*s", request->method, length, request->url);
	default:
		return err_again(err, "%s %.*s: %s", request->method, length, request->url, reason);
	}
}

static bool is_plain(const char *text)
{
	return !strpbrk(text, "\r\n");
}

/* A line break in what we send would be a header of somebody else's making. */
static int check_request(const struct http_request *request, struct err *err)
{
	bool plain = is_plain(request->url);

	if (strncasecmp(request->url, "http://", 7) != 0 && strncasecmp(request->url, "https://", 8) != 0)
		return err_set(err, EINVAL, "'%.200s' is no URL with http or https", request->url);
	for (size_t i = 0; request->headers && request->headers[i]; i++)
		plain = plain && is_plain(request->headers[i]);
	if (!plain)
		return err_set(err, EINVAL, "%s %.*s: a line break in a header or in the URL", request->method,
			       (int)strcspn(request->url, "?\r\n"), request->url);
	return 0;
}

int http_perform(struct http *http, const struct http_request *request, struct http_response *response,
		 struct err *err)
{
	CLEANUP(free_headers) struct curl_slist *headers = NULL;
	CURLcode code;
	long status = 0;
	int ret = 0;

	if (check_request(request, err) < 0)
		return -EINVAL;
	if (make_headers(request, &headers) < 0)
		return err_sys(err, ENOMEM, "%s", request->method);
	buf_clear(response->body);
	for (size_t i = 0; i < response->header_count; i++)
		response->headers[i].value[0] = '\0';
	http->response = response;
	http->body_failure = 0;
	http->message[0] = '\0';
	curl_easy_reset(http->curl);
	code = set_policy(http, request);
	if (code == CURLE_OK)
		code = set_request(http, request, headers);
	if (code == CURLE_OK)
		code = curl_easy_perform(http->curl);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
	/* The handle is used again: it must not keep what is about to be wiped. */
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
	if (code == CURLE_OK)
		response->status = (int)status;
	else
		ret = fail(http, request, code, err);
	http->response = NULL;
	return ret;
}
