# SPDX-License-Identifier: Apache-2.0
"""The earlier application's routes for voices and progress, as its clients still use them. Those for
pictures are in test_image.py."""
import json
import struct
import unittest

from harness import Case, photo

JSON = {"Content-Type": "application/json"}


class Voices(Case):
    def say(self, path="/api/unified-voice/synthesize", language="en", **body):
        return self.vmad.request("POST", path, json.dumps(body), {**JSON, "Accept-Language": language})

    def seconds(self, answer):
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "audio/wav"), answer.body[:300])
        self.assertEqual((answer.body[:4], answer.body[8:12]), (b"RIFF", b"WAVE"))
        rate, = struct.unpack_from("<I", answer.body, 24)
        return (len(answer.body) - 44) / 2 / rate

    def test_voices_are_listed_and_found(self):
        everybody = self.vmad.get("/api/unified-voice/voices").json
        self.assertEqual(everybody["total_count"], len(everybody["voices"]))
        english = self.vmad.get("/api/unified-voice/voices?language=en").json["voices"]
        self.assertTrue(4 <= len(english) < everybody["total_count"])
        self.assertEqual(self.vmad.get("/api/unified-voice/voices?provider=voicevox").json["voices"], [])
        first = english[0]
        self.assertEqual(self.vmad.get(f"/api/unified-voice/voices/{first['id']}", Accept_Language="en").json["id"],
                         first["id"])
        self.assertEqual(self.vmad.get(first["sample_url"]).status, 200)
        self.assert_problem(self.vmad.get("/api/unified-voice/voices/nobody"), 404, "not_found")

    def test_providers_types_and_health(self):
        providers = self.vmad.get("/api/unified-voice/providers", Accept_Language="en").json["providers"]
        self.assertEqual({p["id"]: p["available"] for p in providers},
                         {"local": True, "voicevox": False, "openvoice": False})
        self.assertEqual(len(self.vmad.get("/api/unified-voice/voice-types").json["voice_types"]), 2)
        health = self.vmad.get("/api/unified-voice/health").json
        self.assertEqual((health["status"], health["providers"]["local"]), ("healthy", "healthy"))

    def test_a_text_is_spoken_as_asked(self):
        plain = self.seconds(self.say(text="Hello there, how are you?"))
        self.assertGreater(plain, 0.5)
        self.assertLess(self.seconds(self.say(text="Hello there, how are you?", speed=2)), plain * 0.7)
        self.assertLess(self.seconds(self.say(text="Hello there, how are you?", speed=3)), plain * 0.7)
        self.assertGreater(self.seconds(self.say(text="Hello there, how are you?", emotion="sad")), plain * 1.05)
        japanese = self.say(text="こんにちは", voice_profile_id="ja-hana", pitch=0.1, volume=1.5, intonation=1.2,
                            pause_duration=0.5)
        self.assertGreater(self.seconds(japanese), 0.4)
        self.assertEqual(self.say(text="こんにちは", voice_profile={"id": "ja-sora"}).status, 200)
        greeting = "/api/unified-voice/test"
        self.assertGreater(self.seconds(self.say(greeting, voice_profile_id="ja-hana")), 0.5)
        self.assertGreater(self.seconds(self.say(greeting)), 0.5)

    def test_what_is_wrong_is_said(self):
        cases = (({}, 422, "part_missing", "text"), ({"text": ""}, 422, "text_empty", "text"),
                 ({"text": 5}, 422, "text_empty", "text"), ({"text": None}, 422, "text_empty", "text"),
                 ({"text": "a" * 1001}, 422, "text_too_long", "text"),
                 ({"text": "🎂"}, 422, "voice_text_unspeakable", "text"),
                 ({"text": "Привет"}, 422, "voice_text_unspeakable", "text"),
                 ({"text": "hi", "voice_profile_id": "nobody"}, 422, "voice_unknown", "voice_profile_id"),
                 ({"text": "hi", "speed": 4}, 422, "number_out_of_range", "speed"),
                 ({"text": "hi", "pitch": "high"}, 422, "number_malformed", "pitch"),
                 ({"text": "hi", "emotion": "bored"}, 422, "value_unknown", "emotion"))
        for body, status, code, field in cases:
            english, japanese = self.say(**body), self.say(language="ja", **body)
            status = 400 if code == "part_missing" else status
            for answer in (english, japanese):
                self.assert_problem(answer, status, code, field)
            self.assertNotEqual(english.json["detail"], japanese.json["detail"])
        path = "/api/unified-voice/synthesize"
        for body in (b"", b"{", b"[1]", b"\xff", b'{"text":"a","text":"b"}', b"[" * 1000):
            self.assert_problem(self.vmad.request("POST", path, body, JSON), 400, "json_malformed")
        self.assert_problem(self.vmad.request("POST", path, b"text=hi"), 415, "json_expected")
        self.assert_problem(self.vmad.request("POST", path, b'"' + b"x" * 70_000 + b'"', JSON), 413,
                            "body_too_large")


class Progress(Case):
    options = ("--heartbeat", "100ms")

    def test_progress_comes_in_the_earlier_shape(self):
        job = self.vmad.post_form("/api/video/generate", [
            ("image", photo(), "a.jpg"), ("text", "Follow me, please. " * 12), ("format", "9:16")],
            {"Prefer": "respond-async"}).json["id"]
        stream = self.vmad.get(f"/api/sse/progress/{job}", timeout=90)
        self.assertEqual(stream.headers["Content-Type"], "text/event-stream; charset=utf-8")
        events = [json.loads(line[6:]) for line in stream.body.decode().splitlines() if line.startswith("data: ")]
        self.assertNotIn(b"event:", stream.body)
        for event in events:
            self.assertEqual(event["task_id"], job)
            self.assertGreater(event["timestamp"], 1.7e9)
            self.assertLessEqual({"stage", "progress", "message", "metadata"}, set(event["data"]))
        kinds = [event["event_type"] for event in events]
        self.assertEqual(kinds[-1], "complete")
        self.assertIn("stage_update", kinds)
        self.assertLessEqual(set(kinds), {"stage_update", "progress_update", "heartbeat", "complete"})
        progress = [event["data"]["progress"] for event in events]
        self.assertEqual(progress, sorted(progress))
        self.assertEqual(events[-1]["data"]["metadata"]["video_url"], f"/api/video/jobs/{job}/video")
        self.assert_problem(self.vmad.get("/api/sse/progress/nobody"), 404, "job_unknown")


if __name__ == "__main__":
    unittest.main()
