#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The image service as its clients see it, beside the usual Python service and beside ONNX Runtime
in a bare loop; what many clients at once, many pictures in a row and a cold start do to it.

    run.py [python] [models] [latency] [overload] [row] [idle] [cold]      all of it when none is named

Everything runs on the same processors, in turns; ratios are of medians, those of `models` medians of
the ratios of rounds that follow each other. PICTURES=n in a row;
NETWORKS=birefnet,sam2,portrait are those of `models`."""
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from load import Load, request  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("BUILD_DIR", SOURCE / "build" / "release"))
PYTHON = "/usr/bin/python3"  # the one that Debian's packages belong to
ROUNDS, SECONDS, CLIENTS = 5, 2.5, 8
LONG = float(os.environ.get("LONG", "5"))  # seconds of a round with a large network
SHORT = 1.0  # with the embedded one: the machine's speed changes within seconds, so more of them
TURNS = int(os.environ.get("TURNS", "7"))  # rounds beside the bare loop
STREAMS, THREADS, QUEUE = 2, 1, 16
PLAIN_LOOPS = os.cpu_count() + 1  # one waits for the decoder's process
NETWORKS = os.environ.get("NETWORKS", "birefnet,sam2,portrait").split(",")
PICTURES = int(os.environ.get("PICTURES", "10000"))
PHOTO_PATH = SOURCE / "tests/data/photos/astronaut.jpg"
PHOTO = PHOTO_PATH.read_bytes()
CUTOUT = "/api/image/cutout"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


class Server:
    def __init__(self, command, probe, env=None):
        self.port, self.probe = free_port(), probe
        self.process = subprocess.Popen([w.replace("PORT", str(self.port)) for w in command],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env={**os.environ, **(env or {})})

    def __enter__(self):
        self.wait()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def wait(self):
        start = time.monotonic()
        while time.monotonic() < start + 30:
            try:
                if Load(self.port, [self.probe], 1, 20, 1).run().latencies:
                    return
            except OSError:
                time.sleep(0.001)
        raise SystemExit("a server does not answer")

    def memory_mb(self, field="VmRSS"):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(rf"{field}:\s+(\d+)", status.read()).group(1)) / 1024

    def load(self, what, clients, seconds=SECONDS, count=1 << 60):
        load = Load(self.port, what if isinstance(what, list) else [what], clients, seconds, count)
        return load.run()


def vmad(data, *options):
    return Server([str(BUILD / "vmad"), "--port", "PORT", "--data", data, "--role", "image",
                   "--log-level", "off", *options], mask())


def python(folder):
    model = f"{folder}/wide.onnx"
    subprocess.run([PYTHON, HERE / "models.py", "widen",
                    SOURCE / "models/selfie_segmentation.onnx", model], check=True)
    return Server([PYTHON, "-m", "uvicorn", "python_service:app", "--port", "PORT", "--app-dir",
                   str(HERE), "--log-level", "error", "--no-access-log"],
                  request("/mask", PHOTO), {"MODEL": model, "PYTHONDONTWRITEBYTECODE": "1"})


def mask(photo=PHOTO):
    return request(CUTOUT, photo, [("output", "mask")])


def spread(values, digits=1):
    return (f"{statistics.median(values):,.{digits}f} "
            f"({min(values):,.{digits}f}–{max(values):,.{digits}f})")


def table(title, head, rows):
    print(f"\n{title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)


def beside_python(folder):
    works = [("mask with the photo's edges (guided filter)", mask(), request("/refined", PHOTO)),
             ("picture with alpha and its own colours", request(CUTOUT, PHOTO),
              request("/cutout", PHOTO)),
             ("mask; Python only enlarges the network's", mask(), request("/mask", PHOTO))]
    rows = []
    with vmad(f"{folder}/ours") as ours, python(folder) as theirs:
        for name, one, other in works:
            figures = [[], []]
            for _ in range(ROUNDS):
                figures[0].append(ours.load(one, CLIENTS))
                figures[1].append(theirs.load(other, CLIENTS))
            rates = [[load.rate for load in side] for side in figures]
            ratio = statistics.median(rates[0]) / statistics.median(rates[1])
            times = [spread([statistics.median(load.latencies) for load in side])
                     for side in figures]
            rows.append((name, spread(rates[0]), spread(rates[1]), f"**{ratio:.2f} ×**", *times,
                         f"{figures[0][0].bytes // 1024} / {figures[1][0].bytes // 1024}"))
    table(f"{CLIENTS} clients, a photo of 512², the embedded network (3 × is asked for)",
          ("work", "vmad /s", "FastAPI + OpenCV /s", "ratio", "vmad ms", "FastAPI ms", "kB"), rows)


def measured(program, *words):
    done = subprocess.run([BUILD / program, *map(str, words)], check=True, capture_output=True,
                          cwd=SOURCE, encoding="ascii")
    return json.loads(done.stdout.splitlines()[-1])


def alone(*words):
    return measured("bench_image_alone", *words)


def different_photos(folder):
    """16 of them, as bright as each other but not the same: what a network makes of one may be kept."""
    code = ("import cv2,sys\np=cv2.imread(sys.argv[1])\n"
            "for i in range(16):\n p[:8, :8] = i * 9\n cv2.imwrite(f'{sys.argv[2]}/{i}.jpg', p)\n")
    subprocess.run([PYTHON, "-c", code, PHOTO_PATH, folder], check=True)
    return [pathlib.Path(folder, f"{i}.jpg").read_bytes() for i in range(16)]


def install(folder, name, kind, *files):
    words = [BUILD / "vmad", "models", "add", name, files[0], "--kind", kind, "--data",
             f"{folder}/models-data"]
    subprocess.run(words + (["--decoder", files[1]] if files[1:] else []), check=True,
                   stdout=subprocess.DEVNULL)


def ratio(ours, others):
    """Of neighbours in time."""
    each = [one / other for one, other in zip(ours, others)]
    return f"**{statistics.median(each):.2f} ×** ({min(each):.2f}–{max(each):.2f})"


def beside_bare_loop(folder):
    stub = {name: f"{folder}/{name}.onnx" for name in ("birefnet", "sam2_encoder", "sam2_decoder")}
    subprocess.run([PYTHON, HERE / "models.py", "stubs", folder], check=True)
    if "birefnet" in NETWORKS:
        install(folder, "birefnet", "birefnet", stub["birefnet"])
    if "sam2" in NETWORKS:
        install(folder, "sam2", "sam2", stub["sam2_encoder"], stub["sam2_decoder"])
    embedded = SOURCE / "models/selfie_segmentation.onnx"
    models = [("BiRefNet-shaped, 1024²", "birefnet", "birefnet", [stub["birefnet"]], LONG),
              ("SAM2-shaped, 1024²", "sam2", "sam2",
               [stub["sam2_encoder"], stub["sam2_decoder"]], LONG),
              ("portrait, 256²", "portrait", "portrait", [embedded], SHORT)]
    http, steps = [], []
    photos = tempfile.mkdtemp(dir=folder)
    requests = [mask(photo) for photo in different_photos(photos)]
    for name, model, kind, files, seconds in models:
        if model not in NETWORKS:
            continue
        bare, ours, allowed, loop, scheduled = [], [], [], [], []
        times = (THREADS, STREAMS, seconds)
        turns = TURNS * (2 if seconds == SHORT else 1)
        with vmad(f"{folder}/models-data", "--image-model", model, "--image-streams", str(STREAMS),
                  "--image-threads", str(THREADS)) as server:
            # The same upload and an answer at once: what client and HTTP take of the processors.
            turned_away = server.load(request(CUTOUT, PHOTO, [("format", "none")]), CLIENTS, 1)
            exchanges = turned_away.broken / turned_away.took
            for _ in range(turns):
                ours.append(server.load(requests, CLIENTS, seconds).rate)
                bare.append(alone(*times, *files)["per_s"])
                plain = alone("photos", THREADS, PLAIN_LOOPS, seconds, photos,
                              f"{folder}/models-data/models", model)["per_s"]
                allowed.append(1 / (1 / plain + 1 / exchanges))
        for _ in range(turns):
            scheduled.append(measured("bench_image_cuts", "service", *times, PHOTO_PATH,
                                      f"{folder}/models-data/models", model)["per_s"])
            loop.append(measured("bench_image_cuts", "loop", *times, PHOTO_PATH, kind,
                                 *files)["per_s"])
        http.append((name, spread(ours, 2), spread(bare, 2), ratio(ours, bare),
                     spread(allowed, 2), ratio(ours, allowed)))
        steps.append((name, spread(scheduled, 2), spread(loop, 2), ratio(scheduled, loop)))
    table(f"HTTP service, {CLIENTS} clients, beside a bare loop of the same session ({STREAMS} at "
          f"once, {THREADS} thread each; 0.95 × is asked for)",
          ("network", "vmad, pictures/s", "bare loop, runs/s", "ratio",
           f"what the cores allow: {PLAIN_LOOPS} plain loops from file to file, and HTTP without work",
           "vmad beside that"), http)
    table(f"Scheduler, queue and process with {CLIENTS} callers beside a plain loop; the photo is "
          "decoded, both scale it, normalise it and make the matte",
          ("network", "scheduled, pictures/s", "plain loop, pictures/s", "ratio"), steps)


def latency(folder):
    network = [alone(THREADS, 1, 1, SOURCE / "models/selfie_segmentation.onnx")["ms"]
               for _ in range(3)]
    work, loads = [], []
    with vmad(f"{folder}/latency") as server:
        for _ in range(ROUNDS):
            loads.append(server.load(mask(), 1, 1.5))
            work.append(alone("photo", PHOTO_PATH)["ms"])
    median = statistics.median
    whole = [median(load.latencies) for load in loads]
    rows = [("answer, as the client sees it", spread(whole, 2)),
            ("the network alone, bare loop", spread(network, 2)),
            ("**added, coding and refining included**",
             f"**{median(whole) - median(network):.2f}**")]
    parts = {part: [median(t[part] for t in load.timings) for load in loads]
             for part in ("wait", "decode", "mask", "encode")}
    rows += [(f"of which {part}", spread(values, 2)) for part, values in parts.items()]
    rows.append(("the same work in one process, without a service", spread(work, 2)))
    rows.append(("**added by HTTP, queues and scheduling (3 is asked for)**",
                 f"**{median(whole) - median(work):.2f}**"))
    table("One client, embedded network, a mask of 512², ms", ("what", "ms"), rows)


def overload(folder):
    with vmad(f"{folder}/overload", "--image-queue", str(QUEUE)) as server:
        server.load(mask(), 2, 1)
        before, highest = server.memory_mb(), [0]

        def look():
            highest[0] = max(highest[0], server.memory_mb())
        load = Load(server.port, [mask()], 64, 20).run(look)
        refused = sum(client.refused for client in load.clients)
        hints = [hint for client in load.clients for hint in client.hints]
        assert len(hints) == refused and all(int(hint) >= 1 for hint in hints)
        served = [client.served for client in load.clients]
        mixed = Load(server.port, [mask()], 64, 20, careless=8).run(look)
        polite, careless = ([client.served for client in mixed.clients if client.careless == how]
                            for how in (False, True))
        rows = [("pictures a second", f"{load.rate:.1f}"),
                ("answered with 200 / refused / anything else",
                 f"{len(load.latencies)} / {refused} / {load.broken}"),
                ("refusals with Retry-After", f"{len(hints)} of {refused}"),
                ("served of each client, median (smallest–largest)", spread(served, 0)),
                ("another 20 s in which 8 come back at once: served of each of the others",
                 spread(polite, 0)),
                ("… and of each of the 8", spread(careless, 0)),
                ("resident before, highest, MB", f"{before:.0f}, {highest[0]:.0f}"),
                ("the process still answers", bool(server.load(mask(), 1, 5, 1).latencies))]
    table(f"64 clients, a queue of {QUEUE}, 20 s; who is refused comes back when it was told to",
          ("what", "value"), rows)


def odd_photos(folder):
    """Photos of 200 sizes between 97 and 700 pixels a side, made of the first one."""
    code = ("import cv2,sys,random\nr=random.Random(1)\np=cv2.imread(sys.argv[1])\n"
            "for i in range(200):\n"
            " s=(r.randrange(97,700),r.randrange(97,700))\n"
            " cv2.imwrite(f'{sys.argv[2]}/{i}.jpg',cv2.resize(p,s,interpolation=cv2.INTER_AREA))\n")
    subprocess.run([PYTHON, "-c", code, PHOTO_PATH, folder], check=True)
    return [pathlib.Path(folder, f"{i}.jpg").read_bytes() for i in range(200)]


def row(folder):
    with tempfile.TemporaryDirectory(dir=folder) as photos:
        requests = [request(CUTOUT, photo, [("output", "mask" if i % 3 else "png")])
                    for i, photo in enumerate(odd_photos(photos))]
    with vmad(f"{folder}/row") as server:
        server.load(requests, 2, count=PICTURES // 20)
        samples = []
        load = Load(server.port, requests, 2, count=PICTURES)
        load.run(lambda: samples.append(server.memory_mb()))
        tenth = max(len(samples) // 10, 1)
        means = [statistics.mean(samples[i:i + tenth])
                 for i in range(0, len(samples) - tenth + 1, tenth)]
        rows = [("resident, mean of each tenth of the row, MB",
                 " ".join(f"{mean:.0f}" for mean in means)),
                ("first to last tenth, MB", f"{means[-1] - means[0]:+.1f}"),
                ("lowest and highest sample, MB", f"{min(samples):.0f}, {max(samples):.0f}"),
                ("answers that were no picture", load.broken)]
    table(f"{PICTURES} pictures in a row, 200 odd sizes from 97 to 700 pixels, two clients",
          ("what", "value"), rows)


def idle(folder):
    """Memory when there was work and when there has been none for 6 s; what the rest costs the next
    one to come."""
    rows, rested, busy = [], [], []
    message = request("/api/video/generate", PHOTO, [("text", "Good morning, how are you today?"),
                                                     ("voice_profile", "en-emma")])
    with Server([str(BUILD / "vmad"), "--port", "PORT", "--data", f"{folder}/idle", "--log-level",
                 "off"], b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n") as server:
        def after(what, task=None, clients=1, seconds=60, count=1):
            if task:
                server.load(task, clients, seconds, count)
            now = server.memory_mb()
            time.sleep(6)
            rows.append((what, f"{now:.0f}", f"**{server.memory_mb():.0f}**"))

        after("its start")
        after("one cut-out", request(CUTOUT, PHOTO))
        after("two messages", message, count=2)
        after("5 s of cut-outs, 8 clients", request(CUTOUT, PHOTO), 8, 5, 1 << 60)
        for _ in range(5):
            for times in (rested, busy):
                times.append(server.load(request(CUTOUT, PHOTO), 1, 20, 1).latencies[0])
            time.sleep(5)
    table("Resident memory of the whole application (role all), MB; 60 is asked for when idle",
          ("after", "at once", "6 s later"), rows)
    table("A cut-out, ms", ("when", "median (min–max)"),
          [("when there was nothing to do for 5 s", spread(rested)),
           ("right after another", spread(busy))])


def cold(folder):
    times = []
    for i in range(7):
        start = time.monotonic()
        with vmad(f"{folder}/cold{i}"):
            times.append((time.monotonic() - start) * 1000)
    table("Start of the process to its first cut-out (150 ms is asked for)", ("what", "ms"),
          [("embedded network, new data folder", spread(times, 0))])


PARTS = {"python": beside_python, "models": beside_bare_loop, "latency": latency,
         "overload": overload, "row": row, "idle": idle, "cold": cold}


def main():
    wanted = sys.argv[1:] or list(PARTS)
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            PARTS[name](folder)


main()
