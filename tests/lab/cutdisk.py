# SPDX-License-Identifier: Apache-2.0
"""A disk that stops taking writes, or loses its power, at a write of the test's choice; and what was written to it.

    disk = cutdisk.Disk(case, 64 << 20, noise=True)
    writes = disk.run("ebs-format", "--accept-noise").writes        # uncut: how many there are
    disk.reset()
    disk.run("ebs-format", "--accept-noise", cut=17, mode="kill")   # fails the test when the cut never happens
"""
import errno
import fcntl
import os
import random
import shutil
import struct
import time

import lab

SHIM = os.path.join(lab.BUILD, "tests", "lab", "cutwrite.so")
DATA, ZERO, SYNC, BRIEF = 1, 2, 3, 4
BLKZEROOUT, BLKFLSBUF = 0x127f, 0x1261
CHUNK = 1 << 20
ZEROS = bytes(CHUNK)


def make_noise(path, size_bytes, seed):
    source = random.Random(seed)
    with open(path, "wb") as file:
        for offset in range(0, size_bytes, CHUNK):
            file.write(source.randbytes(min(CHUNK, size_bytes - offset)))


def read_log(path, brief):
    """(kind, offset, length, bytes or None) of every record; a record that the cut cut short is the last one."""
    with open(path, "rb") as file:
        while True:
            head = file.read(24)
            if len(head) < 24:
                return
            kind, offset, length = struct.unpack("=QQQ", head)
            data = file.read(length) if kind == DATA and not brief else None
            yield kind, offset, length, data


class Disk:
    """A loop device with what it holds at first: zeros, or noise that is the same every time."""

    def __init__(self, case, size_bytes, noise=False, seed=1):
        self.case, self.size_bytes, self.noise = case, size_bytes, noise
        self.pristine = None
        # In memory: what is asked here is what is written in which order, and thousands of syncs of a real disk take minutes.
        folder = case.mount("tmpfs", kind="tmpfs", options="size=%d" % (2 * size_bytes + (16 << 20)))
        image = case.image(size_bytes, os.path.join(folder, "image"))
        if noise:
            self.pristine = open(os.path.join(folder, "pristine"), "w+b")
            case.addCleanup(self.pristine.close)
            make_noise(self.pristine.name, size_bytes, seed)
            shutil.copyfile(self.pristine.name, image)
        self.image = open(image, "r+b", buffering=0)
        case.addCleanup(self.image.close)
        self.path = case.loop(image)
        self.touched = []

    def run(self, tool, *args, cut=0, mode="eio", torn=False, log=None, timeout=120):
        """Runs @tool with @args and the disk. Its result, with .writes counted. @cut: 0 for none, else which write."""
        state = os.path.join(self.case.tmp, "cut-state")
        ranges = os.path.join(self.case.tmp, "cut-ranges")
        with open(state, "wb") as file:
            file.write(bytes(16))
        if log is None and os.path.exists(ranges):
            os.unlink(ranges)
        number = os.stat(self.path).st_rdev
        env = {"CUT_DEVICE": "%d:%d" % (os.major(number), os.minor(number)), "CUT_STATE": state, "CUT_AT": str(cut),
               "CUT_MODE": mode, "CUT_TORN": "1" if torn else None, "CUT_LOG": log or ranges,
               "CUT_LOG_BRIEF": None if log else "1"}
        result = self.case.run_tool(tool, *args, self.path, env=env, preload=[SHIM], timeout=timeout)
        with open(state, "rb") as file:
            result.writes, happened = struct.unpack("=QQ", file.read(16))
        self.touched += [(offset, length) for kind, offset, length, _ in read_log(log or ranges, brief=not log)
                         if kind != SYNC]
        if cut:
            self.case.assertEqual(happened, 1, "the cut at write %d never happened: %r" % (cut, result))
            self.wait_until_free()
        return result

    def wait_until_free(self):
        """A killed process group gives up its descriptors one process after the other."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                os.close(os.open(self.path, os.O_RDONLY | os.O_EXCL))
                return
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                time.sleep(0.002)
        self.case.fail("%s is still held" % self.path)

    def _change(self, write):
        """@write(fd) changes the image behind the loop device, whose own cache is emptied before and after."""
        fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.fsync(fd)
            write(fd)
            fcntl.ioctl(fd, BLKFLSBUF, 0)
        finally:
            os.close(fd)

    def _restore(self, fd):
        for offset, length in sorted(set(self.touched)):
            end = min(offset + length, self.size_bytes)
            if self.pristine is None:
                first, last = offset // 512 * 512, -(-end // 512) * 512
                fcntl.ioctl(fd, BLKZEROOUT, struct.pack("=QQ", first, last - first))
            for at in range(offset, end if self.pristine else offset, CHUNK):
                os.pwrite(self.image.fileno(), os.pread(self.pristine.fileno(), min(CHUNK, end - at), at), at)
        self.touched = []

    def reset(self):
        """As it was at first: only what was written since is written again."""
        self._change(self._restore)

    def apply(self, records):
        """Makes the disk what a power cut left: these records, in this order, on what was there at first."""
        def write(_):
            for kind, offset, length, data in records:
                self.touched.append((offset, length))
                for at in range(offset, offset + length, CHUNK):
                    part = min(CHUNK, offset + length - at)
                    os.pwrite(self.image.fileno(), ZEROS[:part] if kind == ZERO else data[at - offset:at - offset + part], at)
        self.reset()
        self._change(write)


def points(writes, wanted):
    """@wanted numbers from 1 to @writes, evenly; the first and the last few, where the order matters most, in any case."""
    if writes <= wanted:
        return list(range(1, writes + 1))
    edge = wanted // 6
    inner = wanted - 2 * edge
    return sorted(set(range(1, edge + 1)) | set(range(writes - edge + 1, writes + 1)) |
                  {edge + 1 + index * (writes - 2 * edge) // inner for index in range(inner)})


def power_cuts(log, seed, prefixes, drops):
    """What a disk may hold after a power cut: @prefixes prefixes of the writes of @log, whole; and @drops prefixes of which
    a random part of the writes since the last sync is missing. Each as (name, records for Disk.apply())."""
    source = random.Random(seed)
    records = list(read_log(log, brief=False))
    ends = [index for index, record in enumerate(records) if record[0] != SYNC]
    for number in points(len(ends), prefixes):
        end = ends[number - 1]
        yield "prefix %d" % number, [record for record in records[:end + 1] if record[0] != SYNC]
    for number in range(drops):
        end = source.choice(ends)
        synced = max((index for index, record in enumerate(records[:end]) if record[0] == SYNC), default=-1)
        share = source.random()
        yield "drop %d of %d" % (number, end), [
            record for index, record in enumerate(records[:end + 1])
            if record[0] != SYNC and (index < synced or source.random() >= share)]
