# SPDX-License-Identifier: Apache-2.0
"""The lab's volumes are disks: they appear and go, hold what is written, and fresh ones read as EBS volumes do."""
import collections
import math
import os
import signal
import sys
import time

import lab
import loops

IDENTIFY = """
import fcntl, ctypes, os, struct, sys
page = ctypes.create_string_buffer(4096)
command = bytearray(72)
struct.pack_into("=B", command, 0, int(sys.argv[2]))
struct.pack_into("=Q", command, 24, ctypes.addressof(page))
struct.pack_into("=I", command, 36, 4096)
struct.pack_into("=I", command, 40, 1)
print(fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0xC0484E41, command), page.raw.hex())
"""
GIB = 1 << 30


class Devices(lab.Case):
    def setUp(self):
        super().setUp()
        self.need_root()

    def create(self, cloud, size=20, **parameters):
        return cloud.call("CreateVolume", AvailabilityZone=cloud.endpoints["zone"], Size=size, VolumeType="gp3",
                          **parameters).findtext("volumeId")

    def attach(self, cloud, volume, device="/dev/xvdb"):
        cloud.call("AttachVolume", VolumeId=volume, InstanceId=cloud.instance_id, Device=device)

    def serials(self, cloud):
        """serial -> namespace, as sysfs has them."""
        found, folder = {}, os.path.join(cloud.root, "sys/class/nvme")
        for name in os.listdir(folder):
            with open(os.path.join(folder, name, "serial")) as file:
                found[file.read().strip()] = name + "n1"
        return found

    def node(self, cloud, volume, seconds=20):
        """The device node of a volume, once it is there."""
        serial, end = volume.replace("-", ""), time.monotonic() + seconds
        while serial not in self.serials(cloud):
            self.assertLess(time.monotonic(), end, "no device")
            time.sleep(0.02)
        path = os.path.join(cloud.root, "dev", self.serials(cloud)[serial])
        while not os.path.exists(path):
            self.assertLess(time.monotonic(), end, "no node")
            time.sleep(0.02)
        return path

    def read(self, path, offset, length):
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(length)

    def write(self, path, offset, data):
        with open(path, "r+b") as file:
            file.seek(offset)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def entropy(self, data):
        counts = collections.Counter(data)
        return -sum(count / len(data) * math.log2(count / len(data)) for count in counts.values())

    def test_a_fresh_encrypted_volume_reads_as_noise_and_keeps_what_is_written(self):
        with lab.Cloud(devices=True) as cloud:
            volume = self.create(cloud, 100)
            self.attach(cloud, volume)
            node = self.node(cloud, volume)
            ends = {offset: self.read(node, offset, 1 << 16) for offset in (0, 50 * GIB, 100 * GIB - (1 << 16))}
            for data in ends.values():
                self.assertGreater(self.entropy(data), 7.99)
            self.assertEqual(len(set(ends.values())), 3)
            self.write(node, 50 * GIB + 512, b"x" * 1024)
            expected = ends[50 * GIB][:512] + b"x" * 1024 + ends[50 * GIB][1536:]
            self.assertEqual(self.read(node, 50 * GIB, 1 << 16), expected)
            cloud.call("DetachVolume", VolumeId=volume)
            self.assertFalse(os.path.exists(node))
            self.attach(cloud, volume, "/dev/xvdc")
            node = self.node(cloud, volume)
            self.assertEqual(self.read(node, 50 * GIB, 1 << 16), expected, "what was written and the noise are kept")
            other = self.create(cloud, 100)
            self.attach(cloud, other, "/dev/xvdd")
            self.assertNotEqual(self.read(self.node(cloud, other), 0, 4096), ends[0][:4096], "each has its own key")

    def test_a_fresh_plain_volume_reads_as_zeros(self):
        with lab.Cloud(devices=True, encrypted=False) as cloud:
            volume = self.create(cloud)
            self.attach(cloud, volume)
            self.assertEqual(self.read(self.node(cloud, volume), 7 * GIB, 1 << 16), bytes(1 << 16))

    def test_filesystems_live_on_both_kinds(self):
        for kind in ("encrypted", "plain"):
            with self.subTest(kind=kind), lab.Cloud(devices=True, volumes=["/dev/xvdb:4:" + kind]) as cloud:
                volume = [row for row in cloud.volumes() if row["size"] == 4][0]["volumeId"]
                node = self.node(cloud, volume)
                self.command("mkfs.ext4", "-q", "-F", "-E", "nodiscard", node)
                target = os.path.join(cloud.root, "mnt")
                self.command("mount", "-o", "nosuid,nodev", node, target)
                with open(os.path.join(target, "file"), "wb") as file:
                    file.write(b"kept" * 100000)
                self.assertEqual(cloud.call("DetachVolume", VolumeId=volume).findtext("status"), "busy")
                self.command("umount", target)
                end = time.monotonic() + 20
                while [row for row in cloud.volumes() if row["volumeId"] == volume][0]["status"] != "available":
                    self.assertLess(time.monotonic(), end)
                    time.sleep(0.05)
                self.attach(cloud, volume)
                self.command("mount", "-o", "ro", self.node(cloud, volume), target)
                self.assertEqual(self.read(os.path.join(target, "file"), 0, 1 << 20), b"kept" * 100000)

    def test_content_is_what_was_given(self):
        image = self.image(1 << 20)
        self.write(image, 0, b"hello")
        options = ["--snapshot", "snap-0123456789abcdef0:1:" + image]
        with lab.Cloud(devices=True, volumes=["/dev/xvdb:1:plain:" + image], options=options) as cloud:
            given = [row for row in cloud.volumes() if row["size"] == 1][0]["volumeId"]
            self.assertEqual(self.read(self.node(cloud, given), 0, 5), b"hello")
            copy = self.create(cloud, 2, SnapshotId="snap-0123456789abcdef0")
            self.attach(cloud, copy, "/dev/xvdc")
            self.assertEqual(self.read(self.node(cloud, copy), 0, 5), b"hello")
            self.write(self.node(cloud, copy), 0, b"other")
            self.assertEqual(self.read(image, 0, 5), b"hello")

    def test_sysfs_has_the_shape_that_the_kernel_gives_it(self):
        with lab.Cloud(devices=True, volumes=["sdb:20"], options=["--instance-store", "30"]) as cloud:
            volume = [row for row in cloud.volumes() if row["size"] == 20][0]["volumeId"]
            name = self.serials(cloud)[volume.replace("-", "")]
            device = os.stat(os.path.join(cloud.root, "dev", name)).st_rdev
            number = "%d:%d" % (os.major(device), os.minor(device))
            place = os.path.realpath(os.path.join(cloud.root, "sys/dev/block", number))
            for path in ("sys/block/" + name, "sys/class/block/" + name, "sys/class/nvme/%s/%s" % (name[:-2], name)):
                self.assertEqual(os.path.realpath(os.path.join(cloud.root, path)), place)
            self.assertEqual(os.path.basename(os.readlink(os.path.join(place, "device"))), name[:-2])
            rows = {"size": str(20 * GIB // 512), "ro": "0", "dev": number, "queue/read_ahead_kb": "128"}
            for attribute, text in rows.items():
                with open(os.path.join(place, attribute)) as file:
                    self.assertEqual(file.read().strip(), text, attribute)
            self.assertEqual(os.listdir(os.path.join(place, "holders")), [])
            link = "dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_" + volume.replace("-", "")
            self.assertEqual(os.stat(os.path.join(cloud.root, link)).st_rdev, device)
            models = set()
            for controller in os.listdir(os.path.join(cloud.root, "sys/class/nvme")):
                with open(os.path.join(cloud.root, "sys/class/nvme", controller, "model")) as file:
                    models.add(file.read().strip())
            self.assertEqual(models, {"Amazon Elastic Block Store", "Amazon EC2 NVMe Instance Storage"})

    def test_identify_controller_is_answered_under_the_shim_only(self):
        self.assertTrue(os.path.exists(lab.Cloud.preload), "not built")
        with lab.Cloud(devices=True, volumes=["sdb:1"]) as cloud:
            late = self.create(cloud)
            self.attach(cloud, late, "/dev/xvdf")
            early = [row for row in cloud.volumes() if row["size"] == 1][0]["volumeId"]
            for volume, name in ((early, b"sdb"), (late, b"/dev/xvdf")):
                words = [sys.executable, "-c", IDENTIFY, self.node(cloud, volume), "6"]
                result = lab.run(words, lab.environment(cloud.env, cloud.preload), folder=self.tmp)
                page = bytes.fromhex(result.out.split()[1])
                self.assertEqual(page[0:2], b"\x0f\x1d")
                self.assertEqual(page[4:24], volume.replace("-", "").encode())
                self.assertEqual(page[24:64].rstrip(b" "), b"Amazon Elastic Block Store")
                self.assertEqual(page[3072:3104], name.ljust(32))
                without = lab.run(words, lab.environment(cloud.env), folder=self.tmp)
                self.assertNotEqual(without.status, 0, "a loop device knows no NVMe")
                words[-1] = "2"
                other = lab.run(words, lab.environment(cloud.env, cloud.preload), folder=self.tmp)
                self.assertEqual(other.out.split()[0], str(0x4002), "another command is refused")

    def test_the_device_comes_late_or_wrong_when_told_to(self):
        faults = ["wrong-device:1", "wrong-size:1#2", "stale-link:1#3", "device-late:1"]
        with lab.Cloud(devices=True, faults=faults) as cloud:
            volumes = [self.create(cloud, 1) for _ in range(4)]
            self.attach(cloud, volumes[0], "/dev/xvdb")
            self.assertNotIn(volumes[0].replace("-", ""), self.serials(cloud))
            end = time.monotonic() + 20
            while len(self.serials(cloud)) < 2:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.02)
            self.assertNotIn(volumes[0].replace("-", ""), self.serials(cloud), "another volume's device")
            self.attach(cloud, volumes[1], "/dev/xvdc")
            self.assertEqual(self.size(self.node(cloud, volumes[1])), 2 * GIB)
            self.attach(cloud, volumes[2], "/dev/xvdd")
            node = self.node(cloud, volumes[2])
            link = "dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_" + volumes[2].replace("-", "")
            self.assertEqual(os.readlink(os.path.join(cloud.root, link)), "../../nvme0n1")
            self.assertEqual(self.size(node), GIB)
            cloud.set_faults("device-never")
            self.attach(cloud, volumes[3], "/dev/xvde")
            time.sleep(0.3)
            self.assertNotIn(volumes[3].replace("-", ""), self.serials(cloud))

    def size(self, node):
        with open(node, "rb") as file:
            return file.seek(0, os.SEEK_END)

    def test_the_device_comes_before_or_after_the_api_says_attached(self):
        with lab.Cloud(devices=True, transitions="ec2") as cloud:
            time.sleep(0.4)     # the volumes from before are seen by a Describe that lags
            volumes = [self.create(cloud, 1) for _ in range(2)]
            end = time.monotonic() + 30
            while any(row["status"] == "creating" for row in cloud.volumes()):
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)
            states = []
            for volume, device in zip(volumes, ("/dev/xvdb", "/dev/xvdc")):
                self.attach(cloud, volume, device)
                self.node(cloud, volume)
                row = [row for row in cloud.volumes() if row["volumeId"] == volume][0]
                states.append(row["attachmentSet"][0]["status"])
            self.assertEqual(states, ["attaching", "attached"])


class Cleaning(lab.Case):
    def setUp(self):
        super().setUp()
        self.need_root()

    def backing(self):
        """What loop devices stand on that belongs to this test."""
        return [path for path, _ in loops.loops() if path.startswith(self.tmp)]

    def test_nothing_is_left_after_a_kill(self):
        os.environ["TMPDIR"], before = self.tmp, os.environ.get("TMPDIR")
        self.addCleanup(lambda: os.environ.update(TMPDIR=before) if before else os.environ.pop("TMPDIR", None))
        cloud = lab.Cloud(devices=True, volumes=["/dev/xvdb:4:plain", "/dev/xvdc:4"])
        cloud.start()
        self.addCleanup(cloud.stop)
        for name, place in (("nvme1n1", "mnt"), ("nvme2n1", "var/lib")):
            node = os.path.join(cloud.root, "dev", name)
            self.command("mkfs.ext4", "-q", "-F", "-E", "nodiscard", node)
            self.command("mount", node, os.path.join(cloud.root, place))
        self.assertTrue(self.backing())
        os.kill(cloud.process.pid, signal.SIGKILL)
        cloud.process.wait()
        lab.clean(cloud.state)
        end = time.monotonic() + 20
        while self.backing() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(self.backing(), [])
        self.assertFalse(os.path.exists(cloud.state))

    def test_a_folder_with_a_mounted_loop_device_is_swept(self):
        folder = os.path.join(self.tmp, "swept")
        os.mkdir(folder)
        image = self.image(64 << 20, "swept/image")
        self.command("mkfs.ext4", "-q", image)
        os.mkdir(os.path.join(folder, "here"))
        elsewhere = os.path.join(self.tmp, "elsewhere")
        os.mkdir(elsewhere)
        for target in (os.path.join(folder, "here"), elsewhere):
            self.command("mount", "-o", "loop", image, target)
        lab.clean(folder)
        lab.clean(folder)
        self.assertFalse(os.path.exists(folder))
        self.assertEqual(self.backing(), [])
        self.assertFalse(os.path.ismount(elsewhere))
