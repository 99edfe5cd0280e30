#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes models/ from the npm packages of MediaPipe.

usage: make_models.py FACE_MESH_PACKAGE SELFIE_PACKAGE OUT

The two packages are folders as `npm pack` and `tar x` leave them: @mediapipe/face_mesh
0.4.1657299874 and @mediapipe/selfie_segmentation 0.1.1675465747. Needs python3-onnx,
python3-flatbuffers and python3-numpy. The same input always gives the same bytes.
"""
import hashlib
import json
import os
import sys

from arrange import arrange
from convert import Converter
from onnx import TensorProto, checker, helper
from tflite import Model

ASSETS = "face_mesh_solution_packed_assets.data"
LANDMARKS, DETECTION = slice(0, 2495952), slice(3757224, 3986256)
SELFIE = "selfie_segmentation.tflite"
POINTS = 468
IRIS_DEPTH = 16  # the first points of an eye's subset are the contours of its lids


def flat(converter, index, shape):
    graph = converter.graph
    return graph.add("Reshape", converter.channels_last(index), graph.ints(*shape))


def detector(converter, outputs):
    boxes, scores = (converter.values[index] for index in outputs)
    return {"boxes": (boxes, [1, 896, 16]), "scores": (scores, [1, 896, 1])}


def segmenter(converter, outputs):
    return {"matte": (converter.values[outputs[0]], [1, 1, 256, 256])}


def landmarks(converter, outputs):
    """Lips, eyes and irises go to their places in the mesh: one list of 478 points comes out."""
    graph, subsets = converter.graph, converter.subsets()
    mesh = flat(converter, outputs[0], [1, POINTS, 3])
    depth = graph.add("Slice", mesh, graph.ints(2), graph.ints(3), graph.ints(2))
    plane = graph.add("Slice", mesh, graph.ints(0), graph.ints(2), graph.ints(2))
    counts = [80, 71, 71, 5, 5]
    parts = [flat(converter, i, [1, n, 2]) for i, n in zip(outputs[1:6], counts)]
    places = list(range(POINTS))
    start = POINTS
    for subset in subsets:
        for offset, index in enumerate(subset):
            places[index] = start + offset
        start += len(subset)
    places += range(start, start + 10)
    plane = graph.add("Gather", graph.add("Concat", plane, *parts, axis=1),
                      graph.ints(*places), axis=1)
    depths = [depth]
    for subset in subsets[1:]:
        lids = graph.add("Gather", depth, graph.ints(*subset[:IRIS_DEPTH]), axis=1)
        depths += [graph.add("ReduceMean", lids, axes=[1])] * 5
    points = graph.add("Concat", plane, graph.add("Concat", *depths, axis=1), axis=2)
    face = graph.add("Sigmoid", flat(converter, outputs[6], [1, 1]))
    return {"points": (points, [1, POINTS + 10, 3]), "score": (face, [1, 1])}


def write(path, data, finish, doc):
    model = Model(data)
    converter = Converter(model)
    graph = converter.run()
    results = finish(converter, model.outputs)
    for name, (value, _) in results.items():
        graph.nodes.append(helper.make_node("Identity", [value], [name]))
    _, height, width, channels = model.shapes[model.inputs[0]]
    onnx = helper.make_model(
        helper.make_graph(
            graph.nodes, os.path.basename(path),
            [helper.make_tensor_value_info("input", TensorProto.FLOAT,
                                           [1, channels, height, width])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
             for name, (_, shape) in results.items()], graph.initializers),
        opset_imports=[helper.make_opsetid("", 16)], producer_name="make_models.py",
        doc_string=doc)
    onnx.ir_version = 8
    if finish is segmenter:
        arrange(onnx)
    checker.check_model(onnx)
    with open(path, "wb") as file:
        file.write(onnx.SerializeToString(deterministic=True))


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    face_mesh, selfie, out = sys.argv[1:]
    assets = read(os.path.join(face_mesh, ASSETS))
    segmentation = read(os.path.join(selfie, SELFIE))
    doc = "MediaPipe, Copyright The MediaPipe Authors, Apache-2.0; converted to ONNX"
    made = [
        ("face_detection", "faces", assets[DETECTION], detector),
        ("face_landmarks", "landmarks", assets[LANDMARKS], landmarks),
        ("selfie_segmentation", "portrait", segmentation, segmenter),
    ]
    manifest = {"models": []}
    for name, kind, data, finish in made:
        path = os.path.join(out, name + ".onnx")
        write(path, data, finish, doc)
        manifest["models"].append({
            "name": name, "version": "1", "kind": kind, "file": name + ".onnx",
            "sha256": digest(path), "bytes": os.path.getsize(path), "licence": "Apache-2.0",
            "source_sha256": hashlib.sha256(data).hexdigest()})
    with open(os.path.join(out, "manifest.json"), "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=2)
        file.write("\n")


main()
