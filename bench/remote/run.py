# SPDX-License-Identifier: Apache-2.0
"""make bench-remote: vma beside what people use today, on loopback and over a 12 ms, 100 Mbit/s
line, in one run. Needs root (network namespaces). bench/remote/run.py --quick for small trees, and
words to pick measurements: copy save batch restart (of the libraries, or --tree mixed), mixed and
text (first copies of the mixed tree and of its text), large forward cut memory (with idle), or
bound (what a first copy could come to at best)."""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import bound  # noqa: E402
import far  # noqa: E402
import measure_forward as forward  # noqa: E402
import measure_sync as sync  # noqa: E402
import tree  # noqa: E402

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")


def build(folder, source):
    program = os.path.join(folder, os.path.basename(source)[:-2])
    subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-pthread", "-o", program,
                    os.path.join(ROOT, source)], check=True)
    return program


def cuts(host, pingpong, quick):
    forward.cut(host, pingpong, 10, "packets dropped")
    if quick:
        return
    for seconds, how in ((10, "interface down"), (0, "ssh killed"), (60, "packets dropped")):
        forward.cut(host, pingpong, seconds, how, only=["vma"])


class Trees:
    """Each is made when it is asked for."""

    def __init__(self, work, scale):
        self.work, self.scale, self.made = work, scale, {}

    def get(self, name):
        if name not in self.made:
            path = f"{self.work}/{name}"
            self.made[name] = tree.text_of(self.get("mixed"), path) if name == "text" \
                else tree.make(name, path, self.scale)
            print(f"\nThe tree “{name}”: {tree.describe(path)[0]}", flush=True)
        return self.made[name]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the tree, fewer rounds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hosts", default="lo,far")
    parser.add_argument("--tools", help="for copies: only these, with commas between them")
    parser.add_argument("--tree", choices=list(tree.MAKE), default="libraries")
    parser.add_argument("what", nargs="*")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):  # clean up then, too
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    work = tempfile.mkdtemp(prefix="vma-bench-", dir="/dev/shm")
    wanted = options.what or ["copy", "mixed", "text", "save", "batch", "restart", "large", "forward",
                              "cut", "memory"]
    rounds = options.rounds
    only = options.tools and options.tools.split(",")
    try:
        emulator = build(work, "tests/support/link_emulator.c")
        pingpong = build(work, "bench/remote/pingpong.c")
        trees = Trees(work, 0.1 if options.quick else 1.0)
        if "bound" in wanted:
            bound.smallest(trees.get(options.tree))
            wanted = [word for word in wanted if word != "bound"]
        for name in options.hosts.split(",") if wanted else []:
            host = far.Host() if name == "lo" else far.Far(emulator)
            try:
                for what, which in (("copy", options.tree), ("mixed", "mixed"), ("text", "text")):
                    if what in wanted:
                        sync.first_copy(host, trees.get(which), work, rounds, only)
                if "save" in wanted:
                    sync.save_latency(host, trees.get(options.tree), work,
                                      60 if options.quick else 200)
                if "batch" in wanted:
                    sync.batch(host, trees.get(options.tree), work, rounds)
                if "restart" in wanted:
                    sync.restart(host, trees.get(options.tree), work, rounds)
                if "large" in wanted:
                    sync.large_file(host, work, rounds)
                if "forward" in wanted:
                    forward.latency(host, pingpong, 400 if options.quick else 2000)
                if "cut" in wanted and name == "far":
                    cuts(host, pingpong, options.quick)
                if "memory" in wanted and name == "lo":
                    sync.resident(host, work, 10_000 if options.quick else 100_000)
            finally:
                host.close()
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
