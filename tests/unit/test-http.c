/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

#define OK(headers, body) "HTTP/1.1 200 OK\r\nConnection: close\r\n" headers "\r\n" body

/**
 * struct server - takes one connection, keeps what it was sent, answers with a fixed text
 * @fd: listening
 * @url: of it
 * @answer: NULL: none, until the client gives up
 * @seen: the request
 */
struct server {
	int fd;
	char url[64];
	const char *answer;
	char seen[8192];
	pthread_t thread;
};

static void *serve(void *argument)
{
	struct server *server = argument;
	CLEANUP_CLOSE int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
	size_t length = 0;
	ssize_t got;

	while (fd >= 0 && (got = read(fd, server->seen + length, sizeof(server->seen) - 1 - length)) > 0) {
		length += (size_t)got;
		server->seen[length] = '\0';
		/* Bodies of these tests come in one piece with the end of the headers, or not at all. */
		if (server->answer && strstr(server->seen, "\r\n\r\n")) {
			if (write(fd, server->answer, strlen(server->answer)) < 0)
				break;
			shutdown(fd, SHUT_WR);
		}
	}
	return NULL;
}

static void start(struct server *server, const char *answer)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);

	*server = (struct server){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .answer = answer };
	assert_true(server->fd >= 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(server->fd, 1), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
	snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d/a/../b%%20c", ntohs(address.sin_port));
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop(struct server *server)
{
	/* Wakes an accept() that nobody connected to. */
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

/* One request with a handle of its own. */
static int ask(struct server *server, struct http_request *request, struct http_response *response, struct err *err)
{
	CLEANUP_HTTP struct http *http = NULL;
	struct http_options options = { 0 };
	int ret;

	assert_int_equal(http_open(&options, &http, err), 0);
	request->url = request->url ? request->url : server->url;
	request->connect_ms = 2000;
	request->total_ms = request->total_ms ? request->total_ms : 5000;
	ret = http_perform(http, request, response, err);
	http_close(TAKE_PTR(http));
	stop(server);
	return ret;
}

static void an_answer_has_status_body_and_the_headers_that_are_asked_for(void **state)
{
	struct server server;
	struct http_header headers[] = { { .name = "date" }, { .name = "x-amz-Checksum" }, { .name = "absent" } };
	struct buf body CLEANUP_BUF = BUF_INIT(100);
	struct http_response response = { .body = &body, .headers = headers, .header_count = ARRAY_SIZE(headers) };
	struct http_request request = { .method = "GET" };
	struct err err = { 0 };

	start(&server, "HTTP/1.1 404 Not Found\r\nDate:  Thu, 05 Nov 2026 12:34:56 GMT \r\nX-AMZ-CHECKSUM:abc=\r\n"
		       "X-Amz-Checksum-Algorithm: SHA256\r\nContent-Length: 5\r\n\r\nhello");
	assert_int_equal(ask(&server, &request, &response, &err), 0);
	assert_int_equal(response.status, 404);
	assert_string_equal(body.data, "hello");
	assert_string_equal(headers[0].value, "Thu, 05 Nov 2026 12:34:56 GMT");
	assert_string_equal(headers[1].value, "abc=");
	assert_string_equal(headers[2].value, "");
}

static void a_request_is_sent_as_it_is_and_nothing_is_added_that_was_not_signed(void **state)
{
	static const char *const given[] = { "X-One: 1", "Content-Type: text/x", NULL };
	struct server server;
	struct buf body CLEANUP_BUF = BUF_INIT(100);
	struct http_response response = { .body = &body };
	struct http_request request = { .method = "PUT", .headers = given, .body = "data", .body_length = 4 };
	struct err err = { 0 };

	start(&server, OK("Content-Length: 0\r\n", ""));
	assert_int_equal(ask(&server, &request, &response, &err), 0);
	assert_int_equal(strncmp(server.seen, "PUT /a/../b%20c HTTP/1.1\r\n", 26), 0);
	assert_non_null(strstr(server.seen, "\r\nX-One: 1\r\n"));
	assert_non_null(strstr(server.seen, "\r\nContent-Type: text/x\r\n"));
	assert_non_null(strstr(server.seen, "\r\nContent-Length: 4\r\n"));
	assert_null(strstr(server.seen, "Expect"));
	assert_null(strstr(server.seen, "x-www-form-urlencoded"));
}

static void an_answer_that_is_too_large_is_an_error(void **state)
{
	struct server server;
	struct buf body CLEANUP_BUF = BUF_INIT(4);
	struct http_response response = { .body = &body };
	struct http_request request = { .method = "GET" };
	struct err err = { 0 };

	start(&server, OK("", "12345"));
	assert_int_equal(ask(&server, &request, &response, &err), -EMSGSIZE);
	assert_int_equal(err.status, ERR_FAILED);
	assert_non_null(strstr(err.message, "larger than 4 bytes"));
}

static void no_answer_in_time_is_an_error_for_a_later_try(void **state)
{
	struct server server;
	struct buf body CLEANUP_BUF = BUF_INIT(100);
	struct http_response response = { .body = &body };
	struct http_request request = { .method = "GET", .total_ms = 50 };
	struct err err = { 0 };

	start(&server, NULL);
	assert_int_equal(ask(&server, &request, &response, &err), -ETIMEDOUT);
	assert_int_equal(err.status, ERR_RETRY);
}

static const struct {
	const char *answer;
	int ret;
} broken[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut", -EAGAIN },
	{ "", -EAGAIN },
	{ "SSH-2.0-OpenSSH_9.2\r\n\r\n", -EPROTO },
	{ "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n", 0 },
};

static void a_broken_answer_is_an_error_and_a_redirect_is_an_answer(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct server server;
		CLEANUP_BUF struct buf body;
		struct http_response response = { .body = &body };
		struct http_request request = { .method = "GET" };
		struct err err = { 0 };

		buf_init(&body, 1000);
		start(&server, broken[i].answer);
		assert_int_equal(ask(&server, &request, &response, &err), broken[i].ret);
		assert_int_equal(response.status, broken[i].ret ? 0 : 302);
	}
}

static const char *const injected[] = { "X: 1\r\nX-Evil: 1", NULL };

static const struct http_request refused[] = {
	{ .method = "GET", .url = "ftp://127.0.0.1/" },
	{ .method = "GET", .url = "file:///etc/passwd" },
	{ .method = "GET", .url = "http://" },
	{ .method = "GET", .url = "http://127.0.0.1:9/\r\nX-Evil: 1" },
	{ .method = "GET", .url = "http://127.0.0.1:9/", .headers = injected },
};

static void other_protocols_and_line_breaks_are_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct server server;
		CLEANUP_BUF struct buf body;
		struct http_response response = { .body = &body };
		struct http_request request = refused[i];
		struct err err = { 0 };

		buf_init(&body, 100);
		start(&server, NULL);
		assert_int_equal(ask(&server, &request, &response, &err), -EINVAL);
		assert_int_equal(err.status, ERR_USAGE);
	}
}

static void the_environment_sets_no_proxy(void **state)
{
	struct server server;
	struct buf body CLEANUP_BUF = BUF_INIT(100);
	struct http_response response = { .body = &body };
	struct http_request request = { .method = "GET" };
	struct err err = { 0 };

	setenv("http_proxy", "http://127.0.0.1:9", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:9", 1);
	start(&server, OK("Content-Length: 2\r\n", "ok"));
	assert_int_equal(ask(&server, &request, &response, &err), 0);
	assert_string_equal(body.data, "ok");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_has_status_body_and_the_headers_that_are_asked_for),
		cmocka_unit_test(a_request_is_sent_as_it_is_and_nothing_is_added_that_was_not_signed),
		cmocka_unit_test(an_answer_that_is_too_large_is_an_error),
		cmocka_unit_test(no_answer_in_time_is_an_error_for_a_later_try),
		cmocka_unit_test(a_broken_answer_is_an_error_and_a_redirect_is_an_answer),
		cmocka_unit_test(other_protocols_and_line_breaks_are_refused),
		cmocka_unit_test(the_environment_sets_no_proxy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
