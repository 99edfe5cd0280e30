# SPDX-License-Identifier: Apache-2.0
"""Runs the built vmad for a test: its own data directory, a free port, and what it logged."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ.get("SOURCE_DIR", pathlib.Path(__file__).resolve().parents[3]))
BUILD = pathlib.Path(os.environ.get("BUILD_DIR", SOURCE / "build" / "dev"))
PROGRAM = BUILD / "vmad"
PHOTOS = SOURCE / "tests" / "data" / "photos"
START_S = 20
PROTECTION = ("X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy",
              "Cross-Origin-Resource-Policy")


def sanitized():
    """Sanitizers cost time and memory: figures do not count there."""
    return BUILD.name in ("asan", "tsan")


class Answer:
    """One response, read to its end."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Vmad:
    def __init__(self, *options, data=None, env=None):
        self.folder = tempfile.mkdtemp(prefix="vmad-e2e-")
        self.data = data or os.path.join(self.folder, "data")
        self.log_path = os.path.join(self.folder, "log")
        self.options = options
        self.env = {**os.environ, **(env or {})}
        self.process = None
        self.noted = {}
        self.unsafe = set()
        self.start()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(PROGRAM), "--port", "0", "--data", self.data, *self.options],
                stdout=subprocess.PIPE, stderr=log, env=self.env)
        line = self.process.stdout.readline().decode()
        found = re.search(r"http://\S+:(\d+)/", line)
        if not found:
            self.process.wait(timeout=5)
            raise AssertionError(f"vmad did not start: {line!r} {self.log()}")
        self.port = int(found.group(1))

    def log(self):
        with open(self.log_path, encoding="utf-8") as log:
            return log.read()

    def events(self):
        """The log's lines as objects; every one of them must be JSON."""
        return [json.loads(line) for line in self.log().splitlines() if line]

    def check_safety(self, path, answer):
        """Every answer protects who shows it, and no problem tells where our files are."""
        for name in PROTECTION:
            if not answer.headers.get(name):
                self.unsafe.add(f"{path.split('?')[0]} {answer.status}: no {name}")
        if answer.headers.get("Content-Type") == "application/problem+json":
            for place in (self.folder, self.data, str(SOURCE), str(BUILD), "/proc/"):
                if place.encode() in answer.body:
                    self.unsafe.add(f"{path} tells {place}: {answer.body}")

    def note(self, method, path, answer):
        """Keeps what was answered, one of a kind, to be held against /openapi.json at the end."""
        kind = answer.headers.get("Content-Type")
        data = kind in ("application/json", "application/problem+json")
        value = answer.json if data and answer.body and len(answer.body) < 200_000 else None
        code = value.get("code") if isinstance(value, dict) else None
        key = (method, re.sub(r"[0-9a-z]{26}", "*", path.split("?")[0]), answer.status, kind, code)
        if method not in ("HEAD", "OPTIONS") and len(self.noted) < 600:
            self.noted.setdefault(key, {"method": method, "path": path.split("?")[0],
                                        "status": answer.status, "type": kind, "value": value})

    def connect(self, timeout=30):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, timeout=30):
        connection = self.connect(timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = Answer(connection.getresponse())
            self.note(method, path, answer)
            self.check_safety(path, answer)
            return answer
        finally:
            connection.close()

    def get(self, path, timeout=30, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("GET", path, headers=fields, timeout=timeout)

    def post_form(self, path, parts, headers=None, timeout=60):
        body, content_type = form(parts)
        return self.request("POST", path, body, {"Content-Type": content_type, **(headers or {})},
                            timeout)

    def socket(self, timeout=10):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def raw(self, data, timeout=10):
        """Sends bytes and returns all that comes back until the server closes, or the time is up."""
        with self.socket(timeout) as sock:
            sock.sendall(data)
            return drain(sock)

    def spooled(self):
        return os.listdir(os.path.join(self.data, "spool"))

    def rss_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def stop(self, number=signal.SIGTERM, timeout=20):
        timeout = 3 * timeout if sanitized() else timeout
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=timeout)
        self.process.stdout.close()
        if self.unsafe:
            raise AssertionError("\n".join(sorted(self.unsafe)))
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if not self.process.stdout.closed:
            self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def drain(sock):
    received = b""
    try:
        while chunk := sock.recv(65536):
            received += chunk
    except (TimeoutError, ConnectionResetError):
        pass
    return received


def form(parts, boundary="e2e-boundary"):
    """(name, value) or (name, value, file name) in order → body, content type."""
    body = b""
    for name, value, *file in parts:
        value = value.encode() if isinstance(value, str) else value
        named = f'; filename="{file[0]}"' if file else ""
        body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
                 .encode() + value + b"\r\n")
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def photo(name="astronaut.jpg"):
    return (PHOTOS / name).read_bytes()


def wait_until(condition, seconds=10, step=0.02):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(step)
    return condition()


def conformance(vmad):
    """What the validator says about the document and all that was answered; "" when it is content.
    Where its npm packages are not installed (make test installs them), it has nothing to say."""
    if not (SOURCE / "tests" / "node_modules").is_dir():
        return ""
    question = {"document": vmad.get("/openapi.json").json, "exchanges": list(vmad.noted.values())}
    node = shutil.which("node") or str(SOURCE / ".deps" / "node" / "bin" / "node")
    checked = subprocess.run([node, str(SOURCE / "tests/support/validate_openapi.mjs")], check=False,
                             input=json.dumps(question), capture_output=True, text=True)
    return checked.stderr if checked.returncode else ""


class Case(unittest.TestCase):
    """A test class with one server for all of its tests."""

    options = ()
    env = {}

    @classmethod
    def setUpClass(cls):
        cls.vmad = Vmad(*cls.options, env=cls.env)

    @classmethod
    def tearDownClass(cls):
        wrong = conformance(cls.vmad)
        code = cls.vmad.stop()
        log = cls.vmad.log()
        cls.vmad.close()
        if code != 0 or "ERROR: " in log or "runtime error" in log:
            raise AssertionError(f"vmad ended with {code}\n{log[-4000:]}")
        if wrong:
            raise AssertionError(f"answers that /openapi.json does not promise: {wrong}")

    def assert_problem(self, answer, status, code, field=None):
        self.assertEqual((answer.status, answer.json.get("code")), (status, code), answer.body)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual(answer.json["status"], status)
        self.assertEqual(answer.json["type"], f"/problems/{code}")
        self.assertEqual(answer.json.get("field"), field)
        for member in ("title", "detail"):
            self.assertTrue(answer.json[member])
