/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/hash.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hash_sha256(const void *data, size_t length, uint8_t out[HASH_BYTES], struct err *err)
{
	if (!EVP_Digest(data, length, out, NULL, EVP_sha256(), NULL))
		return err_set(err, EIO, "compute SHA-256: libcrypto refused");
	return 0;
}

int hash_sha256_hex(const void *data, size_t length, char out[HASH_HEX_SIZE], struct err *err)
{
	uint8_t digest[HASH_BYTES];
	int ret = hash_sha256(data, length, digest, err);

	if (ret == 0)
		hash_hex(digest, sizeof(digest), out);
	return ret;
}

int hash_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length, uint8_t out[HASH_BYTES],
		     struct err *err)
{
	unsigned int written = HASH_BYTES;

	if (key_length > INT_MAX || !HMAC(EVP_sha256(), key, (int)key_length, data, length, out, &written))
		return err_set(err, EIO, "compute HMAC-SHA-256: libcrypto refused");
	return 0;
}

void hash_hex(const void *data, size_t length, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * length] = '\0';
}

int hash_base64_encode(const void *data, size_t length, struct buf *out)
{
	const uint8_t *bytes = data;
	int ret = 0;

	for (size_t i = 0; i < length && ret == 0; i += 3) {
		size_t left = length - i;
		uint32_t group = (uint32_t)bytes[i] << 16 | (uint32_t)(left > 1 ? bytes[i + 1] : 0) << 8 |
				 (left > 2 ? bytes[i + 2] : 0);
		char text[4] = {
			base64_alphabet[group >> 18],
			base64_alphabet[group >> 12 & 63],
			left > 1 ? base64_alphabet[group >> 6 & 63] : '=',
			left > 2 ? base64_alphabet[group & 63] : '=',
		};

		ret = buf_add(out, text, sizeof(text));
	}
	return ret;
}

static int base64_value(char c)
{
	const char *found = c ? strchr(base64_alphabet, c) : NULL;

	return found ? (int)(found - base64_alphabet) : -1;
}

/* The @count (2 to 4) characters collected in @group, six bits each, as @count - 1 bytes. */
static int add_group(uint32_t group, int count, struct buf *out)
{
	uint8_t bytes[3];

	group <<= 6 * (4 - count);
	bytes[0] = (uint8_t)(group >> 16);
	bytes[1] = (uint8_t)(group >> 8);
	bytes[2] = (uint8_t)group;
	return buf_add(out, bytes, (size_t)count - 1);
}

int hash_base64_decode(const char *text, size_t length, struct buf *out)
{
	uint32_t group = 0;
	int count = 0;
	int padding = 0;

	for (size_t i = 0; i < length; i++) {
		int value = base64_value(text[i]);
		int ret;

		if (text[i] == '\n' || text[i] == '\r' || text[i] == ' ' || text[i] == '\t')
			continue;
		if (text[i] == '=' && count >= 2 && count + padding < 4) {
			padding++;
			continue;
		}
		if (value < 0 || padding)
			return -EINVAL;
		group = group << 6 | (uint32_t)value;
		if (++count < 4)
			continue;
		ret = add_group(group, 4, out);
		if (ret < 0)
			return ret;
		group = 0;
		count = 0;
	}
	if (count == 0)
		return 0;
	if (count == 1 || (padding && count + padding != 4))
		return -EINVAL;
	return add_group(group, count, out);
}
