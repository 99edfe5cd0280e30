# SPDX-License-Identifier: Apache-2.0
"""What a first copy could come to at best: the content alone, each file once, through zstd at
several levels and with windows of 8 to 128 MiB, and how long the 100 Mbit/s line takes for that. No
names, no hashes, no headers, and as if compressing took no time. Beside it what the peers make of
the tree, with names and without headers."""
import hashlib
import os
import re
import subprocess
import time

import report

LINE = 12_500_000  # bytes a second
STREAMS = ((1, 23), (3, 23), (7, 23), (8, 23), (9, 23), (12, 23), (8, 24), (8, 25), (8, 27), (12, 25))


def contents(root):
    """Every content once, in the order in which vma sends: kind by kind, folder after folder."""
    seen, found = set(), []
    for at, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(at, name)
            with open(path, "rb") as f:
                digest = hashlib.file_digest(f, "sha256").digest()
            if digest not in seen:
                seen.add(digest)
                found.append((os.path.splitext(name)[1], len(found), path))
    return [path for _, _, path in sorted(found)]


def in_one_stream(paths, level, window_log):
    """Bytes."""
    with subprocess.Popen(["bash", "-c", f"zstd -{level} --long={window_log} --single-thread | wc -c"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as zstd:
        for path in paths:
            with open(path, "rb") as f:
                zstd.stdin.write(f.read())
        zstd.stdin.close()
        return int(zstd.stdout.read())


def by_tar(root):
    done = subprocess.run(f"tar -C {root} -cf - . | zstd -3 -T0 | wc -c", shell=True, check=True,
                          stdout=subprocess.PIPE)
    return int(done.stdout)


def by_rsync(root):
    """Both directions, through a stand-in for ssh that runs the command here."""
    done = subprocess.run(["rsync", "-az", "--stats", "-e", "sh -c 'shift; exec \"$@\"' sh", f"{root}/",
                           f"peer:{root}-copy/"], check=True, stdout=subprocess.PIPE, text=True)
    subprocess.run(["rm", "-r", f"{root}-copy"], check=True)
    return sum(int(number.replace(",", ""))
               for number in re.findall(r"Total bytes (?:sent|received): ([\d,]+)", done.stdout))


def smallest(root):
    paths, rows = contents(root), []
    ways = {"tar, zstd -3": lambda: by_tar(root), "rsync -az": lambda: by_rsync(root)}
    for level, log in STREAMS:
        ways[f"level {level}, {1 << log >> 20} MiB"] = \
            lambda level=level, log=log: in_one_stream(paths, level, log)
    for name, way in ways.items():
        begin = time.monotonic()
        size = way()
        rows.append([name, f"{size / 1e6:.1f}", f"{size / LINE:.2f}", f"{time.monotonic() - begin:.1f}"])
    report.table("What a first copy could come to: the content alone, in one zstd stream",
                 ["", "MB", "s on the line", "s here"], rows)
