# SPDX-License-Identifier: Apache-2.0
"""The tree that is synced: about 30,000 files and 500 MB of what this machine has (headers,
Python's library, documentation), filled up with text made from it."""
import os
import random
import shutil

SOURCES = ["/usr/include", "/usr/lib/python3", "/usr/share/doc", "/usr/lib/python3.11",
           "/usr/share/perl"]
FILES, BYTES = 30_000, 500_000_000


def copy_some(source, destination, budget):
    for folder, folders, files in os.walk(source):
        folders.sort()
        target = os.path.join(destination, os.path.relpath(folder, source))
        os.makedirs(target, exist_ok=True)
        for name in sorted(files):
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            size = os.path.getsize(path)
            if budget["files"] < 1 or budget["bytes"] < size:
                continue
            shutil.copyfile(path, os.path.join(target, name))
            budget["files"] -= 1
            budget["bytes"] -= size


def make(destination, scale=1.0):
    """scale 0.1 makes a tenth of it, for a quick look."""
    budget = {"files": int(FILES * scale), "bytes": int(BYTES * scale)}
    for source in SOURCES:
        if os.path.isdir(source):
            copy_some(source, os.path.join(destination, source.strip("/").replace("/", "_")),
                      budget)
    words = open("/usr/include/stdio.h", encoding="utf8").read().split()
    chance = random.Random(1)
    number = 0
    while budget["files"] > 0:
        number += 1
        size = max(200, budget["bytes"] // budget["files"])
        folder = os.path.join(destination, "made", str(number % 97))
        os.makedirs(folder, exist_ok=True)
        text = " ".join(chance.choices(words, k=size // 7))[:size]
        with open(os.path.join(folder, f"file{number}.txt"), "w", encoding="utf8") as f:
            f.write(text)
        budget["files"] -= 1
        budget["bytes"] -= len(text)
    return destination


def some_files(root, count, seed=1):
    """`count` paths below root, spread over it, of 1 to 32 kB."""
    chance = random.Random(seed)
    found = []
    for folder, folders, files in os.walk(root):
        folders.sort()
        found += [os.path.join(folder, name) for name in sorted(files)]
    chance.shuffle(found)
    picked = []
    for path in found:
        if 1000 < os.path.getsize(path) < 32_000:
            picked.append(path)
            if len(picked) == count:
                break
    return picked
