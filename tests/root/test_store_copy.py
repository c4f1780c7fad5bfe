# SPDX-License-Identifier: Apache-2.0
"""A store that a mount would hide: copied whole onto a volume that holds nothing, used as it is on one that has it."""
import fcntl
import os
import shutil
import subprocess
import sys

import host
import lab
import trees

MARK = ".nodevol-copy-unfinished"


class Copying(host.StoreCase):
    def test_everything_that_is_on_a_file_arrives(self):
        for kind in ("ext4", "xfs"):
            with self.subTest(kind=kind):
                store = self.path(host.CONTAINERD)
                expected = self.make_store()
                trees.listen(store + "/socket")     # is not copied: nobody listens any more
                os.utime(store, ns=(trees.OLD, expected["."]["mtime"]))
                sizes = trees.allocated(store)
                device = self.disk(kind, 400 << 20)
                result = self.good_mount(device, host.CONTAINERD)
                self.assertIn("copied onto the volume", result.err)
                self.assertEqual(self.mounts_of(device), {host.CONTAINERD})
                self.assert_whole(expected)
                for path, size in trees.allocated(store).items():
                    self.assertLessEqual(size, sizes[path] + (64 << 10), "holes of " + path)
                self.assertFalse(os.path.exists(self.path("/run/nodevol/volumes/" + os.path.basename(device))))
                self.command("umount", store)
                os.unlink(store + "/socket")
                os.utime(store, ns=(trees.OLD, expected["."]["mtime"]))
                self.assert_whole(expected)     # the original is as it was
                shutil.rmtree(store)

    def test_at_the_second_boot_the_volume_s_store_is_mounted_and_not_copied_over(self):
        self.make_store()
        device = self.disk()
        self.good_mount(device, host.CONTAINERD)
        with open(self.path(host.CONTAINERD + "/" + trees.META_DB), "ab") as file:
            file.write(b"pulled since")
        self.write(host.CONTAINERD + "/new-image")
        now = trees.describe(self.path(host.CONTAINERD))
        self.command("umount", self.path(host.CONTAINERD))
        result = self.good_mount(device, host.CONTAINERD)
        self.assertNotIn("copied", result.err)
        self.assert_whole(now)
        self.assertEqual(self.mounts_of(device), {host.CONTAINERD})

    def test_a_store_on_the_volume_is_mounted_over_an_empty_folder(self):
        device = self.disk()
        point = self.mount(device)
        trees.make_store(point, blobs=3, snapshots=1)
        expected = trees.describe(point)
        self.unmount(point)
        self.good_mount(device, host.CONTAINERD)
        self.assert_whole(expected)

    def test_files_on_the_volume_that_are_no_store_do_not_hide_one(self):
        expected = self.make_store(blobs=3, snapshots=1)
        device = self.disk()
        point = self.mount(device)
        with open(point + "/somebody-s", "w", encoding="ascii") as file:
            file.write("data")
        self.unmount(point)
        self.assertIn("no containerd store", self.refused(3, device, host.CONTAINERD))
        self.assertEqual(self.mounts_of(device), set())
        self.assert_whole(expected)

    def test_what_e2fsck_saved_counts_as_files(self):
        self.make_store(blobs=3, snapshots=1)
        device = self.disk()
        point = self.mount(device)
        with open(point + "/lost+found/#12", "w", encoding="ascii") as file:
            file.write("saved")
        self.unmount(point)
        self.assertIn("lost+found", self.refused(3, device, host.CONTAINERD))

    def test_kubelet_s_directory_and_the_pods_logs_are_copied_too(self):
        for name in ("/var/lib/kubelet", "/var/log/pods"):
            with self.subTest(name=name):
                self.write(name + "/a/b/file")
                os.chmod(self.path(name), 0o750)
                expected = trees.describe(self.path(name))
                self.good_mount(self.disk(), name)
                self.assert_whole(expected, name)

    def test_a_store_that_containerd_has_open_is_refused_until_it_is_stopped(self):
        expected = self.make_store(blobs=3, snapshots=1)
        device = self.disk()
        code = ("import fcntl, sys; file = open(sys.argv[1], 'r+b'); fcntl.flock(file, fcntl.LOCK_EX); "
                "print(flush=True); sys.stdin.read()")
        with subprocess.Popen([sys.executable, "-c", code, self.path(host.CONTAINERD + "/" + trees.META_DB)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as daemon:
            daemon.stdout.readline()
            said = self.refused(3, device, host.CONTAINERD)
            self.assertIn("(pid %d)" % daemon.pid, said)
            self.assertEqual(self.mounts_of(device), set())
            daemon.stdin.close()
            daemon.wait()
        self.good_mount(device, host.CONTAINERD)
        self.assert_whole(expected)

    def test_a_lock_by_a_process_that_cannot_be_seen_counts(self):
        self.make_store(blobs=3, snapshots=1)
        device = self.disk()
        os.unlink(self.path("/proc"))
        os.mkdir(self.path("/proc"))
        with open(self.path(host.CONTAINERD + "/" + trees.META_DB), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.assertIn("containerd holds the lock", self.refused(3, device, host.CONTAINERD))

    def test_a_daemon_that_is_at_work_is_refused_also_when_nothing_is_to_be_copied(self):
        self.make_store(blobs=3, snapshots=1)
        device = self.disk()
        self.good_mount(device, host.CONTAINERD)
        self.command("umount", self.path(host.CONTAINERD))
        with open(self.path(host.CONTAINERD + "/" + trees.META_DB), "rb"):
            self.assertIn("is at work in", self.refused(3, device, host.CONTAINERD))

    def test_a_process_that_stands_in_kubelet_s_directory(self):
        self.write("/var/lib/kubelet/config")
        with subprocess.Popen(["sleep", "60"], cwd=self.path("/var/lib/kubelet")) as sleeper:
            try:
                self.assertIn("sleep (pid %d)" % sleeper.pid, self.refused(3, self.disk(), "/var/lib/kubelet"))
            finally:
                sleeper.kill()

    def test_a_mount_below_the_store_is_not_entered(self):
        self.make_store(blobs=3, snapshots=1)
        store = self.path(host.CONTAINERD)
        other = self.disk()
        for name, words in (("other", [other]), ("bound", ["--bind", self.path("/etc")])):
            os.mkdir(store + "/" + name)
            self.command("mount", *words, store + "/" + name)
            self.addCleanup(self.unmount, store + "/" + name)
        self.write("/etc/precious")
        self.write(host.CONTAINERD + "/other/precious")
        device = self.disk()
        self.good_mount(device, host.CONTAINERD)
        point = self.mount(device)
        self.assertEqual(os.listdir(point + "/other") + os.listdir(point + "/bound"), [])
        self.unmount(point)
        self.command("umount", store)

    def test_a_volume_that_is_too_small_says_so_and_a_larger_one_takes_it(self):
        expected = self.make_store(blobs=3, snapshots=1)
        self.write(host.CONTAINERD + "/large")
        with open(self.path(host.CONTAINERD + "/large"), "wb") as file:
            file.write(os.urandom(80 << 20))
        expected = trees.describe(self.path(host.CONTAINERD))
        small = self.disk()
        result = self.ebs_mount(small, host.CONTAINERD)
        self.assertEqual(result.status, 1, result)
        self.assertIn("No space left on device", result.err)
        self.assertEqual(self.mounts_of(small), set())
        again = self.ebs_mount(small, host.CONTAINERD)
        self.assertEqual((again.status, "No space left" in again.err), (1, True), again)
        self.assert_whole(expected)
        self.good_mount(self.disk(size_bytes=200 << 20), host.CONTAINERD)
        self.assert_whole(expected)

    def test_a_device_that_loses_its_storage_leaves_the_original_in_place(self):
        expected = self.make_store(blobs=3, snapshots=1)
        with open(self.path(host.CONTAINERD + "/large"), "wb") as file:
            file.write(os.urandom(40 << 20))
        expected = trees.describe(self.path(host.CONTAINERD))
        backing = os.path.join(self.tmp, "backing")
        os.mkdir(backing)
        self.command("mount", "-t", "tmpfs", "-o", "size=20m", "none", backing)
        self.addCleanup(self.unmount, backing)
        with open(backing + "/image", "wb") as file:
            file.truncate(128 << 20)
        self.command("mkfs.ext4", "-q", "-F", backing + "/image")
        device = self.loop(backing + "/image")
        result = self.ebs_mount(device, host.CONTAINERD)
        self.assertEqual(result.status, 1, result)
        self.assertNotIn(host.CONTAINERD, self.mounts_of(device))
        self.assert_whole(expected)
        self.end_mounts(device)

    def test_an_unfinished_copy_with_nothing_to_copy_anew_is_refused(self):
        device = self.disk()
        point = self.mount(device)
        for name, text in ((MARK, "containerd's store"), ("part", "of something")):
            with open(point + "/" + name, "w", encoding="ascii") as file:
                file.write(text)
        self.unmount(point)
        for words in ((), ("--persist", "no")):
            self.assertIn("cut short", self.refused(3, *words, device, host.CONTAINERD))
            self.assertEqual(self.mounts_of(device), set())
        self.mount(device, point)
        self.assertTrue(os.path.exists(point + "/part"))

    def test_an_unfinished_copy_of_something_else_is_refused(self):
        self.make_store(blobs=3, snapshots=1)
        device = self.disk()
        point = self.mount(device)
        with open(point + "/" + MARK, "w", encoding="ascii") as file:
            file.write("kubelet's directory")
        self.unmount(point)
        self.assertIn("kubelet", self.refused(3, device, host.CONTAINERD))

    def test_thousands_of_files_deep_folders_and_many_names_arrive(self):
        store = self.path(host.CONTAINERD)
        os.makedirs(store)
        for number in range(4000):
            trees.write("%s/many/%d/%d" % (store, number % 40, number), b"%d" % number)
        os.mkdir(store + "/names")
        trees.write(store + "/names/first", b"one file")
        for number in range(3000):
            os.link(store + "/names/first", "%s/names/%d" % (store, number))
        here = os.open(store, os.O_RDONLY)
        for _ in range(3000):       # deeper than a path can be long
            os.mkdir("d", dir_fd=here)
            inner = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
        os.link(store + "/names/first", "deep", dst_dir_fd=here)
        os.close(here)
        self.addCleanup(self.command, "rm", "-rf", store)
        device = self.disk(size_bytes=200 << 20)
        words = [self.tool("ebs-mount"), "--root", self.root, device, host.CONTAINERD]
        result = lab.run(["prlimit", "--nofile=32"] + words, lab.environment(), timeout=120)
        self.assertEqual(result.status, 0, result)
        self.assertIn("7002 files", result.err)
        self.assertEqual(os.stat(store + "/names/17").st_nlink, 3002)
        here = os.open(store, os.O_RDONLY)
        for _ in range(3000):
            inner = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
        self.assertEqual(os.stat("deep", dir_fd=here).st_ino, os.stat(store + "/names/first").st_ino)
        os.close(here)
        self.command("umount", store)
