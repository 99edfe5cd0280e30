# SPDX-License-Identifier: Apache-2.0
"""What runs the models, from outside: who went away, what is too large, what dies, what is said."""
import struct
import subprocess
import time
import unittest
import zlib

from harness import PROGRAM, SOURCE, Vmad, form

STUBS = SOURCE / "tests" / "data" / "models"
GREY, WHITE = (128, 128, 128), (255, 255, 255)


def png(colour, width=320, height=240):
    """A picture of one colour."""
    def chunk(name, data):
        packed = struct.pack(">I", len(data)) + name + data
        return packed + struct.pack(">I", zlib.crc32(name + data))
    row = b"\0" + bytes(colour) * width
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b""))


def cut_out(vmad, picture, **how):
    return vmad.post_form("/api/image/cutout", [("image", picture, "a.png")], **how)


class Engine(unittest.TestCase):
    """Every test has a service of its own, with the model that it names."""

    def start(self, stub=None, env=None, options=(), decoder=None):
        vmad = Vmad("--role", "image", *options, env=env)
        self.addCleanup(vmad.close)
        if stub:
            self.add(vmad, "stub", stub, decoder)
        return vmad

    def add(self, vmad, name, stub, decoder=None):
        more = ["--kind", "sam2", "--decoder", str(STUBS / decoder)] if decoder else []
        for words in (["add", name, str(STUBS / stub), *more], ["use", name]):
            done = subprocess.run([str(PROGRAM), "models", "--data", vmad.data, *words],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)


class Leaving(Engine):
    def test_the_device_is_free_when_its_client_went_away(self):
        vmad = self.start("birefnet_slow.onnx", {"IMAGE_STREAMS": "1"})
        self.assertEqual(cut_out(vmad, png(GREY)).status, 200)
        body, kind = form([("image", png(WHITE), "a.png")])
        for _ in range(3):  # one endless picture after the other
            with vmad.socket() as client:
                client.sendall(b"POST /api/image/cutout HTTP/1.1\r\nHost: a\r\nContent-Type: "
                               + kind.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
                               + body)
                time.sleep(0.3)
        began = time.monotonic()
        self.assertEqual(cut_out(vmad, png(GREY)).status, 200)
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(vmad.stop(), 0)
        self.assertEqual(vmad.spooled(), [])


if __name__ == "__main__":
    unittest.main()
