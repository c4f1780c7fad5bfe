/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/blkdev.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

static char path[64];

static int make_image(void **state)
{
	int fd;

	snprintf(path, sizeof(path), "/var/tmp/nodevol-test-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 || ftruncate(fd, 8192) < 0 || close(fd) < 0 ? -1 : 0;
}

static int remove_image(void **state)
{
	return unlink(path);
}

static void all_spellings_of_a_device_name_are_one(void **state)
{
	static const struct {
		const char *name;
		const char *normalised;
	} rows[] = {
		{ "/dev/sdb", "sdb" },	 { "/dev/xvdb", "sdb" }, { "sdb", "sdb" },	     { "xvdb", "sdb" },
		{ "/dev/xvdba", "sdba" }, { "sda1", "sda1" },	  { "/dev/nvme1n1", "nvme1n1" }, { "", "" },
		{ "/dev/", "" },	 { "xvd", "sd" },
	};
	char out[32];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		blkdev_normalise_name(rows[i].name, out, sizeof(out));
		assert_string_equal(out, rows[i].normalised);
	}
	blkdev_normalise_name("/dev/xvdabcdef", out, 5);
	assert_string_equal(out, "sdab");
}

static void an_image_has_the_size_of_its_file(void **state)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	struct err err = { 0 };

	assert_int_equal(blkdev_open_image(path, &device, &err), 0);
	assert_int_equal(device.size_bytes, 8192);
	assert_string_equal(device.path, path);
	assert_string_equal(device.identity, "");
	assert_true(device.fd >= 0);
	assert_true(device.sector_bytes >= 512);
}

static void what_is_no_image_is_named(void **state)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	struct err err = { 0 };

	assert_int_equal(blkdev_open_image("/var/tmp", &device, &err), -EINVAL);
	assert_string_equal(err.message, "'/var/tmp' is not an ordinary file");
	assert_int_equal(blkdev_open_image("/var/tmp/there/is/none", &device, &err), -ENOENT);
	assert_int_equal(err.status, ERR_ABSENT);
	assert_int_equal(device.fd, -1);
}

static void a_file_is_not_taken_for_a_disk(void **state)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	struct deadline deadline = deadline_in_ms(0);
	struct err err = { 0 };

	assert_int_equal(blkdev_open("", path, &deadline, &device, &err), -ENOTBLK);
	assert_int_equal(err.status, ERR_USAGE);
	assert_int_equal(blkdev_open("", "/dev/there/is/none", &deadline, &device, &err), -ENOENT);
	assert_int_equal(err.status, ERR_ABSENT);
	assert_string_equal(err.message, "there is no device '/dev/there/is/none'");
}

static void a_writer_writes_to_what_is_held_whatever_its_name_is_now(void **state)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	CLEANUP_CLOSE int other = -1;
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };
	struct stat status;
	char text[8] = "";

	assert_int_equal(blkdev_open_image(path, &device, &err), 0);
	assert_int_equal(unlink(path), 0);
	other = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(other >= 0);
	assert_int_equal(blkdev_open_writer(&device, &fd, &err), 0);
	assert_int_equal(pwrite(fd, "written", 8, 0), 8);
	assert_int_equal(fstat(other, &status), 0);
	assert_int_equal(status.st_size, 0);
	assert_int_equal(pread(fd, text, 8, 0), 8);
	assert_string_equal(text, "written");
}

static void what_is_read_only_is_refused_to_writers(void **state)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	struct err err = { 0 };
	int fd = -1;

	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(blkdev_open_image(path, &device, &err), 0);
	assert_true(device.read_only);
	assert_int_equal(blkdev_open_writer(&device, &fd, &err), -EROFS);
	assert_int_equal(err.status, ERR_REFUSED);
	assert_int_equal(fd, -1);
}

static void a_reader_reads_what_was_written(void **state)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	CLEANUP_CLOSE int writer = -1;
	CLEANUP_CLOSE int reader = -1;
	struct err err = { 0 };
	char text[8] = "";

	assert_int_equal(blkdev_open_image(path, &device, &err), 0);
	assert_int_equal(blkdev_open_writer(&device, &writer, &err), 0);
	assert_int_equal(pwrite(writer, "written", 8, 4001), 8);
	assert_int_equal(blkdev_open_reader(&device, &reader, &err), 0);
	assert_int_equal(pread(reader, text, 8, 4001), 8);
	assert_string_equal(text, "written");
	assert_int_equal(pwrite(reader, "x", 1, 0), -1);
}

static void closing_twice_does_nothing(void **state)
{
	struct blkdev device = BLKDEV_INIT;
	struct err err = { 0 };

	assert_int_equal(blkdev_open_image(path, &device, &err), 0);
	blkdev_close(&device);
	assert_int_equal(device.fd, -1);
	blkdev_close(&device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_spellings_of_a_device_name_are_one),
		cmocka_unit_test_setup_teardown(an_image_has_the_size_of_its_file, make_image, remove_image),
		cmocka_unit_test(what_is_no_image_is_named),
		cmocka_unit_test_setup_teardown(a_file_is_not_taken_for_a_disk, make_image, remove_image),
		cmocka_unit_test_setup_teardown(a_writer_writes_to_what_is_held_whatever_its_name_is_now, make_image,
						remove_image),
		cmocka_unit_test_setup_teardown(what_is_read_only_is_refused_to_writers, make_image, remove_image),
		cmocka_unit_test_setup_teardown(a_reader_reads_what_was_written, make_image, remove_image),
		cmocka_unit_test_setup_teardown(closing_twice_does_nothing, make_image, remove_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
