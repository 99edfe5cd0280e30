#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From POST to done, beside what libx264 + AAC alone need for the same frames.

Every message has a text of its own and the photo a comment of its own, so nothing is found again.
Words choose less than everything: formats and voices, `one` or `four` (at once), `long` (four at
once of 1,000 characters, which takes minutes: FIRST=60 only looks at its first minute's memory).
"""
import glob
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.environ.get("SOURCE_DIR") or os.path.abspath(
    os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("BUILD_DIR") or os.path.join(ROOT, "build", "release")
sys.path[:0] = [os.path.join(ROOT, "tests", "support"), os.path.join(ROOT, "bench", "remote")]
from report import spread, table  # noqa: E402
from vmad import Vmad  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "7"))
FIRST = float(os.environ.get("FIRST", "0"))
PHOTO = os.path.join(ROOT, "tests", "data", "photos", "astronaut.jpg")
# About ten seconds each.
TEXT = {
    "ja-hana": "第{}号。お誕生日おめでとうございます。これからの一年が、笑顔と元気にあふれる"
               "素晴らしい年になりますように。",
    "en-emma": "Number {}. Happy birthday to you! I hope that this year brings you a lot of joy, "
               "good health and many wonderful days with your family and all of your friends. "
               "See you soon!",
}
FORMATS = {"1:1": ("512x512", 25), "9:16": ("720x1280", 30), "16:9": ("1280x720", 30)}
counter = int(time.time()) % 900


def next_text(voice):
    global counter
    counter += 1
    return TEXT[voice].format(counter)


def photo():
    """The photo with another comment: the same picture, but not the same file."""
    with open(PHOTO, "rb") as file:
        content = file.read()
    comment = os.urandom(16)
    return content[:2] + b"\xff\xfe" + (2 + len(comment)).to_bytes(2, "big") + comment + content[2:]


def alone(voice, form):
    size, fps = FORMATS[form]
    program = next(iter(glob.glob(os.path.join(BUILD, "bench_message_alone"))))
    output = subprocess.run(
        [program, os.path.join(ROOT, "models"), PHOTO, size, str(fps), voice, next_text(voice),
         str(max(3, ROUNDS // 2))], stdout=subprocess.PIPE, check=True)
    return json.loads(output.stdout)


def message(server, voice, form):
    """Seconds from the POST to `done`, as the synchronous answer tells it."""
    start = time.monotonic()
    status, reply = server.submit(photo(), wait=True, text=next_text(voice), voice_profile=voice,
                                  format=form)
    took = time.monotonic() - start
    if status != 200:
        raise RuntimeError(f"{status}: {reply}")
    return took, reply


def first_frame(took, reply):
    """The POST took `took`; the pipeline knows when its first frame was encoded."""
    timings = reply["timings"]
    return took - timings["total_s"] + timings["first_frame_s"]


def one_message(server, voice, form):
    stages = alone(voice, form)
    took, first = [], []
    cpu = server.cpu_s()
    for _ in range(ROUNDS):
        seconds, reply = message(server, voice, form)
        took.append(seconds)
        first.append(first_frame(seconds, reply))
    cpu = (server.cpu_s() - cpu) / ROUNDS
    best = min((stages["alone_1"], stages["alone_2"]), key=statistics.median)
    ratio = statistics.median(took) / statistics.median(best)
    return [f"{FORMATS[form][0]} at {FORMATS[form][1]}, {voice}, {stages['duration_s']:.1f} s",
            spread(took, 2), spread(stages["alone_1"], 2), spread(stages["alone_2"], 2),
            f"{ratio:.2f}", f"{cpu:.2f} / {stages['alone_cpu']:.2f} = {cpu / stages['alone_cpu']:.2f}",
            spread(first, 2)], stages


def text_of(voice, characters):
    """About ten seconds of it, or as long as it may be."""
    text = next_text(voice)
    return (text + TEXT[voice] * 20)[:characters] if characters else text


def batch(server, voice, form, characters, at_once):
    """Seconds for four messages."""
    begin, jobs = time.monotonic(), []
    for _ in range(4):
        status, reply = server.submit(photo(), text=text_of(voice, characters),
                                      voice_profile=voice, format=form)
        if status != 202:
            raise RuntimeError(f"{status}: {reply}")
        jobs.append(reply["id"])
        if not at_once:
            end(server, jobs.pop())
    if characters and FIRST:
        time.sleep(FIRST)
        return FIRST
    for job in jobs:
        end(server, job)
    return time.monotonic() - begin


def end(server, job):
    state = server.wait(job, timeout=600)
    if state["status"] != "done":
        raise RuntimeError(f"{job}: {state}")


def four_at_once(voice, form, characters=0, rounds=max(3, ROUNDS // 2)):
    """In a process of their own, so that its memory is theirs."""
    serial, together = [], []
    with tempfile.TemporaryDirectory(prefix="bench-message-") as data:
        server = Vmad(os.path.join(BUILD, "vmad"), data, "--log-level", "warn")
        try:
            message(server, voice, form)  # warm
            for _ in range(rounds):
                if not characters:
                    serial.append(batch(server, voice, form, characters, False))
                together.append(batch(server, voice, form, characters, True))
            memory = server.memory_mb()
        finally:
            server.stop()
    size, fps = FORMATS[form]
    ratio = statistics.median(together) / statistics.median(serial) if serial else 0
    return [f"{size} at {fps}, {voice}" + (f", {characters} characters" if characters else ""),
            spread(serial, 2) if serial else "", spread(together, 2),
            f"{ratio:.2f}" if serial else "", f"{memory:.0f}"]


def four_table(words, voices, forms):
    rows = []
    if "long" not in words:
        rows += [four_at_once(voices[0], form) for form in forms]
    else:
        rows += [four_at_once(voices[-1], form, 1000, 1) for form in forms]
    table("Four messages, s: median (min–max)",
          ["", "one after the other", "at once", "×", "most memory of the process, MB"], rows)


def singles(voices, forms):
    with tempfile.TemporaryDirectory(prefix="bench-message-") as data:
        server = Vmad(os.path.join(BUILD, "vmad"), data, "--log-level", "warn")
        try:
            message(server, voices[0], "1:1")  # warm: models and dictionaries are open
            rows, costs = [], []
            for voice in voices:
                for form in forms:
                    row, stages = one_message(server, voice, form)
                    rows.append(row)
                    costs.append([row[0]] + [f"{stages[key] * 1000:.0f}" for key in (
                        "decode_s", "faces_s", "portrait_s", "speech_s", "master_s", "renderer_s",
                        "frames_s")])
            table("One message, s: median (min–max)",
                  ["message", "POST to done", "encoder alone, 1 thread", "2 threads",
                   "× the faster", "CPU s, all / encoder alone", "POST to first frame"], rows)
            table("Stages by themselves, one thread, ms of processor time (decode: by the clock)",
                  ["message", "decode", "faces", "portrait", "speech", "master", "renderer",
                   "frames"], costs)
        finally:
            server.stop()


def main():
    words = sys.argv[1:]
    voices = [voice for voice in TEXT if voice in words] or list(TEXT)
    forms = [form for form in FORMATS if form in words] or ["1:1", "9:16"]
    if not {"four", "long"} & set(words):
        singles(voices, forms)
    if "one" not in words:
        four_table(words, voices, forms)


if __name__ == "__main__":
    main()
