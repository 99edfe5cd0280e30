# SPDX-License-Identifier: Apache-2.0
"""Whatever people, and people who mean harm, send as a photo or as words: each gets a clear problem
in both languages that names the field, or a video; and nothing is left behind."""
import concurrent.futures
import contextlib
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest
import zlib

from harness import PHOTOS, Case, photo, wait_until

PORTRAIT = PHOTOS / "astronaut.jpg"
SVG = (b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink" width="9" '
       b'height="9"><image x:href="http://127.0.0.1:%d/seen"/><image x:href="file:///etc/passwd"/></svg>')


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, data, *more, depth=8, colour=2):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(more) + chunk(b"IDAT", data)
            + chunk(b"IEND", b""))


def jpeg_of_size(data, width, height):
    """The same JPEG, saying that it is of another size."""
    at = data.index(b"\xff\xc0")
    return data[:at + 5] + struct.pack(">HH", height, width) + data[at + 9:]


class Bad(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.mkdtemp(prefix="vmad-pictures-")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)
        super().tearDownClass()

    def make(self, name, *command):
        """A picture made by a command line, in which OUT stands for its path."""
        if not shutil.which(command[0]):
            self.skipTest(f"{command[0]} is not installed")
        path = os.path.join(self.folder, name)
        done = subprocess.run([path.join(word.split("OUT")) for word in command], check=False,
                              capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, "rb") as file:
            return file.read()

    def vips(self, name, *words, options=""):
        """vips WORDS[0] PORTRAIT OUT rest…"""
        return self.make(name, "vips", words[0], str(PORTRAIT), f"OUT{options}", *words[1:])

    def send(self, image, text="hi", language="en", path="/api/video/generate"):
        parts = [("image", image, "photo.jpg")] + ([("text", text)] if path.endswith("generate") else [])
        return self.vmad.post_form(path, parts, {"Prefer": "respond-async", "Accept-Language": language})

    def kept(self):
        store = os.path.join(self.vmad.data, "store")
        return sorted(os.path.join(folder, name) for folder, _, names in os.walk(store)
                      for name in names if "upload" in folder)

    def refused(self, image, status, code, text="hi", field="image"):
        before = self.kept()
        answers = [self.send(image, text, language) for language in ("en", "ja")]
        for answer in answers:
            self.assert_problem(answer, status, code, field)
        english, japanese = (answer.json for answer in answers)
        for member in ("title", "detail"):
            self.assertTrue(english[member].isascii(), english)
            self.assertFalse(japanese[member].isascii(), japanese)
        self.assertEqual(self.vmad.spooled(), [])
        self.assertEqual(self.kept(), before)

    def passes(self, image, faces=1):
        answer = self.send(image, path="/api/image/faces")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(len(answer.json["faces"]), faces)
        self.assertEqual(self.vmad.spooled(), [])
        return answer.json

    def works(self):
        self.assertEqual(self.vmad.get("/health/ready").status, 200)
        self.passes(photo())


class Photos(Bad):
    def test_what_is_no_picture(self):
        jpeg = photo()
        for data in (b"Dear Ann,", b"\0" * 5000, b"%PDF-1.4\n" + jpeg, b"/*" + jpeg, b"BM" + b"\0" * 80,
                     b"8BPS\0\1" + b"\0" * 80, b"\0\0\1\0\1\0" + b"\0" * 80, b"\x1f\x8b\x08" + b"\0" * 80,
                     b"%!PS-Adobe-3.0\n(/etc/passwd) run", b"PK\3\4" + jpeg, png(0, 0, b""),
                     b"push graphic-context\nimage over 0,0 0,0 'https://127.0.0.1/'",
                     b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
                     b"<svg>&x;</svg>"):
            self.refused(data, 415, "image_not_a_picture")
        self.refused(b"", 422, "image_empty")

    def test_a_drawing_with_references_reaches_nothing(self):
        before = self.vmad.get("/metrics").body.count(b'route="unmatched"')
        self.refused(SVG % self.vmad.port, 415, "image_not_a_picture")
        self.assertEqual(self.vmad.get("/metrics").body.count(b'route="unmatched"'), before)

    def test_a_part_of_a_file(self):
        pictures = {"a.jpg": photo()}
        for name in ("a.png", "a.webp", "a.tif", "a.gif", "a.heic", "a.avif"):
            pictures[name] = self.vips(name, "copy")
        for name, data in pictures.items():
            for share in (0.1, 0.5, 0.95):
                with self.subTest(name=name, share=share):
                    self.refused(data[:int(len(data) * share)], 422, "image_truncated")

    def test_too_many_pixels(self):
        many = self.make("60mp.png", "vips", "black", "OUT", "10000", "6000")
        self.refused(many, 413, "image_too_many_pixels")
        self.refused(self.make("900mp.png", "vips", "black", "OUT", "30000", "30000"), 413,
                     "image_too_many_pixels")
        self.refused(jpeg_of_size(photo(), 65500, 65500), 413, "image_too_many_pixels")

    def test_what_swells_is_stopped(self):
        began, packer = time.monotonic(), zlib.compressobj(9)
        swollen = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1500)) + packer.flush()
        memory = self.vmad.rss_kb()
        for name, head in ((b"iCCP", b"x\0\0"), (b"zTXt", b"x\0\0")):
            answer = self.send(png(300, 300, zlib.compress(bytes(300 * 901)), chunk(name, head + swollen)))
            self.assert_problem(answer, 422, "image_no_face", "image")  # read without it: a black square
        self.refused(png(100, 100, swollen), 422, "image_timeout")  # of a processor: a second
        page = zlib.compress(bytes(8 << 20), 9)
        words = b"".join(chunk(b"zTXt", b"k%d\0\0" % i + page) for i in range(500))
        self.refused(png(300, 300, zlib.compress(bytes(300 * 901)), words), 422, "image_timeout")
        large = time.monotonic()  # what says that it is large has more time, but not for that
        self.refused(png(7000, 7000, swollen), 422, "image_truncated")
        self.assertLess(time.monotonic() - large, 4)
        self.assertLess(self.vmad.rss_kb(), memory + 60_000)
        self.assertLess(time.monotonic() - began, 60)
        self.works()

    def test_an_honest_picture_has_time_for_its_pixels(self):
        side, packer = 7000, zlib.compressobj(1)
        row = b"\1" + bytes(8 * side)
        rows = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
        deep = png(side, side, rows, depth=16, colour=6)  # 49 megapixels of 64 bits: seconds
        self.assert_problem(self.send(deep), 422, "image_no_face", "image")

    def test_what_moves(self):
        frames = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=1"]
        ffmpeg = ("ffmpeg", "-v", "error", "-y", *frames)
        for name, more in (("a.gif", ()), ("a.png", ("-f", "apng")), ("a.webp", ("-c:v", "libwebp_anim"))):
            with self.subTest(name=name):
                moving = self.make(f"moving-{name}", *ffmpeg, *more, "OUT")
                self.refused(moving, 422, "image_animated")

    def test_faces_that_cannot_speak(self):
        self.refused(photo("no_face.jpg"), 422, "image_no_face")
        self.refused(photo("profile.jpg"), 422, "image_face_profile")
        self.refused(photo("tiny_face.jpg"), 422, "image_face_too_small")
        small = self.send(photo("tiny_face.jpg")).json["detail"]
        aside = self.send(photo("profile.jpg")).json["detail"]
        self.assertIn("too small", small)
        self.assertIn("from the side", aside)

    def test_every_usual_kind_of_photo_passes(self):
        self.passes(self.vips("plain.png", "copy"))
        for name in ("b.webp", "b.tif", "b.gif", "b.heic", "b.avif"):
            with self.subTest(name=name):
                self.passes(self.vips(name, "copy"))
        self.passes(self.vips("progressive.jpg", "copy", options="[interlace]"))
        self.passes(self.vips("palette.png", "copy", options="[palette]"))
        self.passes(self.vips("cmyk.jpg", "icc_transform", "cmyk", "--input-profile", "srgb"))
        self.passes(self.vips("deep.png", "colourspace", "rgb16"))
        self.passes(self.vips("grey.jpg", "colourspace", "b-w"))
        self.passes(self.vips("deep-grey.png", "colourspace", "grey16"))
        self.passes(self.vips("lab.tif", "colourspace", "lab"))
        self.passes(self.vips("opaque.png", "bandjoin_const", "255"))
        self.passes(self.vips("glass.png", "bandjoin_const", "200"))

    def test_photos_with_something_behind_them_pass_and_lose_it(self):
        for tail in (b"<script>alert(1)</script>", b"PK\3\4" + b"zip" * 9999, b"\0\0\0\x18ftypmp42" + b"m" * 50000):
            self.passes(photo() + tail)
        answer = self.vmad.post_form("/api/image/preview", [
            ("image", photo() + b"<script>alert(1)</script>", "x.html"), ("background", "blur")])
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "image/jpeg"))
        self.assertNotIn(b"<script>", answer.body)

    def test_exif_with_anything_in_it(self):
        if not shutil.which("exiftool"):
            self.skipTest("exiftool is not installed")
        words = ["-n", "-GPSLatitude=35.6", "-GPSLatitudeRef=N", "-GPSLongitude=139.7", "-Artist=" + "長" * 5000,
                 "-UserComment=\u202e<script>", "-XPTitle=x", "-ImageDescription=%n%s%s%n", "-Make=" + "A" * 9000,
                 "-DateTimeOriginal=0000:00:00 00:00:00", "-ExposureTime=0", "-FNumber=1e9"]
        self.passes(self.exif("odd.jpg", *words))
        for orientation in range(0, 9):
            turned = self.exif(f"turned{orientation}.jpg", "-n", f"-Orientation={orientation}")
            reply = self.send(turned, path="/api/image/faces")
            self.assertEqual(reply.status, 200, reply.body)  # lying faces may not be found: they are no error
        for rubbish in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xee" * 60000,
                        b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta" + b"<a>" * 9000, b"ICC_PROFILE\0\1\1" + b"?" * 3000,
                        b"MPF\0II*\0\x08\0\0\0\1\0\0\xb0"):
            marker = b"\xff\xe2" if rubbish[:1] in b"IM" else b"\xff\xe1"
            segment = marker + struct.pack(">H", len(rubbish) + 2) + rubbish
            self.passes(photo()[:2] + segment + photo()[2:])

    def exif(self, name, *words):
        path = os.path.join(self.folder, name)
        shutil.copy(PORTRAIT, path)
        done = subprocess.run(["exiftool", "-q", "-q", "-m", "-overwrite_original", *words, path],
                              check=False, capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, "rb") as file:
            return file.read()

    def test_the_picture_behind_is_held_to_the_same(self):
        for data, code in ((b"", "image_empty"), (b"note", "image_not_a_picture"),
                           (photo()[:9000], "image_truncated")):
            answer = self.vmad.post_form("/api/video/generate", [
                ("image", photo(), "a.jpg"), ("text", "hi"), ("background_image", data, "b.jpg")],
                {"Prefer": "respond-async"})
            self.assert_problem(answer, answer.status, code, "background_image")
            self.assertEqual(self.vmad.spooled(), [])


class Decoders(Bad):
    """The programs that read pictures are killed, and stopped in the middle: that concerns nobody else."""

    def children(self):
        folder = f"/proc/{self.vmad.process.pid}/task"
        pids = []
        for task in os.listdir(folder):
            with open(f"{folder}/{task}/children", encoding="ascii") as file:
                pids += [int(pid) for pid in file.read().split()]
        return pids

    def test_one_that_was_killed_is_started_again(self):
        self.passes(photo())
        for _ in range(3):
            killed = self.children()
            self.assertTrue(killed)
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            self.works()

    def test_one_that_hangs_holds_up_its_own_photo_only(self):
        self.passes(photo())
        stuck = self.children()
        for pid in stuck:
            os.kill(pid, signal.SIGSTOP)
        try:
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                asked = pool.submit(self.send, photo("no_face.jpg"), path="/api/image/faces")
                for path in ("/health", "/api/limits", "/api/voices", "/metrics"):
                    self.assertEqual(self.vmad.get(path, timeout=5).status, 200)
                answer = asked.result(60)
        finally:
            for pid in stuck:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        self.assertIn(answer.status, (200, 422, 503, 504), answer.body)
        self.assertTrue(wait_until(lambda: self.send(photo(), path="/api/image/faces").status == 200))
        self.works()


class Words(Bad):
    def test_what_cannot_be_said(self):
        image = photo()
        for text in ("", " ", "\u3000 \t\r\n "):
            self.refused(image, 422, "text_empty", text, "text")
        for text in ("\u00a0\u200b\ufeff", "🎂🎉", "👨‍👩‍👧‍👦🇯🇵❤️", "...!?", "\ue000", "\uffff"):
            self.refused(image, 422, "text_unspeakable", text, "text")
        for text in ("あ" * 1001, "a" * 70_000, "あ" * 30_000):
            self.refused(image, 422, "text_too_long", text, "text")
        for text in (b"abc\xff\xfe", b"\xed\xa0\x80abc", b"\xc0\x80", "あ".encode("shift_jis"),
                     "hello".encode("utf-16")[:-1]):
            self.refused(image, 400, "text_not_utf8", text, "text")
        for text in ("a\0b", "a\x07b", "\x1b[31mred", "a\x7f", "a\x85b", "a\u009bb"):
            self.refused(image, 422, "text_control_characters", text, "text")

    def test_what_no_voice_here_can_read_is_said_at_once(self):
        for text in ("مرحبا بالعالم", "שלום עולם", "Привет", "สวัสดี", "안녕하세요", "hello שלום"):
            self.refused(photo(), 422, "voice_text_unspeakable", text, "text")
        answer = self.vmad.post_form("/api/video/generate", [
            ("image", photo(), "a.jpg"), ("text", "こんにちは"), ("voice_profile", "en-emma")])
        self.assert_problem(answer, 422, "voice_text_unspeakable", "text")

    def test_odd_words_are_spoken(self):
        for text in ("a" * 500, "生" * 500, "1234567890" * 50, "\u202ehello\u202c", "\u200fhello", "x\u2028y",
                     "e\u0301" * 300, "a" + "\u0300" * 900, "<b>hi</b> &amp; \"q\" %s %n", "  hi" + " " * 2000,
                     "a\r\nb\rc", "Hello 世界 123"):
            answer = self.send(photo(), text)
            self.assertEqual(answer.status, 202, (text, answer.body))
            where = answer.headers["Location"]
            over = lambda: self.vmad.get(where).json["status"] in ("done", "error")
            if len(text) < 50:
                self.assertTrue(wait_until(over, 60, 0.1))
                self.assertEqual(self.vmad.get(where).json["status"], "done", text)
            else:
                self.vmad.request("DELETE", where)

    def test_unknown_voices(self):
        for voice in ("nobody", "openvoice_abc123", "../../etc/passwd", "ja-hana\n", "' OR 1=1 --", "声"):
            for language in ("en", "ja"):
                answer = self.vmad.post_form("/api/video/generate", [
                    ("image", photo(), "a.jpg"), ("text", "hi"), ("voice_profile", voice)],
                    {"Accept-Language": language})
                self.assert_problem(answer, 422, "voice_unknown", "voice_profile")
                self.assertEqual(answer.headers["Content-Language"], language)

    def test_from_right_to_left_and_without_a_space_are_as_long_as_any(self):
        for text in ("\u05e9" * 1001, "\u202e" + "a" * 1000, "a" * 1001):
            self.refused(photo(), 422, "text_too_long", text, "text")
        for text in ("\u05e9\u05dc\u05d5\u05dd", "\u0645\u0631\u062d\u0628\u0627"):  # no voice here reads them
            self.refused(photo(), 422, "voice_text_unspeakable", text, "text")


if __name__ == "__main__":
    unittest.main()
