# SPDX-License-Identifier: Apache-2.0
"""EC2's endpoint: who asks, how often they may, which action; and the actions on instances and tags.

Source of the errors: Amazon EC2 API Reference, "Error codes"; of the limits: "Request throttling for the Amazon EC2
API".
"""
import base64
import threading
import time

import node as nodes
import sigv4
from serve import Answer
from wire import EC2Error, Form, VERSION, document, error_document, invalid, matches, missing

KMS_KEY = "arn:aws:kms:%s:%s:key/0123abcd-0000-4000-8000-0123456789ab" % (nodes.REGION, nodes.ACCOUNT)
DESCRIBE = {"DryRun", "Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"}
# name: (burst, refill per second). "unfiltered": a Describe call with neither filter, ids nor pages.
BUCKETS = {"describe": (100, 20), "unfiltered": (50, 10), "mutating": (50, 5), "CreateVolume": (100, 5),
           "DeleteVolume": (100, 5), "CreateTags": (100, 10)}
SERVER_ERRORS = ((500, error_document("InternalError", "An internal error has occurred")), (503, ""),
                 (502, "<html><body><h1>502 Bad Gateway</h1></body></html>"),
                 (504, error_document("ServiceUnavailable", "The request has failed due to a temporary failure")))


class Buckets:
    """A token bucket for each action, of the size of its kind."""

    def __init__(self, sizes):
        self.sizes, self.rows, self.lock = dict(BUCKETS, **sizes), {}, threading.Lock()

    def take(self, action, is_filtered):
        kind = action if action in self.sizes else "mutating"
        if action.startswith("Describe"):
            kind = "describe" if is_filtered else "unfiltered"
        burst, rate = self.sizes[kind]
        with self.lock:
            now = time.monotonic()
            tokens, then = self.rows.get((action, kind), (burst, now))
            tokens = min(burst, tokens + (now - then) * rate)
            allowed = tokens >= 1
            self.rows[action, kind] = (tokens - allowed, now)
        return allowed


def page(form, rows, smallest=5, largest=1000):
    """One page of @rows, and the token of the next one."""
    size, token, start = form.number("MaxResults"), form.text("NextToken"), 0
    if size is not None and not smallest <= size <= largest:
        raise invalid("Value ( %d ) for parameter maxResults is invalid. Expecting a value from %d to %d." % (
            size, smallest, largest))
    if token:
        try:
            start = int(base64.b64decode(token.encode(), validate=True).decode().partition(":")[2])
        except ValueError:
            raise invalid("Unable to parse pagination token") from None
    end = start + (size or len(rows))
    return rows[start:end], base64.b64encode(b"next:%d" % end).decode() if end < len(rows) else None


def select(rows, filters, value_of):
    """The rows that fit all filters; @value_of(row, name) gives the values of a row, None for an unknown filter."""
    for name, wanted in filters.items():
        kept = []
        for row in rows:
            values = value_of(row, name)
            if values is None:
                raise invalid("The filter '%s' is invalid" % name)
            if any(matches(pattern, value) for pattern in wanted for value in values):
                kept.append(row)
        rows = kept
    return rows


class EC2:
    """@volumes: volume_actions.VolumeActions. @keys: key id -> sigv4.Key. @buckets: sizes that differ from EC2's."""

    def __init__(self, node, volumes, keys, faults, recorder, buckets=None):
        self.node, self.volumes, self.keys, self.faults, self.recorder = node, volumes, keys, faults, recorder
        self.buckets = Buckets(buckets or {})
        self.actions = dict(volumes.actions)
        self.actions.update({
            "DescribeInstances": (self.describe_instances, DESCRIBE | {"InstanceId.N"}),
            "DescribeInstanceTypes": (self.describe_types, DESCRIBE | {"InstanceType.N"}),
            "DescribeInstanceAttribute": (self.describe_attribute, {"InstanceId", "Attribute"}),
            "ModifyInstanceAttribute": (self.modify_instance, {
                "InstanceId", "BlockDeviceMapping.N.DeviceName", "BlockDeviceMapping.N.Ebs.DeleteOnTermination",
                "BlockDeviceMapping.N.Ebs.VolumeId"}),
            "CreateTags": (self.create_tags, {"ResourceId.N", "Tag.N.Key", "Tag.N.Value"}),
        })

    def __call__(self, request):
        """Never raises what the client has done wrong: that is an answer."""
        form, action, by, refusal = None, "", "tool", None
        try:
            text = request.body.decode("utf-8", "replace") if request.method == "POST" else request.query
            form = Form(text)
            action = form.values.get("Action", "")
            by = self._who(request, action)
            answer = self._spoilt(action) if by != "test" else None
            if answer is None:
                answer = Answer(200, document(action, self._act(form, action, by)), "text/xml;charset=UTF-8")
                fault = by != "test" and self.faults.strikes("ec2-cut", action)
                answer.cut = len(answer.body) // 2 if fault else None
        except (EC2Error, sigv4.Refused) as error:
            answer = Answer(error.status, error_document(error.code, error.message), "text/xml;charset=UTF-8")
            refusal = error.code
        self.recorder.add("ec2", action, form.public() if form else {}, None if answer.hang else answer.status, by,
                          refusal)
        return answer

    def _who(self, request, action):
        if request.path != "/" or request.method not in ("GET", "POST"):
            raise EC2Error("InvalidAction", "There is nothing here.", 404)
        fault = self.faults.strikes("clock-skew", action)
        now = time.time() + (fault.value if fault else 0)
        return sigv4.verify(request, self.keys, self.node.region, "ec2", now).by

    def _spoilt(self, action):
        """What goes wrong before anything is done."""
        if self.faults.strikes("ec2-hang", action):
            return Answer(0, hang=True)
        if self.faults.strikes("ec2-throttle", action):
            raise EC2Error("RequestLimitExceeded", "Request limit exceeded.", 503)
        fault = self.faults.strikes("ec2-5xx", action)
        if fault:
            status, body = SERVER_ERRORS[(fault.fired - 1) % len(SERVER_ERRORS)]
            return Answer(status, body, "text/html" if body.startswith("<html") else "text/xml")
        if self.faults.strikes("ec2-denied", action):
            raise EC2Error("UnauthorizedOperation", "You are not authorized to perform this operation. User: "
                           "arn:aws:sts::%s:assumed-role/%s/%s is not authorized to perform: ec2:%s" % (
                               self.node.account, self.node.role, self.node.instance_id, action), 403)
        return None

    def _act(self, form, action, by):
        if not action:
            raise EC2Error("MissingAction", "The request is missing an action or operation parameter.")
        if action not in self.actions or form.values.get("Version") != VERSION:
            raise EC2Error("InvalidAction", "The action %s is not valid for this web service." % action)
        is_filtered = any(name not in ("Action", "Version", "DryRun") for name in form.values)
        if by != "test" and not self.buckets.take(action, is_filtered):
            raise EC2Error("RequestLimitExceeded", "Request limit exceeded.", 503)
        function, allowed = self.actions[action]
        form.allow(allowed)
        if form.boolean("DryRun"):
            raise EC2Error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
        return function(form)

    def _instance(self, form):
        wanted = form.text("InstanceId", required=True)
        if wanted != self.node.instance_id:
            raise no_instance([wanted])

    def describe_instances(self, form):
        wanted = form.list("InstanceId")
        if any(name != self.node.instance_id for name in wanted):
            raise no_instance([name for name in wanted if name != self.node.instance_id])
        if wanted and form.number("MaxResults") is not None:
            raise EC2Error("InvalidParameterCombination",
                           "The parameter instancesSet cannot be used with the parameter maxResults")
        rows = select([self.node.describe(self.volumes.mapping())], form.filters(), instance_value)
        rows, token = page(form, rows)
        return {"reservationSet": [{"reservationId": "r-0fedcba9876543210", "ownerId": self.node.account,
                                    "groupSet": [], "instancesSet": [row]} for row in rows], "nextToken": token}

    def describe_types(self, form):
        wanted = form.list("InstanceType") or sorted(nodes.TYPES)
        unknown = [name for name in wanted if name not in nodes.TYPES]
        if unknown:
            raise EC2Error("InvalidInstanceType", "The following supplied instance types do not exist: [%s]"
                           % ", ".join(unknown))
        rows = select([nodes.describe_type(name) for name in wanted], form.filters(),
                      lambda row, name: [row["instanceType"]] if name == "instance-type" else None)
        rows, token = page(form, rows, largest=100)
        return {"instanceTypeSet": rows, "nextToken": token}

    def describe_attribute(self, form):
        self._instance(form)
        attribute = form.text("Attribute", required=True)
        whole = self.node.describe(self.volumes.mapping())
        if attribute == "blockDeviceMapping":
            return {"instanceId": self.node.instance_id, "blockDeviceMapping": whole["blockDeviceMapping"]}
        if attribute not in ("ebsOptimized", "instanceType", "rootDeviceName"):
            raise invalid("Value (%s) for parameter attribute is invalid. Unknown attribute." % attribute)
        return {"instanceId": self.node.instance_id, attribute: {"value": whole[attribute]}}

    def modify_instance(self, form):
        self._instance(form)
        numbers = form.numbers_below("BlockDeviceMapping")
        if not numbers:
            raise EC2Error("InvalidParameterCombination", "No attributes specified.")
        for number in numbers:
            prefix = "BlockDeviceMapping.%d." % number
            device = form.text(prefix + "DeviceName", required=True)
            flag = form.boolean(prefix + "Ebs.DeleteOnTermination")
            self.volumes.set_delete_on_termination(device, True if flag is None else flag)
        return {"return": True}

    def create_tags(self, form):
        tags, ids = form.tags(), form.list("ResourceId")
        for name, given in (("resourceIdSet", ids), ("tagSet", tags)):
            if not given:
                raise missing(name)
        self.volumes.tag(ids, tags)
        return {"return": True}


def instance_value(row, name):
    values = {"instance-id": [row["instanceId"]], "instance-type": [row["instanceType"]],
              "instance-state-name": [row["instanceState"]["name"]],
              "availability-zone": [row["placement"]["availabilityZone"]],
              "block-device-mapping.volume-id": [item["ebs"]["volumeId"] for item in row["blockDeviceMapping"]],
              "block-device-mapping.device-name": [item["deviceName"] for item in row["blockDeviceMapping"]]}
    if name.startswith("tag:"):
        return [tag["value"] for tag in row["tagSet"] if tag["key"] == name[4:]]
    return values.get(name)


def no_instance(names):
    return EC2Error("InvalidInstanceID.NotFound", "The instance ID%s '%s' do%s not exist" % (
        "s" if len(names) > 1 else "", ", ".join(names), "" if len(names) > 1 else "es"))
