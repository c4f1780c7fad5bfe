# SPDX-License-Identifier: Apache-2.0
"""What tests ask of the cloud themselves, with a key of their own, so that their calls can be told from a tool's."""
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from xml.etree import ElementTree

import sigv4
from wire import VERSION, EC2Error

TIMEOUT_S = 60
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def open_url(url, method="GET", headers=(), body=None):
    """(status, headers, body) whatever the status; never through a proxy."""
    wanted = urllib.request.Request(url, data=body, headers=dict(headers), method=method)
    try:
        with _opener.open(wanted, timeout=TIMEOUT_S) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


def parse_xml(body):
    """The root element, names without their namespace."""
    return ElementTree.fromstring(re.sub(rb' xmlns="[^"]*"', b"", body, count=1))


def ask_ec2(endpoints, action, parameters):
    """One EC2 call. Returns the answer's root element; raises EC2Error."""
    body = urllib.parse.urlencode(dict(parameters, Action=action, Version=VERSION)).encode()
    url = endpoints["ec2"] + "/"
    headers = sigv4.signed_headers("POST", url, body, endpoints["test-key-id"], endpoints["test-secret"],
                                   endpoints["region"], "ec2")
    status, _, answer = open_url(url, "POST", headers, body)
    found = parse_xml(answer)
    if status != 200:
        raise EC2Error(found.findtext(".//Code"), found.findtext(".//Message"), status)
    return found


def control(endpoints, what, data=None):
    """The cloud's control address: volumes, faults, node."""
    body = None if data is None else json.dumps(data).encode()
    status, _, answer = open_url(endpoints["control"] + what, "GET" if body is None else "POST", (), body)
    if status != 200:
        raise RuntimeError("%s: %d %s" % (what, status, answer.decode(errors="replace")))
    return json.loads(answer)
