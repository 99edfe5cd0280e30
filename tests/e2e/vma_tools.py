# SPDX-License-Identifier: Apache-2.0
"""The same host for other tools: vma ssh-config, code, docker-context, with stand-ins on PATH that
write down what they are asked; and what the shells complete."""
import json
import os
import pathlib
import pty
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.vma import World, wait_for  # noqa: E402

VMA = pathlib.Path(os.environ.get("VMA", os.path.join(os.environ.get("BUILD_DIR", "build/dev"),
                                                      "vma"))).resolve()

STAND_IN = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["ASKED"], "a") as f:
    f.write(json.dumps([os.path.basename(sys.argv[0])] + sys.argv[1:]) + "\\n")
print(os.environ.get("SAYS_" + os.path.basename(sys.argv[0]).upper(), ""))
failing = os.environ.get("FAILS", "")
sys.exit(1 if failing and failing in " ".join(sys.argv) else 0)
"""


class Base(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vma-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.home, self.tools = self.dir / "home", self.dir / "bin"
        self.project = self.dir / "project"
        for folder in (self.home, self.tools, self.project):
            folder.mkdir(mode=0o700)
        for name in ("code", "docker", "ssh"):
            path = self.tools / name
            path.write_text(STAND_IN)
            path.chmod(0o755)
        self.asked_file = self.dir / "asked"
        self.env = dict(os.environ, HOME=str(self.home), ASKED=str(self.asked_file),
                        PATH=f"{self.tools}:{VMA.parent}:{os.environ['PATH']}")
        for name in ("VMA_HOST", "VMA_SSH", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            self.env.pop(name, None)

    def vma(self, *words, **env):
        return subprocess.run([VMA, *words], env=dict(self.env, **env), capture_output=True,
                              cwd=self.project, timeout=20, text=True, stdin=subprocess.DEVNULL)

    def asked(self):
        """All that was run, but for how ssh is configured."""
        asked = [json.loads(line) for line in self.asked_file.read_text().splitlines()]
        return [words for words in asked if "-G" not in words]


class Tools(Base):
    def effective(self, host, config=None):
        """What the installed ssh makes of it."""
        path = config or self.home / ".ssh/config"
        done = subprocess.run(["/usr/bin/ssh", "-T", "-G", "-F", path, host], capture_output=True,
                              text=True, env=self.env, timeout=20)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = (line.split(" ", 1) for line in done.stdout.splitlines())
        return {line[0]: line[1] for line in lines if len(line) == 2}

    def test_what_is_printed_is_accepted_by_ssh(self):
        self.project.joinpath("vma.yaml").write_text(
            "host: gpu\nforward:\n  - 55433\n  - 8080=127.0.0.1:80\nreverse:\n  - 8001\n")
        done = self.vma("ssh-config", "--address", "203.0.113.7", "--user", "me", "--port", "2222")
        self.assertEqual(done.returncode, 0, done.stderr)
        path = self.dir / "printed"
        path.write_text(done.stdout)
        seen = self.effective("gpu", path)
        self.assertEqual((seen["hostname"], seen["user"], seen["port"]),
                         ("203.0.113.7", "me", "2222"))
        self.assertEqual(seen["controlmaster"], "auto")
        self.assertLessEqual(int(seen["serveraliveinterval"]) * int(seen["serveralivecountmax"]), 15)
        self.assertIn("8080", done.stdout)
        self.assertIn("RemoteForward", done.stdout)

    def test_a_sockets_file_that_was_left_does_not_stop_the_next_connection(self):
        left, echo = self.dir / "left", socket.socket()
        with World(VMA) as w, echo:
            echo.bind(("127.0.0.1", 0))
            echo.listen()
            self.project.joinpath("vma.yaml").write_text(
                f"host: gpu\nforward:\n  - {left}=127.0.0.1:{echo.getsockname()[1]}\n")
            done = self.vma("ssh-config", "--address", "127.0.0.1", "--port", str(w.port),
                            "--identity", f"{w.dir}/user_key")
            self.assertEqual(done.returncode, 0, done.stderr)
            path = self.dir / "printed"
            path.write_text(done.stdout)
            with socket.socket(socket.AF_UNIX) as stale:
                stale.bind(str(left))
            p = subprocess.Popen(["/usr/bin/ssh", "-F", path, "-o", "ControlPath=none", "-o",
                                  "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                                  "-o", "ExitOnForwardFailure=yes", "-N", "gpu"],
                                 stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
            try:
                def through():
                    self.assertIsNone(p.poll(), p.stderr)
                    with socket.socket(socket.AF_UNIX) as s:
                        return s.connect_ex(str(left)) == 0
                wait_for(through)
                echo.settimeout(5)
                echo.accept()[0].close()
            finally:
                p.kill()
                p.wait()
                p.stderr.close()

    def test_writing_is_idempotent_and_touches_nothing_else(self):
        ssh = self.home / ".ssh"
        ssh.mkdir(mode=0o700)
        mine = "Host other\n    User someone\n"
        (ssh / "config").write_text(mine)
        (ssh / "config").chmod(0o600)
        for _ in range(2):
            self.assertEqual(self.vma("ssh-config", "gpu", "--address", "198.51.100.1",
                                      "--write").returncode, 0)
        self.assertEqual(self.vma("ssh-config", "gpu", "-u", "you", "-w").returncode, 0)
        text = (ssh / "config").read_text()
        self.assertEqual(text.count("Host gpu"), 1)
        self.assertIn(mine, text)
        self.assertEqual(self.effective("gpu")["user"], "you")
        self.assertEqual(self.effective("other")["user"], "someone")
        self.assertEqual((ssh / "vma").stat().st_mode & 0o777, 0o700)
        self.assertEqual((ssh / "config").stat().st_mode & 0o777, 0o600)

    def ciphers(self, mine):
        """What ssh-config makes of the ciphers, with this in the user's own file; written twice."""
        (self.tools / "ssh").unlink(missing_ok=True)
        (self.home / ".ssh").mkdir(mode=0o700, exist_ok=True)
        (self.home / ".ssh/config").write_text(mine)
        for said in "wrote", "as it should be":
            self.assertIn(said, self.vma("ssh-config", "gpu", "--write").stdout)
        return self.effective("gpu")["ciphers"].split(",")

    def test_aes_comes_first_unless_the_user_chose(self):
        usual = self.effective("gpu", "/dev/null")["ciphers"].split(",")
        first = "aes128-gcm@openssh.com"
        expected = sorted(usual, key=lambda name: name != first) \
            if " aes " in pathlib.Path("/proc/cpuinfo").read_text() else usual
        self.assertEqual(self.ciphers(""), expected)
        self.assertEqual(self.ciphers("Host *\n    Ciphers aes256-ctr,aes128-gcm@openssh.com\n"),
                         ["aes256-ctr", first])
        self.assertEqual(self.ciphers("Host *\n    Ciphers -aes*-gcm@openssh.com\n"),
                         [name for name in usual if "gcm" not in name])

    def test_code_opens_the_projects_folder_there(self):
        self.project.joinpath("vma.yaml").write_text("host: gpu\nremote: ~/it's mine\n")
        done = self.vma("code", SAYS_SSH="Welcome!\n/home/me/it's mine")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.asked()[-1],
                         ["code", "--remote", "ssh-remote+gpu", "/home/me/it's mine"])
        self.assertEqual(self.asked()[0][-1], "cd ~/'it'\\''s mine' 2>/dev/null && pwd")
        self.assertIn("Host gpu", (self.home / ".ssh/config").read_text())

    def test_code_opens_at_least_the_host_when_there_is_no_folder_yet(self):
        done = self.vma("code", "gpu", FAILS="pwd")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.asked()[-1], ["code", "--remote", "ssh-remote+gpu"])
        self.assertEqual(self.vma("code", "gpu", "-C", "/srv/app").returncode, 0)
        self.assertEqual(self.asked()[-1], ["code", "--remote", "ssh-remote+gpu", "/srv/app"])

    def test_what_is_not_installed_is_named(self):
        (self.tools / "code").unlink()
        done = self.vma("code", "gpu", "-C", "/srv", PATH=str(self.tools))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("code", done.stderr)

    def test_docker_gets_a_context_and_uses_it(self):
        self.assertEqual(self.vma("docker-context", "me@gpu").returncode, 0)
        self.assertEqual(self.asked(), [
            ["docker", "context", "create", "gpu", "--docker", "host=ssh://gpu"],
            ["docker", "context", "use", "gpu"]])
        self.assertEqual(self.effective("gpu")["user"], "me")
        self.asked_file.unlink()
        done = self.vma("docker-context", "gpu", "--name", "far", FAILS="create")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([line[2] for line in self.asked()], ["create", "update", "use"])

    def test_a_dry_run_changes_nothing(self):
        done = self.vma("docker-context", "gpu", "-n")
        self.assertEqual(done.stdout.splitlines()[0],
                         "docker context create gpu --docker host=ssh://gpu")
        self.assertFalse(self.asked_file.exists() or (self.home / ".ssh").exists())


class Help(Base):
    def test_it_fits_the_screen(self):
        general = self.vma("--help").stdout
        commands = [line.split()[0] for line in general.splitlines() if line[:2] == "  " != line[1:3]]
        self.assertIn("docker-context", commands)
        for text in [general] + [self.vma(name, "--help").stdout for name in commands]:
            self.assertTrue(text)
            self.assertLessEqual(max(map(len, text.splitlines())), 80, text)


class Completion(Base):
    def setUp(self):
        super().setUp()
        (self.home / ".ssh").mkdir()
        (self.home / ".ssh/config").write_text(
            "Host gpu gpu-two *.example.org\n  User me\nhost=third\n")

    def bash(self, line):
        words = line.split(" ")
        script = (f'eval "$(vma completion bash)"; COMP_WORDS=({" ".join(words[:-1])} '
                  f'"{words[-1]}"); COMP_CWORD={len(words) - 1}; _vma; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script], env=self.env, capture_output=True, text=True,
                              timeout=20, cwd=self.project)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash(self):
        self.assertEqual(self.bash("vma st"), ["status", "stop"])
        self.assertEqual(self.bash("vma exec --fo"), ["--folder"])
        self.assertEqual(self.bash("vma exec -H gpu"), ["gpu", "gpu-two"])
        self.assertEqual(self.bash("vma dev th"), ["third"])
        self.assertEqual(self.bash("vma sync --mode two"), ["two-way-safe", "two-way-resolved"])
        self.assertEqual(self.bash("vma sync fl"), ["flush"])
        self.project.joinpath("a file").touch()
        self.assertIn("file", self.bash("vma sync a"))

    @unittest.skipUnless(shutil.which("fish"), "no fish here")
    def test_fish(self):
        script = self.vma("completion", "fish").stdout
        path = self.home / ".config/fish/completions/vma.fish"
        path.parent.mkdir(parents=True)
        path.write_text(script)

        def complete(line):
            done = subprocess.run(["fish", "--no-config", "-c",
                                   f"source {path}; complete -C '{line}'"],
                                  env=self.env, capture_output=True, text=True, timeout=30,
                                  cwd=self.project)
            self.assertEqual(done.stderr, "")
            return [line.split("\t")[0] for line in done.stdout.splitlines()]

        self.assertEqual(complete("vma stat"), ["status"])
        self.assertEqual(complete("vma exec --fol"), ["--folder"])
        self.assertEqual(sorted(complete("vma exec -H g")), ["gpu", "gpu-two"])
        self.assertEqual(sorted(complete("vma dev g")), ["gpu", "gpu-two"])
        self.assertEqual(complete("vma sync --mode one"), ["one-way-safe"])
        self.assertIn("flush", complete("vma sync fl"))

    @unittest.skipUnless(shutil.which("zsh"), "no zsh here")
    def test_zsh(self):
        functions = self.home / "functions"
        functions.mkdir()
        functions.joinpath("_vma").write_text(self.vma("completion", "zsh").stdout)
        ours, theirs = pty.openpty()
        shell = subprocess.Popen(["zsh", "-f"], stdin=theirs, stdout=theirs, stderr=theirs,
                                 env=dict(self.env, TERM="dumb"), cwd=self.project,
                                 start_new_session=True)
        os.close(theirs)
        os.set_blocking(ours, False)

        def read(until, seconds=20):
            got, end = "", time.monotonic() + seconds
            while until not in got:
                self.assertLess(time.monotonic(), end, got)
                try:
                    got += os.read(ours, 65536).decode(errors="replace")
                except BlockingIOError:
                    time.sleep(0.02)
            return got

        try:
            os.write(ours, f"fpath=({functions} $fpath); autoload -U compinit; compinit -D; "
                           "zstyle ':completion:*' menu no; PS1='>> '; echo rea''dy\n".encode())
            read("ready")
            for typed, expected in (("vma stat", "vma status"), ("vma exec --fol", "--folder"),
                                    ("vma dev th", "vma dev third"),
                                    ("vma exec -H th", "vma exec -H third"),
                                    ("vma sync --mode=one", "--mode=one-way-safe"),
                                    ("vma sync flu", "vma sync flush")):
                os.write(ours, f"{typed}\t".encode())
                read(expected[len(typed):] if expected.startswith(typed) else expected)
                os.write(ours, b"\x15")  # the line is emptied
        finally:
            shell.kill()
            shell.wait()
            os.close(ours)


if __name__ == "__main__":
    unittest.main(verbosity=2)
