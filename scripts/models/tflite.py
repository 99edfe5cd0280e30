# SPDX-License-Identifier: Apache-2.0
"""Reads a TFLite model: tensors, constants and operators in order."""
import numpy as np
from flatbuffer import Table

DTYPES = {0: "<f4", 1: "<f2", 2: "<i4"}
OPERATORS = {0: "ADD", 1: "AVERAGE_POOL_2D", 2: "CONCATENATION", 3: "CONV_2D",
             4: "DEPTHWISE_CONV_2D", 6: "DEQUANTIZE", 14: "LOGISTIC", 17: "MAX_POOL_2D",
             18: "MUL", 19: "RELU", 22: "RESHAPE", 23: "RESIZE_BILINEAR", 34: "PAD",
             45: "STRIDED_SLICE", 54: "PRELU", 117: "HARD_SWISH"}
CUSTOM = 32


class Operator:
    def __init__(self, kind, table):
        self.kind = kind
        self.inputs, self.outputs = table.ints(1), table.ints(2)
        self.options, self.custom = table.table(4), table.bytes(5)


class Model:
    def __init__(self, data):
        model = Table.root(data)
        graph = model.tables(2)[0]
        kinds = [self.kind(code) for code in model.tables(1)]
        buffers = [buffer.bytes(0) for buffer in model.tables(4)]
        tensors = graph.tables(0)
        self.names = [tensor.text(3) for tensor in tensors]
        self.shapes = [tensor.ints(0) for tensor in tensors]
        self.inputs, self.outputs = graph.ints(1), graph.ints(2)
        self.operators = [Operator(kinds[o.int(0)], o) for o in graph.tables(3)]
        self.constants = {}
        for index, tensor in enumerate(tensors):
            data = buffers[tensor.scalar(2, "I")]
            if data:
                self.constants[index] = np.frombuffer(data, DTYPES[tensor.byte(1)]).reshape(
                    self.shapes[index])
        for operator in self.operators:  # half-precision constants hide behind DEQUANTIZE
            if operator.kind == "DEQUANTIZE" and operator.inputs[0] in self.constants:
                self.constants[operator.outputs[0]] = self.constants[operator.inputs[0]]

    @staticmethod
    def kind(code):
        number = max(code.byte(0), code.int(3))
        return code.text(1) if number == CUSTOM else OPERATORS[number]
