# SPDX-License-Identifier: Apache-2.0
"""EC2's actions on volumes.

With transitions "instant" nothing takes time: CreateVolume's answer says available, AttachVolume's says attached and
the device is there. With "ec2" a volume is creating and an attachment attaching for a while, the device appears before
or after the API says attached, and Describe answers lag behind what was just done.
"""
import re
import threading
import time

from volumes import (ATTACHMENTS_MAX, DEVICE_NAME, INITIALIZATION_RATE, Attachment, Volume, check_performance,
                     plain_name, stamp)
from ec2 import DESCRIBE, KMS_KEY, page, select
from node import ZONES
from wire import EC2Error, invalid, missing

CREATE = {"AvailabilityZone", "AvailabilityZoneId", "Size", "SnapshotId", "VolumeType", "Iops", "Throughput",
          "Encrypted", "KmsKeyId", "OutpostArn", "MultiAttachEnabled", "VolumeInitializationRate", "ClientToken",
          "TagSpecification.N.ResourceType", "TagSpecification.N.Tag.N.Key", "TagSpecification.N.Tag.N.Value"}


class Pace:
    """How long things take, in seconds."""

    def __init__(self, transitions):
        slow = transitions == "ec2"
        self.create_s, self.attach_s, self.detach_s, self.delete_s = (1.5, 1.5, 1.0, 1.0) if slow else (0, 0, 0, 0)
        self.lag_s = 0.3 if slow else 0
        self.device_s = (1.0, 1.9) if slow else (0, 0)      # in turn: before "attached", after it


class VolumeActions:
    """@devices: devices.Devices, or None for a cloud without them. @snapshots: id -> (GiB, file or None)."""

    def __init__(self, node, faults, pace, devices=None, default_encryption=True, snapshots=None):
        self.node, self.faults, self.pace, self.devices = node, faults, pace, devices
        self.default_encryption, self.snapshots = default_encryption, snapshots or {}
        self.volumes, self.tokens, self.turns = {}, {}, 0
        self.lock = threading.RLock()
        self.actions = {
            "DescribeVolumes": (self.describe, DESCRIBE | {"VolumeId.N", "IncludeManagedResources"}),
            "CreateVolume": (self.create, CREATE),
            "AttachVolume": (self.attach, {"Device", "InstanceId", "VolumeId", "EbsCardIndex"}),
            "DetachVolume": (self.detach, {"Device", "InstanceId", "VolumeId", "Force"}),
            "DeleteVolume": (self.delete, {"VolumeId"}),
        }

    # What the lab itself asks for

    def add(self, volume, device=None, instance_id=None):
        """A volume from before: attached if it has a @device, to our instance unless another one is named."""
        now = time.monotonic()
        with self.lock:
            volume.iops, volume.throughput = check_performance(volume.kind, volume.size_gib, volume.iops,
                                                               volume.throughput)
            volume.kms_key = volume.kms_key or KMS_KEY
            volume.states.set("in-use" if device else "available", now - 3600)
            self.volumes[volume.volume_id] = volume
            if device:
                attachment = Attachment(volume, instance_id or self.node.instance_id, device, at_launch=True)
                attachment.time = volume.created
                attachment.states.set("attached", now - 3600)
                volume.attachments.append(attachment)
                self._appear(attachment)
        return volume

    def report(self):
        """Every volume as it is at this moment."""
        now = time.monotonic()
        with self.lock:
            rows = [volume.report(now, ZONES[volume.zone]) for volume in self.volumes.values()]
        return [row for row in rows if row]

    def mapping(self):
        """The instance's blockDeviceMapping, as late as every Describe."""
        moment, found = time.monotonic() - self.pace.lag_s, []
        with self.lock:
            for volume in self.volumes.values():
                attachment = volume.attachment_at(moment)
                if attachment and attachment.instance_id == self.node.instance_id:
                    found.append({"deviceName": attachment.device, "ebs": {
                        "volumeId": volume.volume_id, "status": attachment.states.at(moment),
                        "attachTime": stamp(attachment.time), "deleteOnTermination": attachment.delete_on_termination}})
        return found

    def set_delete_on_termination(self, device, flag):
        now = time.monotonic()
        with self.lock:
            for attachment in self._ours(now):
                if attachment.device == device:
                    attachment.delete_on_termination = flag
                    return
        raise EC2Error("InvalidInstanceAttributeValue", "No device is currently mapped at %s" % device)

    def tag(self, ids, tags):
        with self.lock:
            for name in ids:
                if name != self.node.instance_id:
                    self._find(name, code="InvalidID")
            for name in ids:
                (self.node if name == self.node.instance_id else self.volumes[name]).tags.update(tags)

    # The actions

    def describe(self, form):
        wanted, moment = form.list("VolumeId"), time.monotonic() - self.pace.lag_s
        if wanted and form.number("MaxResults") is not None:
            raise EC2Error("InvalidParameterCombination",
                           "The parameter volumeSet cannot be used with the parameter maxResults")
        with self.lock:
            chosen = [self._find(name, moment) for name in wanted] or list(self.volumes.values())
            rows = [volume.report(moment, ZONES[volume.zone]) for volume in chosen]
        rows = select([row for row in rows if row], form.filters(), volume_value)
        rows, token = page(form, rows)
        return {"volumeSet": rows, "nextToken": token}

    def create(self, form):
        token = form.text("ClientToken")
        if token is not None and (not token.isascii() or len(token) > 64):
            raise invalid("Value (%s) for parameter clientToken is invalid." % token)
        same = {name: value for name, value in form.values.items() if not name.startswith("AvailabilityZone")}
        with self.lock:
            if token in self.tokens:
                known, volume = self.tokens[token]
                if known != same:
                    raise EC2Error("IdempotentParameterMismatch", "The request uses the same client token as a "
                                   "previous, but non-identical request.")
            else:
                volume = self._new(form)
                self.volumes[volume.volume_id] = volume
                if token:
                    self.tokens[token] = (same, volume)
            now = time.monotonic()
            answer = volume.report(now, ZONES[volume.zone])
            if answer is None:
                raise no_volume(volume.volume_id)
            return answer

    def _zone(self, form):
        zone, zone_id = form.text("AvailabilityZone"), form.text("AvailabilityZoneId")
        if not zone and not zone_id:
            raise missing("AvailabilityZone")
        if zone and zone_id:
            raise EC2Error("InvalidParameterCombination", "AvailabilityZone and AvailabilityZoneId are exclusive")
        for name, its_id in ZONES.items():
            if zone == name or zone_id == its_id:
                return name
        raise EC2Error("InvalidZone.NotFound", "The zone '%s' does not exist." % (zone or zone_id))

    def _new(self, form):
        zone, size, snapshot_id = self._zone(form), form.number("Size"), form.text("SnapshotId") or ""
        if size is None and not snapshot_id:
            raise EC2Error("MissingParameter", "The request must contain the parameter size/snapshot")
        file, rate = None, form.number("VolumeInitializationRate")
        if snapshot_id:
            if snapshot_id not in self.snapshots:
                raise EC2Error("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist." % snapshot_id)
            smallest, file = self.snapshots[snapshot_id]
            size = smallest if size is None else size
            if size < smallest:
                raise invalid("Volume of %dGiB is smaller than snapshot '%s', expect size >= %dGiB" % (
                    size, snapshot_id, smallest))
        if rate is not None and not (snapshot_id and INITIALIZATION_RATE[0] <= rate <= INITIALIZATION_RATE[1]):
            raise invalid("The volume initialization rate %d is not valid" % rate)
        kind = form.text("VolumeType") or "gp2"
        iops, throughput = check_performance(kind, size, form.number("Iops"), form.number("Throughput"))
        key, encrypted = form.text("KmsKeyId"), form.boolean("Encrypted")
        if key and not (encrypted or self.default_encryption):
            raise EC2Error("InvalidParameterDependency",
                           "The parameter KmsKeyId requires the parameter Encrypted to be set.")
        volume = Volume(size, zone, kind, bool(encrypted) or self.default_encryption, iops, throughput, snapshot_id,
                        rate, key or KMS_KEY, form.tag_specification("volume"), file)
        now = time.monotonic()
        volume.states.set("creating", now)
        fails = self.faults.strikes("volume-fails", "CreateVolume")
        volume.states.set("error" if fails else "available", now + self.pace.create_s)
        return volume

    def attach(self, form):
        device = form.text("Device", required=True)
        instance_id = form.text("InstanceId", required=True)
        volume_id = form.text("VolumeId", required=True)
        with self.lock:
            if instance_id != self.node.instance_id:
                raise EC2Error("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist" % instance_id)
            volume, now = self._find(volume_id), time.monotonic()
            self._check_attach(volume, device, now)
            attachment = Attachment(volume, instance_id, device)
            volume.attachments.append(attachment)
            volume.states.set("in-use", now)
            attachment.states.set("attaching", now)
            if not self.faults.strikes("stuck-attaching", "AttachVolume"):
                attachment.states.set("attached", now + self.pace.attach_s)
            self._appear(attachment)
            return attachment.report(now)

    def _check_attach(self, volume, device, now):
        if volume.zone != self.node.zone:
            raise EC2Error("InvalidVolume.ZoneMismatch", "The volume '%s' is not in the same availability zone as "
                           "instance '%s'" % (volume.volume_id, self.node.instance_id))
        state = volume.states.at(now)
        if state == "in-use":
            raise EC2Error("VolumeInUse", "%s is already attached to an instance" % volume.volume_id)
        if state != "available":
            raise EC2Error("IncorrectState", "%s is not 'available'." % volume.volume_id)
        if self.node.state not in ("running", "stopped"):
            raise EC2Error("IncorrectState", "Instance '%s' is not 'running'." % self.node.instance_id)
        if not DEVICE_NAME.fullmatch(device):
            raise invalid("Value (%s) for parameter device is invalid. %s is not a valid EBS device name." % (
                device, device))
        ours = self._ours(now)
        if plain_name(device) in [plain_name(other.device) for other in ours] or \
                self.faults.strikes("name-in-use", "AttachVolume"):
            raise invalid("Invalid value '%s' for unixDevice. Attachment point %s is already in use" % (device, device))
        if len(ours) >= ATTACHMENTS_MAX:
            raise EC2Error("AttachmentLimitExceeded", "Instance %s cannot have more than %d attachments." % (
                self.node.instance_id, ATTACHMENTS_MAX))

    def detach(self, form):
        device, instance_id = form.text("Device"), form.text("InstanceId")
        with self.lock:
            now, volume = time.monotonic(), self._find(form.text("VolumeId", required=True))
            attachment = volume.attachment_at(now)
            if attachment is None:
                raise EC2Error("IncorrectState", "Volume '%s' is in the '%s' state." % (
                    volume.volume_id, volume.states.at(now)))
            if instance_id not in (None, attachment.instance_id) or device not in (None, attachment.device):
                raise EC2Error("InvalidAttachment.NotFound", "The volume '%s' is not attached to instance '%s' as "
                               "device '%s'." % (volume.volume_id, instance_id or attachment.instance_id,
                                                 device or attachment.device))
            if form.boolean("Force") or not self._in_use(attachment):
                self._detach(attachment, now)
            else:
                attachment.states.set("busy", now)
                self._later(0.2, self._detach_when_free, attachment)
            return attachment.report(now)

    def _detach(self, attachment, now):
        attachment.states.set("detaching", now)
        attachment.states.set("detached", now + self.pace.detach_s)
        attachment.volume.states.set("available", now + self.pace.detach_s)
        if self.devices:
            self.devices.remove(attachment)

    def _detach_when_free(self, attachment):
        with self.lock:
            if self._in_use(attachment):
                self._later(0.2, self._detach_when_free, attachment)
            else:
                self._detach(attachment, time.monotonic())

    def delete(self, form):
        with self.lock:
            now, volume = time.monotonic(), self._find(form.text("VolumeId", required=True))
            if volume.attachment_at(now):
                raise EC2Error("VolumeInUse", "Volume %s is currently attached to %s" % (
                    volume.volume_id, volume.attachment_at(now).instance_id))
            if volume.states.at(now) == "creating":
                raise EC2Error("IncorrectState", "Volume '%s' is in the 'creating' state." % volume.volume_id)
            volume.states.set("deleting", now)
            volume.states.set("deleted", now + self.pace.delete_s)
            if self.devices:
                self.devices.forget(volume)
        return {"return": True}

    # Below them

    def _find(self, volume_id, moment=None, code="InvalidVolume"):
        if not re.fullmatch("vol-([0-9a-f]{8}|[0-9a-f]{17})", volume_id):
            raise EC2Error("InvalidVolumeID.Malformed", "The volume ID '%s' is malformed" % volume_id)
        volume = self.volumes.get(volume_id)
        state = volume.states.at(time.monotonic() if moment is None else moment) if volume else None
        if state in (None, "deleted"):
            raise no_volume(volume_id, code)
        return volume

    def _ours(self, now):
        found = [volume.attachment_at(now) for volume in self.volumes.values()]
        return [attachment for attachment in found if attachment and attachment.instance_id == self.node.instance_id]

    def _in_use(self, attachment):
        return self.devices is not None and self.devices.is_in_use(attachment)

    def _later(self, seconds, function, *arguments):
        timer = threading.Timer(seconds, function, arguments)
        timer.daemon = True
        timer.start()

    def _appear(self, attachment):
        """The device, now or later, if it is this instance's and the lab makes devices."""
        if not self.devices or attachment.instance_id != self.node.instance_id:
            return
        if not attachment.at_launch and self.faults.strikes("device-never", "AttachVolume"):
            return
        late = None if attachment.at_launch else self.faults.strikes("device-late", "AttachVolume")
        seconds = 0 if attachment.at_launch else self.pace.device_s[self.turns % 2]
        if late:
            seconds = self.pace.attach_s + late.value
        self.turns += not attachment.at_launch
        if seconds:
            self._later(seconds, self._appear_if_wanted, attachment)
        else:
            self.devices.add(attachment)

    def _appear_if_wanted(self, attachment):
        with self.lock:
            if attachment.states.at(time.monotonic()) in ("attaching", "attached"):
                self.devices.add(attachment)


def volume_value(row, name):
    """The values that a filter of DescribeVolumes looks at; None for an unknown one."""
    attachments = row["attachmentSet"]
    if name.startswith("tag:"):
        return [tag["value"] for tag in row["tagSet"] if tag["key"] == name[4:]]
    values = {
        "volume-id": [row["volumeId"]], "status": [row["status"]], "size": [str(row["size"])],
        "snapshot-id": [row["snapshotId"]], "availability-zone": [row["availabilityZone"]],
        "availability-zone-id": [row["availabilityZoneId"]], "volume-type": [row["volumeType"]],
        "encrypted": [str(row["encrypted"]).lower()], "create-time": [row["createTime"]],
        "fast-restored": ["false"], "multi-attach-enabled": ["false"], "operator.managed": ["false"],
        "operator.principal": [], "tag-key": [tag["key"] for tag in row["tagSet"]],
        "attachment.instance-id": [item["instanceId"] for item in attachments],
        "attachment.device": [item["device"] for item in attachments],
        "attachment.status": [item["status"] for item in attachments],
        "attachment.attach-time": [item["attachTime"] for item in attachments],
        "attachment.delete-on-termination": [str(item["deleteOnTermination"]).lower() for item in attachments],
    }
    return values.get(name)


def no_volume(volume_id, code="InvalidVolume"):
    if code == "InvalidID":
        return EC2Error("InvalidID", "The ID '%s' is not valid" % volume_id)
    return EC2Error("InvalidVolume.NotFound", "The volume '%s' does not exist." % volume_id)
