# SPDX-License-Identifier: Apache-2.0
"""vma dev and what shares its link: init, status, exec, shell, sync, stop; the ssh set-up."""
import contextlib
import ctypes
import json
import os
import pathlib
import pty
import signal
import socket
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from support.vma import Both, free_port, wait_for  # noqa: E402
from vma_link import Echo, connect  # noqa: E402


def connectable(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


@contextlib.contextmanager
def dead_mount(folder):
    """A mount that answers nothing, as one of a server that is away."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        fd = os.open("/dev/fuse", os.O_RDWR)
    except OSError as e:
        raise unittest.SkipTest(f"no mounts here: {e}") from e
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
    if libc.mount(b"nothing", os.fsencode(folder), b"fuse", 0, options) != 0:
        os.close(fd)
        raise unittest.SkipTest(f"no mounts here: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        os.close(fd)  # all that wait for it get an error
        libc.umount2(os.fsencode(folder), 2)


class Tests(Both):
    installs = False

    def setUp(self):
        self.project = pathlib.Path(self.w.dir, f"project-{self._testMethodName}")
        self.project.mkdir()
        self.there = pathlib.Path(self.w.remote_home, "there", self._testMethodName)

    def tearDown(self):
        self.w.run("stop", "--all")
        self.end_all(signal.SIGKILL)
        self.nothing_stays()

    def vma(self, *arguments, **options):
        return self.w.run(*arguments, cwd=self.project, **options)

    def write(self, **extra):
        lines = [f"host: {self.w.host!r}", f"remote: {self.there}"]
        lines += [f"{k}: {v}" for k, v in extra.items()]
        self.project.joinpath("vma.yaml").write_text("\n".join(lines) + "\n")

    def dev(self, *options):
        r = self.vma("dev", "--detach", *options, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                     capture_output=False)
        self.assertEqual(r.returncode, 0, r.stderr)

    def status(self):
        return json.loads(self.vma("status", "--json").stdout)

    def test_everything_over_one_link(self):
        echo = Echo()
        port, back = free_port(), free_port()
        self.write(forward=f"[ '{port}={echo.port}' ]", reverse=f"[ '{back}={echo.port}' ]")
        self.project.joinpath("hello.txt").write_text("hello")
        self.dev()
        wait_for(lambda: self.there.joinpath("hello.txt").exists())
        self.project.joinpath("sub").mkdir()
        self.project.joinpath("sub", "new.txt").write_text("new")
        self.assertEqual(self.vma("sync", "flush").returncode, 0)
        self.assertEqual(self.there.joinpath("sub", "new.txt").read_text(), "new")
        r = self.w.run("exec", "--", "sh", "-c", "pwd; cat new.txt", cwd=self.project / "sub")
        self.assertEqual(r.stdout.decode().split(), [str(self.there / "sub"), "new"], r.stderr)
        for p in (port, back):
            with connect(p) as s:
                s.sendall(b"hello")
                self.assertEqual(s.recv(10), b"hello")
        status = self.status()
        self.assertEqual(len(status), 1)
        self.assertEqual(status[0]["link"]["state"], "up")
        self.assertEqual([f["state"] for f in status[0]["forwards"]], ["listening"] * 2)
        self.assertEqual(status[0]["sync"], "mirror")
        self.assertEqual(status[0]["sync_state"]["phase"], "in-sync")
        self.assertIn(b"sync: mirror, in sync\n", self.vma("status").stdout)
        self.vma("sync", "pause")
        self.assertIn(b"sync: mirror, paused\n", self.vma("status").stdout)
        self.vma("sync", "resume")
        self.assertEqual(len(self.w.pids("agent attach", "--fresh")) + 0,
                         len(self.w.pids("agent attach", "--fresh")))
        again = self.vma("dev", "--detach")
        self.assertNotEqual(again.returncode, 0)
        self.assertIn(b"runs here already", again.stderr)
        self.assertEqual(self.vma("stop").returncode, 0)
        wait_for(lambda: not self.w.pids("agent attach"))
        self.assertEqual(self.status(), [])
        echo.close()

    def test_a_command_can_run_as_soon_as_dev_is_detached(self):
        self.write()
        self.dev()
        r = self.vma("exec", "--", "pwd")
        self.assertEqual(r.stdout.decode().strip(), str(self.there), r.stderr)

    def test_forwards_both_ways_share_the_link(self):
        echo = Echo()
        self.write()
        self.dev("--no-sync")
        wait_for(lambda: self.status()[0]["link"]["state"] == "up")
        self.vma("exec", "--", "true")  # by now its daemon has left attach, which is up before
        carriers = len(self.w.carriers())
        back, taken = free_port(), free_port()
        with socket.create_server(("127.0.0.1", taken)):
            p = self.w.start("forward", "-R", f"{back}={echo.port}", "-R", f"{taken}={echo.port}",
                             f"0={echo.port}", cwd=self.project)
            lines = [p.stdout.readline().decode() for _ in range(2)]
            self.assertIn("taken", p.stderr.readline().decode())
        there = next(line for line in lines if "(here) ->" in line)
        for port in (back, int(there.split()[0].rsplit(":")[-1])):
            for _ in range(3):
                with connect(port) as s:
                    s.sendall(b"hello")
                    self.assertEqual(s.recv(10), b"hello")
        self.assertLessEqual(len(self.w.carriers()), carriers)
        self.w.cut()
        with connect(back) as s:
            s.sendall(b"hello")
            self.assertEqual(s.recv(10), b"hello")
        p.send_signal(signal.SIGINT)
        self.assertEqual(p.wait(10), 0)
        wait_for(lambda: not connectable(back))
        echo.close()

    def test_exec_over_the_shared_link_is_the_same(self):
        self.write()
        self.dev("--no-sync")
        r = self.vma("exec", "-C", "/", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
        self.assertEqual((r.returncode, r.stdout, r.stderr), (7, b"out\n", b"err\n"))
        data = os.urandom(5_000_000)
        r = self.vma("exec", "-C", "/", "--", "cat", input=data)
        self.assertEqual(r.stdout == data, True)
        p = self.w.start("exec", "-C", "/", "--", "sh", "-c",
                         "echo $$; for i in $(seq 1 300); do echo $i; sleep 0.005; done",
                         cwd=self.project)
        p.stdout.readline()
        self.w.cut()
        got = p.stdout.read().split()
        self.assertEqual(got, [b"%d" % i for i in range(1, 301)])
        self.assertEqual(p.wait(10), 0)
        p = self.w.start("exec", "-C", "/", "--", "sh", "-c", "echo $$; exec sleep 1000",
                         cwd=self.project)
        pid = int(p.stdout.readline())
        p.kill()
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"))

    def test_a_shell_survives_a_cut(self):
        self.write()
        self.dev("--no-sync")
        ours, theirs = pty.openpty()
        p = self.w.start("shell", "-C", "/", stdin=theirs, stdout=theirs, stderr=theirs,
                         cwd=self.project, start_new_session=True)
        os.close(theirs)
        os.write(ours, b"PS1=; stty -echo; x=before; echo rea''dy\n")
        self.until(ours, b"ready")
        self.w.cut()
        os.write(ours, b"echo $x-after\n")
        self.until(ours, b"before-after")
        os.write(ours, b"exit 3\n")
        self.assertEqual(p.wait(10), 3)
        os.close(ours)

    def until(self, fd, text):
        got = b""
        end = time.monotonic() + 10
        while text not in got:
            self.assertLess(time.monotonic(), end, got)
            try:
                got += os.read(fd, 4096)
            except OSError:
                self.fail(got)
        return got

    def test_a_session_that_was_lost_is_begun_anew(self):
        self.write()
        self.project.joinpath("a").write_text("1")
        self.dev()
        wait_for(lambda: self.there.joinpath("a").exists())
        p = self.w.start("exec", "--", "sh", "-c", "echo runs; exec sleep 100", cwd=self.project)
        self.assertEqual(p.stdout.readline(), b"runs\n")
        for pid in self.w.pids("agent attach"):
            os.kill(pid, signal.SIGKILL)  # as if the machine had been restarted
        self.assertEqual(p.wait(15), 69)
        self.assertIn(b"the session is not there any more", p.stderr.read())
        self.project.joinpath("a").write_text("22")
        wait_for(lambda: self.there.joinpath("a").read_text() == "22", 15)

    def test_stop_right_after_a_cut_leaves_nothing_there(self):
        self.write()
        self.dev("--no-sync")
        self.w.cut()
        r = self.vma("stop")
        self.assertEqual((r.returncode, r.stderr), (0, b""))
        wait_for(lambda: not self.w.pids("agent attach"))
        self.assertEqual(self.status(), [])

    def test_stop_in_the_middle_of_a_copy_does_not_wait_for_its_end(self):
        self.write()
        self.project.joinpath("large").write_bytes(os.urandom(1 << 20) * 150)
        self.dev()
        began = time.monotonic()
        r = self.vma("stop")
        self.assertEqual((r.returncode, r.stderr), (0, b""))
        self.assertLess(time.monotonic() - began, 4)
        wait_for(lambda: not self.w.pids("agent attach"))

    def test_in_the_foreground_it_ends_with_ctrl_c(self):
        self.write()
        p = self.w.start("dev", cwd=self.project)
        wait_for(lambda: [s for s in self.status() if s["link"]["state"] == "up"])
        p.send_signal(signal.SIGINT)
        self.assertEqual(p.wait(10), 0)
        wait_for(lambda: not self.w.pids("agent attach"))

    def test_init_writes_what_dev_reads(self):
        self.assertEqual(self.vma("init", self.w.host).returncode, 0)
        self.assertNotEqual(self.vma("init", self.w.host).returncode, 0)
        path = self.project / "vma.yaml"
        path.write_text(path.read_text().replace("  - 55433", f"  - {free_port()}")
                        .replace("#remote: ~/project", f"remote: {self.there}"))
        self.dev()
        wait_for(lambda: self.there.joinpath("vma.yaml").exists())

    def test_mistakes_in_the_file_name_the_line(self):
        self.project.joinpath("vma.yaml").write_text("host: x\nforwards:\n  - 1\n")
        r = self.vma("dev")
        self.assertNotEqual(r.returncode, 0)
        self.assertIn(b'vma.yaml line 2: unknown key "forwards"; is it "forward"?', r.stderr)


class OverLocal(Tests, unittest.TestCase):
    local = True


class OverSsh(Tests, unittest.TestCase):
    local = False

    def test_dev_waits_for_a_host_that_is_booting_and_others_do_not(self):
        self.write()
        self.w.sshd_stop()
        try:
            for command in (["exec", "--", "true"], ["dev", "--detach"],
                            ["sync", ".", f"{self.w.host}:there", "--once"]):
                r = self.vma(*command)
                self.assertEqual(r.returncode, 69, r.stderr)
                self.assertIn(b"Connection refused", r.stderr)
            p = self.w.start("dev", cwd=self.project)
            self.assertIn(b"Connection refused", p.stderr.readline())
            self.assertIn(b"waiting for it", p.stderr.readline())
            self.assertIn(self.status()[0]["link"]["state"], ("connecting", "waiting"))
            # It looks at its own side first.
            wait_for(lambda: b", waiting for testhost\n" in self.vma("status").stdout)
            wait_for(lambda: b": waiting for testhost" in self.vma("sync", "status").stdout)
        finally:
            self.w.sshd_start()
        wait_for(lambda: [s for s in self.status() if s["link"]["state"] == "up"])
        p.send_signal(signal.SIGINT)
        self.assertEqual(p.wait(10), 0)

    def test_a_host_that_is_away_is_told_by_the_next_that_reaches_it(self):
        self.write()
        self.dev("--no-sync")
        self.w.sshd_stop()
        try:
            self.w.cut()
            wait_for(lambda: self.status()[0]["link"]["state"] == "waiting")
            p = self.w.start("exec", "-C", "/", "--", "true", cwd=self.project)
            self.assertIn(b"testhost is away", p.stderr.readline())
            r = self.vma("stop")
            self.assertEqual(r.returncode, 0)
            self.assertNotEqual(p.wait(10), 0)
            self.assertIn(b"testhost is away and does not know", r.stderr)
            self.assertEqual(self.status(), [])
        finally:
            self.w.sshd_start()
        self.assertEqual(len(self.w.pids("agent attach", "--fresh")), 1)
        self.assertEqual(self.vma("exec", "-C", "/", "--", "true").returncode, 0)
        wait_for(lambda: not self.w.pids("agent attach"))

    def test_a_mount_that_does_not_answer_holds_up_only_what_is_in_it(self):
        if self.w.local:
            self.skipTest("there is no other side")
        dead, other = pathlib.Path(self.w.dir, "dead"), pathlib.Path(self.w.dir, "other")
        dead.mkdir()
        other.mkdir()
        self.write()
        self.dev()
        with dead_mount(dead):
            p = self.w.start("sync", "--once", str(other), f"{self.w.host}:{dead}/x/y")
            time.sleep(0.5)
            for _ in range(2):
                self.project.joinpath("saved").write_text(str(time.monotonic()))
                self.assertEqual(self.vma("sync", "flush", timeout=10).returncode, 0)
                r = self.vma("exec", "--", "echo", "there", timeout=10)
                self.assertEqual(r.stdout, b"there\n", r.stderr)
                p.send_signal(signal.SIGINT)
                p.wait(10)

    def test_nothing_is_said_to_be_in_sync_with_a_host_that_is_away(self):
        self.write()
        self.dev()
        wait_for(lambda: b": in sync\n" in self.vma("sync", "status").stdout)
        other = pathlib.Path(self.w.dir, "shares-the-link")
        other.mkdir()
        self.w.start("sync", "-q", str(other), f"{self.w.host}:{self.there}-other")

        def others(state):
            return state in self.w.run("sync", "status", cwd=other).stdout
        wait_for(lambda: others(b": in sync\n"))
        self.w.sshd_stop()
        try:
            self.w.cut()
            wait_for(lambda: b": waiting for testhost" in self.vma("sync", "status").stdout)
            wait_for(lambda: others(b": waiting for testhost"))
            status = json.loads(self.vma("sync", "status", "--json").stdout)[0]
            self.assertEqual(status["phase"], "away")
            self.assertGreaterEqual(status["away_ms"], 0)
            flush = self.w.start("sync", "flush", cwd=self.project)
            time.sleep(0.3)
            self.assertIsNone(flush.poll())
        finally:
            self.w.sshd_start()
        self.assertEqual(flush.wait(20), 0)
        wait_for(lambda: b": in sync\n" in self.vma("sync", "status").stdout)
        wait_for(lambda: others(b": in sync\n"))
        self.assertEqual(self.vma("stop").returncode, 0)

    def test_it_is_shown_when_the_next_try_is(self):
        self.write()
        ours, theirs = pty.openpty()
        keys = pathlib.Path(self.w.dir, "authorized_keys")
        mine = keys.read_text()
        self.w.start("dev", "--no-sync", stderr=theirs, cwd=self.project)
        os.close(theirs)
        wait_for(lambda: [s for s in self.status() if s["link"]["state"] == "up"])
        try:
            keys.write_text("")  # the host says no: it is not asked twice a second then
            self.w.cut()
            self.until(ours, b", next try in 2")
            self.assertIn(b", next try in 2", self.vma("status").stdout)
        finally:
            keys.write_text(mine)
            os.close(ours)

    def test_a_shell_says_that_the_host_is_away_and_can_be_left(self):
        self.write()
        self.dev("--no-sync")
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        p = self.w.start("shell", "-C", "/", stdin=theirs, stdout=theirs, stderr=theirs,
                         cwd=self.project, start_new_session=True)
        os.close(theirs)
        os.write(ours, b"PS1=; stty -echo; trap 'echo dra''wn' WINCH; echo $$ i''t.\n")
        pid = int(self.until(ours, b" it.").split(b" it.")[0].split()[-1])
        self.w.sshd_stop()
        try:
            self.w.cut()
            self.until(ours, b"testhost is away for 0 s, ~. ends it")
            self.w.sshd_start()
            self.until(ours, b"drawn")
            self.w.sshd_stop()
            self.w.cut()
            self.until(ours, b"~. ends it")
            os.write(ours, b"\r~.")
            self.until(ours, b"left testhost")
            self.assertEqual(p.wait(10), 255)
        finally:
            if not self.w._answers():
                self.w.sshd_start()
            os.close(ours)
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"))

    def test_a_name_that_is_not_there_is_not_waited_for(self):
        self.write()
        r = self.vma("dev", "no-such-host.invalid")
        self.assertEqual(r.returncode, 66)
        self.assertIn(b"no-such-host.invalid", r.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
