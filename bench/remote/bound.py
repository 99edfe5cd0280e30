# SPDX-License-Identifier: Apache-2.0
"""What a first copy could come to at best: the content alone, each file once, through zstd at
several levels with a window of 8 MiB, and how long the 100 Mbit/s line takes for that. No names, no
hashes, no headers, and as if compressing took no time."""
import hashlib
import os
import subprocess
import time

import report

LINE = 12_500_000  # bytes a second
LEVELS = (1, 3, 7, 8, 9, 12)


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


def smallest(root):
    paths, rows = contents(root), []
    for level in LEVELS:
        begin = time.monotonic()
        with subprocess.Popen(["zstd", f"-{level}", "--long=23", "--single-thread", "-c"],
                              stdin=subprocess.PIPE,
                              stdout=open(f"{root}.zst", "wb")) as zstd:
            for path in paths:
                with open(path, "rb") as f:
                    zstd.stdin.write(f.read())
            zstd.stdin.close()
        size = os.path.getsize(f"{root}.zst")
        rows.append([level, f"{size / 1e6:.1f}", f"{size / LINE:.2f}",
                     f"{time.monotonic() - begin:.1f}"])
    os.unlink(f"{root}.zst")
    report.table("What a first copy could come to: the content alone, in one zstd stream",
                 ["level", "MB", "s on the line", "s of one processor"], rows)
