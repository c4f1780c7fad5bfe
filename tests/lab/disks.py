# SPDX-License-Identifier: Apache-2.0
"""Disks that hold something, made with the tools that people make them with. None of them may ever be formatted.

    with disks.Disk(folder, disks.btrfs) as disk:
        ... disk.path, disk.digest() ...
"""
import hashlib
import os
import struct
import subprocess
import zlib

import loops

SIZE = 384 << 20
MIB = 1 << 20


def call(*argv, data=None):
    path = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
    done = subprocess.run([str(word) for word in argv], input=data, capture_output=True, check=False,
                          env=dict(os.environ, PATH=path, LC_ALL="C"))
    if done.returncode:
        raise RuntimeError("%s: %s" % (argv[0], done.stderr.decode(errors="replace").strip()))


class Disk:
    """A loop device over a new sparse file in @folder, filled by @make(path of the device)."""

    def __init__(self, folder, make, size=SIZE):
        self.image, self.make, self.loop = os.path.join(folder, "disk"), make, None
        with open(self.image, "wb") as file:
            file.truncate(size)

    def __enter__(self):
        with open(self.image, "r+b") as file:
            self.loop = loops.Loop(file.fileno(), False, 512)
        try:
            self.make(self.loop.path)
        except BaseException:
            self.loop.close()
            raise
        return self

    def __exit__(self, *_):
        self.loop.close()

    @property
    def path(self):
        return self.loop.path

    def digest(self):
        """Of what the file holds and where, in pieces of 1 MiB: holes are skipped, so that a sparse disk costs little."""
        call("blockdev", "--flushbufs", self.path)
        digest = hashlib.sha256()
        with open(self.image, "rb") as file:
            end, at = os.fstat(file.fileno()).st_size, 0
            while at < end:
                try:
                    at = os.lseek(file.fileno(), at, os.SEEK_DATA) // MIB * MIB
                except OSError:
                    break
                block = os.pread(file.fileno(), MIB, at)
                if block.strip(b"\0"):
                    digest.update(struct.pack("<Q", at) + block)
                at += MIB
        return digest.hexdigest()


def write(path, offset, data):
    with open(path, "r+b", buffering=0) as file:
        file.seek(offset)
        file.write(data)


def size_of(path):
    with open(path, "rb") as file:
        return file.seek(0, os.SEEK_END)


def ext4(path):
    call("mkfs.ext4", "-q", "-F", "-L", "KEEP", path)


def ext4_backups_only(path):
    ext4(path)
    write(path, 0, bytes(MIB))


def xfs(path):
    call("mkfs.xfs", "-q", "-f", "-L", "KEEP", path)


def xfs_without_group_0(path):
    xfs(path)
    write(path, 0, bytes(size_of(path) // 4))


def btrfs(path):
    call("mkfs.btrfs", "-q", "-f", "-L", "KEEP", path)


def vfat(path):
    call("mkfs.vfat", "-I", "-n", "KEEP", path)


def squashfs(path):
    call("mksquashfs", os.path.dirname(os.path.realpath(__file__)), path, "-noappend", "-no-progress", "-quiet")


def erofs(path):
    call("mkfs.erofs", path, os.path.dirname(os.path.realpath(__file__)))


def swap(path):
    call("mkswap", "-L", "KEEP", path)


def lvm(path):
    call("pvcreate", "-q", "-ff", "-y", "--config", "devices { use_devicesfile=0 }", path)


def luks(path):
    call("cryptsetup", "-q", "luksFormat", "--type", "luks2", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", path,
         "-", data=b"secret")


def luks1(path):
    call("cryptsetup", "-q", "luksFormat", "--type", "luks1", "--pbkdf-force-iterations", "1000", path, "-", data=b"secret")


def mdraid_1_2(path):
    """A version 1.2 superblock 4 KiB into the disk, as mdadm writes it (mdadm, super1.c; Documentation/driver-api/md)."""
    _mdraid(path, 4096)


def mdraid_1_0(path):
    """Version 1.0: 8 to 12 KiB before the end, aligned to 4 KiB."""
    _mdraid(path, (size_of(path) - 8192) & ~4095)


def _mdraid(path, offset):
    block = bytearray(256 + 2)
    struct.pack_into("<II", block, 0, 0xa92b4efc, 1)
    block[16:32] = b"0123456789abcdef"
    block[32:39] = b"lab:md0"
    struct.pack_into("<QiiQII", block, 64, 0, 0, 0, 0, 0, 1)
    struct.pack_into("<QQ", block, 128, 2048, size_of(path) // 512 - 2048)
    struct.pack_into("<Q", block, 144, offset // 512)
    struct.pack_into("<I", block, 220, 1)
    total, words = 0, bytes(block) + bytes(-len(block) % 4)
    for at in range(0, len(block) & ~3, 4):
        total += struct.unpack_from("<I", words, at)[0]
    total += struct.unpack_from("<H", block, 256)[0]
    struct.pack_into("<I", block, 216, ((total & 0xffffffff) + (total >> 32)) & 0xffffffff)
    write(path, offset, bytes(block) + bytes(512 - len(block)))


def zfs(path):
    """Four vdev labels with uberblocks, as far as anything looks at them (OpenZFS, on-disk format, chapter 1)."""
    end = size_of(path) // (256 * 1024) * (256 * 1024)
    for label in (0, 256 << 10, end - (512 << 10), end - (256 << 10)):
        for slot in range(16):
            uberblock = struct.pack("<QQQQQ", 0x00bab10c, 5000, 100 + slot, 7, int(1.7e9)) + bytes(984)
            write(path, label + (128 << 10) + slot * 1024, uberblock)


def gpt(path):
    call("sgdisk", "-n", "1:2048:+64M", path)


def gpt_backup_only(path):
    gpt(path)
    write(path, 0, bytes(MIB))


def mbr(path):
    call("sfdisk", "-q", "--no-reread", path, data=b"label: dos\nstart=2048, size=100000, type=83\n")


def two_signatures(path):
    btrfs(path)
    with open(path, "rb") as file:
        kept = file.read(128 << 10)
    write(path, 0, bytes(size_of(path)))
    vfat(path)
    write(path, 64 << 10, kept[64 << 10:])


def text_in_the_middle(path):
    write(path, size_of(path) // 2, b"the only copy of somebody's thesis\n" * 200000)


def compressed(path):
    """One gzip stream after another, as a disk image or a database of blobs has them."""
    size = size_of(path)
    streams = [zlib.compress(os.urandom(1 << 20).hex().encode(), wbits=31) for _ in range(4)]
    with open(path, "r+b", buffering=0) as file:
        at, number = 0, 0
        while at < size:
            at += file.write(streams[number % len(streams)][:size - at])
            number += 1


TAKEN = [
    ("ext4", ext4),
    ("ext4, only its backups left", ext4_backups_only),
    ("xfs", xfs),
    ("xfs with its first group gone", xfs_without_group_0),
    ("btrfs", btrfs),
    ("vfat", vfat),
    ("squashfs", squashfs),
    ("swap", swap),
    ("an LVM physical volume", lvm),
    ("LUKS", luks),
    ("a member of an md RAID", mdraid_1_2),
    ("GPT, only its backup left", gpt_backup_only),
    ("two signatures at once", two_signatures),
    ("text in the middle, zeros elsewhere", text_in_the_middle),
]
