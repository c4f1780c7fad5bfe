# SPDX-License-Identifier: Apache-2.0
"""What no filesystem made: nothing, noise, and data that is neither."""
import os
import shutil
import subprocess

import blankcase
import disks

MIB = 1 << 20
GIB = 1 << 30


class Contents(blankcase.Blank):
    """What no filesystem made."""

    def test_zeros_are_blank_on_any_size_and_sector(self):
        for size, sector in ((64 * MIB, 512), (64 * MIB + 512, 512), (20 * MIB, 512), (33 * MIB + 1024, 512), (GIB, 4096),
                             (65536, 512), (100 * GIB, 512), (1536, 512)):
            with self.subTest(size=size, sector=sector):
                self.expect(self.loop(size, sector_bytes=sector), "zero", "nothing")

    def test_noise_is_noise_on_any_size_and_sector(self):
        for size, sector in ((65 * MIB, 512), (40 * MIB + 1536, 512), (20 * MIB, 512), (48 * MIB, 4096)):
            with self.subTest(size=size, sector=sector):
                image = self.image(size)
                blankcase.noise(image)
                device = self.loop(image, sector_bytes=sector)
                self.expect(device, "noise", "an encrypted volume that was never written, or encrypted data")

    def test_a_few_bytes_anywhere_that_is_read_whole_are_found(self):
        size = 300 * MIB
        for at in (0, 511, 4096, 16 * MIB - 1, size - 16 * MIB, size - 1):
            with self.subTest(at=at):
                path = self.image(size)
                disks.write(path, at, b"\1")
                self.expect(path, "taken", "that no filesystem check recognises")

    def test_data_in_one_hundredth_of_a_disk_is_found(self):
        path = self.image(10 * GIB)
        with open(path, "r+b") as file:
            file.seek(4 * GIB + 12345)
            file.write(b"x" * (100 * MIB))
        self.expect(path, "taken", "data at 4.0 GiB that no filesystem check recognises")

    def test_noise_with_a_hole_is_not_noise(self):
        path = self.image(60 * MIB)
        blankcase.noise(path)
        disks.write(path, 30 * MIB, bytes(4096))
        self.expect(path, "taken", "zeros mixed with random data")

    def test_noise_with_a_page_of_text_is_not_noise(self):
        path = self.image(60 * MIB)
        blankcase.noise(path)
        disks.write(path, 30 * MIB, b"somebody's only copy of something " * 100)
        self.expect(path, "taken", "data at 30 MiB")

    def test_what_remains_of_noise_is_noise_when_its_ends_were_zeroed(self):
        for sector in (512, 4096):
            image = self.image(70 * MIB)
            blankcase.noise(image)
            device = self.loop(image, sector_bytes=sector)
            answer = self.ask(device, "zero-ends")
            self.assertEqual((answer.status, answer.verdict), (0, "noise"), answer)
            with open(device, "rb") as file:
                self.assertEqual(file.read(16 * MIB), bytes(16 * MIB))
                self.assertNotEqual(file.read(16), bytes(16))
                file.seek(54 * MIB)
                self.assertEqual(file.read(), bytes(16 * MIB))

    def test_one_zeroed_end_is_not_enough(self):
        for start, end in ((16 * MIB, 70 * MIB), (0, 54 * MIB), (16 * MIB, 54 * MIB + 4096), (16 * MIB - 4096, 54 * MIB)):
            with self.subTest(start=start, end=end):
                path = self.image(70 * MIB)
                blankcase.noise(path, start, end)
                self.expect(path, "taken", "zeros mixed with random data")

    def test_compressed_data_is_not_noise(self):
        """Real text and programs, packed to fill the disk, begun in the middle of a stream."""
        source = self.image(0)
        with open(source, "wb") as file:
            for folder in ("/usr/lib/python3", "/usr/lib", "/usr/include", "/usr/bin", "/usr/share"):
                for name in sorted(os.listdir(folder)):
                    path = os.path.join(folder, name)
                    if os.path.isfile(path) and not os.path.islink(path) and file.tell() < 32 * MIB:
                        with open(path, "rb") as part:
                            shutil.copyfileobj(part, file)
        for words in (("gzip", "-9c"), ("zstd", "-q3c"), ("bzip2", "-1c"), ("lz4", "-q1c"), ("xz", "-0c")):
            if not shutil.which(words[0]):
                continue
            with open(source, "rb") as file:
                packed = subprocess.run(words, stdin=file, stdout=subprocess.PIPE, check=True).stdout[100000:]
            for size in (len(packed) // 4096 * 4096, 4 * MIB, 2 * MIB):
                path = self.image(size)
                disks.write(path, 0, packed[:size])
                with self.subTest(packed_with=words, size=size):
                    self.expect(path, "taken")
                os.unlink(path)

    def test_streams_are_called_by_their_names(self):
        for name, begins in (("xz data", b"\xfd7zXZ\0"), ("zstd data", b"\x28\xb5\x2f\xfd"),
                             ("data that openssl made", b"Salted__")):
            path = self.image(40 * MIB)
            blankcase.noise(path)
            disks.write(path, 0, begins)
            with self.subTest(name):
                self.expect(path, "taken", name)
