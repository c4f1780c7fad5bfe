# SPDX-License-Identifier: Apache-2.0
"""make demo: what a node goes through, on this machine: real devices, real mounts, a real containerd, EC2 in a folder."""
import json
import os
import sys
import tempfile
import time

import containers
import disks
import lab
import loops


def say(text=""):
    print(text, flush=True)


class Stop(Exception):
    """The demo did not show what it should have; the text says what."""


class Step:
    """with Step("title"): prints it, and how long it took."""

    def __init__(self, title):
        self.title, self.start = title, time.monotonic()

    def __enter__(self):
        say("\n== %s" % self.title)

    def __exit__(self, kind, *_):
        if kind is None:
            say("   took %.2f s" % (time.monotonic() - self.start))


class Node:
    """An instance of the lab's, and the tools as they run on it."""

    def __init__(self, folder, *volumes, **options):
        self.folder = folder
        self.cloud = lab.Cloud(devices=True, volumes=volumes, **options)

    def __enter__(self):
        self.cloud.start()
        return self

    def __exit__(self, *_):
        self.cloud.stop()

    def path(self, name):
        return self.cloud.root + name

    def run(self, name, *args, expect=0):
        argv = [os.path.join(lab.BUILD, name), "--root", self.cloud.root] + list(args)
        result = lab.run(argv, lab.environment(self.cloud.env, [self.cloud.preload]), 120)
        for line in result.err.splitlines():
            say("   " + line.replace(self.cloud.root, ""))
        if result.status != expect:
            raise Stop("%s exits %s, not %s" % (name, result.status, expect))
        return result

    def boot(self, config):
        path = os.path.join(self.folder, "config.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        start = time.monotonic()
        result = self.run("al2023-bootstrap", "--config", path)
        took = (time.monotonic() - start) * 1000
        calls = [call["action"] for call in self.cloud.calls("ec2")]
        say("   -> %.0f ms, %.0f ms of CPU; EC2 calls so far: %s" % (took, result.cpu_ms, ", ".join(calls) or "none"))
        return calls

    def report(self):
        with open(self.path("/run/nodevol/report.json"), encoding="utf-8") as file:
            return json.load(file)

    def shut_down(self):
        root = os.path.realpath(self.cloud.root)
        for point, _ in reversed(loops.mounts()):
            if any(point.startswith(root + folder) for folder in ("/var", "/mnt", "/run")):
                os.spawnvp(os.P_WAIT, "umount", ["umount", point])
        os.spawnvp(os.P_WAIT, "rm", ["rm", "-rf", self.path("/run/nodevol"), self.path("/run/systemd")])


def run_container(node, folder):
    with containers.Containerd(node.path("/var/lib/containerd"), folder) as containerd:
        if not containerd.ctr("images", "ls", "-q").strip():
            containerd.ctr("images", "import", containers.busybox_image(os.path.join(folder, "image.tar")))
        say("   the container says: " + containerd.run(containers.IMAGE, "cat", "/etc/motd").strip())


def attached_blank_volume(folder):
    config = {"version": 1, "volumes": [
        {"name": "images", "source": {"device": "/dev/xvdb"}, "mount": "/var/lib/containerd", "accept-noise": True}]}
    with Node(folder, "/dev/xvdb:100") as node:
        with Step("first boot: a fresh encrypted 100 GiB volume under /dev/xvdb, no IAM permission at all"):
            say("   " + json.dumps(config["volumes"][0]))
            if node.boot(config):
                raise Stop("EC2 was asked")
        with Step("containerd starts on the mounted store; a container runs from an image made of busybox"):
            run_container(node, folder)
        with Step("the same again while it is mounted: nothing changes"):
            node.boot(config)
            if any(step["outcome"] == "done" for step in node.report()["steps"]):
                raise Stop("something was changed")
        node.shut_down()
        with Step("reboot: found, checked, mounted; the image is still there"):
            if node.boot(config):
                raise Stop("EC2 was asked")
            run_container(node, folder)
        node.shut_down()


def created_volume(folder):
    config = {"version": 1, "volumes": [
        {"name": "node", "source": {"create": {"size-gib": 20, "iops": 6000, "throughput-mibps": 500, "encrypted": True}},
         "filesystem": "xfs", "mount": "/var/lib/containerd"}]}
    with Node(folder) as node:
        with Step("a node that creates its volume: 20 GiB, 6000 IOPS, 500 MiB/s, xfs"):
            say("   " + json.dumps(config["volumes"][0]))
            calls = node.boot(config)
        node.shut_down()
        with Step("its reboot: the volume is attached already, EC2 is not asked"):
            if node.boot(config) != calls:
                raise Stop("EC2 was asked again")
        node.shut_down()


def taken_disks(folder):
    with Step("%d disks that hold something: each refused, not a byte changed" % len(disks.TAKEN)):
        for name, make in disks.TAKEN:
            with tempfile.TemporaryDirectory(dir=folder) as place, disks.Disk(place, make) as disk:
                before = disk.digest()
                argv = [os.path.join(lab.BUILD, "ebs-format"), "--quiet", "--label", "nodevol", "--accept-noise", disk.path]
                result = lab.run(argv, lab.environment(), 60)
                if result.status != 3 or disk.digest() != before:
                    raise Stop("%s: exit %s, %s" % (name, result.status, result.err))
                found = result.err.strip().replace("ebs-format: ", "").replace(disk.path + " ", "").split(";")[0]
                say("   %-34s refused, unchanged: %s" % (name, found[:120]))


def check_machine():
    if os.geteuid() != 0:
        raise Stop("it needs root, for loop devices and mounts: sudo make demo")
    if not os.path.exists("/dev/loop-control"):
        raise Stop("this machine has no loop devices (/dev/loop-control is missing)")


def main():
    start = time.monotonic()
    folder = lab.temp_folder()
    try:
        check_machine()
        attached_blank_volume(folder)
        created_volume(folder)
        taken_disks(folder)
    except (Stop, RuntimeError) as problem:
        say("demo: %s" % problem)
        return 1
    finally:
        lab.clean(folder)
    say("\nall of it in %.1f s" % (time.monotonic() - start))
    say("demo: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
