/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/timestamp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

#define UNTOUCHED 4711

static const struct {
	const char *text;
	time_t time; /* UNTOUCHED: refused */
} rows[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "2026-11-05T12:34:56Z", 1793882096 },
	{ "2026-11-05T12:34:56.789Z", 1793882096 },
	{ "2026-11-05T12:34:56.789123456Z", 1793882096 },
	{ "2024-02-29T00:00:00.000Z", 1709164800 },
	{ "2038-01-19T03:14:08Z", 2147483648 },
	{ "2026-11-05T12:34:56", UNTOUCHED },
	{ "2026-11-05T12:34:56.Z", UNTOUCHED },
	{ "2026-11-05T12:34:56+01:00", UNTOUCHED },
	{ "2026-11-05T12:34:56Z ", UNTOUCHED },
	{ "2026-13-05T12:34:56Z", UNTOUCHED },
	{ "2026-11-05", UNTOUCHED },
	{ "now", UNTOUCHED },
	{ "", UNTOUCHED },
};

static void a_time_of_aws_is_utc_with_or_without_a_fraction(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		time_t time = UNTOUCHED;

		assert_int_equal(timestamp_parse(rows[i].text, &time), rows[i].time == UNTOUCHED ? -EINVAL : 0);
		assert_int_equal(time, rows[i].time);
	}
}

static const struct {
	const char *text;
	time_t time;
} http_rows[] = {
	{ "Thu, 05 Nov 2026 12:34:56 GMT", 1793882096 },
	{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
	{ "Thu, 05 Nov 2026 12:34:56 CET", UNTOUCHED },
	{ "Thu, 05 Nov 2026 12:34:56 GMT!", UNTOUCHED },
	{ "Thu, 05 ovD 2026 12:34:56 GMT", UNTOUCHED },
	{ "Thu, 05 Xyz 2026 12:34:56 GMT", UNTOUCHED },
	{ "Thursday, 05-Nov-26 12:34:56 GMT", UNTOUCHED },
	{ "", UNTOUCHED },
};

static void a_date_header_is_read_whatever_the_locale(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(http_rows); i++) {
		time_t time = UNTOUCHED;

		assert_int_equal(timestamp_parse_http(http_rows[i].text, &time),
				 http_rows[i].time == UNTOUCHED ? -EINVAL : 0);
		assert_int_equal(time, http_rows[i].time);
	}
}

static void the_basic_form_is_16_characters_or_nothing(void **state)
{
	char text[TIMESTAMP_BASIC_SIZE];

	timestamp_basic(1793882096, text);
	assert_string_equal(text, "20261105T123456Z");
	timestamp_basic(0, text);
	assert_string_equal(text, "19700101T000000Z");
	timestamp_basic(253402300800, text); /* the year 10000 */
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_of_aws_is_utc_with_or_without_a_fraction),
		cmocka_unit_test(a_date_header_is_read_whatever_the_locale),
		cmocka_unit_test(the_basic_form_is_16_characters_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
