#!/usr/bin/env python3
"""Writes a model file of the shape and size of a real Gemma 4, with weights drawn at random:

    bench/full_size.py e2b|e4b|12b|26b|31b FILE

What it says is noise. How much memory it takes and how fast it is read and written with are those
of the real size, so a machine can be measured before 3 to 18 GB are fetched for it, and where
nothing can be fetched. Python's standard library only; as fast as the disk. Shapes: the model cards
and llama.cpp's loader, as in src/models/catalogue.toml; widths of the networks follow from the
number of parameters. Types as in the official QAT files: Q4_0, embeddings of tokens Q6_K.
"""
import os
import pathlib
import random
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "src/engine/ember"))

import gguf  # noqa: E402
import phrases  # noqa: E402
from model import write_tokenizer  # noqa: E402
from vocabulary import NORMAL, Vocabulary  # noqa: E402

Q4_0, Q6_K = 2, 14
# Type: weights of a block, bytes of a block, the number that its scale stands for (an f16), and how
# widely the whole numbers scatter that it multiplies.
BLOCKS = {Q4_0: (32, 18, 4.6), Q6_K: (256, 210, 18.5)}
TOKENS, ROWS, HEAD_WINDOW, HEAD_FULL = 262144, 256, 256, 512
PIECE = 4096  # blocks drawn; a tensor repeats them


class Shape:
    def __init__(self, layers, width, feed, heads, kv_window, kv_full, **more):
        self.layers, self.width, self.feed, self.heads = layers, width, feed, heads
        self.kv_window, self.kv_full = kv_window, kv_full
        self.full_every = more.get("full_every", 6)
        self.window = more.get("window", 1024)
        self.context = more.get("context", 262144)
        self.rows = more.get("rows", 0)      # width of the per-layer embeddings
        self.shared = more.get("shared", 0)  # last layers without a cache of their own
        self.experts, self.expert_feed = more.get("experts", 0), 704

    def windowed(self, layer):
        return layer % self.full_every != self.full_every - 1

    def feed_of(self, layer):
        """E2B's layers that share a cache have twice the neurons."""
        return self.feed * (2 if self.shared == 20 and layer >= self.layers - self.shared else 1)


SHAPES = {
    "e2b": Shape(35, 1536, 6144, 8, 1, 1, full_every=5, window=512, context=131072, rows=ROWS,
                 shared=20),
    "e4b": Shape(42, 2560, 10240, 8, 2, 2, window=512, context=131072, rows=ROWS, shared=18),
    "12b": Shape(48, 3840, 15360, 16, 8, 1),
    "26b": Shape(30, 2816, 2112, 16, 8, 2, experts=128),
    "31b": Shape(60, 5376, 21504, 32, 16, 4),
}


class Noise:
    """A tensor's data, made as it is written. Its numbers scatter by `scatter`."""

    def __init__(self, kind, weights, scatter):
        block, self.block_bytes, spread = BLOCKS[kind]
        assert weights % block == 0
        self.kind, self.size = kind, weights // block * self.block_bytes
        self.scale = struct.pack("<e", scatter / spread)

    def __len__(self):
        return self.size

    def piece(self):
        draw = random.Random(4).randbytes(PIECE * self.block_bytes)
        if self.kind == Q4_0:
            blocks = (self.scale + draw[at + 2:at + self.block_bytes]
                      for at in range(0, len(draw), self.block_bytes))
        else:
            ones = b"\1" * 16
            blocks = (draw[at:at + 192] + ones + self.scale
                      for at in range(0, len(draw), self.block_bytes))
        return b"".join(blocks)

    def write(self, file):
        piece = self.piece() * 16
        for _ in range(self.size // len(piece)):
            file.write(piece)
        file.write(piece[:self.size % len(piece)])


class Model:
    def __init__(self, shape):
        self.shape, self.file = shape, gguf.Gguf()

    def matrix(self, name, *sizes, kind=Q4_0):
        count = 1
        for size in sizes:
            count *= size
        self.file.tensor(name + ".weight", sizes, Noise(kind, count, sizes[0] ** -0.5), kind)

    def gain(self, name, count, value=1.0):
        self.file.tensor(name, (count,), gguf.floats([value] * count))

    def plain(self, name, *sizes):
        gauss, count = random.Random(5).gauss, sizes[0] * sizes[1]
        drawn = [gauss(0.0, sizes[0] ** -0.5) for _ in range(4999)]
        numbers = (drawn * (count // len(drawn) + 1))[:count]
        self.file.tensor(name + ".weight", sizes, gguf.floats(numbers))

    def network(self, name, width, feed):
        self.matrix(name + "ffn_gate", width, feed)
        self.matrix(name + "ffn_up", width, feed)
        self.matrix(name + "ffn_down", feed, width)

    def attention(self, name, layer):
        shape, windowed = self.shape, self.shape.windowed(layer)
        head = HEAD_WINDOW if windowed else HEAD_FULL
        keys = head * (shape.kv_window if windowed else shape.kv_full)
        self.matrix(name + "attn_q", shape.width, head * shape.heads)
        self.gain(name + "attn_q_norm.weight", head)
        if layer < shape.layers - shape.shared:
            self.matrix(name + "attn_k", shape.width, keys)
            self.gain(name + "attn_k_norm.weight", head)
            # Full layers of the large sizes use their keys as values.
            if shape.rows or windowed:
                self.matrix(name + "attn_v", shape.width, keys)
        self.matrix(name + "attn_output", head * shape.heads, shape.width)

    def experts(self, name):
        width, feed, count = self.shape.width, self.shape.expert_feed, self.shape.experts
        self.plain(name + "ffn_gate_inp", width, count)
        self.gain(name + "ffn_gate_inp.scale", width)
        for part in ("pre_ffw_norm_2", "post_ffw_norm_1", "post_ffw_norm_2"):
            self.gain(f"{name}{part}.weight", width)
        self.matrix(name + "ffn_gate_up_exps", width, 2 * feed, count)
        self.matrix(name + "ffn_down_exps", feed, width, count)
        self.gain(name + "ffn_down_exps.scale", count)

    def layer(self, layer):
        shape, name = self.shape, f"blk.{layer}."
        for part in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
            self.gain(f"{name}{part}.weight", shape.width)
        self.attention(name, layer)
        self.gain(name + "layer_output_scale.weight", 1)
        self.network(name, shape.width, shape.feed_of(layer))
        if shape.experts:
            self.experts(name)
        if shape.rows:
            self.matrix(name + "inp_gate", shape.width, shape.rows)
            self.matrix(name + "proj", shape.rows, shape.width)
            self.gain(name + "post_norm.weight", shape.width)

    def tensors(self):
        shape = self.shape
        self.matrix("token_embd", shape.width, TOKENS, kind=Q6_K)
        self.gain("output_norm.weight", shape.width)
        turning = HEAD_FULL // 8  # pairs that turn with the position; the others never do
        turns = [1.0] * turning + [1e30] * (HEAD_FULL // 2 - turning)
        self.file.tensor("rope_freqs.weight", (HEAD_FULL // 2,), gguf.floats(turns))
        if shape.rows:
            self.matrix("per_layer_token_embd", shape.rows * shape.layers, TOKENS)
            self.matrix("per_layer_model_proj", shape.width, shape.rows * shape.layers)
            self.gain("per_layer_proj_norm.weight", shape.rows)
        for layer in range(shape.layers):
            self.layer(layer)

    def metadata(self, size):
        shape, u32, f32, string = self.shape, gguf.UINT32, gguf.FLOAT32, gguf.STRING
        windows = [shape.windowed(layer) for layer in range(shape.layers)]
        for key, kind, value in [
                ("general.architecture", string, "gemma4"), ("general.type", string, "model"),
                ("general.name", string, f"random weights in the shape of Gemma 4 {size}"),
                ("general.description", string, phrases.DESCRIPTION),
                ("general.file_type", u32, Q4_0)]:
            self.file.put(key, kind, value)
        more = [("expert_count", u32, shape.experts), ("expert_used_count", u32, 8),
                ("expert_feed_forward_length", u32, shape.expert_feed)] if shape.experts else []
        for key, kind, value in [
                ("context_length", u32, shape.context), ("embedding_length", u32, shape.width),
                ("embedding_length_per_layer_input", u32, shape.rows),
                ("block_count", u32, shape.layers),
                ("feed_forward_length", u32, [shape.feed_of(n) for n in range(shape.layers)]),
                ("attention.head_count", u32, shape.heads),
                ("attention.head_count_kv", u32,
                 [shape.kv_window if windowed else shape.kv_full for windowed in windows]),
                ("attention.key_length", u32, HEAD_FULL),
                ("attention.value_length", u32, HEAD_FULL),
                ("attention.key_length_swa", u32, HEAD_WINDOW),
                ("attention.value_length_swa", u32, HEAD_WINDOW),
                ("attention.layer_norm_rms_epsilon", f32, 1e-6),
                ("attention.sliding_window", u32, shape.window),
                ("attention.sliding_window_pattern", gguf.BOOL, windows),
                ("attention.shared_kv_layers", u32, shape.shared),
                ("rope.freq_base", f32, 1e6), ("rope.freq_base_swa", f32, 1e4),
                ("rope.dimension_count", u32, HEAD_FULL),
                ("rope.dimension_count_swa", u32, HEAD_WINDOW),
                ("final_logit_softcapping", f32, 30.0), *more]:
            self.file.put("gemma4." + key, kind, value)


def write_model(size, path):
    """Writes the file; it appears whole or not at all."""
    model, vocabulary = Model(SHAPES[size]), Vocabulary()
    for number in range(len(vocabulary.tokens), TOKENS):
        vocabulary.add(f"word{number}{phrases.SPACE}", NORMAL)
    model.tensors()
    model.metadata(size)
    write_tokenizer(model.file, vocabulary)
    with open(path + ".part", "wb") as file:
        model.file.write(file)
    os.replace(path + ".part", path)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in SHAPES:
        print(__doc__, file=sys.stderr)
        return 2
    write_model(sys.argv[1], sys.argv[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
