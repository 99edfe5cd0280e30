# SPDX-License-Identifier: Apache-2.0
"""The trees that are synced, each about 30,000 files and 500 MB, put together from fixed parts:

"libraries" is headers, Python libraries and documentation, all that the pinned packages of the
group [bench] of scripts/deps.lock have of these (LIBRARIES), and the same everywhere.
"mixed" is what a developer has who works on several things at once, archives, models and programs
among it: PARTS, of the packages of scripts/debian-packages and the downloads of scripts/deps.lock.

describe(…) says what one came to, with a digest of its names and sizes.
python3 bench/remote/tree.py NAME FOLDER makes one and says what is in it."""
import collections
import hashlib
import os
import random
import shutil
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

LIBRARIES = ("include/", "src/", "lib/python3", "share/doc/", "share/man/")

# (folder, packages, what is taken of them, files at most, MB at most). What does not fit any more
# is left out, in the order of the packages and of the names in them.
PARTS = [
    ("native/include",
     "linux-libc-dev libc6-dev libstdc++-12-dev libglib2.0-dev libicu-dev libssl-dev libopenexr-dev "
     "libimath-dev x11proto-dev libxml2-dev libfreetype-dev libharfbuzz-dev libpango1.0-dev "
     "libvips-dev libavutil-dev libavcodec-dev libavformat-dev libhwy-dev libgsf-1-dev nettle-dev "
     "libsqlite3-dev libuv1-dev libcurl4-openssl-dev libhdf5-dev libmagickcore-6-headers "
     "libsepol-dev libtirpc-dev libxt-dev liborc-0.4-dev flite1-dev libfribidi-dev libx11-dev "
     "libwebp-dev libtiff-dev libpng-dev libjansson-dev libyaml-dev libmicrohttpd-dev",
     ["/usr/include/"], 5000, 60),
    ("native/build", "libgcc-12-dev libclang-rt-14-dev", ["/usr/lib/"], 500, 45),
    ("service/venv",
     "libpython3.11-minimal libpython3.11-stdlib python3-numpy python3-onnx python3-protobuf "
     "python3-fastapi python3-starlette python3-anyio python3-uvicorn python3-uvloop "
     "python3-pydantic python3-pkg-resources python3-yaml python3-click "
     "python3-lib2to3 python3-distutils python3-h11 python3-wsproto python3-colorama",
     ["/usr/lib/python3/", "/usr/lib/python3.11/"], 3000, 60),
    ("scripts/perl", "perl-modules-5.36 perl-base libperl5.36 libimage-exiftool-perl libdpkg-perl",
     ["/usr/share/perl", "/usr/lib/x86_64-linux-gnu/perl"], 3000, 60),
    ("scripts/shell", "zsh-common fish-common", ["/usr/share/zsh/", "/usr/share/fish/"], 3000, 30),
    ("scripts/cmake", "cmake-data autoconf automake", ["/usr/share/"], 4000, 12),
    ("web/icons", "adwaita-icon-theme", ["/usr/share/icons/"], 5600, 20),
    ("web/translations", "iso-codes", ["/usr/share/"], 700, 20),
    ("web/scripts", "libjs-moment libjs-bootstrap4 libjs-bootstrap libjs-jquery libjs-popper.js",
     ["/usr/share/"], 500, 10),
    ("scripts/tcl", "libtcl8.6 libtk8.6", ["/usr/share/"], 500, 5),
    ("data/zones", "tzdata", ["/usr/share/zoneinfo/"], 1000, 2),
    ("data/tables", "xkb-data libx11-data gdal-data libwacom-common", ["/usr/share/"], 1500, 10),
    ("docs/manual",
     "git-man man-db dpkg-dev openssl passwd procps iproute2 libimage-exiftool-perl libxt-dev "
     "libpcre2-dev dpkg debianutils libtiff-dev libselinux1-dev xz-utils perl binutils-common "
     "systemd coreutils util-linux libpam-modules e2fsprogs libtasn1-6-dev login apt tar",
     ["/usr/share/man/"], 3000, 10),
    ("docs/text",
     "git libimage-exiftool-perl fish-common zsh-common nettle-dev zlib1g-dev libgsf-1-dev "
     "libzstd-dev binutils-common python3-pydantic man-db prometheus lsyncd liblzma-dev "
     "libjs-bootstrap4 liblqr-1-0-dev libjs-rickshaw m4 ucf libffi-dev", ["/usr/share/doc/"], 1500, 30),
    ("models/speech", "pocketsphinx-en-us", ["/usr/share/"], 100, 40),
]
# (folder, where in this repository, files at most, MB at most)
OWN_PARTS = [
    ("web/node_modules", "web/node_modules", 2000, 95),
    ("models/vision", "models", 100, 10),
    ("web/assets", "assets", 100, 10),
    ("models/voices", ".deps/voices", 100, 10),
]
TEXT = ["native/include", "service/venv", "scripts", "web/scripts", "web/translations", "data",
        "docs"]
ARCHIVES = ("downloads", 45)  # the packages themselves, as they were downloaded


def installed(package):
    done = subprocess.run(["dpkg-query", "-L", package], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"the tree needs Debian's {package}: scripts/deps build run test bench")
    return sorted(done.stdout.splitlines())


def beneath(folder):
    if not os.path.isdir(folder):
        raise SystemExit(f"the tree needs {os.path.relpath(folder, ROOT)}: "
                         "scripts/deps build run test bench; make release web")
    for at, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            yield os.path.join(at, name)


def archives():
    """(cached file, name) of scripts/deps.lock for this machine; another's were not fetched."""
    with open(f"{ROOT}/scripts/deps.lock", encoding="utf8") as f:
        asked_for = False  # a group's rows are there only where somebody asked for them
        for row in f:
            words = row.split()
            asked_for = asked_for or row.startswith("[")
            if len(words) < 8 or words[0] not in ("deb", "npm", "node") or "arm64" in words[1]:
                continue
            if asked_for and words[0] != "node":
                continue
            path = f"{ROOT}/.deps/cache/{words[5]}"
            if os.path.exists(path):
                end = ".deb" if words[0] == "deb" else ".tgz"
                yield path, words[1].replace("/", "-") + "-" + words[2] + end


class Part:
    """Copies into one folder until it is full."""

    def __init__(self, folder, files, megabytes, every):
        self.folder, self.files, self.bytes = folder, files, megabytes * 1_000_000
        self.every, self.seen = every, 0

    def add(self, path, name):
        if os.path.islink(path) or not os.path.isfile(path):
            return
        size = os.path.getsize(path)
        self.seen += 1
        if self.seen % self.every or self.files < 1 or self.bytes < size:
            return
        target = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(path, target)
        self.files -= 1
        self.bytes -= size


def pinned():
    """The unpacked packages of the libraries, from scripts/deps.lock."""
    with open(f"{ROOT}/scripts/deps.lock", encoding="utf8") as f:
        for row in f:
            below = row.split()[-1] if row.strip() else ""
            if below.startswith("tree/"):
                yield f"{ROOT}/.deps/{below}"


def make_libraries(destination, every):
    part = Part(destination, sys.maxsize, sys.maxsize, every)
    for package in pinned():
        for path in beneath(package):
            name = os.path.relpath(path, package)
            if name.startswith(LIBRARIES):
                part.add(path, name)


def make_mixed(destination, every):
    for folder, packages, prefixes, files, megabytes in PARTS:
        part = Part(f"{destination}/{folder}", files, megabytes, every)
        for package in packages.split():
            for path in installed(package):
                for prefix in prefixes:
                    if path.startswith(prefix) and "/doc/" not in path.removeprefix(prefix):
                        part.add(path, path.removeprefix("/usr/"))
                        break
    for folder, own, files, megabytes in OWN_PARTS:
        part = Part(f"{destination}/{folder}", files, megabytes, every)
        for path in beneath(f"{ROOT}/{own}"):
            if "/.vite/" not in path:
                part.add(path, os.path.relpath(path, f"{ROOT}/{own}"))
    part = Part(f"{destination}/{ARCHIVES[0]}", 1000, ARCHIVES[1], every)
    for path, name in archives():
        part.add(path, name)


MAKE = {"libraries": make_libraries, "mixed": make_mixed}


def make(name, destination, scale=1.0):
    """scale 0.1 makes a tenth of it (every tenth file), for a quick look."""
    MAKE[name](destination, round(1 / scale))
    return destination


def describe(root):
    """What is in it, as lines: files and MB for each part, then for each ending."""
    parts, endings = (collections.defaultdict(lambda: [0, 0]) for _ in range(2))
    digest = hashlib.sha256()
    for path in beneath(root):
        name, size = os.path.relpath(path, root), os.path.getsize(path)
        digest.update(f"{name} {size}\n".encode())
        part = "/".join(name.split("/")[:2])
        part = part if part.count("/") and name.count("/") > 1 else name.split("/")[0]
        ending = os.path.splitext(name)[1] if len(os.path.splitext(name)[1]) < 8 else ""
        for key, table in ((part, parts), (ending or "(none)", endings)):
            table[key][0] += 1
            table[key][1] += size
    files = sum(count for count, _ in parts.values())
    size = sum(size for _, size in parts.values())
    lines = [f"{files} files, {size / 1e6:.1f} MB, digest {digest.hexdigest()[:12]}"]
    for table in (parts, endings):
        ordered = sorted(table.items(), key=lambda row: -row[1][1])[:24]
        lines += [f"{name:<20} {count:6} files {size / 1e6:7.1f} MB"
                  for name, (count, size) in ordered]
    return lines


def text_of(root, destination):
    """The text alone of the mixed tree (sources, headers, manuals, translations), at most 512 kB a
    file."""
    for part in TEXT:
        for path in beneath(f"{root}/{part}"):
            if os.path.getsize(path) < 512 * 1024:
                target = os.path.join(destination, os.path.relpath(path, root))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(path, target)
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


if __name__ == "__main__":
    sys.stdout.write("\n".join(describe(make(*sys.argv[1:3]))) + "\n")
