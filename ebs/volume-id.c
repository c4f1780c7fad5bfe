/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/volume-id.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_hexadecimal(const char *text)
{
	size_t length = strspn(text, "0123456789abcdef");

	return text[length] == '\0' && (length == 8 || length == 17);
}

bool volume_id_is_valid(const char *text)
{
	return strncmp(text, "vol-", 4) == 0 && is_hexadecimal(text + 4);
}

int volume_id_check(const char *text, struct err *err)
{
	if (!volume_id_is_valid(text))
		return err_set(err, EINVAL, "'%s' is not a volume id; expected vol- and 8 or 17 hexadecimal digits",
			       text);
	return 0;
}

bool volume_id_from_serial(const char *serial, char out[VOLUME_ID_MAX])
{
	if (strncmp(serial, "vol", 3) != 0)
		return false;
	serial += serial[3] == '-' ? 4 : 3;
	if (!is_hexadecimal(serial))
		return false;
	snprintf(out, VOLUME_ID_MAX, "vol-%s", serial);
	return true;
}
