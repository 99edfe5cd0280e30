# SPDX-License-Identifier: Apache-2.0
"""Who may ask, by which name, in which form, and with how many connections."""
import contextlib
import http.client
import os
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from harness import Case, Vmad, drain, form, photo, wait_until

FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def status(reply):
    found = re.match(rb"HTTP/1\.1 (\d+) ", reply)
    return int(found.group(1)) if found else None


class Loopback(Case):
    """It can be reached from this machine only, so it is asked by this machine's names only."""

    def ask(self, host, path="/api/limits", **headers):
        return self.vmad.request("GET", path, headers={"Host": host, **headers})

    def test_a_name_of_another_site_is_refused_in_both_languages(self):
        for host in ("evil.example", f"evil.example:{self.vmad.port}", "localhost.evil.example",
                     "192.168.1.7", "127.0.0.1.nip.io"):
            english = self.ask(host, **{"Accept-Language": "en"})
            japanese = self.ask(host, **{"Accept-Language": "ja"})
            for answer in (english, japanese):
                self.assert_problem(answer, 421, "host_denied")
            self.assertIn("--allowed-host", english.json["detail"])
            self.assertIn("--allowed-host", japanese.json["detail"])
            self.assertNotEqual(english.json["title"], japanese.json["title"])
        for path in ("/", "/docs", "/health", "/metrics", "/nowhere"):
            self.assert_problem(self.ask("evil.example", path), 421, "host_denied")
        answer = self.vmad.post_form("/api/image/faces", [("image", photo(), "a.jpg")],
                                     {"Host": "evil.example"})
        self.assert_problem(answer, 421, "host_denied")
        self.assertEqual(self.vmad.spooled(), [])

    def test_names_of_this_machine_and_old_clients_are_answered(self):
        for host in ("localhost", f"LOCALHOST:{self.vmad.port}", "127.0.0.1", "[::1]:1",
                     "app.localhost", "localhost."):
            self.assertEqual(self.ask(host).status, 200, host)
        self.assertEqual(status(self.vmad.raw(b"GET /health/live HTTP/1.0\r\n\r\n")), 200)
        whole = b"GET http://localhost/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        self.assertEqual(status(self.vmad.raw(whole)), 200)
        self.assertEqual(status(self.vmad.raw(whole.replace(b"localhost", b"evil.example"))), 421)

    def test_browsers_say_where_a_request_comes_from(self):
        body = b"--b--\r\n"
        cases = (({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "same-origin"}, 400),
                 ({"Sec-Fetch-Site": "none"}, 400), ({"Origin": "null"}, 403),
                 ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, 403), ({}, 400))
        for headers, expected in cases:
            answer = self.vmad.request("POST", "/api/image/faces", body, {**FORM, **headers})
            self.assertEqual(answer.status, expected, (headers, answer.body))
        cross = {"Sec-Fetch-Site": "cross-site"}
        number = "0" * 26
        self.assert_problem(self.vmad.request("DELETE", f"/api/video/jobs/{number}", headers=cross),
                            403, "origin_denied")
        self.assertEqual(self.vmad.request("GET", "/", headers=cross).status, 200)  # a link to us

    def test_what_two_readers_could_read_differently_is_refused_and_ends_the_connection(self):
        smuggled = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
        post = (b"POST /api/unified-voice/test HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\n")
        for fields, body in (
                (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
                (b"Content-Length: 2\r\nContent-Length: 40\r\n", b"{}"),
                (b"Content-Length: 2\r\nContent-Length: 2\r\n", b"{}"),
                (b"Content-Length: 2, 2\r\n", b"{}"), (b"Content-Length: +2\r\n", b"{}"),
                (b"Content-Length: 0x2\r\n", b"{}"), (b"Content-Length: -1\r\n", b""),
                (b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
                (b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
                (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n"),
                (b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"),
                (b"Transfer-Encoding: chunked\r\n", b"-2\r\n{}\r\n0\r\n\r\n"),
                (b"Transfer-Encoding: chunked\r\n", b"0x2\r\n{}\r\n0\r\n\r\n"),
                (b"Transfer-Encoding: chunked\r\n", b"2\r\n{}XX0\r\n\r\n"),
                (b"Host: evil.example\r\nContent-Length: 2\r\n", b"{}")):
            reply = self.vmad.raw(post + fields + b"\r\n" + body + smuggled, 5)
            self.assertEqual(status(reply), 400, (fields, reply[:300]))
            self.assertNotIn(b'"alive"', reply, fields)
        for head in (b"GET /health/live HTTP/1.1\r\n\r\n", b"GET /health/live HTTP/1.1\r\nHost:\r\n\r\n",
                     b"GET /health/live HTTP/1.1\r\nHost : localhost\r\n\r\n",
                     b"POST /api/unified-voice/test HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
            reply = self.vmad.raw(head + smuggled, 5)
            self.assertEqual(status(reply), 400, (head, reply[:300]))
            self.assertIn(b"Connection: close", reply)
            self.assertNotIn(b'"alive"', reply, head)

    def test_addresses_and_headers_have_limits(self):
        self.assert_problem(self.vmad.get("/" + "a" * 9000), 414, "uri_too_long")
        self.assert_problem(self.vmad.get("/docs?a=" + "a" * 9000), 414, "uri_too_long")
        self.assert_problem(self.vmad.get("/docs", X_Long="a" * 17000), 431, "headers_too_large")
        many = {f"X-{number}": "a" for number in range(101)}
        self.assert_problem(self.vmad.request("GET", "/docs", headers=many), 431, "headers_too_large")
        for head in (b"GET /" + b"a" * 100_000, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000):
            with self.vmad.socket(3) as sock:
                with contextlib.suppress(OSError):
                    sock.sendall(head)
                self.assertIn(status(drain(sock)), (414, 431))

    def test_every_answer_says_what_browsers_may_do_with_it(self):
        # all other tests check that the fields are there (harness.py); here, what they say
        page, docs = self.vmad.get("/"), self.vmad.get("/docs")
        for answer in (page, docs, self.vmad.get("/health"), self.vmad.get("/nowhere")):
            policy = answer.headers["Content-Security-Policy"]
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertIn("base-uri 'none'", policy)
            self.assertNotIn("unsafe", policy)
            self.assertNotIn("*", policy)
        self.assertIn("default-src 'none'", docs.headers["Content-Security-Policy"])
        self.assertIn("default-src 'self'", page.headers["Content-Security-Policy"])
        self.assertEqual(page.headers["Cross-Origin-Opener-Policy"], "same-origin")
        for text in (page.body, docs.body):
            self.assertNotRegex(text, rb"(?i)<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=")


class Network(unittest.TestCase):
    """It listens to a network: addresses and names that nobody outside can own are its own."""

    def test_a_network_asks_by_address_or_private_name_or_one_that_is_configured(self):
        vmad = Vmad("--host", "0.0.0.0", "--role", "voice",
                    env={"VMAD_ALLOWED_HOSTS": "video.example.org,*.example.net"})
        self.addCleanup(vmad.close)
        answers = {"192.168.1.7:55440": 200, "[fe80::1]": 200, "voice": 200, "voice.internal": 200,
                   "laptop.local:80": 200, "localhost": 200, "Video.Example.org:443": 200,
                   "a.example.net": 200, socket.gethostname(): 200, "example.net": 421,
                   "evil.example": 421, "video.example.org.evil.example": 421}
        for host, expected in answers.items():
            self.assertEqual(vmad.request("GET", "/api/voices", headers={"Host": host}).status,
                             expected, host)
        # behind a proxy that asks by address, for the site that it stands for
        sent = {"Host": "127.0.0.1", "Origin": "https://video.example.org",
                "Content-Type": "application/json"}
        self.assertEqual(vmad.request("POST", "/api/unified-voice/test", b"{}", sent).status, 200)
        sent["Origin"] = "https://evil.example"
        self.assertEqual(vmad.request("POST", "/api/unified-voice/test", b"{}", sent).status, 403)
        self.assertEqual(vmad.stop(), 0)


    def test_figures_stay_on_the_machine_unless_told_otherwise(self):
        for options, expected in (((), 403), (("--metrics", "network"), 200)):
            vmad = Vmad("--host", "0.0.0.0", "--role", "voice", *options)
            self.addCleanup(vmad.close)
            self.assertEqual(vmad.get("/metrics").status, 200)
            proxied = vmad.get("/metrics", X_Forwarded_For="192.0.2.7", Accept_Language="en")
            self.assertEqual(proxied.status, expected, proxied.body)
            if expected == 403:
                self.assertEqual(proxied.json["code"], "metrics_denied")
            self.assertEqual(vmad.stop(), 0)


    def test_the_list_of_messages_stays_on_the_machine(self):
        vmad = Vmad("--host", "0.0.0.0", "--metrics", "network")
        self.addCleanup(vmad.close)
        self.assertIn(b"There are none", vmad.get("/jobs").body)
        answer = vmad.get("/jobs", X_Forwarded_For="192.0.2.7")
        self.assertEqual((answer.status, answer.json["code"]), (403, "jobs_denied"))
        self.assertEqual(vmad.stop(), 0)


@unittest.skipUnless(shutil.which("nginx"), "nginx is not installed")
class Proxied(unittest.TestCase):
    """Behind nginx, as it comes and as it is usually set up."""

    CONF = ("daemon off; master_process off; pid {0}/pid; error_log stderr; events {{}} http {{ access_log off; "
            "client_max_body_size 40m; client_body_temp_path {0}/b; proxy_temp_path {0}/p; "
            "fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s; "
            "server {{ listen 127.0.0.1:{1}; location / {{ proxy_pass http://127.0.0.1:{2}; {3} }} }} }}")

    def nginx(self, vmad, *settings):
        folder = tempfile.mkdtemp(prefix="vmad-nginx-")
        self.addCleanup(shutil.rmtree, folder)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        path = os.path.join(folder, "conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(self.CONF.format(folder, port, vmad.port, " ".join(settings)))
        proxy = subprocess.Popen(["nginx", "-p", folder, "-e", "stderr", "-c", path], stderr=subprocess.DEVNULL)
        self.addCleanup(proxy.wait)
        self.addCleanup(proxy.terminate)

        def listens():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            return False
        self.assertTrue(wait_until(listens, 10))
        return port

    def start(self, *options):
        vmad = Vmad("--heartbeat", "100ms", *options)
        self.addCleanup(vmad.close)
        return vmad

    def ask(self, port, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.addCleanup(connection.close)
        connection.request(method, path, body, {name.replace("_", "-"): v for name, v in headers.items()})
        return connection.getresponse()

    def test_as_it_comes(self):
        port = self.nginx(self.start())  # it asks with HTTP/1.0 and by our address
        self.assertEqual(self.ask(port, "GET", "/", Host="video.example.org").status, 200)
        self.assertEqual(self.ask(port, "GET", "/health").status, 200)
        body, kind = form([("image", photo(), "a.jpg")])
        self.assertEqual(self.ask(port, "POST", "/api/image/faces", body, Content_Type=kind).status, 200)

    def test_for_a_public_name(self):
        vmad = self.start("--allowed-host", "video.example.org")
        port = self.nginx(vmad, "proxy_http_version 1.1;", "proxy_set_header Connection '';",
                          "proxy_set_header Host $host;", "proxy_set_header X-Forwarded-For $remote_addr;")
        site = {"Host": "video.example.org", "Origin": "https://video.example.org"}
        body, kind = form([("image", photo(), "a.jpg"), ("text", "Hello through a proxy.")])
        made = self.ask(port, "POST", "/api/video/generate", body, Content_Type=kind,
                        Prefer="respond-async", **site)
        self.assertEqual(made.status, 202)
        events = self.ask(port, "GET", made.headers["Location"] + "/events", Host="video.example.org")
        self.assertIn(b"retry:", events.readline())  # at once, although the message is not done
        self.assertIn(b'"status":"done"', events.read())
        part = self.ask(port, "GET", made.headers["Location"] + "/video", Host="video.example.org",
                        Range="bytes=4-7")
        self.assertEqual((part.status, part.read()), (206, b"ftyp"))
        self.assertEqual(self.ask(port, "GET", "/metrics", Host="video.example.org").status, 403)
        self.assertEqual(self.ask(port, "GET", "/", Host="evil.example").status, 421)
        site["Origin"] = "https://evil.example"
        self.assertEqual(self.ask(port, "POST", "/api/image/faces", body, Content_Type=kind, **site).status, 403)
        self.assertEqual(vmad.stop(), 0)


class Crowd(unittest.TestCase):
    def start(self, *options):
        vmad = Vmad(*options)
        self.addCleanup(vmad.close)
        self.idle = []
        self.addCleanup(lambda: [sock.close() for sock in self.idle])
        return vmad

    def connect(self, vmad, count):
        for _ in range(count):
            with contextlib.suppress(OSError):
                self.idle.append(vmad.socket(5))

    def connections(self, vmad):
        found = re.search(rb"vma_http_connections (\d+)", vmad.get("/metrics").body)
        return int(found.group(1))

    def test_who_is_silent_makes_room(self):
        vmad = self.start("--connections", "40")
        self.connect(vmad, 40)
        self.assertTrue(wait_until(lambda: vmad.get("/health").status in (200, 503), 5))
        time.sleep(1.2)  # now they have been silent for long enough
        for _ in range(60):
            answer = vmad.get("/health")
            self.assertEqual(answer.status, 200, answer.body)
        self.assertLessEqual(self.connections(vmad), 41)

    def test_where_all_are_at_work_the_next_is_told_so(self):
        vmad = self.start("--connections", "20")
        head = b"POST /api/image/faces HTTP/1.1\r\nHost: localhost\r\nContent-Type: " \
               b"multipart/form-data; boundary=b\r\nContent-Length: 9999\r\n\r\n--b\r\n"
        self.connect(vmad, 20)
        for sock in self.idle:
            sock.sendall(head)
        self.assertTrue(wait_until(lambda: vmad.get("/api/limits").status == 503, 5))
        refused = vmad.get("/api/limits")
        self.assertEqual((refused.status, refused.json["code"]), (503, "server_busy"))
        self.assertEqual(refused.headers["Connection"], "close")
        self.assertGreater(int(refused.headers["Retry-After"]), 0)
        for sock in self.idle:
            sock.close()
        self.assertTrue(wait_until(lambda: vmad.get("/api/limits").status == 200, 5))
        self.assertEqual(vmad.stop(), 0)
        self.assertEqual(vmad.spooled(), [])

    def test_without_open_files_left_it_recovers(self):
        vmad = self.start()
        self.assertEqual(vmad.post_form("/api/video/generate", [
            ("image", photo(), "a.jpg"), ("text", "hi")]).status, 200)  # all that it needs is open
        open_now = len(os.listdir(f"/proc/{vmad.process.pid}/fd"))
        was = resource.prlimit(vmad.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(vmad.process.pid, resource.RLIMIT_NOFILE, (open_now + 30, was[1]))
        self.connect(vmad, 200)
        with contextlib.suppress(OSError):  # nobody is let in now
            vmad.get("/health", timeout=1)
        for sock in self.idle:
            sock.close()
        def well():
            with contextlib.suppress(OSError):
                return vmad.get("/health", timeout=2).status == 200
            return False
        self.assertTrue(wait_until(well, 10), vmad.log()[-2000:])
        resource.prlimit(vmad.process.pid, resource.RLIMIT_NOFILE, was)
        answer = vmad.post_form("/api/image/faces", [("image", photo(), "a.jpg")])
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(vmad.stop(), 0)


if __name__ == "__main__":
    unittest.main()
