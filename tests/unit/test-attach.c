/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/attach.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"
#include "ebs/attach-find.h"

static void the_client_token_is_64_characters_and_always_the_same(void **state)
{
	char first[65];
	char again[65];
	char other[65];
	struct err err;

	assert_int_equal(attach_find_token("i-1", "data", 1, first, &err), 0);
	assert_int_equal(attach_find_token("i-1", "data", 1, again, &err), 0);
	assert_int_equal(strlen(first), 64);
	assert_string_equal(first, again);
	assert_int_equal(attach_find_token("i-1", "data", 2, other, &err), 0);
	assert_string_not_equal(first, other);
	assert_int_equal(attach_find_token("i-2", "data", 1, other, &err), 0);
	assert_string_not_equal(first, other);
	assert_int_equal(attach_find_token("i-1", "other", 1, other, &err), 0);
	assert_string_not_equal(first, other);
}

static void names_are_picked_in_order_and_those_in_use_are_left_out(void **state)
{
	struct attach_name_set names = { 0 };
	char name[ATTACH_NAME_MAX];
	struct err err = { 0 };

	attach_name_take(&names, "/dev/xvda");
	attach_name_take(&names, "nvme0n1");
	attach_name_take(&names, "");
	assert_int_equal(attach_name_pick(&names, name, &err), 0);
	assert_string_equal(name, "/dev/sdf");
	attach_name_take(&names, "/dev/sdf");
	attach_name_take(&names, "xvdg");
	attach_name_take(&names, "/dev/sdi");
	assert_int_equal(attach_name_pick(&names, name, &err), 0);
	assert_string_equal(name, "/dev/sdh");
	for (int i = 0; i < 9; i++)
		if (attach_name_pick(&names, name, &err) == 0)
			attach_name_take(&names, name);
	assert_int_equal(attach_name_pick(&names, name, &err), -ENOSPC);
	assert_int_equal(err.status, ERR_FAILED);
}

static const struct ec2_form_tag one_tag[] = { { "role", "data" } };
static const struct ec2_form_tag own_tag[] = { { "nodevol/volume", "x" } };
static const struct ec2_form_tag aws_tag[] = { { "aws:x", "y" } };

/* What is wrong with what is to be created; NULL: nothing. */
static const struct {
	struct attach_create create;
	const char *reason;
} creates[] = {
	{ { .name = "n", .size_gib = 20 }, NULL },
	{ { .name = "n", .snapshot_id = "snap-1" }, NULL },
	{ { .name = "n", .snapshot_tags = one_tag, .snapshot_tag_count = 1, .initialization_rate_mibps = 300 }, NULL },
	{ { .name = "n", .size_gib = 1, .encrypted = true, .kms_key_id = "k", .tags = one_tag, .tag_count = 1 }, NULL },
	{ { .name = "n" }, "a new volume needs a size or a snapshot" },
	{ { .name = "n", .snapshot_id = "" }, "a new volume needs a size or a snapshot" },
	{ { .name = "n", .snapshot_id = "snap-1", .snapshot_tags = one_tag, .snapshot_tag_count = 1 }, "not by both" },
	{ { .name = "n", .size_gib = 1, .initialization_rate_mibps = 300 }, "an initialization rate needs a snapshot" },
	{ { .name = "n", .size_gib = 1, .kms_key_id = "k" }, "a KMS key needs an encrypted volume" },
	{ { .name = "n", .size_gib = 1, .tags = own_tag, .tag_count = 1 }, "reserved" },
	{ { .name = "n", .size_gib = 1, .tags = aws_tag, .tag_count = 1 }, "reserved" },
};

static void a_volume_to_create_is_checked_for_contradictions(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(creates); i++) {
		struct attach_request request = { .create = &creates[i].create };
		struct err err = { 0 };

		assert_int_equal(attach_check(&request, &err), creates[i].reason ? -EINVAL : 0);
		assert_int_equal(err.status, creates[i].reason ? ERR_USAGE : ERR_DONE);
		if (creates[i].reason)
			assert_non_null(strstr(err.message, creates[i].reason));
	}
}

static void exactly_one_way_to_get_a_volume_is_needed(void **state)
{
	static const struct attach_create create = { .name = "n", .size_gib = 1 };
	struct attach_request none = { 0 };
	struct attach_request two = { .create = &create, .volume_id = "vol-0123456789abcdef0" };
	struct attach_request bad_id = { .volume_id = "vol-xyz" };
	struct attach_request bad_name = { .create = &create, .device_name = "sdf" };
	struct err err = { 0 };

	assert_int_equal(attach_check(&none, &err), -EINVAL);
	assert_int_equal(attach_check(&two, &err), -EINVAL);
	assert_int_equal(attach_check(&bad_id, &err), -EINVAL);
	assert_int_equal(attach_check(&bad_name, &err), -EINVAL);
	bad_name.device_name = "auto";
	assert_int_equal(attach_check(&bad_name, &err), 0);
	bad_name.device_name = "/dev/xvdba";
	assert_int_equal(attach_check(&bad_name, &err), 0);
}

static void a_volume_that_another_instance_has_too_is_refused(void **state)
{
	struct ec2_volume volume = { .id = "vol-1", .attachment_count = 2 };
	struct err err = { 0 };

	volume.attachments[0] = (struct ec2_volume_attachment){ .instance_id = "i-1", .status = "attached" };
	volume.attachments[1] = (struct ec2_volume_attachment){ .instance_id = "i-2", .status = "attaching" };
	assert_int_equal(attach_find_check_alone(&volume, "i-1", &err), -EPERM);
	assert_int_equal(err.status, ERR_REFUSED);
	assert_non_null(strstr(err.message, "i-2"));
	memcpy(volume.attachments[1].status, "detached", sizeof("detached"));
	assert_int_equal(attach_find_check_alone(&volume, "i-1", &err), 0);
}

static void a_name_in_use_is_known_in_every_spelling(void **state)
{
	struct attach_name_set names = { 0 };

	attach_name_take(&names, "/dev/xvdf");
	assert_true(attach_name_is_taken(&names, "/dev/sdf") && attach_name_is_taken(&names, "xvdf"));
	assert_false(attach_name_is_taken(&names, "/dev/sdg") || attach_name_is_taken(&names, "/dev/xvdfa"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_client_token_is_64_characters_and_always_the_same),
		cmocka_unit_test(names_are_picked_in_order_and_those_in_use_are_left_out),
		cmocka_unit_test(a_volume_to_create_is_checked_for_contradictions),
		cmocka_unit_test(a_volume_that_another_instance_has_too_is_refused),
		cmocka_unit_test(a_name_in_use_is_known_in_every_spelling),
		cmocka_unit_test(exactly_one_way_to_get_a_volume_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
