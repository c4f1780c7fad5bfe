# SPDX-License-Identifier: Apache-2.0
"""Formats that are cut short, at every write: the next run makes a clean filesystem.

By a device that stops taking writes and by SIGKILL of all processes, on a device of zeros and on one of noise; in the
middle of finishing a cut format, too; and by a power cut that loses any part of what was not synced.
"""
import os

import cutdisk
import lab

MIB = 1 << 20
POINTS = 50
SIZES = {"ext4": 256 * MIB, "xfs": 300 * MIB}
ARGUMENTS = ("--json", "--quiet", "--accept-noise", "--filesystem")


class Cut(lab.Case):
    """For one of the filesystems, named by the class."""
    filesystem = None

    def setUp(self):
        super().setUp()
        self.need_root()
        self.need_program("e2fsck")
        self.need_program("xfs_repair")
        self.need_program("mkfs.xfs")

    def disk(self, noise):
        return cutdisk.Disk(self, SIZES[self.filesystem], noise)

    def format(self, disk, **options):
        return disk.run("ebs-format", *ARGUMENTS, self.filesystem, **options)

    def finish(self, disk, what):
        """The next run: done, clean, and one more run finds it so."""
        result = self.format(disk)
        self.assertEqual(result.status, 0, (what, result))
        if self.filesystem == "ext4":
            self.command("e2fsck", "-fn", disk.path)
        else:
            self.command("xfs_repair", "-n", disk.path)
        again = self.format(disk)
        self.assertEqual((again.status, again.json["outcome"], again.writes), (0, "present", 0), (what, again))
        self.assertEqual(self.command("blkid", "-p", "-o", "value", "-s", "TYPE", disk.path).strip(), self.filesystem)
        return result

    def cut_everywhere(self, noise, mode):
        disk = self.disk(noise)
        whole = self.format(disk)
        self.assertEqual(whole.status, 0, whole)
        chosen = cutdisk.points(whole.writes, POINTS)
        self.assertGreaterEqual(len(chosen), POINTS, "there are only %d writes" % whole.writes)
        for number in chosen:
            with self.subTest(noise=noise, mode=mode, write=number):
                disk.reset()
                result = self.format(disk, cut=number, mode=mode, torn=number % 2 == 0)
                self.assertNotIn(result.status, (0, 3), result)
                self.finish(disk, "cut at %d" % number)

    def cut_while_finishing(self, noise):
        """Cut, cut while finishing, cut again: then it may end."""
        disk = self.disk(noise)
        whole = self.format(disk).writes
        for first in cutdisk.points(whole, 20)[2::6]:
            disk.reset()
            self.format(disk, cut=first, mode="kill")
            redo = self.finish(disk, "cut at %d" % first).writes
            for second in cutdisk.points(redo, 20)[1::5]:
                with self.subTest(noise=noise, first=first, second=second):
                    disk.reset()
                    self.format(disk, cut=first, mode="kill")
                    self.format(disk, cut=second, mode="eio")
                    again = self.format(disk, cut=max(1, second // 2), mode="kill")
                    self.assertNotIn(again.status, (0, 3), again)
                    self.finish(disk, "cut at %d and %d" % (first, second))

    def lose_power(self, noise):
        disk = self.disk(noise)
        log = os.path.join(self.tmp, "log")
        self.assertEqual(self.format(disk, log=log).status, 0)
        for name, records in cutdisk.power_cuts(log, seed=2, prefixes=POINTS // 2, drops=POINTS // 2):
            with self.subTest(noise=noise, image=name):
                disk.apply(records)
                self.finish(disk, name)


class Points:
    """The tests, for a class that is also a Cut."""

    def test_on_zeros_by_a_device_that_stops_taking_writes(self):
        self.cut_everywhere(False, "eio")

    def test_on_zeros_by_sigkill(self):
        self.cut_everywhere(False, "kill")

    def test_on_noise_by_a_device_that_stops_taking_writes(self):
        self.cut_everywhere(True, "eio")

    def test_on_noise_by_sigkill(self):
        self.cut_everywhere(True, "kill")

    def test_while_a_cut_format_of_zeros_is_finished(self):
        self.cut_while_finishing(False)

    def test_while_a_cut_format_of_noise_is_finished(self):
        self.cut_while_finishing(True)

    def test_on_zeros_by_a_power_cut_that_loses_unsynced_writes(self):
        self.lose_power(False)

    def test_on_noise_by_a_power_cut_that_loses_unsynced_writes(self):
        self.lose_power(True)
