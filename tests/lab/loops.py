# SPDX-License-Identifier: Apache-2.0
"""Loop devices and mounts: made by ioctl, and swept away below a folder whatever state a test left them in.

A loop device is configured with AUTOCLEAR: the kernel takes it down when its last user closes it, so that a lab that is
killed leaves nothing behind (linux/loop.h, drivers/block/loop.c).
"""
import ctypes
import errno
import fcntl
import os
import signal
import stat
import struct
import time

LOOP_MAJOR = 7
LOOP_CONFIGURE = 0x4C0A
LOOP_CLR_FD = 0x4C01
LOOP_CTL_GET_FREE = 0x4C82
LO_FLAGS_READ_ONLY = 1
LO_FLAGS_AUTOCLEAR = 4
LO_FLAGS_DIRECT_IO = 16
MNT_DETACH = 2
MS_NOSUID = 2

_libc = ctypes.CDLL(None, use_errno=True)


class Loop:
    """A loop device that lives as long as this object's descriptor, or as somebody else has it open or mounted."""

    def __init__(self, backing_fd, read_only=False, sector_bytes=512):
        flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO | (LO_FLAGS_READ_ONLY if read_only else 0)
        # struct loop_config: fd, block_size, struct loop_info64 (232 bytes, lo_flags at 52), 64 bytes reserved
        info = bytearray(232)
        struct.pack_into("=I", info, 52, flags)
        config = struct.pack("=II", backing_fd, sector_bytes) + bytes(info) + bytes(64)
        for _ in range(64):
            with open("/dev/loop-control", "rb") as control:
                number = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
            self.path = "/dev/loop%d" % number
            self.rdev = os.makedev(LOOP_MAJOR, number)
            if not os.path.exists(self.path):   # a container without devtmpfs
                os.mknod(self.path, 0o600 | stat.S_IFBLK, self.rdev)
            self.fd = os.open(self.path, (os.O_RDONLY if read_only else os.O_RDWR) | os.O_CLOEXEC)
            try:
                fcntl.ioctl(self.fd, LOOP_CONFIGURE, config)
                return
            except OSError as error:
                os.close(self.fd)
                if error.errno != errno.EBUSY:  # somebody was faster
                    raise
        raise OSError(errno.EBUSY, "no free loop device")

    @property
    def name(self):
        return self.path[len("/dev/"):]

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def is_open_elsewhere(self):
        """Mounted or claimed: then O_EXCL is refused."""
        try:
            os.close(os.open(self.path, os.O_RDONLY | os.O_EXCL))
        except OSError as error:
            return error.errno == errno.EBUSY
        return False


def mount(source, target, kind, flags=0, data=""):
    if _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), target)


def unmount(target, flags=MNT_DETACH):
    if _libc.umount2(os.fsencode(target), flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), target)


def mounts():
    """(mount point, "MAJOR:MINOR") of every mount, in the order of /proc/self/mountinfo."""
    found = []
    with open("/proc/self/mountinfo", "rb") as file:
        for line in file:
            fields = line.split()
            point = fields[4].decode("unicode_escape").encode("latin-1")
            found.append((os.fsdecode(point), fields[2].decode()))
    return found


def is_below(path, folder):
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def loops():
    """(backing file, device name) of every loop device that is in use."""
    found = []
    for name in os.listdir("/sys/block") if os.path.isdir("/sys/block") else ():
        try:
            with open("/sys/block/%s/loop/backing_file" % name) as file:
                found.append((file.read().rstrip("\n"), name))
        except OSError:
            continue    # not a loop device, or not in use
    return found


def _loops_below(folder):
    for backing, name in loops():
        if is_below(backing.partition(" (deleted)")[0], folder):
            yield name, "%d:%s" % (LOOP_MAJOR, name[len("loop"):])


def _unmount_all(wanted):
    for point, number in reversed(mounts()):
        if wanted(point, number):
            try:
                unmount(point)
            except OSError:
                pass    # it lay below one that was detached before it


def _end_process(folder):
    """Ends clouds whose state folder is @folder or lies below it; a process number that was reused is not touched."""
    for base, folders, files in os.walk(folder):
        if "cloud.pid" not in files:
            folders[:] = [name for name in folders if name not in ("root", "nvme", "volumes")]
            continue
        folders[:] = []
        try:
            with open(os.path.join(base, "cloud.pid")) as file:
                pid = int(file.read())
            with open("/proc/%d/cmdline" % pid, "rb") as file:
                arguments = file.read().split(b"\0")
        except (OSError, ValueError):
            continue
        if not any(argument.endswith(b"cloud.py") for argument in arguments):
            continue
        for number, patience_s in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                break
            end = time.monotonic() + patience_s
            while os.path.exists("/proc/%d/exe" % pid) and time.monotonic() < end:
                time.sleep(0.01)


def clean(folder):
    """Ends clouds, unmounts and detaches everything that lies below @folder. Safe to call again, and without root."""
    folder = os.path.realpath(folder)
    _end_process(folder)
    numbers = {number for _, number in _loops_below(folder)}
    # Devices that are mounted elsewhere first: their node lies below the folder, their mount point does not.
    _unmount_all(lambda point, number: number in numbers)
    _unmount_all(lambda point, number: is_below(point, folder))
    for name, _ in list(_loops_below(folder)):
        try:
            with open("/dev/" + name, "rb") as file:
                fcntl.ioctl(file, LOOP_CLR_FD)
        except OSError:
            pass    # gone by itself meanwhile
