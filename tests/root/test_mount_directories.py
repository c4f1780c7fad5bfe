# SPDX-License-Identifier: Apache-2.0
"""One volume with several directories, as al2023-bootstrap mounts it."""
import json
import os
import re
import shutil
import struct
import time

import host
import lab
import loops
import trees

SHIM = os.path.join(lab.BUILD, "tests", "lab", "cutcopy.so")


class Directories(host.StoreCase):
    def setUp(self):
        super().setUp()
        self.cloud = lab.Cloud(devices=True, encrypted=False, volumes=["/dev/xvdb:1"])
        self.cloud.__enter__()
        self.addCleanup(self.cloud.stop)
        self.root = self.cloud.root
        self.config = os.path.join(self.tmp, "config.json")
        with open(self.config, "w", encoding="ascii") as file:
            volume = {"name": "node", "source": {"device": "/dev/xvdb"}, "on-failure": "stop",
                      "directories": {"containerd": host.CONTAINERD, "kubelet": "/var/lib/kubelet"}}
            json.dump({"version": 1, "volumes": [volume]}, file)

    def boot(self):
        return self.run_tool("al2023-bootstrap", "--config", self.config, root=self.root, env=self.cloud.env,
                             preload=[self.cloud.preload])

    def good_boot(self):
        result = self.boot()
        self.assertEqual(result.status, 0, result)
        return result

    def points(self):
        root = os.path.realpath(self.root)
        return {point[len(root):] for point, _ in loops.mounts() if point.startswith((root + "/var", root + "/run"))}

    def shut_down(self):
        for point in sorted(self.points(), reverse=True):
            self.command("umount", os.path.realpath(self.root) + point)
        shutil.rmtree(self.path("/run/nodevol"))
        shutil.rmtree(self.path("/run/systemd"))

    def test_a_cut_copy_at_the_root_is_not_left_under_a_volume_in_use(self):
        self.good_boot()
        mark = self.path("/run/nodevol/volumes/node/.nodevol-copy-unfinished")
        with open(mark, "w", encoding="ascii") as file:
            file.write("containerd's store")
        self.shut_down()
        result = self.boot()
        self.assertEqual(result.status, 3, result)
        self.assertIn("copy at its root that was cut short", result.err)
        self.assertEqual(self.points(), set())

    def test_each_directory_gets_its_files_and_keeps_them(self):
        self.write("/var/lib/kubelet/config", "kubelet's")
        store = self.make_store(blobs=3, snapshots=1)
        kubelet = trees.describe(self.path("/var/lib/kubelet"))
        for boot in range(3):
            self.good_boot()
            self.assertEqual(self.points(), {"/run/nodevol/volumes/node", host.CONTAINERD, "/var/lib/kubelet"})
            self.assert_whole(store)
            self.assert_whole(kubelet, "/var/lib/kubelet")
            self.assertLessEqual({"containerd", "kubelet"}, set(os.listdir(self.path("/run/nodevol/volumes/node"))))
            if boot == 1:
                self.shut_down()

    def test_the_bind_mounts_are_ordered_behind_the_volume(self):
        self.good_boot()
        with open(self.path("/run/systemd/system/var-lib-kubelet.mount"), encoding="ascii") as file:
            unit = file.read()
        self.assertIn('RequiresMountsFor="/run/nodevol/volumes/node"\n', unit)
        self.assertIn("What=/run/nodevol/volumes/node/kubelet\nWhere=/var/lib/kubelet\nType=none\nOptions=bind\n", unit)
        self.assertTrue(os.path.exists(self.path("/run/systemd/system/run-nodevol-volumes-node.mount")))

    def test_one_directory_that_is_refused_leaves_the_others_unmounted_too(self):
        store = self.make_store(blobs=3, snapshots=1)
        self.write("/var/lib/kubelet/config")
        with open(self.path("/var/lib/kubelet/config"), encoding="ascii"):
            result = self.boot()
        self.assertEqual(result.status, 3, result)
        self.assertEqual(self.points(), set())
        self.assert_whole(store)

    def test_a_boot_that_was_killed_is_finished(self):
        store = self.make_store(blobs=3, snapshots=1)
        self.write("/var/lib/kubelet/config")
        kubelet = trees.describe(self.path("/var/lib/kubelet"))
        state = os.path.join(self.tmp, "cut-state")
        self.good_boot()    # formats
        self.shut_down()
        device = [name for name in os.listdir(self.path("/dev")) if re.fullmatch("nvme[0-9]+n1", name)][-1]
        for cut in (3, 30, 100, 200):
            with self.subTest(cut=cut):
                point = self.mount(self.path("/dev/" + device))
                for name in ("containerd", "kubelet"):
                    shutil.rmtree(point + "/" + name, ignore_errors=True)
                self.unmount(point)
                with open(state, "wb") as file:
                    file.write(bytes(16))
                self.run_tool("al2023-bootstrap", "--config", self.config, root=self.root,
                              preload=[self.cloud.preload, SHIM],
                              env={**self.cloud.env, "CUT_STATE": state, "CUT_AT": str(cut), "CUT_MODE": "kill"})
                with open(state, "rb") as file:
                    self.assertEqual(struct.unpack("=QQ", file.read(16))[1], 1, "the cut never happened")
                time.sleep(0.05)
                self.good_boot()
                self.assert_whole(store)
                self.assert_whole(kubelet, "/var/lib/kubelet")
                self.shut_down()
