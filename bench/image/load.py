# SPDX-License-Identifier: Apache-2.0
"""Many clients in one thread: requests are made once, answers are only counted, so that what is
measured is the server and not its clients, who share its processors."""
import re
import selectors
import socket
import time

BOUNDARY = b"bench"
BEGIN = 2  # answers, as many as pictures are at work at once, with which a rate's time begins


def form(photo, fields=()):
    parts = b"".join(
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (BOUNDARY, name.encode(), value.encode()) for name, value in fields)
    return (parts + b'--%s\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
            b"Content-Type: image/jpeg\r\n\r\n" % BOUNDARY + photo + b"\r\n--%s--\r\n" % BOUNDARY)


def request(path, photo, fields=()):
    body = form(photo, fields)
    return (b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=%s\r\n"
            b"Content-Length: %d\r\n\r\n" % (path.encode(), BOUNDARY, len(body))) + body


class Client:
    """One connection that sends its next request as soon as it has its answer, or, when it was
    refused, after the time that it was told; or at once, where it is careless."""

    def __init__(self, port, requests, number, careless=False):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.requests, self.at = requests, number
        self.served = self.refused = 0
        self.careless = careless
        self.hints, self.wake = [], 0.0
        self.begin()

    def begin(self):
        self.out = memoryview(self.requests[self.at % len(self.requests)])
        self.at += 1
        self.answer, self.wanted = bytearray(), None
        self.start = time.monotonic()

    def write(self):
        try:
            self.out = self.out[self.socket.send(self.out):]
        except BlockingIOError:
            pass

    def read(self):
        """The whole answer's status, or None."""
        try:
            data = self.socket.recv(1 << 20)
        except BlockingIOError:
            return None
        if not data:
            raise ConnectionError("the server closed a connection")
        self.answer += data
        if self.wanted is None:
            end = self.answer.find(b"\r\n\r\n")
            if end < 0:
                return None
            self.head = bytes(self.answer[:end]).decode("latin-1")
            length = re.search(r"(?i)^content-length:\s*(\d+)", self.head, re.M)
            self.wanted = end + 4 + int(length.group(1))
        return int(self.head[9:12]) if len(self.answer) >= self.wanted else None

    def field(self, name):
        found = re.search(rf"(?im)^{name}:\s*(.*?)\s*$", self.head)
        return found.group(1) if found else None


class Load:
    """`clients` at once for `seconds`, or until `count` were served; of them `careless` come back
    at once when they were refused."""

    def __init__(self, port, requests, clients, seconds=3600.0, count=1 << 60, careless=0):
        self.selector = selectors.DefaultSelector()
        self.clients = [Client(port, requests, i, i < careless) for i in range(clients)]
        self.sleeping, self.latencies, self.timings, self.ends = [], [], [], []
        self.broken = 0
        self.seconds, self.count, self.bytes = seconds, count, 0

    def run(self, each_second=None):
        for client in self.clients:
            self.selector.register(client.socket, selectors.EVENT_WRITE, client)
        start = last = time.monotonic()
        while time.monotonic() < start + self.seconds and len(self.latencies) < self.count:
            for key, _ in self.selector.select(0.02 if self.sleeping else 1):
                self.step(key.data)
            now = time.monotonic()
            for client in [c for c in self.sleeping if c.wake <= now]:
                self.sleeping.remove(client)
                client.begin()
                self.selector.register(client.socket, selectors.EVENT_WRITE, client)
            if each_second and now > last + 0.2:
                each_second()
                last = now
        self.took = time.monotonic() - start
        for client in self.clients:
            client.socket.close()
        return self

    def step(self, client):
        if client.out:
            client.write()
            if not client.out:
                self.selector.modify(client.socket, selectors.EVENT_READ, client)
            return
        status = client.read()
        if status is None:
            return
        if status == 200:
            self.ends.append(time.monotonic())
            self.latencies.append((self.ends[-1] - client.start) * 1000)
            self.bytes = len(client.answer)
            client.served += 1
            timing = client.field("Server-Timing")
            if timing:
                self.timings.append({name: float(ms) for name, ms in
                                     re.findall(r"(\w+);dur=([\d.]+)", timing)})
        elif status in (429, 503):
            client.refused += 1
            client.hints.append(client.field("Retry-After"))
            self.selector.unregister(client.socket)
            wait = 0.005 if client.careless else float(client.hints[-1] or 1)
            client.wake = time.monotonic() + wait
            self.sleeping.append(client)
            return
        else:
            self.broken += 1
        client.begin()
        self.selector.modify(client.socket, selectors.EVENT_WRITE, client)

    @property
    def rate(self):
        """Answers a second from the second answer to the last: what is under way when a round begins
        or ends counts neither as a picture nor as time. loops.h counts in the same way."""
        ends = self.ends[BEGIN - 1:]
        return (len(ends) - 1) / (ends[-1] - ends[0]) if ends[1:] else len(self.ends) / self.took
