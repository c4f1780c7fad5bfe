# SPDX-License-Identifier: Apache-2.0
"""What the tests of ebs-format share."""
import hashlib
import os
import random

import cutdisk
import lab

MIB, GIB, TIB = 1 << 20, 1 << 30, 1 << 40
SMALL = 320 * MIB      # enough for xfs


class Format(lab.Case):
    def setUp(self):
        super().setUp()
        self.need_root()
        self.need_program("e2fsck")
        self.need_program("mkfs.xfs")

    def format(self, path, *args, **options):
        return self.run_tool("ebs-format", *args, path, **options)

    def formatted(self, path, *args, outcome="made", **options):
        result = self.format(path, "--json", *args, **options)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.json["outcome"], outcome, result)
        return result.json

    def digest(self, path):
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def noise(self, size_bytes, holes=()):
        """A device of noise with some bytes put in: (offset, bytes) each."""
        image = os.path.join(self.tmp, "noise")
        cutdisk.make_noise(image, size_bytes, seed=7)
        with open(image, "r+b") as file:
            for offset, data in holes:
                file.seek(offset)
                file.write(data)
        return self.loop(image)

    def refused(self, path, words, *args, status=3):
        """It ends with @status and a sentence with @words in it, and not a byte was changed."""
        before = self.digest(path)
        result = self.format(path, *args)
        self.assertEqual(result.status, status, result)
        self.assertIn(words, result.err)
        self.assertEqual(result.err.strip().count("\n"), result.err.count(": found "), result)
        self.assertEqual(self.digest(path), before)
        return result

    def write_files(self, folder, seed=3):
        """Many small files and a large one; returns what check_files() wants."""
        content = random.Random(seed).randbytes(3 * MIB)
        os.mkdir(os.path.join(folder, "many"))
        for number in range(500):
            with open(os.path.join(folder, "many", str(number)), "w") as file:
                file.write(str(number))
        with open(os.path.join(folder, "large"), "wb") as file:
            file.write(content)
            os.fsync(file.fileno())
        return content

    def check_files(self, folder, content):
        for number in range(500):
            with open(os.path.join(folder, "many", str(number))) as file:
                self.assertEqual(file.read(), str(number))
        with open(os.path.join(folder, "large"), "rb") as file:
            self.assertEqual(file.read(), content)

    def check_clean(self, path, filesystem):
        if filesystem == "ext4":
            self.command("e2fsck", "-fn", path, timeout=300)
        else:
            self.command("xfs_repair", "-n", path)
