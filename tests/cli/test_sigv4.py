# SPDX-License-Identifier: Apache-2.0
"""Our signer against botocore's, on request shapes that the two could see differently.

tests/unit/test-sigv4 has vectors of its own; called with the word "sign" it reads cases as JSON and prints the
Authorization header of each.
"""
import base64
import hashlib
import json
import os
import random
import unittest

import lab

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEO///////////wEaCXVzLWVhc3QtMSJHMEUCIQ+/=="
STAMP, TIME = "20260305T123456Z", 1772714096
FORM = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")


def shape(name, **values):
    case = {"name": name, "method": "GET", "host": "ec2.eu-central-1.amazonaws.com", "path": "/", "query": "",
            "headers": [], "body": "", "payload-hash": None, "token": "", "region": "eu-central-1", "service": "ec2"}
    unknown = set(values) - {key.replace("-", "_") for key in case}
    assert not unknown, unknown
    case.update({key.replace("_", "-"): value for key, value in values.items()})
    return case


def put_block(**more):
    digest = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    headers = [("x-amz-Data-Length", "524288"), ("x-amz-Progress", "50"), ("x-amz-Checksum-Algorithm", "SHA256"),
               ("x-amz-Checksum", digest), ("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")]
    return shape("a block put into a snapshot", method="PUT", service="ebs", path="/snapshots/snap-1/blocks/7",
                 headers=headers, host="ebs.eu-central-1.amazonaws.com", payload_hash="UNSIGNED-PAYLOAD", body="x" * 64,
                 **more)


SHAPES = [
    shape("nothing but a host"),
    shape("with a session token", token=TOKEN),
    shape("a form", method="POST", headers=[FORM], body="Action=DescribeVolumes&Version=2016-11-15"),
    shape("a form with a session token", method="POST", headers=[FORM], body="Action=DescribeVolumes", token=TOKEN),
    shape("an empty body", method="POST", headers=[FORM]),
    shape("a body of unicode", method="POST", headers=[FORM], body="Value=\u00e9\u4e2d\U0001f4be"),
    shape("an empty path", path=""),
    shape("a path with a slash at its end", path="/snapshots/"),
    shape("a path that is encoded already", path="/a%20b/c%2Fd"),
    shape("a path with reserved characters", path="/a:b@c!d$e&f'(g)*h+i,j;k=l"),
    shape("a path with unreserved characters", path="/AZaz09-_.~"),
    shape("a path with a blank", path="/a b"),
    shape("a path of unicode", path="/\u1234/\u00e9"),
    shape("a path with dot segments", path="/a/./b/../c"),
    shape("a path that climbs above the root", path="/../../a"),
    shape("a path that is only dot segments", path="/a/.."),
    shape("a path that ends in a dot segment and a slash", path="/a/b/../"),
    shape("a path with empty segments", path="//a///b"),
    shape("a query", query="a=1"),
    shape("a query out of order", query="pageToken=x&maxResults=100"),
    shape("a query with capital letters before small ones", query="b=1&B=2&a=3&A=4"),
    shape("a query with a repeated key, values out of order", query="a=2&a=10&a=1"),
    shape("a query with a repeated key and value", query="a=1&a=1"),
    shape("a query with an empty value", query="a=&b=1"),
    shape("a query with keys without a value", query="b&a&c=1"),
    shape("a query with a key that is another's beginning", query="a-b=1&a=2&ab=3&a.b=4"),
    shape("a query with base64 in it", query="blockToken=AAABAVahm9SO60Dyi0ORySzn2ZjGjW%2FKN3uygGlS0Q%2B%3D%3D"),
    shape("a query with a plus sign", query="a=b%2Bc&d=%2B"),
    shape("a query with an equals sign in a value", query="a=b%3Dc&d=e=f"),
    shape("a query of unicode", query="%E1%88%B4=%C3%A9"),
    shape("a query with a blank", query="a%20b=c%20d"),
    shape("a query with a percent sign", query="a=100%25"),
    shape("a query with unreserved characters", query="-._~AZaz09=-._~AZaz09"),
    shape("headers out of order", headers=[("X-Amz-Zebra", "z"), ("X-Amz-Apple", "a"), ("Content-Type", "a/b")]),
    shape("a repeated header", headers=[("X-Amz-Meta", "b"), ("X-Amz-Meta", "a")]),
    shape("a header repeated in another case", headers=[("x-amz-meta", "b"), ("X-AMZ-META", "a"), ("X-Amz-Meta", "")]),
    shape("headers of which one begins like the other", headers=[("x-amz-checksum-algorithm", "SHA256"),
                                                               ("x-amz-checksum-aggregation-method", "LINEAR"),
                                                               ("x-amz-checksum", "abc=")]),
    shape("a header with blanks around and within", headers=[("X-Amz-Meta", "  a   b \t c  ")]),
    shape("a header with an empty value", headers=[("X-Amz-Meta", "")]),
    shape("a header with quotes", headers=[("X-Amz-Meta", "\"a   b\"")]),
    shape("a header with a colon and a comma", headers=[("X-Amz-Meta", "a:b,c")]),
    shape("headers that are not signed", headers=[("User-Agent", "nodevol"), ("Expect", "100-continue"), FORM,
                                                  ("Connection", "close"), ("X-Amzn-Trace-Id", "Root=1"),
                                                  ("Transfer-Encoding", "chunked")]),
    shape("a host with a port", host="127.0.0.1:4566"),
    shape("a host that is an IPv6 address", host="[::1]:4566"),
    shape("another Region and service", region="us-gov-west-1", service="sts"),
    put_block(),
    put_block(token=TOKEN),
    shape("the end of a snapshot", method="POST", service="ebs", path="/snapshots/completion/snap-1", token=TOKEN,
          headers=[("x-amz-ChangedBlocksCount", "3"), ("x-amz-Checksum", "q83vEg=="),
                   ("x-amz-Checksum-Algorithm", "SHA256"), ("x-amz-Checksum-Aggregation-Method", "LINEAR")]),
    shape("a page of blocks", service="ebs", path="/snapshots/snap-1/blocks",
          query="maxResults=100&pageToken=AAIBAdjYtPYTtM6Lxy%2B6eQ%2F%3D&startingBlockIndex=0", token=TOKEN),
]


def random_shapes(count):
    chance = random.Random(20150830)
    letters = "abAB019-_.~"

    def word(least=1):
        return "".join(chance.choice(letters) for _ in range(chance.randint(least, 6)))

    def value():
        return "".join(chance.choice([letters[chance.randrange(len(letters))], "%2B", "%3D", "%20", "%C3%A9"])
                       for _ in range(chance.randint(0, 6)))

    for number in range(count):
        query = "&".join(word() + chance.choice(["", "=" + value()]) for _ in range(chance.randint(0, 6)))
        headers = [("X-Amz-" + word().replace("_", "-").strip("-.~") + "x", " " * chance.randint(0, 2) + word(0))
                   for _ in range(chance.randint(0, 6))]
        yield shape("drawn by lot, number %d" % number, method=chance.choice(["GET", "PUT", "POST"]),
                    path="/" + "/".join(chance.choice(["", ".", "..", word(), value()])
                                        for _ in range(chance.randint(0, 5))),
                    query=query, headers=headers, body=value(), token=chance.choice(["", TOKEN]))


def sign_with_botocore(case):
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    url = "https://" + case["host"] + case["path"] + ("?" + case["query"] if case["query"] else "")
    request = AWSRequest(method=case["method"], url=url, data=case["body"].encode())
    for name, value in case["headers"]:
        request.headers[name] = value           # adds: these are headers as in a mail
    signer = botocore.auth.SigV4Auth(Credentials(KEY, SECRET, case["token"] or None), case["service"], case["region"])
    request.context["timestamp"] = STAMP
    signer._modify_request_before_signing(request)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    signer._inject_signature_to_request(request, signer.signature(text, request))
    return request.headers["Authorization"]


class Sigv4(lab.Case):
    def sign(self, cases):
        given = [dict(case, key=KEY, secret=SECRET, time=TIME) for case in cases]
        result = self.run_tool(os.path.join("tests", "unit", "test-sigv4"), "sign", stdin=json.dumps(given))
        self.assertEqual(result.status, 0, result)
        return result.out.splitlines()

    def check(self, cases):
        self.need_module("botocore", optional=True)
        ours = self.sign(cases)
        self.assertEqual(len(ours), len(cases))
        for case, authorization in zip(cases, ours):
            with self.subTest(case["name"]):
                self.assertEqual(authorization, sign_with_botocore(case))

    def test_49_shapes_of_requests_are_signed_as_botocore_signs_them(self):
        self.assertEqual(len(SHAPES), 49)
        self.check(SHAPES)

    def test_500_shapes_drawn_by_lot_are_signed_as_botocore_signs_them(self):
        self.check(list(random_shapes(500)))

    def test_a_difference_would_be_seen(self):
        self.need_module("botocore", optional=True)
        cases = [shape("a query", query="a=1"), shape("another", query="a=2")]
        self.assertNotEqual(self.sign(cases)[0], sign_with_botocore(cases[1]))


if __name__ == "__main__":
    unittest.main()
