# SPDX-License-Identifier: Apache-2.0
"""Which disk is which volume: found by what the disk says of itself, never by kernel order or a link alone."""
import os

import lab


class Device(lab.Case):
    def setUp(self):
        super().setUp()
        self.need_root()

    def cloud(self, *volumes, **options):
        cloud = lab.Cloud(devices=True, encrypted=False, volumes=volumes, **options)
        cloud.__enter__()
        self.addCleanup(cloud.stop)
        return cloud

    def tool_in(self, cloud, name, *args, **options):
        return self.run_tool(name, *args, root=cloud.root, env=cloud.env, preload=[cloud.preload], **options)

    def listed(self, cloud, *args):
        result = self.tool_in(cloud, "ebs-id", "--json", *args)
        self.assertEqual(result.status, 0, result)
        return result.json["devices"]

    def test_lists_every_volume_with_the_name_it_was_asked_for(self):
        cloud = self.cloud("/dev/xvdb:1", "/dev/sdf:2")
        devices = {device["name"]: device for device in self.listed(cloud)}
        expected = {volume["attachmentSet"][0]["device"].replace("/dev/", ""): volume for volume in cloud.volumes()}
        for name in ("xvdb", "sdf"):
            self.assertEqual(devices[name]["volume-id"], expected[name]["volumeId"])
            self.assertEqual(devices[name]["size-bytes"], expected[name]["size"] << 30)
            self.assertEqual(devices[name]["model"], "Amazon Elastic Block Store")

    def test_a_name_is_one_name_in_every_spelling(self):
        cloud = self.cloud("/dev/xvdb:1", "/dev/sdf:1")
        wanted = {device["name"]: device for device in self.listed(cloud)}
        for spelling in ("/dev/xvdb", "/dev/sdb", "xvdb", "sdb", wanted["xvdb"]["volume-id"], wanted["xvdb"]["device"]):
            self.assertEqual(self.listed(cloud, spelling), [wanted["xvdb"]], spelling)

    def test_udev_gets_the_name_alone(self):
        cloud = self.cloud("/dev/xvdb:1")
        device = self.listed(cloud, "sdb")[0]["device"]
        result = self.tool_in(cloud, "ebs-id", "--udev", device)
        self.assertEqual((result.status, result.out), (0, "xvdb\n"), result)

    def test_what_is_not_there_is_absent_and_the_rest_is_named(self):
        cloud = self.cloud("/dev/xvdb:1")
        volume = self.listed(cloud, "sdb")[0]["volume-id"]
        for word in ("/dev/sdz", "vol-00000000000000000", "/dev/nvme77n1"):
            result = self.tool_in(cloud, "ebs-id", word)
            self.assertEqual(result.status, 4, result)
        self.assertIn(volume + " as /dev/xvdb", self.tool_in(cloud, "ebs-id", "/dev/sdz").err)

    def test_a_stale_link_is_not_followed(self):
        cloud = self.cloud("/dev/xvdb:1", "/dev/sdf:1")
        first, second = (self.listed(cloud, name)[0] for name in ("xvdb", "sdf"))
        folder = os.path.join(cloud.root, "dev/disk/by-id")
        os.makedirs(folder, exist_ok=True)
        link = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_" + first["volume-id"].replace("-", "")
        for words, status in ((first, 0), (second, 3)):
            if os.path.lexists(cloud.root + link):
                os.unlink(cloud.root + link)
            os.symlink("../../" + os.path.basename(words["device"]), cloud.root + link)
            result = self.tool_in(cloud, "ebs-format", "--dry-run", link)
            self.assertEqual(result.status, status, result)
        self.assertIn(second["volume-id"], result.err)

    def test_a_link_under_a_requested_name_is_not_believed(self):
        cloud = self.cloud("/dev/xvdb:1")
        os.symlink(os.path.basename(self.listed(cloud, "sdb")[0]["device"]), os.path.join(cloud.root, "dev/sdq"))
        self.assertEqual(self.tool_in(cloud, "ebs-id", "/dev/sdq").status, 4)

    def test_another_model_is_no_ebs_volume(self):
        cloud = self.cloud("/dev/xvdb:1")
        disk = os.path.basename(self.listed(cloud, "sdb")[0]["device"])
        with open(os.path.join(cloud.root, "sys/block", disk, "device/model"), "w", encoding="ascii") as file:
            file.write("QEMU NVMe Ctrl                          \n")
        found = [device for device in self.listed(cloud) if os.path.basename(device["device"]) == disk]
        self.assertIsNone(found[0]["volume-id"])
        self.assertEqual(self.tool_in(cloud, "ebs-format", "--dry-run", "/dev/sdb").status, 4)

    def test_a_disk_that_says_other_things_than_sysfs_is_no_ebs_volume(self):
        cloud = self.cloud("/dev/xvdb:1")
        for page in os.listdir(cloud.nvme):      # of every disk
            with open(os.path.join(cloud.nvme, page), "r+b") as file:
                file.seek(4)
                file.write(b"vol0fffffffffffffff0")
        self.assertIsNone(self.listed(cloud)[0]["volume-id"])
        self.assertEqual(self.tool_in(cloud, "ebs-format", "--dry-run", "/dev/sdb").status, 4)

    def test_read_ahead_is_read_and_set(self):
        cloud = self.cloud("/dev/xvdb:1")
        result = self.tool_in(cloud, "ebs-readahead", "--set", 512, "/dev/xvdb")
        self.assertEqual((result.status, result.out), (0, "512\n"), result)
        self.assertEqual(self.tool_in(cloud, "ebs-readahead", "/dev/sdb").out, "512\n")
        result = self.tool_in(cloud, "ebs-readahead", "--json", "--dry-run", "--set", 64, "/dev/sdb")
        self.assertEqual(result.json["read-ahead-kib"], 512, result)
        self.assertEqual(self.tool_in(cloud, "ebs-readahead", "--set", 9999999, "/dev/sdb").status, 2)
