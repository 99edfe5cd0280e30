# SPDX-License-Identifier: Apache-2.0
"""Forwarded requests and streams: direct, through ssh -L, through vma; idle and under a bulk copy
on the same link; and what is left of them after the link was cut."""
import os
import signal
import statistics
import subprocess
import threading
import time

import far
import report
import tools


class Pingpong:
    def __init__(self, host, program):
        self.host, self.program = host, program
        self.port = far.free_port()
        self.server = subprocess.Popen(host.there + [program, "serve", "0.0.0.0",
                                                     str(self.port)])
        host.processes.append(self.server)

    def ask(self, address, port, count, mode):
        """Milliseconds, one for each request."""
        done = self.host.run([self.program, "ask", address, str(port), str(count), mode],
                             stdout=subprocess.PIPE, check=False)
        return [int(line) / 1e6 for line in done.stdout.split()]

    def take(self, address, port, size):
        """MB/s for a stream of `size` bytes, every byte checked; None when it broke."""
        done = self.host.run([self.program, "take", address, str(port), str(size)],
                             stdout=subprocess.PIPE, check=False)
        if done.returncode != 0:
            return None
        return size / 1e6 / (int(done.stdout.split()[0]) / 1e9)


class Forward:
    """`port` on the laptop reaches the server on the other machine."""

    def __init__(self, host, kind, target, sync=False):
        self.host, self.kind = host, kind
        self.port = target if kind == "direct" else far.free_port()
        self.address = host.address if kind == "direct" else "127.0.0.1"
        self.process = self.vma = None
        self.control = f"{host.sockets}/forward"
        if kind == "ssh -L":
            self.process = host.start(host.ssh + ["-N", "-o", "ExitOnForwardFailure=yes",
                                                  "-o", "ControlMaster=yes",
                                                  "-o", f"ControlPath={self.control}", "-L",
                                                  f"{self.port}:127.0.0.1:{target}", "peer"])
        elif kind == "vma":
            self.folder = f"{host.dir}/project{'-with-sync' if sync else ''}"
            os.makedirs(self.folder, exist_ok=True)
            self.vma = tools.Dev(host, self.folder, self.folder + "-there",
                                 [f"{self.port}={target}"], sync)

    def ready(self, pingpong):
        for _ in range(200):
            if pingpong.ask(self.address, self.port, 1, "new"):
                return True
            time.sleep(0.05)
        return False

    def bulk(self):
        """A copy that fills the link, over the same connection."""
        if self.vma:
            return self.host.start(self.vma.command("cat", "/dev/zero"), cwd=self.folder,
                                   env=self.vma.environment)
        return self.host.start(self.host.ssh + ["-o", f"ControlPath={self.control}", "peer",
                                                "cat /dev/zero"])

    def close(self):
        if self.vma:
            self.vma.stop()
        elif self.process:
            far.stop(self.process)


def kinds():
    return ["direct"] + (["vma"] if tools.Vma.available() else []) + ["ssh -L"]


def latency(host, program, rounds):
    pingpong = Pingpong(host, program)
    rows = []
    if host.one_way_ms:
        rounds //= 4  # each takes a round trip
    for kind in kinds():
        forward = Forward(host, kind, pingpong.port)
        try:
            if not forward.ready(pingpong):
                rows.append([kind] + ["did not start"] * 4)
                continue
            pingpong.ask(forward.address, forward.port, 50, "keep")
            keep = pingpong.ask(forward.address, forward.port, rounds, "keep")
            new = pingpong.ask(forward.address, forward.port, rounds // 4, "new")
            speed = [pingpong.take(forward.address, forward.port,
                                   25_000_000 if host.one_way_ms else 500_000_000)
                     for _ in range(3)]
            loaded = "–"
            if kind != "direct":
                bulk = forward.bulk()
                time.sleep(1.5)
                under = pingpong.ask(forward.address, forward.port, max(40, rounds // 4), "keep")
                far.stop(bulk)
                if under:
                    loaded = (f"{statistics.median(under):.2f} = "
                              f"{statistics.median(under) / statistics.median(keep):.2f} × idle")
            rows.append([kind, quantiles(keep), quantiles(new),
                         f"{statistics.median(speed):.0f}" if all(speed) else "broke", loaded])
        finally:
            forward.close()
    report.table(f"A forwarded request of 64 bytes, answer 512, {host.name}",
                 ["", "keep-alive ms p50 / p99", "new connection ms p50 / p99", "stream MB/s",
                  "keep-alive p50 under a bulk copy"], rows)


def quantiles(values):
    if not values:
        return "–"
    return f"{statistics.median(values):.3f} / {report.percentile(values, 99):.3f}"


class Counting:
    """A command there that counts; how it went on is seen from what arrives here."""

    def __init__(self, host, forward):
        self.seen, self.wrong = [], False
        self.process = host.start(
            forward.vma.command("sh", "-c", "i=0; while i=$((i+1)); do echo $i; sleep 0.05; done"),
            cwd=forward.folder, env=forward.vma.environment, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.wrong = self.wrong or int(line) != len(self.seen) + 1
            self.seen.append(time.monotonic())

    def after(self, moment):
        return next((seen - moment for seen in self.seen if seen > moment), None)


def cut(host, program, seconds, how, only=None):
    """A stream of 200 MB, a command and a sync run while the link goes away."""
    pingpong = Pingpong(host, program)
    rows = []
    for kind in only or kinds()[1:]:
        forward = Forward(host, kind, pingpong.port, sync=True)
        counting = None
        try:
            if not forward.ready(pingpong):
                rows.append([kind, "did not start", "", "", ""])
                continue
            if forward.vma:
                forward.vma.wait_in_sync(folder=forward.folder)
                counting = Counting(host, forward)
            result = {}

            def stream():
                result["speed"] = pingpong.take(forward.address, forward.port, 200_000_000)

            thread = threading.Thread(target=stream)
            thread.start()
            time.sleep(3)
            back, content = interrupt(host, forward, how, seconds)
            first = None
            while first is None and time.monotonic() - back < 30:
                if pingpong.ask(forward.address, forward.port, 1, "new"):
                    first = time.monotonic() - back
            rows.append([kind, None, after(first), "–", "–"])
            if forward.vma:
                arrived = synced(forward, content, back)
                rows[-1][3:] = [after(counting.after(back)) +
                                (", lines lost or doubled" if counting.wrong else ""),
                                after(arrived)]
            thread.join(60 if first is not None else 1)
            rows[-1][1] = "whole, every byte right" if result.get("speed") else "broke"
        finally:
            if counting:
                far.stop(counting.process)
            forward.close()
    report.table(f"{how}{f' for {seconds} s' if seconds else ''} under a 200 MB stream, "
                 f"{host.name}: seconds after the link is back until …",
                 ["", "the stream", "a new connection is answered", "the command's next line",
                  "what was saved meanwhile is there"], rows)


def after(seconds):
    return "never" if seconds is None else f"{max(0, seconds):.2f}"


def synced(forward, content, back):
    path = f"{forward.folder}-there/saved"
    while time.monotonic() - back < 30:
        try:
            with open(path, encoding="utf8") as f:
                if f.read() == content:
                    return os.stat(path).st_ctime - time.time() + time.monotonic() - back
        except OSError:
            pass
        time.sleep(0.005)
    return None


def interrupt(host, forward, how, seconds):
    """Returns the moment when the link is back, and what was saved while it was away."""
    off, on = {"packets dropped": ("drop", "pass"), "interface down": ("down", "up")}.get(
        how, (None, None))
    if off:
        host.tell(off)
    else:
        for pid in ssh_processes(host):
            os.kill(pid, signal.SIGKILL)
    content = f"saved while {how} {time.monotonic()}"
    if forward.vma:
        with open(f"{forward.folder}/saved", "w", encoding="utf8") as f:
            f.write(content)
    time.sleep(seconds)
    if on:
        host.tell(on)
    return time.monotonic(), content


def ssh_processes(host):
    """The clients' (not vma, whose words may name them)."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if words[0] == b"ssh" and f"{host.dir}/ssh_config".encode() in words:
            found.append(int(pid))
    return found
