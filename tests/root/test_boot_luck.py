# SPDX-License-Identifier: Apache-2.0
"""al2023-bootstrap in bad luck: the report's disk full, SIGTERM, a device that hangs, IMDS in every state, odd user-data."""
import json
import os
import signal
import subprocess
import time

import lab
from boots import Boot, config, volume


class Interrupted(Boot):
    def test_the_metrics_are_openmetrics(self):
        self.start("/dev/xvdb:20:plain")
        self.good_boot(config(volume({"device": "/dev/xvdb"})))
        with open(self.path("/run/nodevol/nodevol.prom"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[-1], "# EOF")
        self.assertIn("nodevol_exit_status 0", lines)
        self.assertTrue(any(line.startswith('nodevol_step_seconds{volume="data",step="format"} ') for line in lines))

    def test_a_full_disk_under_the_report_is_a_warning(self):
        self.start("/dev/xvdb:20:plain")
        os.makedirs(self.path("/run/nodevol"), exist_ok=True)
        self.mount("tmpfs", self.path("/run/nodevol"), "tmpfs", "size=4k")
        with open(self.path("/run/nodevol/fill"), "wb") as file:
            try:
                file.write(b"x" * 65536)
                file.flush()
            except OSError:
                pass
        result = self.good_boot(config(volume({"device": "/dev/xvdb"})))
        self.assertEqual(result.err.count("the report is not written"), 1, result)
        self.assertTrue(self.is_mounted("/mnt/data"))

    def test_sigterm_in_the_middle_is_finished_by_the_next_run(self):
        self.start("/dev/xvdb:20:plain")
        content = config(volume({"device": "/dev/xvdb"}), volume({"device": "/dev/sdq"}, name="never", mount="/mnt/never"))
        path = self.write_config(content)
        child = subprocess.Popen([self.tool("al2023-bootstrap"), "--root", self.cloud.root, "--config", path],
                                 env=lab.environment(self.cloud.env, [self.cloud.preload]),
                                 stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not self.is_mounted("/mnt/data") and time.monotonic() < end:
            time.sleep(0.05)
        child.send_signal(signal.SIGTERM)
        said = child.communicate(timeout=30)[1].decode()
        self.assertEqual(child.returncode, 75, said)
        self.assertIn("SIGTERM", said)
        self.assertEqual(self.report()["outcome"], "unfinished")
        self.good_boot(config(content["volumes"][0]))

    def noise_servers(self):
        listed = subprocess.run(["pgrep", "-P", str(self.cloud.process.pid), "noisevol"], capture_output=True, check=False)
        return [int(pid) for pid in listed.stdout.split()]

    def with_hanging_device(self, run):
        self.start("/dev/xvdb:4:encrypted")
        servers = self.noise_servers()
        self.assertTrue(servers)
        for pid in servers:
            os.kill(pid, signal.SIGSTOP)
        try:
            return run()
        finally:
            for pid in servers:
                os.kill(pid, signal.SIGCONT)

    def test_a_device_that_never_answers_does_not_keep_the_boot_from_ending(self):
        content = config(volume({"device": "/dev/xvdb"}, accept_noise=True))
        result = self.with_hanging_device(lambda: self.boot(content, "--deadline", 3, timeout=30))
        self.assertEqual(result.status, 75, result)
        self.assertIn("deadline passed during: data: reading the superblock", result.err)
        self.assertEqual(self.report()["outcome"], "unfinished")

    def test_a_process_that_sleeps_in_the_kernel_is_left_behind(self):
        result = self.with_hanging_device(lambda: self.run_tool(
            "ebs-format", "--deadline", 3, "--accept-noise", "/dev/xvdb", root=self.cloud.root, env=self.cloud.env,
            preload=[self.cloud.preload], timeout=30))
        self.assertEqual(result.status, 75, result)
        self.assertIn("deadline passed during", result.err)
        self.assertIn("left behind", result.err)


class Imds(Boot):
    CONTENT = config(volume({"create": {"size-gib": 4}}))

    def judge(self, status, word, *args, env=None):
        result = self.boot(self.CONTENT, *args, env=env)
        self.assertEqual(result.status, status, result)
        self.assertIn(word, result.err)

    def test_none(self):
        self.start()
        self.judge(75, "IMDS", "--deadline", 4, env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"})

    def test_hangs(self):
        self.start(faults=["imds-hang"])
        self.judge(75, "IMDS", "--deadline", 6)

    def test_disabled(self):
        self.start(faults=["imds-disabled"])
        self.judge(1, "disabled")

    def test_disabled_by_the_environment(self):
        self.start()
        self.judge(1, "AWS_EC2_METADATA_DISABLED", env={"AWS_EC2_METADATA_DISABLED": "true"})

    def test_no_role(self):
        self.start(faults=["no-role"])
        self.judge(1, "role")

    def test_unavailable_for_a_moment(self):
        self.start(faults=["imds-503:3"])
        self.good_boot(self.CONTENT)


class UserData(Boot):
    def user_data(self, data):
        path = os.path.join(self.tmp, "user-data")
        with open(path, "wb") as file:
            file.write(data)
        return ["--user-data", path]

    def test_the_configuration_is_a_part_of_it(self):
        content = config(volume({"device": "/dev/xvdb"}))
        data = ("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"//\"\n\n"
                "--//\nContent-Type: application/vnd.nodevol+json\n\n%s\n"
                "--//\nContent-Type: application/node.eks.aws\n\nkind: NodeConfig\n--//--\n" % json.dumps(content))
        self.start("/dev/xvdb:1:plain", options=self.user_data(data.encode()))
        self.good_boot()
        self.assertTrue(self.is_mounted("/mnt/data"))
        self.assertEqual(self.ec2_calls(), [])

    def test_noise_in_it_is_no_configuration(self):
        self.start(options=self.user_data(os.urandom(16384)))
        self.assertEqual(self.boot().status, 4)

    def test_none_of_it_is_no_configuration(self):
        self.start()
        self.assertEqual(self.boot().status, 4)

    def test_a_file_in_etc_comes_first(self):
        self.start("/dev/xvdb:1:plain", options=self.user_data(b"nothing"))
        os.makedirs(self.path("/etc/nodevol"))
        with open(self.path("/etc/nodevol/config.json"), "w", encoding="utf-8") as file:
            json.dump(config(volume({"device": "/dev/xvdb"})), file)
        self.good_boot()
        self.assertEqual(self.cloud.calls(), [])
