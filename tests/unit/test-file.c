/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/file.h"

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

static char folder[] = "/tmp/nodevol-test-XXXXXX";

static int make_folder(void **state)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

static int remove_folder(void **state)
{
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct path {
	char text[256];
};

static struct path in_folder(const char *name)
{
	struct path path;

	snprintf(path.text, sizeof(path.text), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *path, const void *data, size_t length)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, length), (ssize_t)length);
	close(fd);
}

static void a_file_is_read_whole_and_added_to_what_was_there(void **state)
{
	struct path path = in_folder("whole");
	struct buf buf CLEANUP_BUF = BUF_INIT(10003);
	struct err err = { 0 };
	char data[10000];

	memset(data, 'x', sizeof(data));
	data[5000] = '\0';
	write_file(path.text, data, sizeof(data));
	buf_add_text(&buf, "abc");
	assert_int_equal(file_read(path.text, &buf, &err), 0);
	assert_int_equal(buf.length, 10003);
	assert_memory_equal(buf.data + 3, data, sizeof(data));
}

static void a_file_that_is_absent_or_too_large_or_a_folder_is_an_error_with_its_path(void **state)
{
	struct path large = in_folder("large");
	struct path absent = in_folder("absent");
	const struct {
		const char *path;
		int code;
	} rows[] = { { large.text, EMSGSIZE }, { absent.text, ENOENT }, { folder, EISDIR } };

	write_file(large.text, "12345", 5);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP_BUF struct buf buf;
		struct err err = { 0 };

		buf_init(&buf, 4);
		assert_int_equal(file_read(rows[i].path, &buf, &err), -rows[i].code);
		assert_int_equal(err.status, ERR_FAILED);
		assert_non_null(strstr(err.message, rows[i].path));
	}
}

static const struct {
	const char *content;
	const char *line;
	int ret;
} lines[] = {
	{ "vol0123\n", "vol0123", 0 },
	{ "  Amazon EBS   \n", "Amazon EBS", 0 },
	{ "first\nsecond\n", "first", 0 },
	{ "no end", "no end", 0 },
	{ "", "", 0 },
	{ " \t \n", "", 0 },
	{ "123456789012345", "123456789012345", 0 },
	{ "1234567890123456", "untouched", -EMSGSIZE },
};

static void a_line_is_read_without_blanks_at_its_ends(void **state)
{
	struct path path = in_folder("line");

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char line[16] = "untouched";
		struct err err = { 0 };

		write_file(path.text, lines[i].content, strlen(lines[i].content));
		assert_int_equal(file_read_line(path.text, line, sizeof(line), &err), lines[i].ret);
		assert_string_equal(line, lines[i].line);
	}
}

static void a_file_is_replaced_as_a_whole_with_the_mode_asked_for(void **state)
{
	struct path path = in_folder("replaced");
	struct buf buf CLEANUP_BUF = BUF_INIT(100);
	struct err err = { 0 };
	struct stat status;
	int before;

	write_file(path.text, "old", 3);
	before = open(path.text, O_RDONLY | O_CLOEXEC);
	umask(077);
	assert_int_equal(file_replace(path.text, "new text", 8, 0644, &err), 0);
	umask(022);
	assert_int_equal(stat(path.text, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_int_equal(file_read(path.text, &buf, &err), 0);
	assert_string_equal(buf.data, "new text");
	/* Whoever has it open still reads the old one. */
	assert_int_equal(fstat(before, &status), 0);
	assert_int_equal(status.st_size, 3);
	assert_int_equal(status.st_nlink, 0);
	close(before);
}

static int count_entries(const char *path)
{
	CLEANUP_CLOSEDIR DIR *directory = opendir(path);
	int count = 0;

	while (readdir(directory))
		count++;
	return count - 2;
}

static void nothing_is_left_behind_where_a_file_could_not_be_replaced(void **state)
{
	struct path inner = in_folder("busy");
	struct path below = in_folder("busy/taken/inside");
	struct path taken = in_folder("busy/taken");
	struct err err = { 0 };

	assert_int_equal(mkdir(inner.text, 0700), 0);
	assert_int_equal(mkdir(taken.text, 0700), 0);
	write_file(below.text, "", 0);
	assert_true(file_replace(taken.text, "x", 1, 0600, &err) < 0);
	assert_int_equal(count_entries(inner.text), 1);
	assert_int_equal(file_replace("/nonexistent/file", "x", 1, 0600, &err), -ENOENT);
}

static void folders_are_made_and_found_again(void **state)
{
	struct path path = in_folder("a/b//c");
	struct err err = { 0 };
	struct stat status;

	umask(077);
	for (int i = 0; i < 2; i++)
		assert_int_equal(file_make_directories(folder, "/a/b//c/", &err), 0);
	umask(022);
	assert_int_equal(stat(path.text, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
	assert_int_equal(file_make_directories("", "/tmp", &err), 0);
}

static void a_symlink_on_the_way_is_refused(void **state)
{
	struct path link = in_folder("link");
	struct path dangling = in_folder("dangling");
	const char *const paths[] = { "/link", "/link/x", "/dangling", "/dangling/x" };

	assert_int_equal(symlink("/tmp", link.text), 0);
	assert_int_equal(symlink("nowhere", dangling.text), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct err err = { 0 };

		assert_int_equal(file_make_directories(folder, paths[i], &err), -ELOOP);
		assert_int_equal(err.status, ERR_REFUSED);
		assert_non_null(strstr(err.message, "is a symlink"));
	}
}

static void the_root_itself_may_be_reached_by_a_symlink(void **state)
{
	struct path link = in_folder("root-link");
	struct path made = in_folder("behind");
	struct err err = { 0 };

	assert_int_equal(symlink(folder, link.text), 0);
	assert_int_equal(file_make_directories(link.text, "/behind", &err), 0);
	assert_int_equal(access(made.text, F_OK), 0);
}

static void paths_that_are_no_folders_are_errors(void **state)
{
	struct path file = in_folder("file");
	char long_path[400] = "/";
	const struct {
		const char *path;
		int code;
	} rows[] = { { "/file/x", ENOTDIR }, { "/file", ENOTDIR }, { "/a/../b", EINVAL }, { long_path, ENAMETOOLONG } };

	write_file(file.text, "", 0);
	memset(long_path + 1, 'n', 300);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = { 0 };

		assert_int_equal(file_make_directories(folder, rows[i].path, &err), -rows[i].code);
	}
}

static void all_is_read_and_written_at_a_place_or_it_is_an_error(void **state)
{
	struct path path = in_folder("place");
	char data[6];
	int fd;

	write_file(path.text, "0123456789", 10);
	fd = open(path.text, O_RDWR | O_CLOEXEC);
	assert_int_equal(file_pwrite_all(fd, "abc", 3, 4), 0);
	assert_int_equal(file_pread_all(fd, data, 6, 2), 0);
	assert_memory_equal(data, "23abc7", 6);
	assert_int_equal(file_pread_all(fd, data, 6, 5), -EIO);
	assert_int_equal(file_pread_all(-1, data, 6, 5), -EBADF);
	close(fd);
	fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(file_pwrite_all(fd, "abc", 3, 0), -ENOSPC);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_whole_and_added_to_what_was_there),
		cmocka_unit_test(a_file_that_is_absent_or_too_large_or_a_folder_is_an_error_with_its_path),
		cmocka_unit_test(a_line_is_read_without_blanks_at_its_ends),
		cmocka_unit_test(a_file_is_replaced_as_a_whole_with_the_mode_asked_for),
		cmocka_unit_test(nothing_is_left_behind_where_a_file_could_not_be_replaced),
		cmocka_unit_test(folders_are_made_and_found_again),
		cmocka_unit_test(a_symlink_on_the_way_is_refused),
		cmocka_unit_test(the_root_itself_may_be_reached_by_a_symlink),
		cmocka_unit_test(paths_that_are_no_folders_are_errors),
		cmocka_unit_test(all_is_read_and_written_at_a_place_or_it_is_an_error),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
