# SPDX-License-Identifier: Apache-2.0
"""al2023-bootstrap on an instance of the lab's: configurations, boots, reports, reboots. For tests/root/test_boot*.py."""
import json
import os

import lab
import loops


def config(*volumes):
    return {"version": 1, "volumes": list(volumes)}


def volume(source, mount="/mnt/data", name="data", **keys):
    return {"name": name, "source": source, "mount": mount, **{key.replace("_", "-"): keys[key] for key in keys}}


class Boot(lab.Case):
    """A lab instance on which al2023-bootstrap runs."""

    def setUp(self):
        super().setUp()
        self.need_root()
        self.cloud = None

    def start(self, *volumes, **options):
        self.cloud = lab.Cloud(devices=True, volumes=volumes, **options)
        self.cloud.__enter__()
        self.addCleanup(self.cloud.stop)
        return self.cloud

    def path(self, name):
        return self.cloud.root + name

    def write_config(self, content):
        path = os.path.join(self.tmp, "config.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file)
        return path

    def boot(self, content=None, *args, env=None, **options):
        words = ["--config", self.write_config(content)] if content is not None else []
        return self.run_tool("al2023-bootstrap", *words, *args, root=self.cloud.root, env={**self.cloud.env, **(env or {})},
                             preload=[self.cloud.preload], **options)

    def good_boot(self, *args, **options):
        result = self.boot(*args, **options)
        self.assertEqual(result.status, 0, result)
        return result

    def report(self):
        with open(self.path("/run/nodevol/report.json"), encoding="utf-8") as file:
            return json.load(file)

    def outcomes(self):
        return {step["name"]: step["outcome"] for step in self.report()["steps"]}

    def is_mounted(self, name):
        return any(point == os.path.realpath(self.path(name)) for point, _ in loops.mounts())

    def unmount_all(self):
        """What a shutdown does, and the part of /run that does not survive it."""
        root = os.path.realpath(self.cloud.root)
        for point, _ in reversed(loops.mounts()):
            if point.startswith(root + "/mnt") or point.startswith(root + "/var") or point.startswith(root + "/run"):
                self.command("umount", point)
        self.command("rm", "-rf", self.path("/run/nodevol"), self.path("/run/systemd"))

    def ec2_calls(self):
        return [call["action"] for call in self.cloud.calls("ec2")]
