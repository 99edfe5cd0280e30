# SPDX-License-Identifier: Apache-2.0
"""Every route that /openapi.json names is asked once, well, and answers as it says; at the end the
server's own counters must have seen all of them. A route that is new needs a line here."""
import json
import re
import shutil
import struct
import subprocess
import unittest

from harness import Case, photo, wait_until

ASYNC = {"Prefer": "respond-async"}
IMAGE = ("image", photo(), "a.jpg")
COUNT = re.compile(rb'vma_http_requests_total\{method="(\w+)",route="([^"]+)",status="(\d+)"\} (\d+)')


def jpeg_size(data):
    """Width and height from a JPEG's frame header."""
    at = 2
    while data[at] == 0xFF:
        marker, size = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        if 0xC0 <= marker <= 0xC3:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + size
    raise AssertionError("a JPEG without a frame")


class Routes(Case):
    options = ("--heartbeat", "200ms")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operations = {(path, method.upper())
                          for path, item in cls.vmad.get("/openapi.json").json["paths"].items()
                          for method in item}

    def form(self, path, *parts, headers=None):
        return self.vmad.post_form(path, [IMAGE, *parts], headers)

    def say(self, path, **body):
        return self.vmad.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})

    def job(self, text="Hello."):
        reply = self.form("/api/video/generate", ("text", text), headers=ASYNC)
        self.assertEqual(reply.status, 202, reply.body)
        return reply.json["id"]

    def asked(self):
        """What asks each route, once there is a message to ask about."""
        done, other = self.job(), self.job("Never mind. " * 50)
        over = lambda: self.vmad.get(f"/api/video/jobs/{done}").json["status"] == "done"
        self.assertTrue(wait_until(over, 60, 0.1))
        preset = self.vmad.get("/api/presets/backgrounds").json["backgrounds"][0]["id"]
        music = self.vmad.get("/api/presets/music").json["music"][0]["id"]
        get = self.vmad.get
        unified, detection = "/api/unified-voice", "/api/person-detection"
        persons = ("selected_person_ids", "[0]")
        return {
            ("/health", "GET"): lambda p: get(p),
            ("/health/live", "GET"): lambda p: get(p),
            ("/health/ready", "GET"): lambda p: get(p),
            ("/api/video/generate", "POST"): lambda p: self.form(p, ("text", "Hello.")),
            ("/api/video/jobs/{id}", "GET"): lambda p: get(p.format(id=done)),
            ("/api/video/jobs/{id}", "DELETE"): lambda p: self.vmad.request("DELETE", p.format(id=other)),
            ("/api/video/jobs/{id}/events", "GET"): lambda p: get(p.format(id=done)),
            ("/api/video/jobs/{id}/video", "GET"): lambda p: get(p.format(id=done)),
            ("/api/video/jobs/{id}/thumbnail", "GET"): lambda p: get(p.format(id=done)),
            ("/api/voices", "GET"): lambda p: get(p),
            ("/api/voices/{id}/sample", "GET"): lambda p: get(p.format(id="en-emma")),
            ("/api/image/faces", "POST"): lambda p: self.form(p),
            ("/api/image/cutout", "POST"): lambda p: self.form(p),
            ("/api/image/landmarks", "POST"): lambda p: self.form(p),
            ("/api/image/preview", "POST"): lambda p: self.form(p),
            ("/api/process-image", "POST"): lambda p: self.form(p),
            ("/api/background/remove-background", "POST"): lambda p: self.form(p),
            ("/api/background/health", "GET"): lambda p: get(p),
            (f"{detection}/detect", "POST"): lambda p: self.form(p),
            (f"{detection}/extract-person", "POST"): lambda p: self.form(p, persons),
            ("/api/limits", "GET"): lambda p: get(p),
            ("/api/presets/backgrounds", "GET"): lambda p: get(p),
            ("/api/presets/backgrounds/{id}/{file}", "GET"): lambda p: get(p.format(id=preset, file="image")),
            ("/api/presets/music", "GET"): lambda p: get(p),
            ("/api/presets/music/{id}/preview", "GET"): lambda p: get(p.format(id=music)),
            ("/api/sse/progress/{task}", "GET"): lambda p: get(p.format(task=done)),
            (f"{unified}/health", "GET"): lambda p: get(p),
            (f"{unified}/voices", "GET"): lambda p: get(p),
            (f"{unified}/voices/{{id}}", "GET"): lambda p: get(p.format(id="ja-hana")),
            (f"{unified}/providers", "GET"): lambda p: get(p),
            (f"{unified}/voice-types", "GET"): lambda p: get(p),
            (f"{unified}/synthesize", "POST"): lambda p: self.say(p, text="Hello."),
            (f"{unified}/test", "POST"): lambda p: self.say(p),
            ("/jobs", "GET"): lambda p: get(p),
            ("/metrics", "GET"): lambda p: get(p),
            ("/openapi.json", "GET"): lambda p: get(p),
            ("/docs", "GET"): lambda p: get(p),
            ("/problems/{code}", "GET"): lambda p: get(p.format(code="not_found")),
        }

    def test_every_route_is_asked_and_answers(self):
        asked = self.asked()
        self.assertEqual(set(asked), self.operations)
        for (path, method), ask in asked.items():
            with self.subTest(path=path, method=method):
                answer = ask(path)
                self.assertEqual(answer.status, 200, answer.body[:300])
                self.assertTrue(answer.body)
        figures = self.vmad.get("/metrics").body
        counts = COUNT.findall(figures)
        seen = {(route.decode(), method.decode()) for method, route, status, count in counts
                if status == b"200" and int(count) > 0}
        self.assertEqual(self.operations - seen, set())
        for name in (b'vma_stage_duration_seconds_bucket{stage="video"', b'vma_jobs{state="done"} ',
                     b'vma_http_request_duration_seconds_bucket{method="POST",route="/api/video/generate"'):
            self.assertIn(name, figures)
        if shutil.which("promtool"):  # with every figure that there can be
            checked = subprocess.run(["promtool", "check", "metrics"], input=figures, check=False,
                                     capture_output=True)
            self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))

    def test_the_router_takes_the_methods_that_are_described_and_no_others(self):
        paths = {}
        for path, method in self.operations:
            paths.setdefault(path, set()).update({method, "OPTIONS"} | ({"HEAD"} if method == "GET" else set()))
        for path, methods in paths.items():
            with self.subTest(path=path):
                real = re.sub(r"\{\w+\}", "x", path)
                answer = self.vmad.request("OPTIONS", real)
                self.assertEqual((answer.status, set(answer.headers["Allow"].split(", "))), (204, methods))
                wrong = self.vmad.request("PATCH", real)
                self.assert_problem(wrong, 405, "method_not_allowed")
                self.assertEqual(set(wrong.headers["Allow"].split(", ")), methods)


class Preview(Case):
    """A still of what the video will show."""

    def still(self, *parts, image=photo(), language="en"):
        return self.vmad.post_form("/api/image/preview", [("image", image, "a.jpg"), *parts],
                                   {"Accept-Language": language})

    def ok(self, *parts, **more):
        answer = self.still(*parts, **more)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "image/jpeg"),
                         answer.body[:300])
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertEqual(self.vmad.spooled(), [])
        return answer.body

    def corner(self, jpeg):
        """The colour of the upper left corner."""
        if not shutil.which("ffmpeg"):
            self.skipTest("ffmpeg is not installed")
        words = ["ffmpeg", "-v", "error", "-i", "-", "-vf", "crop=16:16:0:0,scale=1:1:flags=area",
                 "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        return tuple(subprocess.run(words, input=jpeg, capture_output=True, check=True).stdout)

    def near(self, colour, other):
        return max(abs(a - b) for a, b in zip(colour, other)) < 24

    def test_it_has_the_shape_that_is_asked_for(self):
        for shape, aspect in (("1:1", 1), ("9:16", 9 / 16), ("16:9", 16 / 9)):
            width, height = jpeg_size(self.ok(("format", shape)))
            self.assertAlmostEqual(width / height, aspect, delta=0.01)
            self.assertTrue(500 <= max(width, height) <= 720, (width, height))
        self.assertEqual(jpeg_size(self.ok()), jpeg_size(self.ok(("format", "1:1"))))

    def test_it_has_the_background_that_is_asked_for(self):
        kept = self.ok(("background", "keep"))
        self.assertEqual(kept, self.ok())
        self.assertTrue(self.near(self.corner(self.ok(("background", "color:#20c040"))), (0x20, 0xC0, 0x40)))
        blurred, preset = self.ok(("background", "blur")), self.ok(("background", "preset:sakura"))
        behind = self.ok(("background", "upload"), ("background_image", photo("no_face.jpg"), "b.jpg"))
        self.assertEqual(len({kept, blurred, preset, behind}), 4)
        self.assertEqual(behind, self.ok(("background_image", photo("no_face.jpg"), "b.jpg")))

    def test_it_shows_the_face_that_is_chosen(self):
        two = photo("two_faces.jpg")
        first, second = (self.ok(("face", face), image=two) for face in "01")
        self.assertNotEqual(first, second)
        self.assertEqual(first, self.ok(image=two))

    def test_what_is_wrong_is_said_naming_the_field(self):
        good = photo()
        for parts, image, status, code, field in (
                ([("background", "sea")], good, 422, "background_unknown", "background"),
                ([("background", "color:#12345g")], good, 422, "background_unknown", "background"),
                ([("background", "preset:../x")], good, 422, "background_unknown", "background"),
                ([("background", "upload")], good, 400, "part_missing", "background_image"),
                ([("background_image", b"no", "b.jpg")], good, 415, "image_not_a_picture", "background_image"),
                ([("format", "4:3")], good, 422, "format_unknown", "format"),
                ([("face", "7")], good, 422, "face_unknown", "face"),
                ([("face", "16")], good, 422, "number_out_of_range", "face"),
                ([("text", "hi")], good, 400, "part_unknown", "text"),
                ([], b"", 422, "image_empty", "image"), ([], b"no", 415, "image_not_a_picture", "image"),
                ([], photo("no_face.jpg"), 422, "image_no_face", "image"),
                ([], photo("profile.jpg"), 422, "image_face_profile", "image")):
            with self.subTest(parts=parts, code=code):
                english, japanese = (self.still(*parts, image=image, language=l) for l in ("en", "ja"))
                for answer in (english, japanese):
                    self.assert_problem(answer, status, code, field)
                self.assertNotEqual(english.json["detail"], japanese.json["detail"])
                self.assertEqual(self.vmad.spooled(), [])


if __name__ == "__main__":
    unittest.main()
