# SPDX-License-Identifier: Apache-2.0
"""ebs-format: a filesystem on a blank disk, what is there left alone, everything else refused."""
import os
import re
import struct

import cutdisk
import loops
from formatcase import GIB, MIB, SMALL, TIB, Format


class Made(Format):
    def test_a_blank_disk_gets_ext4_that_the_kernel_mounts_and_the_second_run_writes_nothing(self):
        disk = cutdisk.Disk(self, GIB)
        made = disk.run("ebs-format", "--json", "--label", "data")
        self.assertEqual((made.status, made.json["filesystem"], made.json["label"]), (0, "ext4", "data"), made)
        before = self.digest(disk.path)
        again = disk.run("ebs-format", "--json", "--label", "data", "--filesystem", "ext4")
        self.assertEqual((again.status, again.json["outcome"], again.writes), (0, "present", 0), again)
        self.assertEqual(again.json["uuid"], made.json["uuid"])
        self.assertEqual(self.digest(disk.path), before)
        folder = self.mount(disk.path)
        content = self.write_files(folder)
        self.unmount(folder)
        self.check_clean(disk.path, "ext4")
        self.check_files(self.mount(disk.path), content)

    def test_a_blank_disk_gets_xfs_that_the_kernel_mounts_and_the_second_run_writes_nothing(self):
        disk = cutdisk.Disk(self, GIB)
        made = disk.run("ebs-format", "--json", "--label", "data", "--filesystem", "xfs")
        self.assertEqual((made.status, made.json["filesystem"], made.json["label"]), (0, "xfs", "data"), made)
        before = self.digest(disk.path)
        again = disk.run("ebs-format", "--json", "--label", "data")
        self.assertEqual((again.status, again.json["outcome"], again.writes), (0, "present", 0), again)
        self.assertEqual(self.digest(disk.path), before)
        folder = self.mount(disk.path)
        content = self.write_files(folder)
        self.unmount(folder)
        self.check_clean(disk.path, "xfs")
        self.check_files(self.mount(disk.path), content)

    def test_xfs_has_only_features_that_linux_5_10_mounts(self):
        path = self.loop(GIB)
        made = self.formatted(path, "--filesystem", "xfs")
        with open(path, "rb") as file:
            superblock = file.read(512)
        # fs/xfs/libxfs/xfs_format.h: compat, ro_compat (free inode btree, reflink), incompat (file types, sparse inodes)
        self.assertEqual(struct.unpack(">III", superblock[208:220]), (0, 0x1 | 0x4, 0x1 | 0x2))
        self.assertEqual(superblock[32:48].hex(), made["uuid"].replace("-", ""))

    def test_ext4_is_laid_out_as_mke2fs_does_it(self):
        unlike = re.compile("UUID|Seed|[Cc]hecksum:|created|write time|Last checked|Overhead|sequence|Lifetime|"
                            "Journal features")
        for size in (512 * MIB, GIB, 10 * GIB, 300 * GIB, 5 * TIB):
            with self.subTest(size=size):
                ours, theirs = self.loop(size), self.image(size)
                self.formatted(ours, "--label", "same")
                self.command("mkfs.ext4", "-q", "-m", "0", "-L", "same", "-E", "nodiscard,lazy_journal_init=1",
                             "-O", "^orphan_file,^metadata_csum_seed", theirs)
                lines = [[line for line in self.command("dumpe2fs", "-h", path).splitlines() if not unlike.search(line)]
                         for path in (ours, theirs)]
                self.assertEqual(lines[0], lines[1])

    def test_the_uuid_is_the_same_when_the_same_disk_is_formatted_again(self):
        image = self.image(GIB)
        uuids = []
        for _ in range(2):
            with open(image, "r+b") as file:
                file.truncate(0)
                file.truncate(GIB)
            path = self.loop(image)
            uuids.append([self.formatted(path)["uuid"]])
            loops.clean(self.tmp)
        self.assertEqual(uuids[0], uuids[1])

    def test_what_would_be_done_is_said_and_not_done(self):
        path = self.loop(GIB)
        before = self.digest(path)
        found = self.formatted(path, "--dry-run", "--filesystem", "xfs", "--label", "x", outcome="would-make")
        self.assertEqual((found["filesystem"], found["label"], found["uuid"]), ("xfs", "x", None))
        self.assertEqual(self.digest(path), before)

    def test_a_line_says_what_is_there(self):
        path = self.loop(GIB)
        self.assertRegex(self.format(path, "--label", "a b").out, r"^%s: made ext4 LABEL=a b UUID=[0-9a-f-]{36}\n$" % path)
        self.assertRegex(self.format(path, "--quiet").out, r"^%s: present ext4 LABEL=a b UUID=[0-9a-f-]{36}\n$" % path)
        self.assertEqual(self.format(path, "--quiet").err, "")

    def test_a_disk_with_4_kib_sectors_gets_either(self):
        for filesystem in ("ext4", "xfs"):
            path = self.loop(self.image(GIB), sector_bytes=4096)
            self.formatted(path, "--filesystem", filesystem)
            self.check_clean(path, filesystem)
            self.mount(path)


class LeftAlone(Format):
    def test_another_type_or_label_than_asked_for_is_refused(self):
        for there, other in (("ext4", "xfs"), ("xfs", "ext4")):
            path = self.loop(SMALL)
            self.formatted(path, "--filesystem", there, "--label", "mine")
            self.refused(path, "holds a filesystem of type %s, expected %s" % (there, other), "--filesystem", other)
            self.refused(path, "with the label 'mine', expected 'yours'", "--label", "yours")
            self.formatted(path, "--label", "mine", outcome="present")
            self.formatted(path, outcome="present")

    def test_the_filesystem_of_somebody_else_is_accepted_when_it_is_what_was_asked_for(self):
        path = self.loop(SMALL)
        self.command("mkfs.ext4", "-q", "-L", "other", path)
        self.formatted(path, "--label", "other", "--filesystem", "ext4", outcome="present")

    def test_a_disk_that_is_too_small_is_told_the_minimum_and_not_touched(self):
        self.refused(self.loop(63 * MIB), "ext4 needs at least 64 MiB", status=1)
        self.refused(self.loop(299 * MIB), "xfs needs at least 300 MiB", "--filesystem", "xfs", status=1)
        self.refused(self.noise(63 * MIB), "ext4 needs at least 64 MiB", "--accept-noise", status=1)

    def test_a_label_that_is_too_long_is_a_usage_error_before_anything_is_written(self):
        path = self.loop(SMALL)
        self.refused(path, "seventeen letters", "--label", "seventeen letters", status=2)
        self.refused(path, "longer than the 12 bytes", "--label", "thirteen char", "--filesystem", "xfs", status=2)

    def test_a_read_only_disk_is_refused_unless_there_is_nothing_to_do(self):
        image = self.image(SMALL)
        self.refused(self.loop(image, read_only=True), "is read-only")
        self.formatted(self.loop(image))
        loops.clean(self.tmp)
        self.formatted(self.loop(image, read_only=True), outcome="present")

    def test_a_disk_in_use_is_refused(self):
        path = self.loop(SMALL)
        self.formatted(path)
        folder = self.mount(path)
        result = self.format(path)
        self.assertEqual(result.status, 3, result)
        self.assertIn("is mounted at '%s'" % folder, result.err)
        self.unmount(folder)
        fd = os.open(path, os.O_RDWR | os.O_EXCL)
        self.addCleanup(os.close, fd)
        self.refused(path, "is in use")

    def test_what_is_no_disk_is_a_usage_error(self):
        self.assertEqual(self.format(self.image(SMALL)).status, 2)
        self.assertEqual(self.format(self.tmp).status, 2)
        self.assertEqual(self.format("/dev/null").status, 2)
        self.assertEqual(self.format(self.tmp + "/absent").status, 4)
        self.assertEqual(self.format("/dev/zero", "--filesystem", "btrfs").status, 2)

    def test_something_that_is_not_blank_is_refused_and_not_touched(self):
        path = self.loop(SMALL)
        with open(path, "r+b") as file:
            file.seek(SMALL // 2)
            file.write(b"text in the middle " * 100000)
        self.refused(path, "it is not touched")
        self.refused(path, "it is not touched", "--accept-noise", "--filesystem", "xfs")

    def test_an_unfinished_format_is_finished_but_not_turned_into_another_type(self):
        for begun, other, size in (("ext4", "xfs", SMALL), ("xfs", "ext4", SMALL)):
            disk = cutdisk.Disk(self, size)
            whole = disk.run("ebs-format", "--filesystem", begun).writes
            disk.reset()
            disk.run("ebs-format", "--filesystem", begun, cut=whole // 2, mode="kill")
            self.refused(disk.path, "holds an unfinished %s of ours, expected %s" % (begun, other), "--filesystem", other)
            self.assertEqual(self.formatted(disk.path, "--dry-run", outcome="would-make")["filesystem"], begun)
            self.assertEqual(self.formatted(disk.path, outcome="redone")["filesystem"], begun)
            self.check_clean(disk.path, begun)

    def test_a_format_that_lacks_only_the_removal_of_its_marker_is_there(self):
        disk = cutdisk.Disk(self, SMALL)
        whole = disk.run("ebs-format").writes
        disk.reset()
        disk.run("ebs-format", cut=whole, mode="kill")
        self.formatted(disk.path, "--dry-run", outcome="present")
        again = disk.run("ebs-format", "--json")
        self.assertEqual((again.status, again.json["outcome"], again.writes), (0, "present", 1), again)
        self.assertEqual(disk.run("ebs-format").writes, 0)
        self.check_clean(disk.path, "ext4")

    def test_an_xfs_that_seems_unfinished_but_holds_data_is_refused_before_anything_is_wiped(self):
        path = self.loop(2 * SMALL)
        self.formatted(path, "--filesystem", "xfs")
        with open(path, "r+b") as file:
            file.seek(SMALL)
            file.write(b"data where mkfs.xfs writes nothing\n" * 2000000)
            file.seek(126)      # sb_inprogress
            file.write(b"\1")
        self.refused(path, "it is not touched", "--filesystem", "xfs")

    def test_an_xfs_in_use_whose_superblock_was_restored_from_a_copy_is_not_taken_for_unfinished(self):
        """The copies are marked as in progress for ever (xfsprogs, libxfs/xfs_ag.c)."""
        path = self.loop(SMALL)
        self.formatted(path, "--filesystem", "xfs")
        folder = self.mount(path)
        content = self.write_files(folder)
        self.unmount(folder)
        with open(path, "r+b") as file:
            superblock = file.read(512)
            block_bytes, group_blocks = (struct.unpack(">I", superblock[at:at + 4])[0] for at in (4, 84))
            file.seek(block_bytes * group_blocks)
            copy = file.read(512)
            self.assertEqual((copy[:4], copy[126]), (b"XFSB", 1))
            file.seek(0)
            file.write(copy)
        self.refused(path, "was mounted before", "--filesystem", "xfs")
        with open(path, "r+b") as file:
            file.write(bytes(512))
        self.command("xfs_repair", path)
        self.check_files(self.mount(path), content)
