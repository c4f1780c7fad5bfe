# SPDX-License-Identifier: Apache-2.0
"""A host that is only a folder, with the machine's devices, for tests of what is mounted where."""
import errno
import os
import time

import lab
import loops
import trees

CONTAINERD = "/var/lib/containerd"


class HostCase(lab.Case):
    """self.root is what --root gets; paths of the host are made with self.path("/mnt")."""

    def setUp(self):
        super().setUp()
        self.need_root()
        self.root = self.new_root("root")

    def new_root(self, name):
        root = os.path.join(self.tmp, name)
        for folder in ("run", "etc", "mnt", "var/lib", "var/log"):
            os.makedirs(os.path.join(root, folder))
        for folder in ("dev", "sys", "proc"):
            os.symlink("/" + folder, os.path.join(root, folder))
        return root

    def path(self, name, root=None):
        return (root or self.root) + name

    def disk(self, kind="ext4", size_bytes=None, label=None, path=None):
        """A loop device with a filesystem that other people's tools made."""
        size_bytes = size_bytes or (300 << 20 if kind == "xfs" else 64 << 20)
        path = path or self.image(size_bytes)
        force = {"xfs": ["-f", "-q"], "btrfs": ["-f", "-q"]}.get(kind, ["-F", "-q"])
        self.need_program("mkfs." + kind)
        self.command("mkfs." + kind, *force, *(["-L", label] if label else []), path)
        return self.loop(path)

    def ebs_mount(self, *words, root=None, **options):
        return self.run_tool("ebs-mount", *words, root=root or self.root, **options)

    def good_mount(self, *words, **options):
        result = self.ebs_mount(*words, **options)
        self.assertEqual(result.status, 0, result)
        return result

    def refused(self, status, *words, **options):
        """Ends with that status and one sentence, which is returned."""
        result = self.ebs_mount(*words, **options)
        self.assertEqual(result.status, status, result)
        self.assertEqual(result.out, "", result)
        lines = result.err.strip().splitlines()
        self.assertTrue(lines and lines[-1].startswith("ebs-mount: "), result)
        return lines[-1]

    def mounts_of(self, device):
        """{mount point as the host names it: options} of what is mounted of @device."""
        number = os.stat(device).st_rdev
        wanted, root = "%d:%d" % (os.major(number), os.minor(number)), os.path.realpath(self.root)
        return {point[len(root):] if point.startswith(root) else point
                for point, found in loops.mounts() if found == wanted}

    def mountinfo(self, name):
        """Mount options and superblock options of the last mount at @name, as sets."""
        wanted = os.path.realpath(self.path(name)).replace(" ", "\\040")
        found = None
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                fields = line.split()
                if fields[4] == wanted:
                    found = set(fields[5].split(",")), set(fields[-1].split(","))
        return found

    def write(self, name, text="content"):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class StoreCase(HostCase):
    maxDiff = 4000

    def make_store(self, root=None, **options):
        store = self.path(CONTAINERD, root)
        os.makedirs(store)
        trees.make_store(store, **options)
        return trees.describe(store)

    def assert_whole(self, expected, name=CONTAINERD, root=None):
        found = trees.describe(self.path(name, root))
        self.assertEqual(sorted(found), sorted(expected))
        for path, entry in expected.items():
            self.assertEqual(found[path], entry, path)

    def end_mounts(self, device):
        """A process that was killed may still be closing its files."""
        root, end = os.path.realpath(self.root), time.monotonic() + 20
        for point in sorted(self.mounts_of(device), reverse=True):
            while True:
                try:
                    loops.unmount(root + point, 0)
                    break
                except OSError as error:
                    if error.errno != errno.EBUSY or time.monotonic() > end:
                        raise
                    time.sleep(0.002)
