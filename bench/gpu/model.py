# SPDX-License-Identifier: Apache-2.0
"""Writes a network of BiRefNet's shape with random weights: a Swin-L backbone (dims 192 to 1536,
depths 2 2 18 2, windows of 12) and a convolutional decoder back to full size, with BiRefNet's
input and output. What it computes means nothing; how long it takes is what the real one takes, as
far as the backbone decides it (the real decoder adds deformable convolutions).

    model.py OUT.onnx [--half] [--batch N] [--side 1024] [--small]
"""
import argparse

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Net:
    def __init__(self, half, seed=1):
        self.nodes, self.weights, self.count = [], [], 0
        self.type = np.float16 if half else np.float32
        self.chance = np.random.default_rng(seed)

    def name(self):
        self.count += 1
        return f"t{self.count}"

    def weight(self, *shape, scale=None):
        fan = int(np.prod(shape[1:])) if len(shape) > 1 else shape[0]
        scale = scale if scale is not None else 1 / np.sqrt(max(fan, 1))
        values = self.chance.standard_normal(shape, dtype=np.float32) * scale
        return self.constant(values.astype(self.type))

    def constant(self, values):
        name = self.name()
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(self, kind, *inputs, **attributes):
        out = self.name()
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def reshape(self, x, *shape):
        return self.add("Reshape", x, self.constant(np.array(shape, np.int64)))

    def linear(self, x, width, out):
        return self.add("Add", self.add("MatMul", x, self.weight(width, out,
                                                                 scale=1 / np.sqrt(width))),
                        self.weight(out, scale=0.01))

    def norm(self, x, width):
        ones = self.constant(np.ones(width, self.type))
        return self.add("LayerNormalization", x, ones, self.weight(width, scale=0.01), axis=-1)

    def gelu(self, x):
        half = self.constant(np.array(0.5, self.type))
        root = self.constant(np.array(np.sqrt(0.5), self.type))
        one = self.constant(np.array(1.0, self.type))
        inner = self.add("Add", self.add("Erf", self.add("Mul", x, root)), one)
        return self.add("Mul", self.add("Mul", x, half), inner)

    def conv(self, x, width, out, size=3, stride=1):
        pad = size // 2 if stride == 1 else 0
        return self.add("Conv", x, self.weight(out, width, size, size),
                        self.weight(out, scale=0.01), kernel_shape=[size, size],
                        strides=[stride, stride], pads=[pad] * 4)


def block(net, x, batch, side, dim, heads, window):
    """One Swin block on [batch, side, side, dim]; side is a multiple of window."""
    each, many = dim // heads, side // window
    y = net.norm(x, dim)
    y = net.reshape(y, batch, many, window, many, window, dim)
    y = net.add("Transpose", y, perm=[0, 1, 3, 2, 4, 5])
    y = net.reshape(y, batch * many * many, window * window, dim)
    y = net.linear(y, dim, 3 * dim)
    y = net.reshape(y, batch * many * many, window * window, 3, heads, each)
    y = net.add("Transpose", y, perm=[2, 0, 3, 1, 4])
    parts = [net.add("Gather", y, net.constant(np.array(i, np.int64)), axis=0) for i in range(3)]
    scale = net.constant(np.array(each ** -0.5, net.type))
    key = net.add("Transpose", parts[1], perm=[0, 1, 3, 2])
    score = net.add("MatMul", net.add("Mul", parts[0], scale), key)
    score = net.add("Add", score, net.weight(heads, window * window, window * window, scale=0.02))
    y = net.add("MatMul", net.add("Softmax", score, axis=-1), parts[2])
    y = net.add("Transpose", y, perm=[0, 2, 1, 3])
    y = net.linear(net.reshape(y, batch * many * many, window * window, dim), dim, dim)
    y = net.reshape(y, batch, many, many, window, window, dim)
    y = net.add("Transpose", y, perm=[0, 1, 3, 2, 4, 5])
    x = net.add("Add", x, net.reshape(y, batch, side, side, dim))
    y = net.gelu(net.linear(net.norm(x, dim), dim, 4 * dim))
    return net.add("Add", x, net.linear(y, 4 * dim, dim))


def backbone(net, x, batch, side, dims, depths, window):
    """[batch, 3, side, side] to four maps of a quarter to a thirty-second of the side."""
    x = net.conv(x, 3, dims[0], 4, 4)
    x = net.add("Transpose", x, perm=[0, 2, 3, 1])
    maps, here = [], side // 4
    for stage, (dim, depth) in enumerate(zip(dims, depths)):
        padded = -(-here // window) * window
        if padded != here:
            pads = np.array([0, 0, 0, 0, 0, padded - here, padded - here, 0], np.int64)
            x = net.add("Pad", x, net.constant(pads))
        for _ in range(depth):
            x = block(net, x, batch, padded, dim, dim // 32, window)
        if padded != here:
            x = net.add("Slice", x, net.constant(np.array([0, 0], np.int64)),
                        net.constant(np.array([here, here], np.int64)),
                        net.constant(np.array([1, 2], np.int64)))
        maps.append((net.add("Transpose", x, perm=[0, 3, 1, 2]), dim, here))
        if stage < 3:
            x = net.reshape(x, batch, here // 2, 2, here // 2, 2, dim)
            x = net.add("Transpose", x, perm=[0, 1, 3, 2, 4, 5])
            x = net.linear(net.reshape(x, batch, here // 2, here // 2, 4 * dim), 4 * dim, 2 * dim)
            here //= 2
    return maps


def decoder(net, maps, side):
    x, width, _ = maps[-1]
    for index in range(3, -1, -1):
        skip, dim, here = maps[index]
        if index < 3:
            x = net.add("Resize", x, "", net.constant(np.array([1, 1, 2, 2], np.float32)),
                        mode="linear")
            x = net.add("Concat", x, skip, axis=1)
            width += dim
        out = max(dim // 2, 32)
        x = net.add("Relu", net.conv(x, width, out))
        x = net.add("Relu", net.conv(x, out, out))
        width = out
    x = net.add("Resize", x, "", net.constant(np.array([1, 1, 4, 4], np.float32)), mode="linear")
    x = net.add("Relu", net.conv(x, width, 32))
    return net.conv(x, 32, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--half", action="store_true")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--small", action="store_true", help="a hundredth of the work, for tests")
    options = parser.parse_args()
    net = Net(options.half)
    dims = (32, 64, 128, 256) if options.small else (192, 384, 768, 1536)
    depths = (1, 1, 2, 1) if options.small else (2, 2, 18, 2)
    x = "input_image"
    if options.half:
        x = net.add("Cast", x, to=TensorProto.FLOAT16)
    y = decoder(net, backbone(net, x, options.batch, options.side, dims, depths, 12), options.side)
    net.nodes.append(helper.make_node("Cast", [y], ["output_image"], to=TensorProto.FLOAT))
    shape = [options.batch, 3, options.side, options.side]
    graph = helper.make_graph(
        net.nodes, "birefnet-shaped",
        [helper.make_tensor_value_info("input_image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output_image", TensorProto.FLOAT,
                                       [options.batch, 1, options.side, options.side])],
        net.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, options.out)


if __name__ == "__main__":
    main()
