# SPDX-License-Identifier: Apache-2.0
"""Two hosts on one machine: network namespaces joined by the link emulator, and an sshd.

`Lo` is sshd on loopback, `Far` is 12 ms round trip at 100 Mbit/s. Both end with close().
"""
import os
import shutil
import socket
import subprocess
import tempfile
import time

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Host:
    """An sshd, its keys, and an ssh configuration that reaches it as `peer`."""

    name = "lo"
    address = "127.0.0.1"
    one_way_ms = 0.0

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="vma-bench-")
        self.port = free_port()
        self.processes = []
        self.sockets = tempfile.mkdtemp(prefix="s", dir="/tmp")
        try:
            self.prepare()
            self.start_sshd()
        except BaseException:
            self.close()
            raise

    # (SHLVL 2 in sshd's configuration keeps bash from reading a start-up file for each command.)
    # What runs on the laptop, and what on the other machine.
    here = []
    there = []

    def prepare(self):
        pass

    def start_sshd(self):
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                            f"{self.dir}/{name}"], check=True)
        os.makedirs("/run/sshd", exist_ok=True)
        with open(f"{self.dir}/sshd_config", "w", encoding="utf8") as f:
            f.write(f"""Port {self.port}
ListenAddress {self.address}
HostKey {self.dir}/host
AuthorizedKeysFile {self.dir}/user.pub
StrictModes no
UsePAM no
PermitRootLogin yes
PidFile none
MaxStartups 100
MaxSessions 100
Subsystem sftp internal-sftp
SetEnv SHLVL=2 HOME={self.dir}/there XDG_CACHE_HOME= XDG_STATE_HOME=
""")
        os.makedirs(f"{self.dir}/there")
        with open(f"{self.dir}/ssh_config", "w", encoding="utf8") as f:
            f.write(f"""Host peer
  HostName {self.address}
  Port {self.port}
  User {os.environ.get('USER', 'root')}
  IdentityFile {self.dir}/user
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile {self.dir}/known_hosts
  LogLevel ERROR
""")
        self.sshd = subprocess.Popen(self.there + [SSHD, "-D", "-e", "-f",
                                                   f"{self.dir}/sshd_config"],
                                     stderr=open(f"{self.dir}/sshd.log", "w", encoding="utf8"))
        self.processes.append(self.sshd)
        self.ssh = ["ssh", "-F", f"{self.dir}/ssh_config"]
        for _ in range(100):
            if self.run(self.ssh + ["peer", "true"], check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError("sshd does not answer: " + open(f"{self.dir}/sshd.log").read())

    def master(self):
        """The words that make ssh use one shared connection, started if need be."""
        path = f"{self.sockets}/m"
        words = self.ssh + ["-o", f"ControlPath={path}", "-o", "ControlMaster=auto",
                            "-o", "ControlPersist=600"]
        self.run(words + ["peer", "true"])
        return words

    def end_master(self):
        self.run(self.ssh + ["-o", f"ControlPath={self.sockets}/m", "-O", "exit", "peer"],
                 check=False)

    def run(self, words, check=True, **more):
        more.setdefault("stdout", subprocess.DEVNULL)
        more.setdefault("stderr", subprocess.DEVNULL)
        return subprocess.run(self.here + words, check=check, **more)

    def start(self, words, **more):
        more.setdefault("stdout", subprocess.DEVNULL)
        more.setdefault("stderr", subprocess.DEVNULL)
        process = subprocess.Popen(self.here + words, start_new_session=True, **more)
        self.processes.append(process)
        return process

    def carried(self):
        """Bytes on the wire so far (both ways), or None where nobody counts."""
        return None

    def idle(self):
        """Seconds for which the line had nothing to carry from here to there since the last call
        (pauses of 1 ms and more), or None where nobody knows."""
        return None

    def left_behind(self):
        """What was started through our sshd and has not ended with it, such as an agent that keeps
        a session for a laptop to come back to."""
        port = f" {self.port}".encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if any(word.startswith(b"SSH_CONNECTION=") and word.endswith(port)
                           for word in f.read().split(b"\0")):
                        yield int(pid)
            except OSError:
                continue

    def close(self):
        if os.path.exists(f"{self.sockets}/m"):
            self.end_master()
        for process in reversed(self.processes):
            stop(process)
        for pid in self.left_behind():
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.dir, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)


def stop(process):
    """Ends a process that was started in a session of its own, with all its children."""
    for signal in (15, 9):
        if process.poll() is not None:
            break
        try:
            os.killpg(process.pid, signal) if os.getpgid(process.pid) == process.pid \
                else process.send_signal(signal)
            process.wait(2)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass


class Far(Host):
    name = "far"
    address = "10.77.0.2"
    one_way_ms = 6.0

    def __init__(self, emulator, delay_ms=6.0, mbit=100):
        self.emulator_program, self.emulator = emulator, None
        self.one_way_ms = delay_ms
        self.mbit = mbit
        tag = str(os.getpid() % 10000)
        self.names = (f"vmaA{tag}", f"vmaB{tag}")
        self.here = ["ip", "netns", "exec", self.names[0]]
        self.there = ["ip", "netns", "exec", self.names[1]]
        super().__init__()

    def prepare(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "add", name], check=True)
        self.emulator = subprocess.Popen(
            [self.emulator_program, *self.names, str(self.one_way_ms), str(self.mbit)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.emulator.stdout.readline().strip() != "ready":
            raise RuntimeError("the link emulator did not start (needs root and /dev/net/tun)")

    def tell(self, word):
        self.emulator.stdin.write(word + "\n")
        self.emulator.stdin.flush()
        return self.emulator.stdout.readline().split()

    def carried(self):
        words = self.tell("bytes")
        return int(words[1]) + int(words[2])

    def idle(self):
        return sum(float(gap.split(":")[1]) for gap in self.tell("gaps")[1:]) / 1000

    def close(self):
        super().close()
        if self.emulator:
            self.emulator.stdin.close()
            self.emulator.wait(5)
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)
