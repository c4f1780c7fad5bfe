/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/aws/sigv4.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/hash.h"

#define ALGORITHM	 "AWS4-HMAC-SHA256"
#define CANONICAL_MAX	 (64U << 10)
#define SIGNED_NAMES_MAX 2048
#define QUERY_PAIRS_MAX	 128
#define PATH_PARTS_MAX	 64

/* Headers that something on the way, libcurl included, may add, change or drop. */
static const char *const unsigned_headers[] = {
	"accept",	      "authorization", "connection", "content-length", "expect",  "keep-alive",
	"proxy-authenticate", "te",	       "trailer",    "upgrade",	       "user-agent", "x-amzn-trace-id",
	"proxy-authorization", "transfer-encoding",
};

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-_.~", c));
}

/* Appends @length bytes of @text, percent-encoded but for unreserved characters and those in @safe. */
static int encode(const char *text, size_t length, const char *safe, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";
	int ret = 0;

	for (size_t i = 0; i < length && ret == 0; i++) {
		unsigned char c = (unsigned char)text[i];
		const char escape[3] = { '%', digits[c >> 4], digits[c & 15] };
		bool plain = is_unreserved(text[i]) || (c && strchr(safe, c));

		ret = plain ? buf_add(out, &text[i], 1) : buf_add(out, escape, sizeof(escape));
	}
	return ret;
}

int sigv4_encode(const char *text, struct buf *out)
{
	return encode(text, strlen(text), "", out);
}

/**
 * struct part - a piece of a text
 */
struct part {
	const char *text;
	size_t length;
};

static bool part_is(const struct part *part, const char *text)
{
	return part->length == strlen(text) && memcmp(part->text, text, part->length) == 0;
}

/* Cuts @text at each @separator. Return: how many parts, -E2BIG over @max. */
static int cut(const char *text, char separator, struct part *out, size_t max)
{
	size_t count = 0;

	for (const char *end = text; end; text = end + 1) {
		end = strchr(text, separator);
		if (count == max)
			return -E2BIG;
		out[count++] = (struct part){ .text = text, .length = end ? (size_t)(end - text) : strlen(text) };
		if (!end)
			break;
	}
	return (int)count;
}

/* Without ".", ".." and empty segments, and encoded. */
static int add_path(const char *path, struct buf *out)
{
	struct part parts[PATH_PARTS_MAX];
	size_t kept = 0;
	int count = cut(path && *path ? path : "/", '/', parts, ARRAY_SIZE(parts));
	int ret = 0;

	for (int i = 0; i < count; i++) {
		if (part_is(&parts[i], "..") && kept)
			kept--;
		else if (parts[i].length && !part_is(&parts[i], ".") && !part_is(&parts[i], ".."))
			parts[kept++] = parts[i];
	}
	for (size_t i = 0; i < kept && ret == 0; i++) {
		ret = buf_add_text(out, "/");
		if (ret == 0)
			ret = encode(parts[i].text, parts[i].length, "", out);
	}
	if (count < 0 || ret < 0)
		return count < 0 ? count : ret;
	if (!kept || path[strlen(path) - 1] == '/')
		ret = buf_add_text(out, "/");
	return ret;
}

static int compare_parts(const struct part *a, const struct part *b)
{
	size_t shorter = a->length < b->length ? a->length : b->length;
	int order = memcmp(a->text, b->text, shorter);

	if (order)
		return order;
	return a->length < b->length ? -1 : a->length > b->length;
}

static struct part key_of(const struct part *pair)
{
	const char *equals = memchr(pair->text, '=', pair->length);

	return (struct part){ .text = pair->text, .length = equals ? (size_t)(equals - pair->text) : pair->length };
}

/* By key, then by value: not by the text of both, where "a-b=" would come before "a=". */
static int compare_pairs(const void *left, const void *right)
{
	const struct part *a = left;
	const struct part *b = right;
	struct part key_a = key_of(a);
	struct part key_b = key_of(b);
	int order = compare_parts(&key_a, &key_b);

	return order ? order : compare_parts(a, b);
}

static int add_query(const char *query, struct buf *out)
{
	struct part pairs[QUERY_PAIRS_MAX];
	int count;
	int ret = 0;

	if (!query || !*query)
		return 0;
	count = cut(query, '&', pairs, ARRAY_SIZE(pairs));
	if (count < 0)
		return count;
	qsort(pairs, (size_t)count, sizeof(pairs[0]), compare_pairs);
	for (int i = 0; i < count && ret == 0; i++) {
		if (i)
			ret = buf_add_text(out, "&");
		if (ret == 0)
			ret = buf_add(out, pairs[i].text, pairs[i].length);
		/* A key without a value gets an empty one. */
		if (ret == 0 && !memchr(pairs[i].text, '=', pairs[i].length))
			ret = buf_add_text(out, "=");
	}
	return ret;
}

static bool is_signed(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(unsigned_headers); i++)
		if (strcasecmp(name, unsigned_headers[i]) == 0)
			return false;
	return true;
}

static int add_lower(const char *text, struct buf *out)
{
	int ret = 0;

	for (; *text && ret == 0; text++) {
		char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;

		ret = buf_add(out, &c, 1);
	}
	return ret;
}

/* Blanks at the ends cut off, those within made one space. */
static int add_value(const char *value, struct buf *out)
{
	static const char blanks[] = " \t\n\v\f\r";
	int ret = 0;

	value += strspn(value, blanks);
	while (*value && ret == 0) {
		size_t word = strcspn(value, blanks);
		size_t gap = strspn(value + word, blanks);

		ret = buf_add(out, value, word);
		value += word + gap;
		if (*value && ret == 0)
			ret = buf_add_text(out, " ");
	}
	return ret;
}

/**
 * struct header_set - the headers that are signed, sorted by name; repeated ones in their order
 * @items: borrowed
 * @count: how many
 */
struct header_set {
	struct sigv4_header items[SIGV4_HEADERS_MAX + 3];
	size_t count;
};

/* An insertion sort: stable, and the set is small. */
static void insert(struct header_set *set, const char *name, const char *value)
{
	size_t place = set->count++;

	while (place > 0 && strcasecmp(set->items[place - 1].name, name) > 0) {
		set->items[place] = set->items[place - 1];
		place--;
	}
	set->items[place] = (struct sigv4_header){ .name = name, .value = value };
}

static int collect_headers(const struct sigv4_request *request, const struct sigv4_scope *scope, const char *date,
			   struct header_set *out)
{
	out->count = 0;
	if (request->header_count > SIGV4_HEADERS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < request->header_count; i++)
		if (is_signed(request->headers[i].name))
			insert(out, request->headers[i].name, request->headers[i].value);
	insert(out, "host", request->host);
	insert(out, "x-amz-date", date);
	if (scope->credentials->session_token[0])
		insert(out, "x-amz-security-token", scope->credentials->session_token);
	return 0;
}

static bool repeats(const struct header_set *set, size_t i)
{
	return i > 0 && strcasecmp(set->items[i - 1].name, set->items[i].name) == 0;
}

/* "name:value" lines, then the list of names, which is also kept in @names. */
static int add_headers(const struct header_set *set, struct buf *out, struct buf *names)
{
	int ret = 0;

	for (size_t i = 0; i < set->count && ret == 0; i++) {
		bool again = repeats(set, i);

		if (!again && i > 0)
			ret = buf_add_text(out, "\n") ?: buf_add_text(names, ";");
		if (!again && ret == 0)
			ret = add_lower(set->items[i].name, out) ?: add_lower(set->items[i].name, names);
		if (ret == 0)
			ret = buf_add_text(out, again ? "," : ":") ?: add_value(set->items[i].value, out);
	}
	return ret ?: buf_add_text(out, "\n\n") ?: buf_add(out, names->data, names->length) ?: buf_add_text(out, "\n");
}

static int add_canonical(const struct sigv4_request *request, const struct header_set *set, struct buf *out,
			 struct buf *names)
{
	return buf_add_text(out, request->method) ?: buf_add_text(out, "\n") ?: add_path(request->path, out) ?:
	       buf_add_text(out, "\n") ?: add_query(request->query, out) ?: buf_add_text(out, "\n") ?:
	       add_headers(set, out, names);
}

static int payload_hash(const struct sigv4_request *request, char out[HASH_HEX_SIZE], struct err *err)
{
	size_t length;

	if (!request->payload_hash)
		return hash_sha256_hex(request->body ? request->body : "", request->body ? request->body_length : 0,
				       out, err);
	length = strlen(request->payload_hash);
	if (length >= HASH_HEX_SIZE)
		return err_set(err, EMSGSIZE, "sign a request: the payload's hash is too long");
	memcpy(out, request->payload_hash, length + 1);
	return 0;
}

/* HMAC by HMAC, from the secret over day, Region and service to the signature of @text. */
static int compute(const struct sigv4_scope *scope, const char *day, const char *text, char out[HASH_HEX_SIZE],
		   struct err *err)
{
	const char *const steps[] = { day, scope->region, scope->service, "aws4_request", text };
	char secret[4 + SETTINGS_KEY_MAX] = "AWS4";
	size_t length = strlen(scope->credentials->secret_access_key);
	uint8_t key[HASH_BYTES];
	int ret;

	memcpy(secret + 4, scope->credentials->secret_access_key, length);
	ret = hash_hmac_sha256(secret, 4 + length, steps[0], strlen(steps[0]), key, err);
	for (size_t i = 1; i < ARRAY_SIZE(steps) && ret == 0; i++)
		ret = hash_hmac_sha256(key, sizeof(key), steps[i], strlen(steps[i]), key, err);
	if (ret == 0)
		hash_hex(key, sizeof(key), out);
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(key, sizeof(key));
	return ret;
}

static int add_authorization(const struct sigv4_scope *scope, const struct buf *canonical, const char *names,
			     const char *date, struct buf *out, struct err *err)
{
	char hash[HASH_HEX_SIZE];
	char signature[HASH_HEX_SIZE];
	struct buf text CLEANUP_BUF = BUF_INIT(1024);
	char day[9] = "";
	int ret;

	memcpy(day, date, 8);
	ret = hash_sha256_hex(canonical->data, canonical->length, hash, err);
	if (ret < 0)
		return ret;
	ret = buf_printf(&text, ALGORITHM "\n%s\n%s/%s/%s/aws4_request\n%s", date, day, scope->region, scope->service,
			 hash);
	if (ret < 0)
		return err_sys(err, -ret, "sign a request");
	ret = compute(scope, day, text.data, signature, err);
	if (ret < 0)
		return ret;
	ret = buf_printf(out, ALGORITHM " Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s",
			 scope->credentials->access_key_id, day, scope->region, scope->service, names, signature);
	return ret < 0 ? err_sys(err, -ret, "sign a request") : 0;
}

int sigv4_sign(const struct sigv4_request *request, const struct sigv4_scope *scope, struct buf *authorization,
	       char date[TIMESTAMP_BASIC_SIZE], struct err *err)
{
	char hash[HASH_HEX_SIZE];
	struct buf canonical CLEANUP_WIPE = BUF_INIT(CANONICAL_MAX);
	struct buf names CLEANUP_BUF = BUF_INIT(SIGNED_NAMES_MAX);
	struct header_set set;
	int ret;

	/* The canonical form holds the session token. */
	timestamp_basic(scope->now, date);
	if (strlen(date) != TIMESTAMP_BASIC_SIZE - 1)
		return err_set(err, EINVAL, "sign a request: the clock shows no usable time");
	ret = payload_hash(request, hash, err);
	if (ret < 0)
		return ret;
	ret = collect_headers(request, scope, date, &set) ?: add_canonical(request, &set, &canonical, &names) ?:
	      buf_add_text(&canonical, hash);
	if (ret < 0)
		return err_sys(err, -ret, "sign a request");
	return add_authorization(scope, &canonical, names.data, date, authorization, err);
}
