"""A planned restart: the program on disk replaces the running one in the same process; no request
fails, no connection breaks, and the engine keeps its model.

The parts with an engine are skipped where none has been built.
Run: python3 tests/e2e/test_restart.py
"""
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import local_tier as lt
import plain
from upstream import Brain, Script, Upstream, script

KEY = {"UPSTREAM_KEY": "sk-test-upstream-key-0001"}
PAIRS = [(dialect, stream) for dialect in plain.DIALECTS for stream in (False, True)]


def engine_here():
    try:
        return bool(lt.engine_or_skip())
    except SystemExit:
        return False


def status_of(nl):
    return json.loads(nl.command("status", "--json").stdout)


def ask(nl, dialect, stream, text):
    body = plain.body_for(dialect, stream, text=text, model="claude-sonnet-5")
    answer = plain.ask(nl, dialect, body, [], timeout=90)
    return answer, plain.understand(dialect, answer)


def cached_tokens(said):
    usage = said.usage
    details = usage.get("prompt_tokens_details") or {}
    return usage.get("cache_read_input_tokens") or details.get("cached_tokens") or 0


class Case(unittest.TestCase):
    def up(self, config, env=None, args=()):
        nl = h.Nightlight(config, env, args=args)
        self.addCleanup(nl.close)
        return nl.start()

    def cloud(self, **how):
        return self.enterContext(Upstream("anthropic", "alpha", brain=Brain("ALPHA"), **how))

    def restart(self, nl, seconds=60):
        done = nl.command("restart", seconds=seconds)
        self.assertEqual(done.returncode, 0, done.stderr + nl.log[-3000:])
        self.assertIn(f"(pid {nl.process.pid})", done.stdout)
        return done.stdout

    def read_rest(self, conn, answer):
        for _ in conn.events(answer):
            pass

    def awaits(self, what, seconds=20):
        end = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), end, "does not come")
            time.sleep(0.05)


@unittest.skipUnless(engine_here(), "no engine has been built")
class Engine(Case):
    def test_the_engine_keeps_its_model_and_its_cache(self):
        nl = self.up(lt.alone(lt.EMBER))
        before = lt.wait_ready(nl)
        text = "Repeat: warm. " + "The light stays on in the north. " * 60
        self.assertEqual(ask(nl, "anthropic", False, text)[0].status, 200)
        for n in (1, 2):
            self.assertIn("kept its model", self.restart(nl))
            now = status_of(nl)
            self.assertEqual(now["restart"]["done"], n)
            self.assertEqual(lt.wait_ready(nl)["pid"], before["pid"])
            said = ask(nl, "anthropic", True, text)[1]
            self.assertGreater(cached_tokens(said), 300, said.usage)
        # It is watched as ever: a new one comes when it dies, and it goes with the gateway.
        os.kill(before["pid"], signal.SIGKILL)
        again = lt.wait_ready(nl, other_than=before["pid"])
        self.assertEqual(again["restarts"], 1)
        self.assertIn("kept its model", self.restart(nl))
        nl.stop(signal.SIGKILL)
        self.awaits(lambda: not os.path.exists(f"/proc/{again['pid']}"))

    def test_a_model_that_was_verified_is_not_asked_again(self):
        folder = tempfile.mkdtemp(prefix="restart-")
        self.addCleanup(shutil.rmtree, folder, True)
        with open(os.path.join(os.path.dirname(h.binary()), "ember.gguf"), "rb") as f:
            head, name, rest = f.read().partition(b"general.name")
        # Under another name it is a model like any other.
        amber = os.path.join(folder, "amber.gguf")
        with open(amber, "wb") as f:
            f.write(head + name + rest.replace(b"ember", b"amber", 1))
        store = {"NIGHTLIGHT_MODELS": os.path.join(folder, "models")}
        nl = self.up(lt.alone(f'[engine]\nmodel = "{amber}"\n'), store)
        before = lt.wait_ready(nl)
        self.assertEqual(nl.log.count("engine verified"), 1)
        os.unlink(os.path.join(folder, "models", "fit.txt"))
        for _ in range(2):
            self.assertIn("kept its model", self.restart(nl))
            now = lt.wait_ready(nl)
            self.assertEqual((now["pid"], now["context"]), (before["pid"], before["context"]))
        self.assertEqual(nl.log.count("engine verified"), 1)
        self.assertFalse(os.path.exists(os.path.join(folder, "models", "fit.txt")))

    def test_another_model_is_another_child(self):
        folder = tempfile.mkdtemp(prefix="restart-")
        self.addCleanup(shutil.rmtree, folder, True)
        other = os.path.join(folder, "other.gguf")
        shutil.copy(os.path.join(os.path.dirname(h.binary()), "ember.gguf"), other)
        nl = self.up(lt.alone(lt.EMBER))
        before = lt.wait_ready(nl)
        with open(nl.config, encoding="utf-8") as f:
            text = f.read()
        with open(nl.config, "w", encoding="utf-8") as f:
            f.write(text.replace('model = "ember"', f'model = "{other}"'))
        self.assertIn("starts anew", self.restart(nl))
        now = lt.wait_ready(nl, other_than=before["pid"])
        self.assertEqual(now["model"], other)
        self.assertFalse(os.path.exists(f"/proc/{before['pid']}"))
        with open(nl.config, "w", encoding="utf-8") as f:
            f.write(text.replace(lt.EMBER, '[engine]\nmodel = "ember"\n[tiers]\nlocal = []\n'))
        self.restart(nl)
        self.awaits(lambda: not os.path.exists(f"/proc/{now['pid']}"))
        self.assertEqual(os.listdir(f"{nl.home}/run/nightlight"), [])

    def test_a_program_that_cannot_be_executed_leaves_the_old_one_at_work(self):
        folder = tempfile.mkdtemp(prefix="restart-")
        self.addCleanup(shutil.rmtree, folder, True)
        program = os.path.join(folder, "nightlight")
        real = os.path.realpath(h.binary())
        shutil.copy(real, program)
        env = {"NIGHTLIGHT_LLAMA_SERVER": lt.engine_or_skip()}
        model = os.path.join(os.path.dirname(real), "ember.gguf")
        with unittest.mock.patch.object(h, "binary", return_value=program):
            nl = self.up(lt.alone(f'[engine]\nmodel = "{model}"\n'), env)
        before = lt.wait_ready(nl)
        # Passes the rehearsal and is gone when its turn comes.
        os.unlink(program)
        with open(program, "w", encoding="utf-8") as f:
            f.write('#!/bin/sh\nrm -f "$0"\nexit 0\n')
        os.chmod(program, 0o755)
        os.kill(nl.process.pid, signal.SIGUSR2)
        self.awaits(lambda: "restart failed, this program goes on" in nl.log)
        self.assertEqual(ask(nl, "anthropic", True, "Repeat: still here")[1].text, "still here")
        self.assertEqual(lt.wait_ready(nl)["pid"], before["pid"])
        self.assertIsNone(nl.process.poll())
        # What an update puts there is what runs next; a script in between shows that it ran.
        with open(program + ".new", "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\ntouch "{folder}/ran"\nexec {real} "$@"\n')
        os.chmod(program + ".new", 0o755)
        os.rename(program + ".new", program)
        self.assertIn("kept its model", self.restart(nl))
        self.assertTrue(os.path.exists(f"{folder}/ran"))
        self.assertEqual(lt.wait_ready(nl)["pid"], before["pid"])


class Requests(Case):
    def hammer(self, nl, stop, wrong, counts):
        """One client after another on kept and on fresh connections, until `stop`."""
        n, conn = 0, None
        try:
            while not stop.is_set():
                dialect, stream = PAIRS[n % 4]
                if conn is None or n % 5 == 0:
                    if conn:
                        conn.sock.close()
                    conn = plain.Conn(nl.port, 60)
                conn.send(plain.request(dialect, plain.body_for(dialect, stream)))
                answer = conn.read_answer()
                said = plain.understand(dialect, answer)
                if answer.status != 200 or said.error or "ALPHA" not in said.text:
                    wrong.append((n, answer.status, said.error))
                n += 1
                if (answer.header("connection") or "").lower() == "close":
                    conn.sock.close()
                    conn = None
        except (OSError, plain.Cut) as error:
            wrong.append((n, repr(error)))
        finally:
            counts.append(n)
            if conn:
                conn.sock.close()

    def test_no_request_fails_and_no_connection_breaks(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                nl = self.up(lambda at: h.config_text([h.Target(self.cloud())], at), KEY,
                             args=["--workers", str(workers)])
                idle = self.enterContext(plain.Conn(nl.port))
                idle.send(plain.get("/healthz"))
                self.assertEqual(idle.read_answer("GET").status, 200)
                stop, wrong, counts = threading.Event(), [], []
                clients = [threading.Thread(target=self.hammer, args=(nl, stop, wrong, counts))
                           for _ in range(4)]
                for client in clients:
                    client.start()
                try:
                    for _ in range(3):
                        self.restart(nl)
                finally:
                    stop.set()
                    for client in clients:
                        client.join()
                self.assertEqual(wrong, [])
                self.assertGreater(sum(counts), 20)
                # The same connection as before the restarts.
                idle.send(plain.get("/healthz"))
                self.assertEqual(idle.read_answer("GET").status, 200)

    def opened_stream(self):
        """A gateway, a connection with a stream that stays open until `go` is set, and its head."""
        go = threading.Event()

        def play(record, wire):
            wire.begin(200, script.SSE)
            for n, frame in enumerate(script.frames_of(record, wire)):
                wire.body(frame.data)
                if n == 3:
                    wire.wait_for(go.is_set, 60)
            wire.finish()

        cloud = self.cloud(script=Script("opened", play))
        nl = self.up(lambda at: h.config_text([h.Target(cloud)], at), KEY)
        conn = self.enterContext(plain.Conn(nl.port, 30))
        conn.send(plain.request("anthropic", plain.body_for("anthropic")))
        answer = conn.read_head()
        return nl, conn, answer, go

    def test_a_stream_is_finished_first_and_newcomers_wait(self):
        nl, conn, answer, go = self.opened_stream()
        self.assertEqual(answer.status, 200)
        os.kill(nl.process.pid, signal.SIGUSR2)
        self.awaits(lambda: "handing over" in nl.log)
        os.kill(nl.process.pid, signal.SIGUSR2)  # once is enough
        late = self.enterContext(plain.Conn(nl.port, 30))
        late.send(plain.get("/healthz"))
        self.assertEqual(nl.log.count("serving on"), 1)
        go.set()
        self.read_rest(conn, answer)
        said = plain.understand("anthropic", answer)
        self.assertIsNone(said.error)
        self.assertTrue(said.done)
        self.assertEqual(late.read_answer("GET").status, 200)
        self.awaits(lambda: nl.log.count("serving on") == 2)
        self.assertEqual(status_of(nl)["restart"]["done"], 1)

    def test_sigterm_takes_the_restart_back(self):
        nl, conn, answer, go = self.opened_stream()
        os.kill(nl.process.pid, signal.SIGUSR2)
        self.awaits(lambda: "handing over" in nl.log)
        nl.process.send_signal(signal.SIGTERM)
        self.awaits(lambda: "draining" in nl.log)
        go.set()
        self.read_rest(conn, answer)
        self.assertTrue(plain.understand("anthropic", answer).done)
        self.assertEqual(nl.process.wait(20), 0)
        self.assertEqual(nl.log.count("serving on"), 1)


class Refused(Case):
    def test_a_bad_configuration_changes_nothing(self):
        nl = self.up(lambda at: h.config_text([h.Target(self.cloud())], at), KEY)
        with open(nl.config, encoding="utf-8") as f:
            text = f.read()
        with open(nl.config, "w", encoding="utf-8") as f:
            f.write(text.replace("[tiers]", "[teirs]"))
        done = nl.command("restart")
        self.assertEqual(done.returncode, 2)
        self.assertIn("teirs", done.stderr)
        # Whoever sends the signal by hand reads it in the status.
        os.kill(nl.process.pid, signal.SIGUSR2)
        self.awaits(lambda: "restart refused" in nl.log)
        with open(nl.config, "w", encoding="utf-8") as f:
            f.write(text)
        self.assertEqual(status_of(nl)["restart"]["refused"], 1)
        self.assertEqual(ask(nl, "anthropic", True, "hello")[0].status, 200)
        self.restart(nl)

    def test_a_program_that_does_not_run_is_refused(self):
        folder = tempfile.mkdtemp(prefix="restart-")
        self.addCleanup(shutil.rmtree, folder, True)
        program = os.path.join(folder, "nightlight")
        shutil.copy(os.path.realpath(h.binary()), program)
        with unittest.mock.patch.object(h, "binary", return_value=program):
            nl = self.up(lambda at: h.config_text([h.Target(self.cloud())], at), KEY)
        os.unlink(program)
        with open(program, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\nexit 127\n")
        os.chmod(program, 0o755)
        done = nl.command("restart")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the running gateway goes on", done.stderr)
        self.assertEqual(ask(nl, "openai", False, "hello")[0].status, 200)

    def test_nothing_runs(self):
        nl = h.Nightlight(lambda at: h.config_text([h.Target(self.cloud())], at), KEY)
        self.addCleanup(nl.close)
        done = nl.command("restart")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nightlight up", done.stderr)


if __name__ == "__main__":
    unittest.main()
