# SPDX-License-Identifier: Apache-2.0
"""What tests use: a test case that cleans up after itself, and a cloud that lives in a folder.

    class Attach(lab.Case):
        def test_prints_the_path(self):
            self.need_root()
            with lab.Cloud(devices=True, volumes=["/dev/xvdb:20"]) as cloud:
                result = self.run_tool("ebs-id", root=cloud.root, env=cloud.env, preload=[cloud.preload])
                self.assertEqual(result.status, 0, result)

Everything is made below one temporary folder ($TMPDIR, else /var/tmp, which is on a disk where /tmp may be memory), and
what is left in it at the end (mounts, loop devices, clouds) is swept away before it is removed.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import client
import loops

LAB = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(LAB))
BUILD = os.path.join(PROJECT, os.environ.get("B") or "build")
UNOBTAINABLE = "cannot be had here: "      # begins the reason of a skip that MUST_RUN=1 does not count as a failure


def temp_folder():
    return tempfile.mkdtemp(prefix="nodevol-", dir=os.environ.get("TMPDIR") or "/var/tmp")


def clean(folder):
    """Ends, unmounts, detaches and removes everything below @folder; never walks into a mount that will not go."""
    loops.clean(folder)
    folder = os.path.realpath(folder)
    left = [point for point, _ in loops.mounts() if loops.is_below(point, folder)]
    if left:
        raise RuntimeError("still mounted: " + " ".join(left))
    shutil.rmtree(folder, ignore_errors=True)


def end_left_behind(folder):
    """Kills what a test started with TMPDIR=@folder and did not end. The cloud and its servers are not touched: they
    have devices to take down, which clean() lets them do."""
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % number, "rb") as file:
                is_ours = b"TMPDIR=" + os.fsencode(folder) in file.read().split(b"\0")
            with open("/proc/%s/cmdline" % number, "rb") as file:
                program = file.read()
            if is_ours and b"cloud.py" not in program and b"noisevol" not in program:
                os.kill(int(number), signal.SIGKILL)
        except OSError:
            continue    # it ended, or belongs to somebody else


class Result:
    """How a program ended: .status (negative: the signal), .out and .err as text, .cpu_ms (with its children)."""

    def __init__(self, argv, status, out, err, cpu_ms):
        self.argv, self.status, self.out, self.err, self.cpu_ms = argv, status, out, err, cpu_ms

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return "%s\nstatus %s\n--- stdout\n%s--- stderr\n%s" % (" ".join(self.argv), self.status, self.out, self.err)


def environment(env=None, preload=()):
    """A small environment of our own, so that what the developer has set (AWS_*, LANG) changes nothing."""
    kept = ("PATH", "HOME", "TMPDIR", "B", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")
    result = {name: os.environ[name] for name in kept if name in os.environ}
    result["LC_ALL"] = "C"
    result.setdefault("ASAN_OPTIONS", "detect_leaks=1:verify_asan_link_order=0")
    result.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    if preload:
        result["LD_PRELOAD"] = ":".join([preload] if isinstance(preload, str) else preload)
    result.update(env or {})
    return {name: value for name, value in result.items() if value is not None}


def run(argv, env=None, timeout=60, stdin=None, folder=None, cwd=None, stdout=None):
    """Runs @argv to its end with the output in files, so that a child that stays behind keeps nobody waiting.

    @stdin: bytes or text. @stdout: an open file in place of ours (then .out is empty). Raises TimeoutError, after the
    whole process group was killed.
    """
    argv = [os.fspath(word) for word in argv]
    with tempfile.TemporaryFile(dir=folder) as out, tempfile.TemporaryFile(dir=folder) as err, \
            tempfile.TemporaryFile(dir=folder) as given:
        given.write(stdin.encode() if isinstance(stdin, str) else stdin or b"")
        given.seek(0)
        child = subprocess.Popen(argv, env=env, stdin=given, stdout=stdout or out, stderr=err, cwd=cwd,
                                 start_new_session=True)
        late = threading.Event()

        def kill():
            late.set()
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass    # it ended at this very moment

        timer = threading.Timer(timeout, kill)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        child.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        out.seek(0)
        err.seek(0)
        result = Result(argv, child.returncode, out.read().decode(errors="replace"),
                        err.read().decode(errors="replace"), (usage.ru_utime + usage.ru_stime) * 1000)
    if late.is_set():
        raise TimeoutError("not done after %s s: %r" % (timeout, result))
    return result


class Case(unittest.TestCase):
    """A test case with a temporary folder, self.tmp, that is removed with all that hangs on it."""

    def setUp(self):
        super().setUp()
        self.tmp = temp_folder()
        self.addCleanup(clean, self.tmp)

    def need_root(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        if not os.path.exists("/dev/loop-control"):
            self.skipTest("needs loop devices")

    def need_program(self, name, optional=False):
        path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if not path:
            self.skipTest((UNOBTAINABLE if optional else "needs ") + "the program " + name)
        return path

    def need_module(self, name, optional=False):
        """@optional, here and above: not every registry offers it, and its absence is never more than a skip."""
        try:
            return __import__(name)
        except ImportError:
            self.skipTest((UNOBTAINABLE if optional else "needs ") + "the Python module " + name)

    def tool(self, name):
        return os.path.join(BUILD, name)

    def run_tool(self, name, *args, root=None, env=None, timeout=60, stdin=None, preload=(), stdout=None, cwd=None):
        """Runs $B/@name with @args; @root becomes --root. It fails the test only when it does not end."""
        argv = [self.tool(name)] + (["--root", root] if root else []) + [str(word) for word in args]
        try:
            return run(argv, environment(env, preload), timeout, stdin, self.tmp, cwd, stdout)
        except TimeoutError as error:
            self.fail(str(error))

    def command(self, *argv, env=None, timeout=60, stdin=None):
        """Runs another program, which has to succeed. Returns its output."""
        found = environment(env)
        found["PATH"] = found.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
        result = run([str(word) for word in argv], found, timeout, stdin, self.tmp)
        if result.status != 0:
            self.fail("failed: %r" % result)
        return result.out

    def image(self, size_bytes, name=None):
        """A sparse file of that size in self.tmp."""
        if name is None:
            fd, path = tempfile.mkstemp(prefix="image-", dir=self.tmp)
            os.close(fd)
        else:
            path = os.path.join(self.tmp, name)
        with open(path, "ab") as file:
            file.truncate(size_bytes)
        return path

    def loop(self, what, read_only=False, sector_bytes=512):
        """A loop device over a file, or over a new sparse file of so many bytes. Detached at the end."""
        self.need_root()
        path = what if isinstance(what, str) else self.image(what)
        fd = os.open(path, (os.O_RDONLY if read_only else os.O_RDWR) | os.O_CLOEXEC)
        try:
            loop = loops.Loop(fd, read_only, sector_bytes)
        finally:
            os.close(fd)
        self.addCleanup(loop.close)
        return loop.path

    def mount(self, source, target=None, kind=None, options=None):
        """mount(8) on @target, or on a new folder. Unmounted at the end. Returns the mount point."""
        self.need_root()
        target = target or tempfile.mkdtemp(prefix="mount-", dir=self.tmp)
        words = (["-t", kind] if kind else []) + (["-o", options] if options else [])
        self.command("mount", *words, source, target)
        self.addCleanup(self.unmount, target)
        return target

    def unmount(self, target):
        if any(point == os.path.realpath(target) for point, _ in loops.mounts()):
            self.command("umount", target)


class Cloud:
    """Starts cloud.py and ends it. See its --help for what the options mean.

    transitions: "instant" or "ec2". encrypted: volumes are encrypted unless the request says otherwise. faults: names
    as in faults.py. volumes: what was attached at launch, each NAME:SIZE_GIB[:encrypted|plain[:FILE]]. devices: make
    block devices (root). options: further words for the command line, e.g. ["--bucket", "mutating=1/0.2"].
    """
    preload = os.path.join(BUILD, "tests", "lab", "nvme.so")

    def __init__(self, transitions="instant", encrypted=True, faults=(), volumes=(), devices=False, root=None,
                 options=(), lifetime=900):
        self.state = temp_folder()
        self.root = root or os.path.join(self.state, "root")
        self.nvme = os.path.join(self.state, "nvme")
        self.process = None
        self._words = ["--state", self.state, "--root", self.root, "--transitions", transitions,
                       "--lifetime", str(lifetime), "--build", BUILD]
        self._words += [] if encrypted else ["--no-default-encryption"]
        self._words += ["--devices"] if devices else []
        for name in [faults] if isinstance(faults, str) else faults:
            self._words += ["--fault", name]
        for volume in volumes:
            self._words += ["--attached", volume]
        self._words += [str(word) for word in options]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        with open(os.path.join(self.state, "cloud.log"), "ab") as log:
            self.process = subprocess.Popen([sys.executable, "-E", "-S", os.path.join(LAB, "cloud.py")] + self._words,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        path, end = os.path.join(self.state, "endpoints.json"), time.monotonic() + 20
        while not os.path.exists(path):
            if self.process.poll() is not None or time.monotonic() > end:
                said = self.log()
                self.stop()
                raise RuntimeError("the cloud did not start: " + said)
            time.sleep(0.005)
        with open(path) as file:
            self.endpoints = json.load(file)

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        if os.path.isdir(self.state):
            clean(self.state)

    def log(self):
        with open(os.path.join(self.state, "cloud.log"), errors="replace") as file:
            return file.read()

    @property
    def env(self):
        """For a tool on the instance: it finds IMDS, takes its credentials from there, and finds EC2."""
        return {"AWS_ENDPOINT_URL_EC2": self.endpoints["ec2"],
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.endpoints["imds"],
                "LAB_NVME": self.nvme}

    @property
    def keys(self):
        """For a program that does not ask IMDS: keys and Region in the environment."""
        return {"AWS_ACCESS_KEY_ID": self.endpoints["access-key-id"],
                "AWS_SECRET_ACCESS_KEY": self.endpoints["secret-access-key"], "AWS_REGION": self.endpoints["region"],
                "AWS_DEFAULT_REGION": self.endpoints["region"]}

    @property
    def instance_id(self):
        return self.endpoints["instance-id"]

    def calls(self, service=None, action=None, everything=False):
        """What was asked of the cloud, in order, without what tests asked through call() (unless @everything)."""
        found = []
        path = os.path.join(self.state, "calls.jsonl")
        if os.path.exists(path):
            with open(path) as file:
                found = [json.loads(line) for line in file if line.endswith("\n")]
        return [call for call in found
                if (everything or call.get("by") != "test") and service in (None, call["service"])
                and action in (None, call["action"])]

    def call(self, action, **parameters):
        """Asks EC2 on the test's behalf. Names as on the wire; "_" stands for ".". Returns the answer's root."""
        wanted = {name.replace("_", "."): value for name, value in parameters.items()}
        return client.ask_ec2(self.endpoints, action, wanted)

    def volumes(self):
        """All volumes as the cloud has them at this moment (no delay, no fault): dicts, see Volume.report()."""
        return self.control("volumes")

    def set_faults(self, *names):
        """Replaces all faults."""
        return self.control("faults", list(names))

    def control(self, what, data=None):
        return client.control(self.endpoints, what, data)
