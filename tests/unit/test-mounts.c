/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/mounts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

static void lines_of_mountinfo_are_understood(void **state)
{
	const struct {
		const char *line;
		struct mounts_entry entry;
	} rows[] = {
		{ "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n",
		  { 36, makedev(98, 0), "/mnt1", "/mnt2", "ext3", false, "rw,noatime" } },
		{ "45 27 259:3 / /var/lib/containerd rw,nosuid,nodev,relatime shared:7 - xfs /dev/nvme1n1 rw,nouuid\n",
		  { 45, makedev(259, 3), "/", "/var/lib/containerd", "xfs", false, "rw,nosuid,nodev,relatime" } },
		{ "1 0 0:1 / / rw - rootfs none rw\n", { 1, makedev(0, 1), "/", "/", "rootfs", false, "rw" } },
		{ "5 1 7:0 /a\\040b /mnt/c\\011d\\134e\\012 ro,nosuid shared:1 master:2 propagate_from:2 - ext4 "
		  "/dev/loop0 rw\n",
		  { 5, makedev(7, 0), "/a b", "/mnt/c\td\\e\n", "ext4", true, "ro,nosuid" } },
		{ "6 1 7:0 / /mnt rw - ext4 /dev/loop0 ro,norecovery\n",
		  { 6, makedev(7, 0), "/", "/mnt", "ext4", true, "rw" } },
		{ "7 1 7:0 / /mnt rw,rosy - ext4 /dev/loop0 rw,errors=ro\n",
		  { 7, makedev(7, 0), "/", "/mnt", "ext4", false, "rw,rosy" } },
		{ "8 1 0:40 / /proc/x rw - tmpfs  rw\n", { 8, makedev(0, 40), "/", "/proc/x", "tmpfs", false, "rw" } },
		{ "9 1 0:4 net:[4026531840] /run/netns/a rw shared:1 - nsfs nsfs rw\n",
		  { 9, makedev(0, 4), "net:[4026531840]", "/run/netns/a", "nsfs", false, "rw" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mounts_entry found = { 0 };

		assert_true(mounts_parse(rows[i].line, &found));
		assert_int_equal(found.id, rows[i].entry.id);
		assert_int_equal(found.device, rows[i].entry.device);
		assert_string_equal(found.subtree, rows[i].entry.subtree);
		assert_string_equal(found.target, rows[i].entry.target);
		assert_string_equal(found.filesystem, rows[i].entry.filesystem);
		assert_int_equal(found.read_only, rows[i].entry.read_only);
		assert_string_equal(found.options, rows[i].entry.options);
	}
}

static void lines_that_are_cut_or_too_long_are_none(void **state)
{
	static const char whole[] = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw";
	char line[4096];
	struct mounts_entry found;

	for (size_t length = 0; length < sizeof(whole) - 3; length++) {
		snprintf(line, sizeof(line), "%.*s", (int)length, whole);
		assert_false(mounts_parse(line, &found));
	}
	snprintf(line, sizeof(line), "36 35 98:0 /%02000d /mnt rw - ext4 /dev/root rw", 7);
	assert_false(mounts_parse(line, &found));
}

static void options_get_what_xfs_needs(void **state)
{
	static const struct {
		const char *filesystem;
		const char *options;
		const char *expected;
	} rows[] = {
		{ "ext4", NULL, "nosuid,nodev" },
		{ "ext4", "", "nosuid,nodev" },
		{ "xfs", NULL, "nosuid,nodev,nouuid" },
		{ "xfs", "noatime", "noatime,nouuid" },
		{ "xfs", "nouuid,noatime", "nouuid,noatime" },
		{ "xfs", "logbsize=256k,largeio", "logbsize=256k,largeio,nouuid" },
		{ "ext4", "defaults", "defaults" },
		{ "ext4", "rw,user_xattr,auto_da_alloc,context=system_u:object_r:container_file_t:s0",
		  "rw,user_xattr,auto_da_alloc,context=system_u:object_r:container_file_t:s0" },
	};
	char found[MOUNTS_OPTIONS_MAX];
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(mounts_options(rows[i].filesystem, rows[i].options, found, sizeof(found), &err), 0);
		assert_string_equal(found, rows[i].expected);
	}
}

static void options_that_make_another_mount_are_refused(void **state)
{
	static const char *const rows[] = {
		"ro", "noatime,ro", "bind", "rbind,rw", "move", "remount", "loop", "loop=/dev/loop3", "loop3",
		"offset=4096", "norecovery", "noload", "x-systemd.automount", "X-mount.mkdir", "nofail", "user",
		"user=root", "users", "_netdev", "shared", "rprivate", ",", "a,,b", "a,", " ro", "a b", "a\nb",
		"\"x\"", "%h", "a;b",
	};
	char found[MOUNTS_OPTIONS_MAX];
	char longest[MOUNTS_OPTIONS_MAX + 1];
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(mounts_options("ext4", rows[i], found, sizeof(found), &err), -EINVAL);
		assert_int_equal(err.status, ERR_USAGE);
	}
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(mounts_options("ext4", longest, found, sizeof(found), &err), -EMSGSIZE);
}

static void what_is_mounted_is_found_by_its_place(void **state)
{
	struct mounts_entry entry;
	char where[MOUNTS_PATH_MAX];
	struct err err;

	assert_int_equal(mounts_find("/proc", &entry, &err), 1);
	assert_string_equal(entry.filesystem, "proc");
	assert_string_equal(entry.target, "/proc");
	assert_int_equal(mounts_find("/proc/self", &entry, &err), 0);
	assert_int_equal(mounts_find("/nowhere/at/all", &entry, &err), 0);
	assert_int_equal(mounts_find("/", &entry, &err), 1);
	assert_int_equal(mounts_of_device(entry.device, where, sizeof(where), &err), 1);
	assert_int_equal(mounts_of_device(makedev(4095, 77), where, sizeof(where), &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_mountinfo_are_understood),
		cmocka_unit_test(lines_that_are_cut_or_too_long_are_none),
		cmocka_unit_test(options_get_what_xfs_needs),
		cmocka_unit_test(options_that_make_another_mount_are_refused),
		cmocka_unit_test(what_is_mounted_is_found_by_its_place),
	};

	return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
