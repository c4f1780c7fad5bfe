# SPDX-License-Identifier: Apache-2.0
"""A real containerd on a store of ours, and an image made from busybox, with no registry and no network.

    with containers.Containerd(store="/mnt/store", folder="/tmp/x") as containerd:
        containerd.ctr("images", "import", containers.busybox_image("/tmp/x/image.tar"))
        print(containerd.run("docker.io/lab/busybox:latest", "echo", "hello"))
"""
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import time

IMAGE = "docker.io/lab/busybox:latest"
APPLETS = ("sh", "cat", "echo", "ls", "sha256sum", "uname")


def _add(tar, name, data=b"", mode=0o755, kind=tarfile.REGTYPE, link=""):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.type, entry.linkname = len(data), mode, kind, link
    tar.addfile(entry, io.BytesIO(data) if data else None)


def _layer():
    with open(shutil.which("busybox"), "rb") as file:
        program = file.read()
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for folder in ("bin", "etc", "proc", "sys", "tmp"):
            _add(tar, folder, kind=tarfile.DIRTYPE)
        _add(tar, "bin/busybox", program)
        for applet in APPLETS:
            _add(tar, "bin/" + applet, kind=tarfile.SYMTYPE, link="busybox")
        _add(tar, "etc/motd", b"an image that never saw a registry\n", 0o644)
    return text.getvalue()


def busybox_image(path):
    """Writes a docker archive with one layer to @path and returns it."""
    layer = _layer()
    config = json.dumps({
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine], "os": "linux",
        "config": {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}).encode()
    manifest = [{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, "config.json", config, 0o644)
        _add(tar, "layer.tar", layer, 0o644)
        _add(tar, "manifest.json", json.dumps(manifest).encode(), 0o644)
    return path


class Containerd:
    """containerd with its root in @store and everything else in @folder, without CRI, ended at the end."""

    def __init__(self, store, folder):
        self.store, self.folder, self.process = store, folder, None
        self.socket = os.path.join(folder, "containerd.sock")

    def __enter__(self):
        config = os.path.join(self.folder, "containerd.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write('version = 2\nroot = "%s"\nstate = "%s/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
                       '[grpc]\naddress = "%s"\n' % (self.store, self.folder, self.socket))
        with open(os.path.join(self.folder, "containerd.log"), "ab") as log:
            self.process = subprocess.Popen(["containerd", "--config", config, "--log-level", "warn"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 30
        while subprocess.run(self.argv("version"), capture_output=True, check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                with open(os.path.join(self.folder, "containerd.log"), encoding="utf-8", errors="replace") as file:
                    raise RuntimeError("containerd did not start: " + file.read())
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def argv(self, *words):
        return ["ctr", "--address", self.socket, "--namespace", "k8s.io"] + list(words)

    def ctr(self, *words):
        done = subprocess.run(self.argv(*words), capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise RuntimeError("ctr %s: %s" % (" ".join(words), done.stderr.strip()))
        return done.stdout

    def run(self, image, *command):
        """Runs @command in a new container with no network and returns what it printed."""
        return self.ctr("run", "--rm", image, "lab-%d" % time.monotonic_ns(), *command)
