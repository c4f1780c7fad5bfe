/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/ec2-form.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "Action=Act&Version=2016-11-15"

static void a_form_is_action_and_version_and_what_was_given(void **state)
{
	CLEANUP_EC2_FORM struct ec2_form form;

	ec2_form_begin(&form, "Act");
	ec2_form_text(&form, "vol-1", "VolumeId.%u", 1U);
	ec2_form_text(&form, "", "Empty");
	ec2_form_text(&form, NULL, "Absent");
	ec2_form_u64(&form, 6000, "Iops");
	ec2_form_u64(&form, 0, "Zero");
	assert_int_equal(form.failure, 0);
	assert_string_equal(form.body.data, HEAD "&VolumeId.1=vol-1&Iops=6000");
}

static void everything_but_unreserved_characters_is_encoded(void **state)
{
	CLEANUP_EC2_FORM struct ec2_form form;

	ec2_form_begin(&form, "Act");
	ec2_form_text(&form, "AZaz09-_.~ +/=&%\xc3\xa9", "Device");
	assert_string_equal(form.body.data, HEAD "&Device=AZaz09-_.~%20%2B%2F%3D%26%25%C3%A9");
}

static void filters_and_tags_are_flat_lists_from_1(void **state)
{
	static const struct ec2_form_tag tags[] = { { "a b", "1" }, { "c", "" } };
	CLEANUP_EC2_FORM struct ec2_form filters;
	CLEANUP_EC2_FORM struct ec2_form specification;

	ec2_form_begin(&filters, "Act");
	ec2_form_filter(&filters, 1, "status", "completed");
	ec2_form_tag_filters(&filters, 2, tags, 2);
	assert_string_equal(filters.body.data, HEAD "&Filter.1.Name=status&Filter.1.Value.1=completed"
						    "&Filter.2.Name=tag%3Aa%20b&Filter.2.Value.1=1"
						    "&Filter.3.Name=tag%3Ac&Filter.3.Value.1=");
	ec2_form_begin(&specification, "Act");
	ec2_form_tag(&specification, "volume", 1, &tags[0]);
	ec2_form_tag(&specification, "volume", 2, &tags[1]);
	assert_string_equal(specification.body.data,
			    HEAD "&TagSpecification.1.ResourceType=volume&TagSpecification.1.Tag.1.Key=a%20b"
				 "&TagSpecification.1.Tag.1.Value=1&TagSpecification.1.Tag.2.Key=c"
				 "&TagSpecification.1.Tag.2.Value=");
}

static void a_form_that_grows_too_long_says_so_at_the_end(void **state)
{
	CLEANUP_EC2_FORM struct ec2_form form;

	ec2_form_begin(&form, "Act");
	for (unsigned int i = 0; i < 4000; i++)
		ec2_form_text(&form, "0123456789abcdef0123456789abcdef", "VolumeId.%u", i);
	assert_int_equal(form.failure, -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_is_action_and_version_and_what_was_given),
		cmocka_unit_test(everything_but_unreserved_characters_is_encoded),
		cmocka_unit_test(filters_and_tags_are_flat_lists_from_1),
		cmocka_unit_test(a_form_that_grows_too_long_says_so_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
