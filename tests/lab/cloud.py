#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""EC2 in a folder: IMDSv2 and the EC2 Query API on loopback ports, and block devices below a root prefix.

Publishes STATE/endpoints.json by rename once it is ready, records every call in STATE/calls.jsonl, and ends with its
parent, on SIGTERM, or after --lifetime seconds, and takes its devices with it. See README.md beside this file.
"""
import argparse
import json
import os
import secrets
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import ec2                  # noqa: E402  (found through the line above, as are the rest)
import faults as fault_names    # noqa: E402
import node as nodes        # noqa: E402
from imds import Imds       # noqa: E402
from serve import Answer, Recorder, Server      # noqa: E402
from sigv4 import Key       # noqa: E402
from volume_actions import Pace, VolumeActions  # noqa: E402
from volumes import Volume  # noqa: E402

PARENT_POLL_S = 0.3


def parse_options():
    listing = "\n".join("  %-16s %s%s" % (name, text, {"count": " (:TIMES)", "seconds": " (:SECONDS)"}.get(kind, ""))
                        for name, (kind, _, text) in fault_names.NAMES.items())
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="faults, NAME[@ACTION][:VALUE][#FIRST]:\n" + listing)
    add = parser.add_argument
    add("--state", required=True, help="folder for all that the cloud keeps")
    add("--root", help="root prefix of the instance, STATE/root if not given")
    add("--build", default="build", help="build folder, for the noise volumes' server")
    add("--devices", action="store_true", help="make block devices (root)")
    add("--transitions", choices=("instant", "ec2"), default="instant")
    add("--no-default-encryption", action="store_true", help="a volume is encrypted only when the request says so")
    add("--attached", action="append", default=[], metavar="NAME:GIB[:encrypted|plain[:FILE]]",
        help="a volume that was attached at launch; FILE is its content")
    add("--volume", action="append", default=[], metavar="KEY=VALUE,...",
        help="a volume from before: size, encrypted (yes, no), file, zone, tag.NAME, age (seconds), snapshot, "
        "name (attached at launch as), instance (to another one)")
    add("--snapshot", action="append", default=[], metavar="ID:GIB[:FILE]")
    add("--instance-store", type=int, action="append", default=[], metavar="GIB")
    add("--instance-type", choices=sorted(nodes.TYPES), default="m6i.xlarge")
    add("--zone", choices=sorted(nodes.ZONES), default="eu-central-1a")
    add("--user-data", metavar="FILE")
    add("--instance-tags", action="store_true", help="show the instance's tags in IMDS")
    add("--bucket", action="append", default=[], metavar="NAME=BURST/RATE",
        help="a smaller token bucket: describe, unfiltered, mutating or an action")
    add("--fault", action="append", default=[], metavar="FAULT")
    add("--lifetime", type=float, default=3600, metavar="SECONDS")
    return parser.parse_args()


def parse_attached(text):
    """NAME:GIB[:encrypted|plain[:FILE]] in the words of --volume."""
    name, size, *rest = text.split(":", 3)
    words = {"name": name, "size": size}
    if rest:
        words["encrypted"] = {"encrypted": "yes", "plain": "no"}[rest[0]]
    if len(rest) > 1:
        words["file"] = rest[1]
    return words


def add_volume(actions, words, default_encryption):
    tags = {key[4:]: words.pop(key) for key in list(words) if key.startswith("tag.")}
    encrypted = {"yes": True, "no": False}[words.pop("encrypted")] if "encrypted" in words else default_encryption
    volume = Volume(int(words.pop("size")), words.pop("zone", actions.node.zone), encrypted=encrypted, tags=tags,
                    file=words.pop("file", None), age_s=float(words.pop("age", 0)),
                    snapshot_id=words.pop("snapshot", ""))
    volume.volume_id = words.pop("id", volume.volume_id)
    device, instance = words.pop("name", None), words.pop("instance", None)
    if words:
        raise ValueError("unknown words in a volume: " + " ".join(words))
    actions.add(volume, device, instance)


def parse_bucket(text):
    name, _, size = text.partition("=")
    burst, _, rate = size.partition("/")
    return name, (float(burst), float(rate))


class Control:
    """For tests: GET /volumes, GET /faults, POST /faults with a list of names, POST /node with {"state": ...}."""

    def __init__(self, actions, faults):
        self.actions, self.faults = actions, faults

    def __call__(self, request):
        given = json.loads(request.body) if request.body else None
        if request.path == "/volumes":
            reply = self.actions.report()
        elif request.path == "/faults":
            if given is not None:
                self.faults.replace(given)
            reply = self.faults.report()
        elif request.path == "/node" and given is not None:
            for name, value in given.items():
                setattr(self.actions.node, name, value)
            reply = given
        else:
            return Answer(404)
        return Answer(200, json.dumps(reply), "application/json")


def publish(path, data):
    with open(path + ".new", "w") as file:
        json.dump(data, file, indent=1)
    os.rename(path + ".new", path)


def make_devices(options, faults):
    if not options.devices:
        return None
    import devices      # needs root and takes time: only where it is wanted
    return devices.Devices(options.state, options.root, options.build, faults)


def start(options, state):
    """Everything that can fail because of the command line, before anything listens. Returns what has to be stopped."""
    faults = fault_names.Faults(options.fault)
    node = nodes.Node(instance_type=options.instance_type, zone=options.zone, user_data_file=options.user_data,
                      tags={"Name": "nodevol lab"}, tags_in_metadata=options.instance_tags)
    snapshots = {}
    for text in options.snapshot:
        name, size, *file = text.split(":", 2)
        snapshots[name] = (int(size), file[0] if file else None)
    devices = make_devices(options, faults)
    actions = VolumeActions(node, faults, Pace(options.transitions), devices, not options.no_default_encryption,
                            snapshots)
    stop = [devices] if devices else []
    try:
        actions.add(Volume(8, node.zone, encrypted=actions.default_encryption, is_root=True), node.root_device)
        for size in options.instance_store if devices else ():
            devices.add_instance_store(size)
        for text in options.attached:
            add_volume(actions, parse_attached(text), actions.default_encryption)
        for text in options.volume:
            add_volume(actions, dict(word.split("=", 1) for word in text.split(",")), actions.default_encryption)
        role = Key("ASIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30),
                   secrets.token_urlsafe(200) + "+/==", time.time() + 6 * 3600)
        user = Key("AKIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30))
        test = Key("AKIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30), by="test")
        recorder = Recorder(state)
        keys = {key.key_id: key for key in (role, user, test)}
        buckets = dict(parse_bucket(text) for text in options.bucket)
        api = ec2.EC2(node, actions, keys, faults, recorder, buckets)
        stop.append(Server("AmazonEC2", api, lambda: faults.value("clock-skew")))
        stop.append(Server("EC2ws", Imds(node, role, faults, recorder, stop[-1].url)))
        stop.append(Server("lab", Control(actions, faults)))
    except BaseException:
        for part in stop:
            part.stop()
        raise
    publish(os.path.join(state, "endpoints.json"), {
        "ec2": stop[-3].url, "imds": stop[-2].url, "control": stop[-1].url + "/", "region": node.region,
        "zone": node.zone, "instance-id": node.instance_id, "root": options.root, "nvme": os.path.join(state, "nvme"),
        "access-key-id": user.key_id, "secret-access-key": user.secret,
        "test-key-id": test.key_id, "test-secret": test.secret})
    return stop


def main():
    options = parse_options()
    parent, ending = os.getppid(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: ending.set())
    state = options.state = os.path.realpath(options.state)
    options.root = os.path.realpath(options.root or os.path.join(state, "root"))
    os.makedirs(state, exist_ok=True)
    with open(os.path.join(state, "cloud.pid"), "w") as file:
        file.write("%d\n" % os.getpid())
    try:
        stop = start(options, state)
    except (ValueError, KeyError, OSError) as error:
        print("cloud.py: %s" % error, file=sys.stderr)
        return 2
    end = time.monotonic() + options.lifetime
    while not ending.wait(PARENT_POLL_S) and os.getppid() == parent and time.monotonic() < end:
        pass
    for part in reversed(stop):
        part.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
