# SPDX-License-Identifier: Apache-2.0
"""A sshd of one's own on a free port, and vma run against it or against local:."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

VMA = os.environ.get("VMA", os.path.join(os.environ.get("BUILD_DIR", "build/dev"), "vma"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, seconds=10.0, every=0.02):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(every)
    raise AssertionError(f"not within {seconds} s: {what}")


class World:
    """A home, a runtime folder and (unless host is local:) a sshd that lets us in."""

    def __init__(self, vma, local=False):
        self.vma = str(pathlib.Path(vma).resolve())
        self.dir = tempfile.mkdtemp(prefix="vma-")
        self.local = local
        self.host = "local:" if local else "testhost"
        self.sshd = None
        self.started = []
        self.home = os.path.join(self.dir, "home")
        self.remote_home = self.home if local else os.path.join(self.dir, "remote")
        for path in (self.home, self.remote_home):
            os.makedirs(path, mode=0o700, exist_ok=True)
        runtime = os.path.join(self.dir, "run")
        os.mkdir(runtime, 0o700)
        self.env = dict(os.environ, HOME=self.home, XDG_RUNTIME_DIR=runtime,
                        XDG_CACHE_HOME=os.path.join(self.home, ".cache"),
                        XDG_STATE_HOME=os.path.join(self.home, ".state"))
        self.env.pop("VMA_HOST", None)
        if not local:
            self._sshd_setup()

    def _sshd_setup(self):
        d = self.dir
        for name in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{d}/{name}"],
                           check=True)
        shutil.copy(f"{d}/user_key.pub", f"{d}/authorized_keys")
        os.chmod(f"{d}/authorized_keys", 0o600)
        self.port = free_port()
        with open(f"{d}/sshd_config", "w") as f:
            f.write(f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {d}/host_key\n"
                    f"AuthorizedKeysFile {d}/authorized_keys\nPidFile {d}/sshd.pid\n"
                    "StrictModes no\nUsePAM no\nPasswordAuthentication no\n"
                    f"SetEnv HOME={self.remote_home} XDG_CACHE_HOME={self.remote_home}/.cache "
                    f"XDG_RUNTIME_DIR=\n"
                    "MaxStartups 100\n")
        with open(f"{d}/ssh_config", "w") as f:
            f.write(f"Host testhost\n  HostName 127.0.0.1\n  Port {self.port}\n"
                    f"  IdentityFile {d}/user_key\n  IdentitiesOnly yes\n"
                    f"  UserKnownHostsFile {d}/known_hosts\n  StrictHostKeyChecking accept-new\n"
                    "  LogLevel ERROR\n")
        self.env["VMA_SSH"] = f"ssh -F {d}/ssh_config"
        self.sshd_start()

    def sshd_start(self):
        os.makedirs("/run/sshd", exist_ok=True)
        self.sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", f"{self.dir}/sshd_config"],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=open(f"{self.dir}/sshd.log", "ab"))
        wait_for(self._answers)

    def sshd_stop(self):
        self.sshd.terminate()
        self.sshd.wait()

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def command(self, *arguments):
        return [self.vma, *arguments]

    def run(self, *arguments, timeout=30, **options):
        options.setdefault("capture_output", True)
        options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
        if options["stdin"] is None:
            del options["stdin"]
        return subprocess.run(self.command(*arguments), env=self.env, timeout=timeout,
                              cwd=options.pop("cwd", self.dir), **options)

    def start(self, *arguments, **options):
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("stdin", subprocess.DEVNULL)
        p = subprocess.Popen(self.command(*arguments), env=self.env,
                             cwd=options.pop("cwd", self.dir), **options)
        self.started.append(p)
        return p

    def pids(self, *needles):
        """Processes with all of the needles in their command line, of this world only."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                process = pathlib.Path("/proc", entry)
                line = process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(
                    errors="replace")
                env = process.joinpath("environ").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if all(n in line for n in needles) and (self.dir in line or self.dir in env):
                found.append(int(entry))
        return found

    def carriers(self):
        """What carries the streams: ssh here, or the attach itself."""
        return self.pids("agent attach") if self.local else self.pids("ssh -F")

    def cut(self):
        """Kills what carries the streams, never the session's daemon (an orphan by design)."""
        ours = self.pids(self.vma)
        for pid in self.carriers():
            if self.local and self._parent(pid) not in ours:
                continue
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    @staticmethod
    def _parent(pid):
        try:
            return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            return 0

    def close(self):
        for p in self.started:
            if p.poll() is None:
                p.kill()
            p.wait()
        if self.sshd:
            self.sshd.terminate()
            self.sshd.wait()
        for pid in self.pids("agent attach"):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Both:
    """For tests that run over ssh and over local:, as `local` of the class says. Its tests share one
    world; nothing of one stays behind for the next."""

    installs = True  # the agent, before the first test

    @classmethod
    def setUpClass(cls):
        cls.w = World(VMA, local=cls.local)
        if cls.installs:
            cls.w.run("exec", "-H", cls.w.host, "--", "true")

    @classmethod
    def tearDownClass(cls):
        cls.w.close()

    def end_all(self, number=signal.SIGINT):
        """Ends what was started; tells what did not end by itself."""
        stubborn = []
        for p in self.w.started:
            if p.poll() is None:
                p.send_signal(signal.SIGCONT)
                p.send_signal(number)
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
                stubborn.append(p.args)
            for f in (p.stdout, p.stderr, p.stdin):
                if f:
                    f.close()
        self.w.started.clear()
        return stubborn

    def nothing_stays(self):
        wait_for(lambda: not self.w.pids("agent attach"))
