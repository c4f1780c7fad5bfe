# SPDX-License-Identifier: Apache-2.0
"""Formatting, for bench.py: ebs-format beside mkfs.ext4 on the same sparse disk."""
import os
import re
import statistics

import lab
import loops

MIB, GIB, TIB = 1 << 20, 1 << 30, 1 << 40
RUNS = 5
OURS = ["ebs-format", "--verbose"]
THEIRS = ["mkfs.ext4", "-q", "-F", "-E", "nodiscard"]
# Zeros are written, as to a disk that has no command for them (e2fsprogs, lib/ext2fs/unix_io.c).
WRITTEN = {"UNIX_IO_NOZEROOUT": "1"}


class Run:
    """One format of a new sparse disk: .wall_ms, .making_ms (without the look before), .cpu_ms, .peak_mib, .written_mib"""

    def __init__(self, argv, size_bytes, folder, env=None):
        image, figures = os.path.join(folder, "image"), os.path.join(folder, "figures")
        with open(image, "wb") as file:
            file.truncate(size_bytes)
            loop = loops.Loop(file.fileno())
        try:
            program = os.path.join(lab.BUILD, argv[0]) if argv[0].startswith("ebs-") else "/usr/sbin/" + argv[0]
            done = lab.run([os.path.join(lab.BUILD, "tests", "bench", "measure"), figures, program] + argv[1:] +
                           [loop.path], lab.environment(env), 600, folder=folder)
            with open(figures, encoding="ascii") as file:
                cpu, wall, peak, status = file.read().split()
            if status != "0":
                raise RuntimeError("%s: status %s: %s" % (argv[0], status, done.err))
            self.cpu_ms, self.wall_ms, self.peak_mib = float(cpu), float(wall), int(peak) / 1024
            said = re.search(r" in (\d+) ms", done.err)
            self.making_ms = float(said.group(1)) if said else self.wall_ms
            self.written_mib = os.stat(image).st_blocks * 512 / MIB
        finally:
            loop.close()
            os.unlink(image)


def medians(runs):
    return {name: statistics.median(getattr(run, name) for run in runs)
            for name in ("wall_ms", "making_ms", "cpu_ms", "peak_mib", "written_mib")}


def side_by_side(folder, size_bytes):
    """Taken in turns, so that what else the machine does falls on all of them."""
    programs = ((OURS, None), (THEIRS, None), (THEIRS, WRITTEN))
    runs = [[] for _ in programs]
    for _ in range(RUNS):
        for taken, (argv, env) in zip(runs, programs):
            taken.append(Run(argv, size_bytes, folder, env))
    ours, theirs, written = (medians(taken) for taken in runs)
    for name, found in (("ebs-format", ours), ("mkfs.ext4, zeros by a command", theirs), ("mkfs.ext4, zeros written", written)):
        print("  %-30s %5.0f ms of wall time, %4.0f ms of CPU, %7.1f MiB written, peak %5.1f MiB" % (
            name, found["wall_ms"], found["cpu_ms"], found["written_mib"], found["peak_mib"]))
    print("  ebs-format looks at the disk for %.0f ms, which mkfs.ext4 does not, and makes ext4 in %.0f ms" % (
        ours["wall_ms"] - ours["making_ms"], ours["making_ms"]))
    for name, found in (("zeros by a command", theirs), ("zeros written", written)):
        print("  ratio of wall time, mkfs.ext4 with %s: making %.2f, with the look %.2f" % (
            name, ours["making_ms"] / found["wall_ms"], ours["wall_ms"] / found["wall_ms"]), flush=True)


def main():
    """a new disk of 1 TiB as ext4, beside mkfs.ext4; peak memory up to 64 TiB"""
    folder = lab.temp_folder()
    try:
        print("  1 TiB (medians of %d)" % RUNS)
        side_by_side(folder, TIB)
        # A file of 16 TiB does not fit on ext4.
        scratch = os.path.join(folder, "scratch")
        with open(scratch, "wb") as file:
            file.truncate(8 * GIB)
        lab.run(["/usr/sbin/mkfs.xfs", "-q", "-K", scratch], lab.environment(), folder=folder)
        with open(scratch, "r+b") as file:
            loop = loops.Loop(file.fileno())
        os.mkdir(os.path.join(folder, "large"))
        loops.mount(loop.path, os.path.join(folder, "large"), "xfs")
        for tebibytes in (4, 16, 64):
            run = Run(OURS, tebibytes * TIB, os.path.join(folder, "large"))
            print("  %2d TiB: peak %.1f MiB, %.0f ms, %.0f MiB written" % (
                tebibytes, run.peak_mib, run.wall_ms, run.written_mib), flush=True)
    finally:
        lab.clean(folder)
