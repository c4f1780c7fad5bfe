/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/marker.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

static struct blkdev device_of(const char *identity, uint64_t size_bytes)
{
	struct blkdev device = BLKDEV_INIT;

	snprintf(device.identity, sizeof(device.identity), "%s", identity);
	device.size_bytes = size_bytes;
	return device;
}

static struct marker marker_of(const char *identity, uint64_t size_bytes, const char *filesystem)
{
	struct blkdev device = device_of(identity, size_bytes);
	struct marker marker;
	struct err err = { 0 };

	assert_int_equal(marker_make(&device, filesystem, &marker, &err), 0);
	return marker;
}

static void what_was_encoded_is_decoded(void **state)
{
	struct marker marker = marker_of("vol0123456789abcdef0", 107374182400, "xfs");
	uint8_t block[MARKER_BYTES];
	struct marker decoded;
	struct err err = { 0 };

	assert_int_equal(marker_encode(&marker, block, &err), 0);
	assert_true(marker_decode(block, &decoded));
	assert_memory_equal(&decoded, &marker, sizeof(marker));
}

static void any_flipped_bit_of_the_first_sector_that_says_something_is_noticed(void **state)
{
	struct marker marker = marker_of("vol0123456789abcdef0", 107374182400, "ext4");
	uint8_t block[MARKER_BYTES];
	struct marker decoded;
	struct err err = { 0 };

	assert_int_equal(marker_encode(&marker, block, &err), 0);
	for (size_t bit = 0; bit < 8 * (size_t)(136 + 32); bit++) {
		block[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(marker_decode(block, &decoded));
		block[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(marker_decode(block, &decoded));
}

/* A power cut may leave one of two sectors: a marker is there when the first one is, and not there when it is not. */
static void a_marker_that_was_half_written_is_whole_or_absent(void **state)
{
	struct marker marker = marker_of("vol1", 1 << 30, "ext4");
	uint8_t block[MARKER_BYTES];
	uint8_t torn[MARKER_BYTES];
	struct marker decoded;
	struct err err = { 0 };

	assert_int_equal(marker_encode(&marker, block, &err), 0);
	memset(torn, 0x5a, sizeof(torn));
	memcpy(torn, block, 512);
	assert_true(marker_decode(torn, &decoded));
	memset(torn, 0x5a, sizeof(torn));
	memcpy(torn + 512, block + 512, 512);
	assert_false(marker_decode(torn, &decoded));
}

static void zeros_and_noise_are_no_marker(void **state)
{
	uint8_t block[MARKER_BYTES] = { 0 };
	struct marker decoded;

	assert_false(marker_decode(block, &decoded));
	memset(block, 0xa5, sizeof(block));
	assert_false(marker_decode(block, &decoded));
}

static void the_uuid_is_the_same_each_time_and_another_for_everything_else(void **state)
{
	static const struct {
		const char *identity;
		uint64_t size_bytes;
		const char *filesystem;
	} others[] = {
		{ "vol2", 1 << 30, "ext4" }, { "vol1", 1 << 29, "ext4" }, { "vol1", 1 << 30, "xfs" }, { "", 1 << 30, "ext4" },
	};
	struct marker marker = marker_of("vol1", 1 << 30, "ext4");
	struct marker again = marker_of("vol1", 1 << 30, "ext4");
	char text[MARKER_UUID_SIZE];

	assert_memory_equal(marker.uuid, again.uuid, sizeof(marker.uuid));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct marker other = marker_of(others[i].identity, others[i].size_bytes, others[i].filesystem);

		assert_memory_not_equal(marker.uuid, other.uuid, sizeof(marker.uuid));
	}
	marker_uuid_text(&marker, text);
	assert_int_equal(strlen(text), 36);
	assert_int_equal(text[14], '8');
	assert_non_null(strchr("89ab", text[19]));
}

/* An older version's markers have to be known for ever, so its UUIDs and bytes do not change. */
static void the_uuid_of_one_disk_never_changes(void **state)
{
	struct marker marker = marker_of("vol0123456789abcdef0", 107374182400, "xfs");
	char text[MARKER_UUID_SIZE];

	marker_uuid_text(&marker, text);
	assert_string_equal(text, "5b55c624-7a96-85bb-b8a6-9047cdcdf4cf");
}

static void it_fits_its_own_disk_only(void **state)
{
	struct marker marker = marker_of("vol1", 1 << 30, "ext4");
	struct blkdev same = device_of("vol1", 1 << 30);
	struct blkdev other = device_of("vol2", 1 << 30);
	struct blkdev nameless = device_of("", 1 << 30);
	struct blkdev larger = device_of("vol1", (1 << 30) + 512);

	assert_true(marker_fits(&marker, &same));
	assert_false(marker_fits(&marker, &other));
	assert_false(marker_fits(&marker, &nameless));
	assert_false(marker_fits(&marker, &larger));
}

static void a_disk_without_a_name_fits_the_marker_of_one_without_a_name(void **state)
{
	struct marker marker = marker_of("", 1 << 30, "ext4");
	struct blkdev nameless = device_of("", 1 << 30);
	struct blkdev named = device_of("vol1", 1 << 30);

	assert_true(marker_fits(&marker, &nameless));
	assert_false(marker_fits(&marker, &named));
}

static void it_is_written_and_cleared_in_its_kilobyte_only(void **state)
{
	struct marker marker = marker_of("vol1", 4096, "ext4");
	CLEANUP_CLOSE int fd = memfd_create("marker", MFD_CLOEXEC);
	uint8_t data[4096];
	uint8_t expected[4096];
	struct marker decoded;
	struct err err = { 0 };

	memset(data, 0x77, sizeof(data));
	assert_int_equal(pwrite(fd, data, sizeof(data), 0), (ssize_t)sizeof(data));
	memcpy(expected, data, sizeof(expected));
	assert_int_equal(marker_write(fd, &marker, &err), 0);
	assert_int_equal(pread(fd, data, sizeof(data), 0), (ssize_t)sizeof(data));
	assert_true(marker_decode(data, &decoded));
	assert_memory_equal(data + MARKER_BYTES, expected + MARKER_BYTES, sizeof(data) - MARKER_BYTES);
	assert_int_equal(marker_clear(fd, &err), 0);
	assert_int_equal(pread(fd, data, sizeof(data), 0), (ssize_t)sizeof(data));
	memset(expected, 0, MARKER_BYTES);
	assert_memory_equal(data, expected, sizeof(data));
}

static void a_failing_write_is_an_error(void **state)
{
	struct marker marker = marker_of("vol1", 4096, "ext4");
	struct err err = { 0 };

	assert_int_equal(marker_write(-1, &marker, &err), -EBADF);
	assert_string_equal(err.message, "write the marker: Bad file descriptor");
	assert_int_equal(marker_clear(-1, &err), -EBADF);
}

static void other_filesystems_and_unprintable_names_get_none(void **state)
{
	struct blkdev device = device_of("vol1", 4096);
	struct marker marker = marker_of("vol1", 4096, "ext4");
	uint8_t block[MARKER_BYTES];
	struct err err = { 0 };

	assert_int_equal(marker_make(&device, "btrfs", &marker, &err), -EINVAL);
	assert_int_equal(err.status, ERR_USAGE);
	snprintf(marker.identity, sizeof(marker.identity), "vol\n1");
	assert_int_equal(marker_encode(&marker, block, &err), -EINVAL);
	memset(marker.identity, 'x', sizeof(marker.identity));
	assert_int_equal(marker_encode(&marker, block, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_encoded_is_decoded),
		cmocka_unit_test(any_flipped_bit_of_the_first_sector_that_says_something_is_noticed),
		cmocka_unit_test(a_marker_that_was_half_written_is_whole_or_absent),
		cmocka_unit_test(zeros_and_noise_are_no_marker),
		cmocka_unit_test(the_uuid_is_the_same_each_time_and_another_for_everything_else),
		cmocka_unit_test(the_uuid_of_one_disk_never_changes),
		cmocka_unit_test(it_fits_its_own_disk_only),
		cmocka_unit_test(a_disk_without_a_name_fits_the_marker_of_one_without_a_name),
		cmocka_unit_test(it_is_written_and_cleared_in_its_kilobyte_only),
		cmocka_unit_test(a_failing_write_is_an_error),
		cmocka_unit_test(other_filesystems_and_unprintable_names_get_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
