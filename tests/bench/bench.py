# SPDX-License-Identifier: Apache-2.0
"""make bench: what nodevol costs, beside other tools that do the same work in the same run. Prints figures and ratios.

  bench.py [NAME...]     only these parts
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

BENCH = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(BENCH))
sys.path[:0] = [os.path.join(PROJECT, "tests", "lab"), BENCH]
import format_bench     # noqa: E402  (found through the line above)
import lab              # noqa: E402
import loops            # noqa: E402

RUNS = 5
ZONE = "eu-central-1a"


class Figures:
    """One run: .cpu_ms, .wall_ms, .peak_mib, .status, .err"""

    def __init__(self, text, err):
        cpu, wall, peak, status = text.split()
        self.cpu_ms, self.wall_ms, self.peak_mib, self.status = float(cpu), float(wall), int(peak) / 1024, int(status)
        self.err = err


def measure(argv, env, folder):
    path = os.path.join(folder, "figures")
    done = lab.run([os.path.join(lab.BUILD, "tests", "bench", "measure"), path] + argv, env, 600, folder=folder)
    with open(path, encoding="ascii") as file:
        figures = Figures(file.read(), done.err)
    if figures.status:
        raise RuntimeError("%s: status %d: %s" % (argv[0], figures.status, done.err))
    return figures


def median(runs, what):
    return statistics.median(getattr(figures, what) for figures in runs)


def line(text, *values):
    print("  " + text % values, flush=True)


class Node:
    """A lab instance to boot again and again."""

    def __init__(self, config, *volumes, **options):
        self.folder, self.config = lab.temp_folder(), config
        self.cloud = lab.Cloud(devices=True, volumes=volumes, **options)

    def __enter__(self):
        self.cloud.start()
        self.path = os.path.join(self.folder, "config.json")
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump({"version": 1, "volumes": [self.config]}, file)
        return self

    def __exit__(self, *_):
        self.cloud.stop()
        lab.clean(self.folder)

    def boot(self):
        argv = [os.path.join(lab.BUILD, "al2023-bootstrap"), "--root", self.cloud.root, "--config", self.path]
        return measure(argv, lab.environment(self.cloud.env, [self.cloud.preload]), self.folder)

    def shut_down(self):
        root = os.path.realpath(self.cloud.root)
        for point, _ in reversed(loops.mounts()):
            if any(point.startswith(root + folder) for folder in ("/var", "/mnt", "/run")):
                subprocess.run(["umount", point], check=True)
        subprocess.run(["rm", "-rf", self.cloud.root + "/run/nodevol", self.cloud.root + "/run/systemd"], check=True)


def attached():
    """a volume that is attached and formatted: what every later boot does"""
    config = {"name": "data", "source": {"device": "/dev/xvdb"}, "mount": "/mnt/data", "accept-noise": True}
    with Node(config, "/dev/xvdb:100") as node:
        first = node.boot()
        line("attached and blank (noise), 100 GiB: mounted within %.2f s of wall time, %.0f ms of CPU, peak %.1f MiB",
             first.wall_ms / 1000, first.cpu_ms, first.peak_mib)
        runs = []
        for _ in range(RUNS):
            node.shut_down()
            runs.append(node.boot())
        again = [node.boot() for _ in range(RUNS)]
        line("attached and formatted: %.0f ms of CPU, %.0f ms of wall time, peak %.1f MiB (medians of %d)",
             median(runs, "cpu_ms"), median(runs, "wall_ms"), median(runs, "peak_mib"), RUNS)
        line("attached and mounted:   %.0f ms of CPU, %.0f ms of wall time", median(again, "cpu_ms"),
             median(again, "wall_ms"))
        line("EC2 calls of all these boots: %d, IMDS requests: %d", len(node.cloud.calls("ec2")),
             len(node.cloud.calls("imds")))
        node.shut_down()
    with Node(config, "/dev/xvdb:100:plain") as node:
        zero = node.boot()
        line("attached and blank (zeros), 100 GiB: mounted within %.2f s, %.0f ms of CPU", zero.wall_ms / 1000, zero.cpu_ms)
        node.shut_down()


def by_hand(node, filesystem):
    env = lab.environment({**node.cloud.env, **node.cloud.keys}, [node.cloud.preload])
    env["PATH"] = os.environ["PATH"] + ":/usr/sbin:/sbin"
    argv = [os.path.join(BENCH, "by-hand.sh"), node.cloud.root, ZONE, node.cloud.instance_id,
            node.cloud.root + "/mnt/data", filesystem]
    return measure(argv, env, node.folder)


def side_by_side(filesystem, encrypted):
    config = {"name": "node", "filesystem": filesystem, "mount": "/mnt/data",
              "source": {"create": {"size-gib": 20, "iops": 6000, "throughput-mibps": 500}}}
    ours, theirs = [], []
    for _ in range(RUNS):
        with Node(config, encrypted=encrypted) as node:
            ours.append(node.boot())
            node.shut_down()
        with Node(config, encrypted=encrypted) as node:
            theirs.append(by_hand(node, filesystem))
            node.shut_down()
    line("%s on a volume that reads as %s:", filesystem, "noise (encrypted)" if encrypted else "zeros (not encrypted)")
    for what, unit in (("cpu_ms", "ms of CPU"), ("wall_ms", "ms of wall time"), ("peak_mib", "MiB at the peak")):
        line("  %-16s ours %8.1f, script %8.1f: ratio %.1f", unit, median(ours, what), median(theirs, what),
             median(theirs, what) / median(ours, what))


def created():
    """create + attach + format + mount: al2023-bootstrap beside the AWS CLI, mkfs and mount in a script"""
    for filesystem, encrypted in (("ext4", False), ("ext4", True), ("xfs", False), ("xfs", True)):
        side_by_side(filesystem, encrypted)
    config = {"name": "node", "mount": "/mnt/data", "source": {"create": {"size-gib": 20}}}
    for transitions in ("instant", "ec2"):
        with Node(config, transitions=transitions) as node:
            node.boot()
            line("EC2 calls with %s transitions: %d", transitions, len(node.cloud.calls("ec2")))
            node.shut_down()


def sizes():
    """each binary, stripped, dynamically linked"""
    with tempfile.TemporaryDirectory() as folder:
        for name in sorted(os.listdir(lab.BUILD)):
            path = os.path.join(lab.BUILD, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                subprocess.run(["strip", "-o", folder + "/stripped", path], check=True)
                line("%-18s %6.1f KiB", name, os.path.getsize(folder + "/stripped") / 1024)


PARTS = {"attached": attached, "created": created, "format": format_bench.main, "sizes": sizes}


def main(names):
    if os.geteuid() != 0:
        print("bench: it needs root, for loop devices and mounts")
        return 1
    for name in names or PARTS:
        print("%s: %s" % (name, PARTS[name].__doc__.splitlines()[0]), flush=True)
        PARTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
