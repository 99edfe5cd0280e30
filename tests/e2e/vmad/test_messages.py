# SPDX-License-Identifier: Apache-2.0
"""A photo and a sentence become a video: the API as clients use it, well and badly."""
import concurrent.futures
import json
import re
import select
import shutil
import subprocess
import time
import unittest

from harness import SOURCE, Case, form, photo, wait_until

ASYNC = {"Prefer": "respond-async"}
DONE_S = 90


class Messages(Case):
    options = ("--heartbeat", "200ms")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = cls.vmad.post_form("/api/video/generate", [
            ("image", photo(), "me.jpg"), ("text", "こんにちは")], timeout=DONE_S)

    def submit(self, *parts, **headers):
        parts = parts or (("image", photo(), "me.jpg"), ("text", "Hello there"))
        return self.vmad.post_form("/api/video/generate", parts, {**ASYNC, **headers})

    def finish(self, number):
        job = lambda: self.vmad.get(f"/api/video/jobs/{number}").json
        final = ("done", "error", "cancelled")
        self.assertTrue(wait_until(lambda: job()["status"] in final, DONE_S, 0.05), job())
        return job()

    def refused(self, status, code, field, *parts, language="en"):
        answer = self.vmad.post_form("/api/video/generate", parts,
                                     {**ASYNC, "Accept-Language": language})
        self.assert_problem(answer, status, code, field)
        self.assertEqual(self.vmad.spooled(), [])
        return answer.json

    def test_the_answer_is_the_video(self):
        self.assertEqual(self.made.status, 200, self.made.body)
        reply = self.made.json
        self.assertEqual(reply["status"], "done")
        self.assertGreater(reply["duration_s"], 0.5)
        self.assertGreater(reply["timings"]["total_s"], 0)
        self.assertEqual(self.made.headers["Content-Location"], f"/api/video/jobs/{reply['job_id']}")
        video = self.vmad.get(reply["video_url"])
        self.assertEqual(video.headers["Content-Type"], "video/mp4")
        self.assertEqual(video.body[4:8], b"ftyp")
        self.assertLess(video.body.index(b"moov"), video.body.index(b"mdat"))
        still = self.vmad.get(reply["thumbnail_url"])
        self.assertEqual((still.headers["Content-Type"], still.body[:2]), ("image/jpeg", b"\xff\xd8"))

    def test_ranges_tags_and_downloads(self):
        url = self.made.json["video_url"]
        whole = self.vmad.get(url)
        size, tag = len(whole.body), whole.headers["ETag"]
        self.assertEqual(whole.headers["Accept-Ranges"], "bytes")
        part = self.vmad.get(url, Range="bytes=10-19")
        self.assertEqual((part.status, part.body), (206, whole.body[10:20]))
        self.assertEqual(part.headers["Content-Range"], f"bytes 10-19/{size}")
        self.assertEqual(self.vmad.get(url, Range="bytes=-5").body, whole.body[-5:])
        self.assertEqual(self.vmad.get(url, Range=f"bytes={size - 1}-").body, whole.body[-1:])
        for wrong in ("bytes=5-2", "bytes=a-", "lines=1-2", "bytes=0-1,4-5", "bytes"):
            self.assertEqual(self.vmad.get(url, Range=wrong).status, 200)
        beyond = self.vmad.get(url, Range=f"bytes={size}-")
        self.assert_problem(beyond, 416, "range_unsatisfiable")
        self.assertEqual(beyond.headers["Content-Range"], f"bytes */{size}")
        self.assertEqual(self.vmad.get(url, Range="bytes=0-9", If_Range=tag).status, 206)
        self.assertEqual(self.vmad.get(url, Range="bytes=0-9", If_Range='"other"').status, 200)
        self.assertEqual(self.vmad.get(url, If_None_Match=f"W/{tag}").status, 304)
        self.assertEqual(self.vmad.get(url, If_Modified_Since=whole.headers["Last-Modified"]).status,
                         304)
        self.assert_problem(self.vmad.get(url, If_Match='"other"'), 412, "precondition_failed")
        head = self.vmad.request("HEAD", url)
        self.assertEqual((head.headers["Content-Length"], head.body), (str(size), b""))
        head = self.vmad.request("HEAD", url, headers={"Range": "bytes=0-9"})  # ranges are of GET
        self.assertEqual((head.status, head.headers["Content-Length"]), (200, str(size)))
        saved = self.vmad.get(url + "?download=1")
        self.assertRegex(saved.headers["Content-Disposition"],
                         r'^attachment; filename="\d{4}-\d\d-\d\d.*\.mp4"')
        self.assertIsNone(whole.headers["Content-Disposition"])

    def test_who_does_not_wait_gets_the_job(self):
        answer = self.submit()
        self.assertEqual(answer.status, 202)
        self.assertEqual(answer.headers["Preference-Applied"], "respond-async")
        job = answer.json
        self.assertEqual(answer.headers["Location"], f"/api/video/jobs/{job['id']}")
        self.assertIn(job["status"], ("queued", "running", "done"))
        self.assertIsNone(job["error"])
        job = self.finish(job["id"])
        self.assertEqual((job["status"], job["progress"]), ("done", 100))
        self.assertRegex(job["completed_at"], r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
        self.assertEqual(job["result"]["language"], "en")

        listed = self.vmad.get("/jobs")
        self.assertEqual((listed.status, listed.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn(f"/api/video/jobs/{job['id']}/video", listed.body.decode())
        self.assertIn(job["id"], self.vmad.get("/jobs?state=done").body.decode())
        self.assertNotIn(job["id"], self.vmad.get("/jobs?state=error").body.decode())

    def test_a_wait_that_runs_out_is_answered_with_the_job(self):
        answer = self.vmad.post_form("/api/video/generate", [
            ("image", photo(), "a.jpg"), ("text", "This takes longer than no time. " * 5),
            ("format", "9:16")], {"Prefer": "wait=0"})
        self.assertEqual(answer.status, 202)
        self.vmad.request("DELETE", answer.headers["Location"])

    def test_events_tell_of_progress_and_can_be_resumed(self):
        number = self.submit(("image", photo(), "a.jpg"), ("text", "Now follow what happens. " * 3),
                             ("format", "9:16")).json["id"]
        stream = self.vmad.get(f"/api/video/jobs/{number}/events", timeout=DONE_S)
        self.assertEqual(stream.headers["Content-Type"], "text/event-stream; charset=utf-8")
        self.assertEqual(stream.headers["X-Accel-Buffering"], "no")
        text = stream.body.decode()
        self.assertTrue(text.startswith("retry: "))
        events = re.findall(r"id: (\d+)\nevent: job\ndata: (.*)\n\n", text)
        jobs = [json.loads(data) for _, data in events]
        self.assertGreaterEqual(len(jobs), 3)
        self.assertEqual(jobs[-1]["status"], "done")
        progress = [job["progress"] for job in jobs]
        self.assertEqual(progress, sorted(progress))
        ids = [int(number_) for number_, _ in events]
        self.assertEqual(ids, sorted(set(ids)))
        last = self.vmad.get(f"/api/video/jobs/{number}/events", Last_Event_ID=events[-2][0])
        self.assertEqual(last.body.count(b"event: job"), 1)
        over = self.vmad.get(f"/api/video/jobs/{number}/events", Last_Event_ID=events[-1][0])
        self.assertEqual((over.status, over.body), (204, b""))
        self.assertIn('"error":null', text)
        for strange in ("abc", "-1", "99999999999999999"):
            answer = self.vmad.get(f"/api/video/jobs/{number}/events", Last_Event_ID=strange)
            self.assertEqual(answer.body.count(b"event: job"), 1)

    def test_cancelling(self):
        number = self.submit(("image", photo(), "a.jpg"), ("text", "Never mind, really. " * 40),
                             ("format", "9:16")).json["id"]
        self.assertEqual(self.vmad.request("DELETE", f"/api/video/jobs/{number}").status, 200)
        self.assertEqual(self.finish(number)["status"], "cancelled")
        again = self.vmad.request("DELETE", f"/api/video/jobs/{number}")
        self.assert_problem(again, 409, "job_finished")
        self.assert_problem(self.vmad.get(f"/api/video/jobs/{number}/video"), 409,
                            "job_without_video")

    def test_the_language_can_be_in_the_address(self):
        answer = self.vmad.get("/api/voices?lang=en", Accept_Language="ja")
        self.assertEqual(answer.json, self.vmad.get("/api/voices", Accept_Language="en").json)
        answer = self.vmad.get("/api/voices?lang=xx", Accept_Language="ja")
        self.assertEqual(answer.json, self.vmad.get("/api/voices", Accept_Language="ja").json)

    def test_unknown_jobs(self):
        for number in ("0" * 26, "nonsense", "%2e%2e", "a" * 500):
            for what in ("", "/events", "/video", "/thumbnail"):
                answer = self.vmad.get(f"/api/video/jobs/{number}{what}")
                self.assertIn(answer.status, (400, 404))
        self.assert_problem(self.vmad.get("/api/video/jobs/" + "0" * 26), 404, "job_unknown")

    def test_bad_choices_are_refused_naming_the_field(self):
        good = (("image", photo(), "a.jpg"), ("text", "hi"))
        cases = (("voice_profile", "nobody", "voice_unknown"), ("format", "4:3", "format_unknown"),
                 ("background", "sea", "background_unknown"),
                 ("background", "preset:../../etc/passwd", "background_unknown"),
                 ("background", "color:#12345g", "background_unknown"),
                 ("bgm", "silence", "bgm_unknown"), ("motion", "much", "motion_unknown"),
                 ("speed", "fast", "number_malformed"), ("speed", "0.4", "number_out_of_range"),
                 ("speed", "nan", "number_malformed"), ("pitch", "13", "number_out_of_range"),
                 ("pause", "1e9", "number_out_of_range"), ("face", "1.5", "number_malformed"),
                 ("face", "16", "number_out_of_range"), ("face", "9", "face_unknown"))
        for field, value, code in cases:
            self.refused(422, code, field, *good, (field, value))

    def test_faces_can_be_chosen(self):
        answer = self.vmad.post_form("/api/image/faces",
                                     [("image", photo("two_faces.jpg"), "a.jpg")])
        reply = answer.json
        self.assertEqual(answer.status, 200)
        self.assertGreaterEqual(len(reply["faces"]), 1)
        for index, face in enumerate(reply["faces"]):
            self.assertEqual(face["index"], index)
            self.assertLessEqual(face["box"]["x"] + face["box"]["width"], reply["width"] * 1.2)
        nobody = self.vmad.post_form("/api/image/faces", [("image", photo("no_face.jpg"), "a.jpg")])
        self.assertEqual((nobody.status, nobody.json["faces"]), (200, []))
        profile = self.vmad.post_form("/api/image/faces", [("image", photo("profile.jpg"), "a.jpg")],
                                      {"Accept-Language": "en"})
        for face in profile.json["faces"]:
            self.assertEqual(face["usable"], face["problem"] is None)

    def test_voices_and_their_samples(self):
        japanese = self.vmad.get("/api/voices", Accept_Language="ja").json
        english = self.vmad.get("/api/voices", Accept_Language="en").json
        for language in ("ja", "en"):
            of_it = [v for v in english["voices"] if v["language"] == language]
            self.assertGreaterEqual(len(of_it), 4)
            self.assertIn(english["default"][language], [v["id"] for v in of_it])
        self.assertNotEqual(japanese["voices"][0]["name"], english["voices"][0]["name"])
        for language in ("ja", "en"):
            sample = f"/api/voices/{english['default'][language]}/sample"
            sound = self.vmad.get(sample)
            self.assertEqual((sound.status, sound.body[:4]), (200, b"RIFF"))
            self.assertGreater(len(sound.body), 20000)
            self.assertEqual(self.vmad.get(sample).body, sound.body)
        self.assertNotEqual(self.vmad.get(sample + "?text=Good%20morning").body, sound.body)
        self.assert_problem(self.vmad.get("/api/voices/nobody/sample"), 404, "not_found")
        for wrong in ("%20", "a" * 201, "%ff", "a%07"):
            answer = self.vmad.get(f"{sample}?text={wrong}")
            self.assert_problem(answer, 400, "parameter_invalid", "text")

    def test_presets_and_limits(self):
        backgrounds = self.vmad.get("/api/presets/backgrounds", Accept_Language="en").json
        self.assertGreaterEqual(len(backgrounds["backgrounds"]), 10)
        for preset in backgrounds["backgrounds"][:3]:
            for url in (preset["image"], preset["thumbnail"]):
                picture = self.vmad.get(url)
                self.assertEqual((picture.status, picture.body[:2]), (200, b"\xff\xd8"))
        self.assert_problem(self.vmad.get("/api/presets/backgrounds/nowhere/image"), 404,
                            "preset_unknown")
        self.assertEqual(self.vmad.get("/api/presets/backgrounds/sakura/manifest.json").status, 404)
        music = self.vmad.get("/api/presets/music").json["music"]
        self.assertGreaterEqual(len(music), 1)
        self.assertEqual(self.vmad.get(music[0]["preview"]).body[:4], b"RIFF")
        limits = self.vmad.get("/api/limits").json
        self.assertEqual(limits["text"]["max_characters"], 1000)
        self.assertEqual(limits["numbers"]["speed"], {"min": 0.5, "max": 2, "default": 1})

    def test_everything_can_be_chosen_at_once(self):
        answer = self.submit(
            ("image", photo(), "a.jpg"), ("text", "All at once."), ("voice_profile", "en-emma"),
            ("background", "preset:sakura"), ("format", "16:9"), ("speed", "1.5"), ("pitch", "-3"),
            ("intonation", "0.5"), ("volume", "1.2"), ("pause", "0.5"), ("face", "0"),
            ("bgm", self.vmad.get("/api/presets/music").json["music"][0]["id"]), ("motion", "off"))
        job = self.finish(answer.json["id"])
        self.assertEqual(job["status"], "done", job)
        self.assertEqual((job["result"]["width"], job["result"]["fps"]), (1280, 30))
        self.assertEqual(job["result"]["voice"], "en-emma")
        upload = self.submit(("image", photo(), "a.jpg"), ("text", "My own background."),
                             ("background_image", photo("no_face.jpg"), "b.jpg"))
        self.assertEqual(self.finish(upload.json["id"])["status"], "done")

    def test_the_description_is_valid_and_the_answers_are_as_it_says(self):
        if not (SOURCE / "tests" / "node_modules").is_dir():
            self.skipTest("the npm packages of tests/ are not installed")
        job = self.submit().json
        done = self.finish(job["id"])
        faces = self.vmad.post_form("/api/image/faces", [("image", photo(), "a.jpg")]).json
        answers = [("Job", job), ("Job", done), ("Message", self.made.json), ("Faces", faces)]
        for schema, path in (("Health", "/health"), ("State", "/health/ready"),
                             ("Voices", "/api/voices"), ("Limits", "/api/limits"),
                             ("Backgrounds", "/api/presets/backgrounds"), ("Problem", "/nowhere"),
                             ("Music", "/api/presets/music"), ("ProblemKind", "/problems/invalid")):
            answers.append((schema, self.vmad.get(path).json))
        question = {"document": self.vmad.get("/openapi.json").json,
                    "answers": [{"schema": s, "value": v} for s, v in answers]}
        node = shutil.which("node") or str(SOURCE / ".deps" / "node" / "bin" / "node")
        checked = subprocess.run([node, str(SOURCE / "tests/support/validate_openapi.mjs")],
                                 input=json.dumps(question), capture_output=True, text=True,
                                 check=False)
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_a_request_can_be_followed_through_the_log(self):
        number = self.submit(**{"X-Request-Id": "follow-me"}).json["id"]
        self.finish(number)
        about = [event for event in self.vmad.events() if event.get("id") in ("follow-me", number)]
        accepted = [event for event in about if event["event"] == "job.accepted"]
        self.assertEqual([(event["id"], event["job"]) for event in accepted], [("follow-me", number)])
        stages = {event["stage"] for event in about if event["event"] == "stage.ended"}
        self.assertLessEqual({"speech", "video", "finish"}, stages)  # the photo's are known already
        self.assertEqual(about[-1]["event"], "job.ended")
        own = ("server.", "engine.", "image.", "page.", "retention.", "presets.", "voice.")
        for event in self.vmad.events():
            self.assertTrue(event.get("id") or event["event"].startswith(own), event)

    def test_what_takes_long_is_logged(self):
        sent = {"Prefer": "handling=strict, wait=1", "X-Request-Id": "a-slow-one"}
        answer = self.vmad.post_form("/api/video/generate", [
            ("image", photo(), "a.jpg"), ("text", "It takes its time. " * 50), ("format", "9:16")], sent)
        self.assertEqual((answer.status, answer.headers["Preference-Applied"]), (202, "wait"))
        self.vmad.request("DELETE", answer.headers["Location"])
        logged = lambda: [event for event in self.vmad.events() if event.get("id") == "a-slow-one"
                          and event["event"] == "http.slow"]
        self.assertTrue(wait_until(logged, 3))
        self.assertGreaterEqual(logged()[0]["took_ms"], 1000)


class Busy(Case):
    options = ("--queue", "3", "--heartbeat", "200ms", "--wait", "1s")

    def test_a_full_queue_says_when_to_come_back_and_followers_cost_no_thread(self):
        body, kind = form([("image", photo(), "a.jpg"), ("text", "A rather long message. " * 43),
                           ("format", "9:16")])

        def post(_):
            answer = self.vmad.request("POST", "/api/video/generate", body,
                                       {"Content-Type": kind, **ASYNC}, timeout=60)
            while answer.json.get("code") == "busy":  # a slow machine: too many photos at once
                time.sleep(0.2)
                answer = self.vmad.request("POST", "/api/video/generate", body,
                                           {"Content-Type": kind, **ASYNC}, timeout=60)
            return answer

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(post, range(8)))
        accepted = [a.json["id"] for a in answers if a.status == 202]
        refused = [a for a in answers if a.status == 503]
        self.assertEqual(len(accepted), 3, [a.body for a in answers])
        self.assertEqual(len(refused), 5)
        for answer in refused:
            self.assert_problem(answer, 503, "queue_full")
            self.assertGreater(int(answer.headers["Retry-After"]), 0)
        self.assertEqual(self.vmad.spooled(), [])

        threads = self.threads()
        streams = []
        for i in range(200):
            sock = self.vmad.socket(30)
            sock.sendall(f"GET /api/video/jobs/{accepted[i % 3]}/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
                         .encode())
            streams.append([sock, b""])

        def more(stream):
            received = stream[0].recv(65536)
            self.assertTrue(received, "the stream ended before its message did")
            stream[1] += received

        for stream in streams:
            while b"event: job" not in stream[1]:
                more(stream)
        self.assertEqual(self.vmad.get("/health").status, 200)
        # the messages themselves start and end threads meanwhile; 200 followers would show
        self.assertLess(self.threads(), threads + 20)
        # only one message is drawn at a time: of the others there is nothing new to tell
        while not any(b": still here" in text for _, text in streams[:3]):
            ready = select.select([sock for sock, _ in streams[:3]], [], [], 30)[0]
            self.assertTrue(ready, "nothing was told for 30 s")
            for stream in streams[:3]:
                if stream[0] in ready:
                    more(stream)
        for number in accepted:
            self.vmad.request("DELETE", f"/api/video/jobs/{number}")
        for stream in streams[:20]:  # the others just go away; a quick machine may be done by now
            while b'"status":"cancelled"' not in stream[1] and b'"status":"done"' not in stream[1]:
                more(stream)
        for sock, _ in streams:
            sock.close()

    def threads(self):
        with open(f"/proc/{self.vmad.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"Threads:\s+(\d+)", status.read()).group(1))


if __name__ == "__main__":
    unittest.main()
