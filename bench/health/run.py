#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""/health of vmad beside the same answer from FastAPI on uvicorn (Debian's), on the same cores, in
turns: requests a second and latency as wrk sees them. Also how soon vmad is ready and how large
it is when idle.

uvicorn runs three times, a process for each core: as its --workers starts it; with sockets that name
TCP, without which asyncio leaves Nagle's algorithm on and every answer waits 40 ms for an
acknowledgement, so that it would be no rival; and, beyond what Debian installs with it, with uvloop
and httptools. vmad is held to the second and told beside all."""
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
ROUNDS, SECONDS, CONNECTIONS, WORKERS = 5, 2, 32, 2

APPLICATION = '''
import socket
import sys
import time

import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
async def health():
    return {"status": "healthy", "timestamp": int(time.time()), "services": {
        "storage": "healthy", "jobs": "healthy", "voices": "healthy", "vision": "healthy"},
        "version": "0.1.0"}


def serve(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    config = uvicorn.Config(app, log_level="warning", access_log=False, loop=sys.argv[2],
                            http=sys.argv[3])
    uvicorn.Server(config).run(sockets=[sock])


if __name__ == "__main__":
    serve(int(sys.argv[1]))
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
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m|h)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}[unit]


def figures(text):
    """Requests a second, p50 and p99 in ms. A line each of their own: a share of the requests in the
    table above them may be told as 89.50%, too."""
    found = [re.search(pattern, text, re.MULTILINE) for pattern in (
        r"^Requests/sec:\s+([\d.]+)$", r"^\s*50%\s+([\d.]+[a-z]+)$", r"^\s*99%\s+([\d.]+[a-z]+)$")]
    if not all(found):
        raise SystemExit(f"wrk says something else:\n{text}")
    return float(found[0].group(1)), in_ms(found[1].group(1)), in_ms(found[2].group(1))


def measure(url):
    text = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", "--latency", url],
                          capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(text)
    return figures(text)


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


def start_peers(folder):
    """(name, processes, URL) of each peer; the second is the one that counts."""
    (pathlib.Path(folder) / "peer.py").write_text(APPLICATION, encoding="utf-8")
    peers = []
    for name, processes, command in (
            ("uvicorn --workers", 1, "-m uvicorn peer:app --port {} --workers %d --loop asyncio "
             "--http h11 --log-level warning --no-access-log" % WORKERS),
            ("uvicorn, TCP_NODELAY", WORKERS, "peer.py {} asyncio h11"),
            ("uvicorn, uvloop, httptools", WORKERS, "peer.py {} uvloop httptools")):
        port = free_port()
        started = [subprocess.Popen([PYTHON, *command.format(port).split()], cwd=folder)
                   for _ in range(processes)]
        peers.append((name, started, f"http://127.0.0.1:{port}/health"))
    for _, _, url in peers:
        wait_for(url)
    time.sleep(1)  # the others
    return peers


def row(name, results):
    rps, p50, p99 = zip(*results)
    print(f"| {name} | {statistics.median(rps):,.0f} ({min(rps):,.0f}–{max(rps):,.0f}) | "
          f"{statistics.median(p50):.2f} | {statistics.median(p99):.2f} "
          f"({min(p99):.2f}–{max(p99):.2f}) |")
    return statistics.median(rps), statistics.median(p99)


def main():
    with tempfile.TemporaryDirectory() as folder:
        vmad, vmad_url, ready_s, size = start_vmad(folder)
        peers = start_peers(folder)
        results = [[] for _ in range(1 + len(peers))]
        try:
            for _ in range(ROUNDS):
                for found, url in zip(results, [vmad_url] + [url for _, _, url in peers]):
                    found.append(measure(url))
        finally:
            for process in [vmad] + [one for _, started, _ in peers for one in started]:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=20)
    print("| | requests a second, median (min–max) | p50, ms | p99, ms |\n| --- | --- | --- | --- |")
    (our_rps, our_p99), *theirs = [
        row(name, found) for name, found in zip(["vmad"] + [name for name, _, _ in peers], results)]
    for (name, _, _), (rps, p99) in zip(peers, theirs):
        print(f"\nvmad / {name}: {our_rps / rps:.1f} × the requests, p99 {our_p99 / p99:.2f} ×")
    print(f"\nready {ready_s * 1000:.0f} ms after its start (needed: at most 300), "
          f"{size:.0f} MB (needed: at most 60)")
    peer_rps, peer_p99 = theirs[1]
    met = (our_rps >= 4 * peer_rps and our_p99 <= peer_p99 and ready_s <= 0.3 and size <= 60)
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
