#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the stub models beside this script: networks of a few operators that have the exact names,
shapes and types of the real ones, take what is bright for a person, and fit in a few kilobytes; and
models that are wrong in one way each. Needs python3-onnx.

BiRefNet: mean of the channels as logits. SAM 2: the same within the box that was asked for; of the
three masks the second is right and has the best score.
"""
import os

import numpy as np
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
F32, F16, I64, U8 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64, TensorProto.UINT8


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def add(self, kind, *inputs, to=None, **attributes):
        name = to or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def cast(self, value, kind, name=None):
        name = name or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node("Cast", [value], [name], to=kind))
        return name

    def constant(self, value, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def save(self, name, inputs, outputs, opset=16):
        ports = lambda all: [helper.make_tensor_value_info(*port) for port in all]
        model = helper.make_model(
            helper.make_graph(self.nodes, name, ports(inputs), ports(outputs), self.constants),
            opset_imports=[helper.make_opsetid("", opset)])
        model.ir_version = 8
        with open(os.path.join(HERE, name + ".onnx"), "wb") as file:
            file.write(model.SerializeToString(deterministic=True))


def bright(graph, image, gain=4.0):
    mean = graph.add("ReduceMean", image, axes=[1], keepdims=1)
    return graph.add("Mul", mean, graph.constant([gain]))


def birefnet(name, side=1024, ports=("input_image", "output_image"), kind=F32, finish=None,
             shape=None, out_shape=None):
    graph = Graph()
    image = ports[0]
    if kind != F32:
        image = graph.cast(image, F32)
    result = bright(graph, image)
    if finish:
        result = graph.add(finish, result)
    if kind == F16:
        graph.cast(result, F16, ports[1])
    else:
        graph.add("Identity", result, to=ports[1])
    graph.save(name, [(ports[0], kind, shape or [1, 3, side, side])],
               [(ports[1], kind if kind == F16 else F32, out_shape or [1, 1, side, side])])


def birefnet_scales():
    """A training export: the coarse masks come out as well, before the fine one."""
    graph = Graph()
    fine = bright(graph, "x")
    graph.add("AveragePool", fine, kernel_shape=[4, 4], strides=[4, 4], to="coarse")
    graph.add("Identity", fine, to="fine")
    graph.add("ReduceMean", "x", axes=[2, 3], keepdims=1, to="features")
    graph.save("birefnet_scales", [("x", F32, [1, 3, 256, 256])],
               [("coarse", F32, [1, 1, 64, 64]), ("features", F32, [1, 3, 1, 1]),
                ("fine", F32, [1, 1, 256, 256])])


def birefnet_nan():
    graph = Graph()
    graph.add("Log", graph.add("Mul", bright(graph, "x"), graph.constant([0.0])), to="l")
    graph.add("Sub", "l", "l", to="y")
    graph.save("birefnet_nan", [("x", F32, [1, 3, 64, 64])], [("y", F32, [1, 1, 64, 64])])


def from_the_future():
    """In an operator set that no runtime knows yet."""
    graph = Graph()
    graph.add("Identity", bright(graph, "x"), to="y")
    graph.save("wrong_opset", [("x", F32, [1, 3, 64, 64])], [("y", F32, [1, 1, 64, 64])], opset=999)


def with_weights_elsewhere(name, file):
    """Its constant is in a file beside it."""
    graph = Graph()
    graph.add("Identity", bright(graph, "x"), to="y")
    constant = graph.constants[0]
    weights = constant.raw_data
    constant.ClearField("raw_data")
    constant.data_location = TensorProto.EXTERNAL
    entry = constant.external_data.add()
    entry.key, entry.value = "location", file
    graph.save(name, [("x", F32, [1, 3, 64, 64])], [("y", F32, [1, 1, 64, 64])])
    return weights


def weights_beside():
    with open(os.path.join(HERE, "birefnet_weights.data"), "wb") as file:
        file.write(with_weights_elsewhere("birefnet_external", "birefnet_weights.data"))
    with_weights_elsewhere("wrong_external", "weights.bin")  # which is not there


def birefnet_slow():
    """Takes as long as the picture is bright: grey no time at all, white for ever. Every tenth of
    the mean of the normalised input makes it ten times as long."""
    graph = Graph()
    mean = graph.add("ReduceMean", "x", axes=[0, 1, 2, 3], keepdims=0)
    exponent = graph.add("Mul", graph.add("Sub", mean, graph.constant(1.0)), graph.constant(10.0))
    rounds = graph.add("Pow", graph.constant(10.0), graph.add("Min", exponent, graph.constant(14.0)))
    body = helper.make_graph(
        [helper.make_node("Identity", ["go_on"], ["still"]),
         helper.make_node("Mul", ["state", "state"], ["next"])], "body",
        [helper.make_tensor_value_info("round", I64, []),
         helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
         helper.make_tensor_value_info("state", F32, [])],
        [helper.make_tensor_value_info("still", TensorProto.BOOL, []),
         helper.make_tensor_value_info("next", F32, [])])
    end = graph.add("Loop", graph.cast(rounds, I64), "", graph.constant(1.0), body=body)
    graph.add("Mul", bright(graph, "x"), end, to="y")
    graph.save("birefnet_slow", [("x", F32, [1, 3, 256, 256])], [("y", F32, [1, 1, 256, 256])])


FEATURES = [("high_res_feats_0", 32, 256), ("high_res_feats_1", 64, 128), ("image_embed", 256, 64)]


def encoder(name, image, outputs):
    graph = Graph()
    mean = graph.add("ReduceMean", image, axes=[1], keepdims=1)
    for output, channels, side in outputs:
        pool = 1024 // side
        small = graph.add("AveragePool", mean, kernel_shape=[pool, pool], strides=[pool, pool])
        shape = graph.constant([1, channels, side, side], np.int64)
        graph.add("Expand", small, shape, to=output)
    graph.save(name, [(image, F32, [1, 3, 1024, 1024])],
               [(output, F32, [1, c, s, s]) for output, c, s in outputs])


def masked(graph, features, left, top, right, bottom):
    """Logits [1,3,256,256] from the first channel of `features`, -10 outside of the box (numbers
    in pixels of 1024)."""
    first = graph.add("Slice", features, graph.constant([0], np.int64),
                      graph.constant([1], np.int64), graph.constant([1], np.int64))
    centres = (np.arange(256) + 0.5) * 4
    x = graph.constant(centres.reshape(1, 1, 1, 256))
    y = graph.constant(centres.reshape(1, 1, 256, 1))
    inside = graph.add("And", graph.add("Greater", x, left), graph.add("Less", x, right))
    inside = graph.add("And", inside, graph.add("Greater", y, top))
    inside = graph.add("And", inside, graph.add("Less", y, bottom))
    logits = graph.add("Mul", first, graph.constant(np.array([-4, 4, 1]).reshape(1, 3, 1, 1)))
    return graph.add("Where", inside, logits, graph.constant([-10.0]))


def number(graph, tensor, *index):
    """One number of a tensor, as a tensor of rank 1."""
    for position in index:
        tensor = graph.add("Gather", tensor, graph.constant(position, np.int64), axis=0)
    return graph.add("Reshape", tensor, graph.constant([1], np.int64))


def corner(graph, coords, labels, label):
    """x and y of the first point that has this label."""
    equal = graph.add("Equal", labels, graph.constant([float(label)]))
    index = graph.add("ArgMax", graph.cast(equal, F32), axis=1, keepdims=0)
    flat = graph.add("Reshape", coords, graph.constant([-1, 2], np.int64))
    point = graph.add("Gather", flat, index, axis=0)
    row = graph.add("Reshape", point, graph.constant([2], np.int64))
    return number(graph, row, 0), number(graph, row, 1)


def sam2():
    encoder("sam2_encoder", "image", FEATURES)
    graph = Graph()
    left, top = corner(graph, "point_coords", "point_labels", 2)
    right, bottom = corner(graph, "point_coords", "point_labels", 3)
    logits = masked(graph, "high_res_feats_0", left, top, right, bottom)
    # The other inputs count for nothing, but must be there.
    rest = graph.add("ReduceMean", "mask_input", axes=[0, 1, 2, 3], keepdims=0)
    rest = graph.add("Add", rest, number(graph, "has_mask_input", 0))
    for features in ("high_res_feats_1", "image_embed"):
        mean = graph.add("ReduceMean", features, axes=[0, 1, 2, 3], keepdims=0)
        rest = graph.add("Add", rest, graph.add("Mul", mean, graph.constant([0.0])))
    graph.add("Add", logits, rest, to="masks")
    graph.add("Identity", graph.constant([[0.1, 0.9, 0.3]]), to="iou_predictions")
    graph.save("sam2_decoder",
               [("image_embed", F32, [1, 256, 64, 64]),
                ("high_res_feats_0", F32, [1, 32, 256, 256]),
                ("high_res_feats_1", F32, [1, 64, 128, 128]),
                ("point_coords", F32, ["num_labels", "num_points", 2]),
                ("point_labels", F32, ["num_labels", "num_points"]),
                ("mask_input", F32, ["num_labels", 1, 256, 256]), ("has_mask_input", F32, [1])],
               [("masks", F32, [1, 3, 256, 256]), ("iou_predictions", F32, [1, 3])])


HUB = [("image_embeddings.0", 32, 256), ("image_embeddings.1", 64, 128),
       ("image_embeddings.2", 256, 64)]


def sam2_hub():
    encoder("sam2_hub_encoder", "pixel_values", HUB)
    graph = Graph()
    sides = [number(graph, "input_boxes", 0, 0, i) for i in range(4)]
    logits = masked(graph, "image_embeddings.0", *sides)
    rest = graph.constant([0.0])
    for features in ("image_embeddings.1", "image_embeddings.2", "input_points"):
        mean = graph.add("ReduceMean", features, axes=[0, 1, 2, 3], keepdims=0)
        rest = graph.add("Add", rest, graph.add("Mul", mean, graph.constant([0.0])))
    labels = graph.cast("input_labels", F32)
    mean = graph.add("ReduceMean", labels, axes=[0, 1, 2], keepdims=0)
    rest = graph.add("Add", rest, graph.add("Mul", mean, graph.constant([0.0])))
    masks = graph.add("Add", logits, rest)
    graph.add("Reshape", masks, graph.constant([1, 1, 3, 256, 256], np.int64), to="pred_masks")
    graph.add("Identity", graph.constant([[[0.1, 0.9, 0.3]]]), to="iou_scores")
    graph.add("Identity", graph.constant([[[5.0]]]), to="object_score_logits")
    graph.save("sam2_hub_decoder",
               [("input_points", F32, [1, 1, "num_points", 2]),
                ("input_labels", I64, [1, 1, "num_points"]),
                ("input_boxes", F32, [1, "num_boxes", 4])] +
               [(name, F32, [1, c, s, s]) for name, c, s in HUB],
               [("iou_scores", F32, [1, 1, 3]), ("pred_masks", F32, [1, 1, 3, 256, 256]),
                ("object_score_logits", F32, [1, 1, 1])])


birefnet("birefnet")
birefnet("birefnet_512", side=512, ports=("pixel_values", "logits"))
birefnet("birefnet_fp16", side=256, kind=F16)
birefnet("birefnet_sigmoid", side=256, finish="Sigmoid")
birefnet("birefnet_dynamic", shape=["batch", 3, "height", "width"],
         out_shape=["batch", 1, "height", "width"])
birefnet_scales()
birefnet_nan()
birefnet_slow()
from_the_future()
weights_beside()
birefnet("wrong_rank", shape=[3, 64, 64], out_shape=None)
birefnet("wrong_channels", shape=[1, 4, 64, 64], out_shape=[1, 1, 64, 64])
birefnet("wrong_size", shape=[1, 3, 60000, 60000], out_shape=[1, 1, 60000, 60000])
sam2()
sam2_hub()

graph = Graph()
graph.cast("x", F32, "y")
graph.save("wrong_type", [("x", U8, [1, 3, 64, 64])], [("y", F32, [1, 3, 64, 64])])
graph = Graph()
graph.add("Identity", "x", to="y")
graph.save("wrong_output", [("x", F32, [1, 3, 64, 64])], [("y", F32, [1, 3, 64, 64])])
