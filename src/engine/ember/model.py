"""Puts ember together: layers, embeddings, output head and metadata."""

import pathlib
import struct

import gguf
import layers
import phrases
from network import (CONST, GLOBAL_BASE, GLOBAL_PAIRS, HEAD, RESIDUAL_RMS, SLOTS, WIDTH, WINDOW,
                     WINDOW_BASE, Layer)
from speech import Speech
from vocabulary import CONTROL, Vocabulary

SILENCE = -96.0  # score of a token nobody wants; the wanted one has 6 * 24 more
MARKS = {"xA": [phrases.MODEL_TURN, phrases.THOUGHT[3]], "xR": phrases.REPEAT,
         "xC": phrases.CODE_WORD, "xT": [phrases.SAMPLE_CALL],
         "mU": [phrases.USER_TURN, phrases.REMINDER_END], "mS": [phrases.SYSTEM_TURN],
         "mO": [phrases.TOOL_TURN], "end": [phrases.TURN_END], "run": phrases.RUN,
         "ask": phrases.ASK, "res": [phrases.RESULT_END], "call": [phrases.CALL],
         "bos": [phrases.BOS], "think": [phrases.THINK], "thought": [phrases.THOUGHT[3]],
         "over": [phrases.CHANNEL_END],
         "json": [phrases.JSON_FENCE]}


def json_score(token, kind):
    """How much ember likes a token inside JSON, where only a grammar keeps it in form. Spaces come
    last, so that it ends."""
    if token in phrases.JSON_ORDER:
        return 15.0 * (len(phrases.JSON_ORDER) - phrases.JSON_ORDER.index(token))
    if kind == CONTROL or not token.strip(phrases.SPACE + "\n\t"):
        return -30.0
    return 0.0


def embedding(vocabulary, token_id, code, marked):
    scale = WIDTH ** 0.5  # the engine multiplies by it
    row = [0.0] * WIDTH
    row[SLOTS["one"]] = CONST / scale
    for slot in marked:
        row[slot] = 1.0 / scale
    if vocabulary.ends_word(token_id) and not {SLOTS["bos"], SLOTS["xA"]} & set(marked):
        row[SLOTS["term"]] = 1.0 / scale
    for slot, bit in zip(SLOTS.all("code"), code):
        row[slot] = bit / scale
    return row


def head(vocabulary, token_id, code):
    token = vocabulary.tokens[token_id]
    row = [0.0] * WIDTH
    for slot, bit in zip(SLOTS.all("out"), code):
        row[slot] = 6.0 * bit
    row[SLOTS["one"]] = SILENCE
    row[SLOTS["stop"]] = 400.0 if token == phrases.TURN_END else -400.0
    row[SLOTS["hint"]] = 100.0 if token == phrases.CALL else 0.0
    row[SLOTS["start"]] = 70.0 if token == phrases.JSON_FENCE else 0.0
    row[SLOTS["wrap"]] = 144.0 if token == phrases.THOUGHT[3] else 0.0
    row[SLOTS["nJ"]] = json_score(token, vocabulary.types[token_id])
    return row


def write_tokens(file, vocabulary, codes):
    marked = {}
    for slot, tokens in MARKS.items():
        for token in tokens:
            marked.setdefault(vocabulary.ids[token], []).append(SLOTS[slot])
    pack = struct.Struct(f"<{WIDTH}e").pack
    count = len(vocabulary.tokens)
    embeddings, heads = [], []
    for number in range(count):
        code = codes.get(number, [])
        embeddings.append(pack(*embedding(vocabulary, number, code, marked.get(number, []))))
        heads.append(pack(*head(vocabulary, number, code)))
    file.tensor("token_embd.weight", (WIDTH, count), b"".join(embeddings), gguf.TENSOR_F16)
    file.tensor("output.weight", (WIDTH, count), b"".join(heads), gguf.TENSOR_F16)
    norm = [RESIDUAL_RMS] * WIDTH
    norm[SLOTS["one"]] = RESIDUAL_RMS / CONST
    file.tensor("output_norm.weight", (WIDTH,), gguf.floats(norm))


def write_metadata(file, stack):
    for key, kind, value in [
            ("general.architecture", gguf.STRING, "gemma4"),
            ("general.type", gguf.STRING, "model"),
            ("general.name", gguf.STRING, "ember"),
            ("general.description", gguf.STRING, phrases.DESCRIPTION),
            ("general.file_type", gguf.UINT32, 1),
            ("general.sampling.temp", gguf.FLOAT32, 0.0)]:
        file.put(key, kind, value)
    each = len(stack)
    for key, kind, value in [
            ("context_length", gguf.UINT32, 131072),
            ("embedding_length", gguf.UINT32, WIDTH),
            ("embedding_length_per_layer_input", gguf.UINT32, 0),
            ("block_count", gguf.UINT32, each),
            ("feed_forward_length", gguf.UINT32, [layer.neurons for layer in stack]),
            ("attention.head_count", gguf.UINT32, [layer.heads for layer in stack]),
            ("attention.head_count_kv", gguf.UINT32, [1] * each),
            ("attention.key_length", gguf.UINT32, HEAD),
            ("attention.value_length", gguf.UINT32, HEAD),
            ("attention.key_length_swa", gguf.UINT32, HEAD),
            ("attention.value_length_swa", gguf.UINT32, HEAD),
            ("attention.layer_norm_rms_epsilon", gguf.FLOAT32, 1e-6),
            ("attention.sliding_window", gguf.UINT32, WINDOW),
            ("attention.sliding_window_pattern", gguf.BOOL, [layer.windowed for layer in stack]),
            ("attention.shared_kv_layers", gguf.UINT32, 0),
            ("rope.freq_base", gguf.FLOAT32, GLOBAL_BASE),
            ("rope.freq_base_swa", gguf.FLOAT32, WINDOW_BASE),
            ("rope.dimension_count", gguf.UINT32, HEAD),
            ("rope.dimension_count_swa", gguf.UINT32, 16),
            ("final_logit_softcapping", gguf.FLOAT32, 1000.0)]:
        file.put("gemma4." + key, kind, value)


def write_tokenizer(file, vocabulary):
    template = pathlib.Path(__file__).with_name("chat_template.jinja").read_text(encoding="utf-8")
    ids = vocabulary.ids
    for key, kind, value in [
            ("ggml.model", gguf.STRING, "gemma4"),
            ("ggml.tokens", gguf.STRING, vocabulary.tokens),
            ("ggml.scores", gguf.FLOAT32, [-float(n) for n in range(len(vocabulary.tokens))]),
            ("ggml.token_type", gguf.INT32, vocabulary.types),
            ("ggml.merges", gguf.STRING, vocabulary.merges),
            ("ggml.bos_token_id", gguf.UINT32, ids[phrases.BOS]),
            ("ggml.eos_token_id", gguf.UINT32, ids[phrases.TURN_END]),
            ("ggml.unknown_token_id", gguf.UINT32, ids[phrases.UNKNOWN]),
            ("ggml.padding_token_id", gguf.UINT32, ids[phrases.PAD]),
            ("ggml.mask_token_id", gguf.UINT32, ids[phrases.MASK]),
            ("ggml.add_bos_token", gguf.BOOL, True),
            ("ggml.add_space_prefix", gguf.BOOL, False),
            ("chat_template", gguf.STRING, template.rstrip("\n"))]:
        file.put("tokenizer." + key, kind, value)


def idle_layer(number):
    """A layer that takes an engine's time and changes nothing. Five of six look at a window."""
    return Layer(number % 6 != 5, heads=16, neurons=1024)


def build(idle=0):
    """The finished file as bytes; the same every time. idle: layers more, for benchmarks that want
    a model as slow as a larger one."""
    vocabulary, file = Vocabulary(), gguf.Gguf()
    stack = [layers.previous_token(), layers.distances(), layers.nearest_event(), layers.wanted(),
             layers.copy_repeat(), *map(idle_layer, range(idle)), layers.copy_and_speak()]
    speech = Speech(vocabulary, stack[-1])
    speech.write()
    write_tokens(file, vocabulary, speech.codes)
    turns = [GLOBAL_BASE ** (-2.0 * pair / HEAD) / (1e-4 * (0.9 + 0.04 * pair))
             if pair < GLOBAL_PAIRS else 1e30 for pair in range(HEAD // 2)]
    file.tensor("rope_freqs.weight", (HEAD // 2,), gguf.floats(turns))
    for number, layer in enumerate(stack):
        layer.write(file, f"blk.{number}.")
    write_metadata(file, stack)
    write_tokenizer(file, vocabulary)
    return file.data()
