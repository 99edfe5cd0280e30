# SPDX-License-Identifier: Apache-2.0
"""Just enough of FlatBuffers to read a table by field number, without a compiled schema."""
import struct


class Table:
    def __init__(self, data, at):
        self.data, self.at = data, at
        self.vtable = at - struct.unpack_from("<i", data, at)[0]
        self.size = struct.unpack_from("<H", data, self.vtable)[0]

    @staticmethod
    def root(data):
        return Table(data, struct.unpack_from("<I", data, 0)[0])

    def offset(self, field):
        entry = 4 + 2 * field
        if entry >= self.size:
            return 0
        offset = struct.unpack_from("<H", self.data, self.vtable + entry)[0]
        return self.at + offset if offset else 0

    def scalar(self, field, kind, default=0):
        at = self.offset(field)
        return struct.unpack_from("<" + kind, self.data, at)[0] if at else default

    def byte(self, field, default=0):
        return self.scalar(field, "b", default)

    def int(self, field, default=0):
        return self.scalar(field, "i", default)

    def follow(self, field):
        at = self.offset(field)
        return at + struct.unpack_from("<I", self.data, at)[0] if at else 0

    def table(self, field):
        at = self.follow(field)
        return Table(self.data, at) if at else None

    def bytes(self, field):
        at = self.follow(field)
        if not at:
            return b""
        size = struct.unpack_from("<I", self.data, at)[0]
        return bytes(self.data[at + 4:at + 4 + size])

    def text(self, field):
        return self.bytes(field).decode()

    def ints(self, field):
        at = self.follow(field)
        if not at:
            return []
        count = struct.unpack_from("<I", self.data, at)[0]
        return list(struct.unpack_from(f"<{count}i", self.data, at + 4))

    def tables(self, field):
        at = self.follow(field)
        if not at:
            return []
        count = struct.unpack_from("<I", self.data, at)[0]
        places = range(at + 4, at + 4 + 4 * count, 4)
        return [Table(self.data, p + struct.unpack_from("<I", self.data, p)[0]) for p in places]
