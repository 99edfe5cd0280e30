#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/server/media/face_mesh.c from the geometry metadata inside @mediapipe/face_mesh.

usage: face_mesh_table.py face_mesh_solution_packed_assets.data > src/server/media/face_mesh.c
"""
import struct
import sys

METADATA = slice(3737848, 3757224)
VERTICES = 468


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 5:
            value, at = data[at:at + 4], at + 4
        elif wire == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            raise SystemExit(f"wire type {wire} is not expected here")
        yield key >> 3, value


def rows(items, per_row):
    for start in range(0, len(items), per_row):
        print("    " + ", ".join(items[start:start + per_row]) + ",")


def main():
    with open(sys.argv[1], "rb") as source:
        metadata = source.read()[METADATA]
    mesh = next(value for number, value in fields(metadata) if number == 1)
    floats = [struct.unpack("<f", value)[0] for number, value in fields(mesh) if number == 3]
    assert len(floats) == VERTICES * 5
    vertices = [floats[i:i + 5] for i in range(0, len(floats), 5)]
    number = lambda value: f"{value:.6g}f" if "." in f"{value:.6g}" else f"{value:.6g}.0f"
    group = lambda values: "{" + ", ".join(values) + "}"

    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by scripts/face_mesh_table.py from MediaPipe's canonical face model. */")
    print('#include "media/face_mesh.h"\n')
    print("/* clang-format off */")
    print("const struct point3 face_mesh_vertices[FACE_MESH_VERTICES] = {")
    rows([group([number(v) for v in vertex[:3]]) for vertex in vertices], 3)
    print("};")


main()
