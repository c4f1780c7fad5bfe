/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/ec2.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/aws/credentials.h"
#include "bootstrap/aws/endpoint.h"
#include "bootstrap/aws/sigv4.h"
#include "bootstrap/aws/timestamp.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/log.h"
#include "bootstrap/base/retry.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/sys/http.h"

#define ANSWER_MAX	   (4U << 20)
#define AUTHORIZATION_MAX  1024
#define CONNECT_MS	   3000
#define TOTAL_MS	   20000
#define LAST_WORDS_MS	   300 /* kept back, so that it is us who say what did not answer */
#define THROTTLE_BASE_MS   1000
#define THROTTLE_CAP_MS	   20000
#define TRANSIENT_BASE_MS  200
#define TRANSIENT_CAP_MS   5000
#define SKEW_TOLERATED_S   240 /* requests are good for 15 minutes; what the SDKs take for a clock that is wrong */
#define CONTENT_TYPE	   "application/x-www-form-urlencoded; charset=utf-8"

/**
 * struct ec2 - a client
 * @settings: borrowed
 * @imds: borrowed
 * @region: signed for
 * @deadline: for everything
 * @endpoint: where requests go
 * @http: its connection
 * @credentials: empty before the first request
 * @error: of the last request
 * @calls: requests sent
 * @ahead_s: how far EC2's clock is ahead of ours, by the last answer
 * @skew_s: what is added to our clock for signing
 */
struct ec2 {
	const struct settings *settings;
	struct imds *imds;
	char region[SETTINGS_REGION_MAX];
	struct deadline deadline;
	struct endpoint endpoint;
	struct http *http;
	struct credentials credentials;
	struct ec2_error error;
	unsigned int calls;
	time_t ahead_s;
	time_t skew_s;
};

int ec2_open(const struct ec2_options *options, struct ec2 **out, struct err *err)
{
	CLEANUP_EC2 struct ec2 *ec2 = calloc(1, sizeof(*ec2));
	const struct settings *settings = options->settings;
	struct http_options http = { .ca_bundle = settings->ca_bundle, .https_proxy = settings->https_proxy,
				     .no_proxy = settings->no_proxy };
	int ret;

	if (!ec2)
		return err_sys(err, ENOMEM, "open EC2");
	ec2->settings = settings;
	ec2->imds = options->imds;
	ec2->deadline = options->deadline;
	ec2->deadline.at_ms -= LAST_WORDS_MS;
	snprintf(ec2->region, sizeof(ec2->region), "%s", options->region);
	ret = endpoint_find(settings, ec2->region, &ec2->endpoint, err);
	if (ret == 0)
		ret = http_open(&http, &ec2->http, err);
	if (ret < 0)
		return ret;
	*out = TAKE_PTR(ec2);
	return 0;
}

void ec2_close(struct ec2 *ec2)
{
	if (!ec2)
		return;
	http_close(ec2->http);
	credentials_wipe(&ec2->credentials);
	free(ec2);
}

const struct ec2_error *ec2_failure(const struct ec2 *ec2)
{
	return &ec2->error;
}

unsigned int ec2_calls(const struct ec2 *ec2)
{
	return ec2->calls;
}

time_t ec2_now(const struct ec2 *ec2)
{
	return time(NULL) + ec2->ahead_s;
}

/**
 * struct signed_headers - what goes with a request, as libcurl wants it
 */
struct signed_headers {
	char date[16 + TIMESTAMP_BASIC_SIZE];
	struct buf authorization;
	struct buf token;
	const char *list[6];
};

static void wipe_headers(struct signed_headers *headers)
{
	buf_wipe(&headers->authorization);
	buf_wipe(&headers->token);
}

static int sign(struct ec2 *ec2, const struct ec2_form *form, struct signed_headers *out, struct err *err)
{
	static const struct sigv4_header type[] = { { "content-type", CONTENT_TYPE } };
	const struct sigv4_request request = { .method = "POST",
					       .host = ec2->endpoint.host,
					       .path = "/",
					       .headers = type,
					       .header_count = 1,
					       .body = form->body.data,
					       .body_length = form->body.length };
	const struct sigv4_scope scope = { .credentials = &ec2->credentials, .region = ec2->region, .service = "ec2",
					   .now = time(NULL) + ec2->skew_s };
	char date[TIMESTAMP_BASIC_SIZE];
	size_t count = 0;
	int ret = buf_add_text(&out->authorization, "Authorization: ");

	if (ret == 0)
		ret = sigv4_sign(&request, &scope, &out->authorization, date, err);
	if (ret < 0)
		return ret;
	snprintf(out->date, sizeof(out->date), "X-Amz-Date: %s", date);
	out->list[count++] = "Content-Type: " CONTENT_TYPE;
	out->list[count++] = "User-Agent: nodevol/" NODEVOL_VERSION;
	out->list[count++] = out->date;
	out->list[count++] = out->authorization.data;
	if (ec2->credentials.session_token[0]) {
		ret = buf_printf(&out->token, "X-Amz-Security-Token: %s", ec2->credentials.session_token);
		if (ret < 0)
			return err_sys(err, -ret, "sign a request");
		out->list[count++] = out->token.data;
	}
	out->list[count] = NULL;
	return 0;
}

static void note_time(struct ec2 *ec2, const char *date)
{
	time_t theirs;

	if (timestamp_parse_http(date, &theirs) == 0)
		ec2->ahead_s = theirs - time(NULL);
}

/* One request, one answer. Return: as ec2_ask(); -EAGAIN and -ETIMEDOUT may be tried again. */
static int send_once(struct ec2 *ec2, const struct ec2_form *form, struct buf *answer, struct err *err)
{
	__attribute__((cleanup(wipe_headers))) struct signed_headers headers = { 0 };
	struct http_header date = { .name = "Date" };
	struct http_response response = { .body = answer, .headers = &date, .header_count = 1 };
	struct http_request request = { .method = "POST", .url = ec2->endpoint.url, .headers = headers.list,
					.body = form->body.data, .body_length = form->body.length,
					.connect_ms = CONNECT_MS, .total_ms = TOTAL_MS };
	int left = deadline_left_ms(&ec2->deadline);
	int ret;

	buf_init(&headers.authorization, AUTHORIZATION_MAX);
	buf_init(&headers.token, SETTINGS_TOKEN_MAX + 32);
	if (left < request.total_ms)
		request.total_ms = left > 0 ? left : 1;
	ret = sign(ec2, form, &headers, err);
	if (ret < 0)
		return ret;
	ec2->calls++;
	ret = http_perform(ec2->http, &request, &response, err);
	if (ret < 0)
		return err_wrap(err, "%s", form->action);
	note_time(ec2, date.value);
	if (response.status == 200)
		return 0;
	ec2_error_read(response.status, answer->data, answer->length, &ec2->error);
	return ec2_error_report(&ec2->error, form->action, err);
}

/*
 * The signature was not taken. Either our clock is wrong, or credentials of the instance's role have just been
 * replaced. Return: true when something was put right.
 */
static bool correct_signing(struct ec2 *ec2)
{
	time_t off = ec2->ahead_s - ec2->skew_s;

	if (off > SKEW_TOLERATED_S || off < -SKEW_TOLERATED_S) {
		log_warn("this clock is %lld s %s EC2's; requests are signed by EC2's", llabs((long long)ec2->ahead_s),
			 ec2->ahead_s > 0 ? "behind" : "ahead of");
		ec2->skew_s = ec2->ahead_s;
		return true;
	}
	if (ec2->settings->access_key_id[0])
		return false;
	credentials_wipe(&ec2->credentials);
	return true;
}

static int find_credentials(struct ec2 *ec2, struct err *err)
{
	if (ec2->credentials.access_key_id[0])
		return 0;
	return credentials_find(ec2->settings, ec2->imds, &ec2->deadline, &ec2->credentials, err);
}

/* Sends until there is an answer that trying again would not change. */
static int send_form(struct ec2 *ec2, const struct ec2_form *form, struct buf *answer, struct err *err)
{
	struct retry retry = { .deadline = &ec2->deadline };
	bool corrected = false;

	for (;;) {
		int ret = find_credentials(ec2, err);

		if (ret < 0)
			return ret;
		ec2->error.class = EC2_ERROR_NONE;
		ret = send_once(ec2, form, answer, err);
		if (ret < 0 && ec2->error.class == EC2_ERROR_CLOCK && !corrected && correct_signing(ec2)) {
			corrected = true;
			continue;
		}
		if (ret != -EAGAIN && ret != -ETIMEDOUT)
			return ret;
		log_detail("%s", err->message);
		retry.base_ms = ec2->error.class == EC2_ERROR_THROTTLED ? THROTTLE_BASE_MS : TRANSIENT_BASE_MS;
		retry.cap_ms = ec2->error.class == EC2_ERROR_THROTTLED ? THROTTLE_CAP_MS : TRANSIENT_CAP_MS;
		ret = retry_pause(&retry, 0, err);
		if (ret < 0)
			return ret;
	}
}

int ec2_ask(struct ec2 *ec2, const struct ec2_form *form, struct xml_element **out, struct err *err)
{
	struct buf answer CLEANUP_BUF = BUF_INIT(ANSWER_MAX);
	int ret;

	if (form->failure < 0)
		return err_sys(err, -form->failure, "%s: write the request", form->action);
	supervise_stage("%s", form->action);
	ret = send_form(ec2, form, &answer, err);
	if (ret < 0 || !out)
		return ret;
	ret = xml_parse(answer.data, answer.length, out, err);
	if (ret == -EBADMSG) {
		err->code = EPROTO;
		return err_wrap(err, "%s: EC2's answer", form->action);
	}
	return ret;
}
