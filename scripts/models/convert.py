# SPDX-License-Identifier: Apache-2.0
"""TFLite to ONNX, for the operators of MediaPipe's models.

Rank-4 tensors change from NHWC to NCHW; others keep their shape. Half-precision constants stay so
in the file and are widened by a Cast that the runtime folds when it loads the model.
"""
import struct

import numpy as np
from flatbuffers import flexbuffers
from onnx import TensorProto, helper, numpy_helper

SAME = 0
ACTIVATIONS = {0: None, 1: "Relu"}


class Graph:
    """ONNX nodes and constants as they are added."""

    def __init__(self):
        self.nodes, self.initializers, self.count, self.known = [], [], 0, {}

    def name(self, hint):
        self.count += 1
        return f"{hint}_{self.count}"

    def add(self, kind, *inputs, **attributes):
        output = self.name(kind.lower())
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, value, dtype=None):
        value = np.ascontiguousarray(value, dtype)
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self.known:
            stored = self.name("constant")
            self.initializers.append(numpy_helper.from_array(value, stored))
            half = value.dtype == np.float16
            self.known[key] = self.add("Cast", stored, to=TensorProto.FLOAT) if half else stored
        return self.known[key]

    def ints(self, *values):
        return self.constant(values, np.int64)

    def floats(self, values):
        return self.constant(values, np.float32)


class Converter:
    def __init__(self, model):
        self.model, self.graph, self.values = model, Graph(), {}
        for index in model.inputs:
            self.values[index] = "input"

    def run(self):
        for operator in self.model.operators:
            if operator.outputs[0] in self.model.constants:
                continue
            result = getattr(self, operator.kind.lower())(operator)
            self.values[operator.outputs[0]] = result
        return self.graph

    def shape(self, index):
        return self.model.shapes[index]

    def value(self, index):
        """A tensor by its TFLite number, in ONNX layout."""
        if index not in self.values:
            constant = self.model.constants[index]
            if constant.ndim == 4:
                constant = constant.transpose(0, 3, 1, 2)
            elif constant.ndim == 3 and constant.shape[:2] == (1, 1):
                constant = constant.reshape(-1, 1, 1)
            self.values[index] = self.graph.constant(constant)
        return self.values[index]

    def channels_last(self, index):
        """The tensor in TFLite's own order, whatever its rank."""
        shape, value = self.shape(index), self.value(index)
        if len(shape) != 4 or shape[1] * shape[2] == 1:
            return value
        return self.graph.add("Transpose", value, perm=[0, 2, 3, 1])

    def activate(self, value, code):
        kind = ACTIVATIONS[code]
        return self.graph.add(kind, value) if kind else value

    @staticmethod
    def same_padding(size, kernel, stride):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        return total // 2, total - total // 2

    def window(self, operator, kernel, stride):
        if operator.options.byte(0) != SAME:
            return [0, 0, 0, 0]
        _, height, width, _ = self.shape(operator.inputs[0])
        top, bottom = self.same_padding(height, kernel[0], stride[0])
        left, right = self.same_padding(width, kernel[1], stride[1])
        return [top, left, bottom, right]

    def convolve(self, operator, weights, group, activation):
        options = operator.options
        kernel, stride = weights.shape[2:], [options.int(2), options.int(1)]
        result = self.graph.add(
            "Conv", self.value(operator.inputs[0]), self.graph.constant(weights),
            self.value(operator.inputs[2]), kernel_shape=kernel, strides=stride, group=group,
            pads=self.window(operator, kernel, stride))
        return self.activate(result, activation)

    def conv_2d(self, operator):
        weights = self.model.constants[operator.inputs[1]].transpose(0, 3, 1, 2)
        return self.convolve(operator, weights, 1, operator.options.byte(3))

    def depthwise_conv_2d(self, operator):
        weights = self.model.constants[operator.inputs[1]].transpose(3, 0, 1, 2)
        return self.convolve(operator, weights, weights.shape[0], operator.options.byte(4))

    def convolution2dtransposebias(self, operator):
        _, stride_x, stride_y = struct.unpack("<3i", operator.custom)
        weights = self.model.constants[operator.inputs[1]].transpose(3, 0, 1, 2)
        assert weights.shape[2:] == (stride_y, stride_x)  # windows touch: nothing to crop
        return self.graph.add("ConvTranspose", self.value(operator.inputs[0]),
                              self.graph.constant(weights), self.value(operator.inputs[2]),
                              kernel_shape=weights.shape[2:], strides=[stride_y, stride_x])

    def max_pool_2d(self, operator):
        options = operator.options
        stride, kernel = [options.int(2), options.int(1)], [options.int(4), options.int(3)]
        return self.graph.add("MaxPool", self.value(operator.inputs[0]), kernel_shape=kernel,
                              strides=stride, pads=self.window(operator, kernel, stride))

    def average_pool_2d(self, operator):
        assert self.shape(operator.outputs[0])[1:3] == [1, 1]
        return self.graph.add("GlobalAveragePool", self.value(operator.inputs[0]))

    def prelu(self, operator):
        return self.graph.add("PRelu", *map(self.value, operator.inputs))

    def relu(self, operator):
        return self.graph.add("Relu", self.value(operator.inputs[0]))

    def logistic(self, operator):
        return self.graph.add("Sigmoid", self.value(operator.inputs[0]))

    def hard_swish(self, operator):
        return self.graph.add("HardSwish", self.value(operator.inputs[0]))

    def add(self, operator):
        result = self.graph.add("Add", *map(self.value, operator.inputs))
        return self.activate(result, operator.options.byte(0))

    def mul(self, operator):
        result = self.graph.add("Mul", *map(self.value, operator.inputs))
        return self.activate(result, operator.options.byte(0))

    def pad(self, operator):
        before, after = self.model.constants[operator.inputs[1]].T[:, [0, 3, 1, 2]]
        return self.graph.add("Pad", self.value(operator.inputs[0]),
                              self.graph.ints(*before, *after))

    def resize_bilinear(self, operator):
        assert operator.options.byte(3) == 1  # half-pixel centres
        _, height, width, channels = self.shape(operator.outputs[0])
        return self.graph.add("Resize", self.value(operator.inputs[0]), "", "",
                              self.graph.ints(1, channels, height, width), mode="linear",
                              coordinate_transformation_mode="half_pixel")

    def concatenation(self, operator):
        assert len(self.shape(operator.outputs[0])) == 3
        return self.graph.add("Concat", *map(self.value, operator.inputs),
                              axis=operator.options.int(0))

    def reshape(self, operator):
        value = self.channels_last(operator.inputs[0])
        shape = self.shape(operator.outputs[0])
        if len(shape) == 4:
            shape = [shape[0], shape[3], shape[1], shape[2]]
            assert shape[2] == shape[3] == 1
        return self.graph.add("Reshape", value, self.graph.ints(*shape))

    def strided_slice(self, operator):
        assert self.shape(operator.inputs[0]) == self.shape(operator.outputs[0])
        return self.value(operator.inputs[0])

    # The attention model's own operators: a square around some landmarks, turned upright.

    def landmarks2transformmatrix(self, operator):
        graph, points = self.graph, self.value(operator.inputs[0])
        options = flexbuffers.GetRoot(bytearray(operator.custom)).Value
        size = options["output_width"]
        flat = graph.add("Slice", points, graph.ints(0), graph.ints(2), graph.ints(2))

        def point(key):
            return graph.add("Gather", flat, graph.ints(options[key]), axis=1)

        across = graph.add("Sub", point("right_rotation_idx"), point("left_rotation_idx"))
        length = graph.add("ReduceL2", across, axes=[2])
        unit = graph.add("Div", across, graph.add("Max", length, graph.floats([1e-6])))
        swapped = graph.add("Gather", unit, graph.ints(1, 0), axis=2)
        normal = graph.add("Mul", swapped, graph.floats([-1, 1]))
        axes = graph.add("Concat", unit, normal, axis=1)  # rows: along the line, across it
        columns = graph.add("Transpose", axes, perm=[0, 2, 1])

        subset = graph.add("Gather", flat, graph.ints(*options["subset_idxs"]), axis=1)
        turned = graph.add("MatMul", subset, columns)
        low = graph.add("ReduceMin", turned, axes=[1])
        high = graph.add("ReduceMax", turned, axes=[1])
        middle = graph.add("Mul", graph.add("Add", low, high), graph.floats([0.5]))
        centre = graph.add("MatMul", middle, axes)
        step = graph.add("Mul", graph.add("Sub", high, low),
                         graph.floats([options["scale_x"] / size, options["scale_y"] / size]))
        linear = graph.add("Mul", columns, step)
        half = graph.add("ReduceSum", graph.add("Mul", linear, graph.floats([size / 2])),
                         graph.ints(2))
        column = graph.add("Sub", graph.add("Transpose", centre, perm=[0, 2, 1]), half)
        top = graph.add("Concat", linear, graph.floats([[[0], [0]]]), column, axis=2)
        bottom = graph.floats([[[0, 0, 1, 0], [0, 0, 0, 1]]])
        return graph.add("Concat", top, bottom, axis=1)

    def affine(self, matrix, homogeneous):
        """`matrix` [1,4,4] applied to points given as columns (x, y, 0, 1)."""
        top = self.graph.add("Slice", matrix, self.graph.ints(0), self.graph.ints(2),
                             self.graph.ints(1))
        return self.graph.add("MatMul", top, homogeneous)

    def transformtensorbilinear(self, operator):
        graph = self.graph
        _, height, width, _ = self.shape(operator.inputs[0])
        _, rows, columns, _ = self.shape(operator.outputs[0])
        y, x = np.mgrid[0:rows, 0:columns].reshape(2, -1) + 0.5
        grid = np.stack([x, y, 0 * x, 0 * x + 1])[None]
        places = graph.add("Transpose", self.affine(self.value(operator.inputs[1]),
                                                    graph.floats(grid)), perm=[0, 2, 1])
        scale = np.array([2 / (width - 1), 2 / (height - 1)])
        places = graph.add("Mul", places, graph.floats(scale))
        places = graph.add("Add", places, graph.floats(-0.5 * scale - 1))
        places = graph.add("Reshape", places, graph.ints(1, rows, columns, 2))
        return graph.add("GridSample", self.value(operator.inputs[0]), places, align_corners=1,
                         mode="bilinear", padding_mode="zeros")

    def transformlandmarks(self, operator):
        graph = self.graph
        points = graph.add("Transpose", self.value(operator.inputs[0]), perm=[0, 2, 1])
        count = self.shape(operator.inputs[0])[1]
        rest = graph.floats(np.array([[0.0] * count, [1.0] * count])[None])
        moved = self.affine(self.value(operator.inputs[1]),
                            graph.add("Concat", points, rest, axis=1))
        return graph.add("Transpose", moved, perm=[0, 2, 1])

    def subsets(self):
        """The landmarks that each region refines: lips, one eye, the other."""
        return [flexbuffers.GetRoot(bytearray(o.custom)).Value["subset_idxs"]
                for o in self.model.operators if o.kind == "Landmarks2TransformMatrix"]
