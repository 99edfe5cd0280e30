# SPDX-License-Identifier: Apache-2.0
"""The image service over HTTP: cut-outs, landmarks, persons, the earlier routes, models that
change, and load."""
import base64
import concurrent.futures
import http.server
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import unittest
import zlib

from harness import PROGRAM, SOURCE, Case, Vmad, photo, sanitized, wait_until

STUBS = SOURCE / "tests" / "data" / "models"
TWO = "two_faces.jpg"


def image(name="astronaut.jpg"):
    return ("image", photo(name), "photo.jpg")


class Picture:
    """A PNG of 8 bits a channel, decoded."""

    def __init__(self, data):
        if data[:8] != b"\x89PNG\r\n\x1a\n":
            raise AssertionError(f"not a PNG: {data[:20]!r}")
        self.width, self.height, bits, kind = struct.unpack(">IIBB", data[16:26])
        self.channels = {0: 1, 2: 3, 6: 4}[kind]
        assert bits == 8
        at, packed = 8, b""
        while at < len(data):
            size, name = struct.unpack(">I4s", data[at:at + 8])
            content = data[at + 8:at + 8 + size]
            assert zlib.crc32(name + content) == struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0]
            packed += content if name == b"IDAT" else b""
            at += 12 + size
        self.rows = self.unfilter(zlib.decompress(packed))

    def unfilter(self, raw):
        rows, size = [], self.width * self.channels
        for y in range(self.height):
            kind, line = raw[y * (size + 1)], bytearray(raw[y * (size + 1) + 1:(y + 1) * (size + 1)])
            assert kind in (0, 1), kind  # what our writer uses
            for x in range(self.channels, size if kind == 1 else 0):
                line[x] = (line[x] + line[x - self.channels]) & 255
            rows.append(bytes(line))
        return rows

    def alpha(self, x, y):
        at = int(x) * self.channels + self.channels - 1
        return self.rows[int(y)][at]

    def mean_alpha(self):
        last = self.channels - 1
        return sum(sum(row[last::self.channels]) for row in self.rows) / self.width / self.height


def of_url(url):
    head, _, data = url.partition(";base64,")
    return head[5:], base64.b64decode(data, validate=True)


def grey_png(width, height, value):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress((b"\0" + bytes([value]) * width) * height)) + chunk(b"IEND", b""))


class Images(Case):
    def post(self, path, *parts, image=TWO, **headers):
        image = photo(image) if isinstance(image, str) else image
        return self.vmad.post_form(path, [("image", image, "family.jpg"), *parts], headers)

    def ok(self, answer, kind="application/json"):
        self.assertEqual(answer.status, 200, answer.body[:300])
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], kind)
        self.assertEqual(self.vmad.spooled(), [])
        return answer.json if kind == "application/json" else answer.body

    def middles(self):
        persons = self.ok(self.post("/api/person-detection/detect"))["persons"]
        return [(p["face"]["x"] + p["face"]["width"] / 2, p["face"]["y"] + p["face"]["height"] / 2)
                for p in persons]

    def test_a_cut_out_has_the_photos_size_and_straight_alpha(self):
        picture = Picture(self.ok(self.post("/api/image/cutout", image="astronaut.jpg"), "image/png"))
        size = self.ok(self.post("/api/image/landmarks", image="astronaut.jpg"))
        self.assertEqual((picture.width, picture.height), (size["width"], size["height"]))
        self.assertEqual(picture.channels, 4)
        box = size["faces"][0]["box"]
        x, y = int(box["x"] + box["width"] / 2), int(box["y"] + box["height"] / 2)
        self.assertEqual(picture.alpha(x, y), 255)
        self.assertEqual(picture.alpha(3, 3), 0)
        self.assertEqual((size["width"], picture.alpha(225, 130), picture.alpha(330, 20)),
                         (512, 255, 0))  # her nose, the wall
        self.assertEqual(picture.rows[3][12:15], b"\0\0\0")  # nothing is hidden where nobody is

    def test_webp_and_mask(self):
        webp = self.ok(self.post("/api/image/cutout?format=webp"), "image/webp")
        self.assertEqual((webp[:4], webp[8:12]), (b"RIFF", b"WEBP"))
        mask = Picture(self.ok(self.post("/api/image/cutout", ("format", "mask")), "image/png"))
        whole = Picture(self.ok(self.post("/api/image/cutout?format=mask", ("format", "png")),
                                "image/png"))
        self.assertEqual((mask.channels, whole.channels), (1, 4))
        self.assertAlmostEqual(mask.mean_alpha(), whole.mean_alpha(), delta=0.01)

    def test_one_of_two_persons_is_cut_out(self):
        middles = self.middles()
        self.assertEqual(len(middles), 2)
        for chosen in (0, 1):
            picture = Picture(self.ok(self.post("/api/image/cutout", ("person", str(chosen))),
                                      "image/png"))
            self.assertGreater(picture.alpha(*middles[chosen]), 240)
            self.assertLess(picture.alpha(*middles[1 - chosen]), 15)

    def test_points_say_who_is_meant_and_who_is_not(self):
        middles = self.middles()
        for chosen in (0, 1):
            here, there = middles[chosen], middles[1 - chosen]
            for points in ("{0[0]:.1f},{0[1]:.1f}", "{0[0]:.0f},{0[1]:.0f},1;{1[0]:.0f},{1[1]:.0f},0",
                           "{1[0]:.0f},{1[1]:.0f},0"):
                answer = self.post("/api/image/cutout", ("point", points.format(here, there)))
                picture = Picture(self.ok(answer, "image/png"))
                self.assertGreater(picture.alpha(*here), 240)
                self.assertLess(picture.alpha(*there), 15)
                self.assertEqual(answer.headers["X-Image-Prompt"], "ignored")  # told apart here
        both = ";".join(f"{x:.0f},{y:.0f}" for x, y in middles)
        picture = Picture(self.ok(self.post("/api/image/cutout", ("point", both)), "image/png"))
        self.assertGreater(min(picture.alpha(*middle) for middle in middles), 240)
        hint = self.post("/api/image/cutout", ("point", "5,5"), ("box", "0,0,9,9"), ("hint", "true"))
        picture = Picture(self.ok(hint, "image/png"))
        self.assertGreater(min(picture.alpha(*middle) for middle in middles), 240)

    def test_a_box_limits_the_cut_out(self):
        (x, y), other = self.middles()
        picture = Picture(self.ok(self.post(
            "/api/image/cutout", ("box", f"{x - 20:.1f},{y - 20:.1f},40,40")), "image/png"))
        self.assertGreater(picture.alpha(x, y), 240)
        self.assertEqual(picture.alpha(*other), 0)

    def test_landmarks(self):
        reply = self.ok(self.post("/api/image/landmarks"))
        self.assertEqual(len(reply["faces"]), 2)
        for face in reply["faces"]:
            self.assertEqual(len(face["points"]), 478)
            box, (x, y, _) = face["box"], face["points"][1]
            self.assertTrue(box["x"] < x < box["x"] + box["width"])
            self.assertTrue(box["y"] < y < box["y"] + box["height"])
            for angle in ("roll", "yaw", "pitch"):
                self.assertLess(abs(face[angle]), 1)
        nobody = self.ok(self.post("/api/image/landmarks", image="no_face.jpg"))
        self.assertEqual(nobody["faces"], [])

    def test_persons_are_detected(self):
        reply = self.ok(self.post("/api/person-detection/detect"))
        self.assertEqual((reply["filename"], reply["person_count"]), ("family.jpg", 2))
        self.assertEqual(reply["parameters"], {"conf": 0.5})
        self.assertEqual(len(reply["image_id"]), 16)
        self.assertEqual([p["person_id"] for p in reply["persons"]], [0, 1])
        size = reply["image_dimensions"]
        for person in reply["persons"]:
            box, face = person["bbox"], person["face"]
            self.assertTrue(0 <= box["x1"] <= face["x"] and box["x2"] <= size["width"])
            self.assertTrue(box["y1"] < face["y"] + face["height"] < box["y2"] <= size["height"])
            self.assertGreater(box["x2"] - box["x1"], face["width"])
            kind, thumbnail = of_url(person["thumbnail"])
            self.assertEqual((kind, thumbnail[:3]), ("image/jpeg", b"\xff\xd8\xff"))
        strict = self.ok(self.post("/api/person-detection/detect", ("conf", "1")))
        self.assertEqual((strict["person_count"], strict["persons"]), (0, []))
        nobody = self.ok(self.post("/api/person-detection/detect", image="no_face.jpg"))
        self.assertEqual(nobody["person_count"], 0)

    def test_persons_are_extracted(self):
        reply = self.ok(self.post("/api/person-detection/extract-person",
                                  ("selected_person_ids", "[1]")))
        self.assertIs(reply["success"], True)
        self.assertIs(type(reply["upper_body_cropped"]), bool)
        kind, data = of_url(reply["processed_image"])
        picture, crop = Picture(data), reply["crop_metadata"]
        self.assertEqual(kind, "image/png")
        self.assertEqual(reply["image_dimensions"],
                         {"width": picture.width, "height": picture.height})
        self.assertEqual((picture.width, picture.height),
                         (crop["width"] + 600, crop["height"] + 600))
        self.assertEqual(crop["selected_person_ids"], [1])
        x, y = self.middles()[1]
        self.assertGreater(picture.alpha(x - crop["x"] + 300, y - crop["y"] + 300), 240)
        self.assertEqual(picture.alpha(150, 150), 0)

        tight = self.ok(self.post("/api/person-detection/extract-person",
                                  ("selected_person_ids", "[0, 1]"), ("padding", "0"),
                                  ("add_transparent_padding", "false")))
        both = Picture(of_url(tight["processed_image"])[1])
        for x, y in self.middles():
            self.assertGreater(both.alpha(x - tight["crop_metadata"]["x"],
                                          y - tight["crop_metadata"]["y"]), 240)

    def test_the_earlier_picture_routes(self):
        cut = Picture(self.ok(self.post("/api/background/remove-background"), "image/png"))
        self.assertTrue(20 < cut.mean_alpha() < 235)
        health = self.ok(self.vmad.get("/api/background/health"))
        self.assertEqual(health["status"], "healthy")

        plain = self.ok(self.post("/api/process-image", Accept_Language="en"))
        self.assertEqual((plain["success"], of_url(plain["processed_image"])[0]), (True, "image/png"))
        self.assertTrue(plain["message"])
        kept = self.ok(self.post("/api/process-image", ("remove_background", "false"),
                                 ("enhance_quality", "true")))
        self.assertEqual(of_url(kept["processed_image"])[0], "image/jpeg")
        self.assertTrue(kept["processing_info"]["quality_enhanced"])
        behind = self.ok(self.post("/api/process-image", ("remove_background", "true"),
                                   ("background", photo("no_face.jpg"), "sea.jpg")))
        self.assertEqual(of_url(behind["processed_image"])[0], "image/jpeg")
        self.assertTrue(behind["processing_info"]["background_replaced"])

    def test_what_is_wrong_is_said(self):
        text = b"this is no picture"
        extract = "/api/person-detection/extract-person"
        for path, parts, image, status, code, field in (
                ("/api/image/cutout", [], text, 415, "image_not_a_picture", "image"),
                ("/api/image/cutout", [("format", "bmp")], TWO, 422, "picture_format_unknown", "format"),
                ("/api/image/cutout?format=bmp", [], TWO, 422, "picture_format_unknown", "format"),
                ("/api/image/cutout", [("person", "7")], TWO, 422, "person_unknown", "person"),
                ("/api/image/cutout", [("person", "one")], TWO, 422, "number_malformed", "person"),
                ("/api/image/cutout", [("box", "1,2,3")], TWO, 422, "box_malformed", "box"),
                ("/api/image/cutout", [("box", "1,2,nan,4")], TWO, 422, "box_malformed", "box"),
                ("/api/image/cutout", [("point", "1")], TWO, 422, "point_malformed", "point"),
                ("/api/image/cutout", [("point", "1,2,3")], TWO, 422, "point_malformed", "point"),
                ("/api/image/cutout", [("point", "1,2;")], TWO, 422, "point_malformed", "point"),
                ("/api/image/cutout", [("point", "nan,2")], TWO, 422, "point_malformed", "point"),
                ("/api/image/cutout", [("point", "-1,2")], TWO, 422, "point_malformed", "point"),
                ("/api/image/cutout", [("point", ";".join(["1,2"] * 9))], TWO, 422, "point_malformed", "point"),
                ("/api/image/cutout", [("point", "5,5")], TWO, 422, "point_nobody", "point"),
                ("/api/image/cutout", [("hint", "perhaps")], TWO, 422, "switch_malformed", "hint"),
                ("/api/image/landmarks", [], b"", 422, "image_empty", "image"),
                ("/api/image/landmarks", [("face", "0")], TWO, 400, "part_unknown", "face"),
                ("/api/person-detection/detect", [("conf", "2")], TWO, 422, "number_out_of_range", "conf"),
                (extract, [], "no_face.jpg", 422, "image_no_face", "image"),
                (extract, [("selected_person_ids", "[0.5]")], TWO, 422, "person_ids_malformed", "selected_person_ids"),
                (extract, [("selected_person_ids", "1")], TWO, 422, "person_ids_malformed", "selected_person_ids"),
                (extract, [("selected_person_ids", "[]")], TWO, 422, "person_ids_malformed", "selected_person_ids"),
                (extract, [("selected_person_ids", '["a"]')], TWO, 422, "person_ids_malformed", "selected_person_ids"),
                (extract, [("selected_person_ids", "[5]")], TWO, 422, "person_unknown", "selected_person_ids"),
                (extract, [("selected_person_ids", "[0]"), ("padding", "101")], TWO, 422, "number_out_of_range", "padding"),
                (extract, [("selected_person_ids", "[0]"), ("transparent_padding_size", "501")], TWO, 422, "number_out_of_range", "transparent_padding_size"),
                ("/api/process-image", [("remove_background", "maybe")], TWO, 422, "switch_malformed", "remove_background"),
                ("/api/process-image", [("background", text, "x.jpg")], TWO, 415, "image_not_a_picture", "background"),
                ("/api/background/remove-background", [], text, 415, "image_not_a_picture", "image")):
            with self.subTest(path=path, code=code):
                image = photo(image) if isinstance(image, str) else image
                answer = self.vmad.post_form(path, [("image", image, "a.jpg"), *parts],
                                             {"Accept-Language": "en"})
                self.assert_problem(answer, status, code, field)
                self.assertEqual(self.vmad.spooled(), [])

    def test_many_at_once_are_served_or_told_when_to_come_back(self):
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(
                lambda _: self.post("/api/image/cutout", image="hopper.jpg"), range(40)))
        served = [a for a in answers if a.status == 200]
        self.assertGreaterEqual(len(served), 16)
        self.assertEqual(len({a.body for a in served}), 1)
        for answer in answers:
            if answer.status != 200:
                self.assert_problem(answer, 503, "image_busy")
                self.assertGreater(int(answer.headers["Retry-After"]), 0)

    def test_answers_are_what_the_description_says(self):
        if not shutil.which("node"):
            self.skipTest("no node")
        answers = [
            {"schema": "Landmarks", "value": self.ok(self.post("/api/image/landmarks"))},
            {"schema": "Persons", "value": self.ok(self.post("/api/person-detection/detect"))},
            {"schema": "ProcessedImage", "value": self.ok(self.post("/api/process-image"))},
            {"schema": "ExtractedPerson", "value": self.ok(self.post(
                "/api/person-detection/extract-person", ("selected_person_ids", "[0]")))},
        ]
        document = self.vmad.get("/openapi.json").json
        checked = subprocess.run(["node", str(SOURCE / "tests/support/validate_openapi.mjs")],
                                 input=json.dumps({"document": document, "answers": answers}).encode(),
                                 capture_output=True, timeout=60, check=False)
        if b"ERR_MODULE_NOT_FOUND" in checked.stderr:
            self.skipTest("scripts/deps test was not run")
        self.assertEqual(checked.returncode, 0, checked.stderr.decode())


class ImageRole(Case):
    options = ("--role", "image")

    def test_only_the_image_service_is_there(self):
        paths = self.vmad.get("/openapi.json").json["paths"]
        offered = {path for path in paths if path.startswith("/api/")}
        self.assertEqual(offered, {
            "/api/image/cutout", "/api/image/landmarks", "/api/process-image",
            "/api/background/remove-background", "/api/background/health",
            "/api/person-detection/detect", "/api/person-detection/extract-person"})
        self.assertEqual(self.vmad.get("/").status, 404)
        answer = self.vmad.post_form("/api/image/cutout", [("image", photo(), "a.jpg")])
        self.assertEqual(answer.status, 200)
        services = self.vmad.get("/health").json["services"]
        self.assertEqual(services["vision"], "healthy")
        self.assertNotIn("voices", services)
        # A request is counted after its last byte, which may be a moment after that was read.
        wait_until(lambda: b"/api/image/cutout" in self.vmad.get("/metrics").body)

    def test_the_device_is_told_as_it_is(self):
        answer = self.vmad.get("/api/background/health").json
        self.assertEqual((answer["device_asked"], answer["device"], answer["why"]),
                         ("cpu", "cpu", None))

    def test_what_is_no_picture_is_refused_on_every_route(self):
        for path in ("/api/image/cutout", "/api/image/landmarks",
                     "/api/background/remove-background", "/api/person-detection/detect",
                     "/api/person-detection/extract-person", "/api/process-image"):
            with self.subTest(path=path):
                answer = self.vmad.post_form(path, [("image", b"hello", "photo.jpg")])
                self.assert_problem(answer, 415, "image_not_a_picture", "image")
                answer = self.vmad.post_form(path, [("image", b"", "photo.jpg")])
                self.assert_problem(answer, 422, "image_empty", "image")
                answer = self.vmad.post_form(path, [("image", photo()[:30000], "photo.jpg")])
                self.assert_problem(answer, 422, "image_truncated", "image")
        self.assertEqual(self.vmad.spooled(), [])


class Models(unittest.TestCase):
    def models(self, data, *words):
        return subprocess.run([str(PROGRAM), "models", "--data", data, *words],
                              capture_output=True, text=True, check=False)

    def test_another_model_is_taken_without_a_restart(self):
        vmad = Vmad("--role", "image")
        self.addCleanup(vmad.close)
        first = vmad.post_form("/api/image/cutout", [image()])
        self.assertTrue(first.headers["X-Image-Model"].startswith("portrait@1:"))
        added = self.models(vmad.data, "add", "bright", str(STUBS / "birefnet_512.onnx"))
        self.assertEqual(added.returncode, 0, added.stderr)
        self.assertEqual(self.models(vmad.data, "use", "bright").returncode, 0)
        second = vmad.post_form("/api/image/cutout", [image()])
        self.assertTrue(second.headers["X-Image-Model"].startswith("bright@1:"))
        self.assertNotEqual(first.body, second.body)
        if not sanitized():  # measured anew, also where others left memory behind
            self.assertGreater(vmad.get("/api/background/health").json["memory_bytes"], 500_000)
        listed = json.loads(self.models(vmad.data, "list", "--json").stdout)
        self.assertEqual([m["name"] for m in listed if m["used"]], ["bright"])
        broken = pathlib.Path(vmad.data) / "models" / "bright" / "1" / "model.onnx"
        broken.write_bytes(broken.read_bytes()[:-1] + b"x")
        added = self.models(vmad.data, "add", "whole", str(STUBS / "birefnet_512.onnx"))
        self.assertEqual(added.returncode, 0, added.stderr)
        checked = self.models(vmad.data, "verify")
        self.assertIn("where its manifest says", checked.stderr)
        self.assertIn("1 of 3 models", checked.stderr)
        self.assertIn("whole@1 is what its manifest says", checked.stdout)
        self.assertNotEqual(checked.returncode, 0)
        self.assertEqual(vmad.stop(), 0)

    def test_what_no_service_could_use_is_not_added(self):
        half = (STUBS / "sam2_decoder.onnx").read_bytes()
        with tempfile.TemporaryDirectory() as data:
            cut = pathlib.Path(data, "half.onnx")
            cut.write_bytes(half[:len(half) // 2])
            for file, sentence in (
                    (STUBS / "wrong_rank.onnx", "input \"input_image\" is float32 [3,64,64], not a picture of rank 4"),
                    (STUBS / "birefnet_nan.onnx", "the network's answer is not a number"),
                    (cut, "half.onnx")):
                done = self.models(data, "add", "wrong", str(file))
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(sentence, done.stderr)
                self.assertNotIn("wrong", self.models(data, "list").stdout)
                self.assertFalse(pathlib.Path(data, "models", "wrong", "1").exists())
            added = self.models(data, "add", "kept", str(STUBS / "birefnet.onnx"), "--onnxruntime", "/nonexistent")
            self.assertEqual(added.returncode, 0, added.stderr)
            self.assertIn("not tried: ", added.stderr)

    def test_asking_for_cuda_is_answered_truthfully(self):
        vmad = Vmad("--role", "image", env={"IMAGE_DEVICE": "cuda"})
        self.addCleanup(vmad.close)
        answer = vmad.get("/api/background/health").json
        self.assertEqual(answer["device_asked"], "cuda")
        if answer["device"] == "cpu":
            self.assertIn("asked for cuda:0, running on cpu", answer["why"])
        self.assertEqual(vmad.post_form("/api/image/cutout", [image()]).status, 200)

    def test_a_model_that_is_not_installed_is_said_at_once(self):
        vmad = Vmad("--role", "image", env={"IMAGE_MODEL": "birefnet-hr"})
        self.addCleanup(vmad.close)
        answer = vmad.post_form("/api/image/cutout", [image()])
        self.assertEqual((answer.status, answer.json["code"]), (503, "engine_missing"))
        self.assertIn("IMAGE_MODEL=birefnet-hr is not installed", vmad.log())

    def test_what_could_not_be_opened_is_tried_again(self):
        vmad = Vmad("--role", "image", env={"IMAGE_MODEL": "late"})
        self.addCleanup(vmad.close)
        answer = vmad.post_form("/api/image/cutout", [image()])
        self.assertEqual((answer.status, answer.json["code"]), (503, "engine_missing"))
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertEqual(vmad.get("/health").json["services"]["vision"], "unhealthy")
        with open(os.path.join(vmad.data, "half.onnx"), "wb") as half:
            half.write((STUBS / "birefnet.onnx").read_bytes())
        self.models(vmad.data, "add", "late", os.path.join(vmad.data, "half.onnx"), "--kind", "birefnet")
        self.assertTrue(wait_until(
            lambda: vmad.post_form("/api/image/cutout", [image()]).status == 200, seconds=20))
        self.assertEqual(vmad.get("/health").json["services"]["vision"], "healthy")

    def test_health_names_no_folder(self):
        vmad = Vmad("--role", "image", env={"ONNXRUNTIME_LIB": "/opt/secret/lib.so"})
        self.addCleanup(vmad.close)
        self.assertEqual(vmad.post_form("/api/image/cutout", [image()]).status, 503)
        told = vmad.get("/health").body.decode()
        self.assertIn("lib.so", told)
        self.assertNotIn("/opt", told)

    def test_a_photo_is_looked_at_once_for_all_its_persons(self):
        vmad = Vmad("--role", "image")
        self.addCleanup(vmad.close)
        done = self.models(vmad.data, "add", "sam", str(STUBS / "sam2_encoder.onnx"), "--kind", "sam2",
                                "--decoder", str(STUBS / "sam2_decoder.onnx"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.models(vmad.data, "use", "sam").returncode, 0)
        known, first = 0, ("/api/image/cutout", ("person", "0"))
        for path, *parts in (first, ("/api/image/cutout", ("person", "1")),
                             ("/api/image/cutout", ("box", "100,100,300,300")),
                             ("/api/person-detection/extract-person", ("selected_person_ids", "[1]"))):
            answer = vmad.post_form(path, [("image", photo(TWO), "a.jpg"), *parts])
            self.assertEqual(answer.status, 200, answer.body[:300])
            if "cutout" in path:
                self.assertEqual(answer.headers["X-Image-Prompt"], "taken")
            before, known = known, int(vmad.get("/metrics").body.split(b"\nvma_image_known_total ")[1].split()[0])
            self.assertEqual(known > before, (path, *parts) != first, (path, parts))


class Remote(unittest.TestCase):
    """One vmad lets another cut people out."""

    def start(self, *options, **env):
        vmad = Vmad(*options, env=env)
        self.addCleanup(vmad.close)
        return vmad

    def service(self, vmad):
        return vmad.get("/health").json["services"].get("image_service")

    def test_another_vmad_cuts_out(self):
        there = self.start("--role", "image")
        here = self.start("--role", "image",
                          IMAGE_SERVICE_URL=f"http://127.0.0.1:{there.port}/")
        mine = there.post_form("/api/image/cutout", [image(), ("format", "mask")])
        theirs = here.post_form("/api/image/cutout", [image(), ("format", "mask")])
        self.assertEqual((mine.status, theirs.status), (200, 200), theirs.body)
        self.assertRegex(theirs.headers["X-Image-Model"], r"^remote:portrait@1:[0-9a-f]{12}$")
        a, b = Picture(mine.body), Picture(theirs.body)
        self.assertEqual((a.width, a.height), (b.width, b.height))
        self.assertAlmostEqual(a.mean_alpha(), b.mean_alpha(), delta=2)
        self.assertIn(b'/api/image/cutout"', there.get("/metrics").body)
        self.assertTrue(wait_until(lambda: self.service(here) == "healthy"))

    def stand_in(self, answer):
        """A vmad that asks one that is not there: `answer` says how that answers, and what it was asked."""
        asked = []

        class Service(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked.append((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
                mask = grey_png(512, 512, 255)
                self.send_response(200)
                for name, value in (*answer(len(asked)),
                                    ("Content-Type", "image/png"), ("Content-Length", str(len(mask)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(mask)

            def log_message(self, *_):
                pass
        service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
        threading.Thread(target=service.serve_forever, daemon=True).start()
        self.addCleanup(service.server_close)
        self.addCleanup(service.shutdown)
        return asked, self.start("--role", "image",
                                 IMAGE_SERVICE_URL=f"http://127.0.0.1:{service.server_port}")

    def test_prompt_and_priority_are_passed_on(self):
        asked, here = self.stand_in(lambda _: (("X-Image-Model", "sam2@1:0123456789ab"),
                                               ("X-Image-Prompt", "taken")))
        parts = [image(), ("format", "mask"), ("point", "225,130;10,10,0")]
        for headers in ({}, {"Priority": "u=6"}):
            answer = here.post_form("/api/image/cutout", parts, headers)
            self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.headers["X-Image-Model"], "remote:sam2@1:0123456789ab")
        self.assertEqual(answer.headers["X-Image-Prompt"], "taken")
        (first, body), (last, told) = asked[0], asked[-1]
        self.assertIsNone(first["Priority"])
        self.assertEqual(last["Priority"], "u=5")
        for field in (b'name="hint"\r\n\r\ntrue', b'name="box"', b"225.0,130.0,1;10.0,10.0,0"):
            self.assertIn(field, body)
            self.assertIn(field, told)

    def test_all_eight_points_are_passed_on(self):
        asked, here = self.stand_in(lambda _: (("X-Image-Model", "sam2@1:0123456789ab"),
                                               ("X-Image-Prompt", "taken")))
        points = ";".join(f"{220 + i},130" for i in range(8))
        answer = here.post_form("/api/image/cutout", [image(), ("format", "mask"), ("point", points)])
        self.assertEqual(answer.status, 200, answer.body)
        self.assertIn(b"227.0,130.0,1\r\n", asked[-1][1])

    def test_points_at_the_edge_stay_in_the_photo(self):
        asked, here = self.stand_in(lambda _: (("X-Image-Model", "sam2@1:0123456789ab"),
                                               ("X-Image-Prompt", "taken")))
        for parts in ([("point", "511.99,0")], [("point", "511.99,0")], [("box", "-90,-90,120,120")]):
            answer = here.post_form("/api/image/cutout", [image(), ("hint", "true"), *parts])
            self.assertEqual(answer.status, 200, answer.body)
        self.assertIn(b"\r\n\r\n511.9,0.0,1\r\n", asked[-2][1])
        self.assertIn(b"\r\n\r\n0.0,0.0,1\r\n", asked[-1][1])

    def test_one_that_takes_no_prompts_any_more_is_asked_for_everybody(self):
        asked, here = self.stand_in(lambda count: (("X-Image-Model", "any@1:0123456789ab"),
                                                   ("X-Image-Prompt", "taken" if count < 2 else "ignored")))
        parts = [image(), ("format", "mask"), ("box", "0,0,100,100")]
        self.assertEqual(here.post_form("/api/image/cutout", [image()]).status, 200)
        answer = here.post_form("/api/image/cutout", parts)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.headers["X-Image-Prompt"], "ignored")
        self.assertIn(b'name="hint"', asked[1][1])
        self.assertNotIn(b'name="hint"', asked[2][1])

    def test_one_that_is_away_is_named(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # taken, but nobody listens
            here = self.start("--role", "image",
                              IMAGE_SERVICE_URL=f"http://127.0.0.1:{nobody.getsockname()[1]}")
            answer = here.post_form("/api/image/cutout", [image()])
            self.assertEqual((answer.status, answer.json["code"]), (502, "image_service_away"))
            self.assertEqual(answer.headers["Retry-After"], "5")
            self.assertTrue(wait_until(lambda: self.service(here) == "unhealthy"))
            self.assertEqual(here.get("/health").json["status"], "degraded")
            self.assertEqual(here.stop(), 0)

    def test_a_wrong_address_is_refused_at_the_start(self):
        for url in ("gpu:55441", "file:///etc/passwd", "http://me:secret@gpu"):
            ended = subprocess.run([str(PROGRAM), "--port", "0", "--data", "/nonexistent"],
                                   env={**os.environ, "IMAGE_SERVICE_URL": url},
                                   capture_output=True, text=True, timeout=20, check=False)
            self.assertNotEqual(ended.returncode, 0)
            self.assertIn("IMAGE_SERVICE_URL", ended.stderr)
            self.assertNotIn("secret", ended.stderr)


class Load(unittest.TestCase):
    def test_64_clients_are_served_or_told_when_to_come_back(self):
        vmad = Vmad("--role", "image", "--image-queue", "16")
        self.addCleanup(vmad.close)
        body = [image("hopper.jpg")]
        self.assertEqual(vmad.post_form("/api/image/cutout", body).status, 200)
        before = vmad.rss_kb()
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(lambda _: vmad.post_form("/api/image/cutout", body, timeout=120),
                                    range(128)))
        for answer in answers:
            self.assertIn(answer.status, (200, 503))
            if answer.status == 503:
                self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertGreaterEqual(sum(answer.status == 200 for answer in answers), 16)
        refused = sum(answer.status == 503 for answer in answers)
        self.assertEqual(vmad.get("/api/background/health").json["queue"]["refused"], refused)
        self.assertIn(f"\nvma_image_refused_total {refused}\n", vmad.get("/metrics").body.decode())
        if not sanitized():
            self.assertLess(vmad.rss_kb() - before, 200 * 1024)
        self.assertEqual(vmad.post_form("/api/image/cutout", body).status, 200)
        self.assertEqual(vmad.stop(), 0)


if __name__ == "__main__":
    unittest.main()
