# SPDX-License-Identifier: Apache-2.0
"""Starts vmad on a free port and speaks to it; for end-to-end tests and measurements."""
import http.client
import json
import os
import re
import signal
import struct
import subprocess
import time
import uuid


class Vmad:
    def __init__(self, program, data, *arguments, log=None):
        self.log = open(log, "ab") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(
            [program, "--port", "0", "--data", data, *arguments],
            stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline().decode()
        found = re.search(r"http://([^:/]+):(\d+)/", line)
        if not found:
            self.process.kill()
            raise RuntimeError(f"vmad did not start: {line!r}")
        self.host, self.port = found[1], int(found[2])

    def connect(self, timeout=60):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None, timeout=60):
        connection = self.connect(timeout)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            content = reply.read()
            return reply.status, dict(reply.getheaders()), content
        finally:
            connection.close()

    def json(self, path):
        status, _, content = self.ask("GET", path)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status} {content[:300]!r}")
        return json.loads(content)

    def submit(self, photo, wait=False, **fields):
        """Returns (status, the reply's JSON); 202 unless `wait`."""
        body, kind = form({"image": photo}, fields)
        headers = {"Content-Type": kind}
        if not wait:
            headers["Prefer"] = "respond-async"
        status, _, content = self.ask("POST", "/api/video/generate", body, headers)
        return status, json.loads(content)

    def job(self, identifier):
        return self.json(f"/api/video/jobs/{identifier}")

    def wait(self, identifier, timeout=60):
        """The job's last state, told by its events."""
        connection = self.connect(timeout)
        try:
            connection.request("GET", f"/api/video/jobs/{identifier}/events")
            reply = connection.getresponse()
            if reply.status != 200:
                raise RuntimeError(f"events: {reply.status} {reply.read(300)!r}")
            while line := reply.readline():
                if line.startswith(b"data:"):
                    state = json.loads(line[5:])
                    if state["status"] in ("done", "error", "cancelled"):
                        return state
        finally:
            connection.close()
        raise RuntimeError("the events ended before the job did")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self, timeout=30):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout)
        self.process.stdout.close()
        return code

    def memory_mb(self, key="VmHWM"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(rf"{key}:\s+(\d+) kB", status.read())[1]) / 1000

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            parts = stat.read().rsplit(")", 1)[1].split()
        return sum(int(part) for part in parts[11:15]) / os.sysconf("SC_CLK_TCK")


def form(files, fields):
    mark = uuid.uuid4().hex
    body = b""
    for name, value in fields.items():
        body += (f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
                 f"{value}\r\n").encode()
    for name, content in files.items():
        body += (f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; '
                 f'filename="{name}.jpg"\r\nContent-Type: image/jpeg\r\n\r\n').encode()
        body += content + b"\r\n"
    return body + f"--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}"


def mp4_boxes(content):
    """The names of the top-level boxes; fails unless they fill the file exactly."""
    at, names = 0, []
    while at < len(content):
        if len(content) - at < 8:
            raise ValueError("half a box at the end")
        size, name = struct.unpack(">I4s", content[at:at + 8])
        if size == 1:
            size = struct.unpack(">Q", content[at + 8:at + 16])[0]
        if size < 8 or at + size > len(content):
            raise ValueError(f"box {name!r} of {size} bytes does not fit")
        names.append(name.decode())
        at += size
    return names


def until(condition, timeout=30, step=0.02):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(step)
    return False
