# SPDX-License-Identifier: Apache-2.0
"""Networks for the measurements: the embedded one as OpenCV can read it, and stand-ins with the
large ones' exact tensors and random weights. They find everything to be a person, since what they
miss would be looked for again. A picture takes them about a second of a core, where the real ones
take several (LAYERS=n: 30 ms each).

    models.py widen IN OUT | models.py stubs FOLDER
"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS = int(os.environ.get("LAYERS", "40"))

def widen(source, target):
    """Half-precision constants become single, and HardSwish the two operators that it is."""
    model = onnx.load(source)
    halves = {i.name: i for i in model.graph.initializer if i.data_type == TensorProto.FLOAT16}
    for node in list(model.graph.node):
        if node.op_type == "Cast" and node.input[0] in halves:
            wide = numpy_helper.to_array(halves[node.input[0]]).astype(np.float32)
            model.graph.initializer.append(numpy_helper.from_array(wide, node.output[0]))
            model.graph.node.remove(node)
    for half in halves.values():
        model.graph.initializer.remove(half)
    model.opset_import[0].version = 13
    for node in list(model.graph.node):
        if node.op_type != "HardSwish":
            continue
        inner = node.output[0] + "_h"
        sigmoid = helper.make_node("HardSigmoid", [node.input[0]], [inner], alpha=1 / 6, beta=0.5)
        product = helper.make_node("Mul", [node.input[0], inner], [node.output[0]])
        at = list(model.graph.node).index(node)
        model.graph.node.remove(node)
        model.graph.node.insert(at, product)
        model.graph.node.insert(at, sigmoid)
    onnx.save(model, target)


class Graph:
    def __init__(self):
        self.nodes, self.weights, self.count = [], [], 0
        self.random = np.random.default_rng(1)

    def name(self):
        self.count += 1
        return f"t{self.count}"

    def add(self, kind, inputs, output=None, **attributes):
        output = output or self.name()
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, value):
        name = self.name()
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def conv(self, source, channels, kernel=3, stride=1, output=None):
        fan = channels[0] * kernel * kernel
        weight = self.random.normal(0, (2 / fan) ** 0.5, (channels[1], channels[0], kernel, kernel))
        pad = (kernel - stride + 1) // 2 if stride > 1 else kernel // 2
        return self.add("Conv", [source, self.constant(weight.astype(np.float32))], output,
                        strides=[stride] * 2, pads=[pad] * 4)

    def surely(self, logits, output=None):
        """Far above 0, not all of them as far."""
        return self.add("Add", [self.add("Sigmoid", [logits]), self.constant(np.float32(6))],
                        output)

    def trunk(self, source, layers):
        """[1,3,1024,1024] to [1,64,256,256]."""
        at = self.add("Relu", [self.conv(source, (3, 64), 4, 4)])
        for _ in range(layers):
            at = self.add("Relu", [self.conv(at, (64, 64))])
        return at

    def save(self, path, inputs, outputs):
        def info(name, shape):
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, "stub", [info(*i) for i in inputs],
                                  [info(*o) for o in outputs], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        onnx.checker.check_model(model)
        onnx.save(model, path)


def birefnet(path, layers):
    graph = Graph()
    at = graph.surely(graph.conv(graph.trunk("input_image", layers), (64, 1), 1))
    graph.add("Resize", [at, "", graph.constant(np.float32([1, 1, 4, 4]))], "output_image",
              mode="linear")
    graph.save(path, [("input_image", [1, 3, 1024, 1024])],
               [("output_image", [1, 1, 1024, 1024])])


def sam2(encoder, decoder, layers):
    graph = Graph()
    at = graph.trunk("image", layers)
    graph.conv(at, (64, 32), 1, output="high_res_feats_0")
    half = graph.add("MaxPool", [at], kernel_shape=[2, 2], strides=[2, 2])
    graph.conv(half, (64, 64), 1, output="high_res_feats_1")
    quarter = graph.add("MaxPool", [half], kernel_shape=[2, 2], strides=[2, 2])
    graph.conv(quarter, (64, 256), 1, output="image_embed")
    features = [("high_res_feats_0", [1, 32, 256, 256]), ("high_res_feats_1", [1, 64, 128, 128]),
                ("image_embed", [1, 256, 64, 64])]
    graph.save(encoder, [("image", [1, 3, 1024, 1024])], features)

    graph = Graph()
    large = graph.surely(graph.conv("high_res_feats_0", (32, 3), 1))
    prompt = graph.add("ReduceSum", ["point_coords"], keepdims=0)
    for other in ("point_labels", "mask_input", "has_mask_input", "high_res_feats_1",
                  "image_embed"):
        prompt = graph.add("Add", [prompt, graph.add("ReduceMean", [other], keepdims=0)])
    none = graph.add("Mul", [prompt, graph.constant(np.float32(0))])
    graph.add("Add", [large, none], "masks")
    graph.add("Add", [graph.constant(np.float32([[0.2, 0.9, 0.4]])), none], "iou_predictions")
    graph.save(decoder, features + [
        ("point_coords", ["labels", "points", 2]), ("point_labels", ["labels", "points"]),
        ("mask_input", ["labels", 1, 256, 256]), ("has_mask_input", ["labels"])],
        [("masks", ["labels", 3, 256, 256]), ("iou_predictions", ["labels", 3])])


if __name__ == "__main__":
    if sys.argv[1] == "widen":
        widen(sys.argv[2], sys.argv[3])
    else:
        birefnet(f"{sys.argv[2]}/birefnet.onnx", LAYERS)
        sam2(f"{sys.argv[2]}/sam2_encoder.onnx", f"{sys.argv[2]}/sam2_decoder.onnx", LAYERS)
