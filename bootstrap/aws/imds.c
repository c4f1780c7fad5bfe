/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/imds.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "bootstrap/aws/timestamp.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/log.h"
#include "bootstrap/base/retry.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/sys/http.h"
#include "bootstrap/sys/jsonx.h"

#define ENDPOINT_IPV4	  "http://169.254.169.254"
#define ENDPOINT_IPV6	  "http://[fd00:ec2::254]"
#define TOKEN_MAX	  512
#define TOKEN_TTL_S	  "21600" /* the longest there is */
#define PATH_LENGTH_MAX	  512
#define FIRST_TIMEOUT_MS  1000
#define LAST_TIMEOUT_MS	  5000
#define RETRY_BASE_MS	  100
#define RETRY_CAP_MS	  2000
#define LAST_WORDS_MS	  200 /* kept back, so that it is us who say what did not answer */

/**
 * struct item - something that was asked for
 * @next: the one that was asked for before it
 * @result: 0 or -ENOENT
 * @body: its content
 * @path: under /latest/
 */
struct item {
	struct item *next;
	int result;
	struct buf body;
	char path[];
};

/**
 * struct imds - a client
 * @settings: borrowed
 * @deadline: for everything
 * @http: its connection
 * @endpoint: where the token came from, NULL before
 * @token: "" for none
 * @items: what was asked for already
 */
struct imds {
	const struct settings *settings;
	struct deadline deadline;
	struct http *http;
	const char *endpoint;
	char token[TOKEN_MAX];
	struct item *items;
};

int imds_open(const struct settings *settings, const struct deadline *deadline, struct imds **out, struct err *err)
{
	CLEANUP_IMDS struct imds *imds = calloc(1, sizeof(*imds));
	struct http_options options = { 0 };
	int ret;

	if (!imds)
		return err_sys(err, ENOMEM, "open IMDS");
	imds->settings = settings;
	imds->deadline = *deadline;
	imds->deadline.at_ms -= LAST_WORDS_MS;
	ret = http_open(&options, &imds->http, err);
	if (ret < 0)
		return ret;
	*out = TAKE_PTR(imds);
	return 0;
}

void imds_close(struct imds *imds)
{
	if (!imds)
		return;
	while (imds->items) {
		struct item *item = imds->items;

		imds->items = item->next;
		buf_done(&item->body);
		free(item);
	}
	http_close(imds->http);
	explicit_bzero(imds->token, sizeof(imds->token));
	free(imds);
}

static int timeout_ms(const struct imds *imds, unsigned int tries)
{
	int left = deadline_left_ms(&imds->deadline);
	int timeout = tries < 3 ? FIRST_TIMEOUT_MS << tries : LAST_TIMEOUT_MS;

	if (timeout > left)
		timeout = left;
	return timeout > 0 ? timeout : 1;
}

/* A container's root is an overlay as a rule; only a hint hangs on it. */
static bool is_container(void)
{
	struct statfs info;

	return statfs("/", &info) == 0 && info.f_type == OVERLAYFS_SUPER_MAGIC;
}

/*
 * What a status other than 200 means. -EAGAIN: try again; the rest is what imds_get() returns. The table is the one of
 * the EC2 User Guide, "Use the Instance Metadata Service", response codes.
 */
static int judge_status(int status, const char *what, struct err *err)
{
	switch (status) {
	case 403:
		return err_set(err, EACCES, "IMDS refuses %s (403): it is disabled for this instance", what);
	case 404:
		return err_absent(err, "IMDS has no %s here", what);
	case 429:
		return err_again(err, "IMDS answered 429 to %s: too many requests", what);
	default:
		if (status >= 500)
			return err_again(err, "IMDS answered %d to %s", status, what);
		return err_set(err, EPROTO, "IMDS answered %d to %s", status, what);
	}
}

static int put_token(struct imds *imds, const char *endpoint, int timeout, struct err *err)
{
	static const char *const headers[] = { "X-aws-ec2-metadata-token-ttl-seconds: " TOKEN_TTL_S, NULL };
	struct buf body CLEANUP_WIPE = BUF_INIT(TOKEN_MAX - 1);
	struct http_response response = { .body = &body };
	char url[SETTINGS_URL_MAX + 32];
	struct http_request request = { .method = "PUT", .url = url, .headers = headers, .connect_ms = timeout,
					.total_ms = timeout };
	int ret;

	snprintf(url, sizeof(url), "%s/latest/api/token", endpoint);
	ret = http_perform(imds->http, &request, &response, err);
	if (ret == -ETIMEDOUT && is_container())
		err_wrap(err, "a container with a network of its own needs a metadata hop limit of 2 on the instance");
	if (ret < 0)
		return ret;
	if (response.status != 200) {
		ret = judge_status(response.status, "the token", err);
		/* Where a token is nowhere to be had there is no IMDSv2. */
		return ret == -ENOENT ? err_set(err, EPROTO, "%s is no IMDSv2: no token (404)", endpoint) : ret;
	}
	if (!body.length || strlen(body.data) != body.length || strpbrk(body.data, "\r\n"))
		return err_again(err, "IMDS gave an unusable token");
	memcpy(imds->token, body.data, body.length + 1);
	imds->endpoint = endpoint;
	return 0;
}

static bool is_transient(int ret)
{
	return ret == -EAGAIN || ret == -ETIMEDOUT;
}

/* Where to try, in this order. */
static size_t list_endpoints(const struct imds *imds, const char *out[2])
{
	const struct settings *settings = imds->settings;

	if (settings->imds_endpoint[0]) {
		out[0] = settings->imds_endpoint;
		return 1;
	}
	out[0] = settings->imds_ipv6 ? ENDPOINT_IPV6 : ENDPOINT_IPV4;
	out[1] = ENDPOINT_IPV6;
	return settings->imds_ipv6 || settings->imds_ipv4 ? 1 : 2;
}

static int get_token(struct imds *imds, struct err *err)
{
	struct retry retry = { .deadline = &imds->deadline, .base_ms = RETRY_BASE_MS, .cap_ms = RETRY_CAP_MS };
	const char *endpoints[2];
	size_t count = list_endpoints(imds, endpoints);

	if (imds->settings->imds_disabled)
		return err_set(err, EACCES, "IMDS is disabled by AWS_EC2_METADATA_DISABLED=true in the environment");
	for (;;) {
		int timeout = timeout_ms(imds, retry.tries);
		struct err second;
		int ret = put_token(imds, endpoints[0], timeout, err);

		/* Of two addresses that do not answer people want to read about the first. */
		if (is_transient(ret) && count > 1) {
			int other = put_token(imds, endpoints[1], timeout, &second);

			if (!is_transient(other)) {
				if (other < 0)
					*err = second;
				return other;
			}
		}
		if (!is_transient(ret))
			return ret;
		log_detail("%s", err->message);
		ret = retry_pause(&retry, 0, err);
		if (ret < 0)
			return err_wrap(err, "IMDS (the instance metadata service) does not answer");
	}
}

static int get_once(struct imds *imds, const char *path, int timeout, struct buf *body, struct err *err)
{
	char header[TOKEN_MAX + 32];
	const char *const headers[] = { header, NULL };
	char url[SETTINGS_URL_MAX + PATH_LENGTH_MAX + 16];
	struct http_response response = { .body = body };
	struct http_request request = { .method = "GET", .url = url, .headers = headers, .connect_ms = timeout,
					.total_ms = timeout };
	int ret;

	snprintf(header, sizeof(header), "X-aws-ec2-metadata-token: %s", imds->token);
	snprintf(url, sizeof(url), "%s/latest/%s", imds->endpoint, path);
	ret = http_perform(imds->http, &request, &response, err);
	explicit_bzero(header, sizeof(header));
	if (ret == 0 && response.status == 401) {
		imds->token[0] = '\0';
		return err_set(err, EKEYEXPIRED, "IMDS does not take its own new token for %s (401)", path);
	}
	if (ret == 0 && response.status != 200)
		return judge_status(response.status, path, err);
	return ret;
}

/* One item, past the memory. */
static int ask(struct imds *imds, const char *path, struct buf *body, struct err *err)
{
	struct retry retry = { .deadline = &imds->deadline, .base_ms = RETRY_BASE_MS, .cap_ms = RETRY_CAP_MS };
	bool renewed = false;

	supervise_stage("ask IMDS for %s", path);
	for (;;) {
		int ret = imds->token[0] ? 0 : get_token(imds, err);

		if (ret < 0)
			return ret;
		ret = get_once(imds, path, timeout_ms(imds, retry.tries), body, err);
		if (ret == -EKEYEXPIRED && !renewed) {
			renewed = true;
			continue;
		}
		if (!is_transient(ret))
			return ret;
		log_detail("%s", err->message);
		ret = retry_pause(&retry, 0, err);
		if (ret < 0)
			return err_wrap(err, "IMDS (the instance metadata service) does not answer");
	}
}

/* Path as IMDS wants it, from what people type. Return: NULL when it is none. */
static const char *clean_path(const char *path)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/+=,:@%";

	while (*path == '/')
		path++;
	if (strncmp(path, "latest/", 7) == 0)
		path += 7;
	if (!*path || strlen(path) >= PATH_LENGTH_MAX || path[strspn(path, allowed)] || strstr(path, "..") ||
	    *path == '/')
		return NULL;
	return path;
}

int imds_get_secret(struct imds *imds, const char *path, struct buf *out, struct err *err)
{
	struct buf body CLEANUP_WIPE = BUF_INIT(IMDS_BODY_MAX);
	const char *clean = clean_path(path);
	int ret;

	if (!clean)
		return err_set(err, EINVAL, "'%s' is not a path of IMDS, such as meta-data/instance-id", path);
	ret = ask(imds, clean, &body, err);
	if (ret == 0 && buf_add(out, body.data, body.length) < 0)
		return err_set(err, EMSGSIZE, "IMDS's %s is too long", clean);
	return ret;
}

static struct item *remember(struct imds *imds, const char *path, int result)
{
	size_t length = strlen(path) + 1;
	struct item *item = malloc(sizeof(*item) + length);

	if (!item)
		return NULL;
	item->next = imds->items;
	item->result = result;
	buf_init(&item->body, IMDS_BODY_MAX);
	memcpy(item->path, path, length);
	imds->items = item;
	return item;
}

static int answer(const struct item *item, struct buf *out, struct err *err)
{
	if (item->result == -ENOENT)
		return judge_status(404, item->path, err);
	if (buf_add(out, item->body.data, item->body.length) < 0)
		return err_set(err, EMSGSIZE, "IMDS's %s is too long", item->path);
	return 0;
}

int imds_get(struct imds *imds, const char *path, struct buf *out, struct err *err)
{
	struct buf body CLEANUP_BUF = BUF_INIT(IMDS_BODY_MAX);
	struct item *item;
	int ret;

	for (item = imds->items; item; item = item->next)
		if (strcmp(item->path, path) == 0)
			return answer(item, out, err);
	ret = imds_get_secret(imds, path, &body, err);
	if (ret < 0 && ret != -ENOENT)
		return ret;
	item = remember(imds, path, ret);
	if (!item || buf_add(&item->body, body.data, body.length) < 0)
		return err_sys(err, ENOMEM, "remember IMDS's %s", path);
	return answer(item, out, err);
}

/* One member of the document, with characters only that are safe in a host name, a log line and a request. */
static int copy_member(const struct jsonx *document, const char *key, char *out, size_t size, struct err *err)
{
	const char *text = "";

	if (jsonx_text(document, key, &text, err) < 0)
		return -EPROTO;
	if (!*text || strlen(text) >= size || text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.")])
		return err_set(err, EPROTO, "%s: missing or odd", key);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int read_identity(const struct jsonx *document, struct imds_identity *out, struct err *err)
{
	const char *pending = "";

	if (jsonx_as_object(document, err) < 0 ||
	    copy_member(document, "instanceId", out->instance_id, sizeof(out->instance_id), err) < 0 ||
	    copy_member(document, "instanceType", out->instance_type, sizeof(out->instance_type), err) < 0 ||
	    copy_member(document, "region", out->region, sizeof(out->region), err) < 0 ||
	    copy_member(document, "availabilityZone", out->zone, sizeof(out->zone), err) < 0 ||
	    jsonx_text(document, "pendingTime", &pending, err) < 0)
		return -EPROTO;
	if (timestamp_parse(pending, &out->launch_time) < 0)
		out->launch_time = 0;
	return 0;
}

int imds_get_identity(struct imds *imds, struct imds_identity *out, struct err *err)
{
	static const char path[] = "dynamic/instance-identity/document";
	CLEANUP_JSONX struct jsonx document = { 0 };
	struct imds_identity identity = { 0 };
	struct buf body CLEANUP_BUF = BUF_INIT(IMDS_BODY_MAX);
	int ret;

	ret = imds_get(imds, path, &body, err);
	if (ret < 0)
		return ret;
	if (jsonx_parse(body.data, body.length, &document, err) < 0 || read_identity(&document, &identity, err) < 0) {
		err_wrap(err, "read IMDS's %s", path);
		err->code = EPROTO;
		err->status = ERR_FAILED;
		return -EPROTO;
	}
	*out = identity;
	return 0;
}
