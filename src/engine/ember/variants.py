"""Variants of ember with the shapes of the larger family: for what depends on a model's shape alone
(memory, placement, projectors), where ember's own six layers would not do.

  rows     per-layer embeddings and layers that share a cache, as E2B and E4B have them
  experts  routed experts beside a shared network, as 26B-A4B has them
  dense    neither; window layers with more K/V heads than full ones, as 12B and 31B have them
  projector  turns images into the input of any of the three

Random weights that hardly matter: every block adds next to nothing to the embedding it got, and the
output head is a table from each word of one sentence to the next. So a variant says SENTENCE
whatever it is asked, while every kind of layer of the engine really runs.
"""

import random
import struct

import gguf
import phrases
from model import write_tokenizer
from vocabulary import CONTROL, Vocabulary

KINDS = ("rows", "experts", "dense")
SENTENCE = "I am a variant of ember and I know nothing."
WIDTH, QUERY_HEADS, FEED = 256, 4, 128
HEAD_FULL, HEAD_WINDOW, WINDOW, CONTEXT = 64, 32, 128, 131072
EXPERTS, EXPERTS_USED, EXPERT_FEED = 4, 2, 64
WHISPER = 0.01  # gain of what a block adds
LEAD = 24.0     # of the next word over every other one
SHARE = 0.75    # of a token's squared length that is its own; the rest is the same for all


class Shape:
    def __init__(self, kind):
        rows = kind == "rows"
        self.windows = [True, True, True, not rows, True, False]
        self.rows = 16 if rows else 0            # width of the per-layer embeddings
        self.shared = 2 if rows else 0           # last layers without a cache of their own
        self.window_heads = 1 if rows else 2
        self.experts = EXPERTS if kind == "experts" else 0
        # Layers that share a cache have twice the neurons.
        self.feeds = [FEED * (2 if layer >= 6 - self.shared else 1) for layer in range(6)]


class Writer:
    def __init__(self, seed):
        self.file, self.random = gguf.Gguf(), random.Random(seed)

    def noise(self, name, *shape):
        count = 1
        for size in shape:
            count *= size
        gauss = self.random.gauss
        self.file.tensor(name, shape, gguf.floats([gauss(0.0, 0.05) for _ in range(count)]))

    def gain(self, name, count, value=1.0):
        self.file.tensor(name, (count,), gguf.floats([value] * count))

    def put(self, prefix, pairs):
        for key, kind, value in pairs:
            self.file.put(prefix + key, kind, value)


def followers(vocabulary):
    """Each token of the sentence by the one before it; it begins behind a turn's newline."""
    chain = [vocabulary.ids["\n"], *vocabulary.encode(SENTENCE), vocabulary.ids[phrases.TURN_END]]
    assert len(set(chain)) == len(chain), "a word of the sentence comes twice"
    return dict(zip(chain, chain[1:]))


def write_tokens(writer, vocabulary):
    follow = followers(vocabulary)
    axis = {token: number for number, token in enumerate(follow)}
    own, same = SHARE ** 0.5, (1 - SHARE) ** 0.5
    before = {after: token for token, after in follow.items()}
    scale = WIDTH ** -0.5  # a normed state has the length sqrt(WIDTH)
    pack = struct.Struct(f"<{WIDTH}e").pack
    embeddings, heads = [], []
    for token in range(len(vocabulary.tokens)):
        row, head = [0.0] * WIDTH, [0.0] * WIDTH
        if token in axis:
            row[axis[token]] = own
        else:
            rest = [writer.random.gauss(0, 1) for _ in range(WIDTH - 1 - len(axis))]
            length = sum(x * x for x in rest) ** 0.5
            row[len(axis):WIDTH - 1] = [own * x / length for x in rest]
        row[-1] = same
        if token in before:
            head[axis[before[token]]] = LEAD * scale / own
        elif vocabulary.types[token] == CONTROL:
            head[-1] = -10.0 * scale / same
        embeddings.append(pack(*row))
        heads.append(pack(*head))
    count = len(vocabulary.tokens)
    write = writer.file.tensor
    write("token_embd.weight", (WIDTH, count), b"".join(embeddings), gguf.TENSOR_F16)
    write("output.weight", (WIDTH, count), b"".join(heads), gguf.TENSOR_F16)
    writer.gain("output_norm.weight", WIDTH)


def write_layer(writer, kind, shape, layer):
    name, windowed = f"blk.{layer}.", shape.windows[layer]
    head = HEAD_WINDOW if windowed else HEAD_FULL
    keys = head * (shape.window_heads if windowed else 1)
    noise, gain, feed = writer.noise, writer.gain, shape.feeds[layer]
    gain(name + "attn_norm.weight", WIDTH)
    noise(name + "attn_q.weight", WIDTH, head * QUERY_HEADS)
    gain(name + "attn_q_norm.weight", head)
    if layer < 6 - shape.shared:
        noise(name + "attn_k.weight", WIDTH, keys)
        gain(name + "attn_k_norm.weight", head)
        # Full layers of the large sizes use their keys as values.
        if kind == "rows" or windowed:
            noise(name + "attn_v.weight", WIDTH, keys)
    noise(name + "attn_output.weight", head * QUERY_HEADS, WIDTH)
    for part, value in (("post_attention_norm", WHISPER), ("ffn_norm", 1.0),
                        ("post_ffw_norm", WHISPER)):
        gain(f"{name}{part}.weight", WIDTH, value)
    gain(name + "layer_output_scale.weight", 1)
    for part, sizes in (("gate", (WIDTH, feed)), ("up", (WIDTH, feed)), ("down", (feed, WIDTH))):
        noise(f"{name}ffn_{part}.weight", *sizes)
    if shape.experts:
        write_experts(writer, name)
    if shape.rows:
        noise(name + "inp_gate.weight", WIDTH, shape.rows)
        noise(name + "proj.weight", shape.rows, WIDTH)
        gain(name + "post_norm.weight", WIDTH, WHISPER)


def write_experts(writer, name):
    writer.noise(name + "ffn_gate_inp.weight", WIDTH, EXPERTS)
    writer.gain(name + "ffn_gate_inp.scale", WIDTH)
    writer.gain(name + "pre_ffw_norm_2.weight", WIDTH)
    writer.gain(name + "post_ffw_norm_1.weight", WIDTH, WHISPER)
    writer.gain(name + "post_ffw_norm_2.weight", WIDTH, WHISPER)
    writer.noise(name + "ffn_gate_up_exps.weight", WIDTH, 2 * EXPERT_FEED, EXPERTS)
    writer.noise(name + "ffn_down_exps.weight", EXPERT_FEED, WIDTH, EXPERTS)
    writer.gain(name + "ffn_down_exps.scale", EXPERTS)


def write_metadata(writer, kind, shape):
    u32, f32, flag, string = gguf.UINT32, gguf.FLOAT32, gguf.BOOL, gguf.STRING
    writer.put("general.", [("architecture", string, "gemma4"), ("type", string, "model"),
                            ("name", string, "variant of ember: " + kind),
                            ("description", string, phrases.DESCRIPTION),
                            ("file_type", u32, 0), ("sampling.temp", f32, 0.0)])
    heads = [shape.window_heads if windowed else 1 for windowed in shape.windows]
    writer.put("gemma4.", [
        ("context_length", u32, CONTEXT), ("embedding_length", u32, WIDTH),
        ("embedding_length_per_layer_input", u32, shape.rows), ("block_count", u32, 6),
        ("feed_forward_length", u32, shape.feeds), ("attention.head_count", u32, QUERY_HEADS),
        ("attention.head_count_kv", u32, heads), ("attention.key_length", u32, HEAD_FULL),
        ("attention.value_length", u32, HEAD_FULL), ("attention.key_length_swa", u32, HEAD_WINDOW),
        ("attention.value_length_swa", u32, HEAD_WINDOW),
        ("attention.layer_norm_rms_epsilon", f32, 1e-6),
        ("attention.sliding_window", u32, WINDOW),
        ("attention.sliding_window_pattern", flag, shape.windows),
        ("attention.shared_kv_layers", u32, shape.shared),
        ("rope.freq_base", f32, 1e6), ("rope.freq_base_swa", f32, 1e4),
        ("rope.dimension_count", u32, HEAD_FULL), ("rope.dimension_count_swa", u32, HEAD_WINDOW),
        ("final_logit_softcapping", f32, 30.0)])
    if shape.experts:
        writer.put("gemma4.", [("expert_count", u32, EXPERTS),
                               ("expert_used_count", u32, EXPERTS_USED),
                               ("expert_feed_forward_length", u32, EXPERT_FEED)])


def build(kind):
    """The finished file of one of KINDS as bytes; the same every time."""
    vocabulary, shape, writer = Vocabulary(), Shape(kind), Writer(4)
    write_tokens(writer, vocabulary)
    turning = HEAD_FULL // 8  # pairs that turn with the position; the others never do
    turns = [1.0] * turning + [1e30] * (HEAD_FULL // 2 - turning)
    writer.file.tensor("rope_freqs.weight", (HEAD_FULL // 2,), gguf.floats(turns))
    if shape.rows:
        writer.noise("per_layer_token_embd.weight", shape.rows * 6, len(vocabulary.tokens))
        writer.noise("per_layer_model_proj.weight", WIDTH, shape.rows * 6)
        writer.gain("per_layer_proj_norm.weight", shape.rows)
    for layer in range(6):
        write_layer(writer, kind, shape, layer)
    write_metadata(writer, kind, shape)
    write_tokenizer(writer.file, vocabulary)
    return writer.file.data()


def build_projector():
    """A vision projector of two small blocks for any variant."""
    writer, width, heads, feed, patch, table = Writer(5), 64, 4, 128, 16, 256
    u32 = gguf.UINT32
    writer.put("general.", [("architecture", gguf.STRING, "clip"), ("type", gguf.STRING, "mmproj")])
    writer.put("clip.", [
        ("has_vision_encoder", gguf.BOOL, True), ("use_gelu", gguf.BOOL, True),
        ("vision.projector_type", gguf.STRING, "gemma4v"), ("vision.image_size", u32, 224),
        ("vision.patch_size", u32, patch), ("vision.embedding_length", u32, width),
        ("vision.feed_forward_length", u32, feed), ("vision.projection_dim", u32, WIDTH),
        ("vision.block_count", u32, 2), ("vision.attention.head_count", u32, heads),
        ("vision.projector.scale_factor", u32, 3),
        ("vision.attention.layer_norm_epsilon", gguf.FLOAT32, 1e-6),
        ("vision.image_mean", gguf.FLOAT32, [0.0] * 3),
        ("vision.image_std", gguf.FLOAT32, [1.0] * 3)])
    writer.noise("v.patch_embd.weight", patch, patch, 3, width)
    writer.noise("v.position_embd.weight", width, table, 2)
    for block in range(2):
        name = f"v.blk.{block}."
        for part in ("ln1", "ln2", "attn_post_norm", "ffn_post_norm"):
            writer.gain(f"{name}{part}.weight", width)
        for part in ("attn_q_norm", "attn_k_norm"):
            writer.gain(f"{name}{part}.weight", width // heads)
        for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
            writer.noise(f"{name}{part}.weight", width, width)
        writer.noise(name + "ffn_gate.weight", width, feed)
        writer.noise(name + "ffn_up.weight", width, feed)
        writer.noise(name + "ffn_down.weight", feed, width)
    writer.noise("mm.input_projection.weight", width, WIDTH)
    return writer.file.data()
