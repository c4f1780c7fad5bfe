# SPDX-License-Identifier: Apache-2.0
"""Volumes and attachments, and how they change with time. Knows nothing of the protocol, nor of block devices.

What EC2 does at once and what it does later is a history of (time, state): a reader asks for a moment, and readers that
lag behind, as EC2's do, ask for an earlier one.
"""
import os
import re
import time

from wire import EC2Error, invalid, missing

# Figures of gp3: Amazon EBS User Guide, "General Purpose SSD volumes". Codes and words of the refusals follow EC2's
# form ("Volume iops of N is too high; maximum is 80000."), but were not all seen from EC2: clients must not rely on
# the words.
TYPES = ("gp2", "gp3", "io1", "io2", "st1", "sc1", "standard")
SIZE_GIB = {"gp2": (1, 16384), "gp3": (1, 65536), "io1": (4, 16384), "io2": (4, 65536), "st1": (125, 16384),
            "sc1": (125, 16384), "standard": (1, 1024)}
GP3_IOPS, GP3_THROUGHPUT = (3000, 80000), (125, 2000)
GP3_IOPS_PER_GIB, GP3_THROUGHPUT_PER_IOPS = 500, 0.25
INITIALIZATION_RATE = (100, 300)
DEVICE_NAME = re.compile(r"(/dev/)?(sd[a-z][1-9]?|xvd[a-d][a-z]|xvd[a-z])")
ATTACHMENTS_MAX = 27


def new_id(prefix):
    return "%s-0%s" % (prefix, os.urandom(8).hex())


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".%03dZ" % (seconds % 1 * 1000)


def plain_name(device):
    """/dev/sdf and /dev/xvdf are one name."""
    return re.sub(r"^(/dev/)?(sd|xvd)", "", device)


class History:
    """States with the moments they begin at. A later decision takes back what was planned after it."""

    def __init__(self):
        self.rows = []

    def set(self, state, at):
        self.rows = [row for row in self.rows if row[0] <= at] + [(at, state)]

    def at(self, moment):
        """None: it did not exist yet."""
        return next((state for since, state in reversed(self.rows) if since <= moment), None)


class Attachment:
    def __init__(self, volume, instance_id, device, at_launch=False):
        self.volume, self.instance_id, self.device, self.at_launch = volume, instance_id, device, at_launch
        self.delete_on_termination = at_launch
        self.time = time.time()
        self.states = History()
        self.index = None       # of its NVMe controller, once it has one

    def report(self, moment):
        return {"volumeId": self.volume.volume_id, "instanceId": self.instance_id, "device": self.device,
                "status": self.states.at(moment), "attachTime": stamp(self.time),
                "deleteOnTermination": self.delete_on_termination}


class Volume:
    """@file: holds its content in place of noise or zeros; None for a fresh volume. With a snapshot it is copied.
    @is_root: the instance's root volume."""

    def __init__(self, size_gib, zone, kind="gp3", encrypted=True, iops=None, throughput=None, snapshot_id="",
                 initialization_rate=None, kms_key="", tags=None, file=None, age_s=0, is_root=False):
        self.volume_id = new_id("vol")
        self.size_gib, self.zone, self.kind, self.encrypted = size_gib, zone, kind, encrypted
        self.iops, self.throughput, self.snapshot_id = iops, throughput, snapshot_id
        self.initialization_rate, self.kms_key, self.tags, self.file = initialization_rate, kms_key, tags or {}, file
        self.is_root = is_root
        self.created = time.time() - age_s
        self.states = History()
        self.attachments = []

    def attachment_at(self, moment):
        """The one that counts at that moment, None when it is not attached."""
        for attachment in reversed(self.attachments):
            if attachment.states.at(moment) not in (None, "detached"):
                return attachment
        return None

    def report(self, moment, zone_id):
        """As DescribeVolumes gives it; None when it is not there at that moment."""
        status = self.states.at(moment)
        if status in (None, "deleted"):
            return None
        attachment = self.attachment_at(moment)
        return {"volumeId": self.volume_id, "size": self.size_gib, "snapshotId": self.snapshot_id,
                "availabilityZone": self.zone, "availabilityZoneId": zone_id, "status": status,
                "createTime": stamp(self.created), "encrypted": self.encrypted,
                "kmsKeyId": self.kms_key if self.encrypted else None, "iops": self.iops, "throughput": self.throughput,
                "volumeType": self.kind, "multiAttachEnabled": False, "fastRestored": False,
                "volumeInitializationRate": self.initialization_rate,
                "tagSet": [{"key": key, "value": value} for key, value in self.tags.items()],
                "attachmentSet": [attachment.report(moment)] if attachment else []}


def _between(what, value, limits):
    if value < limits[0]:
        raise invalid("%s of %d is too low; minimum is %d." % (what, value, limits[0]))
    if value > limits[1]:
        raise invalid("%s of %d is too high; maximum is %d." % (what, value, limits[1]))


def check_performance(kind, size_gib, iops, throughput):
    """Refuses as EC2 does; returns the (iops, throughput) that the volume has."""
    if kind not in TYPES:
        raise EC2Error("UnknownVolumeType", "Unknown volume type: '%s'" % kind)
    low, high = SIZE_GIB[kind]
    if size_gib < low:
        raise invalid("Volume of %dGiB is too small for volume type %s; minimum is %dGiB." % (size_gib, kind, low))
    if size_gib > high:
        raise invalid("Volume of %dGiB is too large for volume type %s; maximum is %dGiB." % (size_gib, kind, high))
    if kind != "gp3":
        for name, value in (("iops", None if kind in ("io1", "io2") else iops), ("throughput", throughput)):
            if value is not None:
                raise EC2Error("InvalidParameterCombination",
                               "The parameter %s is not supported for %s volumes." % (name, kind))
        if kind in ("io1", "io2") and iops is None:
            raise missing("iops")
        return (iops if iops else min(16000, max(100, 3 * size_gib)) if kind == "gp2" else None), None
    iops = GP3_IOPS[0] if iops is None else iops
    throughput = GP3_THROUGHPUT[0] if throughput is None else throughput
    _between("Volume iops", iops, GP3_IOPS)
    _between("Volume throughput", throughput, GP3_THROUGHPUT)
    if iops > GP3_IOPS[0] and iops > GP3_IOPS_PER_GIB * size_gib:
        raise invalid("Iops to volume size ratio of %f is too high; maximum is %d." % (
            iops / size_gib, GP3_IOPS_PER_GIB))
    if throughput > GP3_THROUGHPUT_PER_IOPS * iops:
        raise invalid("Throughput (MiBps) to iops ratio of %f is too high; maximum is %f." % (
            throughput / iops, GP3_THROUGHPUT_PER_IOPS))
    return iops, throughput
