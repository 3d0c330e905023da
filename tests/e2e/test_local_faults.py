"""Faults of the local engine with every cloud gone: a pause for the client, or an honest word.

Rows F49 (memory), F51 (something else on its socket), F52 (a bad model file) and F53 (a troubled
pull) of the fault matrix, on the real engine. Skipped (77) where none has been built.
Run: python3 tests/e2e/test_local_faults.py
"""
import contextlib
import glob
import hashlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import local_tier as lt
import plain
from pull_registry import Registry
from upstream import Brain, Upstream

PAIRS = [(dialect, stream) for dialect in plain.DIALECTS for stream in (False, True)]
NAME = "tiny:1b"


def ask(nl, dialect, stream, text):
    body = plain.body_for(dialect, stream, text=text, model="claude-sonnet-5")
    answer = plain.ask(nl, dialect, body, [], timeout=90)
    return answer, plain.understand(dialect, answer)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="local-faults-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def up(self, config, env=None):
        nl = h.Nightlight(config, env)
        self.addCleanup(nl.close)
        return nl.start()

    def gone(self):
        """Two clouds that refuse every connection, as the tiers above the engine."""
        clouds = [self.enterContext(Upstream("anthropic", "alpha", brain=Brain("ALPHA"))),
                  self.enterContext(Upstream("openai", "beta", brain=Brain("BETA")))]
        for cloud in clouds:
            cloud.refuse()
        return [h.Target(clouds[0]), h.Target(clouds[1], tier="router")]

    def file(self, name, data=b"", mode=0o644):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, mode)
        return path

    def model(self):
        with open(os.path.join(os.path.dirname(h.binary()), "ember.gguf"), "rb") as f:
            return f.read()

    def amber(self):
        """The same under another name, with which it is a model like any other."""
        head, name, rest = self.model().partition(b"general.name")
        return head + name + rest.replace(b"ember", b"amber", 1)

    def assert_says(self, nl, text):
        for dialect, stream in PAIRS:
            with self.subTest(dialect=dialect, stream=stream):
                answer, said = ask(nl, dialect, stream, "Repeat: " + text)
                self.assertEqual((answer.status, said.text, said.error), (200, text, None))
                self.assertEqual(answer.header("x-nightlight-provider"), "engine")

    @contextlib.contextmanager
    def asking(self, nl, text):
        """A request that waits while the block runs, and is answered in the end."""
        got = []
        thread = threading.Thread(target=lambda: got.append(ask(nl, "anthropic", True,
                                                                "Repeat: " + text)))
        thread.start()
        try:
            time.sleep(1)
            self.assertEqual(got, [])
            yield
        finally:
            thread.join()
        answer, said = got[0]
        self.assertEqual((answer.status, said.text, said.error), (200, text, None))

    def awaits(self, what, seconds=30):
        end = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), end, "does not come")
            time.sleep(0.05)


class Sockets(Case):
    def test_a_stale_socket_or_another_file_does_not_keep_the_next_from_listening(self):
        """F51: at the next start something else lies where the engine will listen."""
        nl = self.up(lt.with_engine(self.gone()), {"UPSTREAM_KEY": "sk-1"})
        for kind in ("file", "stale", "stranger"):
            with self.subTest(kind=kind):
                state = lt.wait_ready(nl)
                path, = glob.glob(f"{nl.home}/run/nightlight/engine-*/e.sock")
                os.unlink(path)
                if kind == "file":
                    with open(path, "w", encoding="ascii") as f:
                        f.write("not a socket")
                else:
                    stale = self.enterContext(socket.socket(socket.AF_UNIX))
                    stale.bind(path)
                    if kind == "stranger":
                        stale.listen(8)  # connects, and never says a word
                os.kill(state["pid"], signal.SIGKILL)
                self.assert_says(nl, "it is me")
                now = os.stat(path)
                self.assertTrue(stat.S_ISSOCK(now.st_mode))

    def test_a_killed_gateways_folder_is_removed_by_the_next(self):
        nl = self.up(lt.alone(lt.EMBER))
        for _ in range(3):
            pid = lt.wait_ready(nl)["pid"]
            folder, = glob.glob(f"{nl.home}/run/nightlight/engine-*")
            nl.stop(signal.SIGKILL)
            self.awaits(lambda gone=pid: not os.path.exists(f"/proc/{gone}"))
            self.assertTrue(os.path.exists(folder))
            nl.start()
            lt.wait_ready(nl)
            self.assertFalse(os.path.exists(folder))
        nl.stop()
        self.assertEqual(glob.glob(f"{nl.home}/run/nightlight/engine-*"), [])


class Memory(Case):
    LIMIT = 34 << 20   # between 131,072 and 65,536 tokens of ember's context

    def group(self):
        """A control group with little memory; skips where none can be made."""
        with open("/proc/self/cgroup", encoding="ascii") as f:
            mine = [line.strip().split(":")[2] for line in f if ":memory:" in line]
        if not mine:
            self.skipTest("no memory control group of version 1 here")
        path = f"/sys/fs/cgroup/memory{mine[0]}/nl-test-{os.getpid()}"
        try:
            os.mkdir(path)
            self.addCleanup(lambda: subprocess.run(["rmdir", path], check=False,
                                                   stderr=subprocess.DEVNULL))
            with open(f"{path}/memory.limit_in_bytes", "w", encoding="ascii") as f:
                f.write(str(self.LIMIT))
        except OSError as error:
            self.skipTest(f"no control group can be made here: {error}")
        return path

    def test_an_engine_that_runs_out_of_memory_gets_a_smaller_context(self):
        """F49: the kernel kills the engine alone; the next one asks for less."""
        group = self.group()
        server = self.file("llama-server", (
            f'#!/bin/sh\ncase "$*" in *--model*) echo $$ >{group}/cgroup.procs || exit 9;; esac\n'
            f'exec {lt.engine_or_skip()} "$@"\n').encode(), 0o755)
        model = self.file("amber.gguf", self.amber())
        engine = f'[engine]\nmodel = "{model}"\ncontext = 131072\nserver = "{server}"\n'
        nl = self.up(lt.with_engine(self.gone(), engine=engine), {"UPSTREAM_KEY": "sk-1"})
        self.assert_says(nl, "less is enough")
        state = lt.engine_of(nl)
        self.assertIn("a shorter context; smaller than before, as ", state["note"])
        self.assertIn("ran out of memory: was killed by signal 9", state["note"])
        self.assertEqual(state["context"], 65536)
        self.assertGreaterEqual(state["restarts"], 1)
        self.assertIn("engine failed: ran out of memory: was killed by signal 9", nl.log)
        self.assertIn("ran out of memory", nl.command("status").stdout)
        self.assertIsNone(nl.process.poll())
        # Remembered: neither a later death nor a later start tries the large context again.
        os.kill(state["pid"], signal.SIGKILL)
        again = lt.wait_ready(nl, other_than=state["pid"])
        self.assertEqual(again["context"], 65536)
        nl.stop()
        nl.start()
        later = lt.wait_ready(nl)
        self.assertEqual((later["context"], later["restarts"]), (65536, 0))


class Files(Case):
    """F52: the file in use is replaced by something that is no model."""

    def test_the_running_model_stays_and_a_bad_file_is_refused_with_its_reason(self):
        good = self.model()
        path = self.file("mine.gguf", good)
        engine = f'[engine]\nmodel = "{path}"\n'
        nl = self.up(lt.with_engine(self.gone(), engine=engine), {"UPSTREAM_KEY": "sk-1"})
        pid = lt.wait_ready(nl)["pid"]
        pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\n"
        for bad in (None, good[:len(good) // 2], b"<!DOCTYPE html><html></html>", pointer,
                    b"GGUF" + b"\xff" * 4000):
            if bad is None:
                os.unlink(path)
            else:
                os.rename(self.file("new", bad), path)
            self.assert_says(nl, "as before")
            self.assertEqual(lt.engine_of(nl)["pid"], pid)
        # It dies while the file is bad: the reason is told, and who asks waits until it is mended.
        os.kill(pid, signal.SIGKILL)
        self.awaits(lambda: lt.engine_of(nl)["state"] == "absent")
        self.assertIn("mine.gguf", lt.engine_of(nl)["reason"])
        with self.asking(nl, "patience"):
            os.rename(self.file("new", good), path)
        self.assert_says(nl, "again")

    def test_with_no_model_to_fall_back_on_who_asks_waits_for_the_clouds_that_are_held(self):
        path = self.file("mine.gguf", b"GGUF" + b"\xff" * 4000)
        nl = self.up(lt.with_engine(self.gone(), engine=f'[engine]\nmodel = "{path}"\n'),
                     {"UPSTREAM_KEY": "sk-1"})

        def held():
            tiers = json.loads(nl.command("status", "--json").stdout)["tiers"]
            return all(tier["targets"][0]["ready_in_s"] >= 2 for tier in tiers[:2])
        with self.asking(nl, "first"):
            self.awaits(held)
            # Both clouds are held now: the engine alone is tried, and it lacks its model for good.
            with self.asking(nl, "second"):
                os.rename(self.file("new", self.model()), path)


class Pulls(Case):
    """F53: a pull that is cut, resumed and lied to, beside a gateway that serves."""

    def setUp(self):
        super().setUp()
        self.registry = Registry()
        self.addCleanup(self.registry.close)
        self.env = {"NIGHTLIGHT_MODELS": f"{self.folder}/models",
                    "NIGHTLIGHT_REGISTRY": self.registry.url,
                    "NIGHTLIGHT_PULL_PART_BYTES": "300000"}
        self.pulled = self.amber()
        self.hex = hashlib.sha256(self.pulled).hexdigest()

    def pull(self, nl):
        return nl.command("pull", NAME, seconds=90)

    def test_the_stand_in_serves_until_the_pulled_model_takes_over(self):
        nl = self.up(lt.alone(), self.env)
        wrong, stop, models = [], threading.Event(), []

        def client():
            n = 0
            while not stop.is_set():
                dialect, stream = PAIRS[n % 4]
                answer, said = ask(nl, dialect, stream, "Repeat: on and on")
                models.append(answer.header("x-nightlight-model"))
                if answer.status != 200 or said.error or said.text != "on and on":
                    wrong.append((answer.status, said.error, said.text))
                n += 1

        thread = threading.Thread(target=client)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)
        self.awaits(lambda: len(models) > 2)
        self.registry.add(NAME, self.pulled)
        self.registry.swap = True                 # a mirror that lies
        self.assertNotEqual(self.pull(nl).returncode, 0)
        self.registry.swap = False
        self.registry.cut_after, self.registry.cuts_left = 200_000, 2
        done = self.pull(nl)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.awaits(lambda: lt.engine_of(nl)["model"].endswith(self.hex))
        lt.wait_ready(nl)
        seen = len(models)
        self.awaits(lambda: len(models) > seen + 4)
        stop.set()
        thread.join()
        self.assertEqual(wrong, [])

    def test_a_named_model_that_is_missing_is_taken_once_it_is_there(self):
        config = lt.with_engine(self.gone(), engine=f'[engine]\nmodel = "{NAME}"\n')
        nl = self.up(config, {"UPSTREAM_KEY": "sk-1", **self.env})
        self.awaits(lambda: "nightlight pull" in lt.engine_of(nl)["reason"])
        self.registry.add(NAME, self.pulled)
        with self.asking(nl, "patience"):
            self.assertEqual(self.pull(nl).returncode, 0)
        self.assert_says(nl, "here I am")


if __name__ == "__main__":
    lt.engine_or_skip()
    unittest.main()
