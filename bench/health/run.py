#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""/health of vmad beside the same answer from FastAPI on uvicorn (Debian's), on the same cores, in
turns: requests a second and latency as wrk sees them. Also how soon vmad is ready and how large
it is when idle."""
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD_DIR", SOURCE / "build" / "release"))
PYTHON = "/usr/bin/python3"  # the one that Debian's packages belong to
ROUNDS, SECONDS, CONNECTIONS = 5, 3, 32

APPLICATION = '''
import time
from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
async def health():
    return {"status": "healthy", "timestamp": int(time.time()), "services": {
        "storage": "healthy", "jobs": "healthy", "voices": "healthy", "vision": "healthy"},
        "version": "0.1.0"}
'''


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def wait_for(url, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                return answer.read()
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"{url} does not answer")


def in_ms(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def measure(url):
    text = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", "--latency", url],
                          capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(text)
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
            in_ms(re.search(r"50%\s+(\S+)", text).group(1)),
            in_ms(re.search(r"99%\s+(\S+)", text).group(1)))


def start_vmad(folder):
    began = time.monotonic()
    process = subprocess.Popen([str(BUILD / "vmad"), "--port", "0", "--data", f"{folder}/data"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    url = re.search(rb"http://\S+", process.stdout.readline()).group(0).decode() + "health"
    wait_for(url)
    ready_s = time.monotonic() - began
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        size = int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1000
    return process, url, ready_s, size


def start_uvicorn(folder):
    (pathlib.Path(folder) / "peer.py").write_text(APPLICATION, encoding="utf-8")
    port = free_port()
    process = subprocess.Popen(
        [PYTHON, "-m", "uvicorn", "peer:app", "--port", str(port), "--workers", "2",
         "--log-level", "warning", "--no-access-log"], cwd=folder, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/health"
    wait_for(url)
    time.sleep(1)  # the second worker
    return process, url


def row(name, results):
    rps, p50, p99 = zip(*results)
    print(f"| {name} | {statistics.median(rps):,.0f} ({min(rps):,.0f}–{max(rps):,.0f}) | "
          f"{statistics.median(p50):.2f} | {statistics.median(p99):.2f} "
          f"({min(p99):.2f}–{max(p99):.2f}) |")
    return statistics.median(rps), statistics.median(p99)


def main():
    with tempfile.TemporaryDirectory() as folder:
        vmad, vmad_url, ready_s, size = start_vmad(folder)
        peer, peer_url = start_uvicorn(folder)
        ours, theirs = [], []
        try:
            for _ in range(ROUNDS):
                theirs.append(measure(peer_url))
                ours.append(measure(vmad_url))
        finally:
            for process in (vmad, peer):
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=20)
    print("| | requests a second, median (min–max) | p50, ms | p99, ms |\n| --- | --- | --- | --- |")
    our_rps, our_p99 = row("vmad", ours)
    peer_rps, peer_p99 = row("FastAPI on uvicorn, 2 workers", theirs)
    print(f"\nvmad / uvicorn: {our_rps / peer_rps:.1f} × the requests (needed: 4), "
          f"p99 {our_p99 / peer_p99:.2f} × (needed: at most 1); "
          f"ready {ready_s * 1000:.0f} ms after its start (needed: at most 300), "
          f"{size:.0f} MB (needed: at most 60)")
    met = (our_rps >= 4 * peer_rps and our_p99 <= peer_p99 and ready_s <= 0.3 and size <= 60)
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
