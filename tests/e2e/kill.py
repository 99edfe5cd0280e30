#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random instants while messages are accepted and made.

At the end every message that was accepted (the 202 arrived) is done, exactly once: one row, one
video that is whole. Whatever is served at any time is whole, and nothing is left behind.

    kill.py [--rounds N] [--seed N] [--keep]
"""
import argparse
import http.client
import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from vmad import Vmad, mp4_boxes  # noqa: E402

ROOT = os.environ.get("SOURCE_DIR") or os.path.join(os.path.dirname(__file__), "..", "..")
BUILD = os.environ.get("BUILD_DIR") or os.path.join(ROOT, "build", "release")
GONE = (ConnectionError, http.client.HTTPException, OSError, ValueError)


class Run:
    def __init__(self, arguments):
        self.random = random.Random(arguments.seed)
        self.data = tempfile.mkdtemp(prefix="kill-")
        self.log = self.data + ".log"
        self.program = os.path.join(BUILD, "vmad")
        self.photos = []
        for name in ("astronaut.jpg", "hopper.jpg"):
            with open(os.path.join(ROOT, "tests", "data", "photos", name), "rb") as photo:
                self.photos.append(photo.read())
        self.accepted = {}  # job id -> text
        self.whole = set()  # jobs whose video was fetched and is whole
        self.problems = []
        self.sent = self.refused = self.fetched = 0
        self.message_s = 0

    def start(self):
        return Vmad(self.program, self.data, "--grace", "0s", log=self.log)

    def submit(self, server):
        self.sent += 1
        text = self.random.choice(("はい、{}番。", "Number {}.", "{}です。")).format(self.sent)
        photo = self.random.choice(self.photos)
        try:
            status, reply = server.submit(photo, text=text)
        except GONE:
            return  # killed before the answer: nothing was promised
        if status == 202:
            self.accepted[reply["id"]] = text
        elif status == 200:
            self.accepted[reply["job_id"]] = text
        elif status == 503:
            self.refused += 1
        else:
            self.problems.append(f"submit: {status} {reply}")

    def fetch(self, server, job):
        try:
            status, headers, content = server.ask("GET", f"/api/video/jobs/{job}/video")
        except http.client.IncompleteRead:
            return  # the connection was cut, and the client knows
        except GONE:
            return
        length = {name.lower(): value for name, value in headers.items()}.get("content-length")
        if status == 200:
            self.fetched += 1
            try:
                names = mp4_boxes(content)
                if names[:2] != ["ftyp", "moov"] or "mdat" not in names:
                    raise ValueError(f"boxes {names}")
                if length is None or int(length) != len(content):
                    raise ValueError(f"{length} bytes announced, {len(content)} sent")
                self.whole.add(job)
            except ValueError as error:
                self.problems.append(f"job {job}: a broken video was served: {error}")
        elif status not in (404, 409):
            self.problems.append(f"job {job}: video {status} {content[:200]!r}")

    def look(self, server, stop):
        """What a curious client does all the time: asks for everything."""
        while not stop.is_set():
            for job in list(self.accepted):
                if job not in self.whole and not stop.is_set():
                    self.fetch(server, job)
            stop.wait(0.01)

    def calibrate(self):
        """How long a message takes here and now, so that the kills hit all parts of it."""
        server = self.start()
        start = time.monotonic()
        status, reply = server.submit(self.photos[0], wait=True, text="零番。")
        if status != 200:
            self.problems.append(f"not even the first message: {status} {reply}")
        self.message_s = time.monotonic() - start
        self.accepted[reply.get("job_id", "")] = "零番。"
        server.stop()

    def round(self):
        server = self.start()
        stop = threading.Event()
        looking = threading.Thread(target=self.look, args=(server, stop))
        threads = [looking]
        waiting = len(self.accepted) - len(self.whole)
        for _ in range(self.random.randint(0, 2) if waiting < 12 else 0):
            threads.append(threading.Thread(target=self.submit, args=(server,)))
        instant = time.monotonic() + self.random.uniform(0, 1.5 * self.message_s)
        for thread in threads:
            thread.start()
        time.sleep(max(0, instant - time.monotonic()))
        server.kill()
        stop.set()
        for thread in threads:
            thread.join()

    def finish(self):
        server = self.start()
        try:
            for job in self.accepted:
                state = server.wait(job)
                if state["status"] != "done":
                    self.problems.append(f"job {job}: {json.dumps(state)}")
                self.fetch(server, job)
                if job not in self.whole:
                    self.problems.append(f"job {job}: no video")
        finally:
            code = server.stop()
        if code != 0:
            self.problems.append(f"vmad ended with {code} after SIGTERM")

    def leftovers(self):
        database = sqlite3.connect(os.path.join(self.data, "jobs.db"))
        rows = dict(database.execute("SELECT id, state FROM jobs"))
        takeovers = database.execute("SELECT sum(crashes) FROM jobs").fetchone()[0] or 0
        for job in self.accepted:
            if rows.get(job) != 2:
                self.problems.append(f"job {job}: state {rows.get(job)} in the database")
        # A job whose 202 was cut off may be there as well, and is then done like the others.
        for job, state in rows.items():
            if state not in (2,):
                self.problems.append(f"job {job}, never confirmed: state {state}")
        videos = 0
        for folder, _, files in os.walk(self.data):
            for name in files:
                path = os.path.relpath(os.path.join(folder, name), self.data)
                videos += name.endswith(".mp4")
                if ".part" in name or "tmp" in path.split(os.sep) or "spool" in path:
                    self.problems.append(f"left behind: {path}")
        if videos != len(rows):
            self.problems.append(f"{len(rows)} jobs, {videos} videos")
        return len(rows), takeovers


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    run = Run(arguments)
    began = time.monotonic()
    run.calibrate()
    for _ in range(arguments.rounds):
        run.round()
        if run.problems:
            break
    run.finish()
    rows, takeovers = run.leftovers()
    print(f"seed {arguments.seed}: {arguments.rounds} kills in {time.monotonic() - began:.0f} s, "
          f"{run.sent} sent, {len(run.accepted)} accepted, {run.refused} refused, {rows} in the "
          f"queue, {takeovers} taken over, {run.fetched} videos fetched")
    for problem in run.problems[:20]:
        print("PROBLEM", problem)
    if not arguments.keep and not run.problems:
        shutil.rmtree(run.data)
        os.unlink(run.log)
    elif run.problems:
        print("kept:", run.data, run.log)
    return 1 if run.problems else 0


if __name__ == "__main__":
    sys.exit(main())
