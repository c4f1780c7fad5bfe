/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/noise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#define BYTES ((size_t)8 << 20)

static uint8_t *buffer;
static struct noise *noise;

static int set_up(void **state)
{
	buffer = malloc(BYTES);
	noise = malloc(sizeof(*noise));
	return buffer && noise ? 0 : -1;
}

static int tear_down(void **state)
{
	free(buffer);
	free(noise);
	return 0;
}

/* What an encrypted volume reads as: AES in counter mode, the same for the same @key on every run. */
static void fill(uint8_t *out, size_t length, uint64_t key)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t key_bytes[16] = { 0 };
	uint8_t counter[16] = { 0 };
	int written;

	memcpy(key_bytes, &key, sizeof(key));
	memset(out, 0, length);
	assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, key_bytes, counter), 1);
	assert_int_equal(EVP_EncryptUpdate(context, out, &written, out, (int)length), 1);
	EVP_CIPHER_CTX_free(context);
}

static bool sum_is_random(const uint8_t *data, size_t length)
{
	memset(noise, 0, sizeof(*noise));
	for (size_t at = 0; at < length; at += NOISE_BLOCK)
		noise_add(noise, data + at, length - at < NOISE_BLOCK ? length - at : NOISE_BLOCK);
	return noise_is_random(noise);
}

static void every_random_block_is_random(void **state)
{
	static const size_t lengths[] = { NOISE_BLOCK, 512, 1024, 3072, NOISE_BLOCK + 511 };

	fill(buffer, BYTES, 1);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (size_t at = 0; at + lengths[i] <= BYTES; at += lengths[i])
			assert_int_equal(noise_judge(buffer + at, lengths[i]), NOISE_RANDOM);
}

static void zeros_are_zero_at_any_length(void **state)
{
	memset(buffer, 0, NOISE_BLOCK);
	for (size_t length = 0; length <= NOISE_BLOCK; length++)
		assert_int_equal(noise_judge(buffer, length), NOISE_ZERO);
}

static void a_few_random_bytes_can_not_be_judged(void **state)
{
	fill(buffer, 511, 2);
	assert_int_equal(noise_judge(buffer, 511), NOISE_ORDERLY);
}

/* One thing that is put into a random block at byte 1000. */
static const struct planted {
	const char *what;
	size_t length;
	int byte;
} planted[] = {
	{ "eight zeros", 8, 0 },
	{ "eight ones", 8, 0xff },
	{ "a sector of zeros", 512, 0 },
	{ "forty letters", 40, 'x' },
};

static void a_block_with_something_in_it_is_orderly(void **state)
{
	for (size_t i = 0; i < sizeof(planted) / sizeof(planted[0]); i++) {
		fill(buffer, NOISE_BLOCK, 3);
		assert_int_equal(noise_judge(buffer, NOISE_BLOCK), NOISE_RANDOM);
		memset(buffer + 1000, planted[i].byte, planted[i].length);
		assert_int_equal(noise_judge(buffer, NOISE_BLOCK), NOISE_ORDERLY);
	}
}

static void a_line_of_text_in_a_block_is_seen(void **state)
{
	static const char text[] = "{\"name\":\"orders\",\"rows\":1234,\"next\":\"5678\"}";

	fill(buffer, NOISE_BLOCK, 3);
	memcpy(buffer + 2000, text, sizeof(text));
	assert_int_equal(noise_judge(buffer, NOISE_BLOCK), NOISE_ORDERLY);
}

static void bytes_that_are_too_even_are_orderly(void **state)
{
	for (size_t i = 0; i < NOISE_BLOCK; i++)
		buffer[i] = (uint8_t)(i * 167);
	assert_int_equal(noise_judge(buffer, NOISE_BLOCK), NOISE_ORDERLY);
}

static void the_sum_of_random_blocks_is_random(void **state)
{
	for (uint64_t key = 10; key < 30; key++) {
		fill(buffer, BYTES, key);
		assert_true(sum_is_random(buffer, BYTES));
		assert_true(sum_is_random(buffer, (size_t)1 << 20));
		assert_true(sum_is_random(buffer, (size_t)64 << 10));
	}
}

static void too_little_is_not_called_random(void **state)
{
	fill(buffer, NOISE_BLOCK, 4);
	assert_true(sum_is_random(buffer, NOISE_BLOCK));
	assert_false(sum_is_random(buffer, NOISE_BLOCK - 2));
}

static void bias_byte_by_byte(uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i += 300)
		data[i] = 'e';
}

static void bias_one_bit(uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i += 150)
		data[i] |= 1;
}

static void bias_neighbours(uint8_t *data, size_t length)
{
	for (size_t i = 1; i < length; i += 100)
		data[i] = data[i - 1];
}

static void repeat_one_block(uint8_t *data, size_t length)
{
	for (size_t at = NOISE_BLOCK; at < length; at += NOISE_BLOCK)
		memcpy(data + at, data, NOISE_BLOCK);
}

static void bias_neighbouring_bits(uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i += 16)
		data[i] = (uint8_t)((data[i] & 0x7f) | (data[i] & 0x40) << 1);
}

/* Each block passes by itself, and together they do not. */
static void a_small_bias_shows_in_the_sum(void **state)
{
	static void (*const biases[])(uint8_t *, size_t) = {
		bias_byte_by_byte, bias_one_bit, bias_neighbours, repeat_one_block, bias_neighbouring_bits,
	};

	for (size_t i = 0; i < sizeof(biases) / sizeof(biases[0]); i++) {
		fill(buffer, BYTES, 40 + i);
		biases[i](buffer, BYTES);
		for (size_t at = 0; at < BYTES; at += NOISE_BLOCK)
			assert_int_equal(noise_judge(buffer + at, NOISE_BLOCK), NOISE_RANDOM);
		assert_false(sum_is_random(buffer, BYTES));
	}
}

/* A chunk of LZMA2: its header, the range coder's zero, and @payload random bytes that are there already. */
static size_t put_chunk(uint8_t *at, size_t payload, bool resets)
{
	size_t header = resets ? 6 : 5;

	at[0] = resets ? 0xe0 : 0x80;
	at[1] = 0x12;
	at[2] = 0x34;
	at[3] = (uint8_t)((payload - 1) >> 8);
	at[4] = (uint8_t)(payload - 1);
	at[5] = resets ? 0x5d : at[5];
	at[header] = 0;
	return header + payload;
}

static size_t put_chunks(unsigned int count)
{
	size_t at = 4321;

	fill(buffer, (size_t)1 << 20, 50);
	for (unsigned int i = 0; i < count; i++)
		at += put_chunk(buffer + at, 40000 + i, i % 3 == 0);
	return at;
}

static void a_chain_of_lzma_chunks_is_seen(void **state)
{
	put_chunks(8);
	assert_true(noise_is_lzma(buffer, (size_t)1 << 20));
	put_chunks(7);
	assert_false(noise_is_lzma(buffer, (size_t)1 << 20));
}

static void a_chain_that_leaves_the_piece_is_not_followed(void **state)
{
	size_t end = put_chunks(8);

	assert_true(noise_is_lzma(buffer, end));
	assert_false(noise_is_lzma(buffer, end - 40000 - 20));
	for (size_t length = 0; length < 20; length++)
		assert_false(noise_is_lzma(buffer, length));
}

static void stored_chunks_of_lzma_are_seen(void **state)
{
	fill(buffer, (size_t)1 << 20, 51);
	for (size_t at = 77; at + 65539 <= (size_t)1 << 20; at += 65539)
		memcpy(buffer + at, "\x02\xff\xff", 3);
	assert_true(noise_is_lzma(buffer, (size_t)1 << 20));
}

static void random_pieces_are_not_lzma(void **state)
{
	for (uint64_t key = 60; key < 70; key++) {
		fill(buffer, BYTES, key);
		for (size_t at = 0; at < BYTES; at += (size_t)1 << 20)
			assert_false(noise_is_lzma(buffer + at, (size_t)1 << 20));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_random_block_is_random),
		cmocka_unit_test(zeros_are_zero_at_any_length),
		cmocka_unit_test(a_few_random_bytes_can_not_be_judged),
		cmocka_unit_test(a_block_with_something_in_it_is_orderly),
		cmocka_unit_test(a_line_of_text_in_a_block_is_seen),
		cmocka_unit_test(bytes_that_are_too_even_are_orderly),
		cmocka_unit_test(the_sum_of_random_blocks_is_random),
		cmocka_unit_test(too_little_is_not_called_random),
		cmocka_unit_test(a_small_bias_shows_in_the_sum),
		cmocka_unit_test(a_chain_of_lzma_chunks_is_seen),
		cmocka_unit_test(a_chain_that_leaves_the_piece_is_not_followed),
		cmocka_unit_test(stored_chunks_of_lzma_are_seen),
		cmocka_unit_test(random_pieces_are_not_lzma),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
