/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/node/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/file.h"

#define RUNTIME "/run/systemd/system"
#define ETC	"/etc/systemd/system"

static char root[64];

static int make_root(void **state)
{
	snprintf(root, sizeof(root), "/tmp/nodevol-test-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

static int remove_root(void **state)
{
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *in_root(const char *path)
{
	static char text[512];

	snprintf(text, sizeof(text), "%s%s", root, path);
	return text;
}

static void assert_file(const char *path, const char *expected)
{
	struct buf found CLEANUP_BUF = BUF_INIT(4096);
	struct err err;

	assert_int_equal(file_read(in_root(path), &found, &err), 0);
	assert_string_equal(found.data, expected);
}

static void put_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	struct err err;

	assert_int_equal(file_make_directories(root, folder, &err), 0);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(file_replace(in_root(path), text, strlen(text), 0644, &err), 0);
}

static void names_are_systemd_s(void **state)
{
	static const struct {
		const char *path;
		const char *suffix;
		const char *name;
	} rows[] = {
		{ "/var/lib/containerd", ".mount", "var-lib-containerd.mount" },
		{ "/", ".mount", "-.mount" },
		{ "///", ".mount", "-.mount" },
		{ "/mnt/", ".mount", "mnt.mount" },
		{ "//mnt///data//", ".mount", "mnt-data.mount" },
		{ "/mnt/my-data", ".mount", "mnt-my\\x2ddata.mount" },
		{ "/.hidden", ".mount", "\\x2ehidden.mount" },
		{ "/mnt/.hidden", ".mount", "mnt-.hidden.mount" },
		{ "/mnt/a b", ".mount", "mnt-a\\x20b.mount" },
		{ "/mnt/\\", ".mount", "mnt-\\x5c.mount" },
		{ "/mnt/\xc3\xa9", ".mount", "mnt-\\xc3\\xa9.mount" },
		{ "/mnt/a:b_c.d", ".mount", "mnt-a:b_c.d.mount" },
		{ "/mnt/...", ".mount", "mnt-....mount" },
		{ "/mnt/a@b%c", ".mount", "mnt-a\\x40b\\x25c.mount" },
		{ "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123", ".device",
		  "dev-disk-by\\x2did-nvme\\x2dAmazon_Elastic_Block_Store_vol0123.device" },
	};
	char name[UNIT_NAME_MAX];
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(unit_name(rows[i].path, rows[i].suffix, name, sizeof(name), &err), 0);
		assert_string_equal(name, rows[i].name);
	}
}

static void paths_that_have_no_name_are_refused(void **state)
{
	static const char *const rows[] = { "", "mnt", "/mnt/..", "/../mnt", "/mnt/./a", "/." };
	char name[UNIT_NAME_MAX];
	char longest[UNIT_NAME_MAX];
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(unit_name(rows[i], ".mount", name, sizeof(name), &err), -EINVAL);
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - sizeof(".mount")] = '\0';
	assert_int_equal(unit_name(longest, ".mount", name, sizeof(name), &err), 0);
	assert_int_equal(strlen(name), UNIT_NAME_MAX - 2);
	longest[sizeof(longest) - sizeof(".mount")] = 'a';
	longest[sizeof(longest) - sizeof(".mount") + 2] = '\0';
	assert_int_equal(unit_name(longest, ".mount", name, sizeof(name), &err), -ENAMETOOLONG);
}

static const struct unit_mount containerd = {
	.what = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123",
	.where = "/var/lib/containerd",
	.type = "xfs",
	.options = "nosuid,nodev,nouuid",
};

#define OURS "# Written by nodevol, which writes it anew when it differs.\n"
#define CONTAINERD_UNIT                                                                      \
	OURS "[Unit]\nDocumentation=man:ebs-mount(8)\nDescription=/var/lib/containerd\n"     \
	     "\n[Mount]\nWhat=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123\n"     \
	     "Where=/var/lib/containerd\nType=xfs\nOptions=nosuid,nodev,nouuid\n"            \
	     "\n[Install]\nWantedBy=multi-user.target\n"

static void a_runtime_unit_is_written_once(void **state)
{
	enum unit_outcome outcome;
	struct err err;

	assert_int_equal(unit_write(root, &containerd, UNIT_RUNTIME, false, &outcome, &err), 0);
	assert_int_equal(outcome, UNIT_WRITTEN);
	assert_file(RUNTIME "/var-lib-containerd.mount", CONTAINERD_UNIT);
	assert_int_equal(access(in_root("/etc"), F_OK), -1);
	assert_int_equal(unit_write(root, &containerd, UNIT_RUNTIME, false, &outcome, &err), 0);
	assert_int_equal(outcome, UNIT_SAME);
}

static void a_unit_in_etc_is_enabled_and_its_wait_is_bounded(void **state)
{
	static const char *const wants = ETC "/multi-user.target.wants/var-lib-containerd.mount";
	enum unit_outcome outcome;
	char target[256] = "";
	struct err err;

	assert_int_equal(unit_write(root, &containerd, UNIT_ETC, false, &outcome, &err), 0);
	assert_int_equal(outcome, UNIT_WRITTEN);
	assert_file(ETC "/var-lib-containerd.mount", CONTAINERD_UNIT);
	assert_true(readlink(in_root(wants), target, sizeof(target) - 1) > 0);
	assert_string_equal(target, ETC "/var-lib-containerd.mount");
	assert_file(ETC "/dev-disk-by\\x2did-nvme\\x2dAmazon_Elastic_Block_Store_vol0123.device.d/50-nodevol.conf",
		    OURS "[Unit]\nJobRunningTimeoutSec=60s\n");
	assert_int_equal(unit_write(root, &containerd, UNIT_ETC, false, &outcome, &err), 0);
	assert_int_equal(outcome, UNIT_SAME);
}

static void what_is_missing_of_a_unit_in_etc_is_made_again(void **state)
{
	static const char *const parts[] = {
		ETC "/var-lib-containerd.mount",
		ETC "/multi-user.target.wants/var-lib-containerd.mount",
		ETC "/dev-disk-by\\x2did-nvme\\x2dAmazon_Elastic_Block_Store_vol0123.device.d/50-nodevol.conf",
	};
	enum unit_outcome outcome;
	struct stat status;
	struct err err;

	assert_int_equal(unit_write(root, &containerd, UNIT_ETC, false, &outcome, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		assert_int_equal(unlink(in_root(parts[i])), 0);
		assert_int_equal(unit_write(root, &containerd, UNIT_ETC, true, &outcome, &err), 0);
		assert_int_equal(outcome, UNIT_WRITTEN);
		assert_int_equal(lstat(in_root(parts[i]), &status), -1);
		assert_int_equal(unit_write(root, &containerd, UNIT_ETC, false, &outcome, &err), 0);
		assert_int_equal(outcome, UNIT_WRITTEN);
		assert_int_equal(lstat(in_root(parts[i]), &status), 0);
	}
	unlink(in_root(parts[1]));
	assert_int_equal(symlink("/somewhere/else", in_root(parts[1])), 0);
	assert_int_equal(unit_write(root, &containerd, UNIT_ETC, false, &outcome, &err), 0);
	assert_int_equal(outcome, UNIT_WRITTEN);
	assert_int_equal(unit_write(root, &containerd, UNIT_ETC, false, &outcome, &err), 0);
	assert_int_equal(outcome, UNIT_SAME);
}

static void a_bind_mount_waits_for_what_it_is_bound_from_and_bounds_no_device(void **state)
{
	const struct unit_mount kubelet = {
		.what = "/run/nodevol/volumes/node/kubelet",
		.where = "/var/lib/kubelet",
		.type = "none",
		.options = "bind",
		.after = "/run/nodevol/volumes/node",
	};
	enum unit_outcome outcome;
	struct err err;

	assert_int_equal(unit_write(root, &kubelet, UNIT_ETC, false, &outcome, &err), 0);
	assert_file(
		ETC "/var-lib-kubelet.mount", OURS
		"[Unit]\nDocumentation=man:ebs-mount(8)\nDescription=/var/lib/kubelet\n"
		"RequiresMountsFor=\"/run/nodevol/volumes/node\"\n"
		"\n[Mount]\nWhat=/run/nodevol/volumes/node/kubelet\nWhere=/var/lib/kubelet\nType=none\nOptions=bind\n"
		"\n[Install]\nWantedBy=multi-user.target\n");
	assert_int_equal(access(in_root(ETC "/multi-user.target.wants"), F_OK), 0);
}

static void a_unit_that_is_not_ours_is_left_alone(void **state)
{
	static const struct {
		const char *folder;
		enum unit_persist persist;
	} rows[] = { { RUNTIME, UNIT_RUNTIME }, { ETC, UNIT_RUNTIME }, { ETC, UNIT_ETC } };
	static const char *const theirs = "[Mount]\nWhat=/dev/sdz\nWhere=/var/lib/containerd\n";

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum unit_outcome outcome;
		char path[256];
		struct err err;

		put_file(rows[i].folder, "var-lib-containerd.mount", theirs);
		assert_int_equal(unit_write(root, &containerd, rows[i].persist, false, &outcome, &err), 0);
		assert_int_equal(outcome, UNIT_FOREIGN);
		snprintf(path, sizeof(path), "%s/var-lib-containerd.mount", rows[i].folder);
		assert_file(path, theirs);
		assert_int_equal(unlink(in_root(path)), 0);
	}
}

static void a_unit_of_ours_that_differs_is_replaced(void **state)
{
	enum unit_outcome outcome;
	struct err err;

	put_file(RUNTIME, "var-lib-containerd.mount", OURS "[Mount]\nWhat=/dev/disk/by-uuid/old\n");
	assert_int_equal(unit_write(root, &containerd, UNIT_RUNTIME, false, &outcome, &err), 0);
	assert_int_equal(outcome, UNIT_WRITTEN);
	assert_file(RUNTIME "/var-lib-containerd.mount", CONTAINERD_UNIT);
}

static void percent_signs_are_no_specifiers_and_bad_characters_no_lines(void **state)
{
	static const char *const bad[] = { "/mnt/a\nExecStart=/bin/sh", "/mnt/a\\", "/mnt/a ", "/mnt/\x7f", "/mnt/\t" };
	struct unit_mount mount = containerd;
	enum unit_outcome outcome;
	struct buf found CLEANUP_BUF = BUF_INIT(4096);
	struct err err;

	mount.where = "/mnt/100%h";
	assert_int_equal(unit_write(root, &mount, UNIT_RUNTIME, false, &outcome, &err), 0);
	assert_int_equal(file_read(in_root(RUNTIME "/mnt-100\\x25h.mount"), &found, &err), 0);
	assert_non_null(strstr(found.data, "\nWhere=/mnt/100%%h\n"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		mount.where = bad[i];
		assert_int_equal(unit_write(root, &mount, UNIT_RUNTIME, false, &outcome, &err), -EINVAL);
	}
}

static void nothing_is_written_when_nothing_is_wanted_or_in_a_dry_run(void **state)
{
	enum unit_outcome outcome;
	struct err err;

	assert_int_equal(unit_write(root, &containerd, UNIT_NO, false, &outcome, &err), 0);
	assert_int_equal(outcome, UNIT_SAME);
	assert_int_equal(unit_write(root, &containerd, UNIT_ETC, true, &outcome, &err), 0);
	assert_int_equal(outcome, UNIT_WRITTEN);
	assert_int_equal(access(in_root("/etc"), F_OK), -1);
	assert_int_equal(access(in_root("/run"), F_OK), -1);
}

static void the_systemd_of_another_root_is_not_told(void **state)
{
	struct deadline deadline = deadline_in_ms(0);
	struct err err;

	assert_int_equal(file_make_directories(root, RUNTIME, &err), 0);
	assert_int_equal(unit_reload(root, &deadline, &err), 0);
}

#define ROOT_TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_systemd_s),
		cmocka_unit_test(paths_that_have_no_name_are_refused),
		ROOT_TEST(a_runtime_unit_is_written_once),
		ROOT_TEST(a_unit_in_etc_is_enabled_and_its_wait_is_bounded),
		ROOT_TEST(what_is_missing_of_a_unit_in_etc_is_made_again),
		ROOT_TEST(a_bind_mount_waits_for_what_it_is_bound_from_and_bounds_no_device),
		ROOT_TEST(a_unit_that_is_not_ours_is_left_alone),
		ROOT_TEST(a_unit_of_ours_that_differs_is_replaced),
		ROOT_TEST(percent_signs_are_no_specifiers_and_bad_characters_no_lines),
		ROOT_TEST(nothing_is_written_when_nothing_is_wanted_or_in_a_dry_run),
		ROOT_TEST(the_systemd_of_another_root_is_not_told),
	};

	return cmocka_run_group_tests_name("unit", tests, NULL, NULL);
}
