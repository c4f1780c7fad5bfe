/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/noise.h"

#include <string.h>

#define BYTE_VALUES 256
#define PAIR_VALUES 65536

/*
 * Bounds of chi-square with 255 degrees of freedom: random bytes fall below the lower one 4 times in 10^17, above the upper
 * one 6 times in 10^15.
 */
#define BYTES_LEAST 110.0
#define BYTES_MOST  470.0

/* The same for 65,535 degrees of freedom, where the distribution is normal for all purposes, and for single balances. */
#define DEVIATIONS_MOST 7.5
#define PAIRS_LEAST	(5 * PAIR_VALUES) /* fewer make the expected counts too small for the test */

/* Random blocks hold a run of 8 equal bytes 6 times in 10^14, of 40 printable characters 2 times in 10^14. */
#define EQUAL_RUN     8
#define PRINTABLE_RUN 40

#define LZMA_CHAIN 8

static double chi_square(const uint32_t *counts, size_t values, double total)
{
	double squares = 0;

	for (size_t i = 0; i < values; i++)
		squares += (double)counts[i] * counts[i];
	return squares * (double)values / total - total;
}

static bool is_even(const uint32_t counts[BYTE_VALUES], double total)
{
	double spread = chi_square(counts, BYTE_VALUES, total);

	return spread >= BYTES_LEAST && spread <= BYTES_MOST;
}

static bool is_printable(uint8_t byte)
{
	return byte >= ' ' && byte <= '~';
}

/* Of a run of n, one is at a multiple of n (less one): looking there is enough to find it. */
static bool has_printable_run(const uint8_t *data, size_t length)
{
	for (size_t at = PRINTABLE_RUN - 1; at < length; at += PRINTABLE_RUN) {
		size_t begin = at;
		size_t end = at;

		while (end < length && is_printable(data[end]))
			end++;
		while (end > at && begin > 0 && is_printable(data[begin - 1]))
			begin--;
		if (end - begin >= PRINTABLE_RUN)
			return true;
	}
	return false;
}

static bool has_equal_run(const uint8_t *data, size_t length)
{
	for (size_t at = EQUAL_RUN - 1; at < length; at += EQUAL_RUN) {
		size_t begin = at;
		size_t end = at + 1;

		while (end < length && data[end] == data[at])
			end++;
		while (begin > 0 && data[begin - 1] == data[at])
			begin--;
		if (end - begin >= EQUAL_RUN)
			return true;
	}
	return false;
}

/* Four counters for a value, taken in turn: one that was just written need not be waited for. */
static void count_bytes(const uint8_t *data, size_t length, uint32_t counts[BYTE_VALUES])
{
	uint32_t turns[4][BYTE_VALUES] = { { 0 } };

	for (size_t i = 0; i < length; i++)
		turns[i % 4][data[i]]++;
	for (size_t value = 0; value < BYTE_VALUES; value++)
		counts[value] = turns[0][value] + turns[1][value] + turns[2][value] + turns[3][value];
}

enum noise_kind noise_judge(const uint8_t *data, size_t length)
{
	uint32_t counts[BYTE_VALUES];

	if (length == 0 || (data[0] == 0 && memcmp(data, data + 1, length - 1) == 0))
		return NOISE_ZERO;
	if (length < 512)
		return NOISE_ORDERLY;
	count_bytes(data, length, counts);
	if (!is_even(counts, (double)length) || has_equal_run(data, length) || has_printable_run(data, length))
		return NOISE_ORDERLY;
	return NOISE_RANDOM;
}

void noise_add(struct noise *noise, const uint8_t *data, size_t length)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		noise->pairs[data[i] << 8 | data[i + 1]]++;
	noise->bytes += length / 2 * 2;
}

/* @ones out of @total fair coins, in standard deviations. */
static bool is_balanced(uint64_t ones, uint64_t total)
{
	double excess = 2.0 * (double)ones - (double)total;

	return excess * excess <= DEVIATIONS_MOST * DEVIATIONS_MOST * (double)total;
}

static bool bits_balance(const uint32_t counts[BYTE_VALUES], uint64_t bytes)
{
	uint64_t all = 0;

	for (unsigned int bit = 0; bit < 8; bit++) {
		uint64_t ones = 0;

		for (unsigned int value = 0; value < BYTE_VALUES; value++)
			ones += value >> bit & 1 ? counts[value] : 0;
		if (!is_balanced(ones, bytes))
			return false;
		all += ones;
	}
	return is_balanced(all, 8 * bytes);
}

/* The number of ones in each byte; not every processor that this runs on has an instruction for it. */
static void count_ones(uint8_t ones[BYTE_VALUES])
{
	ones[0] = 0;
	for (unsigned int value = 1; value < BYTE_VALUES; value++)
		ones[value] = (uint8_t)(ones[value / 2] + value % 2);
}

/*
 * How often do two bits @distance apart differ? Streams of bits are packed into bytes from the top (bzip2, video) or from
 * the bottom (deflate, zstd): @from_bottom.
 */
static bool bits_are_independent(const struct noise *noise, unsigned int distance, bool from_bottom,
				 const uint8_t ones[BYTE_VALUES])
{
	unsigned int mask = (1U << (16 - distance)) - 1;
	uint64_t differ = 0;

	for (unsigned int pair = 0; pair < PAIR_VALUES; pair++) {
		unsigned int word = from_bottom ? (pair << 8 | pair >> 8) & 0xffff : pair;
		unsigned int changes = (word ^ word >> distance) & mask;

		differ += (uint64_t)noise->pairs[pair] * (unsigned int)(ones[changes & 0xff] + ones[changes >> 8]);
	}
	return is_balanced(differ, noise->bytes / 2 * (16 - distance));
}

static bool pairs_are_even(const struct noise *noise)
{
	double degrees = PAIR_VALUES - 1;
	double pairs = (double)noise->bytes / 2;
	double excess;

	if (pairs < PAIRS_LEAST)
		return true;
	excess = chi_square(noise->pairs, PAIR_VALUES, pairs) - degrees;
	return excess * excess <= DEVIATIONS_MOST * DEVIATIONS_MOST * 2 * degrees;
}

bool noise_is_random(const struct noise *noise)
{
	uint32_t counts[BYTE_VALUES] = { 0 };
	uint8_t ones[BYTE_VALUES];

	if (noise->bytes < NOISE_BLOCK)
		return false;
	for (unsigned int pair = 0; pair < PAIR_VALUES; pair++) {
		counts[pair >> 8] += noise->pairs[pair];
		counts[pair & 0xff] += noise->pairs[pair];
	}
	if (!is_even(counts, (double)noise->bytes) || !bits_balance(counts, noise->bytes) || !pairs_are_even(noise))
		return false;
	count_ones(ones);
	for (unsigned int distance = 1; distance <= 8; distance++)
		if (!bits_are_independent(noise, distance, false, ones) ||
		    !bits_are_independent(noise, distance, true, ones))
			return false;
	return true;
}

/* Return: where the chunk after the one at @at begins, 0 when there is no chunk header. */
static size_t after_lzma_chunk(const uint8_t *data, size_t length, size_t at)
{
	const uint8_t *header = data + at;
	size_t header_bytes;

	if (at + 8 > length)
		return 0;
	if (header[0] == 1 || header[0] == 2) /* stored; only whole ones, because the others would fit anything */
		return header[1] == 0xff && header[2] == 0xff ? at + 3 + 65536 : 0;
	if (header[0] < 0x80)
		return 0;
	header_bytes = header[0] >= 0xc0 ? 6 : 5;
	/* The range coder's first byte is always zero. */
	if (header[header_bytes] != 0)
		return 0;
	return at + header_bytes + ((size_t)header[3] << 8 | header[4]) + 1;
}

static bool is_lzma_chain(const uint8_t *data, size_t length, size_t at)
{
	for (unsigned int links = 0; links < LZMA_CHAIN; links++) {
		at = after_lzma_chunk(data, length, at);
		if (!at)
			return false;
	}
	return true;
}

/* A chunk can only begin 5 or 6 bytes before a zero, or be a stored one with a length of all ones. */
bool noise_is_lzma(const uint8_t *data, size_t length)
{
	const uint8_t *end = data + length;
	const uint8_t *at;

	for (at = data; (at = memchr(at, 0, (size_t)(end - at))); at++)
		for (size_t before = 5; before <= 6; before++)
			if ((size_t)(at - data) >= before && is_lzma_chain(data, length, (size_t)(at - data) - before))
				return true;
	for (at = data; (at = memchr(at, 0xff, (size_t)(end - at))); at++)
		if (at > data && is_lzma_chain(data, length, (size_t)(at - data) - 1))
			return true;
	return false;
}
