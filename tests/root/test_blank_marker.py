# SPDX-License-Identifier: Apache-2.0
"""Formats that were begun: whose they are, and what is there in spite of them."""
import os

import blankcase
import disks

MIB = 1 << 20
GIB = 1 << 30


class Markers(blankcase.Blank):
    def marked(self, size, *words):
        path = self.image(size)
        answer = self.ask(path, "mark", *words)
        self.assertEqual(answer.status, 0, answer)
        return path, answer

    def test_a_marker_is_unfinished_work_of_ours(self):
        path, answer = self.marked(100 * MIB, "vol0123456789abcdef0")
        self.assertEqual((answer.verdict, answer.found), ("unfinished", "an unfinished ext4 of ours, begun on this disk"))
        self.assertRegex(answer.more, "marker=[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-")
        again = self.ask(path, "check", "vol0123456789abcdef0")
        self.assertEqual((again.verdict, again.more), (answer.verdict, answer.more))

    def test_a_marker_is_still_one_on_noise(self):
        path = self.image(40 * MIB)
        blankcase.noise(path)
        self.assertEqual(self.ask(path, "mark", "vol1").verdict, "unfinished")

    def test_the_marker_of_another_disk_is_not_ours(self):
        path, _ = self.marked(100 * MIB, "vol0123456789abcdef0")
        answer = self.ask(path, "check", "vol0fedcba9876543210")
        self.assertEqual(answer.verdict, "taken", answer)
        self.assertIn("an unfinished ext4 of another disk or size (vol0123456789abcdef0, 100 MiB)", answer.found)

    def test_the_marker_of_another_size_is_not_ours(self):
        path, _ = self.marked(100 * MIB, "vol1")
        os.truncate(path, 200 * MIB)
        answer = self.ask(path, "check", "vol1")
        self.assertEqual(answer.verdict, "taken", answer)
        self.assertIn("another disk or size (vol1, 100 MiB)", answer.found)

    def test_a_marker_does_not_make_data_of_somebody_else_ours(self):
        path, _ = self.marked(200 * MIB, "vol1")
        disks.write(path, 40 * MIB, b"written to the bare disk after a format was cut short\n" * 600000)
        answer = self.ask(path, "check", "vol1")
        self.assertEqual(answer.verdict, "taken", answer)
        self.assertIn("more data than that leaves", answer.found)

    def test_a_filesystem_beats_a_marker(self):
        path = self.image(disks.SIZE)
        disks.ext4(path)
        answer = self.ask(path, "mark", "vol1")
        self.assertEqual(answer.verdict, "filesystem", answer)
        self.assertIn("stale=0", answer.more)

    def finished_with_marker(self):
        path, answer = self.marked(disks.SIZE, "vol1")
        uuid = answer.more.rsplit("marker=")[1]
        with open(path, "rb") as file:
            marker = file.read(1024)
        disks.call("mkfs.ext4", "-q", "-F", "-U", uuid, path)
        disks.write(path, 0, marker)
        return path, uuid

    def test_a_filesystem_with_its_own_marker_left_is_one(self):
        path, uuid = self.finished_with_marker()
        answer = self.ask(path, "check", "vol1")
        self.assertEqual(answer.verdict, "filesystem", answer)
        self.assertIn("stale=1 marker=" + uuid, answer.more)

    def test_a_superblock_that_was_half_written_is_unfinished_with_its_marker_only(self):
        path, _ = self.finished_with_marker()
        disks.write(path, 1536, bytes(512))
        self.assertEqual(self.ask(path, "check", "vol1").verdict, "unfinished")
        disks.write(path, 0, bytes(1024))
        answer = self.ask(path, "check", "vol1")
        self.assertEqual(answer.verdict, "taken", answer)
        self.assertIn("a damaged superblock of ext4", answer.found)

    def test_a_damaged_filesystem_that_was_in_use_is_data_whatever_marker_was_left(self):
        path, _ = self.finished_with_marker()
        disks.write(path, 1024 + 0x34, b"\1")
        answer = self.ask(path, "check", "vol1")
        self.assertEqual(answer.verdict, "taken", answer)
        self.assertIn("a damaged superblock of ext4", answer.found)

    def test_backups_with_the_markers_uuid_are_leavings_of_ours_and_others_are_not(self):
        for foreign in (False, True):
            path, answer = self.marked(10 * GIB, "vol1")
            with open(path, "rb") as file:
                marker = file.read(1024)
            uuid = [] if foreign else ["-U", answer.more.rsplit("marker=")[1]]
            disks.call("mkfs.ext4", "-q", "-F", *uuid, path)
            disks.write(path, 0, marker + bytes(1024))
            answer = self.ask(path, "check", "vol1")
            self.assertEqual(answer.verdict, "taken" if foreign else "unfinished", answer)
            os.unlink(path)

    def test_anything_else_beats_a_marker(self):
        for make, at in ((disks.btrfs, 0), (disks.gpt_backup_only, 0), (disks.swap, None)):
            path, _ = self.marked(disks.SIZE, "vol1")
            with open(path, "rb") as file:
                marker = file.read(1024)
            make(path)
            disks.write(path, 0, marker)
            with self.subTest(make.__name__):
                self.assertEqual(self.ask(path, "check", "vol1").verdict, "taken")

    def test_an_unfinished_xfs_is_ours_when_it_has_the_uuid_of_this_disk(self):
        path, answer = self.marked(disks.SIZE, "vol1", "xfs")
        uuid = answer.more.rsplit("marker=")[1]
        disks.write(path, 0, bytes(1024))
        disks.call("mkfs.xfs", "-q", "-f", "-m", "uuid=" + uuid, path)
        self.assertEqual(self.ask(path, "check", "vol1").verdict, "filesystem")
        disks.write(path, 0, blankcase.in_progress(path))
        answer = self.ask(path, "check", "vol1")
        self.assertEqual(answer.verdict, "unfinished", answer)
        self.assertIn("marker=" + uuid, answer.more)
        self.assertEqual(self.ask(path, "check", "vol2").verdict, "taken")
        # The first group of a finished one was lost: that is data, whatever its UUID.
        disks.write(path, 0, bytes(MIB))
        self.assertEqual(self.ask(path, "check", "vol1").verdict, "taken")

    def test_zeroed_ends_beside_a_marker_are_unfinished_work(self):
        path = self.image(40 * MIB)
        blankcase.noise(path)
        answer = self.ask(path, "zero-ends-and-mark", "vol1")
        self.assertEqual(answer.verdict, "unfinished", answer)
