# SPDX-License-Identifier: Apache-2.0
"""Copies of a store that are cut short, at every kind of call: the next run makes a whole one."""
import errno
import os
import random
import shutil
import struct
import subprocess
import time

import host
import lab
import trees

SHIM = os.path.join(lab.BUILD, "tests", "lab", "cutcopy.so")
MARK = ".nodevol-copy-unfinished"
POINTS = 52
SIZES = {"ext4": 64 << 20, "xfs": 300 << 20}


class CutShort(host.StoreCase):
    def setUp(self):
        super().setUp()
        self.expected = self.make_store(blobs=6, snapshots=2)
        self.state = os.path.join(self.tmp, "cut-state")

    def run_cut(self, device, cut=0, mode="kill", target=host.CONTAINERD, root=None):
        """One run that is cut at call @cut. Its result, with .calls counted."""
        with open(self.state, "wb") as file:
            file.write(bytes(16))
        env = {"CUT_STATE": self.state, "CUT_AT": str(cut), "CUT_MODE": mode}
        result = self.ebs_mount(device, target, env=env, preload=[SHIM], root=root)
        with open(self.state, "rb") as file:
            result.calls, happened = struct.unpack("=QQ", file.read(16))
        if cut:
            self.assertEqual(happened, 1, "the cut at call %d never happened: %r" % (cut, result))
            self.assertNotEqual(result.status, 0, result)
        return result

    def fresh(self, kind):
        """An image with an empty filesystem, to be copied for each cut."""
        image = self.image(SIZES[kind])
        self.command("mkfs." + kind, *(["-q", "-f"] if kind == "xfs" else ["-q", "-F"]), image)
        return image

    def points(self, kind, wanted=POINTS):
        image = os.path.join(self.tmp, "uncut-" + kind)
        self.command("cp", "--sparse=always", self.fresh(kind), image)
        device = self.loop(image)
        whole = self.run_cut(device)
        self.assertEqual(whole.status, 0, whole)
        self.forget(device)
        edges = set(range(1, 11)) | set(range(whole.calls - 13, whole.calls + 1))
        inner = range(11, whole.calls - 13)
        rest = wanted - len(edges)
        return sorted(edges | {inner[index * len(inner) // rest] for index in range(rest)})

    def wait_until_unused(self, device):
        """The processes of a killed group end one after the other."""
        end = time.monotonic() + 20
        while time.monotonic() < end and self.has_processes():
            time.sleep(0.002)

    def has_processes(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as file:
                    if self.root.encode() in file.read():
                        return True
            except OSError:
                continue
        return False

    def forget(self, device):
        """What a shutdown does, and the part of /run that does not survive it."""
        self.end_mounts(device)
        for name in ("/run/nodevol", "/run/systemd"):
            shutil.rmtree(self.path(name), ignore_errors=True)

    def finish(self, device, expected=None):
        """The next run: the store is whole, in one place, and one more run changes nothing."""
        self.wait_until_unused(device)
        self.good_mount(device, host.CONTAINERD)
        self.assert_whole(expected or self.expected)
        self.assertEqual(self.mounts_of(device), {host.CONTAINERD})
        self.assertIn("nothing to do", self.good_mount(device, host.CONTAINERD).out)
        self.forget(device)
        self.assert_whole(self.expected)    # what was hidden is as it was

    def is_taken_for_a_store(self):
        """What a node would find if the tool never came back: never a part of a store at the mount point."""
        try:
            found = trees.describe(self.path(host.CONTAINERD))
        except OSError:
            return
        self.assertEqual(sorted(found), sorted(self.expected))

    def cut_everywhere(self, kind, mode, wanted=POINTS):
        chosen = self.points(kind, wanted)
        self.assertEqual(len(chosen), wanted)
        fresh = self.fresh(kind)
        for number in chosen:
            with self.subTest(kind=kind, mode=mode, call=number):
                image = os.path.join(self.tmp, "cut-image")
                self.command("cp", "--sparse=always", fresh, image)
                device = self.loop(image)
                try:
                    self.run_cut(device, number, mode)
                    self.wait_until_unused(device)
                    self.is_taken_for_a_store()
                    self.finish(device)
                finally:
                    self.forget(device)
                    os.unlink(image)

    def test_by_sigkill(self):
        self.cut_everywhere("ext4", "kill")
        self.cut_everywhere("xfs", "kill", 30)

    def test_by_a_filesystem_that_fails_from_there_on(self):
        self.cut_everywhere("ext4", str(errno.EIO))

    def test_by_a_filesystem_that_is_full_from_there_on(self):
        self.cut_everywhere("ext4", str(errno.ENOSPC), 30)

    def test_again_and_again_until_it_is_let(self):
        source = random.Random(3)
        chosen = self.points("ext4", 50)
        fresh = self.fresh("ext4")
        for _ in range(5):
            image = os.path.join(self.tmp, "cut-image")
            self.command("cp", "--sparse=always", fresh, image)
            device = self.loop(image)
            for number in source.sample(chosen[:-14], 4):
                self.run_cut(device, number, source.choice(("kill", "5", "28")))
                self.wait_until_unused(device)
                self.is_taken_for_a_store()
            self.finish(device)
            os.unlink(image)

    def test_by_a_power_cut(self):
        """What is on the disk at that moment, without what only the page cache had."""
        for kind in ("ext4", "xfs"):
            chosen = self.points(kind, 50)
            fresh = self.fresh(kind)
            for number in chosen[::2 if kind == "ext4" else 4]:
                with self.subTest(kind=kind, call=number):
                    image, lost = os.path.join(self.tmp, "cut-image"), os.path.join(self.tmp, "power-lost")
                    after = "/dev/null"
                    self.command("cp", "--sparse=always", fresh, image)
                    device = self.loop(image)
                    try:
                        self.run_cut(device, number, "kill")
                        self.command("cp", "--sparse=always", image, lost)
                        self.wait_until_unused(device)
                        self.forget(device)
                        after = self.loop(lost)
                        self.finish(after)
                    finally:
                        self.forget(device)
                        self.forget(after)
                        os.unlink(image)
                        os.unlink(lost)

    def start(self, device):
        return subprocess.Popen([self.tool("ebs-mount"), "--root", self.root, device, host.CONTAINERD],
                                env=lab.environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def test_runs_at_the_same_time_wait_for_each_other(self):
        with open(self.path(host.CONTAINERD + "/large"), "wb") as file:
            file.write(os.urandom(16 << 20))
        self.expected = trees.describe(self.path(host.CONTAINERD))
        for number in range(6):
            device = self.disk(size_bytes=128 << 20)
            first = self.start(device)
            time.sleep(0.004 * number)
            others = [self.start(device) for _ in range(3)]
            ends = []
            for process in [first] + others:
                said = process.communicate()[1].decode()
                ends.append(process.returncode)
                self.assertIn(process.returncode, (0, 3), said)
            self.assertIn(0, ends)
            self.finish(device)

    def test_a_run_that_is_stopped_by_sigterm(self):
        with open(self.path(host.CONTAINERD + "/large"), "wb") as file:
            file.write(os.urandom(64 << 20))
        self.expected = trees.describe(self.path(host.CONTAINERD))
        device = self.disk(size_bytes=256 << 20)
        with self.start(device) as process:
            mark = self.path("/run/nodevol/volumes/%s/%s" % (os.path.basename(device), MARK))
            end = time.monotonic() + 20
            while not os.path.exists(mark) and process.poll() is None and time.monotonic() < end:
                time.sleep(0.0005)
            process.terminate()
            said = process.stderr.read().decode()
            process.wait()
        if process.returncode != 0:
            self.assertEqual(process.returncode, 75, said)
            self.assertIn("the next run goes on from there", said)
        self.finish(device)
