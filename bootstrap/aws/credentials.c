/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/credentials.h"

#include <errno.h>
#include <string.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/log.h"
#include "bootstrap/base/retry.h"
#include "bootstrap/sys/jsonx.h"

#define ROLE_PATH     "meta-data/iam/security-credentials/"
#define ROLE_MAX      128
#define RETRY_BASE_MS 200
#define RETRY_CAP_MS  5000

void credentials_wipe(struct credentials *credentials)
{
	explicit_bzero(credentials, sizeof(*credentials));
}

/* Keys go into a header: nothing but visible ASCII is one. The value itself is never told. */
static int copy_key(const struct jsonx *document, const char *key, char *out, size_t size, struct err *err)
{
	struct jsonx member;
	const char *text;

	if (!jsonx_member(document, key, &member) || jsonx_type(&member) != JSONX_TEXT ||
	    jsonx_as_text(&member, &text, err) < 0 || !*text)
		return err_again(err, "%s is missing", key);
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return err_again(err, "%s has odd characters", key);
	if (strlen(text) >= size)
		return err_again(err, "%s is longer than %zu characters", key, size - 1);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

/* The service answers 200 also when the role does not work; then it says why (EC2 User Guide, IAM roles, Code). */
static int check_code(const struct jsonx *document, struct err *err)
{
	struct err ignored;
	const char *code = "Success";
	const char *message = "no reason is given";

	if (jsonx_type(document) != JSONX_OBJECT || jsonx_text(document, "Code", &code, &ignored) < 0 ||
	    jsonx_text(document, "Message", &message, &ignored) < 0)
		return err_again(err, "it is not what was expected");
	if (strcmp(code, "Success") != 0)
		return err_set(err, EACCES, "the role does not work: %.80s: %.400s", code, message);
	return 0;
}

int credentials_parse(const char *text, size_t length, struct credentials *out, struct err *err)
{
	CLEANUP_JSONX struct jsonx document = { 0 };
	CLEANUP_CREDENTIALS struct credentials found = { 0 };
	int ret;

	/* jansson's own message could quote what it read. */
	if (jsonx_parse(text, length, &document, err) < 0)
		return err_again(err, "it is not JSON");
	ret = check_code(&document, err);
	if (ret == 0)
		ret = copy_key(&document, "AccessKeyId", found.access_key_id, sizeof(found.access_key_id), err);
	if (ret == 0)
		ret = copy_key(&document, "SecretAccessKey", found.secret_access_key, sizeof(found.secret_access_key),
			       err);
	if (ret == 0)
		ret = copy_key(&document, "Token", found.session_token, sizeof(found.session_token), err);
	if (ret == 0)
		*out = found;
	return ret;
}

/* The instance's only role. */
static int find_role(struct imds *imds, char out[ROLE_MAX], struct err *err)
{
	struct buf list CLEANUP_BUF = BUF_INIT(IMDS_BODY_MAX);
	size_t length;
	int ret;

	ret = imds_get(imds, ROLE_PATH, &list, err);
	length = strcspn(list.data, "\r\n");
	if (ret == -ENOENT || (ret == 0 && length == 0))
		return err_set(err, EACCES, "no credentials: none in the environment, and this instance has no role");
	if (ret < 0)
		return ret;
	if (length >= ROLE_MAX)
		return err_set(err, EPROTO, "the name of this instance's role is too long");
	memcpy(out, list.data, length);
	out[length] = '\0';
	return 0;
}

static int ask_once(struct imds *imds, const char *role, struct credentials *out, struct err *err)
{
	char path[sizeof(ROLE_PATH) + ROLE_MAX] = ROLE_PATH;
	struct buf body CLEANUP_WIPE = BUF_INIT(IMDS_BODY_MAX);
	int ret;

	memcpy(path + sizeof(ROLE_PATH) - 1, role, strlen(role) + 1);
	ret = imds_get_secret(imds, path, &body, err);
	if (ret < 0)
		return ret;
	ret = credentials_parse(body.data, body.length, out, err);
	if (ret < 0)
		err_wrap(err, "read the credentials of role '%s'", role);
	return ret;
}

static int find_in_imds(struct imds *imds, const struct deadline *deadline, struct credentials *out, struct err *err)
{
	struct retry retry = { .deadline = deadline, .base_ms = RETRY_BASE_MS, .cap_ms = RETRY_CAP_MS };
	char role[ROLE_MAX];
	int ret = find_role(imds, role, err);

	if (ret < 0)
		return ret;
	for (;;) {
		ret = ask_once(imds, role, out, err);
		if (ret != -EAGAIN)
			return ret;
		log_detail("%s", err->message);
		ret = retry_pause(&retry, 0, err);
		if (ret < 0)
			return ret;
	}
}

int credentials_find(const struct settings *settings, struct imds *imds, const struct deadline *deadline,
		     struct credentials *out, struct err *err)
{
	if (!settings->access_key_id[0])
		return find_in_imds(imds, deadline, out, err);
	*out = (struct credentials){ 0 };
	memcpy(out->access_key_id, settings->access_key_id, sizeof(out->access_key_id));
	memcpy(out->secret_access_key, settings->secret_access_key, sizeof(out->secret_access_key));
	memcpy(out->session_token, settings->session_token, sizeof(out->session_token));
	return 0;
}
