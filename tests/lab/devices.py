# SPDX-License-Identifier: Apache-2.0
"""The block devices of attached volumes: a loop device each, shown below the root prefix as an NVMe disk.

A fresh encrypted volume reads as noise (noisevol.c behind the loop device), a fresh plain one as zeros; both keep what
is written in sparse files below STATE/volumes, from one attachment to the next.
"""
import fcntl
import hashlib
import os
import shutil
import subprocess

import loops
import sysfs
from volumes import new_id

# NVMe numbers follow the order in which the kernel finds controllers, not the one in which they were attached.
NUMBERS = (2, 1, 4, 3, 5) + tuple(range(27, 5, -1))
GIB = 1 << 30
BLKRASET = 0x1262
READ_AHEAD_SECTORS = 256    # 128 KiB, what an NVMe disk begins with; a loop device's depends on what is below it


class _Device:
    def __init__(self, index, loop, number, server=None):
        self.index, self.loop, self.number, self.server = index, loop, number, server


def _disk_label():
    """A partition table with one Linux partition: what a root volume begins with."""
    entry = bytes([0x80, 0x20, 0x21, 0x00, 0x83, 0xFE, 0xFF, 0xFF]) + (2048).to_bytes(4, "little") + \
        (8 * GIB // 512 - 2048).to_bytes(4, "little")
    return bytes(440) + b"lab\0" + bytes(2) + entry + bytes(48) + b"\x55\xaa"


class Devices:
    """@build: the build folder, where noisevol is. All methods are called under the lock of whoever owns this."""

    def __init__(self, state, root, build, faults):
        self.state, self.build, self.faults = state, build, faults
        self.folder, self.nvme = os.path.join(state, "volumes"), os.path.join(state, "nvme")
        for folder in (self.folder, self.nvme):
            os.makedirs(folder, exist_ok=True)
        self.tree = sysfs.Tree(root, device_nodes=True)
        self.devices = {}       # attachment (or name of an instance store) -> _Device

    # Content

    def _sparse(self, path, size_bytes):
        with open(path, "ab") as file:
            if file.tell() > size_bytes:
                raise ValueError("%s is larger than its volume" % path)
            file.truncate(size_bytes)
        return path

    def _noise(self, volume_id, size_bytes):
        """Starts the volume's server. Returns its process and the file that it shows."""
        base = os.path.join(self.folder, volume_id)
        program = os.path.join(self.build, "tests", "lab", "noisevol")
        with open(base + ".noise", "ab"):
            pass
        key = hashlib.sha256(volume_id.encode()).hexdigest()[:16]
        server = subprocess.Popen([program, base + ".noise", base + ".data", base + ".map", str(size_bytes), key],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if server.stdout.readline() != b"ready\n":
            server.wait()
            raise OSError("no noise for %s: see the lab's log" % volume_id)
        server.stdout.close()
        return server, base + ".noise"

    def _open(self, volume, size_bytes):
        """Returns a descriptor of the volume's content, and the server behind it, if there is one."""
        path, server = os.path.join(self.folder, volume.volume_id + ".data"), None
        if volume.file and not volume.snapshot_id:
            path = self._sparse(volume.file, size_bytes)
        elif volume.file or volume.is_root:
            if not os.path.exists(path) and volume.file:
                subprocess.run(["cp", "--sparse=always", "--reflink=auto", volume.file, path], check=True)
            elif not os.path.exists(path):
                with open(path, "wb") as file:
                    file.write(_disk_label())
            self._sparse(path, size_bytes)
        elif volume.encrypted:
            server, path = self._noise(volume.volume_id, size_bytes)
        else:
            self._sparse(path, size_bytes)
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        if server:
            loops.unmount(path)     # it lives as long as the descriptor, and nothing has to be unmounted after a crash
        return fd, server

    # Coming and going

    def add(self, attachment):
        volume = attachment.volume
        strikes = (lambda name: False) if attachment.at_launch else \
            (lambda name: self.faults.strikes(name, "AttachVolume"))
        size_bytes = volume.size_gib * GIB + (GIB if strikes("wrong-size") else 0)
        fd, server = self._open(volume, size_bytes)
        serial = (new_id("vol") if strikes("wrong-device") else volume.volume_id).replace("-", "")
        name = attachment.device.replace("/dev/", "") if attachment.at_launch else attachment.device
        self._show(attachment, fd, serial, sysfs.EBS, name, server, 0 if strikes("stale-link") else None)

    def add_instance_store(self, size_gib):
        serial = "AWS" + os.urandom(9).hex().upper()[:17]
        path = self._sparse(os.path.join(self.folder, serial), size_gib * GIB)
        self._show(serial, os.open(path, os.O_RDWR | os.O_CLOEXEC), serial, sysfs.INSTANCE_STORE, "", None, None)

    def _show(self, key, fd, serial, model, name, server, link_to):
        try:
            loop = loops.Loop(fd)
        finally:
            os.close(fd)
        fcntl.ioctl(loop.fd, BLKRASET, READ_AHEAD_SECTORS)
        used = {device.index for device in self.devices.values()}
        index = 0 if not used else next(number for number in NUMBERS if number not in used)
        number = "%d:%d" % (os.major(loop.rdev), os.minor(loop.rdev))
        path = os.path.join(self.nvme, number)
        with open(path + ".new", "wb") as file:
            file.write(sysfs.identify_page(serial, model, name))
        os.rename(path + ".new", path)
        live = "/sys/block/" + loop.name
        self.tree.add(index, serial, model, rdev=loop.rdev, live=live, link_to=link_to)
        self.devices[key] = _Device(index, loop, number, server)
        with open(live + "/uevent", "w") as file:
            file.write("add")   # whoever waits for the kernel's word about a new disk hears it now

    def is_in_use(self, attachment):
        device = self.devices.get(attachment)
        return device is not None and device.loop.is_open_elsewhere()

    def remove(self, attachment):
        device = self.devices.pop(attachment, None)
        if device is None:
            return
        self.tree.remove(device.index, device.number)
        os.unlink(os.path.join(self.nvme, device.number))
        device.loop.close()
        if device.server:
            try:
                device.server.wait(2)   # it ends with its last user
            except subprocess.TimeoutExpired:
                device.server.kill()
                device.server.wait()

    def forget(self, volume):
        for suffix in (".data", ".map", ".noise"):
            path = os.path.join(self.folder, volume.volume_id + suffix)
            if os.path.exists(path):
                os.unlink(path)

    def stop(self):
        numbers = {device.number for device in self.devices.values()}
        for point, number in reversed(loops.mounts()):
            if number in numbers:
                try:
                    loops.unmount(point)
                except OSError:
                    pass    # below one that was detached a moment ago
        for attachment in list(self.devices):
            self.remove(attachment)
        self.tree.close()
        shutil.rmtree(self.folder, ignore_errors=True)
