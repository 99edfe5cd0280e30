# SPDX-License-Identifier: Apache-2.0
"""Forms, bodies and ranges that are wrong, a service that is full, and many who come at once: each
gets a clear problem in both languages that names the field, and nothing is left behind."""
import concurrent.futures
import json
import os
import unittest

from harness import Vmad, form, photo, wait_until
from test_bad_input import Bad


class Forms(Bad):
    """Parts that are there twice, or not, or in any order; bodies of any size."""

    def both(self, status, code, field, send):
        before = self.kept()
        for language in ("en", "ja"):
            answer = send({"Prefer": "respond-async", "Accept-Language": language})
            self.assert_problem(answer, status, code, field)
            self.assertEqual(answer.headers["Content-Language"], language)
            self.assertEqual(answer.json["detail"].isascii(), language == "en")
        self.assertTrue(wait_until(lambda: not self.vmad.spooled(), 3), self.vmad.spooled())
        self.assertEqual(self.kept(), before)
        return answer.json

    def form(self, status, code, field, *parts, path="/api/video/generate"):
        return self.both(status, code, field, lambda headers: self.vmad.post_form(path, parts, headers))

    def raw(self, status, code, body, kind="multipart/form-data; boundary=b"):
        return self.both(status, code, None, lambda headers: self.vmad.request(
            "POST", "/api/video/generate", body, {**headers, "Content-Type": kind}))

    def test_parts_twice_missing_and_of_the_wrong_kind(self):
        image, text = ("image", photo(), "a.jpg"), ("text", "hi")
        self.form(400, "part_duplicate", "image", image, text, image)
        self.form(400, "part_duplicate", "text", text, image, text)
        self.form(400, "part_duplicate", "speed", image, text, ("speed", "1"), ("speed", "1"))
        self.form(400, "part_missing", "image", text)
        self.form(400, "part_missing", "text", image)
        self.form(400, "part_missing", "image")
        self.form(400, "part_missing", "background_image", image, text, ("background", "upload"))
        self.form(400, "part_kind", "text", image, ("text", "hi", "hi.txt"))
        self.form(400, "part_not_utf8", "speed", image, text, ("speed", b"\xff"))
        self.form(413, "part_too_large", "speed", image, text, ("speed", "1" * 5000))
        for name in ("../../image", "IMAGE", "text ", "声" * 5):
            self.form(400, "part_unknown", name, image, text, (name, "x"))

    def test_any_order_and_path_like_names_pass_and_leave_no_such_file(self):
        before = set(os.listdir(self.vmad.folder)) | set(os.listdir(self.vmad.data))
        for name in ("../../../tmp/x.jpg", "/etc/passwd", "..\\..\\x.exe", ".", "..", "~/.ssh/x",
                     "\u202egpj.exe", "x" * 300, "", "con", "%2e%2e%2fx", "a/b/c.jpg;type=text/html"):
            answer = self.vmad.post_form("/api/video/generate", [
                ("face", "0"), ("text", "Odd order."), ("speed", ""), ("image", photo(), name)],
                {"Prefer": "respond-async"})
            self.assertEqual(answer.status, 202, (name, answer.body))
            self.vmad.request("DELETE", answer.headers["Location"])
        self.assertEqual(set(os.listdir(self.vmad.folder)) | set(os.listdir(self.vmad.data)), before)
        self.assertEqual(self.vmad.spooled(), [])

    def test_forms_that_are_broken(self):
        whole, kind = form([("image", photo(), "a.jpg"), ("text", "hi")], "b")
        self.raw(400, "multipart_malformed", whole[:-30])
        self.raw(400, "multipart_malformed", whole, "multipart/form-data")
        self.raw(400, "multipart_malformed", whole.replace(b'"a.jpg"', b'"a\0.jpg"'))
        self.raw(400, "multipart_malformed", whole.replace(b'name="image"', b'name=""'))
        self.raw(400, "multipart_malformed", b"no boundary in here at all")
        self.raw(415, "media_type_unsupported", whole, "application/x-www-form-urlencoded")
        self.raw(400, "multipart_header_too_large", whole.replace(b"name=", b"x=" + b"y" * 20_000 + b"; name=", 1))
        self.assertEqual(kind, "multipart/form-data; boundary=b")

    def test_bodies_that_are_too_large(self):
        text = ("text", "hi")
        self.form(413, "image_too_large", "image", ("image", b"x" * 10_000_001, "a.jpg"), text)
        self.form(413, "image_too_large", "background_image", ("image", photo(), "a.jpg"), text,
                  ("background_image", b"x" * 10_000_001, "b.jpg"))
        self.form(413, "body_too_large", "image", ("image", b"x" * 40_000_000, "a.jpg"), text)

    def test_ranges_that_are_wrong(self):
        where = "/api/voices/en-emma/sample"
        size = len(self.vmad.get(where).body)
        for wrong in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=-0",
                      "bytes=99999999999999999999-"):
            self.both(416, "range_unsatisfiable", None,
                      lambda headers, wrong=wrong: self.vmad.request("GET", where, None, {**headers, "Range": wrong}))
        for odd in ("bytes=", "bytes=-", "bytes=2-1", "bytes=0-1,3-4", "octets=0-1", "bytes=0x0-1", "bytes = 0-1"):
            answer = self.vmad.get(where, Range=odd)
            self.assertEqual((answer.status, len(answer.body)), (200, size), odd)
        self.assertEqual(self.vmad.get(where, Range="bytes=-99999999").status, 206)


class Full(Bad):
    options = ("--queue", "3")

    def test_a_full_queue_and_a_full_disk_say_so_in_both_languages(self):
        long = [("image", photo(), "a.jpg"), ("text", "A long one, to be sure. " * 40), ("format", "9:16")]
        accepted = []
        for language in ("en", "ja"):
            full = lambda language=language: self.vmad.post_form("/api/video/generate", long, {
                "Prefer": "respond-async", "Accept-Language": language})
            answer = full()
            while answer.status == 202:
                accepted.append(answer.headers["Location"])
                answer = full()
            self.assert_problem(answer, 503, "queue_full")
            self.assertEqual(answer.json["detail"].isascii(), language == "en")
            self.assertGreater(int(answer.headers["Retry-After"]), 0)
            self.assertEqual(self.vmad.spooled(), [])
        for where in accepted:
            self.vmad.request("DELETE", where)

        crowded = Vmad("--reserve", "900000GB")
        self.addCleanup(crowded.close)
        for language in ("en", "ja"):
            answer = crowded.post_form("/api/video/generate", long, {"Accept-Language": language})
            self.assert_problem(answer, 507, "disk_full")
            self.assertEqual(answer.json["detail"].isascii(), language == "en")
            self.assertEqual(crowded.spooled(), [])


class Together(Bad):
    def follow(self, voice, text):
        answer = self.vmad.post_form("/api/video/generate", [
            ("image", photo(), "a.jpg"), ("text", text), ("voice_profile", voice)],
            {"Prefer": "respond-async"})
        where = answer.headers["Location"]
        heard = self.vmad.get(f"{where}/events", timeout=90).body.decode()
        jobs = [json.loads(line[6:]) for line in heard.splitlines() if line.startswith("data: ")]
        return where, jobs, self.vmad.get(jobs[-1]["video_url"]).body

    def test_two_people_at_once_hear_and_see_their_own_only(self):
        people = (("en-emma", "Good morning to you."), ("ja-hana", "おはようございます。"))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda person: self.follow(*person), people))
        self.assertNotEqual(both[0][0], both[1][0])
        for (voice, _), (where, jobs, video) in zip(people, both):
            self.assertEqual({f"/api/video/jobs/{job['id']}" for job in jobs}, {where})
            self.assertEqual((jobs[-1]["status"], jobs[-1]["result"]["voice"]), ("done", voice))
            self.assertEqual(video[4:8], b"ftyp")
        self.assertNotEqual(both[0][2], both[1][2])

    def test_a_hundred_messages_at_once_are_accepted_or_told_when_to_come_back(self):
        body, kind = form([("image", photo(), "a.jpg"), ("text", "All at once, everybody.")])

        def post(number):
            if number % 10 == 9:  # some of them break off
                with self.vmad.socket(30) as sock:
                    sock.sendall(b"POST /api/video/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                                 + kind.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
                                 + body[:len(body) // 2])
                return None
            return self.vmad.request("POST", "/api/video/generate", body, {
                "Content-Type": kind, "Prefer": "respond-async"}, timeout=120)

        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            answers = [answer for answer in pool.map(post, range(100)) if answer]
        accepted = [answer.json["id"] for answer in answers if answer.status == 202]
        self.assertGreaterEqual(len(accepted), 10)
        self.assertEqual(len(set(accepted)), len(accepted))
        for answer in answers:
            if answer.status != 202:
                self.assertEqual(answer.status, 503, answer.body)
                self.assertGreater(int(answer.headers["Retry-After"]), 0)
        self.assertEqual(self.vmad.get("/health").status, 200)
        for number in accepted:
            self.vmad.request("DELETE", f"/api/video/jobs/{number}")
        self.assertTrue(wait_until(lambda: not self.vmad.spooled(), 5), self.vmad.spooled())
        self.works()


if __name__ == "__main__":
    unittest.main()
