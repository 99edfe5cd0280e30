# SPDX-License-Identifier: Apache-2.0
"""Saves, batches, first copies, deltas and restarts, ours and the peers' in one run."""
import os
import random
import shutil
import subprocess
import time

import report
import tools
import tree

MAX_WAIT_S = 30


def seen(path, content):
    """Waits until `path` has `content`; returns the moment, or None after MAX_WAIT_S."""
    end = time.monotonic() + MAX_WAIT_S
    size = len(content)
    while True:
        now = time.monotonic()
        try:
            with open(path, "rb", buffering=0) as f:
                if f.read(size + 1) == content:
                    return now
        except OSError:
            pass
        if now > end:
            return None


def fresh(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def save_latency(host, source, work, rounds):
    """One file of 4 kB is written; how long until the other side has the new content, in ms."""
    results, details = {}, {}
    paths = tree.some_files(source, 40)
    for kind in tools.ALL:
        if not kind.available():
            continue
        destination = fresh(f"{work}/{kind.__name__}")
        subprocess.run(["cp", "-a", source + "/.", destination], check=True)
        tool = kind(host, source, destination)
        values, lost = [], 0
        try:
            tool.start()
            time.sleep(1)
            before = host.carried()
            count = rounds if kind is tools.Vma else max(5, rounds // 20)
            for number in range(count):
                path = paths[number % len(paths)]
                content = random.Random(f"{kind.name} {number}").randbytes(2000).hex().encode()
                begin = time.monotonic()
                with open(path, "wb") as f:
                    f.write(content)
                end = seen(path.replace(source, destination, 1), content)
                if end is None:
                    lost += 1
                else:
                    values.append((end - begin) * 1000)
                time.sleep(0.02 + random.random() * 0.02)
            if before is not None:
                details[kind.name] = f"{(host.carried() - before) / count / 1000:.1f} kB a save"
        except (TimeoutError, subprocess.CalledProcessError) as problem:
            details[kind.name] = str(problem)
        finally:
            tool.stop()
        results[kind.name] = values
        if values:
            details[kind.name] = (details.get(kind.name, "") +
                                  f" p99 {report.percentile(values, 99):.2f}" +
                                  (f", {lost} never came" if lost else ""))
        shutil.rmtree(destination, ignore_errors=True)
    report.compare(f"One 4 kB file saved → visible on the other side, {host.name}"
                   f" (one way {host.one_way_ms} ms)", "ms", results, digits=2, more=details)


def batch(host, source, work, rounds):
    """1,000 files change at once; how long from the last write until all are there, in ms."""
    results = {}
    paths = tree.some_files(source, 1000)
    for kind in tools.ALL:
        if not kind.available():
            continue
        destination = fresh(f"{work}/{kind.__name__}")
        subprocess.run(["cp", "-a", source + "/.", destination], check=True)
        tool = kind(host, source, destination)
        values = []
        try:
            tool.start()
            time.sleep(1)
            for number in range(rounds):
                contents = {}
                for path in paths:
                    with open(path, "rb") as f:
                        old = f.read()
                    contents[path] = f"/* {kind.name} {number} {os.path.basename(path)} */\n" \
                        .encode() + old[:32_000]
                for path, content in contents.items():
                    with open(path, "wb") as f:
                        f.write(content)
                begin = time.monotonic()
                end = begin
                for path, content in contents.items():
                    end = seen(path.replace(source, destination, 1), content)
                    if end is None:
                        raise TimeoutError("a file of the batch never came")
                values.append((max(end, begin) - begin) * 1000)
                time.sleep(2)
        except (TimeoutError, subprocess.CalledProcessError) as problem:
            print(f"{kind.name}: {problem}")
        finally:
            tool.stop()
        results[kind.name] = values
        shutil.rmtree(destination, ignore_errors=True)
    report.compare(f"1,000 files changed at once → all visible, {host.name}", "ms", results)


def first_copy(host, source, work, rounds):
    """An empty destination becomes the tree, in seconds."""
    ssh = " ".join(host.master())
    destination = f"{work}/copy"
    commands = {
        "tar | zstd | ssh": f"tar -C {source} -cf - . | zstd -3 -T0 | "
                            f"{ssh} peer 'mkdir -p {destination}; zstd -d | tar -C {destination} -xf -'",
        "rsync -az": f"rsync -az -e '{ssh}' {source}/ peer:{destination}/",
        "tar | ssh": f"tar -C {source} -cf - . | "
                     f"{ssh} peer 'mkdir -p {destination}; tar -C {destination} -xf -'",
    }
    results = {name: [] for name in (["vma"] if tools.Vma.available() else []) + list(commands)}
    details = {}
    for _ in range(rounds):
        for name in results:
            if name == "tar | ssh" and host.one_way_ms > 0:
                continue  # 42 s, and known to lose
            shutil.rmtree(destination, ignore_errors=True)
            before = host.carried()
            begin = time.monotonic()
            if name == "vma":
                tool = tools.Vma(host, source, destination)
                shutil.rmtree(tool.home, ignore_errors=True)
                os.makedirs(tool.home)
                tool.once()
            else:
                host.run(["bash", "-c", commands[name]])
            results[name].append(time.monotonic() - begin)
            if before is not None:
                details[name] = f"{(host.carried() - before) / 1e6:.1f} MB"
            if name == "vma":
                tool.stop()
    shutil.rmtree(destination, ignore_errors=True)
    report.compare(f"First copy of the tree, {host.name}", "s",
                   {name: values for name, values in results.items() if values}, digits=2,
                   more=details)


def large_file(host, work, rounds):
    """A few bytes change in the middle of 200 MB, in seconds, and what that costs in bytes."""
    source, destination = fresh(f"{work}/large"), fresh(f"{work}/large-copy")
    path = f"{source}/model.bin"
    with open(path, "wb") as f:
        chance = random.Random(7)
        for _ in range(200):
            f.write(chance.randbytes(1_000_000))
    results, details = {}, {}
    for kind in (tools.Vma, tools.RsyncLoop):
        if not kind.available():
            continue
        subprocess.run(["cp", "-a", path, destination], check=True)
        tool = kind(host, source, destination)
        values = []
        try:
            if kind is tools.Vma:
                tool.start()
                time.sleep(2)
            else:
                tool.once()
                time.sleep(1.2)
            before = host.carried()
            for number in range(rounds):
                marker = f"changed-{kind.__name__}-{number}".encode()
                with open(path, "r+b") as f:
                    f.seek(100_000_000 + number)
                    f.write(marker)
                begin = time.monotonic()
                if kind is tools.RsyncLoop:
                    tool.once()
                while True:
                    with open(f"{destination}/model.bin", "rb") as f:
                        f.seek(100_000_000 + number)
                        if f.read(len(marker)) == marker:
                            break
                    if time.monotonic() - begin > MAX_WAIT_S:
                        raise TimeoutError("the change never came")
                values.append(time.monotonic() - begin)
                time.sleep(1.2)  # rsync misses same-size edits within a second of the last run
            if before is not None:
                details[kind.name] = f"{(host.carried() - before) / rounds / 1000:.0f} kB"
        except (TimeoutError, subprocess.CalledProcessError) as problem:
            print(f"{kind.name}: {problem}")
        finally:
            tool.stop()
        results[kind.name] = values
    report.compare(f"A few bytes changed in a 200 MB file, {host.name}", "s", results, digits=3,
                   more=details)


def restart(host, source, work, rounds):
    """Nothing changed since the last run: how long until the tool knows, in seconds."""
    results = {}
    destination = fresh(f"{work}/restart")
    subprocess.run(["cp", "-a", source + "/.", destination], check=True)
    for kind in (tools.Vma, tools.RsyncLoop):
        if not kind.available():
            continue
        tool = kind(host, source, destination)
        values = []
        for number in range(rounds + 1):
            begin = time.monotonic()
            tool.once()
            if number > 0:
                values.append(time.monotonic() - begin)
        results[kind.name] = values
        tool.stop()
    report.compare(f"Restart with nothing changed, {host.name}", "s", results, digits=3)
    shutil.rmtree(destination, ignore_errors=True)
