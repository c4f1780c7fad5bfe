/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/ec2-error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"

static const struct {
	int status;
	const char *code;
	const char *message;
	enum ec2_error_class class;
	int ret;
	enum err_status exit;
} rows[] = {
	{ 503, "RequestLimitExceeded", "", EC2_ERROR_THROTTLED, -EAGAIN, ERR_RETRY },
	{ 400, "Throttling", "", EC2_ERROR_THROTTLED, -EAGAIN, ERR_RETRY },
	{ 500, "InsufficientVolumeCapacity", "", EC2_ERROR_THROTTLED, -EAGAIN, ERR_RETRY },
	{ 500, "InternalError", "", EC2_ERROR_TRANSIENT, -EAGAIN, ERR_RETRY },
	{ 503, "Unavailable", "", EC2_ERROR_TRANSIENT, -EAGAIN, ERR_RETRY },
	{ 504, "SomethingNew", "", EC2_ERROR_TRANSIENT, -EAGAIN, ERR_RETRY },
	{ 429, "SomethingNew", "", EC2_ERROR_THROTTLED, -EAGAIN, ERR_RETRY },
	{ 400, "RequestExpired", "", EC2_ERROR_CLOCK, -EACCES, ERR_FAILED },
	{ 401, "AuthFailure", "", EC2_ERROR_CLOCK, -EACCES, ERR_FAILED },
	{ 400, "IncorrectState", "", EC2_ERROR_STATE, -EBUSY, ERR_FAILED },
	{ 400, "VolumeInUse", "", EC2_ERROR_STATE, -EBUSY, ERR_FAILED },
	{ 400, "InvalidVolume.NotFound", "", EC2_ERROR_NOT_FOUND, -ENOENT, ERR_ABSENT },
	{ 400, "InvalidSnapshot.NotFound", "", EC2_ERROR_NOT_FOUND, -ENOENT, ERR_ABSENT },
	{ 400, "InvalidParameterValue", "Attachment point /dev/sdf is already in use", EC2_ERROR_NAME_TAKEN, -EEXIST,
	  ERR_FAILED },
	{ 400, "InvalidParameterValue", "Value (x) is invalid", EC2_ERROR_FATAL, -EREMOTEIO, ERR_FAILED },
	{ 400, "IdempotentParameterMismatch", "", EC2_ERROR_TOKEN_USED, -EEXIST, ERR_FAILED },
	{ 403, "UnauthorizedOperation", "You are not authorized", EC2_ERROR_DENIED, -EACCES, ERR_FAILED },
	{ 400, "AttachmentLimitExceeded", "", EC2_ERROR_FATAL, -EREMOTEIO, ERR_FAILED },
	{ 400, "Client.VolumeInUse", "", EC2_ERROR_STATE, -EBUSY, ERR_FAILED },
	{ 500, "Server.InternalError", "", EC2_ERROR_TRANSIENT, -EAGAIN, ERR_RETRY },
};

static void a_code_has_a_class_and_an_exit_status(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ec2_error error;
		struct err err = { 0 };
		char body[512];
		int length = snprintf(
			body, sizeof(body),
			"<?xml version=\"1.0\"?>\n<Response><Errors><Error><Code>%s</Code><Message>%s</Message>"
			"</Error></Errors><RequestID>r</RequestID></Response>",
			rows[i].code, rows[i].message);

		ec2_error_read(rows[i].status, body, (size_t)length, &error);
		assert_int_equal(error.class, rows[i].class);
		assert_string_equal(error.message, rows[i].message);
		assert_null(strstr(error.code, "Client."));
		assert_int_equal(ec2_error_report(&error, "AttachVolume", &err), rows[i].ret);
		assert_int_equal(err.status, rows[i].exit);
		assert_non_null(strstr(err.message, error.code));
		assert_int_equal(strncmp(err.message, "AttachVolume: ", 14), 0);
	}
}

static const struct {
	int status;
	const char *body;
	enum ec2_error_class class;
	const char *code;
} odd_rows[] = {
	{ 503, "", EC2_ERROR_TRANSIENT, "HTTP status 503" },
	{ 502, "<html><body>Bad Gateway</body></html>", EC2_ERROR_TRANSIENT, "HTTP status 502" },
	{ 500, "<!DOCTYPE html><html></html>", EC2_ERROR_TRANSIENT, "HTTP status 500" },
	{ 400, "<Response><Errors/></Response>", EC2_ERROR_FATAL, "HTTP status 400" },
	{ 302, "", EC2_ERROR_FATAL, "HTTP status 302" },
	{ 400, "\xff\xfe\x00garbage", EC2_ERROR_FATAL, "HTTP status 400" },
};

static void a_body_that_is_not_ec2s_leaves_the_status_to_speak(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(odd_rows); i++) {
		struct ec2_error error;

		ec2_error_read(odd_rows[i].status, odd_rows[i].body, strlen(odd_rows[i].body), &error);
		assert_int_equal(error.class, odd_rows[i].class);
		assert_string_equal(error.code, odd_rows[i].code);
		assert_string_equal(error.message, "");
	}
}

static void read_message(const char *beginning, struct ec2_error *out)
{
	struct buf body CLEANUP_BUF = BUF_INIT(8192);

	buf_printf(&body,
		   "<Response><Errors><Error><Code>X</Code><Message>%s%02000d</Message></Error></Errors></Response>",
		   beginning, 0);
	ec2_error_read(400, body.data, body.length, out);
}

static void a_message_is_one_line_of_bounded_length(void **state)
{
	struct ec2_error error;

	read_message("a\nb\tc ", &error);
	assert_string_equal(error.code, "X");
	assert_int_equal(strncmp(error.message, "a b c 0", 7), 0);
	assert_int_equal(strlen(error.message), sizeof(error.message) - 1);
	read_message("&#27;[2J", &error); /* no character of XML's */
	assert_string_equal(error.code, "HTTP status 400");
	assert_string_equal(error.message, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_has_a_class_and_an_exit_status),
		cmocka_unit_test(a_body_that_is_not_ec2s_leaves_the_status_to_speak),
		cmocka_unit_test(a_message_is_one_line_of_bounded_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
