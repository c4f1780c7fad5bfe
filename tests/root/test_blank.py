# SPDX-License-Identifier: Apache-2.0
"""What is on a disk is found, named, and not changed by looking."""
import os
import re
import struct

import blankcase
import disks

MIB = 1 << 20
GIB = 1 << 30


def keep_only(path, ranges):
    """Zeros everywhere but in these ranges of (offset, length)."""
    kept = []
    with open(path, "r+b") as file:
        for offset, length in ranges:
            file.seek(offset)
            kept.append((offset, file.read(length)))
        size = file.seek(0, os.SEEK_END)
        file.truncate(0)
        file.truncate(size)
        for offset, data in kept:
            file.seek(offset)
            file.write(data)


class Recognised(blankcase.Blank):
    """Each kind on a whole disk of 384 MiB."""

    def test_ext4_is_a_filesystem_with_its_label(self):
        answer = self.expect_disk(disks.ext4, "filesystem", "ext4 (label 'KEEP', UUID ")
        self.assertRegex(answer.more, r"^filesystem=ext4 label=KEEP uuid=[0-9a-f-]{36} stale=0 marker=$")

    def test_xfs_is_a_filesystem_with_its_label(self):
        answer = self.expect_disk(disks.xfs, "filesystem", "xfs (label 'KEEP', UUID ")
        self.assertRegex(answer.more, r"^filesystem=xfs label=KEEP ")

    def test_ext2_and_ext3_are_not_ours(self):
        for kind in ("ext2", "ext3"):
            with self.subTest(kind=kind):
                self.expect_disk(lambda path, kind=kind: disks.call("mkfs." + kind, "-q", "-F", path), "taken", kind)

    def test_other_kinds_are_taken(self):
        for make, program, words in (
                (disks.ext4_backups_only, "mkfs.ext4", "ext4 (label 'KEEP'"),
                (disks.xfs_without_group_0, "mkfs.xfs", "an allocation group of xfs (label 'KEEP'"),
                (disks.btrfs, "mkfs.btrfs", "btrfs (label 'KEEP'"),
                (disks.vfat, "mkfs.vfat", "vfat (label 'KEEP'"),
                (disks.squashfs, "mksquashfs", "squashfs"),
                (disks.erofs, "mkfs.erofs", "erofs"),
                (disks.swap, "mkswap", "swap space (label 'KEEP'"),
                (disks.lvm, "pvcreate", "an LVM physical volume"),
                (disks.luks, "cryptsetup", "LUKS encryption"),
                (disks.luks1, "cryptsetup", "LUKS encryption"),
                (disks.mdraid_1_2, "true", "a member of a Linux RAID"),
                (disks.mdraid_1_0, "true", "a member of a Linux RAID"),
                (mdraid_0_90, "true", "a member of a Linux RAID"),
                (disks.zfs, "true", "ZFS"),
                (disks.gpt, "sgdisk", "a GPT partition table"),
                (disks.gpt_backup_only, "sgdisk", "a GPT partition table"),
                (disks.mbr, "sfdisk", "an MBR partition table"),
                (disks.two_signatures, "mkfs.btrfs", "two signatures at once: vfat and btrfs"),
                (disks.text_in_the_middle, "true", "data at 192"),
                (disks.compressed, "true", "gzip data"),
                (luks2_second_header, "cryptsetup", "LUKS"),
                (btrfs_mirror_only, "mkfs.btrfs", "a copy of the superblock of btrfs (label 'KEEP'"),
                (protective_mbr_only, "sgdisk", "a protective MBR, whose GPT is gone")):
            with self.subTest(make.__name__):
                self.need_program(program)
                self.expect_disk(make, "taken", words)

    def test_a_damaged_superblock_is_taken(self):
        for make, at in ((disks.ext4, 1024 + 0x100), (disks.xfs, 0x80)):
            def damage(path, make=make, at=at):
                make(path)
                disks.write(path, at // 512 * 512, flip(path, at))
            with self.subTest(make.__name__):
                self.expect_disk(damage, "taken", "a damaged superblock of")

    def test_a_filesystem_that_is_larger_than_its_disk_is_taken(self):
        for make in (disks.ext4, disks.xfs):
            with self.subTest(make.__name__):
                path = self.image(disks.SIZE)
                make(path)
                os.truncate(path, disks.SIZE - 4 * MIB)
                self.expect(path, "taken", "that is larger than the disk's 380 MiB")

    def test_an_unfinished_xfs_of_somebody_else_is_taken(self):
        def cut(path):
            disks.xfs(path)
            disks.write(path, 0, blankcase.in_progress(path))
        self.expect_disk(cut, "taken", "an xfs that was never finished")


def flip(path, at):
    with open(path, "rb") as file:
        file.seek(at // 512 * 512)
        sector = bytearray(file.read(512))
    sector[at % 512] ^= 0x55
    return bytes(sector)


def mdraid_0_90(path):
    """64 KiB before the end, aligned to 64 KiB (linux/raid/md_p.h)."""
    block = bytearray(4096)
    struct.pack_into("<IIII", block, 0, 0xa92b4efc, 0, 90, 0)
    struct.pack_into("<I", block, 0x14, 0x01234567)
    total = sum(struct.unpack("<1024I", bytes(block)))
    struct.pack_into("<I", block, 0x98, ((total & 0xffffffff) + (total >> 32)) & 0xffffffff)
    disks.write(path, (disks.size_of(path) & ~0xffff) - 0x10000, bytes(block))


def luks2_second_header(path):
    disks.luks(path)
    disks.write(path, 0, bytes(16384))


def btrfs_mirror_only(path):
    disks.btrfs(path)
    disks.write(path, 0, bytes(64 * MIB))


def protective_mbr_only(path):
    disks.gpt(path)
    disks.write(path, 512, bytes(MIB))
    disks.write(path, disks.size_of(path) - MIB, bytes(MIB))


class OnlyCopies(blankcase.Blank):
    """Zeros everywhere but in the copies of a superblock."""

    def ext4(self, size, *options):
        path = self.image(size)
        disks.call("mke2fs", "-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=1,lazy_journal_init=1", "-L", "KEEP",
                   *options, path)
        told = self.command("dumpe2fs", path)
        block = int(re.search(r"Block size: +(\d+)", told).group(1))
        backups = [int(number) for number in re.findall(r"Backup superblock at (\d+)", told)]
        self.assertTrue(backups)
        return path, [(number * block, 1024) for number in backups]

    def test_ext4_of_any_size_and_geometry(self):
        self.need_program("dumpe2fs")
        for size, *options in ((64 * MIB, "-b", "1024"), (64 * MIB + 512 * 3, "-b", "1024"), (384 * MIB, "-b", "2048"),
                               (GIB, ), (GIB + 512, ), (20 * GIB, ), (20 * GIB, "-b", "65536"), (3 * GIB, "-b", "16384"),
                               (100 * GIB, "-O", "^metadata_csum"), (100 * GIB, "-O", "bigalloc"),
                               (100 * GIB, "-O", "sparse_super2"), (100 * GIB, "-O", "meta_bg,^resize_inode"),
                               (1024 * GIB, "-T", "largefile4")):
            path, backups = self.ext4(size, *options)
            keep_only(path, backups)
            with self.subTest(size=size, options=options):
                self.expect(path, "taken", "backup superblocks of ext4 (label 'KEEP', UUID ", "the primary is gone")
            os.unlink(path)

    def test_ext4_in_a_partition_whose_table_is_gone(self):
        path, backups = self.ext4(10 * GIB)
        with open(path, "rb") as file:
            copies = [(MIB + offset, os.pread(file.fileno(), length, offset)) for offset, length in backups]
        os.truncate(path, 0)
        os.truncate(path, 11 * GIB)
        for offset, data in copies:
            disks.write(path, offset, data)
        self.expect(path, "taken", "backup superblocks of ext4 (label 'KEEP'", "at 129 MiB")

    def test_xfs_of_any_size_and_geometry(self):
        self.need_program("mkfs.xfs")
        for size, *options in ((300 * MIB, ), (GIB, ), (10 * GIB, ), (10 * GIB + 5 * MIB, ), (100 * GIB, "-d", "agcount=16"),
                               (100 * GIB, "-d", "agcount=3"), (10 * GIB, "-b", "size=1024"),
                               (10 * GIB, "-s", "size=4096"), (10 * GIB, "-m", "crc=0"), (5 << 40, )):
            path = self.image(size)
            disks.call("mkfs.xfs", "-q", "-f", "-L", "KEEP", *options, path)
            with open(path, "rb") as file:
                head = file.read(512)
            block, group_blocks, groups = (struct.unpack_from(">I", head, at)[0] for at in (4, 84, 88))
            keep_only(path, [(group * group_blocks * block, 16384) for group in range(1, groups)])
            with self.subTest(size=size, options=options):
                self.expect(path, "taken", "an allocation group of xfs (label 'KEEP', UUID ", "the first is gone")
            os.unlink(path)

    def test_gpt_on_sectors_of_4096_bytes(self):
        self.need_program("sfdisk")
        image = self.image(384 * MIB)
        device = self.loop(image, sector_bytes=4096)
        disks.call("sfdisk", "-q", "--no-reread", device, data=b"label: gpt\nstart=256, size=10000\n")
        self.expect(device, "taken", "a GPT partition table")
        disks.write(device, 0, bytes(MIB))
        self.expect(device, "taken", "GPT")
