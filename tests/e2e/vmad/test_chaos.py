# SPDX-License-Identifier: Apache-2.0
"""Sixty clients that do anything, well or badly, in any order, for a few seconds; afterwards the
server must be as before: nothing left in the spool, no descriptor, no thread, no connection."""
import os
import random
import socket
import threading
import time
import unittest

from harness import Case, form, photo, wait_until

WORKERS = 32  # threads that are begun when they are needed first, and stay
SECONDS, CLIENTS = 6, 60


class Client(threading.Thread):
    def __init__(self, vmad, seed, until):
        super().__init__()
        self.vmad, self.until, self.random = vmad, until, random.Random(seed)
        self.jobs, self.wrong, self.count = [], [], 0
        self.body, self.kind = form([("image", photo(), "a.jpg"), ("text", f"Client {seed}.")])

    def run(self):
        acts = (self.ask, self.submit, self.follow, self.cancel, self.break_off, self.garble,
                self.vanish, self.hear, self.trickle)
        while time.monotonic() < self.until:
            act = self.random.choice(acts)
            try:
                act()
            except (OSError, EOFError):
                pass  # cut off: allowed, as long as the server stays well
            except Exception as error:  # pylint: disable=broad-except
                self.wrong.append(f"{act.__name__}: {error!r}")
            self.count += 1

    def expect(self, answer, *statuses):
        if answer.status not in statuses:
            self.wrong.append(f"{answer.status} {answer.body[:200]!r}")

    def job(self):
        return self.random.choice(self.jobs) if self.jobs else "0" * 26

    def ask(self):
        path = self.random.choice(("/health", "/metrics", "/api/limits", "/docs", "/openapi.json",
                                   "/api/presets/music", "/nowhere", f"/api/video/jobs/{self.job()}"))
        self.expect(self.vmad.get(path), 200, 404)

    def submit(self):
        answer = self.vmad.request("POST", "/api/video/generate", self.body, {
            "Content-Type": self.kind,
            "Prefer": self.random.choice(("respond-async", "wait=1"))}, timeout=60)
        self.expect(answer, 200, 202, 503)
        if answer.status == 202:
            self.jobs.append(answer.json["id"])

    def follow(self):
        with self.vmad.socket(5) as sock:
            sock.sendall(f"GET /api/video/jobs/{self.job()}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            sock.recv(self.random.choice((1, 100, 65536)))
            time.sleep(self.random.random() * 0.2)

    def cancel(self):
        self.expect(self.vmad.request("DELETE", f"/api/video/jobs/{self.job()}"), 200, 404, 409)

    def break_off(self):
        head = (f"POST /api/video/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: {self.kind}\r\n"
                f"Content-Length: {len(self.body)}\r\n\r\n").encode()
        data = head + self.body
        with self.vmad.socket(5) as sock:
            sock.sendall(data[:self.random.randrange(len(data))])

    def garble(self):
        body = bytearray(self.body)
        for _ in range(self.random.randrange(1, 20)):
            body[self.random.randrange(min(len(body), 400))] = self.random.randrange(256)
        answer = self.vmad.request("POST", "/api/image/faces", bytes(body),
                                   {"Content-Type": self.kind}, timeout=60)
        self.expect(answer, 200, 400, 413, 415, 422, 503)

    def vanish(self):
        with self.vmad.socket(5) as sock:
            sock.sendall(b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n" * self.random.randrange(1, 5))
            if self.random.random() < 0.5:
                linger = b"\x01\0\0\0\0\0\0\0"  # the connection is reset, not closed
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def hear(self):
        self.expect(self.vmad.get("/api/voices/en-emma/sample", Range="bytes=0-99"), 206, 503)

    def trickle(self):
        with self.vmad.socket(5) as sock:
            for byte in b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n":
                sock.sendall(bytes([byte]))
            sock.recv(100)


class Chaos(Case):
    options = ("--queue", "8", "--heartbeat", "100ms", "--grace", "100ms")

    def figures(self):
        folder = f"/proc/{self.vmad.process.pid}"
        return len(os.listdir(f"{folder}/fd")), len(os.listdir(f"{folder}/task"))

    def test_nothing_is_left_behind(self):
        self.vmad.post_form("/api/video/generate", [("image", photo(), "a.jpg"), ("text", "hi")])
        self.vmad.get("/api/voices/en-emma/sample")
        self.assertTrue(wait_until(lambda: self.idle()))
        files, threads = self.figures()
        clients = [Client(self.vmad, seed, time.monotonic() + SECONDS) for seed in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(120)
        self.assertEqual([wrong for client in clients for wrong in client.wrong], [])
        print(f"\n{sum(client.count for client in clients)} acts", end=" ")
        for number in {number for client in clients for number in client.jobs}:
            self.vmad.request("DELETE", f"/api/video/jobs/{number}")
        self.assertTrue(wait_until(self.idle, 10, 0.2), self.state())
        self.assertTrue(wait_until(lambda: not self.vmad.spooled(), 5), self.vmad.spooled())
        same = lambda: (self.figures()[0] <= files + 2 and
                        self.figures()[1] <= threads + WORKERS)
        self.assertTrue(wait_until(same, 10), (self.figures(), files, threads))
        self.assertEqual(self.vmad.get("/health/ready").status, 200)

    def state(self):
        text = self.vmad.get("/metrics").body.decode()
        figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[:1] != "#")
        return {name: float(value) for name, value in figures.items()
                if name.startswith(("vma_http_waiting", "vma_http_connections", "vma_http_workers",
                                    "vma_jobs{"))}

    def idle(self):
        state = self.state()
        return (state["vma_http_waiting"] == 0 and state["vma_http_connections"] <= 1
                and state['vma_jobs{state="running"}'] == state['vma_jobs{state="queued"}'] == 0)


if __name__ == "__main__":
    unittest.main()
