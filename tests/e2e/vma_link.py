# SPDX-License-Identifier: Apache-2.0
"""vma exec, shell and forward over a real sshd and over local:, whole and cut."""
import hashlib
import os
import pathlib
import pty
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.vma import VMA, Both, World, free_port, wait_for  # noqa: E402


class Echo(threading.Thread):
    """A server that sends back what comes, or runs `serve` on each connection."""

    def __init__(self, serve=None, path=None):
        super().__init__(daemon=True)
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(path)
        else:
            self.socket = socket.socket()
            self.socket.bind(("127.0.0.1", 0))
            self.port = self.socket.getsockname()[1]
        self.socket.listen(200)
        self.serve = serve or self.echo
        self.start()

    @staticmethod
    def echo(c):
        while data := c.recv(65536):
            c.sendall(data)
        c.shutdown(socket.SHUT_WR)

    def run(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.guarded, args=(c,), daemon=True).start()

    def guarded(self, c):
        try:
            self.serve(c)
        except OSError:
            pass
        c.close()

    def close(self):
        self.socket.close()


def connect(port):
    return wait_for(lambda: try_connect(port))


def try_connect(port, address="127.0.0.1"):
    try:
        s = socket.create_connection((address, port), 2)
        s.settimeout(20)
        return s
    except OSError:
        return None


def read_all(s):
    parts = []
    while data := s.recv(1 << 16):
        parts.append(data)
    return b"".join(parts)


class Tests(Both):
    def setUp(self):
        self.leftovers = []

    def tearDown(self):
        for x in self.leftovers:
            x.close()
        self.assertEqual(self.end_all(), [], "these do not stop")
        self.nothing_stays()

    def exec(self, *command, **options):
        return self.w.run("exec", "-H", self.w.host, "--", *command, **options)

    def forward(self, *rules):
        p = self.w.start("forward", "-H", self.w.host, *rules)
        line = p.stdout.readline().decode()
        self.assertIn("->", line, p.stderr.read() if not line else line)
        return p, line

    def test_more_connections_than_a_programs_usual_descriptors(self):
        """Which are 1024 here, and stay that for what runs there."""
        e = Echo()
        self.leftovers.append(e)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 4096:
            self.skipTest(f"{hard} descriptors at most")
        few = min(soft, 256)
        p = self.w.start("forward", "-H", self.w.host, f"0={e.port}", preexec_fn=lambda:
                         resource.setrlimit(resource.RLIMIT_NOFILE, (few, hard)))
        port = int(p.stdout.readline().split()[0].rsplit(b":", 1)[1])
        open_ones = [connect(port) for _ in range(few + 50)]
        for i, s in enumerate(open_ones):
            s.sendall(b"%04d" % i)
        try:
            self.assertEqual([s.recv(4) for s in open_ones],
                             [b"%04d" % i for i in range(len(open_ones))])
        finally:
            for s in open_ones:
                s.close()
        self.assertEqual(self.exec("sh", "-c", "ulimit -n").stdout, b"%d\n" % soft)

    def test_exec_is_as_if_it_ran_here(self):
        r = self.exec("sh", "-c", "echo out; echo err >&2; exit 7")
        self.assertEqual((r.returncode, r.stdout, r.stderr), (7, b"out\n", b"err\n"))
        r = self.exec("cat", input=b"x" * 3_000_000)
        self.assertEqual(len(r.stdout), 3_000_000)
        r = self.exec("sh", "-c", "kill -TERM $$")
        self.assertEqual(r.returncode, 128 + 15)
        r = self.exec("no-such-program")
        self.assertNotEqual(r.returncode, 0)
        self.assertIn(b"no-such-program", r.stderr)

    def test_a_program_that_is_not_there_is_told_as_shells_do(self):
        self.assertEqual(self.exec("no-such-program").returncode, 127)
        r = self.exec("/etc/passwd")
        self.assertEqual((r.returncode, b"Permission denied" in r.stderr), (126, True))

    def test_output_that_nobody_reads_does_not_hold_up_the_rest(self):
        r = self.exec("sh", "-c", "head -c 5000000 /dev/zero >&2; echo done")
        self.assertEqual((r.stdout, len(r.stderr)), (b"done\n", 5_000_000))

    def test_a_program_whose_output_nobody_reads_any_more_is_told(self):
        for redirected in "yes", "yes >&2":
            p = self.w.start("exec", "-H", self.w.host, "--", "sh", "-c", redirected)
            stream = p.stderr if ">&2" in redirected else p.stdout
            self.assertEqual(stream.read(2), b"y\n")
            stream.close()
            self.assertEqual(p.wait(20), 128 + signal.SIGPIPE)

    def test_input_goes_on_when_there_is_no_more_output(self):
        out = pathlib.Path(self.w.remote_home, "all-of-it")
        r = self.exec("sh", "-c", f"exec >&- 2>&-; sleep 0.2; cat >{out}", input=b"x" * 3_000_000)
        self.assertEqual((r.returncode, out.stat().st_size), (0, 3_000_000), r.stderr)
        out.unlink()

    def test_output_that_cannot_be_written_is_told(self):
        with open("/dev/full", "wb") as full:
            r = self.w.run("exec", "-H", self.w.host, "--", "echo", "hi", capture_output=False,
                           stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(r.returncode, 74)
        self.assertIn(b"No space left", r.stderr)

    def test_standard_streams_may_be_closed(self):
        for number in range(3):
            r = subprocess.run(["sh", "-c", f'exec "$@" {number}>&-', "sh", VMA, "exec", "-H",
                                self.w.host, "--", "sh", "-c", "cat; echo out; echo err >&2"],
                               env=self.w.env, timeout=30, stdin=subprocess.DEVNULL,
                               capture_output=True)
            self.assertEqual((r.returncode, r.stdout, r.stderr),
                             (0, b"" if number == 1 else b"out\n", b"" if number == 2 else b"err\n"))

    def test_signals_travel(self):
        p = self.w.start("exec", "-H", self.w.host, "--", "sh", "-c",
                         "trap 'echo interrupted; exit 9' INT; echo ready; while :; do sleep 0.05; done")
        self.assertEqual(p.stdout.readline(), b"ready\n")
        p.send_signal(signal.SIGINT)
        self.assertEqual(p.stdout.readline(), b"interrupted\n")
        self.assertEqual(p.wait(10), 9)

    def test_a_client_that_dies_takes_its_programs_along(self):
        p = self.w.start("exec", "-H", self.w.host, "--", "sh", "-c", "echo $$; exec sleep 1000")
        pid = int(p.stdout.readline())
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(10), 128 + 15)
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"))

    def test_a_program_that_will_not_end_is_ended(self):
        stubborn = "trap '' INT TERM HUP; echo $$; while :; do sleep 0.05; done"
        p = self.w.start("exec", "-H", self.w.host, "--", "sh", "-c", stubborn)
        pid = int(p.stdout.readline())
        p.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        self.assertIsNone(p.poll())
        p.send_signal(signal.SIGTERM)  # the second time is meant
        self.assertEqual(p.wait(5), 128 + signal.SIGTERM)
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"))

    def test_the_agent_ends_when_told_to(self):
        p = self.w.start("exec", "-H", self.w.host, "--", "sh", "-c", "echo $$; exec sleep 1000")
        pid = int(p.stdout.readline())
        for agent in self.w.pids("agent attach"):
            if self.w._parent(agent) == 1:
                os.kill(agent, signal.SIGTERM)
        self.assertEqual(p.wait(10), 66)
        self.assertIn(b"not there any more", p.stderr.read())
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"))

    def killed(self, *command):
        p = self.w.start("exec", "-H", self.w.host, "--", *command)
        pid = int(p.stdout.readline())
        p.kill()
        p.wait()
        wait_for(lambda: self.kept("--json") != b"[]\n")
        return pid

    def kept(self, *flags):
        # another home for what is written down about sessions: it is to be seen, not ended
        other = dict(self.w.env, XDG_RUNTIME_DIR=self.w.home)
        return subprocess.run([self.w.vma, "status", "-H", self.w.host, "--kept", *flags], env=other,
                              capture_output=True, timeout=20, cwd=self.w.dir).stdout

    def test_ctrl_c_leaves_nothing_behind_whenever_it_comes(self):
        project = pathlib.Path(self.w.dir, "interrupted")
        project.mkdir()
        for i in range(50):
            (project / str(i)).write_bytes(os.urandom(30_000))
        runtime, there = (pathlib.Path(path) for path in (
            self.w.env["XDG_RUNTIME_DIR"], f"{self.w.remote_home}/interrupted"))
        commands = (["dev", self.w.host, "-f", "0=22"], ["sync", project, f"{self.w.host}:{there}"],
                    ["forward", "-H", self.w.host, f"{project}.sock=22"],
                    ["exec", "-H", self.w.host, "-C", "/", "-t", "--", "sleep", "54321"],
                    ["exec", "-H", self.w.host, "-C", "/", "--", "sleep", "54321"])
        chance = random.Random(7)
        for i in range(20):
            p = self.w.start(*map(str, commands[i % len(commands)]), cwd=project)
            time.sleep(chance.choice((0.02, 0.1, 0.5)) * chance.random())
            p.send_signal(signal.SIGINT)
            p.wait(10)
            self.end_all()
            shutil.rmtree(there, ignore_errors=True) if i % 2 else None
        wait_for(lambda: not self.w.pids("sleep", "54321"))
        # one whose ssh ended before it was handed its stream waits for that a while
        wait_for(lambda: not self.w.pids("agent attach"), 20)
        self.assertEqual([str(path) for path in runtime.rglob("*") if not path.is_dir()], [])
        self.assertFalse(pathlib.Path(f"{project}.sock").exists())

    def test_what_a_killed_client_left_is_listed_and_can_be_ended(self):
        pid = self.killed("sh", "-c", "echo $$; exec sleep 1000")
        self.assertIn(b"runs: sh -c echo $$; exec sleep 1000", self.kept())
        r = self.w.run("stop", "-H", self.w.host, "--kept")
        self.assertEqual(r.returncode, 0, r.stderr)
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"))
        self.assertIn(b"keeps nothing", self.kept())

    def test_what_a_killed_client_left_ends_with_the_next_command(self):
        pid = self.killed("sh", "-c", "echo $$; exec sleep 1000")
        self.assertEqual(self.exec("echo", "next").stdout, b"next\n")
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"))

    def test_exec_goes_on_through_cuts(self):
        p = self.w.start("exec", "-H", self.w.host, "--", "sh", "-c",
                         "for i in $(seq 1 400); do echo $i; sleep 0.005; done; cat",
                         stdin=subprocess.PIPE)
        got = [p.stdout.readline()]
        cutter = threading.Thread(target=self.cuts, args=(5, 0.35), daemon=True)
        cutter.start()
        got += [p.stdout.readline() for _ in range(399)]
        self.assertEqual(got, [b"%d\n" % i for i in range(1, 401)])
        cutter.join()  # an end while the link is cut leaves the agent for its keep time
        p.stdin.write(b"end")
        p.stdin.close()
        self.assertEqual(p.stdout.read(), b"end")
        self.assertEqual(p.wait(10), 0)

    def cuts(self, count, seconds):
        for _ in range(count):
            time.sleep(seconds * random.uniform(0.5, 1.5))
            self.w.cut()

    def test_forward_there(self):
        echo = Echo()
        self.leftovers.append(echo)
        _, line = self.forward(f"0={echo.port}")
        port = int(line.split()[0].rsplit(":")[-1])
        with connect(port) as s:
            s.sendall(b"hello")
            self.assertEqual(s.recv(100), b"hello")
            s.shutdown(socket.SHUT_WR)
            self.assertEqual(s.recv(100), b"")
        sockets = [connect(port) for _ in range(100)]
        for i, s in enumerate(sockets):
            s.sendall(b"%d" % i)
        for i, s in enumerate(sockets):
            self.assertEqual(s.recv(100), b"%d" % i)
            s.close()

    def test_forward_back(self):
        echo = Echo()
        self.leftovers.append(echo)
        port = free_port()
        self.forward("--reverse", f"{port}={echo.port}")
        with connect(port) as s:
            s.sendall(b"hello")
            self.assertEqual(s.recv(100), b"hello")

    def test_forward_back_to_one_address_or_a_socket_only(self):
        echo = Echo()
        self.leftovers.append(echo)
        port = free_port()
        there = os.path.join(self.w.dir, "back.sock")
        self.forward("--reverse", f"127.0.0.2:{port}={echo.port}",
                     "--reverse", f"{there}={echo.port}")
        with wait_for(lambda: try_connect(port, "127.0.0.2")) as s:  # as a bridge's address
            s.sendall(b"hello")
            self.assertEqual(s.recv(100), b"hello")
        self.assertIsNone(try_connect(port))
        wait_for(lambda: os.path.exists(there))
        self.assertEqual(os.stat(there).st_mode & 0o777, 0o600)
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(there)
            s.sendall(b"hello")
            self.assertEqual(s.recv(100), b"hello")

    def test_forward_of_unix_sockets(self):
        there = os.path.join(self.w.dir, "echo.sock")
        here = os.path.join(self.w.dir, "here.sock")
        echo = Echo(path=there)
        self.leftovers.append(echo)
        self.forward(f"{here}={there}")
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(here)
            s.sendall(b"hello")
            self.assertEqual(s.recv(100), b"hello")
        self.assertEqual(os.stat(here).st_mode & 0o777, 0o600)
        os.unlink(there)

    def test_names_are_looked_up_where_the_target_is(self):
        # by the system: here by a stand-in of getent, which takes its time
        echo = Echo()
        self.leftovers.append(echo)
        tools = pathlib.Path(self.w.dir, "tools")
        tools.mkdir(exist_ok=True)
        getent = tools / "getent"
        getent.write_text('''#!/bin/sh
sleep 0.3
[ "$3" = db.internal ] && printf '127.0.0.1 STREAM db.internal\\n127.0.0.1 DGRAM\\n' || exit 2
''')
        getent.chmod(0o755)
        env = dict(self.w.env, PATH=f"{tools}:{os.environ['PATH']}")
        there, back = free_port(), free_port()
        # --reverse looks it up here, over local: both do
        rules = [f"{there}=db.internal:{echo.port}"] if self.w.local else []
        rules += ["--reverse", f"{back}=db.internal:{echo.port}"]
        rules += ["--reverse", f"{free_port()}=nobody.internal:1"]
        p = subprocess.Popen(self.w.command("forward", "-H", self.w.host, *rules), env=env,
                             cwd=self.w.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             stdin=subprocess.DEVNULL)
        self.w.started.append(p)
        lines = [p.stdout.readline().decode() for _ in range(len(rules) - rules.count("--reverse"))]
        for port in [there] * self.w.local + [back]:
            with connect(port) as s:
                s.sendall(b"x" * 300_000)  # before the name is known
                s.shutdown(socket.SHUT_WR)
                self.assertEqual(len(read_all(s)), 300_000)
        nobody = next(int(line.split()[0].rsplit(":")[-1]) for line in lines if "nobody" in line)
        with connect(nobody) as s, self.assertRaises(ConnectionResetError):
            s.recv(1)

    def test_half_close_and_resets_are_passed_on(self):
        seen = []

        def serve(c):
            seen.append(read_all(c))  # ends only if the half-close comes through
            c.sendall(b"answer after the end")

        def reset(c):
            c.recv(1)
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

        half, hard = Echo(serve), Echo(reset)
        self.leftovers += [half, hard]
        closed = free_port()
        _, line = self.forward(f"0={half.port}")
        with connect(int(line.split()[0].rsplit(":")[-1])) as s:
            s.sendall(b"question")
            s.shutdown(socket.SHUT_WR)
            self.assertEqual(read_all(s), b"answer after the end")
        self.assertEqual(seen, [b"question"])
        _, line = self.forward(f"0={hard.port}")
        with connect(int(line.split()[0].rsplit(":")[-1])) as s:
            s.sendall(b"x")
            with self.assertRaises(ConnectionResetError):
                s.recv(1)
        _, line = self.forward(f"0={closed}")
        with connect(int(line.split()[0].rsplit(":")[-1])) as s:
            with self.assertRaises(ConnectionResetError):
                s.recv(1)

    def test_a_taken_port_is_named_and_the_others_go_on(self):
        echo = Echo()
        self.leftovers.append(echo)
        port = free_port()
        p = self.w.start("forward", "-H", self.w.host, f"{echo.port}=80", f"{port}={echo.port}", "-R",
                         f"{echo.port}=80")
        self.assertIn(str(port), p.stdout.readline().decode())
        lines = sorted(p.stderr.readline().decode() for _ in range(2))
        for line, way in zip(lines, ("forward", "reverse")):
            self.assertIn(f"{way} 127.0.0.1:{echo.port}: ", line)
            self.assertIn("taken", line)
        with connect(port) as s:
            s.sendall(b"still")
            self.assertEqual(s.recv(10), b"still")

    def test_a_transfer_through_cuts_loses_nothing(self):
        size = 60_000_000
        data = random.Random(7).randbytes(1 << 20)
        want = hashlib.sha256()
        for _ in range(size >> 20):
            want.update(data)

        def serve(c):
            for _ in range(size >> 20):
                c.sendall(data)
            got = hashlib.sha256()
            while block := c.recv(1 << 16):
                got.update(block)
            c.sendall(got.digest())

        server = Echo(serve)
        self.leftovers.append(server)
        _, line = self.forward(f"0={server.port}")
        port = int(line.split()[0].rsplit(":")[-1])
        s = connect(port)
        cutter = threading.Thread(target=self.cuts, args=(8, 0.15), daemon=True)
        got, left = hashlib.sha256(), (size >> 20) << 20
        while left:
            block = s.recv(min(left, 1 << 16))
            self.assertTrue(block)
            if not cutter.ident:
                cutter.start()  # not while it connects for the first time
            got.update(block)
            left -= len(block)
            if left % 7 == 0:
                time.sleep(0.0005)
        self.assertEqual(got.digest(), want.digest())
        for _ in range(size >> 20):
            s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        self.assertEqual(read_all(s), want.digest())
        s.close()
        cutter.join()
        with connect(port) as back:  # the last cut is over: the end can be told
            self.assertTrue(back.recv(1))


class OverLocal(Tests, unittest.TestCase):
    local = True


class OverSsh(Tests, unittest.TestCase):
    local = False

    def test_the_agent_is_installed_once_and_old_ones_go(self):
        agents = pathlib.Path(self.w.remote_home, ".cache/vma/agents")
        agents.mkdir(parents=True, exist_ok=True)
        old = agents / f"0.0.1-{os.uname().machine}-0000000000000000"
        old.mkdir()
        for entry in agents.iterdir():
            if entry != old:
                (entry / "vma").unlink()
        self.assertEqual(self.exec("echo", "a").stdout, b"a\n")
        here = [e.name for e in agents.iterdir()]
        self.assertEqual(len(here), 1, here)
        stamp = next(agents.iterdir()).joinpath("vma").stat().st_mtime_ns
        self.assertEqual(self.exec("echo", "b").stdout, b"b\n")
        self.assertEqual(next(agents.iterdir()).joinpath("vma").stat().st_mtime_ns, stamp)
        agent = next(agents.iterdir()) / "vma"  # the machine stopped before its content was written
        agent.unlink()
        agent.touch(mode=0o700)
        self.assertEqual(self.exec("echo", "c").stdout, b"c\n")

    def test_an_end_while_the_host_is_away_is_told_when_it_is_back(self):
        p = self.w.start("exec", "-H", self.w.host, "--", "sh", "-c", "echo $$; exec sleep 1000")
        pid = int(p.stdout.readline())
        self.w.sshd_stop()
        self.w.cut()
        try:
            p.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            p.send_signal(signal.SIGTERM)
            self.assertEqual(p.wait(10), 128 + signal.SIGTERM)
            self.assertIn(b"does not know", p.stderr.read())
            self.assertTrue(os.path.exists(f"/proc/{pid}"))
        finally:
            self.w.sshd_start()
        self.assertEqual(self.exec("echo", "back").stdout, b"back\n")
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"))

    def test_a_shell_can_be_left_while_the_host_is_away(self):
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        before = termios.tcgetattr(theirs)
        p = self.w.start("shell", "-H", self.w.host, stdin=theirs, stdout=theirs, stderr=theirs)
        seen = bytearray()

        def reads():
            try:
                while some := os.read(ours, 4096):
                    seen.extend(some)
            except OSError:
                pass  # so a terminal ends
        reader = threading.Thread(target=reads, daemon=True)
        reader.start()

        def types(what, until):
            del seen[:]
            os.write(ours, what)
            wait_for(lambda: until in seen, 20)
        wait_for(lambda: seen and seen[-2:] in (b"# ", b"$ "), 20)
        try:
            # The other screen, without a cursor, as an editor has it.
            types(b"printf '%s%s%s\\033[?1049h\\033[?25l' 'pid=' $$ .\r", b"\x1b[?25l")
            pid = int(bytes(seen).split(b"pid=")[-1].split(b".")[0])
            types(b"~?", b"send one tilde")
            types(b"~~x\r", b"~x")
            types(b"trap 'echo dra''wn' WINCH\r", b"# ")
            self.w.sshd_stop()
            self.w.cut()
            wait_for(lambda: b"~. ends it" in seen)
            self.w.sshd_start()
            wait_for(lambda: b"drawn" in seen, 20)  # over what was said
            del seen[:]
            self.w.sshd_stop()
            self.w.cut()
            wait_for(lambda: b"~. ends it" in seen)
            del seen[:]
            os.write(ours, b"\x03\r~")
            os.write(ours, b".")
            self.assertEqual(p.wait(10), 255)
            wait_for(lambda: b"does not know" in seen)
            for sequence in b"\x1b[?1049l", b"\x1b[?25h":
                self.assertIn(sequence, seen)
            self.assertEqual(termios.tcgetattr(theirs), before)
            self.assertEqual(self.w.carriers(), [])
            self.assertTrue(os.path.exists(f"/proc/{pid}"))
        finally:
            self.w.sshd_start()
            os.close(theirs)
        self.assertEqual(self.exec("echo", "back").stdout, b"back\n")
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"))
        reader.join(5)
        os.close(ours)

    def test_ctrl_c_does_not_wait_for_the_connection(self):
        ssh = pathlib.Path(self.w.dir, "slow-ssh")
        ssh.write_text("#!/bin/sh\nexec sleep 50\n")
        ssh.chmod(0o755)
        for words in (["shell"], ["exec", "--", "true"]):
            pid, terminal = pty.fork()
            if pid == 0:
                os.execve(VMA, [VMA, words[0], "-H", "slow", *words[1:]],
                          dict(self.w.env, VMA_SSH=str(ssh)))
            seen = b""
            while b"connecting" not in seen:
                seen += os.read(terminal, 4096)
            os.write(terminal, b"\x03")
            end = []
            try:
                wait_for(lambda: end.extend(os.waitpid(pid, os.WNOHANG)) or end[-2], 8)
            finally:
                if not end or not end[-2]:
                    os.kill(pid, signal.SIGKILL)
                os.close(terminal)
            self.assertEqual(os.waitstatus_to_exitcode(end[-1]), 130)
        self.assertFalse(self.w.pids("slow-ssh"))

    def test_ssh_asks_on_a_line_that_is_its_own(self):
        ssh = pathlib.Path(self.w.dir, "asking-ssh")
        ssh.write_text('''#!/bin/sh
case " $* " in
*" -G "*) exit 1 ;;
*BatchMode=yes*) sleep 0.6; echo "Permission denied (password)." >&2; exit 255 ;;
esac
printf "password: " >/dev/tty
sleep 1.2
exit 255
''')
        ssh.chmod(0o755)
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(VMA, [VMA, "exec", "-H", "asks", "--", "true"],
                      dict(self.w.env, VMA_SSH=str(ssh)))
        seen = b""
        try:
            while some := os.read(terminal, 4096):
                seen += some
        except OSError:
            pass  # so a terminal ends
        os.close(terminal)
        os.waitpid(pid, 0)
        before, after = seen.split(b"password: ")
        self.assertIn(b"connecting to asks", before)
        self.assertTrue(before.endswith(b"\r\x1b[K"), seen)
        self.assertNotIn(b"connecting", after)

    def test_what_ssh_says_is_what_the_user_reads(self):
        r = self.w.run("exec", "-H", "no-such-host.invalid", "--", "true")
        self.assertNotEqual(r.returncode, 0)
        self.assertIn(b"no-such-host.invalid", r.stderr)
        self.assertIn(b"is the name right?", r.stderr)

    def test_a_login_may_print_what_it_likes(self):
        rc = pathlib.Path(self.w.remote_home, ".bashrc")
        rc.write_text("echo hello\necho there >&2\nprintf 'no newline'\n")
        try:
            r = self.exec("echo", "through")
        finally:
            rc.unlink()
        self.assertEqual((r.returncode, r.stdout), (0, b"through\n"), r.stderr)

    def test_a_host_that_runs_no_commands_is_told_from_one_that_does(self):
        config = pathlib.Path(self.w.dir, "sshd_config")
        before = config.read_text()
        config.write_text(before + "ForceCommand echo only mail here\n")
        self.w.sshd_stop()
        try:
            self.w.sshd_start()
            r = self.exec("true")
        finally:
            config.write_text(before)
            self.w.sshd_stop()
            self.w.sshd_start()
        self.assertNotEqual(r.returncode, 0)
        self.assertIn(b'"only mail here"', r.stderr)


ARM = pathlib.Path(VMA).resolve().parent / "vma-linux-aarch64"


@unittest.skipUnless(ARM.exists() and shutil.which("qemu-aarch64-static"),
                     "scripts/build-aarch64 has not been run")
class AnotherMachine(unittest.TestCase):
    """A double of ssh whose other side is an ARM machine: the right agent is chosen and works. Then
    this side is one, too."""

    def setUp(self):
        self.w = w = World(VMA, local=True)
        self.addCleanup(w.close)
        tools, ssh = pathlib.Path(w.dir, "bin"), pathlib.Path(w.dir, "ssh")
        tools.mkdir()
        uname = tools / "uname"
        uname.write_text('#!/bin/sh\n[ "$1" = -m ] && echo aarch64 || echo Linux\n')
        ssh.write_text(f'''#!/bin/sh
for last; do :; done
export PATH={tools}:$PATH HOME={w.dir}/there XDG_CACHE_HOME= XDG_RUNTIME_DIR=
exec sh -c "$(printf %s "$last" |
    sed 's|exec "$a" agent|exec qemu-aarch64-static "$a" agent|')"
''')
        for path in (uname, ssh):
            path.chmod(0o755)
        w.env["VMA_SSH"] = str(ssh)

    def test_the_agent_for_that_machine_is_sent(self):
        r = self.w.run("exec", "-H", "arm", "--", "sh", "-c", "echo from there; exit 5")
        self.assertEqual((r.returncode, r.stdout), (5, b"from there\n"), r.stderr)
        (agent,) = pathlib.Path(self.w.dir, "there/.cache/vma/agents").iterdir()
        self.assertIn("-aarch64-", agent.name)

    def test_either_kind_of_machine_syncs_with_the_other(self):
        here, there = pathlib.Path(self.w.dir, "here"), pathlib.Path(self.w.dir, "copy")
        here.joinpath("sub").mkdir(parents=True)
        here.joinpath("sub/run.sh").write_text("#!/bin/sh\n")
        here.joinpath("sub/run.sh").chmod(0o755)
        here.joinpath("link").symlink_to("sub/run.sh")
        content = bytearray(random.Random(3).randbytes(3_000_000))
        for program in ([VMA], ["qemu-aarch64-static", ARM], [VMA]):
            content[1_500_000:1_500_000] = b"a few bytes more"
            here.joinpath("large").write_bytes(content)
            r = subprocess.run([*program, "sync", here, f"arm:{there}", "--once"], env=self.w.env,
                               capture_output=True, timeout=60)
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertEqual(there.joinpath("large").read_bytes(), bytes(content))
        self.assertEqual(os.readlink(there / "link"), "sub/run.sh")
        self.assertTrue(os.access(there / "sub/run.sh", os.X_OK))

    def test_this_side_may_be_one(self):
        r = subprocess.run(["qemu-aarch64-static", ARM, "--version"], capture_output=True,
                           timeout=30)
        self.assertEqual(r.stdout, self.w.run("--version").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
