# SPDX-License-Identifier: Apache-2.0
"""Signature version 4: the check that the cloud makes, and a signer for the tests' own requests.

Rules: AWS, "Create a signed AWS API request". Apart from the product's signer, so that one mistake is not made twice;
that it takes what botocore and the AWS CLI sign is shown by tests/cli/test_lab_clients.py.
"""
import datetime
import hashlib
import hmac
import time
import urllib.parse

ALGORITHM = "AWS4-HMAC-SHA256"
STAMP = "%Y%m%dT%H%M%SZ"
WINDOW_S = 15 * 60


class Refused(Exception):
    """A request that is not signed, or not well."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def _quote(text):
    return urllib.parse.quote(text, safe="-_.~")


def _path(path):
    """Each segment encoded once more than on the wire, as every service but S3 wants it."""
    return "/".join(urllib.parse.quote(part, safe="-_.~") for part in (path or "/").split("/"))


def _query(query):
    pairs = []
    for part in query.split("&") if query else []:
        name, _, value = part.partition("=")
        pairs.append((_quote(urllib.parse.unquote(name)), _quote(urllib.parse.unquote(value))))
    return "&".join(name + "=" + value for name, value in sorted(pairs))


def canonical_request(method, path, query, headers, signed, payload_hash):
    """@headers: (name, value) pairs, repeated names in their order. @signed: the lower-case names that are signed."""
    values = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(" ".join(value.split()))
    lines = "".join("%s:%s\n" % (name, ",".join(values.get(name, [""]))) for name in signed)
    return "\n".join((method, _path(path), _query(query), lines, ";".join(signed), payload_hash))


def signature(secret, stamp, region, service, request):
    day = stamp[:8]
    scope = "/".join((day, region, service, "aws4_request"))
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _fields(authorization):
    algorithm, _, rest = authorization.partition(" ")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if algorithm != ALGORITHM or not {"Credential", "SignedHeaders", "Signature"} <= set(fields):
        raise Refused(400, "IncompleteSignature", "The request signature does not conform to AWS standards.")
    return fields


def _check_time(stamp, now):
    try:
        then = datetime.datetime.strptime(stamp, STAMP).replace(tzinfo=datetime.timezone.utc).timestamp()
    except ValueError:
        raise Refused(400, "IncompleteSignature", "Date must be in ISO-8601 'basic format'.") from None
    if abs(now - then) > WINDOW_S:
        raise Refused(400, "RequestExpired", "Request has expired.")


def verify(request, keys, region, service, now=None):
    """Checks a request; returns the Key that signed it, else raises Refused.

    @request: has .method .path .query .headers (pairs) .body. @keys: access key id -> Key.
    """
    one = {name.lower(): value for name, value in request.headers}
    if "authorization" not in one:
        raise Refused(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
    fields = _fields(one["authorization"])
    key_id, *scope = fields["Credential"].split("/")
    stamp = one.get("x-amz-date", "")
    _check_time(stamp, time.time() if now is None else now)
    key = keys.get(key_id)
    if key is None:
        raise Refused(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
    if scope != [stamp[:8], region, service, "aws4_request"]:
        raise Refused(403, "SignatureDoesNotMatch", "Credential should be scoped to a valid Region and service.")
    signed = fields["SignedHeaders"].split(";")
    unsigned = [name for name in one if name == "host" or name.startswith("x-amz-")]
    if signed != sorted(signed) or not set(unsigned) <= set(signed):
        raise Refused(403, "SignatureDoesNotMatch", "'Host' and every 'X-Amz-' header must be signed, in order.")
    payload = one.get("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()
    if payload not in ("UNSIGNED-PAYLOAD", hashlib.sha256(request.body).hexdigest()):
        raise Refused(400, "XAmzContentSHA256Mismatch", "The payload's hash is not the header's.")
    canonical = canonical_request(request.method, request.path, request.query, request.headers, signed, payload)
    if not hmac.compare_digest(signature(key.secret, stamp, region, service, canonical), fields["Signature"]):
        raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature "
                      "you provided. Check your AWS Secret Access Key and signing method.")
    if key.token is not None and one.get("x-amz-security-token") != key.token:
        raise Refused(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
    if key.expires < (time.time() if now is None else now):
        raise Refused(400, "RequestExpired", "Request has expired.")
    return key


class Key:
    """An access key as the cloud knows it. @token: None for a long-lived one. @by: who uses it, for calls.jsonl."""

    def __init__(self, key_id, secret, token=None, expires=float("inf"), by="tool"):
        self.key_id, self.secret, self.token, self.expires, self.by = key_id, secret, token, expires, by


def signed_headers(method, url, body, key_id, secret, region, service, token=None, stamp=None):
    """The headers of a signed form request, as a list of pairs."""
    parts = urllib.parse.urlsplit(url)
    stamp = stamp or time.strftime(STAMP, time.gmtime())
    headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8"), ("host", parts.netloc),
               ("x-amz-date", stamp)] + ([("x-amz-security-token", token)] if token else [])
    names = [name for name, _ in headers]
    canonical = canonical_request(method, parts.path, parts.query, headers, names, hashlib.sha256(body).hexdigest())
    headers.append(("Authorization", "%s Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s" % (
        ALGORITHM, key_id, stamp[:8], region, service, ";".join(names),
        signature(secret, stamp, region, service, canonical))))
    return headers
