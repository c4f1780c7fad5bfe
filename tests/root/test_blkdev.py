# SPDX-License-Identifier: Apache-2.0
"""Disks that may not be opened, and the one that was opened and no other."""
import fcntl
import os
import stat
import subprocess

import blankcase
import disks
import lab

MIB = 1 << 20


class Held(blankcase.Blank):
    """Disks that may not be opened at all."""

    def refused(self, path, words, status=3, root=""):
        answer = self.ask(path, root=root)
        self.assertEqual((answer.status, answer.verdict), (status, ""), answer)
        self.assertIn(words, answer.error)

    def test_a_mounted_disk(self):
        device = self.loop(64 * MIB)
        disks.ext4(device)
        self.refused(device, "' is mounted at '%s'" % self.mount(device))

    def test_a_disk_that_another_program_claims(self):
        device = self.loop(64 * MIB)
        fd = os.open(device, os.O_RDONLY | os.O_EXCL)
        self.addCleanup(os.close, fd)
        self.refused(device, "is in use")

    def test_a_disk_that_is_locked(self):
        device = self.loop(64 * MIB)
        fd = os.open(device, os.O_RDONLY)
        self.addCleanup(os.close, fd)
        fcntl.flock(fd, fcntl.LOCK_SH)
        self.refused(device, "is locked by another program", status=75)

    def test_a_disk_with_a_holder(self):
        self.need_program("dmsetup")
        device = self.loop(64 * MIB)
        name = "nodevol-test-%d" % os.getpid()
        made = subprocess.run(["dmsetup", "create", name, "--noudevsync"], input="0 1000 linear %s 0\n" % device, text=True,
                              capture_output=True, check=False)
        if made.returncode:
            self.skipTest(lab.UNOBTAINABLE + "device-mapper: " + made.stderr.splitlines()[0])
        self.addCleanup(subprocess.run, ["dmsetup", "remove", "--noudevsync", name], check=True)
        self.refused(device, "is held by another device (dm-")

    def test_a_disk_with_partitions_and_a_partition(self):
        image = self.image(64 * MIB)
        disks.call("sfdisk", "-q", image, data=b"label: dos\nstart=2048, size=10000, type=83\n")
        device = self.command("losetup", "--find", "--show", "--partscan", image).strip()
        self.addCleanup(self.command, "losetup", "--detach", device)
        name = os.path.basename(device) + "p1"
        try:
            with open("/sys/class/block/%s/dev" % name) as file:
                major, minor = map(int, file.read().split(":"))
        except FileNotFoundError:
            self.skipTest(lab.UNOBTAINABLE + "a kernel that reads partitions of loop devices")
        self.refused(device, "has partitions (%s)" % name)
        node = self.tmp + "/part"
        os.mknod(node, stat.S_IFBLK | 0o600, os.makedev(major, minor))
        self.refused(node, "is a partition, not a whole disk")

    def test_what_the_hosts_sysfs_says_counts(self):
        """As this kernel may have neither device-mapper nor partitions."""
        device = self.loop(64 * MIB)
        number = os.stat(device).st_rdev
        for made, words in (("holders/dm-7", "is held by another device (dm-7)"),
                            ("loop9p3/partition", "has partitions (loop9p3)"),
                            ("partition", "is a partition, not a whole disk")):
            root = os.path.join(self.tmp, made.replace("/", "-"))
            os.makedirs(os.path.join(root, "sys/dev/block/%d:%d" % (os.major(number), os.minor(number)), made))
            with self.subTest(made):
                self.refused(device, words, root=root)

    def test_a_disk_that_can_only_be_read_is_not_written_to(self):
        device = self.loop(64 * MIB, read_only=True)
        self.assertEqual(self.ask(device).verdict, "zero")
        answer = self.ask(device, "mark")
        self.assertEqual((answer.status, answer.error), (3, "'%s' is read-only" % device))

    def test_what_is_no_disk(self):
        self.refused(self.tmp, "is not a block device", status=2)
        self.refused("/dev/null", "is not a block device", status=2)
        self.refused(self.tmp + "/none", "there is no device", status=4)

    def test_a_loop_device_with_nothing_behind_it(self):
        node = self.tmp + "/empty"
        os.mknod(node, stat.S_IFBLK | 0o600, os.makedev(7, 999))
        self.assertIn(self.ask(node).status, (1, 3, 4))

    def test_a_symlink_is_followed_and_the_disk_is_named(self):
        device = self.loop(64 * MIB)
        fd = os.open(device, os.O_RDONLY | os.O_EXCL)
        self.addCleanup(os.close, fd)
        os.symlink(device, self.tmp + "/link")
        self.refused(self.tmp + "/link", "'%s' is in use" % device)

    def test_a_disk_that_is_swapped_after_it_was_opened_is_not_written_to(self):
        first, second = self.loop(64 * MIB), self.loop(64 * MIB)
        nodes = [self.tmp + "/first", self.tmp + "/second"]
        for node, device in zip(nodes, (first, second)):
            os.mknod(node, stat.S_IFBLK | 0o600, os.stat(device).st_rdev)
        answer = self.ask(nodes[0], "swap", nodes[1], "vol1")
        self.assertEqual((answer.status, answer.verdict), (0, "unfinished"), answer)
        self.assertEqual(os.stat(nodes[0]).st_rdev, os.stat(second).st_rdev, "the nodes were not swapped")
        self.assertEqual(self.ask(first, "check", "vol1").verdict, "unfinished")
        self.assertEqual(self.ask(second, "check", "vol1").verdict, "zero")

    def test_a_disk_that_can_not_be_read_is_an_error_and_not_blank(self):
        image = self.image(64 * MIB)
        device = self.loop(image)
        os.truncate(image, 32 * MIB)
        answer = self.ask(device)
        self.assertEqual((answer.status, answer.verdict), (1, ""), answer)
        self.assertIn("read '%s'" % device, answer.error)
