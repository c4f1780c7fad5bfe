# SPDX-License-Identifier: Apache-2.0
"""What the tests of "is there anything on this disk" have in common: a case that asks, and images to ask about."""
import os
import struct

import disks
import lab

MIB = 1 << 20
TOOL = "tests/root/blank-check"


class Answer:
    """What blank-check printed."""

    def __init__(self, result):
        self.status, self.error = result.status, result.err.strip()
        lines = result.out.splitlines() + ["", "", ""]
        self.verdict, self.found, self.more = lines[:3]

    def __repr__(self):
        return "status %s %s: %s (%s) %s" % (self.status, self.verdict, self.found, self.more, self.error)


class Blank(lab.Case):
    def setUp(self):
        super().setUp()
        self.need_root()

    def ask(self, path, *words, root=""):
        return Answer(self.run_tool(TOOL, root, path, *words))

    def expect(self, path, verdict, *words):
        answer = self.ask(path)
        self.assertEqual((answer.status, answer.verdict), (0, verdict), answer)
        for word in words:
            self.assertIn(word, answer.found, answer)
        return answer

    def expect_disk(self, make, verdict, *words, size=disks.SIZE):
        """On a loop device; looking at it changes nothing."""
        with disks.Disk(self.tmp, make, size) as disk:
            before = disk.digest()
            answer = self.expect(disk.path, verdict, *words)
            self.assertEqual(disk.digest(), before, "looking at the disk changed it")
        return answer


def noise(path, start=0, end=None):
    with open(path, "r+b", buffering=0) as file:
        end = end or disks.size_of(path)
        for at in range(start, end, MIB):
            file.seek(at)
            file.write(os.urandom(min(MIB, end - at)))


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def in_progress(path):
    """The first sector of an xfs, as it is while mkfs.xfs works."""
    with open(path, "rb") as file:
        sector = bytearray(file.read(512))
    sector[126] = 1
    sector[224:228] = bytes(4)
    struct.pack_into("<I", sector, 224, crc32c(sector))
    return bytes(sector)
