# SPDX-License-Identifier: Apache-2.0
"""EC2's Query protocol: a form in, XML out, and its errors.

Source: Amazon EC2 API Reference, "Making requests to the Amazon EC2 API", "Error codes".
"""
import random
import re
import urllib.parse
import uuid
from xml.sax.saxutils import escape

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
VERSION = "2016-11-15"
# A fixed seed: a client must not rely on the order of elements, and a failure must be the same in the next run.
_order = random.Random(20161115)


class EC2Error(Exception):
    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def invalid(message):
    return EC2Error("InvalidParameterValue", message)


def missing(name):
    return EC2Error("MissingParameter", "The request must contain the parameter %s" % name)


class Form:
    """The parameters of one request. @allowed: templates in which N stands for a list's number."""

    def __init__(self, text, known=None):
        try:
            pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
        except ValueError:
            raise EC2Error("MalformedQueryString", "The query string contains a syntax error.") from None
        self.values = dict(pairs)
        if len(self.values) != len(pairs):
            raise EC2Error("InvalidParameterCombination", "A parameter is given more than once.")
        self.allow(known)

    def allow(self, allowed):
        for name in self.values if allowed is not None else ():
            template = re.sub(r"\.[1-9][0-9]*(?=\.|$)", ".N", name)
            if template not in allowed and name not in ("Action", "Version", "DryRun"):
                raise EC2Error("UnknownParameter", "The parameter %s is not recognized" % name)

    def text(self, name, required=False):
        value = self.values.get(name)
        if required and not value:
            raise missing(name)
        return value

    def number(self, name):
        value = self.values.get(name)
        if value is None:
            return None
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise invalid("Value (%s) for parameter %s is invalid. The value must be an integer" % (value, name))
        return int(value)

    def boolean(self, name):
        value = self.values.get(name)
        if value not in (None, "true", "false"):
            raise invalid("Value (%s) for parameter %s is invalid. Expected true or false" % (value, name))
        return None if value is None else value == "true"

    def numbers_below(self, prefix):
        """The numbers N for which prefix.N or prefix.N.* is given, in order."""
        found = set()
        for name in self.values:
            match = re.match(re.escape(prefix) + r"\.([0-9]+)(?:\.|$)", name)
            if match:
                found.add(int(match.group(1)))
        return sorted(found)

    def list(self, prefix):
        return [self.values["%s.%d" % (prefix, number)] for number in self.numbers_below(prefix)
                if "%s.%d" % (prefix, number) in self.values]

    def filters(self):
        """name -> accepted values."""
        found = {}
        for number in self.numbers_below("Filter"):
            name = self.text("Filter.%d.Name" % number, required=True)
            found[name] = self.list("Filter.%d.Value" % number)
        return found

    def tags(self, prefix="Tag"):
        found = {}
        for number in self.numbers_below(prefix):
            key = self.text("%s.%d.Key" % (prefix, number), required=True)
            if key.startswith("aws:"):
                raise invalid("Tag keys starting with 'aws:' are reserved for internal use")
            if len(key) > 128 or len(self.values.get("%s.%d.Value" % (prefix, number), "")) > 256:
                raise invalid("Tag key or value is too long: '%s'" % key)
            found[key] = self.values.get("%s.%d.Value" % (prefix, number), "")
        return found

    def tag_specification(self, resource):
        found = {}
        for number in self.numbers_below("TagSpecification"):
            prefix = "TagSpecification.%d" % number
            kind = self.text(prefix + ".ResourceType", required=True)
            if kind != resource:
                raise invalid("'%s' is not a valid taggable resource type for this operation." % kind)
            found.update(self.tags(prefix + ".Tag"))
        return found

    def public(self):
        """For calls.jsonl."""
        return {name: value for name, value in self.values.items() if name != "Action"}


def matches(pattern, value):
    """A filter's value: * and ? are wildcards, a backslash takes their meaning away."""
    parts = re.findall(r"\\.|.", pattern, re.S)
    text = "".join({"*": ".*", "?": "."}.get(part, re.escape(part[-1])) for part in parts)
    return re.fullmatch(text, value, re.S) is not None


def element(name, value):
    if value is None:
        return ""
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, dict):
        rows = [element(key, item) for key, item in value.items()]
        _order.shuffle(rows)
        inner = "".join(rows)
    elif isinstance(value, (list, tuple)):
        inner = "".join(element("item", item) for item in value)
    else:
        inner = escape(str(value), {'"': "&quot;"})
    return "<%s>%s</%s>" % (name, inner, name) if inner else "<%s/>" % name


def document(action, value):
    root = action + "Response"
    body = element(root, dict(value, requestId=str(uuid.uuid4())))
    return '<?xml version="1.0" encoding="UTF-8"?>' + body.replace(root, '%s xmlns="%s"' % (root, NAMESPACE), 1)


def error_document(code, message):
    return ('<?xml version="1.0" encoding="UTF-8"?><Response><Errors>%s</Errors><RequestID>%s</RequestID></Response>'
            % (element("Error", {"Code": code, "Message": message}), uuid.uuid4()))
