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
        try:
            with open(path, "rb", buffering=0) as f:
                if f.read(size + 1) == content:
                    return time.monotonic()
        except OSError:
            pass
        if time.monotonic() > end:
            return None
        time.sleep(0.0001)  # not to take a core from what is measured


def fresh(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def save_latency(host, source, work, rounds):
    """One file of 4 kB is written; how long until the other side has the new content, in ms."""
    results, details = {}, {}
    paths = tree.some_files(source, 40)
    for kind in tools.ALL if host.one_way_ms else tools.QUICK:
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
    for kind in tools.QUICK:
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


def first_copy(host, source, work, rounds, only=None):
    """An empty destination becomes the tree, in seconds. All use one multiplexed ssh connection but
    those with "new ssh", which open one of their own. `only`: names of tools."""
    ssh = " ".join(host.master())
    destination = f"{work}/copy"
    commands = {
        "tar | zstd | ssh": f"tar -C {source} -cf - . | zstd -3 -T0 | "
                            f"{ssh} peer 'mkdir -p {destination}; zstd -d | tar -C {destination} -xf -'",
        "rsync -az": f"rsync -az -e '{ssh}' {source}/ peer:{destination}/",
        "tar | ssh": f"tar -C {source} -cf - . | "
                     f"{ssh} peer 'mkdir -p {destination}; tar -C {destination} -xf -'",
    }
    ours = {"vma": tools.Vma(host, source, destination, shared=True)}
    if host.one_way_ms == 0:
        ours["vma, new ssh"] = tools.Vma(host, source, destination)
        commands["tar | ssh, new ssh"] = commands["tar | ssh"].replace(ssh, " ".join(host.ssh))
    results = {name: [] for name in list(ours) + list(commands) if not only or name in only}
    sent, idle = ({name: [] for name in results} for _ in range(2))
    for _ in range(rounds):
        for name in results:
            if name == "tar | ssh" and host.one_way_ms > 0:
                continue  # 42 s, and known to lose
            shutil.rmtree(destination, ignore_errors=True)
            if name in ours:
                ours[name].forget()
            before = host.carried()
            host.idle()
            begin = time.monotonic()
            if name in ours:
                ours[name].once()
            else:
                host.run(["bash", "-c", commands[name]])
            results[name].append(time.monotonic() - begin)
            if before is not None:
                sent[name].append((host.carried() - before) / 1e6)
                idle[name].append(host.idle())
    shutil.rmtree(destination, ignore_errors=True)
    files = sum(len(names) for _, _, names in os.walk(source))
    report.compare(f"First copy, {os.path.basename(source)}: {files} files, {host.name}", "s",
                   {name: values for name, values in results.items() if values}, digits=2,
                   more={name: f"{report.spread(sent[name])} MB, "
                               f"{report.spread(idle[name], 2)} s of it nothing"
                         for name in results if sent[name]})


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
                time.sleep(1.2)
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
    """Nothing changed since the last run: how long until the tool knows, in seconds. All use one
    multiplexed ssh connection but "vma, new ssh", which opens its own each time."""
    results = {}
    destination = fresh(f"{work}/restart")
    subprocess.run(["cp", "-a", source + "/.", destination], check=True)
    ways = {"vma": tools.Vma(host, source, destination, shared=True),
            "vma, new ssh": tools.Vma(host, source, destination),
            "rsync loop": tools.RsyncLoop(host, source, destination)}
    for name, tool in ways.items():
        values = []
        for number in range(rounds + 1):
            begin = time.monotonic()
            tool.once()
            if number > 0:
                values.append(time.monotonic() - begin)
        results[name] = values
    values = []
    for _ in range(rounds):
        begin = time.monotonic()
        host.run(host.ssh + ["peer", "true"])
        values.append(time.monotonic() - begin)
    results["(ssh peer true)"] = values
    report.compare(f"Restart with nothing changed, {host.name}", "s", results, digits=3)
    shutil.rmtree(destination, ignore_errors=True)


def resident(host, work, files):
    """Memory of both sides, and what they do when nothing happens."""
    source, destination = fresh(f"{work}/many"), fresh(f"{work}/many-copy")
    for number in range(files):
        folder = f"{source}/{number % 331}"
        if number < 331:
            os.makedirs(folder)
        with open(f"{folder}/some-module-{number}.py", "w", encoding="utf8") as f:
            f.write(f"number = {number}\n")
    tool = tools.Vma(host, source, destination)
    try:
        tool.start()
        time.sleep(2)
        client, agents = tool.processes()
        sides = {"laptop": client} | ({"agent": agents[-1]} if agents else {})
        before = {name: effort(pid) for name, pid in sides.items()}
        seconds = 20
        time.sleep(seconds)
        rows = []
        for name, pid in sides.items():
            cpu, wakes = (b - a for a, b in zip(before[name], effort(pid)))
            now, peak = memory(pid)
            rows.append([name, f"{now:.1f}", f"{peak:.1f}", f"{cpu / seconds * 100:.2f} %",
                         f"{wakes / seconds:.1f}"])
        report.table(f"{files} files in sync, {seconds} s idle, {host.name}",
                     ["", "resident MB", "peak MB", "one core", "wake-ups a second"], rows)
    except (TimeoutError, subprocess.CalledProcessError) as problem:
        print(f"memory: {problem}")
    finally:
        tool.stop()
        shutil.rmtree(source, ignore_errors=True)
        shutil.rmtree(destination, ignore_errors=True)


def memory(pid):
    """Resident now and at most, in MB."""
    with open(f"/proc/{pid}/status", encoding="utf8") as f:
        rows = dict(line.split(":", 1) for line in f if ":" in line)
    return [int(rows[key].split()[0]) * 1024 / 1e6 for key in ("VmRSS", "VmHWM")]


def effort(pid):
    """CPU seconds, and how often any thread went to sleep by itself."""
    cpu = wakes = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="utf8") as f:
            cpu += int(f.read().split()[0]) / 1e9
        with open(f"/proc/{pid}/task/{task}/status", encoding="utf8") as f:
            wakes += sum(int(line.split()[1]) for line in f if line.startswith("voluntary"))
    return cpu, wakes
