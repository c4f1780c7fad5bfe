# SPDX-License-Identifier: Apache-2.0
"""ebs-mount: what it does not do, each with a sentence, and with nothing mounted and not a byte changed."""
import os
import re
import struct
import subprocess

import host
import lab

EXT4_STATE = 1024 + 0x3a


class Refusing(host.HostCase):
    def image_of(self, device):
        with open(device, "rb") as file:
            return hash(file.read())

    def unchanged(self, device, status, *words):
        """Refused, nothing mounted, and not a byte of the device changed. Returns the sentence."""
        before = self.image_of(device)
        said = self.refused(status, *words)
        self.assertEqual(self.mounts_of(device), set())
        self.assertEqual(self.image_of(device), before)
        self.assertFalse(os.path.isdir(self.path("/run/systemd")))
        return said

    def test_another_type_or_label_than_was_asked_for(self):
        device = self.disk(label="data")
        for words, expected in ((("--filesystem", "xfs"), ("holds ext4", "expected xfs")),
                                (("--label", "other"), ("label 'data'", "expected 'other'"))):
            said = self.unchanged(device, 3, *words, "--owner", "5:5", device, "/mnt/data")
            for part in expected:
                self.assertIn(part, said)

    def test_what_is_no_filesystem_of_ours(self):
        cases = {"vfat": ("mkfs.vfat", []), "btrfs": ("mkfs.btrfs", ["-q"]), "swap": ("mkswap", []),
                 "ext3": ("mkfs.ext3", ["-q"])}
        for name, (program, words) in cases.items():
            with self.subTest(name=name):
                self.need_program(program)
                image = self.image(128 << 20)
                self.command(program, *words, image)
                self.assertIn(name, self.unchanged(self.loop(image), 3, self.loop(image), "/mnt/data"))

    def test_two_signatures_at_once(self):
        self.need_program("mkfs.btrfs")
        image, other = self.image(128 << 20), self.image(128 << 20)
        self.command("mkfs.btrfs", "-q", image)
        self.command("mkfs.ext4", "-q", "-F", other)
        with open(image, "r+b") as file, open(other, "rb") as superblock:
            superblock.seek(1024)
            file.seek(1024)
            file.write(superblock.read(1024))
        device = self.loop(image)
        self.assertIn("more than one", self.unchanged(device, 3, device, "/mnt/data"))

    def test_a_blank_volume_has_no_filesystem_to_mount(self):
        device = self.loop(64 << 20)
        self.assertIn("ebs-format", self.unchanged(device, 4, device, "/mnt/data"))

    def test_an_ext4_with_its_error_flag(self):
        image = self.image(64 << 20)
        self.disk(path=image)
        with open(image, "r+b") as file:
            file.seek(EXT4_STATE)
            file.write(struct.pack("<H", 3))
        self.command("debugfs", "-w", "-R", "ssv state 3", image)
        device = self.loop(image)
        self.assertIn("run e2fsck", self.unchanged(device, 3, device, "/mnt/data"))
        lab.run(["/usr/sbin/e2fsck", "-fy", image], lab.environment())
        self.good_mount(self.loop(image), "/mnt/data")

    def test_a_damaged_filesystem_with_the_kernel_s_own_words(self):
        ext4 = self.image(64 << 20)
        self.disk(path=ext4)
        with open(ext4, "r+b") as file:     # the group descriptors
            file.seek(2048)
            file.write(os.urandom(6144))
        device = self.loop(ext4)
        said = self.refused(3, device, "/mnt/data")
        self.assertIn("damaged", said)
        self.assertEqual(self.mounts_of(device), set())
        if os.access("/dev/kmsg", os.R_OK):
            self.assertRegex(said, "group descriptors corrupted|ext4_check_descriptors|[Cc]hecksum")

    def test_an_xfs_whose_log_is_damaged(self):
        image = self.image(300 << 20)
        self.disk("xfs", path=image)
        found = self.command("xfs_db", "-r", "-c", "sb 0", "-c", "print logstart blocksize agblocks agblklog", image)
        values = dict(re.findall(r"(\w+) = (\d+)", found))
        start = int(values["logstart"])
        group, block = start >> int(values["agblklog"]), start & (1 << int(values["agblklog"])) - 1
        with open(image, "r+b") as file:
            file.seek((group * int(values["agblocks"]) + block) * int(values["blocksize"]))
            file.write(os.urandom(1 << 20))
        device = self.loop(image)
        self.assertIn(self.ebs_mount(device, "/mnt/data").status, (1, 3))
        self.assertEqual(self.mounts_of(device), set())

    def test_a_read_only_device(self):
        image = self.image(64 << 20)
        self.disk(path=image)
        device = self.loop(image, read_only=True)
        self.assertIn("read-only", self.unchanged(device, 3, device, "/mnt/data"))

    def test_a_symlink_on_the_way_to_the_mount_point(self):
        device = self.disk()
        os.mkdir(self.path("/mnt/real"))
        for link, target in (("/mnt/link", "/mnt/link"), ("/mnt/inner", "/mnt/inner/deeper"),
                             ("/mnt/gone", "/mnt/gone/x")):
            os.symlink("real" if link != "/mnt/gone" else "nowhere", self.path(link))
            self.assertIn("symlink", self.unchanged(device, 3, device, target))
        self.assertEqual(os.listdir(self.path("/mnt/real")), [])

    def test_a_file_where_the_mount_point_should_be(self):
        device = self.disk()
        self.write("/mnt/file")
        self.assertIn("is a file", self.unchanged(device, 3, device, "/mnt/file"))
        self.assertIn("is a file", self.unchanged(device, 3, device, "/mnt/file/below"))

    def test_a_mount_point_that_holds_files(self):
        device = self.disk()
        self.write("/mnt/data/precious")
        self.assertIn("precious", self.unchanged(device, 3, device, "/mnt/data"))

    def test_a_mount_point_with_another_volume(self):
        first, second = self.disk(), self.disk()
        self.good_mount("--persist", "no", first, "/mnt/data")
        self.assertIn("something else is mounted", self.unchanged(second, 3, second, "/mnt/data"))
        self.assertEqual(self.mounts_of(first), {"/mnt/data"})

    def test_a_device_that_is_mounted_elsewhere(self):
        device = self.disk()
        self.good_mount(device, "/mnt/here")
        self.assertIn(self.path("/mnt/here"), self.refused(3, device, "/mnt/there"))
        self.assertEqual(self.mounts_of(device), {"/mnt/here"})

    def test_a_device_that_is_mounted_read_only(self):
        device = self.disk()
        os.mkdir(self.path("/mnt/data"))
        self.mount(device, self.path("/mnt/data"), options="ro")
        self.assertIn("read-only", self.refused(3, device, "/mnt/data"))

    def test_an_xfs_that_is_mounted_elsewhere_without_recovery(self):
        device = self.disk("xfs")
        point = self.mount(device, options="ro,norecovery")
        self.assertIn(point, self.refused(3, device, "/mnt/data"))
        self.assertIsNone(self.mountinfo("/mnt/data"))

    def test_an_xfs_that_another_mount_namespace_has_without_recovery(self):
        self.need_program("unshare")
        device = self.disk("xfs")
        point = os.path.join(self.tmp, "private")
        os.mkdir(point)
        script = "mount -o ro,norecovery %s %s && echo up && read line" % (device, point)
        with subprocess.Popen(["unshare", "-m", "sh", "-c", script], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as other:
            self.assertEqual(other.stdout.readline(), b"up\n")
            self.assertIn("in use", self.refused(3, device, "/mnt/data"))
            self.assertIsNone(self.mountinfo("/mnt/data"))
            other.stdin.close()
            other.wait()
        self.good_mount(device, "/mnt/data")

    def test_a_held_device(self):
        device = self.disk()
        fd = os.open(device, os.O_RDONLY | os.O_EXCL)
        try:
            self.assertIn("in use", self.unchanged(device, 3, device, "/mnt/data"))
        finally:
            os.close(fd)

    def test_a_part_of_the_volume_is_mounted_where_all_of_it_should_be(self):
        device = self.disk()
        point = self.mount(device)
        os.mkdir(point + "/part")
        os.mkdir(self.path("/mnt/data"))
        self.command("mount", "--bind", point + "/part", self.path("/mnt/data"))
        self.addCleanup(self.unmount, self.path("/mnt/data"))
        self.assertIn("'/part'", self.refused(3, device, "/mnt/data"))

    def test_options_that_would_make_another_mount_of_it(self):
        device = self.disk()
        for options in ("ro", "bind", "remount", "loop=/dev/loop9", "noatime,ro", "norecovery", "x-systemd.automount",
                        "noatime,,nodev", "a b", "context=\"x\"", "noatime,", "%h"):
            with self.subTest(options=options):
                self.assertIn("mount option", self.unchanged(device, 2, "--options", options, device, "/mnt/data"))

    def test_options_that_the_filesystem_does_not_know(self):
        device = self.disk()
        said = self.refused(2, "--options", "noatime,sideways", device, "/mnt/data")
        if os.access("/dev/kmsg", os.R_OK):
            self.assertIn("sideways", said)
        self.assertEqual(self.mounts_of(device), set())

    def test_mount_points_that_are_none(self):
        device = self.disk()
        for target in ("relative", "/", "/mnt/../etc", "/mnt//data", "/mnt/./data", "/mnt/data/"):
            with self.subTest(target=target):
                self.unchanged(device, 2, device, target)

    def test_owners_and_modes_that_are_none(self):
        device = self.disk()
        for words in (("--owner", "root"), ("--owner", "1:"), ("--mode", "999"), ("--persist", "maybe"),
                      ("--filesystem", "zfs")):
            with self.subTest(words=words):
                self.unchanged(device, 2, *words, device, "/mnt/data")

    def test_a_device_that_does_not_exist_and_one_that_is_none(self):
        self.assertIn("does not exist", self.refused(4, "/dev/nothing-here", "/mnt/data"))
        self.assertIn("not a block device", self.refused(2, "/dev/null", "/mnt/data"))
