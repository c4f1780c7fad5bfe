/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/sample.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "bootstrap/base/cleanup.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)

static const uint64_t sizes[] = {
	1,	   512,	      4096,	       SAMPLE_MAX + 1,	MIB + 512,	 20 * MIB,	 32 * MIB, 40 * MIB + 1536,
	64 * MIB,  65 * MIB,  64 * MIB + 512, 200 * MIB + 4096, GIB,		 100 * GIB + 512, TIB,	   16 * TIB,
	64 * TIB,  512 * GIB, 513 * GIB,
};

static int compare(const void *a, const void *b)
{
	uint64_t left = ((const struct sample_place *)a)->offset;
	uint64_t right = ((const struct sample_place *)b)->offset;

	return (left > right) - (left < right);
}

static struct sample_place *sorted_places(const struct sample_plan *plan, uint64_t *count)
{
	struct sample_place *places;

	*count = sample_plan_count(plan);
	places = calloc(*count, sizeof(*places));
	assert_non_null(places);
	for (uint64_t i = 0; i < *count; i++)
		places[i] = sample_plan_place(plan, i);
	qsort(places, *count, sizeof(*places), compare);
	return places;
}

/* Where the first gap is in what the places cover from @from on. */
static uint64_t covered_until(const struct sample_place *places, uint64_t count, uint64_t from)
{
	for (uint64_t i = 0; i < count; i++)
		if (places[i].offset <= from && places[i].offset + places[i].length > from)
			from = places[i].offset + places[i].length;
	return from;
}

static void places_are_whole_pages_within_the_disk(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct sample_plan plan = sample_plan(sizes[i], 42);

		for (uint64_t number = 0; number < sample_plan_count(&plan); number++) {
			struct sample_place place = sample_plan_place(&plan, number);

			assert_int_equal(place.offset % SAMPLE_PAGE, 0);
			assert_true(place.offset < sizes[i]);
			assert_true(place.length > 0 && place.length <= SAMPLE_MAX);
		}
	}
}

static void a_small_disk_is_read_without_gaps(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct sample_plan plan = sample_plan(sizes[i], 42);
		CLEANUP_FREE struct sample_place *places = NULL;
		uint64_t count;

		if (sizes[i] > 64 * MIB)
			continue;
		places = sorted_places(&plan, &count);
		assert_true(covered_until(places, count, 0) >= sizes[i]);
	}
}

static void both_ends_of_any_disk_are_read_without_gaps(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct sample_plan plan = sample_plan(sizes[i], 42);
		CLEANUP_FREE struct sample_place *places = NULL;
		uint64_t count;

		if (sizes[i] <= 64 * MIB)
			continue;
		places = sorted_places(&plan, &count);
		assert_true(covered_until(places, count, 0) >= 16 * MIB);
		assert_true(covered_until(places, count, sizes[i] - 16 * MIB) >= sizes[i]);
	}
}

static void every_4096th_part_of_what_is_between_has_a_place(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct sample_plan plan = sample_plan(sizes[i], 42);
		uint64_t part = (plan.tail - SAMPLE_END) / 4096 + 1;

		if (sizes[i] <= 64 * MIB)
			continue;
		assert_int_equal(plan.strata, 4096);
		for (uint64_t number = 0; number < plan.strata; number++) {
			struct sample_place place = sample_plan_place(&plan, plan.whole + number);
			uint64_t from = SAMPLE_END + (plan.tail - SAMPLE_END) / 4096 * number;

			assert_true(place.offset + SAMPLE_PAGE > from - (number ? SAMPLE_PAGE : 0));
			assert_true(place.offset < from + part + 4096 * (uint64_t)SAMPLE_PAGE);
			assert_true(place.offset >= SAMPLE_END && place.offset < plan.tail);
		}
	}
}

static void another_seed_gives_other_places(void **state)
{
	struct sample_plan plan = sample_plan(100 * GIB, 1);
	struct sample_plan other = sample_plan(100 * GIB, 2);
	unsigned int same = 0;

	for (uint64_t number = plan.whole; number < plan.whole + plan.strata; number++)
		same += sample_plan_place(&plan, number).offset == sample_plan_place(&other, number).offset;
	assert_true(same < 20);
}

static void multiples_of_128_mib_are_read_all_or_4096_of_them(void **state)
{
	static const struct {
		uint64_t size;
		uint64_t steps;
		uint64_t last;
	} rows[] = {
		{ 128 * MIB, 0, 0 },	     { 145 * MIB, 1, 128 * MIB },	      { GIB, 7, 896 * MIB },
		{ 100 * GIB, 799, 799 * 128 * MIB }, { 512 * GIB, 4095, 4095 * 128 * MIB }, { 16 * TIB, 4096, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sample_plan plan = sample_plan(rows[i].size, 42);
		uint64_t before = 0;

		assert_int_equal(plan.steps, rows[i].steps);
		for (uint64_t number = plan.whole + plan.strata; number < sample_plan_count(&plan); number++) {
			uint64_t offset = sample_plan_place(&plan, number).offset;

			assert_int_equal(offset % (128 * MIB), 0);
			assert_true(offset > before);
			before = offset;
		}
		assert_true(!rows[i].last || before == rows[i].last);
	}
}

/* Reading */

#define PLACES 3000

struct seen {
	uint32_t visits[PLACES];
	bool wrong;
};

static struct sample_place nth_page(void *context, uint64_t number)
{
	return (struct sample_place){ .offset = number * SAMPLE_PAGE, .length = SAMPLE_PAGE };
}

static void check_page(void *context, uint64_t offset, const uint8_t *data, size_t length)
{
	struct seen *seen = context;
	uint32_t number;

	memcpy(&number, data, sizeof(number));
	if (number != offset / SAMPLE_PAGE || length != SAMPLE_PAGE)
		seen->wrong = true;
	seen->visits[number % PLACES]++;
}

static int open_pages(struct blkdev *device)
{
	char path[32];
	CLEANUP_FREE uint8_t *page = calloc(1, SAMPLE_PAGE);
	int fd = memfd_create("pages", MFD_CLOEXEC);
	struct err err = { 0 };

	assert_true(fd >= 0 && page);
	for (uint32_t number = 0; number < PLACES; number++) {
		memcpy(page, &number, sizeof(number));
		assert_int_equal(write(fd, page, SAMPLE_PAGE), SAMPLE_PAGE);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(blkdev_open_image(path, device, &err), 0);
	return fd;
}

static void every_place_is_visited_once(void **state)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	CLEANUP_FREE struct seen *seen = calloc(1, sizeof(*seen));
	struct sample_job job = { .device = &device, .place = nth_page, .visit = check_page, .context = seen };
	CLEANUP_CLOSE int fd = open_pages(&device);
	struct err err = { 0 };
	static const uint64_t counts[] = { PLACES, 0, 1, 5, SAMPLE_DEPTH, SAMPLE_DEPTH + 1 };

	assert_true(fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		memset(seen, 0, sizeof(*seen));
		job.count = counts[i];
		assert_int_equal(sample_read(&job, &err), 0);
		assert_false(seen->wrong);
		for (uint64_t number = 0; number < PLACES; number++)
			assert_int_equal(seen->visits[number], number < counts[i]);
	}
}

static void a_place_that_can_not_be_read_is_an_error(void **state)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	CLEANUP_FREE struct seen *seen = calloc(1, sizeof(*seen));
	struct sample_job job = {
		.device = &device, .count = PLACES, .place = nth_page, .visit = check_page, .context = seen,
	};
	CLEANUP_CLOSE int fd = open_pages(&device);
	struct err err = { 0 };

	assert_int_equal(ftruncate(fd, (off_t)2000 * SAMPLE_PAGE), 0);
	assert_int_equal(sample_read(&job, &err), -EIO);
	assert_int_equal(err.status, ERR_FAILED);
	assert_non_null(strstr(err.message, "Input/output error"));
}

static void one_piece_is_followed_by_zeros_behind_the_end(void **state)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	CLEANUP_FREE uint8_t *data = aligned_alloc(SAMPLE_PAGE, 2 * SAMPLE_PAGE);
	CLEANUP_CLOSE int fd = open_pages(&device);
	struct err err = { 0 };
	uint32_t number;

	assert_true(fd >= 0);
	memset(data, 0xff, 2 * SAMPLE_PAGE);
	assert_int_equal(sample_read_one(&device, (uint64_t)(PLACES - 1) * SAMPLE_PAGE, data, 2 * SAMPLE_PAGE, &err), 0);
	memcpy(&number, data, sizeof(number));
	assert_int_equal(number, PLACES - 1);
	for (size_t i = SAMPLE_PAGE; i < 2 * SAMPLE_PAGE; i++)
		assert_int_equal(data[i], 0);
	memset(data, 0xff, SAMPLE_PAGE);
	assert_int_equal(sample_read_one(&device, (uint64_t)(PLACES + 5) * SAMPLE_PAGE, data, SAMPLE_PAGE, &err), 0);
	assert_int_equal(data[0] | data[SAMPLE_PAGE - 1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_whole_pages_within_the_disk),
		cmocka_unit_test(a_small_disk_is_read_without_gaps),
		cmocka_unit_test(both_ends_of_any_disk_are_read_without_gaps),
		cmocka_unit_test(every_4096th_part_of_what_is_between_has_a_place),
		cmocka_unit_test(another_seed_gives_other_places),
		cmocka_unit_test(multiples_of_128_mib_are_read_all_or_4096_of_them),
		cmocka_unit_test(every_place_is_visited_once),
		cmocka_unit_test(a_place_that_can_not_be_read_is_an_error),
		cmocka_unit_test(one_piece_is_followed_by_zeros_behind_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
