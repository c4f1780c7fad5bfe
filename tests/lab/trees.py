# SPDX-License-Identifier: Apache-2.0
"""Trees of files: one that looks like containerd's store, and everything that can be seen of a tree, for comparing."""
import ctypes
import hashlib
import os
import socket
import stat
import struct

META_DB = "io.containerd.metadata.v1.bolt/meta.db"
BLOBS = "io.containerd.content.v1.content/blobs/sha256"
SNAPSHOTS = "io.containerd.snapshotter.v1.overlayfs/snapshots"
OLD = 1_500_000_000_123_456_789    # nanoseconds, so that a time that was not copied is seen

_libc = ctypes.CDLL(None, use_errno=True)


def acl(*entries):
    """A POSIX ACL as it is in an attribute (linux/posix_acl_xattr.h): (tag, permissions, id) each."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


ACCESS = acl((1, 6, 0xffffffff), (2, 4, 1234), (4, 4, 0xffffffff), (16, 6, 0xffffffff), (32, 0, 0xffffffff))
DEFAULT = acl((1, 7, 0xffffffff), (2, 5, 1234), (4, 5, 0xffffffff), (16, 7, 0xffffffff), (32, 5, 0xffffffff))
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)    # cap_net_bind_service=ep, linux/capability.h


def write(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)


def set_attribute(path, name, value):
    os.setxattr(path, name, value, follow_symlinks=False)


def make_store(top, blobs=20, snapshots=4):
    """Something of every kind that a store can have, made as root."""
    overlay = os.path.join(top, SNAPSHOTS)
    for number in range(blobs):
        data = hashlib.sha256(b"%d" % number).digest() * (1 << (number % 12))
        write("%s/%s/%s" % (top, BLOBS, hashlib.sha256(data).hexdigest()), data, 0o444)
    for number in range(snapshots):
        folder = "%s/%d/fs" % (overlay, number)
        write(folder + "/bin/busybox", b"\x7fELF" + bytes([number]) * 5000, 0o755)
        for name in ("sh", "ls", "cat"):
            os.link(folder + "/bin/busybox", folder + "/bin/" + name)
        os.symlink("busybox", folder + "/bin/ash")
        os.symlink("/nowhere/" + "x" * 200, folder + "/dangling")
        os.mkdir(folder + "/opaque")
        set_attribute(folder + "/opaque", "trusted.overlay.opaque", b"y")
        os.mknod(folder + "/gone", stat.S_IFCHR, 0)
        os.link(folder + "/gone", folder + "/bin/gone-too")
        os.mkdir("%s/%d/work" % (overlay, number), 0o700)
    odd = overlay + "/0/fs/odd"
    write(odd + "/set-id", b"#!", 0o6755)
    write(odd + "/nobody-may", b"secret", 0o000)
    write(odd + "/owned", b"x", 0o640)
    os.chown(odd + "/owned", 1000, 2000)
    os.chmod(odd + "/owned", 0o640)
    write(odd + "/capable", b"ping", 0o755)
    set_attribute(odd + "/capable", "security.capability", CAPABILITY)
    write(odd + "/labelled", b"label", 0o644)
    set_attribute(odd + "/labelled", "security.selinux", b"system_u:object_r:container_file_t:s0\0")
    set_attribute(odd + "/labelled", "user.comment", bytes(range(256)))
    write(odd + "/with-acl", b"acl", 0o660)
    set_attribute(odd + "/with-acl", "system.posix_acl_access", ACCESS)
    os.mkdir(odd + "/inherits")
    set_attribute(odd + "/inherits", "system.posix_acl_default", DEFAULT)
    os.umask(0o022)
    write(odd + "/inherits/plain", b"had none of its own", 0o600)
    os.removexattr(odd + "/inherits/plain", "system.posix_acl_access")
    os.symlink("labelled", odd + "/link-with-attribute")
    set_attribute(odd + "/link-with-attribute", "trusted.overlay.origin", b"\x00\x01")
    os.mkfifo(odd + "/fifo", 0o640)
    os.mknod(odd + "/device", stat.S_IFBLK | 0o660, os.makedev(259, 7))
    os.mkdir(odd + "/sticky", 0o755)
    os.chmod(odd + "/sticky", 0o1777)
    os.mkdir(odd + "/empty", 0o711)
    write(odd + "/name with\nnewline, \\ and \xe9", b"", 0o644)
    with open(odd + "/sparse", "wb") as file:
        file.seek(3 << 20)
        file.write(b"in the middle" * 1000)
        file.truncate(6 << 20)
    with open(odd + "/all-hole", "wb") as file:
        file.truncate(2 << 20)
    write(os.path.join(top, "io.containerd.snapshotter.v1.overlayfs/metadata.db"), b"\xed\xda\x0c\xed" * 8192, 0o600)
    write(os.path.join(top, META_DB), b"bolt" * 16384, 0o644)
    age(top)
    os.chmod(top, 0o711)


def age(top):
    """Gives everything a time of its own, long ago, the deepest first."""
    number = 0
    for folder, _, files in sorted(os.walk(top), reverse=True):
        for name in sorted(files) + ["."]:
            number += 1
            os.utime(os.path.join(folder, name), ns=(OLD + number, OLD + number * 1000), follow_symlinks=False)


def listen(path):
    """A socket file, which stays when this process closes it."""
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind("/proc/self/fd/%d/%s" % (folder, os.path.basename(path)))
    finally:
        os.close(folder)


def _digest(path):
    found = hashlib.sha256()
    fd = os.open(path, os.O_RDONLY | os.O_NOATIME)
    with open(fd, "rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            found.update(part)
    return found.hexdigest()


def _entry(path, status):
    kind = stat.S_IFMT(status.st_mode)
    attributes = {name: os.getxattr(path, name, follow_symlinks=False)
                  for name in os.listxattr(path, follow_symlinks=False)
                  if not name.startswith("trusted.SGI_ACL_")}    # xfs lists an ACL twice, once in a form of its own
    entry = {"mode": oct(status.st_mode), "owner": (status.st_uid, status.st_gid), "mtime": status.st_mtime_ns,
             "attributes": attributes}
    if kind == stat.S_IFREG:
        entry.update(size=status.st_size, digest=_digest(path))
    elif kind == stat.S_IFLNK:
        entry.update(link=os.readlink(path))
    elif kind in (stat.S_IFCHR, stat.S_IFBLK):
        entry.update(device=status.st_rdev)
    return entry


def describe(top, ignore=("lost+found",)):
    """{relative path: what can be seen of it}; files with several names carry the first of them."""
    found, names = {}, {}
    for folder, folders, files in os.walk(top):
        if folder == top:
            folders[:] = [name for name in folders if name not in ignore]
        for name in folders + files + ([""] if folder == top else []):
            path = os.path.join(folder, name) if name else top
            status = os.lstat(path)
            relative = os.path.relpath(path, top)
            found[relative] = _entry(path, status)
            if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
                names.setdefault(status.st_ino, []).append(relative)
    for same in names.values():
        for name in same:
            found[name]["one of"] = sorted(same)
    return found


def allocated(top):
    """{relative path: bytes on the disk} of files with holes."""
    found = {}
    for folder, _, files in os.walk(top):
        for name in files:
            status = os.lstat(os.path.join(folder, name))
            if stat.S_ISREG(status.st_mode) and status.st_size >= 1 << 20:
                found[os.path.relpath(os.path.join(folder, name), top)] = status.st_blocks * 512
    return found
