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

    def __init__(self, host, kind, target):
        self.host, self.kind = host, kind
        self.port = target if kind == "direct" else far.free_port()
        self.address = host.address if kind == "direct" else "127.0.0.1"
        self.process = None
        if kind == "ssh -L":
            self.process = host.start(host.ssh + ["-N", "-o", "ExitOnForwardFailure=yes", "-L",
                                                  f"{self.port}:127.0.0.1:{target}", "peer"])
        elif kind == "vma":
            self.vma = tools.Vma(host, host.dir, host.dir)
            self.process = host.start([self.vma.program, "forward", "--host", "peer",
                                       f"{self.port}={target}"], env=self.vma.environment)

    def ready(self, pingpong):
        for _ in range(200):
            if pingpong.ask(self.address, self.port, 1, "new"):
                return True
            time.sleep(0.05)
        return False

    def bulk(self):
        """A copy that fills the link, over the same connection where the tool has one."""
        if self.kind == "ssh -L":
            words = self.host.ssh + ["-o", "ControlPath=none", "peer", "cat /dev/zero"]
        else:
            words = [self.vma.program, "exec", "--host", "peer", "--", "cat", "/dev/zero"]
        return self.host.start(words, env=getattr(getattr(self, "vma", None), "environment", None))

    def close(self):
        if self.process:
            far.stop(self.process)
        if self.kind == "vma":
            self.host.run([self.vma.program, "stop", "peer"], env=self.vma.environment,
                          check=False)


def kinds():
    return ["direct"] + (["vma"] if tools.Vma.available() else []) + ["ssh -L"]


def latency(host, program, rounds):
    pingpong = Pingpong(host, program)
    rows = []
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
                                   50_000_000 if host.one_way_ms else 500_000_000)
                     for _ in range(3)]
            loaded = "–"
            if kind == "vma":
                bulk = forward.bulk()
                time.sleep(1.5)
                under = pingpong.ask(forward.address, forward.port, rounds // 4, "keep")
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


def cut(host, program, seconds, how):
    """A stream of 200 MB runs through the forward while the link goes away."""
    pingpong = Pingpong(host, program)
    rows = []
    for kind in kinds():
        if kind == "direct":
            continue
        forward = Forward(host, kind, pingpong.port)
        try:
            if not forward.ready(pingpong):
                rows.append([kind, "did not start", ""])
                continue
            result = {}

            def stream():
                result["speed"] = pingpong.take(forward.address, forward.port, 200_000_000)
                result["end"] = time.monotonic()

            thread = threading.Thread(target=stream)
            thread.start()
            time.sleep(3)
            interrupt(host, forward, how, seconds)
            back = time.monotonic()
            first = None
            while first is None and time.monotonic() - back < 90:
                if pingpong.ask(forward.address, forward.port, 1, "new"):
                    first = time.monotonic() - back
            thread.join(180)
            whole = "whole, every byte right" if result.get("speed") else "broke"
            rows.append([kind, whole, f"{first:.2f}" if first is not None else "never"])
        finally:
            forward.close()
    report.table(f"{how} for {seconds} s under a 200 MB stream, {host.name}",
                 ["", "the stream", "first new answer after the link is back, s"], rows)


def interrupt(host, forward, how, seconds):
    if how == "packets dropped":
        host.tell("drop")
        time.sleep(seconds)
        host.tell("pass")
    elif how == "interface down":
        host.tell("down")
        time.sleep(seconds)
        host.tell("up")
    else:  # ssh killed
        done = subprocess.run(["pgrep", "-f", f"ssh .*{host.dir}/ssh_config"],
                              stdout=subprocess.PIPE, text=True, check=False)
        for pid in done.stdout.split():
            if int(pid) != os.getpid():
                os.kill(int(pid), signal.SIGKILL)

