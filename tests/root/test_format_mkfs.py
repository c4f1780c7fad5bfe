# SPDX-License-Identifier: Apache-2.0
"""ebs-format with a mkfs.xfs that is absent, fails, lies or hangs; and ext4 of all sizes."""
import os
import sys

import cutdisk
import lab
from formatcase import GIB, MIB, TIB, Format

# Runs a program and prints its peak memory in KiB; a small process of its own, because a child counts its parent's pages
# until it becomes another program.
PEAK = "import os, sys\npid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)\n_, status, usage = os.wait4(pid, 0)\n" \
       "print(usage.ru_maxrss)\nsys.exit(os.waitstatus_to_exitcode(status))"


class FakeMkfs(Format):
    """mkfs.xfs replaced, in a mount namespace of its own."""

    def with_mkfs(self, script, path, *args, timeout=60):
        real = self.need_program("mkfs.xfs")
        if script is None:
            fake = "/dev/null"
        else:
            fake = os.path.join(self.tmp, "mkfs.xfs")
            with open(fake, "w") as file:
                file.write("#!/bin/sh\n[ $# -gt 0 ] || { echo ' [-m crc=0|1]' >&2; exit 1; }\n" + script)
            os.chmod(fake, 0o755)
        argv = [self.need_program("unshare"), "-m", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', fake, real,
                self.tool("ebs-format"), "--filesystem", "xfs", *args, path]
        return lab.run(argv, lab.environment(), timeout, folder=self.tmp)

    def test_its_absence_is_told_with_the_package(self):
        path = self.loop(GIB)
        result = self.with_mkfs(None, path)
        self.assertEqual(result.status, 1, result)
        self.assertIn("install the package xfsprogs", result.err)

    def test_what_it_says_is_part_of_the_error(self):
        result = self.with_mkfs("for last; do :; done; echo \"mkfs.xfs: $last: no luck\nmore\" >&2; exit 5", self.loop(GIB))
        self.assertEqual(result.status, 1, result)
        self.assertRegex(result.err, r"mkfs.xfs ended with status 5: mkfs.xfs: /dev/loop\d+: no luck\n$")

    def test_what_it_finds_is_a_refusal(self):
        result = self.with_mkfs("echo 'mkfs.xfs: it appears to contain an existing filesystem (zfs).' >&2; exit 1",
                                self.loop(GIB))
        self.assertEqual(result.status, 3, result)

    def test_its_success_is_not_believed_without_an_xfs(self):
        result = self.with_mkfs("exit 0", self.loop(GIB))
        self.assertEqual(result.status, 1, result)
        self.assertIn("after the xfs was made", result.err)

    def test_it_is_stopped_at_the_deadline(self):
        result = self.with_mkfs("exec sleep 1000", self.loop(GIB), "--deadline", "2")
        self.assertEqual(result.status, 75, result)

    def test_it_is_never_forced_and_never_discards(self):
        seen = os.path.join(self.tmp, "seen")
        self.with_mkfs('echo "$@" >%s; exit 1' % seen, self.loop(GIB), "--label", "x")
        with open(seen) as file:
            words = file.read().split()
        self.assertNotIn("-f", words)
        self.assertIn("-K", words)


class Sizes(Format):
    # Size, and what making it may take in MiB of memory.
    ROWS = ((2 * GIB, 16), (TIB, 16), (4 * TIB, 16), (16 * TIB, 32))
    LONG_ROWS = ((16 * TIB - 4096 * MIB, 32), (17 * TIB, 32), (64 * TIB, 64))

    def test_e2fsck_finds_nothing_and_memory_stays_small(self):
        scratch = self.mount(self.scratch())
        for size, memory_mib in self.ROWS + (self.LONG_ROWS if os.environ.get("NODEVOL_LONG") == "1" else ()):
            with self.subTest(tebibytes=size / TIB):
                path = self.loop(self.image(size, os.path.join(scratch, "%d" % size)))
                result = lab.run([sys.executable, "-I", "-S", "-c", PEAK, self.tool("ebs-format"), "--quiet", path],
                                 lab.environment(), 300, folder=self.tmp)
                self.assertEqual(result.status, 0, result)
                self.assertIn("made ext4", result.out)
                if not self.is_sanitized():
                    self.assertLessEqual(int(result.out.split()[-1]), memory_mib * 1024)
                self.check_clean(path, "ext4")
                self.formatted(path, outcome="present")

    def is_sanitized(self):
        with open(self.tool("ebs-format"), "rb") as file:
            return b"__asan_init" in file.read()

    def scratch(self):
        """ext4 has no file of 16 TiB: an xfs has."""
        image = self.image(8 * GIB)
        self.command("mkfs.xfs", "-q", "-K", image)
        return self.loop(image)

    def test_a_tebibyte_is_made_with_at_most_32_mib(self):
        disk = cutdisk.Disk(self, TIB)
        log = os.path.join(self.tmp, "log")
        self.assertEqual(disk.run("ebs-format", log=log).status, 0)
        written = sum(length for kind, _, length, _ in cutdisk.read_log(log, brief=False) if kind != cutdisk.SYNC)
        self.assertLessEqual(written, 32 * MIB)
        self.assertLessEqual(os.stat(disk.image.name).st_blocks * 512, 32 * MIB)
