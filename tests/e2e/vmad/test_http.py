# SPDX-License-Identifier: Apache-2.0
"""The server under clients that are wrong, slow, broken or many."""
import concurrent.futures
import contextlib
import gzip
import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from harness import Case, Vmad, drain, form, photo, sanitized, wait_until


class Requests(Case):
    options = ("--header-timeout", "1s", "--body-grace", "1s")

    def test_health_keeps_its_shape(self):
        answer = self.vmad.get("/health")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json["status"], "healthy")
        self.assertAlmostEqual(answer.json["timestamp"], time.time(), delta=5)
        self.assertLessEqual({"jobs", "storage", "voices", "vision"}, set(answer.json["services"]))
        self.assertEqual(self.vmad.get("/health/live").json["status"], "alive")
        self.assertEqual(self.vmad.get("/health/ready").json["status"], "ready")

    def test_a_connection_is_kept_for_many_requests(self):
        connection = self.vmad.connect()
        for _ in range(50):
            connection.request("GET", "/health")
            response = connection.getresponse()
            self.assertEqual(response.status, 200)
            response.read()
            self.assertNotEqual(response.headers.get("Connection"), "close")
        connection.close()

    def test_unknown_paths_and_methods_are_told_apart(self):
        self.assert_problem(self.vmad.get("/api/nowhere"), 404, "not_found")
        answer = self.vmad.request("PUT", "/health")
        self.assert_problem(answer, 405, "method_not_allowed")
        self.assertEqual(answer.headers["Allow"], "GET, HEAD, OPTIONS")
        answer = self.vmad.request("OPTIONS", "/api/video/generate")
        self.assertEqual((answer.status, answer.headers["Allow"]), (204, "POST, OPTIONS"))
        self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])
        answer = self.vmad.request("HEAD", "/health")
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_problems_speak_both_languages(self):
        japanese = self.vmad.get("/nowhere.html", Accept_Language="ja,en;q=0.5")
        english = self.vmad.get("/nowhere.html", Accept_Language="fr, en-GB;q=0.8, ja;q=0.1")
        self.assertEqual(japanese.headers["Content-Language"], "ja")
        self.assertEqual(english.headers["Content-Language"], "en")
        self.assertIn("Accept-Language", english.headers["Vary"])
        self.assertEqual(english.json["detail"], "There is nothing at this address.")
        self.assertEqual(japanese.json["detail"], "このアドレスには何もありません。")
        explained = self.vmad.get(english.json["type"]).json
        self.assertEqual(explained["ja"]["detail"], japanese.json["detail"])

    def test_paths_never_leave_the_root(self):
        for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd",
                     "/a%00b", "/%ff", "/assets/../../../etc/passwd", "//etc/passwd",
                     "/%c0%ae%c0%ae/etc/passwd", "/.git/config", "/\\..\\etc"):
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            answer = self.vmad.raw(request.encode())
            self.assertRegex(answer, rb"^HTTP/1.1 40[04] ", path)
            self.assertNotIn(b"root:", answer)

    def test_garbage_is_refused_and_the_server_goes_on(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"\0" * 5000,
                     b"GET / HTTP/9.9\r\n\r\n", b"BREW /pot HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: " + b"a" * 100000 + b"\r\n\r\n",
                     b"POST /api/video/generate HTTP/1.1\r\nHost: localhost\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\nZZZ\r\n"):
            with self.vmad.socket(3) as sock:
                with contextlib.suppress(OSError):  # it may have hung up already
                    sock.sendall(data)
                    sock.shutdown(socket.SHUT_WR)
                drain(sock)
        self.assertEqual(self.vmad.get("/health").status, 200)

    def test_a_header_that_trickles_in_is_cut_off(self):
        with self.vmad.socket() as sock:
            began = time.monotonic()
            sock.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
            closed = False
            while not closed and time.monotonic() - began < 6:
                time.sleep(0.25)
                try:
                    sock.sendall(b"X-A: b\r\n")
                except OSError:
                    closed = True
            self.assertTrue(closed)
            self.assertLess(time.monotonic() - began, 5)

    def test_a_body_that_trickles_in_is_cut_off_and_leaves_nothing(self):
        body, content_type = form([("image", photo(), "a.jpg"), ("text", "hi")])
        with self.vmad.socket() as sock:
            began = time.monotonic()
            sock.sendall(f"POST /api/video/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                         f"{content_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            sock.sendall(body[:2000])
            self.assertTrue(wait_until(self.vmad.spooled, 2))
            closed = False
            for at in range(2000, 2400, 10):
                time.sleep(0.1)
                try:
                    sock.sendall(body[at:at + 10])
                except OSError:
                    closed = True
                    break
            self.assertTrue(closed)
            self.assertLess(time.monotonic() - began, 5)
        self.assertTrue(wait_until(lambda: not self.vmad.spooled(), 3), self.vmad.spooled())
        self.assertTrue(wait_until(lambda: [event for event in self.vmad.events()
                                            if event["event"] == "http.too_slow" and event["id"]], 3))

    def test_an_upload_that_breaks_off_leaves_nothing(self):
        body, content_type = form([("image", photo(), "a.jpg"), ("text", "hi")])
        for cut in (200, 5000, len(body) - 3):
            with self.vmad.socket() as sock:
                sock.sendall(f"POST /api/video/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                             f"{content_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
                sock.sendall(body[:cut])
                time.sleep(0.05)
        self.assertTrue(wait_until(lambda: not self.vmad.spooled(), 3), self.vmad.spooled())
        self.assertEqual(self.vmad.get("/health/ready").status, 200)

    def test_bodies_that_are_too_large_are_refused_with_an_answer(self):
        too_large = b"x" * 11_000_000
        answer = self.vmad.post_form("/api/image/faces", [("image", too_large, "a.jpg")])
        self.assert_problem(answer, 413, "image_too_large", "image")
        answer = self.vmad.post_form("/api/image/faces", [("image", b"x" * 16_500_000, "a.jpg")])
        self.assert_problem(answer, 413, "body_too_large", "image")
        # With Expect: 100-continue nothing is sent at all.
        with self.vmad.socket() as sock:
            sock.sendall(b"POST /api/image/faces HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                         b"Content-Type: multipart/form-data; boundary=b\r\n"
                         b"Content-Length: 99999999999\r\n\r\n")
            self.assertIn(b"HTTP/1.1 413", sock.recv(4096))
        # In chunks, without a length announced.
        with self.vmad.socket() as sock:
            sock.sendall(b"POST /api/image/faces HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Type: multipart/form-data; boundary=b\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n")
            part = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
            sock.sendall(b"%x\r\n%s\r\n" % (len(part), part))
            for _ in range(11):
                sock.sendall(b"%x\r\n%s\r\n" % (1_000_000, b"y" * 1_000_000))
            sock.sendall(b"0\r\n\r\n")
            self.assertIn(b"image_too_large", drain_until(sock, b"}"))
        self.assertTrue(wait_until(lambda: not self.vmad.spooled(), 3))
        if not sanitized():
            self.assertLess(self.vmad.rss_kb(), 150_000)

    def test_other_sites_cannot_send_forms(self):
        body, content_type = form([("image", b"x", "a.jpg")])
        headers = {"Content-Type": content_type, "Origin": "https://evil.example"}
        answer = self.vmad.request("POST", "/api/image/faces", body, headers)
        self.assert_problem(answer, 403, "origin_denied")
        for origin in (f"http://127.0.0.1:{self.vmad.port}", "http://127.0.0.1:55434"):
            headers["Origin"] = origin
            answer = self.vmad.request("POST", "/api/image/faces", body, headers)
            self.assertNotEqual(answer.status, 403)

    def test_the_wrong_kind_of_body_is_refused(self):
        answer = self.vmad.request("POST", "/api/video/generate", b"{}",
                                   {"Content-Type": "application/json"})
        self.assert_problem(answer, 415, "media_type_unsupported")
        answer = self.vmad.request("POST", "/api/video/generate")
        self.assert_problem(answer, 415, "media_type_unsupported")
        answer = self.vmad.request("POST", "/api/video/generate", b"x",
                                   {"Content-Type": "multipart/form-data"})
        self.assert_problem(answer, 400, "multipart_malformed")

    def test_request_ids_are_kept_when_they_are_sane(self):
        self.assertEqual(self.vmad.get("/docs", X_Request_Id="abc-1.2_X").headers["X-Request-Id"],
                         "abc-1.2_X")
        for wrong in ("a b", "x" * 100, "<script>"):
            self.assertNotEqual(self.vmad.get("/docs", X_Request_Id=wrong).headers["X-Request-Id"],
                                wrong)

    def test_a_hundred_at_once_are_answered(self):
        def one(number):
            if number % 4 == 0:
                return self.vmad.post_form("/api/image/faces", [("image", b"no", "a.jpg")]).status
            path = ("/health", "/api/limits", "/api/voices", "/metrics")[number % 4]
            return self.vmad.get(path).status

        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            statuses = list(pool.map(one, range(200)))
        self.assertLessEqual(set(statuses), {200, 415, 422})

    def test_many_idle_connections_hurt_nobody(self):
        idle = [self.vmad.socket() for _ in range(500)]
        began = time.monotonic()
        self.assertEqual(self.vmad.get("/health").status, 200)
        self.assertLess(time.monotonic() - began, 1)
        for sock in idle:
            sock.close()

    def test_metrics_are_good_prometheus_text(self):
        self.vmad.get("/health")
        text = self.vmad.get("/metrics").body
        self.assertIn(b'vma_http_requests_total{method="GET",route="/health",status="200"}', text)
        for name in (b"vma_build_info{", b"vma_queue_depth ", b'vma_jobs{state="queued"}',
                     b"process_resident_memory_bytes", b"vma_store_bytes"):
            self.assertIn(name, text)
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                                 check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))

    def test_the_description_can_be_read(self):
        document = self.vmad.get("/openapi.json").json
        self.assertEqual(document["openapi"], "3.1.0")
        page = self.vmad.get("/docs")
        self.assertEqual(page.headers["Content-Type"], "text/html; charset=utf-8")
        for path in document["paths"]:
            self.assertIn(f"<code>{path}</code>".encode(), page.body)


def drain_until(sock, mark):
    received = b""
    while mark not in received:
        chunk = sock.recv(65536)
        if not chunk:
            break
        received += chunk
    return received


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="vmad-web-")
        os.makedirs(f"{cls.root}/assets")
        for name, text in (("index.html", "<h1>page</h1>"), ("assets/app-1a.js", "let a = 1;" * 99),
                           ("sw.js", "//"), ("icon.svg", "<svg/>")):
            with open(f"{cls.root}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        with gzip.open(f"{cls.root}/assets/app-1a.js.gz", "wt") as file:
            file.write("let a = 1;" * 99)
        os.symlink("/etc/passwd", f"{cls.root}/leak.txt")
        os.symlink("index.html", f"{cls.root}/inside.html")
        cls.vmad = Vmad("--web", cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.vmad.stop()
        cls.vmad.close()
        shutil.rmtree(cls.root)

    def test_the_page_is_served_with_its_protection(self):
        answer = self.vmad.get("/")
        self.assertEqual(answer.body, b"<h1>page</h1>")
        self.assertEqual(answer.headers["Cache-Control"], "no-cache")
        self.assertIn("default-src 'self'", answer.headers["Content-Security-Policy"])
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        again = self.vmad.get("/", If_None_Match=answer.headers["ETag"])
        self.assertEqual((again.status, again.body), (304, b""))

    def test_files_have_types_and_named_ones_live_for_ever(self):
        answer = self.vmad.get("/assets/app-1a.js")
        self.assertEqual(answer.headers["Content-Type"], "text/javascript; charset=utf-8")
        self.assertIn("immutable", answer.headers["Cache-Control"])
        self.assertEqual(self.vmad.get("/icon.svg").headers["Content-Type"], "image/svg+xml")
        self.assertEqual(self.vmad.get("/sw.js").headers["Cache-Control"], "no-cache")

    def test_what_is_packed_already_is_sent_packed(self):
        answer = self.vmad.get("/assets/app-1a.js", Accept_Encoding="gzip, br")
        self.assertEqual(answer.headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(answer.body), b"let a = 1;" * 99)
        self.assertIsNone(self.vmad.get("/assets/app-1a.js").headers["Content-Encoding"])

    def test_links_lead_nowhere_outside(self):
        self.assertEqual(self.vmad.get("/leak.txt").status, 404)
        self.assertEqual(self.vmad.get("/inside.html").status, 200)
        self.assertEqual(self.vmad.get("/assets").status, 404)
        self.assertEqual(self.vmad.get("/assets/").status, 404)


if __name__ == "__main__":
    unittest.main()
