# SPDX-License-Identifier: Apache-2.0
"""What runs the models, from outside: who went away, what is too large, what dies, what is said."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest
import zlib

from harness import BUILD, PROGRAM, SOURCE, Vmad, form, photo, wait_until

STUBS = SOURCE / "tests" / "data" / "models"
GREY, WHITE, RED, BLUE = (128, 128, 128), (255, 255, 255), (255, 0, 0), (0, 0, 255)


def png(colour, width=320, height=240):
    """A picture of one colour."""
    def chunk(name, data):
        packed = struct.pack(">I", len(data)) + name + data
        return packed + struct.pack(">I", zlib.crc32(name + data))
    row = b"\0" + bytes(colour) * width
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b""))


def stand_in(words=""):
    """The environment for an ONNX Runtime that fails when it is told to."""
    return {"ONNXRUNTIME_LIB": str(BUILD / "libonnxruntime_stand_in.so"), "STAND_IN": words,
            "STAND_IN_REAL": str(SOURCE / ".deps/onnxruntime/lib/libonnxruntime.so")}


def cut_out(vmad, picture, **how):
    return vmad.post_form("/api/image/cutout", [("image", picture, "a.png")], **how)


def place(data, name, stub):
    """Installs what `models add` would refuse: as if it had been copied there."""
    content = (STUBS / stub).read_bytes()
    folder = pathlib.Path(data, "models", name, "1")
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(content)
    row = {"file": "model.onnx", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(
        {"name": name, "version": "1", "kind": "birefnet", "licence": "unknown", "files": [row]}))


class Engine(unittest.TestCase):
    """Every test has a service of its own, with the model that it names."""

    def start(self, stub=None, env=None, options=(), decoder=None):
        vmad = Vmad("--role", "image", *options, env=env)
        self.addCleanup(vmad.close)
        if stub:
            self.add(vmad, "stub", stub, decoder)
        return vmad

    def add(self, vmad, name, stub, decoder=None):
        more = ["--kind", "sam2", "--decoder", str(STUBS / decoder)] if decoder else []
        done = subprocess.run([str(PROGRAM), "models", "--data", vmad.data, "add", name,
                               str(STUBS / stub), *more], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.use(vmad, name)

    def use(self, vmad, name):
        done = subprocess.run([str(PROGRAM), "models", "--data", vmad.data, "use", name],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


class Leaving(Engine):
    def test_the_device_is_free_when_its_client_went_away(self):
        vmad = self.start("birefnet_slow.onnx", {"IMAGE_STREAMS": "1"})
        self.assertEqual(cut_out(vmad, png(GREY)).status, 200)
        body, kind = form([("image", png(WHITE), "a.png")])
        for _ in range(3):  # one endless picture after the other
            with vmad.socket() as client:
                client.sendall(b"POST /api/image/cutout HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                               + kind.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
                               + body)
                time.sleep(0.3)
        began = time.monotonic()
        self.assertEqual(cut_out(vmad, png(GREY)).status, 200)
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(vmad.stop(), 0)
        self.assertEqual(vmad.spooled(), [])


class Apart(Engine):
    """Models in a process of their own, and what happens when it dies."""

    def inference(self, vmad):
        return vmad.get("/api/background/health").json["inference"]

    def kill_inference(self, vmad, killed):
        pid = self.inference(vmad)["pid"]
        if pid and pid not in killed:  # one that is dead is named until its end is noticed
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)

    def all_are_answered(self, vmad, pictures, rounds):
        """Eight clients at once while the process is killed: every answer is the right one."""
        wanted = {}
        for picture in pictures:
            answer = cut_out(vmad, picture)
            self.assertEqual(answer.status, 200, answer.body[:300])
            wanted[picture] = answer.body
        left, killed = [pictures[i % len(pictures)] for i in range(rounds)], set()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            running = [pool.submit(cut_out, vmad, picture) for picture in left]
            for _ in range(2):  # a third time would be held against whoever was hit each time
                time.sleep(0.15)
                self.kill_inference(vmad, killed)
            answers = [each.result() for each in running]
        for picture, answer in zip(left, answers):
            self.assertEqual(answer.status, 200, answer.body[:300])
            self.assertTrue(answer.body == wanted[picture], "another picture came out")
        self.assertTrue(killed)
        # One that was killed when everybody had been answered is missed by whoever comes next.
        self.assertEqual(cut_out(vmad, pictures[0]).status, 200)
        self.assertEqual(self.inference(vmad)["deaths"], len(killed))

    def test_kill_9_while_eight_clients_wait(self):
        vmad = self.start(env={"INFERENCE_PROCESS": "child"})
        self.all_are_answered(vmad, [photo("hopper.jpg"), photo("astronaut.jpg")], 24)
        self.assertEqual(vmad.stop(), 0)

    def test_kill_9_while_a_large_model_runs(self):
        vmad = self.start("birefnet_slow.onnx")  # such a picture takes it 0.2 s
        self.all_are_answered(vmad, [png((200, 200, 200)), png(GREY)], 16)
        self.assertEqual(vmad.stop(), 0)

    def test_the_process_is_told_and_ends_with_the_service(self):
        vmad = self.start()
        cut_out(vmad, photo("hopper.jpg"))
        self.assertEqual(self.inference(vmad), {"process": "inside", "pid": None, "deaths": 0})
        self.add(vmad, "stub", "birefnet_512.onnx")
        self.assertEqual(cut_out(vmad, png(GREY)).status, 200)
        told = self.inference(vmad)
        self.assertEqual(told["process"], "child")
        self.assertTrue(os.path.exists(f"/proc/{told['pid']}"))
        vmad.stop(signal.SIGKILL)
        self.assertTrue(wait_until(lambda: not os.path.exists(f"/proc/{told['pid']}")))

    def test_what_hangs_is_ended_at_its_deadline_and_the_rest_goes_on(self):
        vmad = self.start("birefnet_512.onnx", stand_in())
        self.assertEqual(cut_out(vmad, png(GREY)).status, 200)
        body, kind = form([("image", png(BLUE), "a.png")])
        with vmad.socket() as client:  # leaves while the network has its picture
            client.sendall(b"POST /api/image/cutout HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                           + kind.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            self.assertTrue(wait_until(lambda: self.inside(vmad) == 1))
            self.assertEqual(cut_out(vmad, png(GREY)).status, 200)
        self.assertTrue(wait_until(lambda: self.inference(vmad)["deaths"] == 1))
        self.assertEqual(cut_out(vmad, png(GREY)).status, 200)
        self.assertEqual(vmad.stop(), 0)

    def inside(self, vmad):
        return vmad.get("/api/background/health").json["queue"]["inside"]

    def test_a_picture_that_kills_it_twice_is_refused(self):
        vmad = self.start("birefnet_512.onnx", stand_in())
        wanted = cut_out(vmad, png(GREY)).body
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            good = [pool.submit(cut_out, vmad, png(GREY)) for _ in range(6)]
            bad = pool.submit(cut_out, vmad, png(RED))
            more = [pool.submit(cut_out, vmad, png(GREY)) for _ in range(6)]
            refused = bad.result()
            for each in good + more:
                self.assertEqual(each.result().status, 200)
                self.assertEqual(each.result().body, wanted)
        self.assertEqual((refused.status, refused.json["code"], refused.json["field"]),
                         (422, "inference_died", "image"))
        self.assertEqual(self.inference(vmad)["deaths"], 2)
        self.assertEqual(cut_out(vmad, png(GREY)).status, 200)
        self.assertEqual(vmad.stop(), 0)


class Device(Engine):
    """A graphics card that is asked for, and fails at each of the three points where it can."""

    def told(self, words):
        vmad = self.start(env={**stand_in(words), "IMAGE_DEVICE": "cuda"})
        self.assertEqual(cut_out(vmad, photo("hopper.jpg")).status, 200)
        answer = vmad.get("/api/background/health").json
        self.assertEqual(answer["device_asked"], "cuda")
        self.assertIn((answer["why"] or answer["device"])[:200], vmad.get("/health").body.decode())
        return answer["device"], answer["why"]

    def test_a_library_that_is_missing(self):
        device, why = self.told("cuda-library")
        self.assertEqual(device, "cpu")
        self.assertRegex(why, "asked for cuda:0, running on cpu: load the CUDA provider: .*"
                              "libcublasLt.so.13: cannot open shared object file")

    def test_no_device(self):
        device, why = self.told("cuda-device")
        self.assertEqual(device, "cpu")
        self.assertRegex(why, "running on cpu: no usable GPU 0: .*no CUDA-capable device")

    def test_a_driver_that_is_only_a_stub(self):
        device, why = self.told("cuda-session")
        self.assertEqual(device, "cpu")
        self.assertRegex(why, "running on cpu: .*driver version is insufficient")

    def test_one_that_works(self):
        self.assertEqual(self.told("cuda"), ("cuda:0", None))

    def test_short_memory_makes_the_picture_smaller(self):
        vmad = self.start("birefnet_dynamic.onnx",
                          {**stand_in("cuda,cuda-memory=800000"), "IMAGE_DEVICE": "cuda"})
        answer = cut_out(vmad, png(GREY))
        self.assertEqual(answer.status, 200, answer.body)
        told = vmad.get("/api/background/health").json
        self.assertEqual(told["device"], "cuda:0")
        self.assertEqual(told["memory"], "memory is short: pictures are cut out at 512 x 512")

    def test_short_memory_goes_to_the_processor(self):
        vmad = self.start("birefnet_512.onnx",
                          {**stand_in("cuda,cuda-memory=1000"), "IMAGE_DEVICE": "cuda"})
        answer = cut_out(vmad, png(GREY))
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(vmad.get("/api/background/health").json["memory"],
                         "memory ran out; the last picture was cut out on the CPU")


def metrics(vmad):
    """Every value of /metrics by its name and labels."""
    lines = vmad.get("/metrics").body.decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in lines if line and line[0] != "#"}


class Card(Engine):
    """What NVIDIA's own libraries tell, and are told."""

    def card(self, **env):
        vmad = self.start(env={**stand_in("cuda"), "IMAGE_DEVICE": "cuda",
                               "LD_LIBRARY_PATH": str(BUILD / "stand_in"), **env})
        self.assertEqual(cut_out(vmad, photo("hopper.jpg")).status, 200)
        wait_until(lambda: "gpu" in vmad.get("/health").json["services"])
        health = vmad.get("/health").json
        return vmad, health["services"]["gpu"], health["details"]["gpu"]

    def test_what_the_card_does_is_told(self):
        vmad, state, text = self.card()
        self.assertEqual(state, "healthy")
        self.assertEqual(text, "Stand-in 80GB: 96 % busy, 3865 of 81559 MiB, 61 C, 491 W, 1980 MHz")
        told = metrics(vmad)
        self.assertEqual(told['vma_gpu_info{name="Stand-in 80GB",driver="580.159.03"}'], 1)
        self.assertEqual(told["vma_gpu_utilization_ratio"], 0.96)
        self.assertEqual(told["vma_gpu_memory_used_bytes"], 4052746240)
        self.assertEqual(told["vma_gpu_temperature_celsius"], 61)
        self.assertEqual(told["vma_gpu_power_watts"], 491)
        self.assertEqual(told["vma_gpu_clock_hertz"], 1.98e9)
        logged = [event for event in vmad.events() if event["event"] == "gpu.state"]
        self.assertEqual((logged[0]["busy_percent"], logged[0]["power_w"]), (96, 491))

    def test_the_cards_that_are_visible_are_counted(self):
        for visible in ("1,0", "GPU-99999999-8888-7777-6666-555555555555"):
            _, _, text = self.card(CUDA_VISIBLE_DEVICES=visible)
            self.assertTrue(text.startswith("Stand-in 24GB: 7 % busy"), text)

    def test_what_is_not_known_is_left_out(self):
        vmad, _, text = self.card(NVML_STAND_IN="old")
        self.assertEqual(text, "Stand-in 80GB")
        self.assertNotIn("vma_gpu_power_watts", metrics(vmad))

    def test_no_driver_is_a_plain_statement(self):
        _, state, text = self.card(NVML_STAND_IN="broken")
        self.assertEqual((state, text), ("disabled", "NVML: begin: Driver Not Loaded"))
        vmad, state, text = self.card(LD_LIBRARY_PATH="/nonexistent")
        self.assertEqual((state, text),
                         ("disabled", "no NVIDIA driver: libnvidia-ml.so.1 is not installed"))
        self.assertEqual(vmad.get("/health/ready").status, 200)

    def test_a_profiler_sees_the_stages_of_both_processes(self):
        with tempfile.TemporaryDirectory() as folder:
            seen = os.path.join(folder, "ranges")
            vmad = self.start(env={"NVTX_INJECTION64_PATH": str(BUILD / "libnvtx_stand_in.so"),
                                   "NVTX_STAND_IN_LOG": seen, "INFERENCE_PROCESS": "child"})
            self.assertEqual(cut_out(vmad, photo("hopper.jpg")).status, 200)
            vmad.post_form("/api/image/landmarks", [("image", photo("hopper.jpg"), "a.jpg")])
            child = vmad.get("/api/background/health").json["inference"]["pid"]
            with open(seen, encoding="ascii") as file:
                ranges = {tuple(line.split()) for line in file}
        ours = {name for pid, name in ranges if int(pid) == vmad.process.pid}
        self.assertEqual(ours, {"decode", "faces", "prepare", "infer", "finish", "refine"})
        self.assertEqual({name for pid, name in ranges if int(pid) == child}, {"network"})

    def test_the_documented_sequence_runs(self):
        """docs/gpu.md as it stands, with an nsys that does what the real one does for us."""
        text = (SOURCE / "docs" / "gpu.md").read_text(encoding="utf-8")
        lines = text.partition("nsys profile")[2].partition("\n\n")[0]
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        script = ("nsys profile" + lines).replace("55441", port)
        self.assertIn("$(pidof vmad)", script)  # other programs of that name may run here
        script = ("trap 'kill $(cat vmad.pid) 2>/dev/null || :' EXIT\n"
                  + script.replace("$(pidof vmad)", "$(cat vmad.pid)"))
        with tempfile.TemporaryDirectory() as folder:
            nsys, seen = os.path.join(folder, "nsys"), os.path.join(folder, "ranges")
            with open(nsys, "w", encoding="ascii") as file:
                file.write("#!/bin/bash\n"
                           '[ "$1" = profile ] || { echo "$@" > stats; exit; }\nshift\n'
                           'while [[ $1 == --* ]]; do [[ $1 == *=* ]] || shift; shift; done\n'
                           '"$@" & echo $! > vmad.pid; wait\n')
            os.chmod(nsys, 0o755)
            with open(os.path.join(folder, "photo.jpg"), "wb") as file:
                file.write(photo("hopper.jpg"))
            path = f"{folder}:{BUILD}:{os.environ['PATH']}"
            done = subprocess.run(["bash", "-e", "-c", script], cwd=folder, timeout=100,
                                  capture_output=True, text=True, check=False,
                                  env={**os.environ, "PATH": path, "NVTX_STAND_IN_LOG": seen,
                                       "no_proxy": "localhost", "NVTX_INJECTION64_PATH":
                                       str(BUILD / "libnvtx_stand_in.so")})
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            with open(seen, encoding="ascii") as file:
                names = [line.split()[1] for line in file]
            self.assertGreaterEqual(names.count("network"), 50)
            self.assertIn("refine", names)
            with open(os.path.join(folder, "stats"), encoding="ascii") as file:
                self.assertIn("cutouts.nsys-rep", file.read())

    def test_a_profiler_that_is_not_there_is_said_and_nothing_more(self):
        vmad = self.start(env={"NVTX_INJECTION64_PATH": "/nonexistent/tool.so"})
        self.assertIn("NVTX_INJECTION64_PATH: /nonexistent/tool.so", vmad.log())


class Tuning(Engine):
    def tune(self, data, *words):
        return subprocess.run([str(PROGRAM), "tune", "--data", data, "--each", "20ms", *words],
                              capture_output=True, text=True, check=True).stdout

    def test_a_model_that_does_not_run_leaves_the_others_their_turn(self):
        with tempfile.TemporaryDirectory() as data:
            for name, stub in (("a-wrong", "wrong_rank"), ("b-nan", "birefnet_nan"), ("c-good", "birefnet_512")):
                place(data, name, f"{stub}.onnx")
            done = subprocess.run([str(PROGRAM), "tune", "--data", data, "--each", "20ms"],
                                  capture_output=True, text=True, check=False)
            self.assertNotEqual(done.returncode, 0)
            for name in ("a-wrong@1", "b-nan@1"):
                self.assertIn(f"left out: {name}: ", done.stderr)
            self.assertIn("2 of 4 models could not be measured", done.stderr)
            with open(os.path.join(data, "tuning.json"), encoding="utf-8") as kept:
                self.assertIn("c-good@1", kept.read())

    def test_what_was_measured_is_used_from_the_next_start_on(self):
        with tempfile.TemporaryDirectory() as data:
            table = self.tune(data)
            self.assertRegex(table, r"portrait@1:\w+ on cpu \(.*cores?\)\n +threads +streams")
            self.assertEqual(table.count("\n*"), 2)  # the best one, and where it is kept
            told = json.loads(self.tune(data, "--json", "portrait"))[0]
            self.assertGreater(told["best"]["pictures_per_s"], 0)
            self.assertIn(told["best"], told["measured"])
            kept = os.path.join(data, "tuning.json")
            with open(kept, encoding="utf-8") as file:
                content = json.load(file)
            content["measured"][0].update(streams=3, threads=2)
            with open(kept, "w", encoding="utf-8") as file:
                json.dump(content, file)
            vmad = self.start(options=("--data", data))
            self.assertEqual(cut_out(vmad, photo("hopper.jpg")).status, 200)
            self.assertEqual(metrics(vmad)["vma_image_streams"], 3)
            vmad.stop()
            vmad = self.start(options=("--data", data), env={"IMAGE_STREAMS": "1"})
            self.assertEqual(cut_out(vmad, photo("hopper.jpg")).status, 200)
            self.assertEqual(metrics(vmad)["vma_image_streams"], 1)
            vmad.stop()

    def test_a_service_that_knows_nothing_measures_when_it_is_idle(self):
        vmad = self.start()
        self.assertEqual(cut_out(vmad, photo("hopper.jpg")).status, 200)
        kept = os.path.join(vmad.data, "tuning.json")
        self.assertFalse(os.path.exists(kept))
        self.assertTrue(wait_until(lambda: os.path.exists(kept), 40, 0.2))
        self.assertEqual(cut_out(vmad, photo("hopper.jpg")).status, 200)
        self.assertEqual(vmad.stop(), 0)


if __name__ == "__main__":
    unittest.main()
