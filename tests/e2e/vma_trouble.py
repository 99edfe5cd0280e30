# SPDX-License-Identifier: Apache-2.0
"""vma sync in trouble: lost events, files that change while they are read, folders that vanish, and
either side killed at any moment. Over local: and a real sshd."""
import hashlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.vma import Both, wait_for  # noqa: E402

ROUNDS = int(os.environ.get("KILL_ROUNDS", "4"))
SEED = int(os.environ.get("KILL_SEED", time.time_ns() % 1000000))


def tree(top):
    """Everything below: kind, mode and content."""
    found = {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            at = os.path.relpath(path, top)
            mode = os.lstat(path).st_mode
            if os.path.islink(path):
                found[at] = os.readlink(path)
            elif os.path.isdir(path):
                found[at] = mode
            else:
                found[at] = (mode, hashlib.sha1(pathlib.Path(path).read_bytes()).hexdigest())
    return found


def put(path, content):
    """Beside and renamed, as most editors save: no half of it can be read by anybody."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.tmp~")
    beside.write_bytes(content)
    beside.rename(path)


class Tests(Both):
    def setUp(self):
        top = pathlib.Path(self.w.dir, self._testMethodName[:40])
        self.here, self.there = top / "here", top / "there"
        self.here.mkdir(parents=True)
        self.to = f"{self.w.host}{'' if self.w.local else ':'}{self.there}"
        self.said = top / "said"

    def tearDown(self):
        self.end_all()
        for pid in self.agents():
            os.kill(pid, signal.SIGKILL)
        self.nothing_stays()

    def sync(self, *options):
        p = self.w.start("sync", "-q", *options, str(self.here), self.to, stdout=subprocess.DEVNULL,
                         stderr=open(self.said, "ab"))
        return p

    def agents(self):
        return self.w.pids("agent attach")

    def daemons(self):
        """The agents' sessions, not what carries their streams."""
        return [pid for pid in self.agents() if self.w._parent(pid) == 1]

    def ask(self, *words):
        return self.w.run("sync", *words, cwd=self.here)

    def flush(self):
        def done():
            r = self.ask("flush")
            return r.returncode == 0 or (print(r.stderr) if b"no sync" not in r.stderr else None)
        wait_for(done, 30)

    def told(self):
        return self.said.read_text()

    def assert_equal(self):
        here, there = tree(self.here), tree(self.there)
        odd = {k for k in here.keys() | there.keys() if here.get(k) != there.get(k)}
        self.assertFalse(odd, [(k, here.get(k), there.get(k)) for k in sorted(odd)[:5]])

    # --- Lost events -----------------------------------------------------------------------------

    def overflow(self, top, frozen):
        """More happens than the kernel keeps events, and after that what nobody is told."""
        kept = int(pathlib.Path("/proc/sys/fs/inotify/max_queued_events").read_text())
        if kept > 100000:
            self.skipTest(f"{kept} events are kept here")
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        burst = top / "burst"
        for i in range(kept // 2 + 10):  # at least two events each
            os.close(os.open(burst / str(i), os.O_CREAT | os.O_WRONLY))
        (top / "changed").write_text("after the overflow")
        (top / "gone").unlink()
        (top / "folder").rename(top / "moved")
        (top / "new").mkdir()
        (top / "new/file").write_text("new")
        for i in range(0, kept // 2 + 10, 2):
            (burst / str(i)).unlink()
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)

    def start_for_overflow(self, *options):
        for name in ("changed", "gone", "folder/a", "burst/a", "folder/b"):
            put(self.here / name, name.encode())
        p = self.sync(*options)
        wait_for(lambda: (self.there / "folder/b").exists())
        self.flush()
        return p

    def test_events_that_were_lost_here_are_looked_for(self):
        p = self.start_for_overflow()
        self.overflow(self.here, [p.pid])
        self.flush()
        self.assertEqual((self.there / "changed").read_text(), "after the overflow")
        self.assert_equal()

    def test_events_that_were_lost_there_are_looked_for(self):
        self.start_for_overflow("-m", "two-way-safe")
        self.overflow(self.there, self.daemons())
        wait_for(lambda: (self.here / "new/file").exists()
                 and (self.here / "changed").read_text() == "after the overflow"
                 and not (self.here / "gone").exists() and (self.here / "moved/b").exists(), 30)
        wait_for(lambda: tree(self.here) == tree(self.there), 30, 0.3)

    # --- Files that change while they are read ---------------------------------------------------

    def test_a_file_that_is_appended_to_arrives_in_whole_writes(self):
        line = b"%09d" + b"." * 990 + b"\n"
        with open(self.here / "small.log", "wb", 0) as small, \
                open(self.here / "large.log", "wb", 0) as large:
            large.write(b"".join(line % i for i in range(3000)))
            self.sync()
            wait_for(lambda: (self.there / "small.log").exists())
            seen, end, i = set(), time.monotonic() + 1.5, 0
            while time.monotonic() < end:
                for _ in range(5):
                    if i < 60:  # it stays a small one
                        small.write(line % i)
                    large.write(line % (3000 + i))
                    i += 1
                for name in ("small.log", "large.log"):
                    path = self.there / name
                    if path.exists():
                        got = path.read_bytes()
                        seen.add((name, len(got)))
                        self.assertEqual(got, b"".join(line % n for n in range(len(got) // 1000)))
                time.sleep(0.02)
        self.flush()
        self.assert_equal()

    def test_a_file_that_is_written_over_all_the_time_arrives_in_the_end(self):
        size = 8 << 20
        path = self.here / "database"
        path.write_bytes(bytes(size))
        self.sync()
        wait_for(lambda: (self.there / "database").exists())
        end = time.monotonic() + 1.5
        with open(path, "r+b", 0) as f:
            while time.monotonic() < end:
                f.seek(random.randrange(size))
                f.write(os.urandom(4000))
                time.sleep(0.002)
        put(self.here / "other", b"goes on")
        wait_for(lambda: (self.there / "other").exists())
        self.flush()
        self.assert_equal()

    # --- Folders that vanish ---------------------------------------------------------------------

    def start_for_vanishing(self, *options):
        for i in range(30):
            put(self.here / f"{i % 3}/{i}", str(i).encode())
        p = self.sync(*options)
        wait_for(lambda: (self.there / "2/29").exists())
        self.flush()
        return p

    def vanish(self, how, top):
        aside = top.with_name("aside")
        if how == "removed":
            shutil.copytree(top, aside)
            while top.exists():  # a mirror puts back what disappears, for as long as there is a place
                shutil.rmtree(top, ignore_errors=True)
        else:  # as an unmounted disk
            top.rename(aside)
            if how == "replaced":
                top.mkdir()
        return aside

    def come_back(self, aside, top):
        if top.exists():
            top.rmdir()
        aside.rename(top)

    def halted(self):
        return b": halted\n" in self.w.run("sync", "status").stdout

    def test_a_folder_that_vanishes_here_deletes_nothing_there(self):
        self.start_for_vanishing()
        for how in ("removed", "renamed", "replaced"):
            before = tree(self.there)
            self.said.write_text("")
            aside = self.vanish(how, self.here)
            wait_for(self.halted)
            self.assertRegex(self.told(), "here is gone: nothing is deleted on the other side"
                             r"|\d+ of \d+ entries would be deleted")
            time.sleep(0.5)
            if how == "removed":  # what went while most of it was still here was removed like any file
                self.assertGreater(len(tree(self.there)), len(before) // 3)
            else:
                self.assertEqual(tree(self.there), before, how)
            self.come_back(aside, self.here)
            put(self.here / "back", how.encode())
            wait_for(lambda: (self.there / "back").exists()
                     and (self.there / "back").read_text() == how)
            self.assertLessEqual(self.told().count("\n"), 2, self.told())
            self.flush()
            self.assert_equal()

    def test_a_folder_that_vanishes_there_is_told_and_made_anew_only_when_asked(self):
        self.start_for_vanishing()
        for how in ("removed", "renamed", "replaced"):
            self.said.write_text("")
            aside = self.vanish(how, self.there)
            put(self.here / "meanwhile", how.encode())
            wait_for(self.halted)
            self.assertIn("there on the other side is gone or empty", self.told())
            time.sleep(0.5)
            self.assertEqual(self.told().count("\n"), 1, self.told())
            self.assertEqual(os.listdir(self.there) if self.there.exists() else [], [])
            if how == "renamed":  # and back, as a disk that is mounted again
                self.come_back(aside, self.there)
            else:
                shutil.rmtree(aside)
                self.assertEqual(self.ask("resume", "--allow-mass-delete").returncode, 0)
            wait_for(lambda: not self.halted())
            self.flush()
            self.assert_equal()


    # --- Kills ---------------------------------------------------------------------------------

    def test_whatever_is_killed_no_half_file_is_ever_seen(self):
        """1,000 small files and a large one are changed, renamed and removed while either side is
        killed at any moment; somebody reads over there all the time."""
        rng = random.Random(SEED)
        known, torn, over = {}, [], threading.Event()
        live, looked = {}, {}  # path: content; path: what it was when it was read

        def save(path, content):
            known.setdefault(path, set()).add(hashlib.sha1(content).digest())
            live[path] = content
            beside = self.here.with_name("beside")  # what is half written is never to be synced
            beside.write_bytes(content)
            (self.here / path).parent.mkdir(exist_ok=True)
            beside.rename(self.here / path)

        def look():
            while not over.is_set():
                for folder, folders, files in os.walk(self.there):
                    folders[:] = [f for f in folders if f != ".vma-stage"]
                    for name in files:
                        path = os.path.join(folder, name)
                        try:
                            s = os.stat(path)
                            stamp = s.st_ino, s.st_mtime_ns, s.st_ctime_ns, s.st_size
                            if looked.get(path) == stamp:
                                continue
                            content = pathlib.Path(path).read_bytes()
                        except OSError:
                            continue
                        looked[path] = stamp
                        at = os.path.relpath(path, self.there)
                        if hashlib.sha1(content).digest() not in known.get(at, ()):
                            torn.append((at, len(content)))
                over.wait(0.005)

        for i in range(1000):
            save(f"{i % 20}/{i}", b"%d\n" % i * rng.randrange(1, 300))
        large = bytearray(rng.randbytes(1 << 20) * 50)
        save("large", bytes(large))
        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            for turn in range(ROUNDS if self.local else (ROUNDS + 1) // 2):
                p = self.sync("--allow-mass-delete")
                time.sleep(rng.random() * 0.4)
                for path in rng.sample(sorted(live), 150):
                    if path == "large":
                        continue
                    what = rng.randrange(4)
                    if what == 0:
                        (self.here / path).unlink()
                        del live[path]
                    elif what == 1:
                        to = f"{path}-{turn}"
                        known.setdefault(to, set()).add(hashlib.sha1(live[path]).digest())
                        (self.here / path).rename(self.here / to)
                        live[to] = live.pop(path)
                    else:
                        save(path, b"%d %d\n" % (turn, what) * rng.randrange(1, 300))
                for i in range(40):  # in place of what was removed
                    save(f"{turn % 20}/{turn}.{i}", b"%d new\n" % i * rng.randrange(1, 300))
                at = rng.randrange(len(large) - 100000)
                large[at:at + 1000] = rng.randbytes(1000)
                save("large", bytes(large))
                time.sleep(rng.random() * 0.25)
                for pid in rng.choice(([p.pid], self.daemons(), self.agents(), [p.pid, *self.agents()])):
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                if rng.randrange(2):  # it goes on by itself
                    time.sleep(rng.random() * 0.3)
                p.kill()
                p.wait()
            self.sync("--allow-mass-delete")
            wait_for(lambda: self.ask("flush").returncode == 0, 30)
        finally:
            over.set()
            watcher.join()
        self.assertEqual(torn, [], f"KILL_SEED={SEED}")
        self.assert_equal()
        wait_for(lambda: not (self.there / ".vma-stage").exists())
        left = [n for _, _, names in os.walk(self.there) for n in names if n.startswith(".vma")]
        self.assertEqual(left, [])


class OverLocal(Tests, unittest.TestCase):
    local = True


class OverSsh(Tests, unittest.TestCase):
    local = False


if __name__ == "__main__":
    unittest.main(verbosity=2)
