"""Writes GGUF version 3: typed key-value pairs, then tensors. Only what ember needs."""

import io
import struct

UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
TENSOR_F32, TENSOR_F16 = 0, 1
ALIGNMENT = 32
FORMATS = {UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?"}


def text(value):
    data = value.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def scalar(kind, value):
    return text(value) if kind == STRING else struct.pack(FORMATS[kind], value)


def floats(values):
    return struct.pack(f"<{len(values)}f", *values)


def padding(size):
    return b"\0" * (-size % ALIGNMENT)


class Gguf:
    def __init__(self):
        self.pairs = []
        self.tensors = []

    def put(self, key, kind, value):
        """A list becomes an array of that kind."""
        if isinstance(value, list):
            body = struct.pack("<IIQ", ARRAY, kind, len(value))
            body += b"".join(scalar(kind, item) for item in value)
        else:
            body = struct.pack("<I", kind) + scalar(kind, value)
        self.pairs.append(text(key) + body)

    def tensor(self, name, shape, data, kind=TENSOR_F32):
        """The shape counts the fastest dimension first; data is the finished bytes, or something
        with a length and a write(file)."""
        self.tensors.append((name, shape, kind, data))

    def write(self, file):
        head = [b"GGUF" + struct.pack("<IQQ", 3, len(self.tensors), len(self.pairs)), *self.pairs]
        offset = 0
        for name, shape, kind, data in self.tensors:
            head.append(text(name) + struct.pack("<I", len(shape)))
            head.append(struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, offset))
            offset += len(data) + len(padding(len(data)))
        whole = b"".join(head)
        file.write(whole + padding(len(whole)))
        for _, _, _, data in self.tensors:
            if isinstance(data, bytes):
                file.write(data)
            else:
                data.write(file)
            file.write(padding(len(data)))

    def data(self):
        whole = io.BytesIO()
        self.write(whole)
        return whole.getvalue()
