#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The image service with the embedded model, as its clients see it: 8 at once beside the usual
Python service (FastAPI on uvicorn with OpenCV, the same network in fp32 through OpenCV's DNN
module, the same answer: a mask as PNG), on the same cores, in turns; then 64 clients and a queue of
16, many pictures in a row, and the time from start to the first cut-out. The Python service enlarges
its mask without a guided filter, so it has less to do."""
import concurrent.futures
import http.client
import os
import pathlib
import re
import socket
import statistics
import subprocess
import tempfile
import threading
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD_DIR", SOURCE / "build" / "release"))
PYTHON = "/usr/bin/python3"  # the one that Debian's packages belong to
ROUNDS, SECONDS, CLIENTS = 3, 4, 8
ROW = int(os.environ.get("PICTURES", "1000"))
PHOTO = (SOURCE / "tests/data/photos/astronaut.jpg").read_bytes()

WIDEN = '''
import sys
import numpy as np
import onnx
from onnx import numpy_helper

model = onnx.load(sys.argv[1])
halves = {i.name: i for i in model.graph.initializer if i.data_type == onnx.TensorProto.FLOAT16}
for node in list(model.graph.node):
    if node.op_type == "Cast" and node.input[0] in halves:
        wide = numpy_helper.to_array(halves[node.input[0]]).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(wide, node.output[0]))
        model.graph.node.remove(node)
for half in halves.values():
    model.graph.initializer.remove(half)
model.opset_import[0].version = 13
for node in list(model.graph.node):
    if node.op_type != "HardSwish":
        continue
    inner = node.output[0] + "_h"
    sigmoid = onnx.helper.make_node("HardSigmoid", [node.input[0]], [inner], alpha=1 / 6, beta=0.5)
    product = onnx.helper.make_node("Mul", [node.input[0], inner], [node.output[0]])
    at = list(model.graph.node).index(node)
    model.graph.node.remove(node)
    model.graph.node.insert(at, product)
    model.graph.node.insert(at, sigmoid)
onnx.save(model, sys.argv[2])
'''

APPLICATION = '''
import os
import threading
import cv2
import numpy as np
from fastapi import FastAPI, File, UploadFile
from fastapi.responses import Response

cv2.setNumThreads(1)
app = FastAPI()
local = threading.local()


def network():
    if not hasattr(local, "net"):
        local.net = cv2.dnn.readNetFromONNX(os.environ["MODEL"])
    return local.net


@app.post("/cutout")
def cutout(image: UploadFile = File(...)):
    photo = cv2.imdecode(np.frombuffer(image.file.read(), np.uint8), cv2.IMREAD_COLOR)
    net = network()
    net.setInput(cv2.dnn.blobFromImage(photo, 1 / 255, (256, 256), swapRB=True))
    mask = net.forward()[0, 0]
    mask = cv2.resize(mask, photo.shape[1::-1])
    mask = np.clip((mask - 0.12) / 0.76, 0, 1) * 255
    done, png = cv2.imencode(".png", mask.astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return Response(png.tobytes(), media_type="image/png")
'''


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def body(fields=()):
    parts = b"".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                     .encode() for name, value in fields)
    return parts + (b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
                    b"Content-Type: image/jpeg\r\n\r\n" + PHOTO + b"\r\n--b--\r\n")


HEADERS = {"Content-Type": "multipart/form-data; boundary=b"}


class Server:
    def __init__(self, command, path, fields=(), env=None):
        self.port, self.path, self.form = free_port(), path, body(fields)
        self.process = subprocess.Popen([w.replace("PORT", str(self.port)) for w in command],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env={**os.environ, **(env or {})})

    def post(self, connection=None):
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", self.path, self.form, HEADERS)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def wait(self):
        start = time.monotonic()
        while time.monotonic() < start + 30:
            try:
                if self.post()[0] == 200:
                    return
            except OSError:
                time.sleep(0.005)
        raise SystemExit("a server does not answer")

    def rss_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def throughput(self, clients=CLIENTS):
        """Pictures a second and the median latency in ms."""
        until, latencies, lock = time.monotonic() + SECONDS, [], threading.Lock()

        def work():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            while time.monotonic() < until:
                start = time.monotonic()
                status, _, _ = self.post(connection)
                assert status == 200, status
                with lock:
                    latencies.append(time.monotonic() - start)

        threads = [threading.Thread(target=work) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(latencies) / SECONDS, statistics.median(latencies) * 1000

    def stop(self):
        self.process.terminate()
        self.process.wait()


def vmad(data, *options):
    return Server([str(BUILD / "vmad"), "--port", "PORT", "--data", data, "--role", "image",
                   *options], "/api/image/cutout", [("output", "mask")])


def row(name, values, unit, digits=1):
    print(f"{name:44s} {statistics.median(values):9.{digits}f} {unit:6s} "
          f"({min(values):.{digits}f} to {max(values):.{digits}f})")


def compare(ours, theirs):
    figures = {"ours": [], "theirs": []}
    for _ in range(ROUNDS):
        figures["ours"].append(ours.throughput())
        figures["theirs"].append(theirs.throughput())
    for name, label in (("ours", "vmad"), ("theirs", "FastAPI + OpenCV")):
        row(f"{label}, {CLIENTS} clients", [f[0] for f in figures[name]], "/s")
        row(f"{label}, {CLIENTS} clients, median", [f[1] for f in figures[name]], "ms")
    ratio = (statistics.median(f[0] for f in figures["ours"]) /
             statistics.median(f[0] for f in figures["theirs"]))
    print(f"{'ratio (3 is asked for)':44s} {ratio:9.2f}")
    row("vmad, 1 client, median", [ours.throughput(1)[1] for _ in range(ROUNDS)], "ms")


def overload(server):
    before = server.rss_kb()
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda _: server.post(), range(256)))
    served = sum(status == 200 for status, _, _ in answers)
    refused = [headers for status, headers, _ in answers if status in (429, 503)]
    assert served + len(refused) == len(answers)
    assert all(int(headers["Retry-After"]) >= 1 for headers in refused)
    print(f"64 clients, 256 pictures, queue of 16: {served} served, {len(refused)} refused, all with "
          f"Retry-After; resident memory {(server.rss_kb() - before) / 1024:+.1f} MB")


def endurance(server):
    for _ in range(100):
        server.post()
    before = server.rss_kb()
    for _ in range(ROW):
        assert server.post()[0] == 200
    print(f"{ROW} pictures in a row: resident memory {(server.rss_kb() - before) / 1024:+.1f} MB")


def cold(folder):
    times = []
    for i in range(5):
        start = time.monotonic()
        server = vmad(f"{folder}/cold{i}")
        server.wait()
        times.append((time.monotonic() - start) * 1000)
        server.stop()
    row("start of the process to first cut-out", times, "ms", 0)


def main():
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/wide.onnx"
        subprocess.run([PYTHON, "-c", WIDEN, str(SOURCE / "models/selfie_segmentation.onnx"),
                        model], check=True)
        pathlib.Path(folder, "application.py").write_text(APPLICATION, encoding="utf-8")
        ours = vmad(f"{folder}/data", "--image-queue", "16")
        theirs = Server([PYTHON, "-m", "uvicorn", "application:app", "--port", "PORT",
                         "--app-dir", folder, "--log-level", "error"], "/cutout",
                        env={"MODEL": model})
        try:
            ours.wait()
            theirs.wait()
            compare(ours, theirs)
            overload(ours)
            endurance(ours)
        finally:
            ours.stop()
            theirs.stop()
        cold(folder)


main()
