# SPDX-License-Identifier: Apache-2.0
"""The instance metadata service, version 2 only.

Source: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata" and "Instance metadata
categories".
"""
import base64
import json
import os
import time

from serve import Answer

TOKEN_TTL_MAX_S = 21600
VERSIONS = ("latest", "2021-03-23", "2022-09-24")
STAMP = "%Y-%m-%dT%H:%M:%SZ"


class Imds:
    """@node: the instance as node.py describes it. @key: the role's credentials, a sigv4.Key."""

    def __init__(self, node, key, faults, recorder, redirect_to):
        self.node, self.key, self.faults, self.recorder, self.redirect_to = node, key, faults, recorder, redirect_to
        self.tokens = {}

    def __call__(self, request):
        action = request.path.lstrip("/")
        answer = self._spoilt(action) or self._answer(request)
        self.recorder.add("imds", action, {"method": request.method}, None if answer.hang else answer.status)
        return answer

    def _spoilt(self, action):
        action = action.partition("/")[2]   # without "latest/"
        strikes = self.faults.strikes
        if strikes("imds-hang", action):
            return Answer(0, hang=True)
        if strikes("imds-disabled", action):
            return Answer(403, "Forbidden")
        if strikes("imds-503", action):
            return Answer(503, "Service Unavailable")
        if strikes("imds-redirect", action):
            return Answer(302, headers=[("Location", self.redirect_to + "/" + action)])
        if action != "api/token" and strikes("imds-401", action):
            self.tokens.clear()
            return Answer(401, "Unauthorized")
        if action != "api/token" and strikes("imds-empty", action):
            return Answer(200)
        return None

    def _answer(self, request):
        version, _, path = request.path.lstrip("/").partition("/")
        if version not in VERSIONS:
            return Answer(404, "Not Found")
        if path.strip("/") == "api/token":
            return self._token(request, version)
        if request.method not in ("GET", "HEAD"):
            return Answer(405, "Method Not Allowed", headers=[("Allow", "OPTIONS, GET, HEAD")])
        token = request.header("x-aws-ec2-metadata-token")
        if self.tokens.get(token, 0) < time.monotonic():
            return Answer(401, "Unauthorized")
        return self._item(path)

    def _token(self, request, version):
        if version != "latest" or request.header("x-forwarded-for") is not None:
            return Answer(403, "Forbidden")
        if request.method != "PUT":
            return Answer(405, "Method Not Allowed", headers=[("Allow", "OPTIONS, PUT")])
        ttl = request.header("x-aws-ec2-metadata-token-ttl-seconds") or ""
        if not (ttl.isascii() and ttl.isdigit() and 1 <= int(ttl) <= TOKEN_TTL_MAX_S):
            return Answer(400, "Bad Request")
        token = "AQAEA" + base64.b64encode(os.urandom(36)).decode().replace("+", "-").replace("/", "_") + "=="
        self.tokens[token] = time.monotonic() + int(ttl)
        return Answer(200, token, headers=[("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", ttl)])

    def _item(self, path):
        item = self._tree()
        for part in [part for part in path.split("/") if part]:
            if not isinstance(item, dict) or part not in item:
                return Answer(404, "Not Found")
            item = item[part]
        if isinstance(item, dict):
            item = "\n".join(name + ("/" if isinstance(value, dict) else "") for name, value in item.items())
        return Answer(200, item, "application/octet-stream" if isinstance(item, bytes) else "text/plain")

    def _tree(self):
        """Folders are dicts; what does not apply to this instance is absent, and so a 404."""
        node = self.node
        data = {
            "ami-id": node.image_id, "ami-launch-index": "0", "hostname": node.hostname,
            "block-device-mapping": dict(node.launch_mapping),
            "instance-action": "none", "instance-id": node.instance_id, "instance-life-cycle": "on-demand",
            "instance-type": node.instance_type, "local-hostname": node.hostname, "local-ipv4": node.address,
            "mac": node.mac, "network": {"interfaces": {"macs": {node.mac: {"device-number": "0"}}}},
            "placement": {"availability-zone": node.zone, "availability-zone-id": node.zone_id, "region": node.region},
            "reservation-id": "r-0fedcba9876543210", "security-groups": "default",
            "services": {"domain": "amazonaws.com", "partition": "aws"},
        }
        if node.tags_in_metadata:
            data["tags"] = {"instance": dict(node.tags)}
        if not self.faults.strikes("no-role"):
            data["iam"] = {"info": self._role_info(), "security-credentials": {node.role: self._credentials()}}
        tree = {"dynamic": {"instance-identity": {"document": json.dumps(node.identity_document(), indent=2)}},
                "meta-data": data}
        user_data = node.user_data()
        if user_data is not None:
            tree["user-data"] = user_data
        return tree

    def _role_info(self):
        return json.dumps({"Code": "Success", "LastUpdated": time.strftime(STAMP, time.gmtime()),
                           "InstanceProfileArn": "arn:aws:iam::%s:instance-profile/%s" % (
                               self.node.account, self.node.role),
                           "InstanceProfileId": "AIPA0123456789ABCDEFG"}, indent=2)

    def _credentials(self):
        now = time.strftime(STAMP, time.gmtime())
        if self.faults.strikes("role-failed"):
            return json.dumps({"Code": "AssumeRoleUnauthorizedAccess", "LastUpdated": now, "Message":
                               "EC2 cannot assume the role %s." % self.node.role}, indent=2)
        return json.dumps({"Code": "Success", "LastUpdated": now, "Type": "AWS-HMAC", "AccessKeyId": self.key.key_id,
                           "SecretAccessKey": self.key.secret, "Token": self.key.token,
                           "Expiration": time.strftime(STAMP, time.gmtime(self.key.expires))}, indent=2)
