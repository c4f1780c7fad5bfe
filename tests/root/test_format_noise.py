# SPDX-License-Identifier: Apache-2.0
"""ebs-format on disks that read as noise, as fresh encrypted volumes do; and filesystems that grow."""
import array
import fcntl
import os
import re
import time

import lab
from formatcase import GIB, SMALL, Format

LOOP_SET_CAPACITY = 0x4C07
CAP_SYS_RESOURCE = 24
FS_IOC_SHUTDOWN, SHUTDOWN_FLUSHING_THE_LOG = 0x8004587D, 1


class Noise(Format):
    # An ext superblock's magic, hfsplus, a boot sector, a swap signature's first half: what chance makes, and no more.
    PHANTOMS = ((1024 + 56, b"\x53\xef"), (1024, b"H+"), (510, b"\x55\xaa"), (64 * 1024 + 0x40, b"_BHRfS_"))

    def test_noise_is_refused_and_the_sentence_says_how_to_allow_it(self):
        result = self.refused(self.noise(SMALL), "--accept-noise")
        self.assertIn('"accept-noise": true', result.err)

    def test_accepted_noise_is_formatted_and_used(self):
        for filesystem in ("ext4", "xfs"):
            path = self.noise(SMALL)
            self.formatted(path, "--accept-noise", "--filesystem", filesystem, "--label", "new")
            self.check_clean(path, filesystem)
            self.assertEqual(self.command("blkid", "-p", "-o", "value", "-s", "TYPE", path).strip(), filesystem)
            folder = self.mount(path)
            content = self.write_files(folder)
            self.unmount(folder)
            self.check_clean(path, filesystem)
            folder = self.mount(path)
            self.check_files(folder, content)
            self.unmount(folder)
            self.formatted(path, outcome="present")

    def test_noise_with_what_looks_like_signatures_is_still_noise(self):
        for filesystem in ("ext4", "xfs"):
            path = self.noise(SMALL, self.PHANTOMS)
            self.formatted(path, "--accept-noise", "--filesystem", filesystem)
            self.check_clean(path, filesystem)
            self.assertEqual(self.command("blkid", "-p", "-o", "value", "-s", "TYPE", path).strip(), filesystem)

    def test_inode_tables_of_noise_are_initialized_by_the_kernel(self):
        path = self.noise(GIB)
        self.formatted(path, "--accept-noise")
        folder = self.mount(path, options="init_itable=0")
        self.write_files(folder)
        fd = os.open(folder, os.O_RDONLY)
        for _ in range(400):        # it is the kernel's thread: nothing can be waited for
            os.fsync(fd)
            text = self.command("dumpe2fs", path)
            if text.count("ITABLE_ZEROED") == len(re.findall(r"^Group \d+:", text, re.MULTILINE)):
                break
            time.sleep(0.05)
        else:
            self.fail("not initialized:\n" + text)
        os.close(fd)
        self.unmount(folder)
        self.check_clean(path, "ext4")

    def test_a_journal_in_noise_is_recovered_after_a_crash(self):
        for filesystem in ("ext4", "xfs"):
            path = self.noise(SMALL)
            self.formatted(path, "--accept-noise", "--filesystem", filesystem)
            folder = self.mount(path)
            content = self.write_files(folder)
            os.sync()
            fd = os.open(folder, os.O_RDONLY)
            fcntl.ioctl(fd, FS_IOC_SHUTDOWN, array.array("I", [SHUTDOWN_FLUSHING_THE_LOG]))
            os.close(fd)
            self.unmount(folder)
            folder = self.mount(path)
            self.check_files(folder, content)
            self.unmount(folder)
            self.check_clean(path, filesystem)


class Grown(Format):
    def grow_image(self, path, image, size):
        with open(image, "r+b") as file:
            file.truncate(size)
        with open(path, "rb") as file:
            fcntl.ioctl(file, LOOP_SET_CAPACITY, 0)

    def test_ext4_grows_offline(self):
        image = self.image(GIB)
        path = self.loop(image)
        self.formatted(path)
        self.grow_image(path, image, 40 * GIB)
        self.command("e2fsck", "-fy", path)
        self.command("resize2fs", path)
        self.check_clean(path, "ext4")
        self.assertGreater(os.statvfs(self.mount(path)).f_blocks * 4096, 38 * GIB)

    def test_ext4_grows_online(self):
        with open("/proc/self/status") as file:
            capabilities = int(re.search(r"^CapEff:\s*(\w+)", file.read(), re.MULTILINE).group(1), 16)
        if not capabilities & 1 << CAP_SYS_RESOURCE:
            self.skipTest(lab.UNOBTAINABLE + "CAP_SYS_RESOURCE, which the kernel wants for growing ext4 online")
        image = self.image(GIB)
        path = self.loop(image)
        self.formatted(path)
        self.grow_image(path, image, 40 * GIB)
        folder = self.mount(path)
        content = self.write_files(folder)
        self.command("resize2fs", path)
        self.assertGreater(os.statvfs(folder).f_blocks * 4096, 38 * GIB)
        self.unmount(folder)
        self.check_clean(path, "ext4")
        self.check_files(self.mount(path), content)

    def test_xfs_grows_online(self):
        image = self.image(GIB)
        path = self.loop(image)
        self.formatted(path, "--filesystem", "xfs")
        self.grow_image(path, image, 8 * GIB)
        folder = self.mount(path)
        self.command("xfs_growfs", folder)
        self.assertGreater(os.statvfs(folder).f_blocks * 4096, 7 * GIB)
        self.unmount(folder)
        self.check_clean(path, "xfs")
