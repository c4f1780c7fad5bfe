/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/treecopy.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/hardlinks.h"
#include "bootstrap/sys/treeclear.h"

static char folder[64];

struct path {
	char text[512];
};

static struct path at(const char *name)
{
	struct path path;

	snprintf(path.text, sizeof(path.text), "%s/%s", folder, name);
	return path;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

static int make_folder(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/nodevol-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	return mkdir(at("from").text, 0755) || mkdir(at("to").text, 0755);
}

static int remove_folder(void **state)
{
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_file(const char *name, const char *text)
{
	int fd = open(at(name).text, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void make_directory(const char *name)
{
	assert_int_equal(mkdir(at(name).text, 0755), 0);
}

static void assert_text(const char *name, const char *expected)
{
	char found[64] = "";
	int fd = open(at(name).text, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, found, sizeof(found) - 1) >= 0);
	close(fd);
	assert_string_equal(found, expected);
}

static struct stat look(const char *name)
{
	struct stat status;

	assert_int_equal(lstat(at(name).text, &status), 0);
	return status;
}

static bool exists(const char *name)
{
	struct stat status;

	return lstat(at(name).text, &status) == 0;
}

/* Far away. */
static const struct deadline deadline = { .at_ms = INT64_MAX / 2 };

static void copy(const char *last, struct treecopy_result *result)
{
	struct err err;
	int ret = treecopy_copy(at("from").text, at("to").text, last, &deadline, result, &err);

	if (ret < 0)
		fail_msg("%s", err.message);
}

static void files_links_modes_and_times_are_copied(void **state)
{
	const struct timespec times[2] = { { 1000000000, 1 }, { 1200000000, 123456789 } };
	struct treecopy_result result;
	char text[64] = "";

	make_directory("from/a");
	make_file("from/a/file", "content");
	assert_int_equal(chmod(at("from/a/file").text, 04640), 0);
	assert_int_equal(symlink("../nowhere", at("from/link").text), 0);
	assert_int_equal(mkfifo(at("from/fifo").text, 0600), 0);
	assert_int_equal(utimensat(AT_FDCWD, at("from/a/file").text, times, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, at("from/link").text, times, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(chmod(at("from/a").text, 0750), 0);
	assert_int_equal(utimensat(AT_FDCWD, at("from/a").text, times, 0), 0);
	assert_int_equal(chmod(at("from").text, 0711), 0);
	assert_int_equal(utimensat(AT_FDCWD, at("from").text, times, 0), 0);
	copy(NULL, &result);
	assert_int_equal(result.files, 3);
	assert_int_equal(result.bytes, 7);
	assert_text("to/a/file", "content");
	assert_int_equal(look("to/a/file").st_mode, S_IFREG | 04640);
	assert_int_equal(look("to/a").st_mode, S_IFDIR | 0750);
	assert_int_equal(look("to").st_mode, S_IFDIR | 0711);
	assert_true(S_ISFIFO(look("to/fifo").st_mode));
	assert_int_equal(readlink(at("to/link").text, text, sizeof(text) - 1), 10);
	assert_string_equal(text, "../nowhere");
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = { "to", "to/a", "to/a/file", "to/link" };
		struct stat status = look(names[i]);

		assert_int_equal(status.st_mtim.tv_sec, times[1].tv_sec);
		assert_int_equal(status.st_mtim.tv_nsec, times[1].tv_nsec);
	}
}

static void names_of_one_file_stay_names_of_one_file(void **state)
{
	struct treecopy_result result;

	make_directory("from/a");
	make_directory("from/b");
	make_file("from/a/one", "same");
	assert_int_equal(link(at("from/a/one").text, at("from/b/two").text), 0);
	assert_int_equal(link(at("from/a/one").text, at("from/three").text), 0);
	copy(NULL, &result);
	assert_int_equal(result.files, 3);
	assert_int_equal(result.bytes, 4);
	assert_int_equal(look("to/a/one").st_nlink, 3);
	assert_int_equal(look("to/a/one").st_ino, look("to/b/two").st_ino);
	assert_int_equal(look("to/a/one").st_ino, look("to/three").st_ino);
}

static void a_name_outside_of_the_tree_is_no_name_of_the_copy(void **state)
{
	struct treecopy_result result;

	make_file("outside", "shared");
	assert_int_equal(link(at("outside").text, at("from/inside").text), 0);
	copy(NULL, &result);
	assert_int_equal(look("to/inside").st_nlink, 1);
	assert_int_equal(look("outside").st_nlink, 2);
}

static void the_last_file_is_there_and_its_folder_as_it_was(void **state)
{
	const struct timespec times[2] = { { 1000000000, 1 }, { 1200000000, 5 } };
	struct treecopy_result result;

	make_directory("from/db");
	make_file("from/db/meta", "last");
	make_file("from/db/other", "before");
	assert_int_equal(utimensat(AT_FDCWD, at("from/db").text, times, 0), 0);
	copy("db/meta", &result);
	assert_int_equal(result.files, 2);
	assert_text("to/db/meta", "last");
	assert_int_equal(look("to/db").st_mtim.tv_sec, times[1].tv_sec);
}

static void a_last_file_that_is_not_there_is_not_missed(void **state)
{
	static const char *const rows[] = { "db/meta", "nothing", "a/b/c/d" };
	struct treecopy_result result;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		copy(rows[i], &result);
	assert_int_equal(result.files, 0);
}

static void sockets_are_not_copied(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct treecopy_result result;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/from/socket", folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	copy(NULL, &result);
	assert_int_equal(result.files, 0);
	assert_false(exists("to/socket"));
}

static void holes_stay_holes(void **state)
{
	struct treecopy_result result;
	int fd = open(at("from/sparse").text, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_int_equal(pwrite(fd, "middle", 6, 5 << 20), 6);
	assert_int_equal(ftruncate(fd, 20 << 20), 0);
	assert_int_equal(fsync(fd), 0);
	close(fd);
	copy(NULL, &result);
	assert_int_equal(look("to/sparse").st_size, 20 << 20);
	assert_true(look("to/sparse").st_blocks * 512 < 1 << 20);
	assert_true(result.bytes < 1 << 20);
	fd = open(at("to/sparse").text, O_RDONLY | O_CLOEXEC);
	for (off_t offset = (5 << 20) - 1; offset < (5 << 20) + 7; offset++) {
		char found;
		off_t into = offset - (5 << 20);

		assert_int_equal(pread(fd, &found, 1, offset), 1);
		assert_int_equal(found, into >= 0 && into < 6 ? "middle"[into] : 0);
	}
	close(fd);
}

static void a_file_that_is_in_the_way_is_an_error_with_its_path(void **state)
{
	struct treecopy_result result;
	struct err err;

	make_directory("from/a");
	make_file("from/a/file", "new");
	make_directory("to/a");
	make_file("to/a/file", "old");
	assert_int_equal(treecopy_copy(at("from").text, at("to").text, NULL, &deadline, &result, &err), -EEXIST);
	assert_non_null(strstr(err.message, "/from/a/file'"));
	assert_text("to/a/file", "old");
}

static void a_source_or_destination_that_is_not_there_is_an_error(void **state)
{
	struct treecopy_result result;
	struct err err;

	assert_int_equal(treecopy_copy(at("nothing").text, at("to").text, NULL, &deadline, &result, &err), -ENOENT);
	assert_int_equal(treecopy_copy(at("from").text, at("nothing").text, NULL, &deadline, &result, &err), -ENOENT);
	make_file("file", "");
	assert_int_equal(treecopy_copy(at("file").text, at("to").text, NULL, &deadline, &result, &err), -ENOTDIR);
}

static void a_folder_that_is_emptied_keeps_what_is_named_and_what_links_lead_to(void **state)
{
	static const char *const kept[] = { "mark", "lost+found", NULL };
	struct err err;

	make_directory("outside");
	make_file("outside/file", "safe");
	make_file("to/mark", "kept");
	make_directory("to/lost+found");
	make_file("to/lost+found/file", "kept too");
	make_directory("to/a");
	make_directory("to/a/b");
	make_directory("to/a/c");
	make_file("to/a/b/file", "gone");
	make_file("to/a/mark", "gone: only at the top");
	make_directory("to/d");
	assert_int_equal(symlink("../../outside", at("to/d/link").text), 0);
	assert_int_equal(treeclear_all_but(at("to").text, kept, &err), 0);
	assert_false(exists("to/a") || exists("to/d"));
	assert_text("to/mark", "kept");
	assert_text("to/lost+found/file", "kept too");
	assert_text("outside/file", "safe");
	assert_int_equal(treeclear_all_but(at("to").text, kept, &err), 0);
	assert_int_equal(treeclear_all_but(at("nothing").text, kept, &err), -ENOENT);
}

static void inodes_are_remembered_until_all_their_names_were_used(void **state)
{
	struct hardlinks links = { 0 };

	assert_null(hardlinks_find(&links, 7));
	for (ino_t ino = 1; ino <= 100; ino++)
		assert_int_equal(hardlinks_add(&links, ino, 2, ino == 7 ? "seven" : "another"), 0);
	assert_string_equal(hardlinks_find(&links, 7), "seven");
	hardlinks_used(&links, 7);
	assert_string_equal(hardlinks_find(&links, 7), "seven");
	assert_int_equal(hardlinks_add(&links, 7, 9, "moved"), 0);
	assert_string_equal(hardlinks_find(&links, 7), "moved");
	hardlinks_used(&links, 7);
	assert_null(hardlinks_find(&links, 7));
	hardlinks_used(&links, 7);
	assert_string_equal(hardlinks_find(&links, 8), "another");
	hardlinks_done(&links);
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

static void the_deadline_ends_a_copy(void **state)
{
	const struct deadline passed = { .at_ms = 0 };
	struct treecopy_result result;
	struct err err = { 0 };

	make_file("from/file", "content");
	assert_int_equal(treecopy_copy(at("from").text, at("to").text, NULL, &passed, &result, &err), -ETIMEDOUT);
	assert_int_equal(err.status, ERR_RETRY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOLDER_TEST(files_links_modes_and_times_are_copied),
		FOLDER_TEST(names_of_one_file_stay_names_of_one_file),
		FOLDER_TEST(a_name_outside_of_the_tree_is_no_name_of_the_copy),
		FOLDER_TEST(the_last_file_is_there_and_its_folder_as_it_was),
		FOLDER_TEST(a_last_file_that_is_not_there_is_not_missed),
		FOLDER_TEST(sockets_are_not_copied),
		FOLDER_TEST(holes_stay_holes),
		FOLDER_TEST(the_deadline_ends_a_copy),
		FOLDER_TEST(a_file_that_is_in_the_way_is_an_error_with_its_path),
		FOLDER_TEST(a_source_or_destination_that_is_not_there_is_an_error),
		FOLDER_TEST(a_folder_that_is_emptied_keeps_what_is_named_and_what_links_lead_to),
		cmocka_unit_test(inodes_are_remembered_until_all_their_names_were_used),
	};

	return cmocka_run_group_tests_name("treecopy", tests, NULL, NULL);
}
