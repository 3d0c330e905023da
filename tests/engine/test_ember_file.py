#!/usr/bin/env python3
"""ember's file, without an engine: always the same bytes, quick, small, and saying what it is."""

import hashlib
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
EMBER = pathlib.Path(__file__).resolve().parents[2] / "src/engine/ember"
sys.path.insert(0, str(EMBER))
import network  # noqa: E402
import phrases  # noqa: E402
from vocabulary import Vocabulary  # noqa: E402

SIZES = {4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q"}
TENSOR_BYTES = {0: 4, 1: 2}


class Reader:
    """Reads a GGUF as the format's description has it, not as our writer does."""

    def __init__(self, data):
        self.data, self.at = data, 0
        magic, self.version, tensors, pairs = self.take("<4sIQQ")
        assert magic == b"GGUF"
        self.pairs = {}
        for _ in range(pairs):
            key = self.string()
            self.pairs[key] = self.value(self.take("<I")[0])
        self.tensors = [self.tensor() for _ in range(tensors)]
        self.body = self.at + -self.at % 32

    def take(self, form):
        values = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return values

    def string(self):
        size = self.take("<Q")[0]
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def value(self, kind):
        if kind == 8:
            return self.string()
        if kind == 9:
            item, count = self.take("<IQ")
            return [self.value(item) for _ in range(count)]
        return self.take(SIZES[kind])[0]

    def tensor(self):
        name, dimensions = self.string(), self.take("<I")[0]
        shape = self.take(f"<{dimensions}Q")
        return (name, shape, *self.take("<IQ"))


class EmberFile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            files = [pathlib.Path(folder, name) for name in ("one.gguf", "two.gguf")]
            begin = time.monotonic()
            for file in files:
                subprocess.run([sys.executable, EMBER / "make_ember.py", file], check=True)
            cls.seconds = (time.monotonic() - begin) / 2
            cls.written = [file.read_bytes() for file in files]
            cls.left = sorted(path.name for path in pathlib.Path(folder).iterdir())
        cls.file = Reader(cls.written[0])

    def test_is_the_same_each_time(self):
        one, two = (hashlib.sha256(data).hexdigest() for data in self.written)
        self.assertEqual(one, two)
        self.assertEqual(self.left, ["one.gguf", "two.gguf"])

    def test_is_small_and_quick(self):
        self.assertLess(len(self.written[0]), 4_000_000)
        self.assertLess(self.seconds, 10)

    def test_says_what_it_is(self):
        pairs = self.file.pairs
        self.assertEqual(self.file.version, 3)
        self.assertEqual(pairs["general.architecture"], "gemma4")
        self.assertEqual(pairs["general.name"], "ember")
        self.assertIn("ember, Nightlight's self-test model", pairs["general.description"])
        self.assertIn("ember, the self-test model of Nightlight", phrases.SAY_SELF)
        self.assertIn("self-test", phrases.THOUGHT[2])

    def test_tensors_fill_the_file(self):
        end = 0
        for name, shape, kind, offset in self.file.tensors:
            self.assertEqual(offset, end, name)
            size = TENSOR_BYTES[kind]
            for count in shape:
                size *= count
            end = offset + size + -size % 32
        self.assertEqual(self.file.body + end, len(self.written[0]))
        names = [tensor[0] for tensor in self.file.tensors]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(self.file.pairs["gemma4.block_count"],
                         sum(name.endswith(".attn_q.weight") for name in names))

    def test_tokens_belong_together(self):
        pairs = self.file.pairs
        tokens = pairs["tokenizer.ggml.tokens"]
        self.assertEqual(len(tokens), len(set(tokens)))
        for key in ("scores", "token_type"):
            self.assertEqual(len(pairs["tokenizer.ggml." + key]), len(tokens))
        shapes = {name: shape for name, shape, _, _ in self.file.tensors}
        self.assertEqual(shapes["token_embd.weight"], (network.WIDTH, len(tokens)))
        self.assertEqual(shapes["output.weight"], (network.WIDTH, len(tokens)))
        known = set(tokens)
        for merge in pairs["tokenizer.ggml.merges"]:
            left, right = merge.split(" ")
            self.assertTrue({left, right, left + right} <= known, merge)

    def test_template_has_what_the_parser_looks_for(self):
        template = self.file.pairs["tokenizer.chat_template"]
        for part in ("'<|tool_call>call:'", "{#- OpenAI Chat Completions:", "add_generation_prompt",
                     "enable_thinking"):
            self.assertIn(part, template)


class Parts(unittest.TestCase):
    def test_codewords_are_far_apart(self):
        words = list(network.golay())
        self.assertEqual(len(words), 4096)
        for other in words[1:]:
            self.assertLessEqual(sum(x * y for x, y in zip(words[0], other)), 8)

    def test_phrases_are_one_token_and_hidden_tokens_are_none(self):
        vocabulary = Vocabulary()
        for run in phrases.RUN:
            self.assertEqual(len(vocabulary.encode(run)), 1, run)
        for hidden in (phrases.JSON_FENCE, phrases.JSON_STRING, phrases.THOUGHT[1],
                       phrases.THOUGHT[3]):
            self.assertNotIn(vocabulary.ids[hidden], vocabulary.encode("a " + hidden + " b"))

    def test_quotes_end_words(self):
        vocabulary = Vocabulary()
        for token in ('"', "'", "`", "*", ".", "\u201d", "\u2019", "\u00bb", "\n", phrases.SPACE):
            self.assertTrue(vocabulary.ends_word(vocabulary.ids[token]), token)
        for token in ("a", "_", "-", "7", "<0xC3>"):
            self.assertFalse(vocabulary.ends_word(vocabulary.ids[token]), token)


if __name__ == "__main__":
    unittest.main()
