#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole chain from a photo and a sentence to a video: through the server and from the command
line."""
import fcntl
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

ROOT = os.path.abspath(os.environ.get("SOURCE_DIR") or os.path.join(os.path.dirname(__file__),
                                                                    "..", ".."))
BUILD = os.path.abspath(os.environ.get("BUILD_DIR") or os.path.join(ROOT, "build", "release"))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from vmad import Vmad, mp4_boxes, until  # noqa: E402

PROGRAM = os.path.join(BUILD, "vmad")
PHOTOS = os.path.join(ROOT, "tests", "data", "photos")
LONG = "これはとても長い文章です。途中でやめられるはずです。" * 38


def photo(name="astronaut.jpg"):
    with open(os.path.join(PHOTOS, name), "rb") as file:
        return file.read()


def probe(path):
    output = subprocess.run(["ffprobe", "-v", "error", "-show_streams", "-of", "json", path],
                            stdout=subprocess.PIPE, check=True).stdout
    streams = json.loads(output)["streams"]
    return {stream["codec_type"]: stream for stream in streams}


class WithData(unittest.TestCase):
    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="message-")
        self.addCleanup(shutil.rmtree, self.data, True)

    def start(self, *arguments):
        server = Vmad(PROGRAM, self.data, "--log-level", "error", *arguments)
        self.addCleanup(lambda: server.process.poll() is None and server.kill())
        return server

    def scratch(self):
        """Files that are being made."""
        folder = os.path.join(self.data, "store", "tmp")
        return [name for _, _, names in os.walk(folder) for name in names]

    def assert_video(self, content, width, height, fps):
        boxes = mp4_boxes(content)
        self.assertEqual(boxes[:2], ["ftyp", "moov"])  # plays before all of it is there
        path = os.path.join(self.data, "video.mp4")
        with open(path, "wb") as file:
            file.write(content)
        streams = probe(path)
        video, audio = streams["video"], streams["audio"]
        self.assertEqual((video["width"], video["height"]), (width, height))
        self.assertEqual(video["r_frame_rate"], f"{fps}/1")
        self.assertEqual((video["codec_name"], video["profile"], video["pix_fmt"]),
                         ("h264", "High", "yuv420p"))
        self.assertEqual(video["color_space"], "bt709")
        self.assertEqual((audio["codec_name"], audio["sample_rate"]), ("aac", "48000"))
        self.assertEqual(float(video["start_time"]), float(audio["start_time"]))
        self.assertAlmostEqual(float(video["duration"]), float(audio["duration"]), delta=1 / fps)
        return float(video["duration"])


class Server(WithData):
    def test_a_message_becomes_a_video(self):
        server = self.start()
        status, reply = server.submit(photo(), wait=True, text="はい、おめでとう。", format="9:16")
        self.assertEqual(status, 200, reply)
        status, headers, content = server.ask("GET", reply["video_url"])
        self.assertEqual((status, headers["Content-Type"]), (200, "video/mp4"))
        duration = self.assert_video(content, 720, 1280, 30)
        self.assertAlmostEqual(duration, reply["duration_s"], delta=.05)
        status, headers, content = server.ask("GET", f"/api/video/jobs/{reply['job_id']}/thumbnail")
        self.assertEqual((status, headers["Content-Type"]), (200, "image/jpeg"))
        self.assertEqual((content[:2], content[-2:]), (b"\xff\xd8", b"\xff\xd9"))
        self.assertEqual(self.scratch(), [])
        self.assertEqual(server.stop(), 0)

    def test_four_at_once_with_every_kind_of_background(self):
        server = self.start()
        identifiers = []
        for background in ("keep", "blur", "color:#336699", "preset:birthday"):
            status, reply = server.submit(photo("hopper.jpg"), text="Hello!", background=background)
            self.assertEqual(status, 202, reply)
            identifiers.append(reply["id"])
        videos = set()
        for identifier in identifiers:
            state = server.wait(identifier)
            self.assertEqual(state["status"], "done", state)
            videos.add(server.ask("GET", state["video_url"])[2])
        self.assertEqual(len(videos), 4)
        self.assertLess(server.memory_mb(), 2000 if "asan" in BUILD or "tsan" in BUILD else 400)

    def test_the_same_message_is_not_made_twice(self):
        server = self.start()
        first = server.submit(photo(), wait=True, text="はい。")[1]
        again = server.submit(photo(), wait=True, text="はい。")[1]
        self.assertNotEqual(first["job_id"], again["job_id"])
        self.assertEqual(first["timings"], again["timings"])
        self.assertEqual(server.ask("GET", first["video_url"])[2],
                         server.ask("GET", again["video_url"])[2])

    def events(self, server, identifier, last=None):
        connection = server.connect()
        self.addCleanup(connection.close)
        headers = {"Last-Event-ID": last} if last else {}
        connection.request("GET", f"/api/video/jobs/{identifier}/events", headers=headers)
        reply = connection.getresponse()
        self.assertEqual(reply.status, 200)
        event = None
        while line := reply.readline():
            if line.startswith(b"id:"):
                event = line[3:].strip().decode()
            if line.startswith(b"data:"):
                state = json.loads(line[5:])
                yield event, state
                if state["status"] in ("done", "error", "cancelled"):
                    return

    def test_progress_climbs_and_resumes(self):
        server = self.start()
        identifier = server.submit(photo(), text=LONG[:120])[1]["id"]
        seen = list(self.events(server, identifier))
        percents = [state["progress"] for _, state in seen]
        self.assertEqual(percents, sorted(percents))
        self.assertEqual((percents[-1], seen[-1][1]["status"]), (100, "done"))
        self.assertGreater(len(seen), 4)
        order = ["photo", "speech", "video", "finish"]
        stages = [state["stage"] for _, state in seen if state["stage"] in order]
        self.assertEqual(stages, sorted(stages, key=order.index))
        self.assertIn("video", stages)
        resumed = list(self.events(server, identifier, seen[len(seen) // 2][0]))
        self.assertEqual([state for _, state in resumed], [seen[-1][1]])

    def test_cancelling_takes_effect_at_once_and_leaves_nothing(self):
        server = self.start()
        identifier = server.submit(photo(), text=LONG)[1]["id"]
        self.assertTrue(until(lambda: server.job(identifier)["stage"] == "video"))
        self.assertNotEqual(self.scratch(), [])
        start = time.monotonic()
        status, _, _ = server.ask("DELETE", f"/api/video/jobs/{identifier}")
        self.assertIn(status, (200, 202, 204))
        self.assertEqual(server.wait(identifier)["status"], "cancelled")
        self.assertLess(time.monotonic() - start, 1)
        self.assertEqual(self.scratch(), [])
        self.assertEqual(server.ask("DELETE", f"/api/video/jobs/{identifier}")[0], 409)

    def test_a_full_queue_says_when_to_come_back(self):
        server = self.start("--queue", "2")
        accepted = [server.submit(photo(), text=LONG)[1]["id"] for _ in range(2)]
        body = {"text": "はい。"}
        status, reply = server.submit(photo(), **body)
        self.assertEqual((status, reply["type"]), (503, "/problems/queue_full"))
        for identifier in accepted:
            server.ask("DELETE", f"/api/video/jobs/{identifier}")
            server.wait(identifier)
        self.assertEqual(server.submit(photo(), **body)[0], 202)

    def test_a_full_disk_is_told_and_nothing_is_begun(self):
        server = self.start("--reserve", "900000GB")
        status, reply = server.submit(photo(), text="はい。")
        self.assertEqual(reply["type"], "/problems/disk_full")
        self.assertGreaterEqual(status, 500)
        server.stop()
        kept = [name for _, _, names in os.walk(os.path.join(self.data, "store")) for name in names]
        self.assertEqual(kept, [])

    def test_what_was_running_goes_on_after_a_restart(self):
        server = self.start("--grace", "0s")
        identifier = server.submit(photo(), text=LONG[:200])[1]["id"]
        self.assertTrue(until(lambda: server.job(identifier)["stage"] == "video"))
        start = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - start, 5)
        again = self.start()
        self.assertEqual(again.wait(identifier)["status"], "done")

    def test_what_is_running_may_finish_when_there_is_time(self):
        server = self.start("--grace", "60s")
        identifier = server.submit(photo(), text=LONG[:150])[1]["id"]
        self.assertTrue(until(lambda: server.job(identifier)["status"] == "running"))
        self.assertEqual(server.stop(60), 0)
        again = self.start()
        self.assertEqual(again.job(identifier)["status"], "done")


class CommandLine(WithData):
    def render(self, *arguments, name="astronaut.jpg", **options):
        return subprocess.run(
            [PROGRAM, "render", os.path.join(PHOTOS, name), *arguments],
            cwd=self.data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)

    def test_it_makes_a_video_and_says_so(self):
        made = self.render("--text", "Hello there!", "-o", "out.mp4")
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        self.assertIn("out.mp4", made.stdout)
        self.assertEqual(os.listdir(self.data), ["out.mp4"])
        with open(os.path.join(self.data, "out.mp4"), "rb") as file:
            self.assert_video(file.read(), 512, 512, 25)

    def test_json_and_standard_input(self):
        made = self.render("--text-file", "-", "--json", input="はい。\n")
        result = json.loads(made.stdout)
        self.assertEqual(result["output"], "message.mp4")
        self.assertEqual(result["language"], "ja")
        self.assertEqual(self.render("--text", "x", "-q").stdout, "")

    def test_exit_codes_say_what_was_wrong_and_nothing_is_left(self):
        for code, arguments, name in (
                (64, ["--text", "はい。"], "no_face.jpg"),
                (64, ["--text", " "], "astronaut.jpg"),
                (64, ["--text", "🎉🎉"], "astronaut.jpg"),
                (64, ["--text", "x" * 1001], "astronaut.jpg"),
                (64, [], "astronaut.jpg"),
                (64, ["--text", "x", "--speed", "9"], "astronaut.jpg"),
                (64, ["--text", "x", "--background", "preset:nowhere"], "astronaut.jpg"),
                (64, ["--text", "x"], "SOURCES.md"),
                (66, ["--text", "x", "--voice", "nobody"], "astronaut.jpg"),
                (66, ["--text", "x"], "not-there.jpg"),
        ):
            with self.subTest(arguments=arguments, name=name):
                made = self.render(*arguments, name=name)
                self.assertEqual(made.returncode, code, made.stderr)
                self.assertTrue(made.stderr.startswith("vmad: "), made.stderr)
                self.assertEqual(made.stderr.count("\n"), 1)
                self.assertEqual(os.listdir(self.data), [])

    def test_help_lists_every_background_and_piece_of_music(self):
        said = subprocess.run([PROGRAM, "render", "--help"], capture_output=True, text=True, check=True).stdout
        with open(os.path.join(ROOT, "assets/backgrounds/manifest.json"), encoding="utf-8") as file:
            names = [one["id"] for one in json.load(file)["backgrounds"]]
        self.assertEqual(len(names), 10)
        for name in names + ["sunny", "stillness", "fanfare", "keepsake"]:
            self.assertRegex(said, r"\b%s\b" % name)

    def test_control_c_leaves_nothing(self):
        process = subprocess.Popen(
            [PROGRAM, "render", os.path.join(PHOTOS, "astronaut.jpg"), "--text", LONG],
            cwd=self.data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertTrue(until(lambda: os.listdir(self.data)))
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        self.assertEqual(process.wait(20), 130)
        self.assertLess(time.monotonic() - start, 2)
        self.assertEqual(os.listdir(self.data), [])

    def test_a_terminal_sees_a_bar(self):
        screen, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        output = []

        def read():
            while True:
                try:
                    part = os.read(screen, 65536)
                except OSError:
                    return
                if not part:
                    return
                output.append(part)

        reader = threading.Thread(target=read)
        process = subprocess.Popen(
            [PROGRAM, "render", os.path.join(PHOTOS, "astronaut.jpg"), "--text", LONG[:150]],
            cwd=self.data, stdout=subprocess.PIPE, stderr=terminal,
            env={**os.environ, "TERM": "xterm"})
        os.close(terminal)
        reader.start()
        done = process.communicate(timeout=50)[0].decode()
        reader.join(10)
        os.close(screen)
        drawn = b"".join(output).decode()
        self.assertEqual(process.returncode, 0)
        self.assertIn("message.mp4", done)
        lines = [line for line in drawn.replace("\x1b[K", "").split("\r") if line.strip()]
        self.assertTrue(any("Drawing frames" in line and "█" in line for line in lines), drawn)
        self.assertTrue(all(len(line) <= 80 for line in lines))
        self.assertTrue(drawn.endswith("\r\x1b[K"))  # the bar is gone when it is done


if __name__ == "__main__":
    unittest.main(verbosity=2)
