# SPDX-License-Identifier: Apache-2.0
"""The line in front of the device, from outside: who goes first, who leaves, who comes through a
proxy, and who is there while the model changes."""
import concurrent.futures
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

from harness import PROGRAM, form, wait_until
from test_engine import GREY, WHITE, Engine, cut_out, place, png

NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
TURNS = (os.cpu_count() or 1) + 2  # photos that are worked on at once
SECOND, SHORT = (204, 204, 204), (200, 200, 200)  # birefnet_slow takes about 1 s and 0.2 s


def request(picture, headers=""):
    body, kind = form([("image", picture, "a.png")])
    return (f"POST /api/image/cutout HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
            f"{headers}Content-Length: {len(body)}\r\n\r\n").encode() + body


class Client:
    """Asks for a picture; it may leave, or wait for its answer."""

    def __init__(self, port, picture, headers="", source="127.0.0.1"):
        self.socket = socket.create_connection(("127.0.0.1", port), 30, (source, 0))
        self.socket.sendall(request(picture, headers))

    def leave(self):
        self.socket.close()

    def status(self, timeout=30):
        """None: there is no answer yet."""
        self.socket.settimeout(timeout)
        try:
            with http.client.HTTPResponse(self.socket) as answer:
                answer.begin()
                return answer.status
        except TimeoutError:
            return None


class Line(Engine):
    def busy(self, vmad):
        """Requests for pictures that are worked on or wait."""
        found = re.search(rb"^vma_http_workers_busy (\d+)", vmad.get("/metrics").body, re.M)
        return int(found.group(1)) - 1  # the one that asks

    def become(self, vmad, count):
        self.assertTrue(wait_until(lambda: self.busy(vmad) == count),
                        f"{self.busy(vmad)} are there, not {count}")
        self.there = count  # later counts may include whoever asked for the one before

    def occupied(self, queue, *options, **env):
        """Every place at the device and in front of it is taken by an endless picture."""
        vmad = self.start("birefnet_slow.onnx",
                          {"IMAGE_STREAMS": str(TURNS), "IMAGE_QUEUE": str(queue), **env}, options)
        self.assertEqual(cut_out(vmad, png(GREY)).status, 200)
        self.become(vmad, 0)  # its worker may still be putting things away
        return vmad

    def clients(self, vmad, count, picture=png(WHITE), **how):
        before = self.there
        clients = [Client(vmad.port, picture, **how) for _ in range(count)]
        for client in clients:
            self.addCleanup(client.leave)
        self.become(vmad, before + count)
        return clients


class Places(Line):
    def test_who_leaves_the_line_makes_room(self):
        vmad = self.occupied(2)
        endless = self.clients(vmad, TURNS)
        waiting = self.clients(vmad, 2)
        refused = Client(vmad.port, png(GREY))
        self.assertEqual(refused.status(), 503)
        refused.leave()
        waiting[0].leave()
        self.become(vmad, TURNS + 1)
        late = self.clients(vmad, 1, png(GREY))[0]  # waits instead of being sent away
        for client in [*endless, waiting[1]]:
            client.leave()
        self.assertEqual(late.status(), 200)
        self.become(vmad, 0)
        self.assertEqual(vmad.spooled(), [])
        self.assertEqual(vmad.stop(), 0)

    def test_a_person_goes_before_a_batch(self):
        vmad = self.occupied(8)
        endless = self.clients(vmad, TURNS)
        order = []

        def wait(client, name):
            order.append((client.status(), name))
        batch = self.clients(vmad, 3, png(GREY), headers="Priority: u=6, i\r\n")
        person = self.clients(vmad, 1, png(GREY))  # comes last
        threads = [threading.Thread(target=wait, args=(client, name)) for client, name in
                   [*((client, "batch") for client in batch), (person[0], "person")]]
        for thread in threads:
            thread.start()
        endless[0].leave()  # one place, for one after the other
        for thread in threads:
            thread.join()
        self.assertEqual(order[0], (200, "person"), order)
        self.assertEqual(sorted(order), [(200, "batch")] * 3 + [(200, "person")])


@unittest.skipUnless(NGINX, "nginx is not installed")
class Proxy(Line):
    """Everybody comes from the proxy's address; who they are stands in X-Forwarded-For."""

    def proxy(self, vmad):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        folder = os.path.join(vmad.folder, "nginx")
        os.mkdir(folder)
        with open(os.path.join(folder, "conf"), "w", encoding="ascii") as conf:
            conf.write(f"""daemon off; master_process off; pid {folder}/pid; error_log stderr crit;
events {{ }}
http {{
    access_log off; client_max_body_size 20m;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{vmad.port};
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
""")
        nginx = subprocess.Popen([NGINX, "-c", os.path.join(folder, "conf"), "-e", "stderr"],
                                 stderr=subprocess.DEVNULL)

        def end():
            nginx.send_signal(signal.SIGTERM)
            nginx.wait(timeout=10)
        self.addCleanup(end)

        def answers():
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            except OSError:
                return False
        self.assertTrue(wait_until(answers))
        return port

    def crowd(self, *options):
        """One address has had pictures and fills the line; then another one comes."""
        vmad = self.occupied(1, *options)
        port, greedy = self.proxy(vmad), "127.0.0.2"
        for _ in range(3):
            served = Client(port, png(SHORT), source=greedy)
            self.assertEqual(served.status(), 200)
            served.leave()
        endless = [Client(port, png(WHITE), source=greedy) for _ in range(TURNS)]
        self.become(vmad, TURNS)
        waiting = Client(port, png(GREY), source=greedy)
        self.become(vmad, TURNS + 1)
        # What a client says of itself counts for nothing.
        other = Client(port, png(GREY), "X-Forwarded-For: 127.0.0.2\r\n", "127.0.0.3")
        statuses = [waiting.status(1), other.status(1)]
        for client in (*endless, waiting, other):
            client.leave()
        return statuses

    def test_behind_a_proxy_that_is_trusted_addresses_share_the_line(self):
        self.assertEqual(self.crowd("--trust-forwarded"), [503, None])

    def test_otherwise_what_it_says_is_not_believed(self):
        self.assertEqual(self.crowd(), [None, 503])


class Switch(Line):
    def test_a_model_is_changed_under_load(self):
        vmad = self.start("birefnet_slow.onnx", {"IMAGE_STREAMS": "2"})
        self.assertEqual(cut_out(vmad, png(GREY)).status, 200)
        done, ends = [], threading.Event()

        def go_on():
            while not ends.is_set():
                answer = cut_out(vmad, png(GREY))
                done.append((answer.status, answer.headers["X-Image-Model"].split(":")[0]))
        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            running = [pool.submit(go_on) for _ in range(4)]
            old = pool.submit(cut_out, vmad, png(SECOND))
            time.sleep(0.2)
            self.add(vmad, "other", "birefnet_external.onnx")  # its weights come along
            self.assertTrue(wait_until(lambda: done[-1] == (200, "other@1")))
            answer = old.result()
            ends.set()
            for each in running:
                each.result()
        # What was under way was finished by the model with which it began.
        self.assertEqual((answer.status, answer.headers["X-Image-Model"][:7]), (200, "stub@1:"))
        models = [model for _, model in done]
        self.assertEqual({status for status, _ in done}, {200})
        self.assertEqual(set(models), {"stub@1", "other@1"})
        self.assertEqual(vmad.get("/api/background/health").json["model"][:8], "other@1:")
        switched = [e for e in vmad.events() if e["event"] == "image.model_switched"]
        self.assertEqual([(e["from"].split(":")[0], e["to"].split(":")[0]) for e in switched],
                         [("portrait@1", "stub@1"), ("stub@1", "other@1")])
        self.assertEqual(vmad.stop(), 0)

    def test_a_model_that_does_not_load_is_told_and_the_service_goes_on(self):
        vmad = self.start()
        place(vmad.data, "wrong", "wrong_rank.onnx")
        self.use(vmad, "wrong")
        says = "not a picture of rank 4"
        for _ in range(2):
            answer = cut_out(vmad, png(GREY))
            self.assertEqual((answer.status, answer.headers["X-Image-Model"][:9]),
                             (200, "portrait@"))
            why = vmad.get("/api/background/health").json["model_why"]
            self.assertIn(says, why)
            self.assertNotIn(vmad.data, why)
            self.assertTrue(wait_until(
                lambda: says in vmad.get("/health").json["details"].get("vision", "")))
            health = vmad.get("/health").json
            self.assertEqual((health["status"], health["services"]["image_model"]),
                             ("degraded", "unhealthy"))
            self.assertIn(says, health["details"]["image_model"])
            self.assertEqual(vmad.get("/health/ready").status, 200)
            self.assertRegex(vmad.get("/metrics").body.decode(), f'model_why="[^"]*{says}"')
            self.assertIn("image.model_not_loaded", vmad.log())
            self.assertEqual(vmad.stop(), 0)
            vmad.start()
        self.use(vmad, "portrait")
        self.assertEqual(cut_out(vmad, png(GREY)).status, 200)
        self.assertIsNone(vmad.get("/api/background/health").json["model_why"])
        health = vmad.get("/health").json
        self.assertEqual((health["status"], health["details"]["vision"]), ("healthy", "cpu"))


if __name__ == "__main__":
    unittest.main()
