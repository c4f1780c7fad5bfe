# SPDX-License-Identifier: Apache-2.0
"""ebs-mount: mounts what was asked for where it was asked for, grows it, and keeps it mounted by a unit."""
import os
import re
import shutil

import host
import lab

CAP_SYS_RESOURCE = 24


def has_capability(number):
    with open("/proc/self/status", encoding="ascii") as file:
        return int(re.search(r"CapEff:\s*(\w+)", file.read())[1], 16) >> number & 1


class Mounting(host.HostCase):
    def test_a_filesystem_is_mounted_read_write_nosuid_and_nodev(self):
        for kind in ("ext4", "xfs"):
            with self.subTest(kind=kind):
                device = self.disk(kind)
                result = self.good_mount(device, "/mnt/" + kind)
                self.assertEqual(result.out, "%s: mounted at /mnt/%s\n" % (device, kind))
                options, superblock = self.mountinfo("/mnt/" + kind)
                self.assertLessEqual({"rw", "nosuid", "nodev"}, options)
                self.assertIn("rw", superblock)

    def test_a_second_run_changes_nothing(self):
        device = self.disk()
        words = ("--json", "--owner", "1000:1000", "--mode", "0750", "--persist", "unit", device, "/mnt/data")
        first = self.good_mount(*words).json
        unit = self.path("/etc/systemd/system/mnt-data.mount")
        before = os.stat(unit)
        second = self.good_mount(*words).json
        self.assertTrue(first["changed"])
        self.assertFalse(second["changed"])
        self.assertEqual([step["changed"] for step in second["steps"]], [False] * len(second["steps"]))
        self.assertEqual((os.stat(unit).st_mtime_ns, os.stat(unit).st_ino), (before.st_mtime_ns, before.st_ino))
        self.assertEqual(first["uuid"], second["uuid"])

    def test_the_object_says_which_filesystem_and_what_was_done(self):
        device = self.disk(label="scratch")
        found = self.good_mount("--json", device, "/mnt/data").json
        self.assertEqual((found["device"], found["volume-id"], found["mount-point"]), (device, None, "/mnt/data"))
        self.assertEqual((found["filesystem"], found["label"]), ("ext4", "scratch"))
        self.assertEqual(found["uuid"], self.command("blkid", "-p", "-o", "value", "-s", "UUID", device).strip())
        steps = {step["name"]: step for step in found["steps"]}
        self.assertEqual((steps["mount"]["changed"], steps["unit"]["changed"]), (True, True))

    def test_the_mount_point_is_made_with_what_is_missing_above_it(self):
        os.umask(0o077)
        self.good_mount(self.disk(), "/mnt/a/b c/d")
        os.umask(0o022)
        self.assertIsNotNone(self.mountinfo("/mnt/a/b c/d"))
        self.assertEqual(os.stat(self.path("/mnt/a/b c")).st_mode & 0o7777, 0o755)

    def test_options_of_the_user_replace_the_defaults(self):
        device = self.disk()
        self.good_mount("--options", "noatime,noexec", device, "/mnt/data")
        options, _ = self.mountinfo("/mnt/data")
        self.assertLessEqual({"rw", "noatime", "noexec"}, options)
        self.assertNotIn("nosuid", options)

    def test_clones_of_one_snapshot_mount_beside_each_other(self):
        for kind in ("ext4", "xfs"):
            with self.subTest(kind=kind):
                first = self.image(300 << 20)
                device = self.disk(kind, path=first)
                second = os.path.join(self.tmp, "clone-" + kind)
                shutil.copyfile(first, second)
                clone = self.loop(second)
                self.good_mount(device, "/mnt/%s-1" % kind)
                self.good_mount(clone, "/mnt/%s-2" % kind)
                self.assertEqual(self.mounts_of(device), {"/mnt/%s-1" % kind})
                self.assertEqual(self.mounts_of(clone), {"/mnt/%s-2" % kind})

    def test_owner_and_mode_are_those_of_the_filesystem_and_of_nothing_in_it(self):
        device = self.disk()
        self.good_mount(device, "/mnt/data")
        self.write("/mnt/data/file")
        self.good_mount("--owner", "1000:2000", "--mode", "2770", device, "/mnt/data")
        status = os.stat(self.path("/mnt/data"))
        self.assertEqual((status.st_uid, status.st_gid, status.st_mode & 0o7777), (1000, 2000, 0o2770))
        self.assertEqual(os.stat(self.path("/mnt/data/file")).st_uid, 0)
        self.command("umount", self.path("/mnt/data"))
        self.assertEqual(os.stat(self.path("/mnt/data")).st_uid, 0, "the folder below is not touched")

    def test_a_dry_run_says_what_would_be_done_and_does_none_of_it(self):
        device = self.disk()
        result = self.good_mount("--dry-run", "--json", "--owner", "1:1", device, "/mnt/data")
        steps = {step["name"]: step for step in result.json["steps"]}
        self.assertTrue(steps["mount"]["changed"] and steps["mount"]["found"].startswith("would mount"), result)
        self.assertEqual(self.mounts_of(device), set())
        self.assertFalse(os.path.exists(self.path("/mnt/data")))
        self.assertEqual(os.listdir(self.path("/run")), [])

    def test_an_unclean_filesystem_is_replayed_and_mounted(self):
        for kind in ("ext4", "xfs"):
            with self.subTest(kind=kind):
                image = self.image(300 << 20)
                device = self.disk(kind, path=image)
                point = self.mount(device)
                with open(point + "/file", "w", encoding="ascii") as file:
                    file.write("kept")
                    file.flush()
                    os.fsync(file.fileno())
                crashed = os.path.join(self.tmp, "crashed-" + kind)
                shutil.copyfile(image, crashed)
                self.unmount(point)
                self.good_mount(self.loop(crashed), "/mnt/" + kind)
                with open(self.path("/mnt/%s/file" % kind), encoding="ascii") as file:
                    self.assertEqual(file.read(), "kept")


class Growing(host.HostCase):
    def grow(self, kind, *words):
        image = self.image(512 << 20)
        device = self.disk(kind, path=image)
        self.good_mount(device, "/mnt/data")
        self.write("/mnt/data/file")
        before = os.statvfs(self.path("/mnt/data"))
        os.truncate(image, 1 << 30)
        self.command("losetup", "-c", device)
        result = self.good_mount(*words, device, "/mnt/data")
        after = os.statvfs(self.path("/mnt/data"))
        return result, before.f_blocks * before.f_frsize, after.f_blocks * after.f_frsize, device

    def test_xfs_grows_while_it_is_mounted(self):
        result, before, after, device = self.grow("xfs")
        self.assertIn("grown from 536870912 to 1073741824 bytes", result.err)
        self.assertGreater(after, before + (500 << 20))
        self.assertTrue(self.good_mount(device, "/mnt/data").out.endswith("nothing to do\n"))
        self.command("umount", self.path("/mnt/data"))
        self.command("xfs_repair", "-n", device)

    def test_ext4_grows_while_it_is_mounted(self):
        if not has_capability(CAP_SYS_RESOURCE):
            self.skipTest(lab.UNOBTAINABLE + "CAP_SYS_RESOURCE, which ext4 wants for growing")
        result, before, after, device = self.grow("ext4")
        self.assertIn("grown from 536870912 to 1073741824 bytes", result.err)
        self.assertGreater(after, before + (480 << 20))
        self.assertTrue(self.good_mount(device, "/mnt/data").out.endswith("nothing to do\n"))
        self.command("umount", self.path("/mnt/data"))
        self.command("e2fsck", "-fn", device)

    def test_a_host_that_does_not_allow_growing_keeps_the_volume_and_is_told(self):
        if has_capability(CAP_SYS_RESOURCE):
            self.need_program("setpriv")
        image = self.image(512 << 20)
        device = self.disk(path=image)
        os.truncate(image, 1 << 30)
        self.command("losetup", "-c", device)
        words = [self.tool("ebs-mount"), "--root", self.root, device, "/mnt/data"]
        if has_capability(CAP_SYS_RESOURCE):
            words = ["setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource"] + words
        result = lab.run(words, lab.environment())
        self.assertEqual(result.status, 0, result)
        self.assertIn("CAP_SYS_RESOURCE", result.err)
        self.assertIsNotNone(self.mountinfo("/mnt/data"))

    def test_a_filesystem_is_left_at_its_size_when_that_is_wanted(self):
        result, before, after, _ = self.grow("xfs", "--no-grow")
        self.assertNotIn("grow", result.err)
        self.assertEqual(after, before)

    def test_a_smaller_filesystem_is_grown_when_it_is_first_mounted(self):
        image = self.image(300 << 20)
        self.disk("xfs", path=image)
        os.truncate(image, 700 << 20)
        self.good_mount(self.loop(image), "/mnt/data")
        status = os.statvfs(self.path("/mnt/data"))
        self.assertGreater(status.f_blocks * status.f_frsize, 600 << 20)

    def test_a_remainder_too_small_for_a_group_is_no_reason_to_grow_again(self):
        image = self.image(512 << 20)
        self.disk("xfs", path=image)
        os.truncate(image, (512 << 20) + 65536 + 4096)
        device = self.loop(image)
        self.good_mount(device, "/mnt/data")
        self.assertTrue(self.good_mount(device, "/mnt/data").out.endswith("nothing to do\n"))


class Units(host.HostCase):
    def unit(self, name, folder="/run/systemd/system"):
        with open(self.path(folder + "/" + name), encoding="utf-8") as file:
            return dict(line.split("=", 1) for line in file.read().splitlines() if "=" in line and line[0] != "#")

    def verify(self, *names, folder="/run/systemd/system"):
        if not shutil.which("systemd-analyze"):
            return
        paths = [self.path(folder + "/" + name) for name in names]
        result = lab.run(["systemd-analyze", "verify", "--man=no", "--generators=no"] + paths, lab.environment())
        said = [line for line in result.err.splitlines() if any(name in line for name in names)]
        self.assertEqual((result.status, said), (0, []), result)

    def test_the_unit_has_systemd_s_name_and_says_how_it_is_mounted(self):
        device = self.disk("xfs")
        uuid = self.good_mount("--json", "--options", "noatime", device, "/mnt/my-data/x y").json["uuid"]
        name = "mnt-my\\x2ddata-x\\x20y.mount"
        unit = self.unit(name)
        self.assertEqual({key: unit[key] for key in ("What", "Where", "Type", "Options")},
                         {"What": "/dev/disk/by-uuid/" + uuid, "Where": "/mnt/my-data/x y", "Type": "xfs",
                          "Options": "noatime,nouuid"})
        self.verify(name)

    def test_an_ebs_volume_is_named_by_its_id(self):
        with lab.Cloud(devices=True, encrypted=False, volumes=["/dev/xvdb:1"]) as cloud:
            options = {"root": cloud.root, "env": cloud.env, "preload": [cloud.preload]}
            made = self.run_tool("ebs-format", "/dev/xvdb", **options)
            self.assertEqual(made.status, 0, made)
            result = self.run_tool("ebs-mount", "--json", "/dev/xvdb", "/mnt/data", **options)
            self.assertEqual(result.status, 0, result)
            volume = cloud.volumes()[-1]["volumeId"]
            link = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_" + volume.replace("-", "")
            self.assertEqual(result.json["volume-id"], volume)
            with open(cloud.root + "/run/systemd/system/mnt-data.mount", encoding="utf-8") as file:
                self.assertIn("\nWhat=%s\n" % link, file.read())

    def test_a_unit_in_etc_is_enabled_and_waits_for_its_device_for_a_bounded_time(self):
        device = self.disk()
        uuid = self.good_mount("--json", "--persist", "unit", device, "/mnt/data").json["uuid"]
        folder = "/etc/systemd/system"
        link = self.path(folder + "/multi-user.target.wants/mnt-data.mount")
        self.assertEqual(os.readlink(link), folder + "/mnt-data.mount")
        escaped = "dev-disk-by\\x2duuid-" + uuid.replace("-", "\\x2d") + ".device.d"
        self.assertEqual(self.unit("50-nodevol.conf", folder + "/" + escaped), {"JobRunningTimeoutSec": "60s"})
        self.verify("mnt-data.mount", folder=folder)

    def test_no_unit_is_written_when_none_is_wanted(self):
        self.good_mount("--persist", "no", self.disk(), "/mnt/data")
        self.assertFalse(os.path.exists(self.path("/run/systemd")) or os.path.exists(self.path("/etc/systemd")))

    def test_a_unit_that_somebody_else_wrote_is_left_alone(self):
        for folder, persist in (("/etc/systemd/system", "unit"), ("/etc/systemd/system", "runtime"),
                                ("/run/systemd/system", "runtime")):
            with self.subTest(folder=folder, persist=persist):
                device = self.disk()
                path = self.write(folder + "/mnt-data.mount", "[Mount]\nWhat=/dev/theirs\nWhere=/mnt/data\n")
                result = self.good_mount("--persist", persist, device, "/mnt/data")
                self.assertIn("left as it is", result.err)
                with open(path, encoding="ascii") as file:
                    self.assertIn("theirs", file.read())
                self.command("umount", self.path("/mnt/data"))
                os.unlink(path)

    def test_a_unit_of_ours_that_differs_is_written_anew(self):
        device = self.disk()
        self.good_mount(device, "/mnt/data")
        self.command("umount", self.path("/mnt/data"))
        self.good_mount("--options", "noatime", device, "/mnt/data")
        self.assertEqual(self.unit("mnt-data.mount")["Options"], "noatime")

    def test_names_are_those_of_systemd_escape(self):
        self.need_program("systemd-escape")
        device = self.disk()
        for target in ("/mnt/plain", "/mnt/.hidden", "/mnt/a-b", "/mnt/\u00e9\\x", "/mnt/100%", "/.mnt"):
            with self.subTest(target=target):
                self.good_mount(device, target)
                name = self.command("systemd-escape", "--path", "--suffix=mount", target).strip()
                self.assertTrue(os.path.exists(self.path("/run/systemd/system/" + name)), name)
                self.verify(name)
                self.command("umount", self.path(target))
