#!/usr/bin/env python3
"""The memory rule against the engine's own figures, on ember and its variants.

The engine logs how large its weights, its K/V cache, its checkpoints and its computation are. The
rule must say the same: weights within 0.1 % or 64 KiB, the cache within 0.1 % or 16 KiB (the log
rounds to 0.01 MiB), a checkpoint within 4 % or 8 KiB (its cells are listed in it too); computation
and the whole are bounds, never too small.

Exits 77 (skipped) where no engine or no memory_driver has been built.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from engine_server import EMBER, SKIPPED, Engine, engine_or_skip, user  # noqa: E402

KIB, MIB = 1024, 1024 * 1024
# Long enough for a whole window of ember's 512 tokens, with a checkpoint behind it.
LONG = "The light stays on here while every cloud is dark. " * 80


def driver_or_skip():
    binary = pathlib.Path(os.environ.get("NIGHTLIGHT_BIN", "/nightlight"))
    path = binary.with_name("memory_driver")
    if not path.exists():
        print(f"skipped: no memory_driver at {path}")
        sys.exit(SKIPPED)
    return path


def mib(number):
    return float(number) * MIB


class Log:
    """The figures of the engine's log, in bytes; of its last load, as it may measure one before."""

    def __init__(self, text):
        self.text = text

    def last(self, pattern):
        found = re.findall(pattern, self.text)
        assert found, f"the log has no {pattern}"
        return found[-1]

    def weights(self):
        return mib(self.last(r"file size\s+=\s+([\d.]+) MiB"))

    def last_mapping(self):
        return mib(self.last(r"CPU_Mapped model buffer size =\s+([\d.]+) MiB"))

    def kv(self):
        sizes = re.findall(r"llama_kv_cache: size =\s+([\d.]+) MiB", self.text)
        # One cache of full layers, one of window layers.
        return mib(sizes[-1]) + mib(sizes[-2])

    def checkpoint(self):
        return max(map(mib, re.findall(r"created context checkpoint .* size = ([\d.]+) MiB",
                                       self.text)))

    def compute(self):
        return mib(self.last(r"CPU compute buffer size =\s+([\d.]+) MiB"))


class MemoryRule(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.driver = driver_or_skip()
        cls.folder = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def file(self, kind):
        path = pathlib.Path(self.folder.name, f"{kind or 'ember'}.gguf")
        if not path.exists():
            made = [kind] if kind else []
            subprocess.run([sys.executable, EMBER / "make_ember.py", path, *made], check=True)
        return path

    def rule(self, path, context, slots, batch, *lazy):
        done = subprocess.run([self.driver, path, str(context), str(slots), str(batch), *lazy],
                              check=True, capture_output=True, text=True)
        return {name: int(value) for name, value in
                (line.split() for line in done.stdout.splitlines())}

    def log(self, path, context, slots, batch, *options):
        engine = Engine("-c", str(context), "-np", str(slots), "-b", str(batch), "-ub", str(batch),
                        "--ctx-checkpoints", "2", "--cache-ram", "0", "-v", *options, model=path)
        try:
            answer = engine.chat([user(LONG)], max_tokens=4)
            self.assertNotEqual(answer.text, "")
            return Log(engine.log_text())
        finally:
            engine.close()

    def near(self, said, measured, share, spare, what):
        self.assertLessEqual(abs(said - measured), max(share * measured, spare),
                             f"{what}: the rule says {said}, the engine {measured:.0f}")

    def compare(self, kind, context, slots, batch):
        path = self.file(kind)
        rule, log = self.rule(path, context, slots, batch), self.log(path, context, slots, batch)
        self.near(rule["weights"], log.weights(), 0.001, 64 * KIB, "weights")
        self.near(rule["kv"], log.kv(), 0.001, 16 * KIB, "K/V")
        self.near(rule["checkpoint"], log.checkpoint(), 0.04, 8 * KIB, "checkpoint")
        self.assertGreaterEqual(rule["compute"], log.compute(), "computation")
        self.assertGreater(rule["whole"], log.weights() + log.kv() + log.compute())
        print(f"{kind or 'ember'}, {context} tokens, {slots} slots, batch {batch}: K/V "
              f"{rule['kv'] / MIB:.2f} and {log.kv() / MIB:.2f} MiB, checkpoint "
              f"{rule['checkpoint'] / MIB:.3f} and {log.checkpoint() / MIB:.3f} MiB", flush=True)

    def test_ember(self):
        self.compare("", 32768, 2, 256)

    def test_experts(self):
        self.compare("experts", 32768, 2, 256)
        self.compare("experts", 8192, 1, 512)

    def test_per_layer_embeddings(self):
        self.compare("rows", 16384, 4, 512)

    def test_dense(self):
        self.compare("dense", 65536, 2, 256)

    def test_rows_left_on_disk(self):
        path = self.file("rows")
        whole = self.rule(path, 8192, 1, 256)["weights"]
        rule = self.rule(path, 8192, 1, 256, "lazy")["weights"]
        log = self.log(path, 8192, 1, 256, "--lazy-mode", "on")
        self.assertIn("per_layer_token_embd.weight", log.text)
        self.assertIn("lazy read enabled", log.text)
        # Those rows have a mapping of their own, which nothing keeps in memory.
        self.near(whole - rule, log.last_mapping(), 0.01, 64 * KIB, "rows")

    def test_active_weights(self):
        rule = self.rule(self.file("experts"), 8192, 1, 256)
        dense = self.rule(self.file("dense"), 8192, 1, 256)
        # Half of the experts are used for a token: gate, up and down of two of four, six layers.
        experts = 6 * 4 * (256 * 128 + 64 * 256 + 1) * 4
        self.assertAlmostEqual(rule["weights"] - rule["active"], experts / 2, delta=64)
        self.assertEqual(dense["active"], dense["weights"])


if __name__ == "__main__":
    engine_or_skip()
    driver_or_skip()
    unittest.main()
