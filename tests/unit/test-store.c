/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/node/store.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/file.h"

#define STORE "/var/lib/containerd"
#define BOLT  STORE "/io.containerd.metadata.v1.bolt"
#define MARK  "/.nodevol-copy-unfinished"

static char root[64];

struct path {
	char text[512];
};

static struct path at(const char *name)
{
	struct path path;

	snprintf(path.text, sizeof(path.text), "%s%s", root, name);
	return path;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

static void make_directory(const char *name)
{
	struct err err;

	assert_int_equal(file_make_directories(root, name, &err), 0);
}

static void put(const char *name, const char *text)
{
	struct err err;

	assert_int_equal(file_replace(at(name).text, text, strlen(text), 0644, &err), 0);
}

static bool exists(const char *name)
{
	struct stat status;

	return lstat(at(name).text, &status) == 0;
}

/* A host with a store and an empty volume, and no process but one. */
static int make_root(void **state)
{
	snprintf(root, sizeof(root), "/tmp/nodevol-test-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	make_directory(BOLT);
	make_directory("/volume/lost+found");
	make_directory("/proc/77/fd");
	put("/proc/77/comm", "containerd\n");
	put(BOLT "/meta.db", "bolt");
	put(STORE "/blob", "image");
	return 0;
}

static int remove_root(void **state)
{
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int move(enum store_kind kind, struct err *err)
{
	struct path source = at(STORE);
	struct path destination = at("/volume");
	struct store_move wanted = {
		.root = root, .kind = kind, .source = source.text, .destination = destination.text,
		.deadline = deadline_in_ms(600000),
	};
	uint64_t files;
	uint64_t bytes;

	return store_move_onto(&wanted, &files, &bytes, err);
}

static void kinds_are_told_by_the_path(void **state)
{
	static const struct {
		const char *path;
		enum store_kind kind;
	} rows[] = {
		{ "/var/lib/containerd", STORE_CONTAINERD }, { "/var/lib/kubelet", STORE_KUBELET },
		{ "/var/log/pods", STORE_LOGS },	     { "/var/lib/containerd/", STORE_NONE },
		{ "/mnt/containerd", STORE_NONE },	     { "/var/lib", STORE_NONE },
		{ "", STORE_NONE },			     { "/", STORE_NONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(store_kind_of(rows[i].path), rows[i].kind);
}

static void an_empty_lost_and_found_and_marks_are_no_content(void **state)
{
	char name[NAME_MAX + 1] = "";
	struct err err;

	assert_int_equal(store_has_content(at("/volume").text, name, sizeof(name), &err), 0);
	put("/volume" MARK, "x");
	put("/volume" MARK ".aB3xYz", "left over from a mark that was cut short");
	assert_int_equal(store_has_content(at("/volume").text, name, sizeof(name), &err), 0);
	assert_int_equal(store_has_content(at("/nothing").text, name, sizeof(name), &err), 0);
	put("/volume/lost+found/#11", "saved by e2fsck");
	assert_int_equal(store_has_content(at("/volume").text, name, sizeof(name), &err), 1);
	assert_string_equal(name, "lost+found");
	assert_int_equal(store_has_content(at(STORE).text, NULL, 0, &err), 1);
	assert_int_equal(store_has_content(at(STORE "/blob").text, NULL, 0, &err), -ENOTDIR);
}

static void a_file_called_lost_and_found_is_content(void **state)
{
	struct err err;

	assert_int_equal(rmdir(at("/volume/lost+found").text), 0);
	put("/volume/lost+found", "a file");
	assert_int_equal(store_has_content(at("/volume").text, NULL, 0, &err), 1);
}

static void a_copy_is_whole_and_without_a_mark(void **state)
{
	struct err err;

	put("/volume" MARK ".aB3xYz", "left over");
	assert_int_equal(move(STORE_CONTAINERD, &err), 0);
	assert_true(exists("/volume/io.containerd.metadata.v1.bolt/meta.db") && exists("/volume/blob"));
	assert_false(exists("/volume" MARK) || exists("/volume" MARK ".aB3xYz"));
	assert_true(exists("/volume/lost+found") && exists(STORE "/blob"));
	assert_true(store_is_whole(STORE_CONTAINERD, at("/volume").text));
}

static void a_volume_with_files_is_not_copied_onto(void **state)
{
	struct err err;

	put("/volume/theirs", "data");
	assert_int_equal(move(STORE_CONTAINERD, &err), -EEXIST);
	assert_int_equal(err.status, ERR_REFUSED);
	assert_non_null(strstr(err.message, "theirs"));
	assert_false(exists("/volume/blob") || exists("/volume" MARK));
	assert_false(store_is_whole(STORE_CONTAINERD, at("/volume").text));
	assert_true(store_is_whole(STORE_KUBELET, at("/volume").text));
}

static void an_unfinished_copy_is_made_anew(void **state)
{
	struct err err;

	put("/volume" MARK, "containerd's store");
	put("/volume/blob", "of an earlier copy, and longer than what it is now");
	put("/volume" MARK ".AbCdEf", "a mark that was being written");
	assert_int_equal(store_copy_unfinished(at("/volume").text, &err), 1);
	assert_int_equal(move(STORE_CONTAINERD, &err), 0);
	assert_true(exists("/volume/blob"));
	assert_false(exists("/volume" MARK ".AbCdEf"));
	assert_int_equal(store_copy_unfinished(at("/volume").text, &err), 0);
}

static void what_is_not_of_the_copy_is_not_removed_for_it(void **state)
{
	struct err err;

	put("/volume" MARK, "containerd's store");
	put("/volume/theirs", "put there by hand meanwhile");
	assert_int_equal(move(STORE_CONTAINERD, &err), -EEXIST);
	assert_int_equal(err.status, ERR_REFUSED);
	assert_non_null(strstr(err.message, "theirs"));
	assert_true(exists("/volume/theirs"));
}

static void a_copy_that_was_used_since_it_was_cut_short_is_not_removed(void **state)
{
	struct err err;

	put("/volume" MARK, "containerd's store");
	mkdir(at("/volume/io.containerd.metadata.v1.bolt").text, 0755);
	put("/volume/io.containerd.metadata.v1.bolt" "/meta.db", "BOLT");
	assert_int_equal(move(STORE_CONTAINERD, &err), -EEXIST);
	assert_int_equal(err.status, ERR_REFUSED);
	assert_non_null(strstr(err.message, "used since"));
	assert_true(exists("/volume/io.containerd.metadata.v1.bolt" "/meta.db"));
}

static void an_unfinished_copy_of_something_else_stays(void **state)
{
	static const char *const marks[] = { "kubelet's directory", "", "containerd's store and more" };

	put("/volume/part", "of an earlier copy");
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		struct err err;

		put("/volume" MARK, marks[i]);
		assert_int_equal(move(STORE_CONTAINERD, &err), -EEXIST);
		assert_int_equal(err.status, ERR_REFUSED);
		assert_true(exists("/volume/part"));
	}
}

static void an_unfinished_copy_stays_when_there_is_nothing_to_copy(void **state)
{
	struct err err;

	put("/volume" MARK, "containerd's store");
	put("/volume/part", "of an earlier copy");
	unlink(at(BOLT "/meta.db").text);
	rmdir(at(BOLT).text);
	unlink(at(STORE "/blob").text);
	assert_int_equal(move(STORE_CONTAINERD, &err), -EEXIST);
	assert_int_equal(err.status, ERR_REFUSED);
	assert_true(exists("/volume/part"));
}

static void whoever_has_the_database_locked_is_at_work(void **state)
{
	int fd = open(at(BOLT "/meta.db").text, O_RDWR | O_CLOEXEC);
	struct err err;

	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(store_check_stopped(root, STORE_CONTAINERD, at(STORE).text, &err), -EBUSY);
	assert_int_equal(err.status, ERR_REFUSED);
	assert_int_equal(move(STORE_CONTAINERD, &err), -EBUSY);
	assert_false(exists("/volume" MARK));
	assert_int_equal(store_check_stopped(root, STORE_KUBELET, at(STORE).text, &err), 0);
	assert_int_equal(flock(fd, LOCK_UN), 0);
	assert_int_equal(store_check_stopped(root, STORE_CONTAINERD, at(STORE).text, &err), 0);
	close(fd);
}

static void whoever_has_a_file_open_or_stands_there_is_at_work(void **state)
{
	/* As links in /proc are: by the path that we see, or by the host's for the same file. */
	static const char *const rows[] = { "/proc/77/fd/3", "/proc/77/cwd", "/proc/77/root" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err;

		assert_int_equal(symlink(at(STORE "/blob").text, at(rows[i]).text), 0);
		assert_int_equal(store_check_stopped(root, STORE_KUBELET, at(STORE).text, &err), -EBUSY);
		assert_non_null(strstr(err.message, "containerd (pid 77)"));
		assert_int_equal(unlink(at(rows[i]).text), 0);
		assert_int_equal(symlink(at("/var/lib/containerd-not").text, at(rows[i]).text), 0);
		assert_int_equal(store_check_stopped(root, STORE_KUBELET, at(STORE).text, &err), 0);
		assert_int_equal(unlink(at(rows[i]).text), 0);
		/* The machine's own store is another file than that of this root. */
		assert_int_equal(symlink(STORE "/blob", at(rows[i]).text), 0);
		assert_int_equal(store_check_stopped(root, STORE_KUBELET, at(STORE).text, &err), 0);
		assert_int_equal(unlink(at(rows[i]).text), 0);
	}
}

#define ROOT_TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_told_by_the_path),
		ROOT_TEST(an_empty_lost_and_found_and_marks_are_no_content),
		ROOT_TEST(a_file_called_lost_and_found_is_content),
		ROOT_TEST(a_copy_is_whole_and_without_a_mark),
		ROOT_TEST(a_volume_with_files_is_not_copied_onto),
		ROOT_TEST(an_unfinished_copy_is_made_anew),
		ROOT_TEST(what_is_not_of_the_copy_is_not_removed_for_it),
		ROOT_TEST(a_copy_that_was_used_since_it_was_cut_short_is_not_removed),
		ROOT_TEST(an_unfinished_copy_of_something_else_stays),
		ROOT_TEST(an_unfinished_copy_stays_when_there_is_nothing_to_copy),
		ROOT_TEST(whoever_has_the_database_locked_is_at_work),
		ROOT_TEST(whoever_has_a_file_open_or_stands_there_is_at_work),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
