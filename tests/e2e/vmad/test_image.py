# SPDX-License-Identifier: Apache-2.0
"""The image service over HTTP: cut-outs, landmarks, persons, models that change, and load."""
import base64
import concurrent.futures
import json
import pathlib
import struct
import subprocess
import unittest
import zlib

from harness import PROGRAM, SOURCE, Case, Vmad, photo, sanitized

STUBS = SOURCE / "tests" / "data" / "models"


def image(name="astronaut.jpg"):
    return ("image", photo(name), "photo.jpg")


def png_pixels(data):
    """An 8-bit PNG with the filters that the service writes → width, height, channels, rows."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    offset, packed, header = 8, b"", None
    while offset < len(data):
        size, kind = struct.unpack(">I4s", data[offset:offset + 8])
        chunk = data[offset + 8:offset + 8 + size]
        assert zlib.crc32(kind + chunk) == struct.unpack(
            ">I", data[offset + 8 + size:offset + 12 + size])[0]
        header = chunk if kind == b"IHDR" else header
        packed += chunk if kind == b"IDAT" else b""
        offset += 12 + size
    width, height, depth, colour = struct.unpack(">IIBB", header[:10])
    channels = {0: 1, 2: 3, 6: 4}[colour]
    assert depth == 8
    raw, rows = zlib.decompress(packed), []
    for y in range(height):
        start = y * (width * channels + 1)
        row = bytearray(raw[start + 1:start + 1 + width * channels])
        assert raw[start] in (0, 1)
        if raw[start] == 1:
            for i in range(channels, len(row)):
                row[i] = (row[i] + row[i - channels]) & 255
        rows.append(row)
    return width, height, channels, rows


def data_url(text):
    head, body = text.split(",", 1)
    assert head == "data:image/png;base64"
    return base64.b64decode(body, validate=True)


class Image(Case):
    options = ("--role", "image")

    def test_a_cut_out_has_the_person_and_not_the_wall(self):
        answer = self.vmad.post_form("/api/image/cutout", [image()])
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "image/png"))
        self.assertRegex(answer.headers["X-Image-Model"], r"^portrait@1:[0-9a-f]{12}$")
        width, height, channels, rows = png_pixels(answer.body)
        self.assertEqual((width, height, channels), (512, 512, 4))
        self.assertEqual(rows[130][4 * 225 + 3], 255)  # her nose
        self.assertEqual(rows[20][4 * 330 + 3], 0)     # the wall

    def test_other_outputs(self):
        webp = self.vmad.post_form("/api/image/cutout", [image(), ("output", "webp")])
        self.assertEqual(webp.headers["Content-Type"], "image/webp")
        self.assertEqual((webp.body[:4], webp.body[8:12]), (b"RIFF", b"WEBP"))
        mask = self.vmad.post_form("/api/image/cutout", [image(), ("output", "mask")])
        _, _, channels, rows = png_pixels(mask.body)
        self.assertEqual((channels, rows[130][225], rows[20][330]), (1, 255, 0))
        wrong = self.vmad.post_form("/api/image/cutout", [image(), ("output", "gif")])
        self.assert_problem(wrong, 422, "value_unknown", "output")

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

    def test_landmarks(self):
        answer = self.vmad.post_form("/api/image/landmarks", [image("two_faces.jpg")]).json
        self.assertEqual(len(answer["faces"]), 2)
        for face in answer["faces"]:
            self.assertEqual(len(face["points"]), 478)
        nose = answer["faces"][0]["points"][1]
        self.assertAlmostEqual(nose[0], 740, delta=15)
        nobody = self.vmad.post_form("/api/image/landmarks", [image("no_face.jpg")]).json
        self.assertEqual(nobody["faces"], [])

    def test_persons_are_found_and_one_is_extracted(self):
        found = self.vmad.post_form("/api/person-detection/detect", [image("two_faces.jpg")]).json
        self.assertEqual(found["person_count"], 2)
        self.assertEqual([p["person_id"] for p in found["persons"]], [0, 1])
        self.assertEqual(found["parameters"], {"conf": 0.5})
        for person in found["persons"]:
            width, height, channels, _ = png_pixels(data_url(person["thumbnail"]))
            self.assertEqual((width, height, channels), (96, 96, 3))
        for chosen, left in (([1], 0), ([0], 450)):
            answer = self.vmad.post_form(
                "/api/person-detection/extract-person",
                [image("two_faces.jpg"), ("selected_person_ids", json.dumps(chosen)),
                 ("transparent_padding_size", "50")]).json
            self.assertTrue(answer["success"])
            width, height, channels, rows = png_pixels(data_url(answer["processed_image"]))
            self.assertEqual(answer["image_dimensions"], {"width": width, "height": height})
            self.assertEqual(channels, 4)
            self.assertFalse(any(rows[10][3::4]))  # the empty edge
            crop = answer["crop_metadata"]
            self.assertGreaterEqual(crop["x"], left)
            self.assertLess(crop["x"] + crop["width"], left + 520)

    def test_a_wrong_choice_of_persons(self):
        for ids in ("[7]", "[]", "x", '["a"]', "[0.5]"):
            answer = self.vmad.post_form("/api/person-detection/extract-person",
                                         [image(), ("selected_person_ids", ids)])
            self.assert_problem(answer, 422, "value_unknown", "selected_person_ids")
        answer = self.vmad.post_form("/api/person-detection/extract-person",
                                     [image("no_face.jpg")])
        self.assert_problem(answer, 422, "image_no_face", "image")
        answer = self.vmad.post_form("/api/person-detection/detect", [image(), ("conf", "2")])
        self.assert_problem(answer, 422, "number_out_of_range", "conf")

    def test_process_image(self):
        plain = self.vmad.post_form("/api/process-image", [image()]).json
        self.assertTrue(plain["success"])
        self.assertEqual(png_pixels(data_url(plain["processed_image"]))[2], 4)
        self.assertTrue(plain["processing_info"]["background_removed"])
        kept = self.vmad.post_form("/api/process-image", [
            image(), ("remove_background", "false"), ("enhance_quality", "true")]).json
        self.assertEqual(png_pixels(data_url(kept["processed_image"]))[2], 3)
        laid = self.vmad.post_form("/api/process-image", [
            image(), ("background", photo("no_face.jpg"), "b.jpg")]).json
        width, height, channels, rows = png_pixels(data_url(laid["processed_image"]))
        self.assertEqual((width, height, channels), (512, 512, 3))
        self.assertLess(max(rows[20][990:993]), 140)  # the wall was bright, the night is not
        wrong = self.vmad.post_form("/api/process-image", [image(), ("enhance_quality", "maybe")])
        self.assert_problem(wrong, 422, "value_unknown", "enhance_quality")

    def test_the_device_is_told_as_it_is(self):
        answer = self.vmad.get("/api/background/health").json
        self.assertEqual((answer["device_asked"], answer["device"], answer["why"]),
                         ("cpu", "cpu", None))


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
        listed = json.loads(self.models(vmad.data, "list", "--json").stdout)
        self.assertEqual([m["name"] for m in listed if m["used"]], ["bright"])
        broken = pathlib.Path(vmad.data) / "models" / "bright" / "1" / "model.onnx"
        broken.write_bytes(broken.read_bytes()[:-1] + b"x")
        self.assertIn("where its manifest says", self.models(vmad.data, "verify").stderr)
        self.assertEqual(vmad.stop(), 0)

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
        self.assertGreater(sum(answer.status == 200 for answer in answers), 32)
        if not sanitized():
            self.assertLess(vmad.rss_kb() - before, 200 * 1024)
        self.assertEqual(vmad.post_form("/api/image/cutout", body).status, 200)
        self.assertEqual(vmad.stop(), 0)


if __name__ == "__main__":
    unittest.main()
