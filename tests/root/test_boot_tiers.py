# SPDX-License-Identifier: Apache-2.0
"""al2023-bootstrap with volumes that it finds or creates: few calls, known to be new, nothing wrong taken for right."""
import os

from boots import Boot, config, volume


class OtherTiers(Boot):
    def test_by_id_and_a_reboot_asks_nobody(self):
        self.start(options=["--volume", "size=2,encrypted=no"])
        volume_id = self.cloud.volumes()[-1]["volumeId"]
        content = config(volume({"volume-id": volume_id}))
        self.good_boot(content)
        self.assertTrue(self.is_mounted("/mnt/data"))
        calls = self.ec2_calls()
        self.assertIn("AttachVolume", calls)
        self.unmount_all()
        self.good_boot(content)
        self.assertEqual(self.ec2_calls(), calls, "a volume that is attached costs no call")

    def test_by_tags_and_a_reboot_asks_nobody(self):
        self.start(options=["--volume", "size=2,encrypted=no,tag.role=scratch,tag.cluster=a"])
        content = config(volume({"tags": {"cluster": "a", "role": "scratch"}}))
        self.good_boot(content)
        calls = self.ec2_calls()
        self.unmount_all()
        self.good_boot(content)
        self.assertEqual(self.ec2_calls(), calls)

    def test_created_encrypted_formatted_and_found_again(self):
        self.start()
        content = config({"name": "node", "source": {"create": {"size-gib": 20, "iops": 6000, "throughput-mibps": 500,
                                                                 "encrypted": True}},
                          "filesystem": "xfs", "mount": "/var/lib/containerd"})
        self.good_boot(content)
        self.assertTrue(self.is_mounted("/var/lib/containerd"))
        self.assertLessEqual(len(self.ec2_calls()), 5, self.ec2_calls())
        created = [found for found in self.cloud.volumes() if found["size"] == 20]
        self.assertEqual(len(created), 1)
        self.assertEqual((created[0]["volumeType"], created[0]["iops"], created[0]["throughput"]), ("gp3", 6000, 500))
        calls = self.ec2_calls()
        self.unmount_all()
        self.good_boot(content)
        self.assertEqual(self.ec2_calls(), calls)
        self.command("rm", "-rf", self.path("/var/lib/nodevol"))
        self.unmount_all()
        self.good_boot(content)
        self.assertEqual(len([found for found in self.cloud.volumes() if found["size"] == 20]), 1)

    def test_created_with_transitions_like_ec2s(self):
        self.start(transitions="ec2")
        self.good_boot(config(volume({"create": {"size-gib": 4}})))
        self.assertTrue(self.is_mounted("/mnt/data"))
        self.assertLessEqual(len(self.ec2_calls()), 8, self.ec2_calls())

    def test_noise_on_a_volume_of_ours_is_known_to_be_new_also_at_the_second_run(self):
        self.start()
        content = config(volume({"create": {"size-gib": 4}}))
        os.makedirs(self.path("/mnt"), exist_ok=True)
        os.symlink("/tmp", self.path("/mnt/data"))
        self.assertEqual(self.boot(content).status, 3)
        os.unlink(self.path("/mnt/data"))
        self.good_boot(content)
        self.assertTrue(self.is_mounted("/mnt/data"))

    def test_noise_on_an_old_volume_is_refused(self):
        self.start(options=["--volume", "size=4,encrypted=yes,age=90000,tag.role=scratch"])
        result = self.boot(config(volume({"tags": {"role": "scratch"}})))
        self.assertEqual(result.status, 3, result)
        self.assertFalse(self.is_mounted("/mnt/data"))

    def test_another_zone_another_instance_and_no_such_volume(self):
        self.start(options=["--volume", "size=1,encrypted=no,zone=eu-central-1b,tag.k=zone",
                            "--volume", "size=1,encrypted=no,name=/dev/sdf,instance=i-0fedcba9876543210,tag.k=used"])
        found = {tag["value"]: item["volumeId"] for item in self.cloud.volumes() for tag in item["tagSet"]}
        for key, word in (("zone", "eu-central-1b"), ("used", "i-0fedcba9876543210")):
            result = self.boot(config(volume({"volume-id": found[key]})), "--deadline", 20)
            self.assertEqual(result.status, 1, result)
            self.assertIn(word, result.err)
        result = self.boot(config(volume({"volume-id": "vol-00000000000000000"})), "--deadline", 20)
        self.assertEqual(result.status, 4, result)

    def test_throttled_for_30_seconds_it_gets_there(self):
        self.start(faults=["ec2-throttle:30"])
        self.boot(config(volume({"create": {"size-gib": 4}})), timeout=200)
        self.assertTrue(self.is_mounted("/mnt/data"))

    def test_throttled_for_ever_it_ends_at_the_deadline(self):
        self.start(faults=["ec2-throttle:100000"])
        result = self.boot(config(volume({"create": {"size-gib": 4}})), "--deadline", 6)
        self.assertEqual(result.status, 75, result)
        self.assertIn("RequestLimitExceeded", result.err)

    def test_the_wrong_device_under_the_attachment_is_not_touched(self):
        self.start(faults=["wrong-device"])
        result = self.boot(config(volume({"create": {"size-gib": 4}})), "--deadline", 8)
        self.assertIn(result.status, (3, 75), result)
        self.assertFalse(self.is_mounted("/mnt/data"))

    def test_a_device_of_another_size_is_not_touched(self):
        self.start(faults=["wrong-size"])
        result = self.boot(config(volume({"create": {"size-gib": 4}})), "--deadline", 20)
        self.assertEqual(result.status, 3, result)

    def test_a_late_device_is_waited_for(self):
        self.start(faults=["device-late:2"])
        self.good_boot(config(volume({"create": {"size-gib": 4}})))
