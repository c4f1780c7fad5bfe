/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/timestamp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int timestamp_parse(const char *text, time_t *out)
{
	struct tm parts = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);

	if (rest && *rest == '.') {
		size_t digits = strspn(rest + 1, "0123456789");

		rest = digits ? rest + 1 + digits : NULL;
	}
	if (!rest || strcmp(rest, "Z") != 0)
		return -EINVAL;
	*out = timegm(&parts);
	return 0;
}

int timestamp_parse_http(const char *text, time_t *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm parts = { 0 };
	char month[4];
	const char *found;
	int end = 0;

	/* Not strptime(): its names follow the locale. */
	if (sscanf(text, "%*3s, %2d %3s %4d %2d:%2d:%2d GMT%n", &parts.tm_mday, month, &parts.tm_year, &parts.tm_hour,
		   &parts.tm_min, &parts.tm_sec, &end) != 6 || !end || text[end])
		return -EINVAL;
	found = strlen(month) == 3 ? strstr(months, month) : NULL;
	if (!found || (found - months) % 3)
		return -EINVAL;
	parts.tm_mon = (int)(found - months) / 3;
	parts.tm_year -= 1900;
	*out = timegm(&parts);
	return 0;
}

void timestamp_basic(time_t when, char out[TIMESTAMP_BASIC_SIZE])
{
	struct tm parts = { 0 };

	gmtime_r(&when, &parts);
	/* A year beyond 9999 would not fit: an empty text is refused by whoever reads it. */
	if (!strftime(out, TIMESTAMP_BASIC_SIZE, "%Y%m%dT%H%M%SZ", &parts))
		out[0] = '\0';
}
