# SPDX-License-Identifier: Apache-2.0
"""The tools that are compared. Each keeps `destination` (on the other host, which shares this
file system) like `source` between start() and stop()."""
import os
import shlex
import shutil
import signal
import subprocess
import time

from far import stop

BUILD = os.environ.get("BUILD_DIR", "build/release")


class Tool:
    name = "?"
    needs = []  # programs

    def __init__(self, host, source, destination):
        self.host, self.source, self.destination = host, source, destination
        self.process = None

    @classmethod
    def available(cls):
        return all(shutil.which(program) for program in cls.needs)

    def start(self):
        """Returns once the trees are equal and changes are being followed."""

    def stop(self):
        if self.process:
            stop(self.process)


class Vma(Tool):
    name = "vma"

    def __init__(self, *words, shared=False):
        """shared: over the multiplexed connection that the peers use too."""
        super().__init__(*words)
        self.home = f"{self.host.dir}/vma-home"
        self.program = os.path.abspath(f"{BUILD}/vma")
        ssh = self.host.master() if shared else self.host.ssh
        self.environment = dict(os.environ, HOME=self.home, XDG_RUNTIME_DIR=f"{self.home}/run",
                                XDG_CACHE_HOME=f"{self.home}/cache",
                                XDG_STATE_HOME=f"{self.home}/state", VMA_SSH=shlex.join(ssh))
        os.makedirs(f"{self.home}/run", mode=0o700, exist_ok=True)
        self.ask("exec", "-H", "peer", "--", "true")  # the agent is installed once a version

    @classmethod
    def available(cls):
        return os.access(f"{BUILD}/vma", os.X_OK)

    def ask(self, *words, **more):
        return self.host.run([self.program, *words], env=self.environment, **more)

    def forget(self):
        """Our snapshot and the other side's, as before the first run."""
        shutil.rmtree(f"{self.home}/state", ignore_errors=True)
        shutil.rmtree(f"{self.host.dir}/there/.local/state/vma", ignore_errors=True)

    def words(self, *more):
        return [self.program, "sync", self.source, f"peer:{self.destination}", *more]

    def once(self):
        self.host.run(self.words("--once", "--json"), env=self.environment)

    def start(self):
        self.process = self.host.start(self.words("--quiet"), env=self.environment)
        wait_equal(self.source, self.destination)
        self.wait_in_sync()

    def wait_in_sync(self, seconds=120, folder=None):
        end = time.monotonic() + seconds
        while self.ask("sync", "flush", cwd=folder or self.source, check=False).returncode != 0:
            if time.monotonic() > end:
                raise TimeoutError("vma does not come in sync")
            time.sleep(0.1)

    def processes(self):
        """Process ids: ours, and the agent there."""
        agents, port = [], f" {self.host.port}".encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    line = f.read().split(b"\0")
                with open(f"/proc/{pid}/environ", "rb") as f:
                    ours = any(word.startswith(b"SSH_CONNECTION=") and word.endswith(port)
                               for word in f.read().split(b"\0"))
                with open(f"/proc/{pid}/stat", encoding="utf8") as f:
                    parent = int(f.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if ours and parent == 1 and line[1:3] == [b"agent", b"attach"]:
                agents.append(int(pid))
        return self.process.pid, agents

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # an orderly end: ssh is not to die first
            try:
                self.process.wait(8)
            except subprocess.TimeoutExpired:
                pass
        super().stop()


class Dev(Vma):
    """vma dev: one link for forwards, commands and, if there is a source, sync."""

    def __init__(self, host, source, destination, rules, sync=False):
        super().__init__(host, source, destination)
        flags = [word for rule in rules for word in ("-f", rule)]
        flags += [] if sync else ["--no-sync"]
        self.process = host.start([self.program, "dev", "-q", *flags, "-r", destination, "peer"],
                                  env=self.environment, cwd=source)

    def command(self, *words):
        return [self.program, "exec", "--", *words]


class RsyncLoop(Tool):
    """inotifywait waits for anything, then rsync over a multiplexed connection runs."""
    name = "rsync loop"
    needs = ["rsync", "inotifywait"]

    def rsync(self, *flags):
        return ["rsync", "-az", "--delete", *flags, "-e", shlex.join(self.host.master()),
                self.source + "/", f"peer:{self.destination}/"]

    def once(self):
        self.host.run(self.rsync())

    def start(self):
        self.once()
        loop = (f"inotifywait -q -m -r -e close_write,move,create,delete {self.source} | "
                "while read -r line; do while read -r -t 0.01 line; do :; done; "
                f"{shlex.join(self.rsync())}; done")
        self.process = self.host.start(["bash", "-c", loop])
        wait_watching(self)


class Lsyncd(Tool):
    name = "lsyncd"
    needs = ["lsyncd", "rsync"]

    def start(self):
        path = f"{self.host.dir}/lsyncd.lua"
        with open(path, "w", encoding="utf8") as f:
            f.write(f"""settings {{ nodaemon = true, logfile = "/dev/null", inotifyMode = "CloseWrite" }}
sync {{ default.rsync, source = "{self.source}", target = "peer:{self.destination}", delay = 0,
  rsync = {{ archive = true, compress = true, rsh = "{shlex.join(self.host.master())}" }} }}
""")
        self.process = self.host.start(["lsyncd", path])
        wait_equal(self.source, self.destination)
        wait_watching(self)


class Unison(Tool):
    """Debian has no file monitor for it: it looks once a second."""
    name = "unison"
    needs = ["unison"]

    def start(self):
        home = f"{self.host.dir}/unison"
        os.makedirs(home, exist_ok=True)
        words = ["unison", self.source, f"ssh://peer/{self.destination}", "-batch", "-auto",
                 "-confirmbigdel=false", "-sshargs", shlex.join(self.host.master()[1:]),
                 "-repeat", "1"]
        self.process = self.host.start(words, env=dict(os.environ, UNISON=home, HOME=home))
        wait_equal(self.source, self.destination)
        wait_watching(self)


ALL = [Vma, RsyncLoop, Lsyncd, Unison]
QUICK = [Vma, RsyncLoop, Lsyncd]  # Unison looks once a second, whatever changes


def wait_equal(source, destination, seconds=180):
    """Until `destination` has as many files as `source` and the newest of them is there."""
    want = sum(len(files) for _, _, files in os.walk(source))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if sum(len(files) for _, _, files in os.walk(destination)) >= want:
            return
        time.sleep(0.1)
    raise TimeoutError(f"{destination} has not become like {source}")


def wait_watching(tool, seconds=60):
    """Until a small change really arrives: some tools watch long after they copied."""
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        number += 1
        probe = f"are-you-watching-{number}"
        with open(f"{tool.source}/{probe}", "w", encoding="utf8") as f:
            f.write(probe)
        for _ in range(100):
            if os.path.exists(f"{tool.destination}/{probe}"):
                time.sleep(0.5)
                return
            time.sleep(0.02)
    raise TimeoutError(f"{tool.name} does not follow changes")
