/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/ec2-error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/xml.h"

static const struct row {
	const char *code;
	enum ec2_error_class class;
} rows[] = {
	{ "RequestLimitExceeded", EC2_ERROR_THROTTLED },
	{ "Throttling", EC2_ERROR_THROTTLED },
	{ "ThrottlingException", EC2_ERROR_THROTTLED },
	{ "ThrottledException", EC2_ERROR_THROTTLED },
	{ "RequestThrottled", EC2_ERROR_THROTTLED },
	{ "RequestThrottledException", EC2_ERROR_THROTTLED },
	{ "TooManyRequestsException", EC2_ERROR_THROTTLED },
	{ "EC2ThrottledException", EC2_ERROR_THROTTLED },
	{ "BandwidthLimitExceeded", EC2_ERROR_THROTTLED },
	{ "PriorRequestNotComplete", EC2_ERROR_THROTTLED },
	{ "SlowDown", EC2_ERROR_THROTTLED },
	/* Elsewhere there might be room, but the volume has to be in the instance's zone. */
	{ "InsufficientVolumeCapacity", EC2_ERROR_THROTTLED },
	{ "InternalError", EC2_ERROR_TRANSIENT },
	{ "InternalFailure", EC2_ERROR_TRANSIENT },
	{ "ServerInternal", EC2_ERROR_TRANSIENT },
	{ "ServiceUnavailable", EC2_ERROR_TRANSIENT },
	{ "Unavailable", EC2_ERROR_TRANSIENT },
	{ "RequestTimeout", EC2_ERROR_TRANSIENT },
	{ "RequestTimeoutException", EC2_ERROR_TRANSIENT },
	{ "RequestExpired", EC2_ERROR_CLOCK },
	{ "RequestTimeTooSkewed", EC2_ERROR_CLOCK },
	{ "RequestInTheFuture", EC2_ERROR_CLOCK },
	{ "SignatureDoesNotMatch", EC2_ERROR_CLOCK },
	{ "AuthFailure", EC2_ERROR_CLOCK },
	{ "IncorrectState", EC2_ERROR_STATE },
	{ "IncorrectInstanceState", EC2_ERROR_STATE },
	{ "VolumeInUse", EC2_ERROR_STATE },
	{ "ConcurrentTagAccess", EC2_ERROR_THROTTLED },
	{ "InvalidVolume.NotFound", EC2_ERROR_NOT_FOUND },
	{ "InvalidSnapshot.NotFound", EC2_ERROR_NOT_FOUND },
	{ "InvalidInstanceID.NotFound", EC2_ERROR_NOT_FOUND },
	{ "IdempotentParameterMismatch", EC2_ERROR_TOKEN_USED },
	{ "UnauthorizedOperation", EC2_ERROR_DENIED },
	{ "AccessDenied", EC2_ERROR_DENIED },
	{ "AccessDeniedException", EC2_ERROR_DENIED },
	{ "InvalidClientTokenId", EC2_ERROR_DENIED },
	{ "OptInRequired", EC2_ERROR_DENIED },
};

static enum ec2_error_class classify(int status, const char *code, const char *message)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].code, code) == 0)
			return rows[i].class;
	if (strcmp(code, "InvalidParameterValue") == 0 && strstr(message, "already in use"))
		return EC2_ERROR_NAME_TAKEN;
	if (status == 429)
		return EC2_ERROR_THROTTLED;
	return status >= 500 ? EC2_ERROR_TRANSIENT : EC2_ERROR_FATAL;
}

/* One line of what a server said, whatever it was. */
static void copy_line(const char *text, char *out, size_t size)
{
	size_t length = 0;

	for (; *text && length + 1 < size; text++)
		out[length++] = (unsigned char)*text < ' ' ? ' ' : *text;
	out[length] = '\0';
}

static const char *without_prefix(const char *code)
{
	if (strncmp(code, "Client.", 7) == 0 || strncmp(code, "Server.", 7) == 0)
		return code + 7;
	return code;
}

void ec2_error_read(int status, const char *body, size_t length, struct ec2_error *out)
{
	CLEANUP_XML struct xml_element *root = NULL;
	const struct xml_element *error;
	struct err ignored;

	/* What is not XML is as good as an empty body: the status says the rest. */
	if (xml_parse(body, length, &root, &ignored) < 0)
		root = NULL;
	error = xml_child(xml_child(root, "Errors"), "Error");
	copy_line(without_prefix(xml_text(error, "Code")), out->code, sizeof(out->code));
	copy_line(xml_text(error, "Message"), out->message, sizeof(out->message));
	if (!out->code[0])
		snprintf(out->code, sizeof(out->code), "HTTP status %d", status);
	out->class = classify(status, out->code, out->message);
}

int ec2_error_report(const struct ec2_error *error, const char *action, struct err *err)
{
	const char *colon = error->message[0] ? ": " : "";

	switch (error->class) {
	case EC2_ERROR_THROTTLED:
	case EC2_ERROR_TRANSIENT:
		return err_again(err, "%s: %s%s%s", action, error->code, colon, error->message);
	case EC2_ERROR_NOT_FOUND:
		return err_absent(err, "%s: %s%s%s", action, error->code, colon, error->message);
	case EC2_ERROR_DENIED:
	case EC2_ERROR_CLOCK:
		return err_set(err, EACCES, "%s: %s%s%s", action, error->code, colon, error->message);
	case EC2_ERROR_STATE:
		return err_set(err, EBUSY, "%s: %s%s%s", action, error->code, colon, error->message);
	case EC2_ERROR_NAME_TAKEN:
	case EC2_ERROR_TOKEN_USED:
		return err_set(err, EEXIST, "%s: %s%s%s", action, error->code, colon, error->message);
	case EC2_ERROR_NONE:
	case EC2_ERROR_FATAL:
		break;
	}
	return err_set(err, EREMOTEIO, "%s: %s%s%s", action, error->code, colon, error->message);
}
