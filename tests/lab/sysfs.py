# SPDX-License-Identifier: Apache-2.0
"""An instance's root as a tool sees it below --root: /dev, and /sys with NVMe controllers as Linux shows them.

Needs no root as long as no device node is asked for, so that command-line tests can use it by itself:

    tree = sysfs.Tree(folder)
    tree.add(1, serial="vol0123456789abcdef0", model=sysfs.EBS, size_bytes=20 << 30)

Shape: Linux, drivers/nvme/host/sysfs.c and core.c (a controller without shared namespaces, as EBS has them).
"""
import os
import shutil
import stat

import loops

EBS = "Amazon Elastic Block Store"
INSTANCE_STORE = "Amazon EC2 NVMe Instance Storage"
VENDOR = 0x1D0F
NULL_DEVICE = os.makedev(1, 3)
FOLDERS = ("dev/disk/by-id", "sys/class/nvme", "sys/class/block", "sys/block", "sys/dev/block", "sys/devices", "run",
           "etc", "var/lib", "mnt")
LIVE = ("size", "ro", "queue", "holders", "slaves", "stat", "inflight", "alignment_offset", "discard_alignment",
        "diskseq")


def identify_page(serial, model, name):
    """What Identify Controller answers. @name: as it was asked for, which EC2 puts at byte 3072."""
    page = bytearray(4096)
    page[0:4] = VENDOR.to_bytes(2, "little") * 2
    page[4:24] = serial.encode().ljust(20)
    page[24:64] = model.encode().ljust(40)
    page[64:72] = b"1.0".ljust(8)
    page[3072:3104] = name.encode().ljust(32)
    return bytes(page)


def _write(path, text):
    with open(path, "w") as file:
        file.write(text + "\n")


def _link(path, to):
    """A relative symbolic link that appears whole. As in sysfs it ends in the name of what it leads to, never in "..":
    tools take a device's name from it."""
    folder, name = os.path.split(to)
    os.symlink(os.path.join(os.path.relpath(folder, os.path.dirname(path)), name), path + ".new")
    os.rename(path + ".new", path)


class Tree:
    """@root: made if it is not there. @device_nodes: /dev is to hold some, so its filesystem has to allow them."""

    def __init__(self, root, device_nodes=False):
        self.root = root
        for name in FOLDERS:
            os.makedirs(self.path(name), exist_ok=True)
        if not os.path.lexists(self.path("proc")):
            os.symlink("/proc", self.path("proc"))
        self.mounted = device_nodes and bool(os.statvfs(self.path("dev")).f_flag & os.ST_NODEV)
        if self.mounted:
            loops.mount("nodevol-lab", self.path("dev"), "tmpfs", loops.MS_NOSUID, "mode=0755,size=1m")
            os.makedirs(self.path("dev/disk/by-id"))

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def _controller(self, index):
        slot = 4 if index == 0 else 0x20 - index
        return self.path("sys/devices/pci0000:00/0000:00:%02x.0/nvme/nvme%d" % (slot, index))

    def add(self, index, serial, model, size_bytes=0, rdev=None, live=None, link_to=None):
        """nvme<index> and nvme<index>n1. @rdev: of the block device; None: no node. @live: /sys/block/NAME of the
        device behind it, whose size, queue and holders are shown. @link_to: index that the link by volume id leads to,
        if not this one. Returns the device number as text."""
        controller = self._controller(index)
        namespace = os.path.join(controller, "nvme%dn1" % index)
        number = "%d:%d" % (os.major(rdev), os.minor(rdev)) if rdev else "259:%d" % index
        os.makedirs(namespace)
        self._fill_controller(controller, index, serial, model)
        self._fill_namespace(namespace, serial, number, size_bytes, live)
        _link(self.path("sys/class/nvme/nvme%d" % index), controller)
        for folder, name in (("class/block", "nvme%dn1" % index), ("block", "nvme%dn1" % index), ("dev/block", number)):
            if os.path.lexists(self.path("sys", folder, name)):     # left by a device that had this number before
                os.unlink(self.path("sys", folder, name))
            _link(self.path("sys", folder, name), namespace)
        if rdev:
            os.mknod(self.path("dev/nvme%d" % index), 0o600 | stat.S_IFCHR, NULL_DEVICE)
            os.mknod(self.path("dev/nvme%dn1" % index), 0o660 | stat.S_IFBLK, rdev)
        by_id = self.path("dev/disk/by-id/nvme-%s_%s" % (model.replace(" ", "_"), serial))
        _link(by_id, self.path("dev/nvme%dn1" % (index if link_to is None else link_to)))
        return number

    def _fill_controller(self, folder, index, serial, model):
        device = os.path.dirname(os.path.dirname(folder))
        address = os.path.basename(device)
        ids = {"vendor": "0x%04x" % VENDOR, "device": "0x8061" if model == EBS else "0xcd01", "class": "0x010802"}
        for name, text in ids.items():
            _write(os.path.join(device, name), text)
        rows = {"address": address, "cntlid": "0", "dev": "242:%d" % index, "firmware_rev": "1.0".ljust(8),
                "model": model.ljust(40), "numa_node": "-1", "queue_count": "3", "serial": serial.ljust(20),
                "sqsize": "1023", "state": "live", "transport": "pcie",
                "subsysnqn": "nqn.2014.08.org.nvmexpress:1d0f1d0f%s%s" % (serial.ljust(20), model.ljust(40)),
                "uevent": "MAJOR=242\nMINOR=%d\nDEVNAME=nvme%d\nNVME_TRTYPE=pcie" % (index, index)}
        for name, text in rows.items():
            _write(os.path.join(folder, name), text)
        _link(os.path.join(folder, "device"), device)
        _link(os.path.join(folder, "subsystem"), self.path("sys/class/nvme"))

    def _fill_namespace(self, folder, serial, number, size_bytes, live):
        major, minor = number.split(":")
        rows = {"dev": number, "nsid": "1", "hidden": "0", "removable": "0", "range": "0", "ext_range": "256",
                "wwid": "nvme.%04x-%s-%s-00000001" % (VENDOR, serial.encode().hex(), EBS.encode().hex()),
                "uevent": "MAJOR=%s\nMINOR=%s\nDEVNAME=%s\nDEVTYPE=disk" % (major, minor, os.path.basename(folder))}
        if live is None:
            rows.update({"size": str(size_bytes // 512), "ro": "0", "queue/read_ahead_kb": "128",
                         "queue/rotational": "0", "queue/logical_block_size": "512",
                         "queue/physical_block_size": "4096"})
            for name in ("holders", "slaves", "queue"):
                os.mkdir(os.path.join(folder, name))
        for name, text in rows.items():
            _write(os.path.join(folder, name), text)
        for name in LIVE if live else ():
            os.symlink(os.path.join(live, name), os.path.join(folder, name))
        _link(os.path.join(folder, "device"), os.path.dirname(folder))
        _link(os.path.join(folder, "subsystem"), self.path("sys/class/block"))

    def remove(self, index, number):
        """In the kernel's order: the node goes first."""
        controller = self._controller(index)
        with open(os.path.join(controller, "serial")) as file:
            serial = file.read().strip()
        for name in os.listdir(self.path("dev/disk/by-id")):
            if name.endswith("_" + serial):
                os.unlink(self.path("dev/disk/by-id", name))
        for name in ("dev/nvme%dn1" % index, "dev/nvme%d" % index, "sys/dev/block/" + number,
                     "sys/block/nvme%dn1" % index, "sys/class/block/nvme%dn1" % index, "sys/class/nvme/nvme%d" % index):
            if os.path.lexists(self.path(name)):
                os.unlink(self.path(name))
        shutil.rmtree(os.path.dirname(os.path.dirname(controller)))

    def close(self):
        if self.mounted:
            loops.unmount(self.path("dev"))
            self.mounted = False
