/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: is this what a random source gives
 *
 * A fresh encrypted volume reads as the decryption of nothing: random bytes. So does a volume full of somebody's encrypted
 * data, which no test can tell from it. What these tests can do is to tell random bytes from everything that is merely
 * dense: text, executables, databases, compressed archives and media. Two levels:
 *
 * - noise_judge() looks at one block by itself. Its bounds are so wide that 10^8 random blocks give no false alarm, so it
 *   only turns down what is plainly structured.
 * - struct noise adds up all blocks. Compressed data is even within a block, but its small bias grows with the amount.
 */
#ifndef NODEVOL_DISK_NOISE_H
#define NODEVOL_DISK_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOISE_BLOCK 4096

/**
 * enum noise_kind - what one block looks like
 * @NOISE_ZERO: zeros
 * @NOISE_RANDOM: nothing speaks against chance
 * @NOISE_ORDERLY: neither
 */
enum noise_kind {
	NOISE_ZERO,
	NOISE_RANDOM,
	NOISE_ORDERLY,
};

/* @length: 512 bytes at least, else nothing but zeros is told apart and the rest counts as orderly. */
enum noise_kind noise_judge(const uint8_t *data, size_t length);

/**
 * struct noise - the sum over many blocks
 * @bytes: how many
 * @pairs: how often each pair of neighbouring bytes was seen, as first << 8 | second; pairs do not overlap
 */
struct noise {
	uint64_t bytes;
	uint32_t pairs[65536];
};

/* Not safe against other threads. */
void noise_add(struct noise *noise, const uint8_t *data, size_t length);

/**
 * noise_is_random - what the sum says
 * @noise: of blocks that were each NOISE_RANDOM
 *
 * Three kinds of test, each with a false alarm about once in 10^11 sums: the spread of bytes, the spread of pairs (from
 * 640 KiB on), and the balance of bits, each by itself and against its neighbours at distances of 1 to 8.
 *
 * Return: true when nothing speaks against chance; false also for less than NOISE_BLOCK bytes.
 */
bool noise_is_random(const struct noise *noise);

/**
 * noise_is_lzma - is this a piece of an LZMA2 stream, as xz and 7z write it
 * @data: a contiguous piece
 * @length: 1 MiB is right: chunks are 64 KiB at most, and eight in a row are wanted
 *
 * LZMA's range coder leaves so little bias that the sums above may let it pass, but LZMA2 cuts its stream into chunks that
 * say their length (xz, doc/xz-file-format.txt section 5.3.1; liblzma's lzma2_decoder.c), and random bytes make a chain of
 * eight such headers about once in 10^15 pieces.
 */
bool noise_is_lzma(const uint8_t *data, size_t length);

#endif
