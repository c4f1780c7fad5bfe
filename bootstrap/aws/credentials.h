/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: what requests are signed with
 *
 * From the environment, else from the instance's role by IMDS. Never logged; whoever holds them wipes them.
 */
#ifndef NODEVOL_AWS_CREDENTIALS_H
#define NODEVOL_AWS_CREDENTIALS_H

#include "bootstrap/aws/imds.h"
#include "bootstrap/aws/settings.h"
#include "bootstrap/base/err.h"

/**
 * struct credentials - one set
 * @access_key_id: not secret
 * @secret_access_key: secret
 * @session_token: secret; "" for long-lived keys
 */
struct credentials {
	char access_key_id[SETTINGS_KEY_MAX];
	char secret_access_key[SETTINGS_KEY_MAX];
	char session_token[SETTINGS_TOKEN_MAX];
};

/**
 * credentials_find - the first source that has any
 * @settings: what the environment says
 * @imds: asked when the environment has none
 * @deadline: IMDS's nonsense (an empty or broken document) is asked for again until then
 * @out: given to credentials_wipe()
 * @err: filled on failure
 *
 * Return: 0, -EACCES no credentials anywhere (ERR_FAILED), or as imds_get().
 */
int credentials_find(const struct settings *settings, struct imds *imds, const struct deadline *deadline,
		     struct credentials *out, struct err *err);

/**
 * credentials_parse - read the document of a role
 * @text: JSON from meta-data/iam/security-credentials/ROLE
 * @length: its size
 * @out: filled on success
 * @err: filled on failure
 *
 * Return: 0, -EAGAIN empty, broken or incomplete, -EACCES the service says that the role does not work.
 */
int credentials_parse(const char *text, size_t length, struct credentials *out, struct err *err);

void credentials_wipe(struct credentials *credentials);

#define CLEANUP_CREDENTIALS __attribute__((cleanup(credentials_wipe)))

#endif
