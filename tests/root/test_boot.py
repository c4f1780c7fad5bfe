# SPDX-License-Identifier: Apache-2.0
"""al2023-bootstrap with volumes that are attached already: no IMDS, no EC2, again and again."""
import os

import containers
from boots import Boot, config, volume


class DeviceTier(Boot):
    def test_a_fresh_encrypted_volume_is_formatted_and_mounted_without_a_call(self):
        self.start("/dev/xvdb:20")
        content = config(volume({"device": "/dev/sdb"}, owner="1000:1001", mode="0750", label="scratch", accept_noise=True))
        self.good_boot(content)
        self.assertTrue(self.is_mounted("/mnt/data"))
        status = os.stat(self.path("/mnt/data"))
        self.assertEqual((status.st_uid, status.st_gid, status.st_mode & 0o7777), (1000, 1001, 0o750))
        self.assertEqual(self.cloud.calls(), [], "neither IMDS nor EC2 is asked")
        self.assertEqual(self.report()["outcome"], "done")
        self.assertEqual(self.outcomes()["format"], "done")

    def test_a_second_run_changes_nothing_and_a_reboot_only_mounts(self):
        self.start("/dev/xvdb:20:plain")
        content = config(volume({"device": "/dev/xvdb"}))
        self.good_boot(content)
        with open(self.path("/mnt/data/file"), "w", encoding="ascii") as file:
            file.write("kept")
        self.good_boot(content)
        self.assertNotIn("done", self.outcomes().values(), self.report())
        self.unmount_all()
        self.good_boot(content)
        self.assertNotIn("format", self.outcomes())
        self.assertEqual(self.outcomes()["mount"], "done")
        with open(self.path("/mnt/data/file"), encoding="ascii") as file:
            self.assertEqual(file.read(), "kept")
        self.assertEqual(self.cloud.calls(), [])

    def test_noise_is_refused_unless_the_configuration_accepts_it(self):
        self.start("/dev/xvdb:20")
        result = self.boot(config(volume({"device": "/dev/xvdb"})))
        self.assertEqual(result.status, 3, result)
        self.assertIn("accept-noise", result.err)
        self.assertEqual(self.report()["outcome"], "failed")
        self.assertEqual(self.outcomes()["format"], "refused")

    def test_a_dry_run_says_the_same_steps_and_does_none(self):
        self.start("/dev/xvdb:20:plain")
        content = config(volume({"device": "/dev/xvdb"}, owner="1:1", read_ahead_kib=1024))
        dry = self.good_boot(content, "--dry-run", "--json")
        self.assertFalse(self.is_mounted("/mnt/data"))
        self.assertFalse(os.path.exists(self.path("/run/nodevol")))
        wet = self.good_boot(content, "--json")
        self.assertEqual([step["name"] for step in dry.json["steps"]], [step["name"] for step in wet.json["steps"]])
        self.assertIn("would-do", [step["outcome"] for step in dry.json["steps"]])

    def test_several_directories_on_one_volume(self):
        self.start("/dev/xvdb:20:plain")
        content = config({"name": "node", "source": {"device": "/dev/xvdb"}, "filesystem": "xfs",
                          "directories": {"containerd": "/var/lib/containerd", "kubelet": "/var/lib/kubelet"}})
        self.good_boot(content)
        for name in ("/var/lib/containerd", "/var/lib/kubelet", "/run/nodevol/volumes/node"):
            self.assertTrue(self.is_mounted(name), name)
        with open(self.path("/var/lib/kubelet/x"), "w", encoding="ascii"):
            pass
        self.assertTrue(os.path.exists(self.path("/run/nodevol/volumes/node/kubelet/x")))
        self.good_boot(content)
        self.assertNotIn("done", self.outcomes().values(), self.report())
        self.unmount_all()
        self.good_boot(content)
        self.assertTrue(os.path.exists(self.path("/var/lib/kubelet/x")))

    def test_a_store_is_moved_onto_the_volume_and_a_container_runs_from_it(self):
        self.need_program("containerd")
        self.start("/dev/xvdb:20:plain")
        store = self.path("/var/lib/containerd")
        os.makedirs(store)
        with containers.Containerd(store, self.tmp) as containerd:
            containerd.ctr("images", "import", containers.busybox_image(os.path.join(self.tmp, "image.tar")))
        content = config(volume({"device": "/dev/xvdb"}, mount="/var/lib/containerd", name="images"))
        self.good_boot(content)
        self.assertEqual(self.outcomes()["copy"], "done")
        with containers.Containerd(store, self.tmp) as containerd:
            self.assertIn("never saw a registry", containerd.run(containers.IMAGE, "cat", "/etc/motd"))
        self.unmount_all()
        self.good_boot(content)
        self.assertNotEqual(self.outcomes().get("copy"), "done")
        self.assertNotIn("format", self.outcomes())
        with containers.Containerd(store, self.tmp) as containerd:
            self.assertIn("never saw a registry", containerd.run(containers.IMAGE, "cat", "/etc/motd"))

    def test_a_running_containerd_is_not_pulled_the_store_from_under(self):
        self.need_program("containerd")
        self.start("/dev/xvdb:20:plain")
        store = self.path("/var/lib/containerd")
        os.makedirs(store)
        content = config(volume({"device": "/dev/xvdb"}, mount="/var/lib/containerd", name="images", on_failure="stop"))
        with containers.Containerd(store, self.tmp):
            result = self.boot(content)
        self.assertEqual(result.status, 3, result)
        self.assertFalse(self.is_mounted("/var/lib/containerd"))

    def test_a_volume_that_is_not_there_is_waited_for_and_then_named(self):
        self.start("/dev/sdf:1:plain")
        result = self.boot(config(volume({"device": "/dev/xvdb"})), "--deadline", 3)
        self.assertEqual(result.status, 75, result)
        self.assertIn("as /dev/sdf", result.err)
        self.assertEqual(self.report()["outcome"], "failed")

    def test_a_cache_that_is_not_there_lets_the_node_join_and_says_so(self):
        self.start("/dev/sdf:1:plain")
        content = config(volume({"device": "/dev/xvdb"}, mount="/var/lib/containerd", name="images"),
                         volume({"device": "/dev/sdf"}))
        result = self.good_boot(content, "--deadline", 3)
        self.assertIn("degraded", result.err)
        self.assertEqual(self.report()["outcome"], "degraded")

    def test_a_volume_below_one_that_failed_is_not_mounted(self):
        self.start("/dev/sdf:1:plain")
        content = config(volume({"device": "/dev/xvdb"}, on_failure="continue"),
                         volume({"device": "/dev/sdf"}, mount="/mnt/data/below", name="below"))
        result = self.boot(content, "--deadline", 3)
        self.assertEqual(result.status, 1, result)
        self.assertIn("below volume 'data'", result.err)
        self.assertFalse(self.is_mounted("/mnt/data/below"))

    def test_a_symlink_on_the_way_is_refused_and_nothing_is_formatted(self):
        self.start("/dev/xvdb:20:plain")
        os.makedirs(self.path("/mnt"), exist_ok=True)
        os.symlink("/tmp", self.path("/mnt/data"))
        result = self.boot(config(volume({"device": "/dev/xvdb"})))
        self.assertEqual(result.status, 3, result)
        self.assertNotIn("format", self.outcomes())

    def test_the_fast_way_asks_nobody_and_takes_little_cpu(self):
        self.start("/dev/xvdb:20:plain")
        content = config(volume({"device": "/dev/xvdb"}))
        self.good_boot(content)
        self.unmount_all()
        result = self.good_boot(content)
        self.assertEqual(self.cloud.calls(), [])
        print("# cpu of a boot that only mounts: %.0f ms" % result.cpu_ms)
