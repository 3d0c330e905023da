"""The size for this machine: `models --fit`, a first load that is verified and kept, `--retry`,
and a machine on which an Ollama holds a model.

Run: python3 tests/e2e/test_fit.py
"""
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import local_tier as lt

MAKE = os.path.join(h.ROOT, "src/engine/ember/make_ember.py")


class Ollama(http.server.BaseHTTPRequestHandler):
    """A daemon that holds one large model."""

    def do_GET(self):
        body = json.dumps({"models": [{"name": "llama3:70b", "size": 40_000_000_000}]}).encode()
        self.send_response(200 if self.path == "/api/ps" else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Case(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="nightlight-fit-")
        self.addCleanup(shutil.rmtree, self.home, True)
        self.store = f"{self.home}/models"
        # Nobody listens there: whatever this machine runs, it is not asked.
        self.env = {"NIGHTLIGHT_MODELS": self.store, "OLLAMA_HOST": "127.0.0.1:9"}

    def run_it(self, *args):
        done = subprocess.run([h.binary(), *args], env=h.bare_env(self.home, **self.env),
                              cwd=self.home, capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertNotIn("runtime error", done.stderr)
        self.assertNotIn("Sanitizer", done.stderr)
        return done


class Speed(Case):
    def speed(self, *args):
        done = self.run_it("models", "--fit", "--json", *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["machine"]["memory_speed"]

    def test_it_is_measured_once_and_every_command_goes_by_it(self):
        kept = f"{self.home}/.local/state/nightlight/memory-speed"
        first = self.speed()
        if not os.path.exists(kept):
            self.skipTest(f"nothing is measured here: {first}")
        self.assertEqual(first["source"], "measured")
        self.assertEqual(self.speed(), first)
        self.assertEqual(os.stat(kept).st_mode & 0o777, 0o600)
        # A speed that nobody measures again by accident, and that decides: nothing writes fast.
        with open(kept, encoding="utf-8") as f:
            line, _, rest = f.read().partition("\n")
        hardware = rest.split("\t")[1]
        with open(kept, "w", encoding="utf-8") as f:
            f.write(f"{line}\n2.0\t{hardware}")
        self.assertEqual(self.speed(), {"gb_per_s": 2, "source": "measured"})
        sizes = json.loads(self.run_it("models", "--fit", "--json").stdout)["sizes"]
        sheet = json.loads(self.run_it("cheatsheet", "--json").stdout)["sizes"]
        self.assertEqual([s["id"] for s in sizes if s["picked"]],
                         [s["id"] for s in sheet if s["standing"] == "pick"])
        self.assertEqual([s.get("reads") for s in sizes], [s.get("reads") for s in sheet])
        # On request; a machine that is busy by now keeps what it knows.
        self.assertIn(self.speed("--measure")["source"], ("measured",))
        refused = self.run_it("models", "--measure")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--fit", refused.stderr)


class Sizes(Case):
    def test_every_size_is_told_for_people(self):
        done = self.run_it("models", "--fit")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("This machine: "), done.stdout)
        for size in ("31B", "26B-A4B", "12B", "E4B", "E2B"):
            self.assertIn("Gemma 4 " + size, done.stdout)
        self.assertLessEqual(done.stdout.count("the pick"), 2)

    def test_and_for_programs(self):
        said = json.loads(self.run_it("models", "--fit", "--json").stdout)
        self.assertEqual([size["id"] for size in said["sizes"]],
                         ["31b", "26b", "12b", "e4b", "e2b"])
        machine = said["machine"]
        with open("/proc/meminfo", encoding="ascii") as file:
            total = next(int(line.split()[1]) for line in file if line.startswith("MemTotal"))
        self.assertEqual(machine["memory"], total * 1024)
        self.assertGreater(machine["memory"], machine["room"])
        self.assertIn(machine["memory_speed"]["source"].split(":")[0],
                      ("measured", "assumed", "table"))
        self.assertGreater(machine["memory_speed"]["gb_per_s"], 0)
        self.assertEqual(machine["ollama"], "")
        for size in said["sizes"]:
            if size["picked"]:
                self.assertTrue(size["fits"])
                self.assertLessEqual(size["window"], size["nominal"])
            if size["fits"] and size["place"] == "memory":
                self.assertLessEqual(size["needs"], machine["room"])

    def test_the_help_has_an_example(self):
        self.assertIn("nightlight models --fit", self.run_it("models", "--help").stdout)
        self.assertIn("nightlight up --retry", self.run_it("up", "--help").stdout)


class Loads(Case):
    @classmethod
    def setUpClass(cls):
        lt.engine_or_skip()
        cls.folder = tempfile.mkdtemp(prefix="nightlight-variant-")
        cls.model = f"{cls.folder}/experts.gguf"
        subprocess.run([sys.executable, MAKE, cls.model, "experts"], check=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def start(self, *up):
        engine = f'[engine]\nmodel = "{self.model}"\n'
        nl = h.Nightlight(lt.alone(engine), self.env, up=up)
        self.addCleanup(nl.close)
        return nl.start()

    def record(self):
        try:
            with open(f"{self.store}/fit.txt", encoding="ascii") as file:
                return [line.split("\t") for line in file.read().splitlines()[1:]]
        except FileNotFoundError:
            return []

    def test_a_first_load_is_verified_measured_and_remembered(self):
        nl = self.start()
        state = lt.wait_ready(nl)
        self.assertIn("This machine: ", nl.log)
        self.assertIn("window 32 k of nominal 128 k tokens", nl.log)
        self.assertIn("an estimate from", nl.log)
        self.assertGreater(state["reads"], 0)
        self.assertGreater(state["writes"], 0)
        self.assertIn("reads ", nl.command("status").stdout)
        self.assertEqual([line[0] for line in self.record()], ["worked"])
        nl.stop()
        again = self.start()
        state = lt.wait_ready(again)
        self.assertGreater(state["reads"], 0)
        self.assertIn("(measured)", again.log)
        self.assertNotIn("verified", again.log)

    def test_what_failed_is_begun_smaller_until_it_is_forgotten(self):
        nl = self.start()
        lt.wait_ready(nl)
        nl.stop()
        line = self.record()[0]
        failed = ["failed", *line[1:9], "out of memory"]
        with open(f"{self.store}/fit.txt", "w", encoding="ascii") as file:
            file.write("nightlight fit 1\n" + "\t".join(failed) + "\n")
        smaller = self.start()
        note = lt.wait_ready(smaller)["note"]
        self.assertIn("no cache of earlier prompts", note)
        self.assertIn("out of memory", note)
        self.assertIn("nightlight up --retry", note)
        smaller.stop()
        whole = self.start("--retry")
        self.assertEqual(lt.wait_ready(whole)["note"], "")
        self.assertEqual([line[0] for line in self.record()], ["worked"])

    def test_nothing_is_loaded_beside_what_ollama_holds(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ollama)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.env["OLLAMA_HOST"] = f"127.0.0.1:{server.server_address[1]}"
        self.assertIn("Ollama holds llama3:70b", self.run_it("models", "--fit").stdout)
        nl = self.start()
        end = 100
        while lt.engine_of(nl)["state"] == "looking" and end > 0:
            end -= 1
        state = lt.engine_of(nl)
        self.assertEqual(state["state"], "absent")
        self.assertIn("Ollama holds llama3:70b in memory", state["reason"])


if __name__ == "__main__":
    unittest.main()
