#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives `vma sync` as a person would, against local: and, where there is an sshd, over ssh."""
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from support.vma import World  # noqa: E402

VMA = os.path.abspath(sys.argv[1])
running = []


def vma(*words, cwd=None, code=0, timeout=30):
    done = subprocess.run([VMA, *words], env=world.env, cwd=cwd, capture_output=True, timeout=timeout)
    if code is not None and done.returncode != code:
        raise AssertionError(f"vma {words}: exit {done.returncode}, not {code}\n"
                             f"{done.stdout.decode()}{done.stderr.decode()}")
    return done.stdout.decode() + (done.stderr.decode() if code else "")


def start(*words, cwd=None):
    process = subprocess.Popen([VMA, "sync", "--quiet", *words], env=world.env, cwd=cwd)
    running.append(process)
    return process


def to(folder):
    return f"{world.host}{'' if world.local else ':'}{folder}"


def stop(process):
    process.send_signal(signal.SIGINT)
    process.wait(10)
    running.remove(process)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None


def wait_for(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.005)


def pair(name):
    here, there = f"{world.dir}/{name}/here", f"{world.dir}/{name}/there"
    os.makedirs(here)
    return here, there


def test_once_copies_and_a_second_time_has_nothing_to_do():
    here, there = pair("once")
    write(f"{here}/src/a.c", "int a;\n")
    write(f"{here}/.env", "SECRET=1\n")
    os.symlink("src/a.c", f"{here}/link")
    first = json.loads(vma("sync", "--once", "--json", here, to(there)))
    assert first["phase"] == "in-sync" and first["files"] == 2, first
    assert read(f"{there}/src/a.c") == "int a;\n" and os.readlink(f"{there}/link") == "src/a.c"
    assert not os.path.exists(f"{there}/.env")
    assert not os.path.exists(f"{there}/.vma-stage")
    again = json.loads(vma("sync", "--once", "--json", here, to(there)))
    assert again["work_files"] == 0 and again["sent_bytes"] < 2000, again


def test_live_follows_saves_and_flush_means_it():
    here, there = pair("live")
    write(f"{here}/f", "0")
    process = start(here, to(there))
    wait_for(lambda: read(f"{there}/f") == "0", "the first copy")
    vma("sync", "flush", cwd=here)
    for i in range(1, 20):
        write(f"{here}/f", str(i))
        write(f"{here}/new/{i}", str(i))
        vma("sync", "flush", cwd=here)
        assert read(f"{there}/f") == str(i), i
        assert read(f"{there}/new/{i}") == str(i), i
    times = []
    for i in range(100, 150):
        began = time.perf_counter()
        with open(f"{here}/f", "w") as file:
            file.write(str(i))
        while read(f"{there}/f") != str(i):
            assert time.perf_counter() - began < 5, f"save {i} did not arrive"
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    print(f"  save to visible: median {statistics.median(times):.2f} ms, "
          f"p90 {times[44]:.2f} ms")
    os.rename(f"{here}/new", f"{here}/renamed")
    vma("sync", "flush", cwd=here)
    assert not os.path.exists(f"{there}/new") and read(f"{there}/renamed/7") == "7"
    status = json.loads(vma("sync", "status", "--json"))
    assert len(status) == 1 and status[0]["phase"] == "in-sync", status
    vma("sync", "pause", cwd=here)
    write(f"{here}/f", "paused")
    time.sleep(0.1)
    assert read(f"{there}/f") != "paused"
    diff = vma("sync", "diff", cwd=here)
    assert "change" in diff and " f" in diff, diff
    assert "paused" in vma("sync", "flush", cwd=here, code=77)
    vma("sync", "resume", cwd=here)
    vma("sync", "flush", cwd=here)
    assert read(f"{there}/f") == "paused"
    assert "already" in vma("sync", here, to(there), code=73)
    assert "already" in vma("sync", here, to(f"{there}/../there/."), code=73)
    if world.local:
        assert "already, the other way" in vma("sync", there, to(here), code=73)
    stop(process)
    assert vma("sync", "status").strip() == "no sync runs"


def test_a_two_way_conflict_is_kept_and_resolved():
    here, there = pair("twoway")
    write(f"{here}/both", "base")
    vma("sync", "--once", "-m", "two-way-safe", here, to(there))
    write(f"{here}/both", "here")
    write(f"{there}/both", "there!")
    write(f"{there}/theirs", "t")
    vma("sync", "--once", "-m", "two-way-safe", here, to(there), code=73)
    assert read(f"{here}/both") == "here" and read(f"{there}/both") == "there!"
    assert read(f"{here}/theirs") == "t"
    process = start("-m", "two-way-safe", here, to(there))
    wait_for(lambda: "both" in vma("sync", "conflicts", cwd=here, code=None), "the conflict")
    status = vma("sync", "status")
    assert "in sync, 1 in conflict\n" in status and "  1 in conflict: vma sync conflicts" in status, status
    vma("sync", "resolve", "both", "--keep", "remote", cwd=here)
    assert "in conflict" not in vma("sync", "status")
    vma("sync", "flush", cwd=here)
    assert read(f"{here}/both") == "there!"
    write(f"{there}/theirs", "changed there")
    wait_for(lambda: read(f"{here}/theirs") == "changed there", "a change from there")
    stop(process)


def test_each_way_to_resolve_a_conflict_leaves_both_sides_equal():
    here, there = pair("resolve")
    names = ("local.txt", "remote.txt", "both.txt", "gone.txt")
    for name in names:
        write(f"{here}/{name}", "base")
    vma("sync", "--once", "-m", "two-way-safe", here, to(there))
    for name in names[:3]:
        write(f"{here}/{name}", "here")
        write(f"{there}/{name}", "there!")
    os.unlink(f"{here}/gone.txt")  # a change wins over a removal
    write(f"{there}/gone.txt", "changed")
    process = start("-m", "two-way-safe", here, to(there))
    wait_for(lambda: vma("sync", "conflicts", cwd=here, code=None).count("(here: file") == 3, "the conflicts")
    listed = {c["path"]: c for c in json.loads(vma("sync", "conflicts", "--json", cwd=here))["conflicts"]}
    assert sorted(listed) == sorted(names[:3]), listed
    assert listed["local.txt"]["local"]["size"] == 4 and listed["local.txt"]["remote"]["size"] == 6, listed
    for name in names[:3]:
        vma("sync", "resolve", name, "--keep", name.split(".")[0], cwd=here)
    vma("sync", "flush", cwd=here)
    for side in (here, there):
        assert read(f"{side}/local.txt") == "here" and read(f"{side}/remote.txt") == "there!"
        assert read(f"{side}/both.txt") == "there!" and read(f"{side}/both.local.txt") == "here"
        assert read(f"{side}/gone.txt") == "changed"
        assert len(os.listdir(side)) == 5, os.listdir(side)
    stop(process)


def test_what_is_protected_stays_whatever_is_deleted_around_it():
    here, there = pair("protected")
    secrets = (".env", "app/.env.local", "app/certs/key.pem", "storage/upload", "app/.ssh/id_rsa")
    for name in ("src/a", "app/main", "app/certs/readme", "app/.env.example"):
        write(f"{here}/{name}", name)
    for name in secrets:
        write(f"{there}/{name}", "secret there")
        write(f"{here}/{name}", "secret here")
    vma("sync", "--once", here, to(there))
    shutil.rmtree(f"{here}/app")
    shutil.rmtree(f"{here}/storage")
    os.unlink(f"{here}/.env")
    process = start("--allow-mass-delete", here, to(there))
    wait_for(lambda: not os.path.exists(f"{there}/app/main"), "the removal")
    vma("sync", "flush", cwd=here)
    os.rename(f"{here}/src", f"{here}/app")  # another folder in its place
    vma("sync", "flush", cwd=here)
    assert read(f"{there}/app/a") == "src/a" and not os.path.exists(f"{there}/app/certs/readme")
    assert not os.path.exists(f"{there}/app/.env.example")
    for name in secrets:
        assert read(f"{there}/{name}") == "secret there", name
    stop(process)


def test_flush_means_it_while_others_write_all_the_time():
    here, there = pair("load")
    write(f"{here}/mine", "0")
    process = start(here, to(there))
    wait_for(lambda: read(f"{there}/mine") == "0", "the first copy")
    over = threading.Event()

    def others():
        turn = 0
        while not over.is_set():
            turn += 1
            for i in range(20):
                write(f"{here}/noise/{i}", str(turn) * 500)
            over.wait(0.003)

    writer = threading.Thread(target=others, daemon=True)
    writer.start()
    try:
        for i in range(1, 15):
            write(f"{here}/mine", str(i))
            large = os.urandom(600000).hex() if i % 4 == 0 else None
            if large:
                write(f"{here}/large", large)
            vma("sync", "flush", cwd=here, timeout=10)
            assert not large or read(f"{there}/large") == large, i
            assert read(f"{there}/mine") == str(i), i
    finally:
        over.set()
        writer.join()
    stop(process)


def test_guards_say_what_they_need():
    here, there = pair("guards")
    for i in range(40):
        write(f"{here}/{i}", str(i))
    vma("sync", "--once", here, to(there))
    shutil.rmtree(here)
    os.mkdir(here)
    said = vma("sync", "--once", here, to(there), code=77)
    assert "would be deleted" in said, said
    assert read(f"{there}/7") == "7"
    vma("sync", "--once", "--allow-mass-delete", here, to(there))
    assert os.listdir(there) == []
    if world.local:
        os.symlink(here, f"{world.dir}/guards/link")
        for inside in (f"{here}/inner", f"{here}/../here//x/.", f"{world.dir}/guards/.", f"{world.dir}/guards/link/x", "/"):
            said = vma("sync", "--once", here, to(inside), code=73)
            assert "are nested: a sync would feed on itself" in said, said
    else:  # a host that is this machine
        for inside in (f"{here}/inner", f"{world.dir}/guards", here):
            said = vma("sync", "--once", here, to(inside), code=73)
            assert "nested on one machine: a sync would feed on itself" in said, said
        assert os.listdir(here) == [] and not os.path.exists(f"{here}/inner")
    write(f"{here}/x", "x")
    vma("sync", "--once", here, to(there))
    shutil.rmtree(there)
    said = vma("sync", "--once", here, to(there), code=77)
    assert "gone or empty" in said, said


def test_what_is_back_goes_on_and_says_so():
    if not world.local:
        return  # it takes seconds, and the link has no part in it
    here, there = pair("back")
    for i in range(12):
        write(f"{here}/{i}", str(i))
    process = subprocess.Popen([VMA, "sync", here, to(there)], env=world.env, stderr=subprocess.PIPE, text=True)
    running.append(process)
    assert "in sync: 12 files" in process.stderr.readline()
    for folder, told in ((here, "is gone: nothing is deleted"), (there, "on the other side is gone or empty")):
        os.rename(folder, f"{folder}-away")
        write(f"{here if folder == there else world.dir}/new", folder)  # there it is noticed with the next save
        assert told in process.stderr.readline()
        os.rename(f"{folder}-away", folder)
        assert "all is back: the sync goes on" in process.stderr.readline()
    vma("sync", "flush", cwd=here)
    assert sorted(os.listdir(here)) == sorted(os.listdir(there)) and len(os.listdir(there)) == 13
    stop(process)


def test_a_place_that_cannot_be_is_an_error():
    here, there = pair("noplace")
    write(f"{here}/a", "a")
    write(there, "a file")
    for options in (["--once"], []):
        said = vma("sync", *options, here, to(there), code=66)
        assert f"make folder {there}: Not a directory" in said, said
    assert read(there) == "a file"


def test_a_mistyped_word_is_told_from_a_folder():
    assert 'did you mean "flush"?' in vma("sync", "flsh", code=64)
    assert "sync here with what? Give HOST:DEST" in vma("sync", "here", code=64)
    assert "is not UTF-8" in vma("sync", world.dir, to(f"{world.dir}/name-\udcff"), code=64)


def test_progress_fits_the_terminal_and_status_tells_how_far():
    here, there = pair("progress")
    os.makedirs(f"{here}/many")
    for i in range(80):
        with open(f"{here}/many/{i}", "wb") as file:
            file.write(os.urandom(1 << 20))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    process = subprocess.Popen([VMA, "sync", "--paused", here, to(there)], env=world.env, stdin=theirs,
                               stdout=theirs, stderr=theirs)
    running.append(process)
    os.close(theirs)
    shown = []
    reader = threading.Thread(target=read_screen, args=(ours, shown), daemon=True)
    reader.start()
    wait_for(lambda: os.path.isdir(there), "the other side")
    time.sleep(0.2)  # for its welcome
    stopped = [pid for pid in world.pids("agent attach") if world._parent(pid) == 1]
    assert stopped
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        vma("sync", "resume", cwd=here)
        wait_for(lambda: re.search(r": copying, \d+ %\n", vma("sync", "status")), "how far it is")
        time.sleep(0.3)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    wait_for(lambda: "in sync: 80 files" in "".join(shown), "the end", 20)
    stop(process)
    reader.join()
    os.close(ours)
    lines = [re.sub("\x1b\\[[0-9;]*[mK]", "", line) for line in re.split("[\r\n]+", "".join(shown))]
    bars = [line for line in lines if "█" in line or "░" in line]
    assert bars and all(len(line) <= 59 and " %, " in line and "…" not in line for line in bars), bars


def read_screen(fd, shown):
    try:
        while data := os.read(fd, 4096):
            shown.append(data.decode(errors="replace"))
    except OSError:
        pass  # the other end is closed


def test_sync_that_is_off_in_the_project_is_not_done():
    here, there = pair("off")
    write(f"{here}/vma.yaml", f'host: "{world.host}"\nsync:\n  mode: off\n')
    said = vma("sync", "--once", cwd=here, code=64)
    assert "has sync off" in said, said
    assert not os.path.exists(f"{there}/vma.yaml")


def test_cuts_and_a_restarted_agent_lose_nothing():
    here, there = pair("cuts")
    write(f"{here}/f", "0")
    process = start(here, to(there))
    wait_for(lambda: read(f"{there}/f") == "0", "the first copy")
    for i in range(1, 5):
        world.cut()
        for j in range(50):
            write(f"{here}/{i}/{j}", f"{i} {j}")
        write(f"{here}/f", str(i))
        wait_for(lambda: read(f"{there}/f") == str(i), f"save {i} after a cut")
    for pid in world.pids("agent attach"):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # one that was ending anyway
    write(f"{here}/f", "after the kill")
    wait_for(lambda: read(f"{there}/f") == "after the kill", "a save after the agent was killed", 20)
    vma("sync", "flush", cwd=here)
    for i in range(1, 5):
        assert read(f"{there}/{i}/49") == f"{i} 49"
    stop(process)


def as_nobody(*words, code):
    """Root may read everything: somebody else, with a world of their own."""
    home = f"{world.dir}/nobody"
    os.makedirs(f"{home}/run", exist_ok=True)
    for path in (home, f"{home}/run"):
        os.chown(path, 65534, 65534)
        os.chmod(path, 0o700)
    os.chmod(world.dir, 0o755)
    env = {"HOME": home, "XDG_RUNTIME_DIR": f"{home}/run", "PATH": os.environ["PATH"]}
    done = subprocess.run([VMA, *words], env=env, capture_output=True, timeout=30, user=65534, group=65534,
                          extra_groups=[])
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout.decode() + done.stderr.decode()


def test_what_may_not_be_read_or_written_is_told_and_the_rest_goes_on():
    if os.getuid() != 0 or not world.local:
        return
    here, there = pair("denied")
    os.makedirs(f"{there}/closed")
    for path in ("good", "bad", "closed/a", "folder/a"):
        write(f"{here}/{path}", path)
    for folder, _, files in os.walk(os.path.dirname(here)):
        for path in [folder, *(os.path.join(folder, name) for name in files)]:
            os.chown(path, 65534, 65534)
    os.chown(f"{there}/closed", 0, 0)
    os.chmod(f"{here}/bad", 0)
    os.chmod(f"{here}/folder", 0)
    said = as_nobody("sync", "--once", here, to(there), code=69)
    for line in ("bad: open: Permission denied", "folder: open folder: Permission denied",
                 "closed/a: put in place: Permission denied"):
        assert f"vma: {line}" in said, said
    assert "in sync but for 3 that could not be done" in said, said
    assert read(f"{there}/good") == "good" and not os.path.exists(f"{there}/bad")
    os.chmod(f"{here}/bad", 0o644)
    os.chmod(f"{here}/folder", 0o755)
    os.chown(f"{there}/closed", 65534, 65534)
    write(f"{there}/secret", "of the other side")
    os.chown(f"{there}/secret", 65534, 65534)
    os.chmod(f"{there}/secret", 0)
    said = as_nobody("sync", "--once", "--mode", "two-way-safe", here, to(there), code=69)
    assert "secret: open: Permission denied" in said and "in sync but for 1 that" in said, said
    os.chmod(f"{there}/secret", 0o644)
    as_nobody("sync", "--once", "--mode", "two-way-safe", here, to(there), code=0)
    assert read(f"{here}/secret") == "of the other side"
    assert "in sync:" in as_nobody("sync", "--once", here, to(there), code=0)
    assert read(f"{there}/folder/a") == "folder/a" and read(f"{there}/closed/a") == "closed/a"


def test_a_folder_that_cannot_be_made_is_told_once():
    if os.getuid() != 0 or not world.local:
        return
    for made_here in (True, False):
        here, there = pair(f"nofolder-{made_here}")
        os.makedirs(there)
        source, target = (here, there) if made_here else (there, here)
        for path in ("good", "closed/sub/a", "closed/sub/deep/b"):
            write(f"{source}/{path}", path)
        os.makedirs(f"{target}/closed")
        for folder, _, files in os.walk(os.path.dirname(here)):
            for path in [folder, *(os.path.join(folder, name) for name in files)]:
                os.chown(path, 65534, 65534)
        os.chown(f"{target}/closed", 0, 0)
        said = as_nobody("sync", "--once", "-m", "two-way-safe", here, to(there), code=69)
        assert said.count("closed/sub: put in place: Permission denied") == 2, said
        assert said.count("Permission denied") == 2, said  # and the last line
        assert read(f"{target}/good") == "good"
        os.chown(f"{target}/closed", 65534, 65534)
        as_nobody("sync", "--once", "-m", "two-way-safe", here, to(there), code=0)
        assert read(f"{target}/closed/sub/deep/b") == "closed/sub/deep/b"


def test_a_full_disk_is_told_and_the_rest_goes_on():
    for full_here in (False, True):
        here, there = pair(f"full-{full_here}")
        os.makedirs(there, exist_ok=True)
        full, source = (here, there) if full_here else (there, here)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", full],
                          stderr=subprocess.DEVNULL).returncode:
            return  # not allowed here
        try:
            write(f"{source}/large", "x" * 1000000)
            write(f"{source}/small", "s")
            said = vma("sync", "--once", "-m", "two-way-safe", here, to(there), code=69)
            assert "large: " in said and "No space left on device" in said, said
            assert read(f"{full}/small") == "s" and not os.path.exists(f"{full}/large")
            assert os.path.getsize(f"{source}/large") == 1000000
            subprocess.run(["mount", "-o", "remount,size=8m", full], check=True)
            vma("sync", "--once", "-m", "two-way-safe", here, to(there))
            assert os.path.getsize(f"{full}/large") == 1000000
            assert sorted(os.listdir(full)) == ["large", "small"]
        finally:
            # The agent, which ends by itself after --once, may have it open for another moment.
            wait_for(lambda: subprocess.run(["umount", full], stderr=subprocess.DEVNULL).returncode == 0,
                     "the agent to let go")


def test_a_folder_on_a_disk_of_its_own_takes_part():
    here, there = pair("disk")
    os.makedirs(f"{there}/disk")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", f"{there}/disk"],
                      stderr=subprocess.DEVNULL).returncode:
        return  # not allowed here
    try:
        write(f"{there}/disk/.vma-stage-1", "of a run that was killed")
        write(f"{here}/disk/a", "a")
        write(f"{here}/disk/large", "l" * 1000000)
        os.symlink("a", f"{here}/disk/link")
        vma("sync", "--once", "-m", "two-way-safe", here, to(there))
        write(f"{here}/disk/a", "changed")
        os.rename(f"{here}/disk/large", f"{here}/large")
        vma("sync", "--once", "-m", "two-way-safe", here, to(there))
        assert read(f"{there}/disk/a") == "changed" and os.readlink(f"{there}/disk/link") == "a"
        assert os.path.getsize(f"{there}/large") == 1000000
        for side in (here, there):
            assert sorted(os.listdir(f"{side}/disk")) == ["a", "link"], os.listdir(f"{side}/disk")
    finally:
        wait_for(lambda: subprocess.run(["umount", f"{there}/disk"], stderr=subprocess.DEVNULL).returncode == 0,
                 "the agent to let go")


def test_odd_names_modes_and_empty_folders_arrive_and_clashes_are_told():
    here, there = pair("odd")
    names = [b"new\nline", b"not utf-8 \xff", b" spaces ", b"e\xcc\x81", b"\xc3\xa9", b"Case", b"case",
             b"-dash", b"$(touch x)"]
    for name in names:
        with open(os.path.join(here.encode(), name), "wb") as file:
            file.write(name)
    os.chmod(f"{here}/case", 0o751)
    os.makedirs(f"{here}/empty/below")
    os.mkfifo(f"{here}/fifo")
    os.symlink("/nowhere\nat all", f"{here}/broken")
    said = subprocess.run([VMA, "sync", "--once", here, to(there)], env=world.env, capture_output=True, timeout=30)
    assert said.returncode == 0, said
    told = said.stderr.decode()
    assert told.count("only in case or composition") == 2, told
    assert "fifo: skipped" in told, told
    for name in names:
        with open(os.path.join(there.encode(), name), "rb") as file:
            assert file.read() == name
    write(f"{here}/\x1b[31mred\n", "steers no terminal")
    process = start("--paused", here, to(there))
    wait_for(lambda: "create" in vma("sync", "diff", cwd=here, code=None), "what would be done")
    diff = vma("sync", "diff", cwd=here)
    assert diff.count("\n") == 1 and "\x1b" not in diff and "[31mred" in diff, diff
    stop(process)
    assert os.stat(f"{there}/case").st_mode & 0o777 == 0o751
    assert os.path.isdir(f"{there}/empty/below")
    assert os.readlink(f"{there}/broken") == "/nowhere\nat all"
    assert not os.path.exists(f"{there}/fifo")


def run_all():
    failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
            print(f"ok {world.host} {name}", flush=True)
        except Exception as failure:  # each is told, the rest goes on
            failed += 1
            print(f"FAILED {world.host} {name}: {failure}")
            traceback.print_exc(file=sys.stdout)
            for process in list(running):
                process.kill()
                process.wait()
                running.remove(process)
    return failed


failures = 0
for local in (True, False):
    world = World(VMA, local)
    try:
        failures += run_all()
    finally:
        world.close()
sys.exit(1 if failures else 0)
