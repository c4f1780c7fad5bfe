# SPDX-License-Identifier: Apache-2.0
"""What can be made to go wrong, by name:  NAME[@ACTION][:VALUE][#FIRST]

@ACTION: only for this action (EC2) or path under /latest/ (IMDS). :VALUE: a count or a number of seconds, see below.
#FIRST: begins with that occurrence (1 is the first), so "ec2-5xx@DescribeVolumes:2#3" spoils the third and fourth.
"""
import re
import threading
import time

COUNT, SECONDS, SWITCH = "count", "seconds", "switch"

# name -> (what the value is, its default (None: for ever), what happens)
NAMES = {
    "imds-503": (COUNT, None, "IMDS answers 503"),
    "imds-401": (COUNT, 1, "IMDS forgets its tokens and answers 401"),
    "imds-hang": (COUNT, None, "IMDS takes the request and says nothing"),
    "imds-disabled": (SWITCH, None, "IMDS answers 403 to everything"),
    "imds-empty": (COUNT, 1, "IMDS answers 200 with nothing in it"),
    "imds-redirect": (COUNT, None, "IMDS answers with a redirect to EC2's endpoint"),
    "no-role": (SWITCH, None, "the instance has no role"),
    "role-failed": (SWITCH, None, "the role's credentials say that something is wrong with it"),
    "ec2-throttle": (SECONDS, 5, "EC2 answers RequestLimitExceeded, so long after the first call"),
    "ec2-5xx": (COUNT, 1, "EC2 answers 500, 502, 503 or 504 and has done nothing"),
    "ec2-cut": (COUNT, 1, "EC2 does what was asked and the connection ends before the answer does"),
    "ec2-hang": (COUNT, None, "EC2 takes the request, does nothing and says nothing"),
    "ec2-denied": (COUNT, None, "EC2 answers UnauthorizedOperation"),
    "clock-skew": (SECONDS, 3600, "EC2's clock is so much ahead"),
    "name-in-use": (COUNT, 1, "AttachVolume finds the device name in use, though no list shows it"),
    "volume-fails": (COUNT, None, "a created volume ends in the state error"),
    "stuck-attaching": (COUNT, None, "an attachment stays attaching, the device does appear"),
    "device-never": (COUNT, None, "no device appears"),
    "device-late": (SECONDS, 3, "the device appears so long after EC2 says attached"),
    "wrong-device": (COUNT, None, "the device that appears is another volume's"),
    "wrong-size": (COUNT, None, "the device that appears is 1 GiB larger than the volume"),
    "stale-link": (COUNT, None, "the link by volume id leads to the root volume"),
}


class Fault:
    """One of them, armed. .fired: how often it has struck."""

    def __init__(self, text):
        match = re.fullmatch(r"([a-z0-9-]+)(?:@([^:#]+))?(?::(\d+(?:\.\d+)?))?(?:#(\d+))?", text)
        if not match or match.group(1) not in NAMES:
            raise ValueError("unknown fault '%s'; there are: %s" % (text, ", ".join(sorted(NAMES))))
        self.text, self.name, self.action = text, match.group(1), match.group(2)
        self.kind, default, _ = NAMES[self.name]
        self.value = float(match.group(3)) if match.group(3) else default
        self.first = int(match.group(4) or 1)
        self.seen = self.fired = 0
        self.since = None

    def strikes(self, action):
        if self.action not in (None, action):
            return False
        self.seen += 1
        if self.seen < self.first:
            return False
        if self.kind == COUNT and self.value is not None and self.seen >= self.first + self.value:
            return False
        if self.name == "ec2-throttle":
            self.since = self.since or time.monotonic()
            if time.monotonic() > self.since + self.value:
                return False
        self.fired += 1
        return True


class Faults:
    """All that are armed."""

    def __init__(self, texts=()):
        self.lock = threading.Lock()
        self.replace(texts)

    def replace(self, texts):
        armed = [Fault(text) for text in texts]
        with self.lock:
            self.armed = armed

    def strikes(self, name, action=None):
        """Counts one occasion. Returns the fault that strikes, or None."""
        if name not in NAMES:
            raise ValueError(name)
        with self.lock:
            for fault in self.armed:
                if fault.name == name and fault.strikes(action):
                    return fault
        return None

    def value(self, name):
        """The value of an armed fault, 0 when there is none. Counts nothing."""
        with self.lock:
            return next((fault.value for fault in self.armed if fault.name == name), 0)

    def report(self):
        with self.lock:
            return [{"fault": fault.text, "fired": fault.fired} for fault in self.armed]
