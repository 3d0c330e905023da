"""A real Ollama daemon with ember imported serves as tier 3, spoken to in its own dialect.

Needs `ollama` on PATH, or NL_OLLAMA; skipped (77) elsewhere. Run: python3 tests/e2e/test_ollama.py
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import local_tier as lt
import plain

OLLAMA = os.environ.get("NL_OLLAMA") or shutil.which("ollama")
WINDOW = 8192
TARGET = """
[[provider]]
name = "ollama"
base_url = "{url}"
models = [{{ name = "ember", context = {window} }}]
[tiers]
local = ["ollama/ember"]
"""


class Daemon:
    """`ollama serve` with a home of its own and ember in its store."""

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="ollama-e2e-")
        self.url = f"http://127.0.0.1:{h.free_port()}"
        self.env = h.bare_env(self.home, OLLAMA_HOST=self.url[7:], OLLAMA_NO_CLOUD="1",
                              OLLAMA_MODELS=os.path.join(self.home, "models"))
        self.log = open(os.path.join(self.home, "serve.log"), "wb")
        self.process = subprocess.Popen([OLLAMA, "serve"], env=self.env, stdout=self.log,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def begin(self):
        end = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(self.url + "/api/version", timeout=2).close()
                break
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.1)
        ember = os.path.join(os.path.dirname(h.binary()), "ember.gguf")
        modelfile = os.path.join(self.home, "Modelfile")
        with open(modelfile, "w", encoding="ascii") as f:
            f.write(f"FROM {ember}\n")
        made = subprocess.run([OLLAMA, "create", "ember", "-f", modelfile], env=self.env,
                              timeout=120, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise RuntimeError(f"ollama create: {made.stderr[-1000:]}")
        return self

    def end(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)


class TierThree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.addClassCleanup(cls.daemon.end)
        cls.daemon.begin()

    def up(self):
        text = TARGET.format(url=self.daemon.url, window=WINDOW)
        nl = h.Nightlight(lambda at: f'listen = "{at}"\ndiscover = false\n{text}')
        self.addCleanup(nl.close)
        return nl.start()

    def test_both_dialects_streamed_and_whole(self):
        nl = self.up()
        for dialect in plain.DIALECTS:
            for stream in (False, True):
                with self.subTest(dialect=dialect, stream=stream):
                    body = plain.body_for(dialect, stream, text="hello", model="claude-sonnet-5")
                    answer = plain.ask(nl, dialect, body, [], timeout=90)
                    said = plain.understand(dialect, answer)
                    self.assertEqual(answer.status, 200, answer.body)
                    self.assertIn(lt.SELF, said.text)
                    self.assertIsNone(said.error)
                    self.assertEqual(answer.header("x-nightlight-provider"), "ollama")
                    self.assertEqual(answer.header("x-nightlight-tier"), "local")

    def test_a_prompt_beyond_the_window_is_said_and_never_cut(self):
        nl = self.up()
        body = plain.body_for("anthropic", False, text="word " * 3 * WINDOW,
                              model="claude-sonnet-5")
        answer = plain.ask(nl, "anthropic", body, [], timeout=90)
        self.assertEqual(answer.status, 400)
        self.assertIn("prompt is too long", answer.json["error"]["message"])


if __name__ == "__main__":
    if not OLLAMA:
        print("skipped: no ollama on PATH and no NL_OLLAMA")
        sys.exit(77)
    unittest.main()
